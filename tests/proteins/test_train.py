"""A family is learned: what training leaves, that it goes on where it was, and what the bundled model's card says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gen_core import catalog, checkpoint, snapshot, store
from gen_core.__main__ import main
from gen_core.errors import CheckpointError, InputError, OutputError, RecipeError
from gen_core.proteins import train
from gen_core.proteins.family import open_family
from gen_core.proteins.modelfile import FamilyModel, open_model, read_model
from gen_core.proteins.recipe import BUNDLED, Train
from gen_core.proteins.statistics import moments, pair_order, pearson
from tests.proteins.conftest import TIED, family_codes, write_fasta

FILES = ["card.json", "recipe.json", "weights.safetensors"]


def test_what_training_leaves_is_a_model_and_nothing_else(model_folder: Path, short: Train) -> None:
    assert sorted(path.name for path in model_folder.iterdir()) == FILES
    card = checkpoint.read_card(model_folder)
    assert card["data"] == card["family"] == short.family
    assert set(card["baselines"]) == {"independent_sites", "natural_holdout", "normal_prior", "couplings"}
    told = card["metrics"]
    assert told["pair_correlation_pearson"] > card["baselines"]["independent_sites"]["pair_correlation_pearson"] + 0.2
    assert told["naturals_site_frequency_pearson"] > 0.95
    assert told["log_likelihood_heldout"] > card["baselines"]["independent_sites"]["log_likelihood_heldout"]
    for values in card["baselines"].values():
        assert set(values) <= set(told)
    assert catalog.from_document(json.loads((model_folder / "recipe.json").read_text())) == short
    assert f"--set family={short.family}" in card["command"]


def test_the_sequences_themselves_are_not_in_the_model(model_folder: Path, rows: list[str]) -> None:
    content = (model_folder / "weights.safetensors").read_bytes() + (model_folder / "card.json").read_bytes()
    codes = family_codes()
    for row, code in zip(rows, codes, strict=True):
        assert row.replace("-", "").encode() not in content
        assert code.tobytes() not in content


def test_the_statistics_are_those_of_the_whole_weighted_family(model: FamilyModel, short: Train) -> None:
    family = open_family(short.family)
    whole = moments(family.codes, family.weights)
    assert pearson(model.moments.pairs, whole.pairs) > 0.999
    np.testing.assert_allclose(model.moments.sites, whole.sites, atol=1e-6)
    _, left_out = family.split(short.seed)
    assert pearson(model.held_out.pairs, moments(family.codes[left_out], family.weights[left_out]).pairs) > 0.999
    assert len(model.codes.weights) == len(family.codes) - len(left_out)


def test_couplings_see_the_tied_columns(model: FamilyModel) -> None:
    assert model.couplings is not None
    order = list(pair_order(model.couplings.length))
    strongest = np.argsort(-np.linalg.norm(model.couplings.pairs, axis=1))[: len(TIED)]
    assert {order[p] for p in strongest} == set(TIED)


def test_cancelled_and_called_again_it_makes_the_same_model(model_folder: Path, short: Train, tmp_path: Path) -> None:
    steps = train.steps(short, tmp_path, "cpu")
    while next(steps).done < 3:
        pass
    steps.close()
    assert snapshot.exists(tmp_path)
    texts = [step.text for step in train.steps(short, tmp_path, "cpu")]
    assert texts[-1] == "done"
    assert checkpoint.sha256(tmp_path / "weights.safetensors") == checkpoint.sha256(model_folder / "weights.safetensors")
    mine, theirs = (checkpoint.read_card(folder) for folder in (tmp_path, model_folder))
    assert {**mine, "seconds": 0} == {**theirs, "seconds": 0}
    assert sorted(path.name for path in tmp_path.iterdir()) == FILES
    assert [step.text for step in train.steps(short, tmp_path, "cpu")] == ["trained already"]
    with pytest.raises(OutputError, match="another model"):
        next(train.steps(short.replace(seed=1), tmp_path, "cpu"))


@pytest.mark.parametrize("damage", ["weights", "card", "system", "columns", "missing"])
def test_a_damaged_model_is_refused_in_a_sentence(damage: str, model_folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    copy = shutil.copytree(model_folder, tmp_path / "m")
    card = json.loads((copy / "card.json").read_text())
    weights = copy / "weights.safetensors"
    if damage == "weights":
        weights.write_bytes(weights.read_bytes()[:-10])
    elif damage == "card":
        (copy / "card.json").write_text(json.dumps({k: v for k, v in card.items() if k != "n_effective"}))
    elif damage == "system":
        (copy / "card.json").write_text(json.dumps(card | {"system": "cells"}))
    elif damage == "columns":
        tensors = load_file(weights)
        tensors["columns"] = tensors["columns"][:-1].clone()
        save_file(tensors, weights)
        (copy / "card.json").write_text(json.dumps(card | {"sha256": checkpoint.sha256(weights)}))
    else:
        weights.unlink()
    with pytest.raises(CheckpointError):
        read_model(copy)


def test_what_is_said_of_labels_that_are_not_there_is_refused_and_not_ignored() -> None:
    for field, value in (("label_threshold", 0.5), ("label_kind", "binary")):
        with pytest.raises(RecipeError, match=f"{field}: there are no labels that it is of"):
            Train.read({field: value})


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["latent_dim=1"], "latent_dim: 1"),
        (["latent_dim=33"], "latent_dim: 33"),
        (["epochs=0"], "epochs: 0"),
        (["family=nowhere"], "no data set 'nowhere'"),
        (["family=nowhere.fasta"], "no file 'nowhere.fasta'"),
        (["labels=simulated"], "labels: there is no data set 'simulated'"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [part for argument in arguments for part in ("--set", argument)]
    assert main(["train", "proteins", "--device", "cpu", *settings, "--out", str(tmp_path / "m")]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]
    assert list(tmp_path.iterdir()) == []


def test_the_command_line_trains_and_samples(tmp_path: Path, rows: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = write_fasta(tmp_path / "family.fasta", rows[:60])
    out = str(tmp_path / "m")
    few = ["--set", "latent_dim=2", "--set", "epochs=2"]
    assert main(["train", "proteins", "--device", "cpu", "--set", f"family={path}", *few, "--out", out]) == 0
    drawn = str(tmp_path / "drawn")
    assert main(["run", "proteins.sample", "--set", f"model={out}", "--set", "n=20", "--out", drawn]) == 0
    capsys.readouterr()
    assert main(["show", f"{drawn}/sequences.csv"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["family"].startswith("sha256:")
    assert shown["weights"] == checkpoint.sha256(Path(out) / "weights.safetensors")
    result = json.loads((tmp_path / "drawn" / "result.json").read_text())
    assert {"few_samples"} <= {warning["code"] for warning in result["warnings"]}


def test_a_family_too_long_for_couplings_goes_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[str]) -> None:
    import gen_core
    from gen_core.proteins import couplings

    monkeypatch.setattr(couplings, "MOST_COLUMNS", 10)
    family = store.add(write_fasta(tmp_path / "f.fasta", rows[:80], "long"))
    result = gen_core.run("proteins.sample", family=family, latent_dim=2, epochs=2, n=30)
    assert "no_couplings" in {warning.code for warning in result.warnings}
    assert np.isnan(result.content.values["coupling_energy"]).all()
    assert "removed_energy" not in result.metrics


def test_the_bundled_model_reaches_its_targets() -> None:
    card = checkpoint.read_card(checkpoint.find(BUNDLED))
    told, normal = card["metrics"], card["baselines"]["normal_prior"]
    assert told["naturals_pair_correlation_pearson"] >= 0.93
    assert told["naturals_identity_nearest_mean"] <= 0.62
    assert told["pair_correlation_pearson"] >= 0.80
    assert 0.8 <= told["pair_correlation_slope"] <= 1.1
    assert min(told["site_frequency_pearson"], told["unique_fraction"]) >= 0.99
    assert told["log_likelihood_heldout"] >= -142
    assert told["pair_correlation_pearson"] > normal["pair_correlation_pearson"]
    assert (checkpoint.find(BUNDLED) / "weights.safetensors").stat().st_size < 16 << 20
    assert open_model(BUNDLED).latent_dim == 16


def test_the_bundled_statistics_are_those_of_the_real_family(data_folder: Path) -> None:
    model = open_model(BUNDLED)
    digest = store.add(data_folder / "proteins" / "chorismate_mutase_train.fasta")
    assert model.card["data"] == digest
    family = open_family(digest)
    assert pearson(model.moments.pairs, family.moments.pairs) > 0.999
    _, left_out = family.split(0)
    assert model.card["n_held_out"] == len(left_out)
    content = (checkpoint.find(BUNDLED) / "weights.safetensors").read_bytes()
    assert not any(code.tobytes() in content for code in family.codes)


def test_a_family_is_refused_before_the_folder_is_made(tmp_path: Path) -> None:
    digest = store.add(write_fasta(tmp_path / "f.fasta", ["MKVLAWTDEF"]))
    with pytest.raises(InputError, match="1 sequence"):
        list(train.steps(Train(family=digest), tmp_path / "m", "cpu"))
    assert not (tmp_path / "m").exists()
