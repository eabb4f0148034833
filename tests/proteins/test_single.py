"""Every single change of a reference, numbered as it numbers itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog
from gen_core.errors import InputError, RecipeError
from gen_core.proteins import single_plots, table
from gen_core.proteins.alphabet import GAP, LETTERS, encode_text
from gen_core.proteins.model import likelihood
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.mutate import MEASURES, SAMPLES, changed
from tests.proteins.conftest import family_codes


def test_each_change_is_the_difference_of_two_sequences(
    model: FamilyModel, model_digest: str, rows: list[str], tmp_path: Path
) -> None:
    reference = next(row for row in rows if row[10] == "-")
    result = gen_core.run("proteins.mutate", model=model_digest, reference=reference, reference_offset=100)
    result.save(tmp_path / "a")
    table = pd.read_csv(tmp_path / "a" / "single_changes.csv")
    assert len(table) == 29 * 20
    assert catalog.from_file(tmp_path / "a" / "single_changes.csv") == result.recipe
    assert table.position.min() == 101
    assert table.position.max() == 129
    assert "".join(table.wild_type[::20]) == reference.replace("-", "")
    assert table.column[::20].tolist() == [i for i in range(1, 31) if i != 11]
    same = table[table.wild_type == table.residue]
    assert np.abs(same[["log_likelihood_change", "coupling_energy_change", "profile_bits_change"]].to_numpy()).max() < 1e-4
    own = encode_text(reference)
    for i in (3, 250, 431):
        line, changed = table.iloc[i], own.copy()
        changed[line["column"] - 1] = LETTERS.index(line["residue"])
        both = np.stack([own, changed])
        energy, bound = model.couplings.energy(both), likelihood(model.net, model.prior, both, 4 * SAMPLES)
        assert line["coupling_energy_change"] == pytest.approx(energy[1] - energy[0], abs=1e-4)
        assert line["log_likelihood_change"] == pytest.approx(bound[1] - bound[0], abs=0.1)  # another proposal
    matrix = result.content.matrix("coupling_energy_change")
    assert matrix.shape == (29, 20)
    assert matrix.loc[101, reference[0]] == 0
    assert len(matrix.columns) == GAP


def test_conserved_sites_bear_less(model_digest: str, rows: list[str]) -> None:
    made = gen_core.run("proteins.mutate", model=model_digest, reference=rows[0]).content
    cost = made.table[made.table.residue != made.table.wild_type].groupby("column").log_likelihood_change.mean()
    noisy = [i for i in range(22, 31) if i not in (3, 21, 6, 15)]  # the last columns vary most in this family
    assert cost.loc[[2, 4, 5]].mean() < cost.loc[noisy].mean()


def test_with_labels_viability_is_there(model_digest: str, family_digest: str, rows: list[str], tmp_path: Path) -> None:
    yes = family_codes()[:, 8] % 2
    path = tmp_path / "labels.csv"
    path.write_text("sequence,value\n" + "".join(f"{row},{v}\n" for row, v in zip(rows, yes, strict=True)))
    result = gen_core.run("proteins.mutate", model=model_digest, reference=rows[0], labels=str(path))
    table = result.content.table
    assert table.viability.between(0, 1).all()
    effect = table.groupby("column").viability_change.apply(lambda part: np.ptp(part.to_numpy()))
    assert effect.idxmax() == 9
    assert result.metrics["viability_auc"] > 0.8


def test_what_is_no_reference_is_said(model_digest: str) -> None:
    with pytest.raises(RecipeError, match="reference: this field is needed"):
        gen_core.run("proteins.mutate", model=model_digest)
    with pytest.raises(InputError, match="is not like this family"):
        gen_core.run("proteins.mutate", model=model_digest, reference="GGGGGGGGGGGGG")


def test_the_offset_numbers_locks_too(model_digest: str, rows: list[str]) -> None:
    plain = gen_core.run("proteins.sample", model=model_digest, n=20, reference=rows[0], locks=[1, 5]).content
    moved = gen_core.run(
        "proteins.sample", model=model_digest, n=20, reference=rows[0], locks=[201, 205], reference_offset=200
    ).content
    np.testing.assert_array_equal(plain.codes, moved.codes)
    with pytest.raises(RecipeError, match="residue 5 of the reference"):
        gen_core.run("proteins.sample", model=model_digest, n=20, reference=rows[0], locks=[5], reference_offset=200)


def test_the_whole_map_of_the_bundled_family_has_every_change() -> None:
    from tests.proteins.test_sample import ECM

    made = gen_core.run("proteins.mutate", reference=ECM).content
    assert len(made.table) == len(ECM) * 20


def test_a_change_is_taken_where_the_reference_has_it(rows: list[str]) -> None:
    row = next(row for row in rows if row[10] == "-")
    new = changed(row, 11, "W")  # the eleventh residue stands behind the gap
    assert new == row[:11] + "W" + row[12:]
    assert changed("MK-vla", 4, "W") == "MK-vwa"
    with pytest.raises(RecipeError, match="there is no residue 31; it has 30"):
        changed("A" * 30, 31, "W")


def test_taking_a_change_moves_the_map_by_its_difference(model_digest: str, rows: list[str]) -> None:
    before = gen_core.run("proteins.mutate", model=model_digest, reference=rows[0]).content
    place, residue = 3, next(letter for letter in "WAC" if letter != rows[0][2])
    after = gen_core.run("proteins.mutate", model=model_digest, reference=changed(rows[0], place, residue)).content
    step = before.matrix("coupling_energy_change").loc[place, residue]
    back = after.matrix("coupling_energy_change").loc[place, rows[0][2]]
    assert back == pytest.approx(-step, abs=1e-3)


def test_the_tables_of_changes_say_what_the_file_says(model_digest: str, rows: list[str]) -> None:
    made = gen_core.run("proteins.mutate", model=model_digest, reference=rows[0], reference_offset=10).content
    for name, sign in MEASURES.items():
        frame, which = table.changes(made, name)
        assert len(frame) == len(which) == (29 if table.begins(made) else 30) * 19 - (rows[0].count("-") * 19)
        values = [made.matrix(name).loc[position, residue] for position, residue in which]
        assert (np.diff(sign * np.array(values)) <= 0).all()
    position, residue = which[0]
    one = table.change(made, position, residue)
    assert one.name == frame["Change"][0]
    assert one.values["Better than"].str.endswith("% of all").all()
    shares = made.table[made.table.position == position].set_index("residue").frequency
    assert one.site.startswith(f"{shares.idxmax()} {100 * shares.max():.0f} %")


def test_the_map_has_each_cell_where_a_click_finds_it(model_digest: str, rows: list[str]) -> None:
    made = gen_core.run("proteins.mutate", model=model_digest, reference=rows[0], reference_offset=10).content
    for name in single_plots.measures(made):
        figure = single_plots.heat_map(made, name, (12, "W"))
        for x, y in ((0, 0), (7.3, 12.4), (len(single_plots.positions(made)) - 1, 19)):
            position, residue = single_plots.at(made, x, y)
            drawn = figure.data[0].z[round(y)][round(x)]
            assert drawn == pytest.approx(made.matrix(name).loc[position, residue], rel=1e-5, abs=1e-5)
            assert figure.data[0].customdata[round(y)][round(x)].endswith(f"{position}{residue}")
    assert single_plots.at(made, -0.7, 3) is None
    assert single_plots.at(made, 3, 20) is None


def test_scores_are_judged_by_changes_that_were_measured(model_digest: str, rows: list[str], tmp_path: Path) -> None:
    row = next(row for row in rows if "-" not in row)
    plain = gen_core.run("proteins.mutate", model=model_digest, reference=row)
    assert "n_measured" not in plain.metrics
    changes = plain.content.table[plain.content.table.residue != plain.content.table.wild_type][::9]
    path = tmp_path / "mutants.csv"  # an assay that is the energy: that score must agree with it wholly
    lines = zip(changes.wild_type, changes.position, changes.residue, -changes.coupling_energy_change, strict=True)
    path.write_text("mutations,value\n" + "".join(f"{a}{n}{b},{value:.6f}\n" for a, n, b, value in lines))
    result = gen_core.run("proteins.mutate", model=model_digest, reference=row, labels=str(path))
    assert result.metrics["n_measured"] == len(changes)
    assert result.metrics["coupling_energy_spearman_assay"] == pytest.approx(1, abs=1e-3)
    assert result.baselines["independent_sites"]["spearman_assay"] < 0.99
    assert result.content.table.assay.notna().sum() == len(changes)
    assert "assay" in single_plots.measures(result.content)
