"""Side chains: a sentence where the packages are missing; else every atom is there, none clashes, the backbone stays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gen_core
from gen_core import catalog
from gen_core.errors import InputError
from gen_core.inputs.structures import read_structure
from gen_core.proteins import relax
from tests.proteins.test_sample import ECM

HEAVY = dict(zip("ACDEFGHIKLMNPQRSTVWY", (5, 6, 8, 9, 11, 4, 10, 8, 9, 8, 8, 8, 7, 9, 11, 6, 7, 7, 14, 12), strict=True))
needs = pytest.mark.skipif(relax.missing() is not None, reason="OpenMM and PDBFixer are not installed")


@pytest.mark.skipif(relax.missing() is None, reason="OpenMM and PDBFixer are installed")
def test_where_the_packages_are_missing_one_sentence_says_how_to_add_them() -> None:
    with pytest.raises(InputError, match="add them in the project's folder with") as error:
        gen_core.run("proteins.relax", sequences=[ECM])
    assert all(name in str(error.value) for name in relax.NEEDED)


def test_the_extra_names_what_is_needed() -> None:
    import tomllib

    settings = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert tuple(settings["project"]["optional-dependencies"]["side-chains"]) == relax.NEEDED


def test_a_chain_ends_where_residues_are_left_out() -> None:
    atom = "ATOM  {:5d}  {:<3} ALA A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00           C"
    near = [atom.format(1, "C", 1, 0, 0, 0), atom.format(2, "N", 2, 1.3, 0, 0)]
    far = [atom.format(3, "C", 2, 3, 0, 0), atom.format(4, "N", 9, 9, 0, 0), "END"]
    assert relax.cut("\n".join([*near, *far])).splitlines() == [*near, far[0], "TER", *far[1:]]


def test_clashes_are_pairs_of_residues_that_are_no_neighbours() -> None:
    places = np.array([[0, 0, 0], [1.5, 0, 0], [0, 2.4, 0], [9, 9, 9], [9, 9, 11.6]], float)
    assert relax.clashes(places, np.array([1, 2, 5, 7, 9])) == 1


@needs
def test_every_atom_is_there_none_clashes_and_the_backbone_stays(tmp_path: Path) -> None:
    other = ECM[:20] + "W" + ECM[21:30] + "F" + ECM[31:]
    result = gen_core.run("proteins.relax", sequences=[ECM, other], iterations=40)
    result.save(tmp_path / "a")
    path = tmp_path / "a" / "structures" / "model_2.pdb"
    assert catalog.from_file(path) == result.recipe
    chain = read_structure(path).chains[0]
    assert chain.sequence == other[3:63] + other[64:]  # all that the template has a place for
    assert result.content.table.left_out.tolist() == [4, 4]
    atoms = [line for line in path.read_text().splitlines() if line.startswith("ATOM")]
    ends = sum(" OXT " in line for line in atoms)
    assert len(atoms) - ends == sum(HEAVY[letter] for letter in chain.sequence)
    assert result.metrics["clashes"] <= result.metrics["clashes_placed"]
    assert result.metrics["clashes"] <= 2
    assert result.metrics["backbone_rmsd"] < 0.3
    assert "not a prediction" in path.read_text()
    again = gen_core.run("proteins.relax", sequences=[ECM, other], iterations=40)
    assert again.content.texts == result.content.texts
