"""New members are drawn: from where the recipe says, through the filters it names, into files that carry it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog, store
from gen_core.errors import CheckpointError, InputError, MissingContent, RecipeError
from gen_core.proteins.filters import funnel, judge, kept
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.known import stand_ins
from gen_core.proteins.metrics import independent
from gen_core.proteins.model import posterior
from gen_core.proteins.modelfile import FamilyModel, open_model
from gen_core.proteins.places import locks_of
from gen_core.proteins.recipe import BUNDLED, Decode, Sample
from gen_core.proteins.sample import draw_samples
from gen_core.proteins.statistics import moments, pearson
from tests.proteins.conftest import family_codes, write_fasta

ECM = "TSENPLLALREKISALDEKLLALLAERRELAVEVGKAKLLSHRPVRDIDRERDLLERLITLGKAHHLDAHYITRLFQLIIEDSVLTQQALLQQH"


@pytest.fixture(scope="module")
def sample(model_digest: str) -> Any:
    """Run a sample of the small family."""
    return lambda **fields: gen_core.run("proteins.sample", **({"model": model_digest, "n": 300} | fields))


def test_the_files_hold_what_was_drawn_and_the_recipe(sample: Any, tmp_path: Path) -> None:
    from Bio import SeqIO

    result = sample(filters={"min_profile_percentile": 60})
    result.save(tmp_path / "a")
    table = pd.read_csv(tmp_path / "a" / "sequences.csv")
    assert len(table) == 300
    assert {"id", "sequence", "aligned", "kept", "profile_bits", "coupling_energy", "nearest_identity", "recipe"} <= set(table)
    assert (table.aligned.str.len() == 30).all()
    assert (table.aligned.str.replace("-", "") == table.sequence).all()
    with (tmp_path / "a" / "sequences.fasta").open() as stream:
        records = list(SeqIO.parse(stream, "fasta"))
    assert [record.id for record in records] == table.id[table.kept].tolist()
    assert [str(record.seq) for record in records] == table.sequence[table.kept].tolist()
    passed = table[[name for name in table if name.startswith("pass_")]].all(axis=1)
    assert (passed == table.kept).all()
    assert 0 < table.kept.sum() < 300
    assert result.metrics["kept_fraction"] == pytest.approx(table.kept.mean())
    for name in ("sequences.csv", "sequences.fasta", "recipe.json"):
        assert catalog.from_file(tmp_path / "a" / name) == result.recipe
    again = gen_core.catalog.run(result.recipe)
    again.save(tmp_path / "b")
    for name in ("sequences.csv", "sequences.fasta", "recipe.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_metrics_are_those_of_plain_numpy(sample: Any, model: FamilyModel) -> None:
    result = sample(n=500)
    codes, known = result.content.codes, family_codes()
    X, Y = (np.eye(21)[part].reshape(len(part), -1) for part in (codes, known))
    near = (X @ Y.T).max(1) / codes.shape[1]
    assert result.metrics["identity_nearest_median"] == pytest.approx(np.median(near))
    C = X.T @ X / len(X) - np.outer(X.mean(0), X.mean(0))
    L = codes.shape[1]
    upper = np.triu(np.ones((L, L), bool), 1)
    mine = C.reshape(L, 21, L, 21).transpose(0, 2, 1, 3)[upper].ravel()
    assert result.metrics["pair_correlation_pearson"] == pytest.approx(pearson(mine, model.moments.pairs.ravel()), abs=1e-5)
    assert result.metrics["unique_fraction"] == pytest.approx(len({row.tobytes() for row in codes}) / 500)
    assert set(result.baselines) == {"independent_sites", "natural_holdout"}
    for values in result.baselines.values():
        assert {"pair_correlation_pearson", "site_frequency_pearson", "identity_nearest_median", "kept_fraction"} <= set(values)
    assert abs(result.baselines["independent_sites"]["pair_correlation_pearson"]) < 0.2


def test_independent_sites_have_the_frequencies_and_nothing_else(model: FamilyModel) -> None:
    codes = independent(model.moments, 20_000, np.random.default_rng(0))
    found = moments(codes)
    np.testing.assert_allclose(found.sites, model.moments.sites, atol=0.015)
    assert abs(pearson(found.pairs, model.moments.pairs)) < 0.1


def test_each_filter_can_be_off_and_the_funnel_adds_up(sample: Any) -> None:
    off = {name: None for name in Filters.model_fields if name != "unique"} | {"unique": False}
    result = sample(filters=off)
    assert result.metrics["kept_fraction"] == 1
    assert not [name for name in result.metrics if name.startswith("removed_")]
    tight = {
        "unique": True,
        "length_tail": 30,
        "max_homopolymer": 2,
        "min_complexity": 3,
        "min_profile_percentile": 50,
        "max_energy_percentile": 50,
        "max_identity": 0.7,
        "min_identity": 0.3,
        "motifs": None,
        "pi_tail": None,
        "max_gravy_percentile": None,
    }
    made = sample(filters=tight).content
    left = funnel(made.verdicts, 300)
    assert set(left) == {"unique", "length", "homopolymer", "complexity", "profile", "energy", "novelty"}
    assert sum(left.values()) + made.kept.sum() == 300
    values = made.values
    for verdict in made.verdicts[1:]:
        low = -np.inf if verdict.low is None else verdict.low
        high = np.inf if verdict.high is None else verdict.high
        np.testing.assert_array_equal(verdict.passed, (values[verdict.value] >= low) & (values[verdict.value] <= high))
    one = sample(filters=off | {"min_length": 30, "max_length": 30}).content
    assert (one.values["length"][one.kept] == 30).all()


def test_tighter_bounds_keep_fewer(sample: Any) -> None:
    counts = [sample(filters={"min_profile_percentile": p}).metrics["n_kept"] for p in (5, 40, 80)]
    assert counts[0] > counts[1] > counts[2]
    assert sample(filters={"max_identity": 0.2}).metrics["n_kept"] == 0
    assert "nothing_kept" in {w.code for w in sample(filters={"max_identity": 0.2}).warnings}


def test_nothing_kept_is_an_empty_file(sample: Any, tmp_path: Path) -> None:
    sample(filters={"max_identity": 0.01}).save(tmp_path / "a")
    assert (tmp_path / "a" / "sequences.fasta").read_bytes() == b""


def test_only_the_first_of_equal_sequences_is_unique() -> None:
    values = {name: np.ones(4) for name in ("length", "longest_run", "complexity", "profile_bits", "nearest_identity")}
    off = Filters(**{name: None for name in Filters.model_fields if name != "unique"})
    verdicts = judge(off, values, {}, ["A", "B", "A", "A"], True)
    assert kept(verdicts, 4).tolist() == [True, True, False, False]


def test_around_sequences_is_near_them_and_a_small_radius_nearer(sample: Any, rows: list[str]) -> None:
    near = [sample(around=rows[3], radius=radius).content for radius in (0, 5)]
    prior = sample().content
    own = family_codes()[3]
    same = [float((made.codes == own).mean()) for made in (*near, prior)]
    assert same[0] > same[2]
    assert same[0] >= same[1] - 0.01
    assert np.ptp(near[0].draw.z, axis=0).max() == 0
    several = sample(around=[rows[0], rows[1], rows[2]], radius=0).content
    assert len(np.unique(several.draw.z, axis=0)) == 3


def test_around_a_point_stays_in_its_ball(sample: Any, model: FamilyModel) -> None:
    z = [0.5, -0.5, 1.0, 0.0]
    made = sample(around={"z": z, "radius": 0.8}).content
    far = np.linalg.norm(made.draw.z - np.array(z), axis=1)
    assert far.max() <= 0.8 + 1e-6
    assert (far < 0.8 * 0.5 ** (1 / model.latent_dim)).mean() == pytest.approx(0.5, abs=0.1)  # evenly in the ball


def test_around_the_naturals_follows_their_weights(sample: Any, model: FamilyModel) -> None:
    made = sample(around="naturals", n=2_000).content
    shares = model.codes.weights / model.codes.weights.sum()
    np.testing.assert_allclose(made.draw.z.mean(0), shares @ model.codes.means, atol=0.15)


def test_a_path_leads_from_one_end_to_the_other(sample: Any, rows: list[str], model: FamilyModel, tmp_path: Path) -> None:
    result = sample(path=[[rows[0], rows[1]], 5], n=50)
    made = result.content
    assert made.recipe.steps == 5
    ends = posterior(model.net, family_codes()[:2])[0]
    np.testing.assert_allclose(made.draw.z[[0, -1]], ends, atol=1e-4)
    assert np.bincount(made.draw.steps)[1:].tolist() == [10] * 5
    result.save(tmp_path / "a")
    assert pd.read_csv(tmp_path / "a" / "sequences.csv").step.tolist() == made.draw.steps.tolist()
    plain = sample(path=[[0, 0, 0, 0], [1, 1, 1, 1]], steps=2, n=4).content
    np.testing.assert_allclose(plain.draw.z[:, 0], [0, 0, 1, 1])


def test_a_lower_temperature_varies_less(sample: Any) -> None:
    entropy = [
        -np.mean(np.log(np.maximum((made.codes[:, None] == made.codes[None]).mean(), 1e-9)))
        for made in (sample(temperature=t).content for t in (0.1, 1.0, 3.0))
    ]
    assert entropy[0] < entropy[1] < entropy[2]


def test_locked_positions_keep_the_references_residues(sample: Any, rows: list[str], model: FamilyModel) -> None:
    reference = next(row for row in rows if row[10] == "-")
    locks = [1, 3, 11, 29]  # residue 11 stands in column 12: column 11 is a gap
    made = sample(reference=reference, locks=locks).content
    for column in (0, 2, 11, 29):
        assert {row[column] for row in made.rows} == {reference[column]}
    free = sample(reference=reference).content
    assert len({row[4] for row in made.rows}) > 1
    # the rest of the sequence fits to what is locked: samples come nearer to the reference than unlocked ones
    others = [i for i in range(30) if i not in (0, 2, 11, 29)]
    alike = [np.mean([[row[i] == reference[i] for i in others] for row in part.rows]) for part in (made, free)]
    assert alike[0] > alike[1]
    assert locks_of(made.recipe, model).columns.tolist() == [0, 2, 11, 29]
    around = sample(around=reference, locks=[2]).content
    assert {row[1] for row in around.rows} == {reference[1]}


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"n": 0}, "n: 0"),
        ({"n": 10**9}, "n: 1000000000"),
        ({"temperature": 0}, "temperature: 0"),
        ({"template_chain": "A B"}, "template_chain"),
        ({"b_factor": "plddt"}, "b_factor"),
        ({"labels": "x"}, "no data set 'x'"),
        ({"label_kind": "binary"}, "label_kind: there are no labels"),
        ({"filters": {"min_viability": 0.5}}, "viability is learned from labels"),
        ({"around": 5}, "around: '5' is not allowed; give null"),
        ({"around": "MK1"}, "around: 'MK1' is not allowed"),
        ({"around": []}, "around is an empty list"),
        ({"around": {"z": [], "radius": 1}}, "around: "),
        ({"path": ["MKV"]}, "path: "),
        ({"path": ["MKV", "MKL"], "around": "naturals"}, "give one of them"),
        ({"locks": [3]}, "locks keep residues of a sequence"),
        ({"locks": [0], "reference": ECM}, "locks.0: 0"),
        ({"reference": "ü"}, "reference: "),
        ({"filters": {"max_identty": 0.9}}, "no filter 'max_identty': did you mean 'max_identity'"),
        ({"filters": {"max_identity": 1.2}}, "filters.max_identity: 1.2"),
        ({"filters": {"min_length": 50, "max_length": 40}}, "nothing lies between"),
        ({"model": "proteins-nowhere"}, "There is no model"),
        ({"model": "cells-simulated"}, "is of 'cells', not of proteins"),
        ({"around": {"z": [1.0]}}, "has 1 coordinates; .* has 16"),
        ({"path": [[1.0], [2.0]]}, "has 1 coordinates"),
        ({"locks": [400], "reference": ECM}, "residue 400 of the reference sequence"),
        ({"around": "GGGGGGGGGGGG"}, "is not like this family"),
        ({"weights": "0" * 64}, "other weights"),
        ({"family": "nowhere", "model": BUNDLED}, "no data set 'nowhere'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises((RecipeError, InputError, CheckpointError), match=sentence) as error:
        gen_core.run("proteins.sample", **({"n": 10} | fields))
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_here_is_asked_for() -> None:
    with pytest.raises(MissingContent):
        gen_core.run("proteins.sample", family="sha256:" + "0" * 64, model=BUNDLED)


def test_fields_of_the_contract_are_all_there() -> None:
    asked = (
        "family labels label_threshold n temperature around path reference label_kind locks radius filters structure model seed"
    )
    assert set(asked.split()) <= set(Sample.model_fields)
    assert Sample.read({"filters": {"max_identity": 0.9}}).filters.max_identity == 0.9
    assert Sample().model == BUNDLED
    assert Sample(family="sha256:" + "0" * 64).model == "train"


def test_every_recipe_is_a_link_and_comes_back(rows: list[str]) -> None:
    for recipe in (
        Sample(around={"z": [1.0, 2.0], "radius": 0.3}, filters={"max_identity": None}),  # type: ignore[arg-type]
        Sample(path=(rows[0], (1.0, 2.0)), steps=3),
        Sample(around=(rows[0], rows[1]), reference=rows[1], locks=(1, 2)),
        Sample(around="naturals"),
    ):
        assert catalog.from_query(recipe.query(), "proteins.sample") == recipe
        assert catalog.from_document(recipe.document()) == recipe


def test_the_bundled_family_works_without_its_sequences_and_says_so() -> None:
    result = gen_core.run("proteins.sample", n=200)
    assert result.recipe.family == "chorismate_mutase"
    assert "synthetic_data" in {warning.code for warning in result.warnings}
    assert "removed_novelty" not in result.metrics  # against stand-ins it would mislead
    text = stand_ins().read_text()
    assert text.count(">") == text.count(">synthetic_") == 1000
    assert result.baselines["natural_holdout"]["pair_correlation_pearson"] == pytest.approx(0.65, abs=0.07)


def test_with_the_real_alignment_novelty_is_measured(data_folder: Path) -> None:
    digest = store.add(data_folder / "proteins" / "chorismate_mutase_train.fasta")
    made = gen_core.run("proteins.sample", n=2_000, family=digest, model=BUNDLED, around="naturals")
    assert "synthetic_data" not in {warning.code for warning in made.warnings}
    assert made.metrics["removed_novelty"] >= 0
    assert made.metrics["identity_nearest_mean"] < 0.62
    assert made.metrics["pair_correlation_pearson"] > 0.88  # 2,000 samples: noise lowers it


def test_another_file_of_the_family_is_placed_into_the_models_columns(data_folder: Path, tmp_path: Path) -> None:
    csv = pd.read_csv(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv", encoding="utf-8-sig")
    rows = [row.strip().replace("-", "") for row in csv.Sequence[:60]]
    family = store.add(write_fasta(tmp_path / "f.fasta", rows, "other"))
    made = draw_samples(Sample(n=20, family=family, model=BUNDLED))
    assert made.known.codes.shape == (60, 96)
    assert not made.known.synthetic
    wrong = store.add(write_fasta(tmp_path / "w.fasta", [row.replace("-", "") for row in stand_rows()], "wrong"))
    with pytest.raises(InputError, match="are like the family of the model"):
        draw_samples(Sample(n=20, family=wrong, model=BUNDLED))


def stand_rows() -> list[str]:
    from gen_core.proteins.alphabet import decode

    return decode(family_codes(n=40))


def test_a_click_on_the_map_is_a_recipe(tmp_path: Path) -> None:
    z = [[0.0] * 16, [9.0] * 16]
    result = gen_core.run("proteins.decode", z=z)
    result.save(tmp_path / "a")
    sites = pd.read_csv(tmp_path / "a" / "sites.csv")
    letters = [*"ACDEFGHIKLMNPQRSTVWY", "gap"]
    np.testing.assert_allclose(sites[letters].sum(axis=1), 1, atol=1e-4)
    assert len(sites) == 2 * 96
    best = sites[sites.point == 1][letters].to_numpy().argmax(1)
    fasta = (tmp_path / "a" / "sequences.fasta").read_text().splitlines()
    assert fasta[1] == "".join(letters[i] for i in best if i < 20)
    assert "off_manifold" in {warning.code for warning in result.warnings}
    sharp = gen_core.run("proteins.decode", z=z, temperature=0.2)
    assert sharp.metrics["entropy_mean"] < result.metrics["entropy_mean"]
    assert catalog.from_file(tmp_path / "a" / "sites.csv") == result.recipe
    with pytest.raises(RecipeError, match="needs 16 coordinates"):
        gen_core.run("proteins.decode", z=[[0.0]])
    assert isinstance(result.recipe, Decode)


def test_the_first_thing_the_page_shows_is_quick_to_open() -> None:
    catalog.load(catalog.system("proteins").warm)()
    assert open_model(BUNDLED) is open_model(BUNDLED)
