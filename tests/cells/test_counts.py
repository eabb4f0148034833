"""Counts: had back from log1p, how likely they are, and a latent space that is learned from them."""

import json
import shutil
from pathlib import Path

import anndata as ad
import numpy as np
import pytest
import torch
from scipy import sparse, stats

import gen_core
from gen_core import checkpoint, store
from gen_core.__main__ import main
from gen_core.cells import data, train, transfer
from gen_core.cells.counts import counts_of
from gen_core.cells.model import CountVAE, LatentModel
from gen_core.cells.modelfile import read_model
from gen_core.cells.recipe import Train
from gen_core.cells.simulate import single_dose
from gen_core.cells.space import Learned
from gen_core.errors import CheckpointError, InputError
from gen_core.nets.negative_binomial import Curve, log_likelihood, mean_log1p
from tests.trained import taken_up, trained

SHORT = Train(latent_dim=4, epochs=2, target="B", replicate_key="donor", check=False, likelihood="negative_binomial")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return trained(train.steps, SHORT, tmp_path_factory.mktemp("counts") / "m")


@pytest.fixture(scope="module")
def model(folder: Path) -> LatentModel:
    return read_model(folder)


@pytest.fixture(scope="module")
def cells() -> sparse.csr_matrix:
    return train.cells_of(SHORT)[0].X


def written(path: Path, X: sparse.csr_matrix) -> Path:
    """The simulated cells with another matrix."""
    adata = ad.read_h5ad(single_dose())
    made = ad.AnnData(X, adata.obs, adata.var.iloc[: X.shape[1]])
    made.write_h5ad(path)
    return path


def test_the_likelihood_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    mean, dispersion = rng.gamma(0.5, 4.0, (6, 30)) + 1e-3, rng.gamma(1.0, 2.0, 30) + 0.05
    counts, weight = rng.poisson(mean * rng.gamma(2.0, 0.5, mean.shape)), rng.random(30)
    counts[0] = 0
    expected = (weight * stats.nbinom.logpmf(counts, dispersion, dispersion / (dispersion + mean))).sum(1)
    tensors = (torch.tensor(values, dtype=torch.float32) for values in (np.log(mean), np.log(dispersion), weight))
    np.testing.assert_allclose(log_likelihood(sparse.csr_matrix(counts), *tensors), expected, rtol=1e-4)


@pytest.mark.parametrize("one", [0.01, 1.0, 8.0, 50.0])
def test_mean_log1p_is_the_sum_over_all_counts(one: float) -> None:
    mean, dispersion = (a.ravel() for a in np.meshgrid([1e-3, 0.05, 1.0, 20.0, 300.0], [0.1, 1.0, 10.0, 1000.0]))
    y = np.arange(40_000)
    chance = dispersion / (dispersion + mean)
    expected = [(stats.nbinom.pmf(y, t, p) * np.log1p(one * y)).sum() for t, p in zip(dispersion, chance, strict=True)]
    m, t = torch.from_numpy(mean), torch.from_numpy(dispersion)
    np.testing.assert_allclose(mean_log1p(m, t, one), expected, atol=2e-3)
    read_off = Curve(t.log(), one, 6.0)(torch.cat([m.log(), torch.full_like(m, -torch.inf)]).reshape(2, -1))
    np.testing.assert_allclose(read_off[0], expected, atol=4e-3)
    assert (read_off[1] == 0).all()


@pytest.mark.parametrize("kind", ["counts", "log1p", "log2 of a million", "log1p of a part", "log1p of counts"])
def test_counts_are_had_back_from_what_a_file_holds(kind: str, tmp_path: Path) -> None:
    counts = sparse.csr_matrix(ad.read_h5ad(single_dose()).X)
    plain = counts.multiply(1 / counts.sum(1)).tocsr()
    part = counts[:, :900] if kind == "log1p of a part" else counts
    X = {
        "counts": counts,
        "log1p": (plain * 1e4).log1p(),
        "log2 of a million": (plain * 1e6).log1p() / np.log(2),
        "log1p of a part": (plain * 1e4).log1p()[:, :900],
        "log1p of counts": counts.log1p(),
    }[kind]
    read = data.read_cells(written(tmp_path / "cells.h5ad", X.astype(np.float32)), [])
    assert (counts_of(read.X) != part).nnz == 0


def test_a_cell_without_a_single_count_is_scaled_by_what_its_counts_share() -> None:
    counts = np.array([[3, 2, 0, 7, 4, 9], [0, 0, 0, 0, 0, 0], [0, 5, 0, 0, 0, 0], [6, 15, 10, 0, 31, 77]], float)
    X = sparse.csr_matrix(np.log1p(counts / np.maximum(counts.sum(1, keepdims=True), 1) * 1e4))
    np.testing.assert_array_equal(counts_of(X).toarray()[[0, 1, 3]], counts[[0, 1, 3]])
    assert counts_of(X).toarray()[2].tolist() == [0, 1, 0, 0, 0, 0]  # of one value nothing tells how many it stands for


def test_it_decodes_the_mean_log1p_of_typical_cells(model: LatentModel, cells: sparse.csr_matrix) -> None:
    net, z = model.net, model.codes[:3]
    assert isinstance(net, CountVAE)
    counts = counts_of(cells)
    total = np.median(np.asarray(counts.sum(1)))
    np.testing.assert_allclose(np.exp(net.typical.numpy()), [total, 1e4 / total], rtol=0.02)
    with torch.no_grad():
        share, dispersion = net.log_share(torch.from_numpy(z)).exp().double().numpy(), net.log_dispersion.exp().double().numpy()
    np.testing.assert_allclose(share.sum(1), 1, rtol=1e-5)
    chance = dispersion / (dispersion + total * share)
    drawn = np.random.default_rng(0).negative_binomial(dispersion, chance, (2000, *share.shape))
    apart = model.decode(z) - np.log1p(drawn * 1e4 / total).mean(0)
    assert np.abs(apart).max() < 0.25  # what is left is the draws' own noise
    assert abs(apart.mean()) < 0.005
    some = np.random.default_rng(0).choice(cells.shape[0], 300, replace=False)
    mean = np.asarray(cells[some].mean(0)).ravel()
    assert np.corrcoef(model.decode(model.encode(cells[some])).mean(0), mean)[0, 1] > 0.97
    assert model.mean.sum() == pytest.approx(mean.sum(), rel=0.1)


def test_a_change_is_that_of_what_is_decoded(model: LatentModel, cells: sparse.csr_matrix) -> None:
    z, dz = model.encode(cells[:20]), np.array([0.5, -1, 0, 0.2], np.float32)
    np.testing.assert_allclose(model.change(z, dz), model.decode(z + dz) - model.decode(z), atol=1e-6)
    none = transfer.moved(Learned.of(model), cells[:20], lambda z: np.zeros(4)).values
    np.testing.assert_allclose(none, cells[:20].toarray(), atol=1e-6)


def test_another_files_genes_keep_their_shares(model: LatentModel, cells: sparse.csr_matrix) -> None:
    order = np.random.default_rng(1).permutation(cells.shape[1])
    other = sparse.csr_matrix(sparse.hstack([cells[:200, order], np.ones((200, 1))]))
    there = model.on(np.concatenate([model.genes[order], ["UNKNOWN"]]))
    z = there.encode(other)
    np.testing.assert_allclose(z, model.encode(cells[:200]), atol=1e-4)
    np.testing.assert_allclose(there.decode(z)[:, :-1], model.decode(z)[:, order], atol=1e-4)
    assert (there.decode(z)[:, -1] == 0).all()
    assert (there.change(z, np.ones(4))[:, -1] == 0).all()
    half = model.on(model.genes[::2])
    np.testing.assert_allclose(half.decode(z), model.decode(z)[:, ::2], atol=1e-4)  # the missing ones take their share


def test_cancelled_and_called_again_it_makes_the_same_model(folder: Path, tmp_path: Path) -> None:
    taken_up(train.steps, SHORT, tmp_path, folder)


def test_the_card_says_which_likelihood_and_the_model_predicts(folder: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(folder, tmp_path / "m")
    card = checkpoint.read_card(folder)
    assert card["likelihood"] == "negative_binomial"
    assert "--set likelihood=negative_binomial" in card["command"]
    study, _ = train.cells_of(SHORT)
    again, _ = train.scores_of(read_model(folder), study)
    for name, value in card["metrics"].items():
        assert again[name] == pytest.approx(value, rel=0.01, abs=4e-3)  # float16
    for wrong in ("poisson", ["gaussian"], "gaussian"):
        (folder / "card.json").write_text(json.dumps(card | {"likelihood": wrong}))
        with pytest.raises(CheckpointError, match="do not fit together"):
            read_model(folder)
    (folder / "card.json").write_text(json.dumps(card))
    result = gen_core.run("cells.perturb", data="simulated", target="B", predictor="latent", model=store.add_model(folder))
    assert result.metrics["pearson_delta_all"] > 0.7


def test_cells_without_counts_are_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    X = sparse.csr_matrix(ad.read_h5ad(single_dose()).X)
    X.data = np.log1p(X.data * np.random.default_rng(0).uniform(0.5, 1.5, X.nnz)).astype(np.float32)
    path = written(tmp_path / "smooth.h5ad", X)
    arguments = ["--set", f"data={path}", "--set", "target=B", "--set", "likelihood=negative_binomial"]
    assert main(["train", "cells", *arguments, "--out", str(tmp_path / "m")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert "no counts can be had from 100% of these cells" in said[0]
    assert not (tmp_path / "m").exists()
    with pytest.raises(InputError, match="no counts"):
        counts_of(sparse.csr_matrix(np.random.default_rng(0).random((20, 30))))
