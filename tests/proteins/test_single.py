"""Every single change of a reference, numbered as it numbers itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog
from gen_core.errors import InputError, RecipeError
from gen_core.proteins.alphabet import GAP, LETTERS, encode_text
from gen_core.proteins.model import likelihood
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.mutate import SAMPLES
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
        energy, bound = model.couplings.energy(both), likelihood(model.net, model.prior, both, SAMPLES)
        assert line["coupling_energy_change"] == pytest.approx(energy[1] - energy[0], abs=1e-4)
        assert line["log_likelihood_change"] == pytest.approx(bound[1] - bound[0], abs=1e-3)
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
