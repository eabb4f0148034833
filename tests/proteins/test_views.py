"""What the page shows of samples: logos, the funnel, tables, picked ones beside the nearest, and what it asks."""

from pathlib import Path

import numpy as np
import pytest

from gen_core import catalog, store
from gen_core.errors import InputError, RecipeError
from gen_core.proteins import beside, logo, plots, question, table
from gen_core.proteins.alphabet import GAP, LETTERS
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.letters import outlines
from gen_core.proteins.modelfile import open_model
from gen_core.proteins.recipe import BUNDLED, Mutate, Sample, Score, Train
from gen_core.proteins.sample import Drawn, draw_samples, independent_of
from gen_core.proteins.statistics import CELLS, density, frequencies


@pytest.fixture(scope="module")
def made(model_digest: str) -> Drawn:
    return draw_samples(Sample(model=model_digest, n=120))


def test_heights_of_a_logo_are_bits() -> None:
    sites = np.zeros((3, 21))
    sites[0, 4] = 1  # one residue alone
    sites[1, :20] = 1 / 20  # all alike
    sites[2, 4], sites[2, GAP] = 0.5, 0.5  # one residue in half of the sequences
    found = logo.information(sites)
    np.testing.assert_allclose(found.sum(1), [np.log2(20), 0, np.log2(20) / 2], atol=1e-9)
    np.testing.assert_allclose(logo.divergence(sites, sites), 0, atol=1e-12)
    np.testing.assert_allclose(logo.divergence(sites[:1], np.roll(sites[:1], 1, 1)), 1)


def test_every_residue_has_a_letter_inside_its_box() -> None:
    for letter in LETTERS[:GAP]:
        for outline in outlines(letter):
            assert outline.min() >= -0.07  # the tail of the Q
            assert outline.max() <= 1.001
    assert {letter for group in logo.CLASSES.values() for letter in group} == set(LETTERS[:GAP])


def test_logos_are_numbered_by_the_reference(made: Drawn) -> None:
    numbers, axis = logo.numbered(made.model, made.rows[0].replace("-", ""))
    assert axis == "Residue of the reference"
    assert max(numbers) <= 30
    figure = logo.of_samples(made)
    assert {"hydrophobic", "polar"} <= {trace.name for trace in figure.data}
    assert logo.of_samples(made).to_json() == figure.to_json()


def test_the_funnel_ends_at_what_is_kept(made: Drawn) -> None:
    figure = plots.funnel(made)
    left, removed = figure.data
    assert left.x[0] == 120
    assert left.x[-1] == made.kept.sum()
    assert sum(removed.x) == 120 - made.kept.sum()
    assert [note.text for note in figure.layout.annotations][1:] == [plots.step_title(v.name) for v in made.verdicts]
    assert [text.split()[-1] for text in figure.layout.yaxis.ticktext] == [f"{count:,}" for count in left.x]


def test_the_density_counts_every_pair_once(made: Drawn) -> None:
    _, counts = made.draw.pair_density
    assert counts.sum() == made.draw.moments.pairs.size
    edges, diagonal = density(np.array([-9, 0.0, 0.05]), np.array([-9, 0.0, 0.05]))
    assert diagonal.trace() == 3
    assert len(edges) == CELLS + 1
    for figure in (plots.pairs(made.draw, "x"), plots.sites(made), plots.identities(made, independent_of(made))):
        assert figure.to_json()


def test_likeness_among_themselves_is_the_mean_identity_of_two(made: Drawn) -> None:
    same = np.mean([(made.codes[i] == made.codes).mean() for i in range(len(made.codes))])  # with itself, as frequencies are
    assert made.draw.compared["identity_among_mean"] == pytest.approx(same)
    assert (frequencies(made.codes) ** 2).sum(1).mean() == pytest.approx(same)


def test_tables_hold_what_is_kept_best_first(made: Drawn) -> None:
    frame = table.samples(made)
    assert len(frame) == made.kept.sum()
    assert frame["Energy"].is_monotonic_increasing
    assert (frame["Sequence"] == [made.rows[i].replace("-", "") for i in frame.index]).all()
    whole = table.samples(made, everything=True)
    assert len(whole) == 120
    assert ((whole["Stopped by"] == "") == made.kept[whole.index]).all()


def test_picked_ones_stand_beside_the_nearest_with_differences_counted(made: Drawn) -> None:
    pairs = beside.beside(made, [3, 1])
    assert [pair.name for pair in pairs] == ["sample_4", "sample_2"]
    for pair in pairs:
        assert pair.identity == pytest.approx(1 - pair.changed / 30)
        assert pair.nearest.startswith("s")
    figure = beside.alignment(pairs, [2])
    marked = np.nan_to_num(figure.data[0].z)
    assert (marked[0] == beside.NEW).sum() == (marked[1] == beside.KNOWN).sum() == pairs[0].changed
    assert beside.beside(made, []) == []


def test_scored_sequences_too(model_digest: str, family_digest: str) -> None:
    made = catalog.run(Score(model=model_digest, sequences=family_digest)).content
    assert len(table.scored(made)) == 400
    assert beside.beside(made, [5])[0].identity == 1


def test_every_filter_has_a_control_read_off_the_recipe() -> None:
    found = {bound.name: bound for bound in question.bounds()}
    assert list(found) == list(Filters.model_fields)
    assert found["unique"].kind == "switch"
    assert (found["max_identity"].low, found["max_identity"].high, found["max_identity"].step) == (0, 1, 0.01)
    assert found["min_profile_percentile"].high == 100
    for bound in found.values():
        if bound.kind == "number":
            assert bound.low <= bound.start <= bound.high
            assert Filters.model_validate({bound.name: bound.start})
            assert Filters.model_validate({bound.name: question.off(bound)})


@pytest.mark.parametrize("numbers", [(), (11, 28, 30, 31, 32), (1,), (5, 6)])
def test_positions_survive_as_text(numbers: tuple[int, ...]) -> None:
    assert question.positions(question.as_text(numbers)) == numbers


@pytest.mark.parametrize("text", ["a", "0", "5-3", "11, x", "-4", "99999"])
def test_positions_that_are_none_are_one_sentence(text: str) -> None:
    with pytest.raises(RecipeError, match="is no position"):
        question.positions(text)


def test_sequences_are_read_from_lines_and_from_fasta() -> None:
    assert question.sequences_in("MKV L\n\nAC") == ("MKVL", "AC")
    assert question.sequences_in(">a b\nMKV\nL\n>c\nAC\n") == ("MKVL", "AC")
    assert question.one_sequence("MKV\nL") == "MKVL"
    assert question.one_sequence(" ") is None
    with pytest.raises(RecipeError, match="one sequence is needed"):
        question.one_sequence(">a\nMK\n>b\nVL")


def test_another_model_drops_places_of_the_old_one(model_digest: str) -> None:
    asked = Sample.read({"around": {"z": [0.0] * 16}, "n": 7, "reference": "MKVL", "locks": [1]})
    found = question.for_model(asked, model_digest)
    assert isinstance(found, Sample)
    assert (found.around, found.n, found.locks, found.model) == (None, 7, (), model_digest)
    assert question.examples(BUNDLED) == question.EXAMPLES
    assert question.examples(model_digest) == open_model(model_digest).card["data"]


def test_a_link_that_wants_a_training_is_told_apart(family_digest: str) -> None:
    assert question.training_of(Sample()) is None
    wanted = question.training_of(Sample(model="train", family=family_digest, latent_dim=5))
    assert wanted == Train(family=family_digest, latent_dim=5)
    assert question.seconds(Train(family=family_digest)) > 1
    assert "400 sequences in 30 columns" in question.described(Train(family=family_digest))


def test_the_examples_to_score_are_synthetic_and_tell_kinds_apart() -> None:
    made = catalog.run(Score(sequences=question.EXAMPLES)).content
    energy = made.values["coupling_energy"]
    kind = np.array([str(name).removeprefix("synthetic_").rsplit("_", 1)[0] for name in made.names])
    assert all(str(name).startswith("synthetic_") for name in made.names)
    assert np.median(energy[kind == "independent_sites"]) > np.percentile(energy[kind == "around_naturals"], 75)
    assert np.median(energy[kind == "cold"]) < np.median(energy[kind == "prior"])
    with pytest.raises(InputError):
        question.check_sequences("nothing_such")


def test_a_model_has_a_sequence_to_start_from(model_digest: str, rows: list[str]) -> None:
    assert question.reference_of(BUNDLED) == question.COLI
    assert question.reference_of(model_digest) == rows[0].replace("-", "")
    asked = question.for_model(Mutate(reference=question.COLI, reference_offset=7), model_digest)
    assert asked == Mutate(model=model_digest, reference=question.reference_of(model_digest))


def test_another_models_draw_keeps_no_template_and_the_bundled_one_is_no_choice_of_ones_own(model_digest: str) -> None:
    named = Sample(template="pdb_1ecm")
    assert question.names_its_own(named)
    assert not question.names_its_own(named.replace(model=model_digest))
    assert not question.names_its_own(Sample())
    assert question.has_template(open_model(BUNDLED))
    assert not question.has_template(open_model(model_digest))


def test_a_structures_chains_are_named_and_another_file_is_refused(data_folder: Path) -> None:
    assert question.chains(store.add(data_folder / "proteins" / "1ECM.pdb")) == ["A", "B"]
    with pytest.raises(InputError):
        question.check_template(store.add(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv"))


def test_labels_without_a_named_column_are_taken_and_asked_about(data_folder: Path, tmp_path: Path) -> None:
    digest = store.add(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv")
    question.check_labels(digest)
    columns, usual = question.value_columns(digest)
    assert usual is None
    assert "norm r.e." in columns
    assert "Sequence" not in columns
    (tmp_path / "words.csv").write_text("sequence,verdict\nMKV,good\n")
    with pytest.raises(InputError, match="no column value"):
        question.check_labels(store.add(tmp_path / "words.csv"))
