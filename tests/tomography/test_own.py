"""A prior of the user's own slices: what is left out is no neighbour of what is learned, and it is measured there."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core import catalog, checkpoint, store
from gen_core.errors import InputError
from gen_core.inputs.stacks import packed_stacks, read_stacks
from gen_core.tomography import evaluate, own, phantoms, question_own, train
from gen_core.tomography.recipe import Reconstruct, Train
from gen_core.tomography.subject import subject_of
from tests.dicoms import ct, saved


def volume(n: int = 60, seed: int = 0) -> np.ndarray:
    """Slices (n, 64, 64) in Hounsfield units that change slowly, as those of a body do."""
    ends = [phantoms.hounsfield(phantoms.image(phantoms.phantom("thorax", seed + k), 64)) for k in range(2)]
    share = np.linspace(0, 1, n)[:, None, None]
    return ((1 - share) * ends[0] + share * ends[1]).astype(np.float32)


def stored(values: np.ndarray) -> str:
    out = io.BytesIO()
    np.save(out, values)
    out.seek(0)
    return store.add(out, "slices.npy")


@pytest.mark.parametrize("lengths", [[20], [60], [112], [400], [30, 30], [200, 40, 35, 50, 60], [5, 5, 5, 5], [1000, 3]])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_is_left_out_is_no_neighbour(lengths: list[int], seed: int) -> None:
    learned, watched, tested, whole = own.divided(lengths, seed)
    groups = [set(map(int, part)) for part in (learned, watched, tested)]
    assert sum(map(len, groups)) == len(set().union(*groups)) <= sum(lengths)
    assert all(len(group) >= 2 for group in groups)
    assert len(learned) >= 0.4 * sum(lengths)
    assert len(tested) >= 0.08 * sum(lengths) - 1
    stack = np.repeat(np.arange(len(lengths)), lengths)
    for a in range(3):
        for b in range(a):
            if whole:
                assert not set(stack[list(groups[a])]) & set(stack[list(groups[b])])
            else:
                assert min(abs(i - j) for i in groups[a] for j in groups[b]) > own.GAP


def test_slices_are_those_that_a_scan_would_see() -> None:
    digest = stored(volume())
    made = own.opened(Train(data=digest, size=64))
    truth = np.asarray(subject_of(Reconstruct(image=digest, slice=7, size=64, methods=("fbp",))).truth)
    assert truth.shape == (64, 64)
    assert np.abs(made.images(np.array([7]))[0] - truth).max() < 2e-3  # half precision
    assert len(made.fine) == 60
    again = own.to_learn(made, Train(data=digest, size=64, slices=90))
    assert again.images.tobytes() == own.to_learn(made, Train(data=digest, size=64, slices=90)).images.tobytes()
    assert again.n_train == 90
    for moved in again.images[len(made.learned) : 90].astype(np.float32):  # a body stays one: its mass hardly changes
        assert 0.7 < moved.mean() / made.images(made.learned).mean() < 1.3


def test_what_cannot_be_learned_from_is_one_sentence(tmp_path: Path) -> None:
    for values, words in (
        (volume(12), "There are 12 slices to learn from here; at least 20"),
        (np.full((30, 40, 40), -1000.0, np.float32), "the same value nearly everywhere"),
        (np.zeros((30, 40, 40), np.float32), "the same value nearly everywhere"),
        (np.zeros((30, 4, 4), np.float32), "at least 8 a side"),
    ):
        with pytest.raises(InputError, match=words):
            question_own.check_slices(stored(values))
    half = volume(60)
    half[:35] = -1000
    made = own.opened(Train(data=stored(half), size=64))
    assert len(made.fine) == 25
    assert any("35 slices with next to nothing" in note for note in made.notes)
    (tmp_path / "a.txt").write_text("no slices")
    with pytest.raises(InputError, match="text file"):
        question_own.check_slices(store.add(tmp_path / "a.txt"))
    with pytest.raises(InputError, match="phantoms_wide, or a file"):
        next(train.steps(Train(data="ct_small"), tmp_path / "x"))


def test_zips_and_folders_of_all_kinds(tmp_path: Path) -> None:
    values = volume(24)
    folder = tmp_path / "stack"
    folder.mkdir()
    for i, one in enumerate(values):
        np.save(folder / f"{i:03d}.npy", one)
    content, again = (packed.getvalue() for _ in range(2) if (packed := packed_stacks(folder)))
    assert content == again
    (single,) = read_stacks(store.find(store.add(io.BytesIO(content))))  # single slices are one stack, in order
    assert np.allclose(single.values, np.maximum(values, -1024), atol=1)
    digest = catalog.make_recipe("tomography.train", {"data": str(folder)}).fields()["data"]
    assert len(own.opened(Train(data=digest, size=64)).fine) == 24

    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.write(folder / "000.npy", "readme/notes.npy")
        archive.writestr("readme.txt", "hello")
        for name in ("a", "b"):
            np.save(tmp_path / f"{name}.npy", volume(22, seed=5))
            archive.write(tmp_path / f"{name}.npy", f"{name}.npy")
    found = read_stacks(tmp_path / "two.zip")
    assert sorted(len(stack) for stack in found) == [1, 22, 22]
    assert any("1 files that hold no image" in note.text for note in found[0].notes)

    folder = tmp_path / "dicom"
    folder.mkdir()
    for uid, count in (("1.2.3.1", 3), ("1.2.3.2", 2)):
        for i in range(count):
            one = ct(SeriesInstanceUID=uid, InstanceNumber=i, ImagePositionPatient=[-10, -12, 3 * i])
            (folder / f"{uid}-{i}.dcm").write_bytes(saved(one))
    assert [len(stack) for stack in read_stacks(store.find(store.add_folder(folder) or "nothing"))] == [3, 2]


def test_a_gaussian_prior_of_a_body_knows_it_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "RANGES", (90,))
    monkeypatch.setattr(train, "TESTED", 2)
    digest = stored(volume(60))
    recipe = Train(data=digest, size=64, slices=300, components=40)
    for _ in train.steps(recipe, tmp_path / "model"):
        pass
    card = checkpoint.read_card(tmp_path / "model")
    assert not card["synthetic"]
    assert card["n_test"] == 2
    assert any("blocks of neighbours" in note for note in card["notes"])
    assert {"fbp", "sirt", "tv", "bundled", "training_mean"} == set(card["baselines"])
    assert card["metrics"]["psnr_90"] > card["baselines"]["bundled"]["psnr_90"] + 2
    assert "slices.npy" not in str(card)  # no name of a file in what may be given away
    model = str(catalog.make_recipe("tomography.reconstruct", {"model": str(tmp_path / "model")}).fields()["model"])
    asked = question_own.with_prior(Reconstruct(image=digest, methods=("fbp",)), model)
    assert (asked.size, asked.methods, asked.model) == (64, ("fbp", "gaussian"), model)
    assert gen_core.run(asked).recipe.fields()["weights"] == {"gaussian": card["sha256"]}
    assert question_own.titled(card).startswith("slices.npy: Gaussian")
    assert list(train.steps(recipe, tmp_path / "model"))[-1].text == "trained already"


@pytest.mark.parametrize("prior", ["vae", "diffusion"])
def test_networks_learn_from_own_slices(prior: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "RANGES", (90,))
    monkeypatch.setattr(train, "TESTED", 1)
    recipe = Train(data=stored(volume(40)), prior=prior, size=32, slices=64, epochs=1)
    for _ in train.steps(recipe, tmp_path / "model", "cpu"):
        pass
    card = checkpoint.read_card(tmp_path / "model")
    assert card["kind"] == "own"
    assert "of your own slices" in card["summary"]
    assert "bundled" not in card["baselines"]  # of 32 pixels there is none
    assert "tv" in card["baselines"]


def test_a_real_trunk(data_folder: Path) -> None:
    path = data_folder / "tomography" / "totalsegmentator_trunk_3mm.nii.gz"
    if not path.is_file():
        pytest.skip(f"real data missing: {path}")
    made = own.opened(Train(data=store.add(path), size=64))
    assert len(made.fine) >= 100
    assert len(made.tested) >= 10
    assert not made.whole
    assert 0.9 < np.median(made.fine[made.fine > 0.8].astype(np.float64)) < 1.2  # soft tissue is near water
