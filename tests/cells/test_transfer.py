"""Predictions in a latent space: a model's, and the components' cell by cell; two perturbations at once."""

import json
import shutil
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog, checkpoint, store
from gen_core.__main__ import main
from gen_core.cells import data, simulate, train, transfer
from gen_core.cells.latent_shift import displacements
from gen_core.cells.modelfile import read_model
from gen_core.cells.opening import open_study
from gen_core.cells.recipe import Decode, Perturb, Train
from gen_core.cells.space import Learned, Linear
from gen_core.errors import CheckpointError, InputError, RecipeError
from gen_core.result import Result


def trained(folder: Path, **fields: object) -> str:
    """A model of two epochs in the store; its name in recipes."""
    for _ in train.steps(Train(**{"latent_dim": 4, "epochs": 2, "target": "B", "check": False} | fields), folder / "m", "cpu"):
        pass
    return store.add_model(folder / "m")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return trained(tmp_path_factory.mktemp("four"))


@pytest.fixture(scope="module")
def flat(tmp_path_factory: pytest.TempPathFactory) -> str:
    return trained(tmp_path_factory.mktemp("two"), latent_dim=2)


def ask(**fields: object) -> Result:
    return gen_core.run("cells.perturb", **{"data": "simulated", "target": "B", "predictor": "latent"} | fields)


def codes(result: Result) -> set[str]:
    return {w.code for w in result.warnings}


def test_a_space_is_the_models_own_turned(model: str, flat: str) -> None:
    space = open_study(Perturb(target="B", model=model)).space
    assert isinstance(space, Learned)
    z = space.model.codes[:50]
    np.testing.assert_allclose(space.plain(space.turned(z)), z, atol=1e-4)
    gap = lambda a: np.linalg.norm(a[:, None] - a[None], axis=2)  # noqa: E731
    np.testing.assert_allclose(gap(space.turned(z)), gap(z), atol=1e-3)
    np.testing.assert_allclose(space.decode(space.turned(z)), space.model.decode(z), atol=1e-3)
    dz = np.array([0.5, -1, 0, 2])
    np.testing.assert_allclose(space.change(space.turned(z), dz @ space.turn), space.model.change(z, dz), atol=1e-3)
    assert (np.diff(space.codes.std(0)) <= 1e-6).all()  # the first axes are those of the widest spread
    plane = open_study(Perturb(target="B", model=flat)).space
    np.testing.assert_allclose(plane.turned(plane.model.codes), plane.model.codes)  # the plane is the latent space


def test_the_general_way_gives_what_the_components_give_at_once() -> None:
    study = open_study(Perturb(target="B"))
    args = (study, "similarity_weighted", study.sources, study.asked)
    centroid = study.codes[study.asked].mean(0)
    at_once = transfer.shifts(*args, 0.7)["latent"]
    general = transfer._latent(*args, centroid, 0.7)
    assert isinstance(general.space, Linear)
    np.testing.assert_allclose(general.vector, at_once.vector, atol=1e-4)
    X = study.X[study.asked[:40]]
    np.testing.assert_allclose(general.move(X).rows(slice(None)), at_once.move(X).rows(slice(None)), atol=1e-3)


def test_no_dose_moves_nothing_and_more_dose_moves_farther(model: str) -> None:
    none = ask(model=model, dose=0).content
    np.testing.assert_allclose(none.predicted_mean, none.control_mean, atol=1e-5)
    moves = [np.abs(ask(model=model, dose=d).content.predicted_mean - none.control_mean).sum() for d in (0.25, 0.5, 1.0)]
    assert moves == sorted(moves)


def test_each_way_to_average_is_scored_beside_the_same_baselines(model: str) -> None:
    baselines = ask().baselines
    for how in ("similarity_weighted", "nearest", "balanced_mean", "mean", "transport"):
        result = ask(model=model, shift=how)
        assert result.baselines["weighted_shift"] == baselines["weighted_shift"]
        assert result.baselines["ceiling"] == baselines["ceiling"]
        assert result.metrics["pearson_delta_all"] > 0.5
        assert result.metrics["r2_variance"] > 0.6  # cells keep their noise


def test_transport_moves_cells_apart_and_their_mean_together() -> None:
    result = ask(shift="transport")
    mean = ask(shift="similarity_weighted")
    np.testing.assert_allclose(
        result.content.places.mean(0)[:5], mean.content.places.mean(0)[:5], atol=0.15 * np.abs(mean.content.places).max()
    )
    study = result.content.study
    moved = result.content.places - study.places[study.asked[: len(result.content.places)]]
    assert moved.std(0).max() > 0.05
    rng = np.random.default_rng(0)
    control, perturbed = rng.normal(size=(60, 3)), rng.normal([1, 2, 3], size=(80, 3))
    np.testing.assert_allclose(displacements(control, perturbed).mean(0), perturbed.mean(0) - control.mean(0), atol=1e-9)


def test_a_model_that_saw_the_target_is_not_scored_on_it(model: str) -> None:
    result = ask(model=model, target="Monocyte")
    assert "target_in_training" in codes(result)
    assert result.metrics["pearson_delta_all"] is None
    assert result.baselines["weighted_shift"]["pearson_delta_all"] is None
    back = ask(model=model, reverse=True)  # it learned from these very control cells
    assert "target_in_training" in codes(back)
    assert "target_in_training" not in codes(ask(model=model))


def test_the_recipe_names_the_weights_and_refuses_others(model: str) -> None:
    made = ask(model=model).recipe
    assert f"sha256:{made.weights}" == model
    assert made.latent_dim == 4
    with pytest.raises(CheckpointError, match="other weights"):
        ask(model=model, weights="0" * 64)
    with pytest.raises(CheckpointError, match="not on this machine"):
        ask(model=f"sha256:{'1' * 64}")
    with pytest.raises(CheckpointError, match="There is no model"):
        ask(model="cells-of-another-planet")
    with pytest.raises(RecipeError, match="neither a bundled model"):
        Perturb.read({"model": "../../etc"})
    with pytest.raises(RecipeError, match="latent_dim"):
        Perturb.read({"model": "train", "latent_dim": 200})


def test_two_runs_in_a_latent_space_are_the_same_files(model: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        ask(model=model, dose=0.8, spot=(0.5, 0.5)).save(tmp_path / name)
    for file in (tmp_path / "a").iterdir():
        if file.name != "result.json":
            assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
    cells = ad.read_h5ad(tmp_path / "a" / "predicted.h5ad")
    study = open_study(Perturb(target="B"))
    assert cells.obs_names.tolist() == study.names[study.asked].tolist()
    np.testing.assert_allclose(np.asarray(cells.X.mean(0)).ravel(), cells.var["predicted_mean"], atol=1e-3)
    assert catalog.from_file(tmp_path / "a" / "predicted.h5ad").model == model


def test_the_command_line_takes_a_folder_and_trains_where_asked(model: str, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint.find(model), tmp_path / "mine")
    arguments = ["run", "cells.perturb", "--set", "target=B", "--set", "predictor=latent", "--out"]
    assert main([*arguments, str(tmp_path / "out"), "--set", f"model={folder}"]) == 0
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["model"] == model
    short = ["--set", "model=train", "--set", "epochs=2", "--set", "latent_dim=4"]
    assert main([*arguments, str(tmp_path / "new"), *short]) == 0
    assert json.loads((tmp_path / "new" / "recipe.json").read_text())["model"] == model  # the same training, the same weights
    assert main([*arguments, str(tmp_path / "none"), "--set", f"model={tmp_path / 'nowhere'}"]) == 2
    (folder / "weights.safetensors").write_bytes(b"cut")
    assert main([*arguments, str(tmp_path / "cut"), "--set", f"model={folder}"]) == 2
    assert not (tmp_path / "cut").exists()


def test_a_file_that_shares_no_gene_with_the_model_is_told_so(model: str, tmp_path: Path) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    adata.var_names = [f"OTHER{i}" for i in range(adata.n_vars)]
    adata.write_h5ad(tmp_path / "other.h5ad")
    with pytest.raises(InputError, match="shares no gene"):
        ask(data=str(tmp_path / "other.h5ad"), model=model)
    some = ad.read_h5ad(simulate.single_dose())
    some.var_names = [g if i % 2 else f"OTHER{i}" for i, g in enumerate(some.var_names)]
    some.write_h5ad(tmp_path / "half.h5ad")
    result = ask(data=str(tmp_path / "half.h5ad"), model=model)
    assert "missing_genes" in codes(result)
    unknown = result.content.shift.vector[np.char.startswith(result.content.study.genes.astype(str), "OTHER")]
    np.testing.assert_allclose(unknown, 0, atol=1e-6)


def test_a_latent_point_decodes_as_the_model_says(flat: str) -> None:
    result = gen_core.run("cells.decode", data="simulated", model=flat, z=[[0.3, -0.2], [1.0, 1.0]])
    space = result.content.atlas.space
    np.testing.assert_allclose(
        result.content.profiles, space.model.decode(np.array([[0.3, -0.2], [1, 1]], np.float32)), atol=1e-5
    )
    assert catalog.run(Decode(data="simulated", model=flat, z=((90.0, 90.0),))).warnings[0].code == "off_manifold"


def test_the_sum_of_two_perturbations(tmp_path: Path) -> None:
    """Split the treated cells into two drugs that do the same, one half as much: their sum is what it should be."""
    adata = ad.read_h5ad(simulate.single_dose())
    half = np.arange(adata.n_obs) % 2 == 0
    label = np.where(adata.obs.condition == "control", "control", np.where(half, "drug A", "drug B"))
    adata.obs["condition"] = pd.Categorical(label)
    adata.write_h5ad(tmp_path / "two.h5ad")
    common = {"data": str(tmp_path / "two.h5ad"), "control": "control", "predictor": "weighted_shift"}
    a, b = (ask(**common, perturbed=name).content.shift.vector for name in ("drug A", "drug B"))
    both = ask(**common, perturbed="drug A", second="drug B")
    np.testing.assert_allclose(both.content.shift.vector, a + b, atol=1e-6)
    assert "no_truth" in codes(both)
    assert both.metrics["pearson_delta_all"] is None
    assert both.metrics["pearson_delta_all_other_types"] > 0.5
    with pytest.raises(RecipeError, match=r"second: .* no label 'drug C'"):
        ask(**common, perturbed="drug A", second="drug C")
    with pytest.raises(RecipeError, match="second is 'drug A'"):
        Perturb.read({"perturbed": "drug A", "second": "drug A"})


def test_how_alike_the_types_respond() -> None:
    alike = ask().content.likeness
    assert len(alike.names) == 5
    np.testing.assert_allclose(np.diag(alike.cosines), 1, atol=1e-5)
    by_name = pd.DataFrame(alike.cosines, alike.names, alike.names)
    assert by_name.loc["Dendritic", "Monocyte"] > by_name.loc["Dendritic", "NK"]  # the simulator's myeloid programme
    assert 0.5 < alike.share < 1
    assert data.describe(simulate.single_dose()).n_cells == 2400


def test_the_cells_a_model_saw_are_known_in_whatever_file_they_come(tmp_path: Path) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    adata.write_h5ad(tmp_path / "copy.h5ad", compression="gzip")
    copy = {"data": str(tmp_path / "copy.h5ad"), "model": "cells-simulated"}
    result = ask(**copy, target="Monocyte")
    assert "target_in_training" in codes(result)
    assert not [name for name, value in result.metrics.items() if name.startswith("pearson_delta_true") and value is not None]
    assert "target_in_training" not in codes(ask(**copy, target="T helper"))
    known = ask(model="cells-simulated", target="Monocyte")  # in the bundled file the truth is known too, and not shown
    assert not [name for name in known.metrics if name.startswith("pearson_delta_true")]
    adata.obs_names = [f"other {i}" for i in range(adata.n_obs)]
    adata.write_h5ad(tmp_path / "other.h5ad")
    assert "target_in_training" not in codes(ask(data=str(tmp_path / "other.h5ad"), model="cells-simulated", target="Monocyte"))


def test_what_was_not_checked_is_never_chosen_and_a_check_on_the_target_counts_for_nothing(model: str) -> None:
    assert ask(model=model, predictor="auto").content.predictor != "latent"
    checked = checkpoint.read_card(checkpoint.find("cells-simulated"))["check"]["type"]
    assert open_study(Perturb(target=checked, model="cells-simulated")).check is None


@pytest.mark.parametrize("change", [{"target": None}, {"check": "yes"}, {"check": {"type": "B"}}])
def test_an_edited_card_is_refused_in_a_sentence(model: str, change: dict, tmp_path: Path) -> None:
    folder = shutil.copytree(checkpoint.find(model), tmp_path / "edited")
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps({k: v for k, v in (card | change).items() if v is not None}))
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_model(folder)


def test_of_two_cards_of_the_same_weights_a_check_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))
    bundled = checkpoint.find("cells-simulated-2d")
    for check in (None, {"type": "B"}, None):
        folder = shutil.copytree(bundled, tmp_path / "copy")
        (folder / "card.json").write_text(json.dumps(checkpoint.read_card(bundled) | {"check": check}))
        digest = store.add_model(folder)
    assert checkpoint.read_card(store.model_folder(digest))["check"] == {"type": "B"}
