"""The latent space of cells: trained without the target's response, kept whole, taken up where it was left."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import anndata
import numpy as np
import pytest
from scipy import sparse

from gen_core import catalog, checkpoint, snapshot, store, training
from gen_core.__main__ import main
from gen_core.cells import latent_shift, train, transfer
from gen_core.cells.model import LatentModel
from gen_core.cells.modelfile import open_model, read_model
from gen_core.cells.recipe import Perturb, Train
from gen_core.cells.shift import BASELINES
from gen_core.cells.simulate import single_dose
from gen_core.cells.space import Learned
from gen_core.cells.study import marks
from gen_core.errors import CheckpointError, InputError, OutputError, RecipeError
from gen_core.training import Step
from tests.trained import taken_up, trained

SHORT = Train(latent_dim=4, epochs=2, target="B", replicate_key="donor", check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of two epochs."""
    return trained(train.steps, SHORT, tmp_path_factory.mktemp("model") / "m")


@pytest.fixture(scope="module")
def model(folder: Path) -> LatentModel:
    return read_model(folder)


@pytest.fixture(scope="module")
def cells() -> sparse.csr_matrix:
    return train.cells_of(SHORT)[0].X[:200]


def test_what_training_leaves_is_a_model_and_nothing_else(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "recipe.json", "weights.safetensors"]
    card = checkpoint.read_card(folder)
    assert card["target"] == "B"
    assert card["batches"] == [f"donor {i}" for i in range(1, 5)]
    assert card["metrics"].keys() == card["baselines"]["weighted_shift"].keys() == card["baselines"]["ceiling"].keys()
    assert card["metrics"]["pearson_delta_all"] > card["baselines"]["no_change"]["pearson_delta_all"] + 0.2
    assert card["baselines"]["no_change"]["e_distance_relative"] == 1
    filled = catalog.from_document(json.loads((folder / "recipe.json").read_text()))
    assert filled.fields()["condition_key"] == "condition"
    assert "--set target=B" in card["command"]


def test_the_cells_learned_from_are_known_again_and_do_not_swell_the_card(folder: Path, model: LatentModel) -> None:
    study, rows = train.cells_of(SHORT)
    assert sorted(model.seen) == sorted(marks(study.names[rows]))
    assert (folder / checkpoint.CARD).stat().st_size < 6_000


def test_a_card_of_before_that_holds_the_marks_is_read(folder: Path, model: LatentModel, tmp_path: Path) -> None:
    tensors, card = checkpoint.load(folder)
    del tensors["seen"]
    checkpoint.put(tmp_path, tensors, card | {"cells": base64.b64encode(model.seen.tobytes()).decode()})
    assert np.array_equal(read_model(tmp_path).seen, model.seen)
    checkpoint.put(tmp_path, tensors, card | {"cells": "§"})
    with pytest.raises(CheckpointError, match="do not fit together"):
        read_model(tmp_path)


def test_the_cards_scores_are_those_of_the_weights_as_they_are_read_back(folder: Path, model: LatentModel) -> None:
    study, _ = train.cells_of(SHORT)
    again, _ = train.scores_of(model, study)
    for name, value in checkpoint.read_card(folder)["metrics"].items():
        assert again[name] == pytest.approx(value, rel=0.01, abs=2e-3)  # float16


def test_the_targets_response_is_never_learned_from(folder: Path, tmp_path: Path) -> None:
    other = anndata.read_h5ad(single_dose())
    hidden = ((other.obs.cell_type == "B") & (other.obs.condition == "treated")).to_numpy()
    X = other.X.toarray()
    X[hidden] = np.random.default_rng(0).permuted(X[hidden], axis=1)
    other.X = sparse.csr_matrix(X)
    other.write_h5ad(tmp_path / "other.h5ad")
    for _ in train.steps(SHORT.replace(data=store.add(tmp_path / "other.h5ad")), tmp_path / "m", "cpu"):
        pass
    mine, theirs = checkpoint.load(folder)[0], checkpoint.load(tmp_path / "m")[0]
    assert all((mine[name] == theirs[name]).all() for name in mine)
    assert checkpoint.read_card(tmp_path / "m")["metrics"] != checkpoint.read_card(folder)["metrics"]


def test_cancelled_and_called_again_it_makes_the_same_model(folder: Path, tmp_path: Path) -> None:
    taken_up(train.steps, SHORT, tmp_path, folder)


def test_killed_before_its_last_file_it_is_finished_all_the_same(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m"
    shutil.copytree(folder, copy)
    (copy / "recipe.json").write_text(SHORT.json())  # as asked, not yet as filled in
    assert [step.text for step in train.steps(SHORT, copy, "cpu")] == ["trained already"]
    (copy / "card.json").unlink()  # killed a little earlier: it trains on, and here anew
    assert next(train.steps(SHORT, copy, "cpu")).text.startswith("epoch 1")


def test_residual_moves_keep_the_noise_of_each_cell(model: LatentModel, cells: sparse.csr_matrix) -> None:
    space = Learned.of(model)
    none = transfer.moved(space, cells, lambda z: np.zeros(4)).values
    np.testing.assert_allclose(none, cells.toarray(), atol=1e-6)
    dz = np.array([0.5, 0, 0, 0])
    moved = transfer.moved(space, cells, lambda z: dz @ space.turn).values
    z = model.encode(cells)
    expected = np.maximum(cells.toarray() + model.decode_raw(z + dz) - model.decode_raw(z), 0)
    np.testing.assert_allclose(moved, expected, atol=1e-3)
    each = transfer.moved(space, cells.toarray(), lambda z: np.tile(dz @ space.turn, (len(z), 1))).values
    np.testing.assert_allclose(each, moved, atol=1e-4)


def test_settled_cells_land_where_the_shift_says(model: LatentModel, cells: sparse.csr_matrix) -> None:
    space = Learned.of(model)
    z = space.encode(cells)
    dz = space.codes[model.code_perturbed].mean(0) - space.codes[~model.code_perturbed].mean(0)
    miss = lambda move: np.linalg.norm((space.encode(transfer.moved(space, cells, move).values) - z - dz).mean(0))  # noqa: E731
    assert miss(transfer._settled(space, cells, z, lambda z: dz)) < 0.9 * miss(lambda z: dz)


def test_sparse_and_dense_cells_have_the_same_codes(model: LatentModel, cells: sparse.csr_matrix) -> None:
    np.testing.assert_allclose(model.encode(cells), model.encode(cells.toarray()), atol=1e-4)


def test_another_files_genes_in_another_order_give_the_same_codes(model: LatentModel, cells: sparse.csr_matrix) -> None:
    order = np.random.default_rng(1).permutation(cells.shape[1])
    genes = np.concatenate([model.genes[order], ["UNKNOWN"]])
    other = sparse.csr_matrix(sparse.hstack([cells[:, order], np.ones((200, 1))]))
    there = model.on(genes)
    z = there.encode(other)
    np.testing.assert_allclose(z, model.encode(cells), atol=1e-4)
    np.testing.assert_allclose(there.decode(z)[:, :-1], model.decode(z)[:, order], atol=1e-4)
    assert (there.change(z, np.ones(4))[:, -1] == 0).all()  # what the model does not know does not move
    assert model.on(model.genes) is model


def test_genes_that_a_file_lacks_count_as_at_their_mean(model: LatentModel, cells: sparse.csr_matrix) -> None:
    kept = np.arange(0, cells.shape[1], 2)
    filled = np.tile(model.mean, (200, 1))
    filled[:, kept] = cells[:, kept].toarray()
    np.testing.assert_allclose(model.on(model.genes[kept]).encode(cells[:, kept]), model.encode(filled), atol=1e-3)
    with pytest.raises(InputError, match=r"shares no gene.*GEN|SHR"):
        model.on(np.array(["ENSG01", "ENSG02"]))


def test_the_latent_response_is_there_and_alike_across_types(model: LatentModel) -> None:
    groups = [
        latent_shift.Group(t, *(model.codes[(model.code_type == t) & (model.code_perturbed == p)] for p in (False, True)))
        for t in sorted(set(model.code_type.tolist()) - {"B"})
    ]
    assert latent_shift.share_explained(np.stack([group.shift for group in groups])) > 0.5
    assert not ((model.code_type == "B") & model.code_perturbed).any()


def test_a_donor_of_one_condition_is_not_conditioned_on() -> None:
    study, rows = train.cells_of(SHORT)
    assert train.batches_of(study, rows)[0]
    one = rows[~(study.is_perturbed[rows] & (study.replicate[rows] == "donor 1"))]
    assert train.batches_of(study, one)[0] == ()


@pytest.mark.parametrize("damage", ["weights", "card", "dimensions", "other system", "missing"])
def test_a_damaged_model_is_refused_in_a_sentence(damage: str, folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "m"
    shutil.copytree(folder, copy)
    card = json.loads((copy / "card.json").read_text())
    if damage == "weights":
        path = copy / "weights.safetensors"
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "card":
        (copy / "card.json").write_text("{")
    elif damage == "missing":
        (copy / "weights.safetensors").unlink()
    else:
        changed = {"latent_dim": 5} if damage == "dimensions" else {"system": "proteins"}
        (copy / "card.json").write_text(json.dumps(card | changed))
    with pytest.raises(CheckpointError):
        read_model(copy)


def test_long_work_is_not_run_and_short_work_has_no_steps(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="gen_core train cells"):
        catalog.run(SHORT)
    with pytest.raises(RecipeError, match="no long work"):
        catalog.steps(catalog.make_recipe("cells.perturb", {}), tmp_path)


CLI = ["train", "cells", "--device", "cpu", "--set", "epochs=2", "--set", "latent_dim=4", "--set", "target=B"]
CLI += ["--set", "replicate_key=donor", "--set", "check=false"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "latent_dim=0"], "latent_dim: 0"),
        (["--set", "latent_dim=10000"], "latent_dim: 10000"),
        (["--set", "epochs=0"], "epochs: 0"),
        (["--set", "target=Neuron"], "has no 'Neuron'"),
        (["--set", "replicate_key=lane"], "no column 'lane'"),
        (["--set", "data=pbmc68k_reduced"], "control from perturbed"),
        (["--device", "abacus"], "not a device"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CLI, *arguments, "--out", str(tmp_path / "m")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_trains_stops_and_goes_on(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "m"

    def interrupted(recipe: Train, folder: Path, device: str) -> Iterator[Step]:
        yield next(steps := train.steps(recipe, folder, device))
        steps.close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(catalog, "load", lambda reference: interrupted)
        patch.setattr(catalog, "recipe_class", lambda name: Train)
        assert main([*CLI, "--out", str(out)]) == 130
    assert "goes on" in capsys.readouterr().err
    assert snapshot.exists(out)
    path = out / snapshot.NEWEST
    path.write_bytes(path.read_bytes()[:-100])  # and its checkpoint is cut: it begins anew
    assert main([*CLI, "--set", "seed=1", "--out", str(out)]) == 2
    assert "another recipe" in capsys.readouterr().err
    assert main([*CLI, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "epoch 2 of 2" in said.err
    assert said.out.strip() == str(out)
    assert checkpoint.sha256(out / checkpoint.WEIGHTS) == checkpoint.sha256(folder / checkpoint.WEIGHTS)
    assert main([*CLI, "--out", str(out)]) == 0  # what is finished stays as it is
    assert "trained already" in capsys.readouterr().err
    assert main([*CLI, "--set", "seed=1", "--out", str(out)]) == 2
    assert "not empty (it holds another model)" in capsys.readouterr().err


def test_force_replaces_and_spares_what_is_there_where_the_input_is_bad(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("precious")
    assert main([*CLI, "--set", "target=Neuron", "--force", "--out", str(tmp_path / "m")]) == 2
    assert (tmp_path / "m" / "mine.txt").read_text() == "precious"
    assert main([*CLI, "--set", "epochs=1", "--force", "--out", str(tmp_path / "m")]) == 0
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["card.json", "m", "recipe.json", "weights.safetensors"]
    capsys.readouterr()


def test_a_full_disk_ends_it_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(training.snapshot.os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        for _ in train.steps(SHORT, tmp_path / "m", "cpu"):
            pass
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["recipe.json"]


def test_models_are_found_by_name_or_folder(folder: Path) -> None:
    assert open_model("cells-simulated-2d").latent_dim == 2
    with pytest.raises(CheckpointError, match="There is no model 'nowhere'"):
        checkpoint.find("nowhere")
    with pytest.raises(CheckpointError):
        checkpoint.find("../models")


@pytest.mark.parametrize("name", ["cells-simulated", "cells-simulated-2d"])
def test_a_bundled_model_scores_what_its_card_says(name: str) -> None:
    folder = checkpoint.find(name)
    model, card = read_model(folder), checkpoint.read_card(folder)
    assert name in [card["name"] for card in catalog.models()]
    assert card["synthetic"]
    assert (folder / "weights.safetensors").stat().st_size < 4 << 20
    recipe = catalog.from_document(json.loads((folder / "recipe.json").read_text()))
    assert isinstance(recipe, Train)
    study, _ = train.cells_of(recipe)
    assert model.genes.tolist() == study.genes.tolist()
    scores, _ = train.scores_of(model, study)
    for metric, value in card["metrics"].items():
        assert scores[metric] == pytest.approx(value, rel=0.01, abs=2e-3)
    assert scores["pearson_delta_all"] > card["baselines"]["no_change"]["pearson_delta_all"] + 0.5


def test_a_second_training_tells_how_far_the_seen_types_are_flattered(tmp_path: Path) -> None:
    recipe = SHORT.replace(check=True)
    steps = train.steps(recipe, tmp_path / "m", "cpu")
    seen = [next(steps) for _ in range(3)]
    assert seen[0].total == 4
    while "checking" not in seen[-1].text:
        seen.append(next(steps))
    steps.close()  # cancelled in the second training: the first is not done again
    for step in train.steps(recipe, tmp_path / "m", "cpu"):
        seen.append(step)
    assert [s.done for s in seen if s.done == s.total]
    card = checkpoint.read_card(tmp_path / "m")
    assert card["check"]["type"] in card["types"]
    assert card["check"]["type"] != "B"
    assert card["check"]["pearson_delta_all"].keys() == {"kept", "left_out", *BASELINES}
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["card.json", "recipe.json", "weights.safetensors"]


def test_a_model_is_chosen_only_if_it_leads_where_it_has_not_seen_the_answer() -> None:
    made = catalog.run(Perturb(target="T helper", model="cells-simulated")).content
    held_out, check = made.folds, made.study.check
    assert check.kept > check.left_out  # one type, with and without its response in training
    # seen types make the model look best; on a type it had not seen a simpler way is as good, and that is what is chosen
    assert held_out.mean("latent", "pearson_delta_all") > held_out.mean("weighted_shift", "pearson_delta_all") + 0.01
    assert held_out.flattered == (check.left_out <= check.baselines[held_out.rival] + 0.01)
    assert (made.predictor == "latent") == (not held_out.flattered)
    forced = catalog.run(Perturb(target="T helper", model="cells-simulated", predictor="latent"))
    assert ("adds_nothing" in {w.code for w in forced.warnings}) == held_out.flattered
