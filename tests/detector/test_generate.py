"""What the operations do: files that other programs open, the same bytes twice, floors beside every number, one sentence for each
thing that cannot be."""

from __future__ import annotations

import itertools
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest

import gen_core
from gen_core import catalog, checkpoint, store
from gen_core.detector import modelfile, pareto, plots, question
from gen_core.detector.files import events_npz
from gen_core.detector.model import Shape
from gen_core.detector.recipe import KINDS
from gen_core.detector.simulate import World, simulate
from gen_core.detector.spool import READ, Spool
from gen_core.errors import UserError
from gen_core.stamp import read_stamp

HAVE = [kind for kind in KINDS if modelfile.there(kind)]
QUICK = {"n": 60, "batch": 50, "classifiers": False}


def test_all_models_are_bundled_and_small() -> None:
    assert set(HAVE) == set(KINDS)
    for kind in KINDS:
        folder = checkpoint.BUNDLED / f"detector-{kind}"
        assert (folder / checkpoint.WEIGHTS).stat().st_size <= 8 << 20
        card = checkpoint.read_card(folder)
        for table in (card["metrics"], card["baselines"]["floor"]):
            for name in ("corr_error", "multiplicity_w1", "auc_features", "auc_cnn"):
                assert table[f"{name}_low"] <= table[name] <= table[f"{name}_high"]
            assert table["events_per_second"] > 0


@pytest.mark.parametrize("model", [*HAVE, *modelfile.UNLEARNED])
def test_every_model_makes_events_beside_the_floor(model: str, tmp_path: Path) -> None:
    result = gen_core.run("detector.generate", model=model, **QUICK)
    for row in (result.metrics, result.baselines["floor"]):
        for name in ("corr_error", "multiplicity_w1"):
            assert row[f"{name}_low"] <= row[name] <= row[f"{name}_high"]
        assert row["events_per_second"] > 0
    assert result.metrics["batch1.events_per_second"] > 0
    result.save(tmp_path / "out")
    with np.load(tmp_path / "out" / "events.npz") as stored:
        assert stored["hits"].shape == (60, 8, 24)
        assert stored["hits"].dtype == np.uint8
        assert set(np.unique(stored["hits"])) <= {0, 1}


def test_classifiers_are_asked_where_they_are_wanted() -> None:
    result = gen_core.run("detector.generate", model="independent", n=400, batch=400)
    for name in ("auc_features", "auc_cnn"):
        assert result.metrics[name] > 0.8 > result.baselines["floor"][name]


def test_the_same_recipe_leaves_the_same_bytes_and_each_file_has_it(tmp_path: Path) -> None:
    formats = ["npz", "hdf5", "parquet"]
    for name in "ab":
        gen_core.run("detector.generate", model="simulator", formats=formats, **QUICK).save(tmp_path / name)
    names = {"events.npz", "events.h5", "events.parquet", "correlations.npz", "occupancy.csv", "observables.csv", "pareto.csv"}
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
        assert read_stamp(tmp_path / "a" / name)["operation"] == "detector.generate"
    with np.load(tmp_path / "a" / "events.npz") as stored, h5py.File(tmp_path / "a" / "events.h5") as file:
        hits = stored["hits"]
        assert np.array_equal(file["hits"][()], hits)
    table = pq.read_table(tmp_path / "a" / "events.parquet")
    again = np.zeros_like(hits)
    again[table["event"].to_numpy(), table["layer"].to_numpy(), table["channel"].to_numpy()] = 1
    assert np.array_equal(again, hits)


def test_events_beyond_a_block_come_back_as_they_were(tmp_path: Path) -> None:
    hits = simulate(World(), READ + 100, 1).hits
    spool = Spool(Shape(8, 24))
    for start in range(0, len(hits), 999):
        spool.add(hits[start : start + 999])
    assert np.array_equal(spool.first(len(hits)), hits)
    assert np.array_equal(spool.first(5), hits[:5])

    events_npz(tmp_path / "events.npz", catalog.make_recipe("detector.generate", {"model": "simulator"}), spool)
    with np.load(tmp_path / "events.npz") as stored:
        assert np.array_equal(stored["hits"], hits)
    assert zipfile.ZipFile(tmp_path / "events.npz").testzip() is None


def test_events_of_so_many_hits() -> None:
    result = gen_core.run("detector.generate", model="simulator", multiplicity=(20, 30), **QUICK)
    sums = result.content.hits.sum((1, 2))
    assert len(sums) == 60
    assert sums.min() >= 20
    assert sums.max() <= 30


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"steps": 0}, "steps"),
        ({"steps": 193}, "192"),
        ({"batch": 0}, "batch"),
        ({"batch": 10_000_000}, "batch"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"multiplicity": (170, 192)}, "outside of what was learned"),
        ({"multiplicity": (30, 20)}, "smaller number first"),
        ({"multiplicity": (0, 0)}, "multiplicity"),
        ({"dead": [8]}, "there is no layer 8"),
        ({"dead": list(range(8))}, "all layers are dead"),
        ({"tracks": (3, 2)}, "smaller number first"),
        ({"n": 0}, "n:"),
        ({"model": "gan"}, "no model"),
        ({"model": "poisson-fno-32"}, "not of detector"),
        ({"layers": 4, "model": "vae"}, "set layers and channels"),
    ],
)
def test_what_cannot_be_is_one_sentence(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said) as error:
        gen_core.run("detector.generate", **({"model": "simulator"} | QUICK | fields))
    assert "\n" not in str(error.value)
    assert str(error.value).endswith((".", "!"))


def test_a_dead_layer_is_dead_and_the_model_is_told_to_be_of_another_tracker() -> None:
    result = gen_core.run("detector.generate", model="vae", dead=[2], **QUICK)
    assert not result.content.truth.first[:, 2].any()
    assert "out_of_distribution" in [one.code for one in result.warnings]


def test_own_events_are_the_truth_and_hits_of_the_wrong_shape_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", hits=simulate(World(layers=4, channels=16), 800, 3).hits)
    digest = store.add(tmp_path / "own.npz")
    with pytest.raises(UserError, match="set layers and channels"):
        gen_core.run("detector.generate", model="simulator", data=digest, **QUICK)
    result = gen_core.run("detector.generate", model="simulator", data=digest, layers=4, channels=16, **QUICK)
    assert result.content.truth.own
    assert len(result.content.truth.first) == QUICK["n"]  # nothing has learned from them, so all may be the truth


def test_own_events_without_correlations_fire_as_often_as_the_own_ones(tmp_path: Path) -> None:
    hits = np.zeros((4_000, 4, 16), np.uint8)
    hits[:, :, 3] = np.random.default_rng(1).random((4_000, 4)) < 0.7
    np.savez(tmp_path / "own.npz", hits=hits)
    own = {"data": store.add(tmp_path / "own.npz"), "layers": 4, "channels": 16}
    result = gen_core.run("detector.generate", model="independent", **own, n=2_000, classifiers=False)
    assert np.abs(result.content.hits.mean(0) - hits.mean(0)).max() < 0.05
    assert result.metrics["multiplicity_w1"] < 0.2
    lost = gen_core.run("detector.generate", model="independent", **own, n=3_000, classifiers=False)
    assert len(lost.content.truth.first) == 2_000
    once = gen_core.run("detector.generate", model="independent", **own, n=900, classifiers=False)
    assert "draw more" in next(one.text for one in once.warnings if one.code == "few_samples")


def test_own_events_do_not_claim_a_difference_that_is_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", hits=simulate(World(), 800, 3).hits)
    result = gen_core.run("detector.score", model="made", n=800, data=store.add(tmp_path / "own.npz"))
    assert "adds_nothing" not in [one.code for one in result.warnings]


def test_a_region_of_an_own_event_stands_beside_the_own_frequencies(tmp_path: Path) -> None:
    hits = simulate(World(noise=0.0), 400, 3).hits
    hits[:, 3:6] = 0
    np.savez(tmp_path / "own.npz", hits=hits)
    result = gen_core.run("detector.inpaint", n=20, data=store.add(tmp_path / "own.npz"))
    assert result.baselines["independent"]["hits_in_region"] < 0.1


def test_an_own_model_has_a_name_and_a_missing_one_is_called_so(tmp_path: Path) -> None:
    card = {"kind": "vae"}
    assert question.called("sha256:" + "ab" * 32, card) == "VAE, trained here (ababab)"
    assert question.called("detector-vae", card) == question.title_of("vae") == "VAE"
    assert "not on this machine" in question.title_of("sha256:" + "0" * 64)


@pytest.mark.skipif("vae" not in HAVE, reason="no weights")
def test_one_code_of_the_vae_has_no_correlation_and_all_have() -> None:
    result = gen_core.run("detector.condition", model="vae", n=1_000)
    chance = result.metrics["correlation_rms_by_chance"]
    assert result.metrics["correlation_rms"] < 1.5 * chance
    assert result.metrics["correlation_rms"] < min(row["correlation_rms"] for row in result.baselines.values())
    assert {"generated", "truth"} <= result.content.sets.keys()
    for name, hits in result.content.sets.items():
        assert plots.correlations(hits, name).data
    with pytest.raises(UserError, match="no code"):
        gen_core.run("detector.condition", model="ar", n=50)
    with pytest.raises(UserError, match="have 32"):
        gen_core.run("detector.condition", model="vae", n=50, code=[0.0, 1.0])


@pytest.mark.parametrize("model", ["masked", "middle"])
def test_a_region_is_drawn_anew_and_the_rest_is_kept(model: str) -> None:
    result = gen_core.run("detector.inpaint", model=model, event=3, n=100, steps=8, region=(2, 5, 0, 24))
    made = result.content
    outside = ~made.region
    assert (made.hits[:, outside] == made.event[outside]).all()
    assert made.region.sum() == 72
    assert made.hits[:, made.region].std() > 0
    assert result.metrics["surprise_per_channel"] < result.baselines["independent"]["surprise_per_channel"]
    assert plots.inpainted(made).data


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": "ar"}, "masked or middle"),
        ({"model": "simulator"}, "masked or middle"),
        ({"model": "masked", "region": (3, 3, 0, 24)}, "no part"),
        ({"model": "masked", "region": (0, 9, 0, 24)}, "no part"),
    ],
)
def test_regions_that_cannot_be(fields: dict[str, object], said: str) -> None:
    with pytest.raises(UserError, match=said):
        gen_core.run("detector.inpaint", **fields)


@pytest.mark.parametrize("model", ["ar", "made"])
def test_the_likelihood_tells_what_is_wrong(model: str, tmp_path: Path) -> None:
    result = gen_core.run("detector.score", model=model, n=300)
    for kind in ("extra_track", "noise_x5"):
        assert result.metrics[f"{kind}.auc_low"] > 0.6
    assert result.metrics["usual.auc_low"] < 0.5 < result.metrics["usual.auc_high"]
    assert result.metrics["dead_layer.auc"] > result.baselines["number_of_hits"]["dead_layer.auc"]
    result.save(tmp_path / "out")
    assert (tmp_path / "out" / "scores.csv").read_text().count("\n") == 1 + 4 * 300
    assert plots.likelihoods(result.content).data
    with pytest.raises(UserError, match="no exact likelihood"):
        gen_core.run("detector.score", model="vae", n=50)


def test_points_of_the_trade_off_and_their_front() -> None:
    found = pareto.points()
    best = pareto.front(found)
    assert best
    for a, b in itertools.pairwise(best):
        assert a.per_second < b.per_second
        assert a.auc < b.auc
    for point in found:
        assert any(b.per_second >= point.per_second and b.auc <= point.auc for b in best)
        assert point.hours == pytest.approx(1e9 / point.per_second / 3_600)
    assert plots.pareto(found, found[0]).data
    assert plots.published((80.0, 0.1)).data
    for kind in ("masked", "middle"):
        card = modelfile.open_card(kind)
        assert len(plots.steps(card, 8).data) == 4
        first, last = card["curve"][0], card["curve"][-1]
        assert first["auc_features"] > last["auc_features"]
        assert first["events_per_second"] > last["events_per_second"]


def test_pictures_of_events() -> None:
    made = simulate(World(), 12, 1)
    for dark in (False, True):
        assert plots.events(made.hits, dark=dark).data
        assert plots.event(made.hits[0], World(), made.tracks[0], dark).data
        assert plots.multiplicity(made.hits, made.hits, dark).data
        assert plots.occupancy(made.hits, made.hits, 0, dark).data


def test_a_recipe_survives_its_link() -> None:
    recipe = catalog.make_recipe("detector.generate", {"model": "simulator", "dead": [1], "multiplicity": [5, 9]})
    assert catalog.from_query(recipe.query(), "") == recipe
    assert json.loads(recipe.json())["operation"] == "detector.generate"
