"""Threaded models: the template's backbone with a sample's residues, as other programs read it, and never called more."""

from __future__ import annotations

import time
import warnings
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gen_core
from gen_core import catalog, checkpoint, store
from gen_core.errors import CheckpointError, InputError, MissingContent, RecipeError
from gen_core.inputs.structures import read_structure
from gen_core.proteins import structure, template
from gen_core.proteins.alphabet import GAP, LETTERS, encode_text
from gen_core.proteins.modelfile import open_model
from gen_core.proteins.recipe import BUNDLED, Sample
from gen_core.proteins.sample import Drawn, draw_samples
from gen_core.proteins.structurefile import beta
from gen_core.proteins.template import open_template, read_bundled


@pytest.fixture(scope="module")
def made() -> Drawn:
    """A draw of the bundled family."""
    return draw_samples(Sample(n=20, filters={"min_profile_percentile": None}))


@pytest.fixture(scope="module")
def entry(data_folder: Path) -> str:
    """The whole 1ECM entry, as a user brings it."""
    return store.add(data_folder / "proteins" / "1ECM.pdb")


def test_the_bundled_template_is_chain_a_of_its_entry(data_folder: Path, tmp_path: Path) -> None:
    from biotite.structure.io import pdb

    folder = data_folder / "proteins"
    template.make(folder / "1ECM.pdb", folder / "chorismate_mutase_train.fasta", tmp_path)
    for name in (template.TABLE, checkpoint.CARD):
        assert (tmp_path / name).read_bytes() == (template.FOLDER / name).read_bytes()
    card, chain = read_bundled()
    assert {"entry", "citation", "licence", "command", "sha256"} <= set(card)
    real = pdb.PDBFile.read(folder / "1ECM.pdb").get_structure(model=1)
    real = real[(real.chain_id == "A") & ~real.hetero]
    for j, atom in enumerate(("N", "CA", "C", "O")):
        np.testing.assert_array_equal(chain.backbone[:, j], real.coord[real.atom_name == atom])
    again = read_structure(template.as_file()).chains[0]
    assert (again.sequence, again.numbers, again.name) == (chain.sequence, chain.numbers, "A")
    np.testing.assert_array_equal(again.backbone, chain.backbone)


def test_the_column_map_is_that_of_the_alignment(data_folder: Path) -> None:
    model = open_model(BUNDLED)
    found = open_template("pdb_1ecm", None, model)
    row = (data_folder / "proteins" / "chorismate_mutase_train.fasta").read_text().splitlines()[1]
    codes = encode_text(row)[model.columns]
    inside = found.places >= 0
    np.testing.assert_array_equal(found.codes[inside], codes[inside])
    assert found.covered == len(found.chain) == 91
    ordinals = np.cumsum(encode_text(row) != GAP)[model.columns]
    assert [str(n + 1) for n in ordinals[inside]] == list(found.chain.numbers)


def test_beta_carbons_are_where_the_crystal_has_them(data_folder: Path) -> None:
    from biotite.structure.io import pdb

    real = pdb.PDBFile.read(data_folder / "proteins" / "1ECM.pdb").get_structure(model=1)
    real = real[(real.chain_id == "A") & ~real.hetero]
    _, chain = read_bundled()
    with_beta = np.array([letter != "G" for letter in chain.sequence])
    apart = np.linalg.norm(beta(chain.backbone)[with_beta] - real.coord[real.atom_name == "CB"], axis=1)
    assert apart.mean() < 0.1


@pytest.mark.parametrize("colour", ["conservation", "mutation", "log_likelihood"])
def test_biopython_and_biotite_read_what_is_written(made: Drawn, colour: Any) -> None:
    from Bio.PDB import MMCIFParser, PDBParser
    from Bio.PDB.Polypeptide import protein_letters_3to1
    from biotite.structure.io import pdb, pdbx

    rows = np.arange(3)
    values = structure.values_of(colour, made.model, made.known.codes, made.codes[rows], made.draw.z[rows])
    for i, model in zip(rows, structure.models_of(made, rows, colour), strict=True):
        found = open_template("pdb_1ecm", None, made.model)
        inside = (made.codes[i] != GAP) & (found.places >= 0)
        assert model.sequence == "".join(LETTERS[code] for code in made.codes[i][inside])
        assert model.left_out + len(model.sequence) == (made.codes[i] != GAP).sum()
        arrays = [
            pdb.PDBFile.read(StringIO(model.pdb())).get_structure(model=1, extra_fields=["b_factor"]),
            pdbx.get_structure(pdbx.CIFFile.read(StringIO(model.mmcif())), model=1, extra_fields=["b_factor"]),
        ]
        for array in arrays:
            for j, atom in enumerate(("N", "CA", "C", "O")):
                np.testing.assert_array_equal(array.coord[array.atom_name == atom], found.chain.backbone[found.places[inside], j])
            alpha = array[array.atom_name == "CA"]
            np.testing.assert_allclose(alpha.b_factor, values[i][inside], atol=0.006)
            assert (array.atom_name == "CB").sum() == len(model.sequence) - model.sequence.count("G")
            assert set(array.atom_name) == {"N", "CA", "C", "O", "CB"}
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            read = [
                PDBParser().get_structure("a", StringIO(model.pdb())),
                MMCIFParser().get_structure("a", StringIO(model.mmcif())),
            ]
        for parsed in read:
            residues = list(parsed.get_residues())
            assert "".join(protein_letters_3to1[r.resname] for r in residues) == model.sequence
            assert [str(r.id[1]) for r in residues] == list(model.numbers)
        for text in (model.pdb(), model.mmcif()):
            assert text.isascii()
            assert "Template backbone, not a prediction" in text
            assert "plddt" not in text.lower()
        assert {len(line) for line in model.pdb().splitlines()} == {80}
        assert ("synthetic" in model.caption) == ("synthetic" in model.mmcif()) == (colour == "mutation")


def test_values_mean_what_they_are_called(made: Drawn) -> None:
    bits = structure.conservation(np.eye(21)[[0, 0]] * 0.5 + np.eye(21)[[20, 0]] * 0.5)
    np.testing.assert_allclose(bits, np.log2(20))
    np.testing.assert_allclose(structure.conservation(np.full((1, 21), 1 / 21)), 0, atol=1e-9)
    same = structure.values_of("mutation", made.model, made.codes, made.codes)
    assert not same.any()
    changed = made.codes.copy()
    changed[3, 7] = (changed[3, 7] + 1) % 20
    told = structure.values_of("mutation", made.model, made.codes, changed)
    assert told.sum() == told[3, 7] == 1
    log_p = structure.values_of("log_likelihood", made.model, made.known.codes, made.codes, made.draw.z)
    assert (log_p <= 0).all()
    assert log_p.mean() > np.log(1 / 21)


def test_a_run_leaves_models_that_open_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(structure, "MOST", 5)
    result = gen_core.run("proteins.sample", n=30, structure=True, structure_format="both")
    assert result.recipe.template == "pdb_1ecm"
    codes = {notice.code for notice in result.warnings}
    assert {"template_backbone", "structures_capped"} <= codes
    result.save(tmp_path / "a")
    catalog.run(result.recipe).save(tmp_path / "b")
    found = sorted((tmp_path / "a" / "structures").iterdir())
    assert len(found) == 10
    assert [path.suffix for path in found].count(".pdb") == 5
    for path in found:
        assert path.read_bytes() == (tmp_path / "b" / "structures" / path.name).read_bytes()
        assert catalog.from_file(path) == result.recipe
        assert read_structure(path).chains[0].name == "A"
    assert not [name for name in gen_core.run("proteins.sample", n=5).files if name.startswith("structures")]
    nothing = gen_core.run("proteins.sample", n=5, structure=True, filters={"min_length": 9_000})
    assert not [name for name in nothing.files if name.startswith("structures")]


def test_a_users_own_template(entry: str, made: Drawn) -> None:
    model = made.model
    whole = open_template(entry, None, model)
    assert whole.chain.name in ("A", "B")
    second = open_template(entry, "B", model)
    assert second.chain.name == "B"
    assert second.chain.numbers[0] == "6"
    with pytest.raises(InputError, match=r"no protein chain C; there are A, B"):
        open_template(entry, "C", model)
    result = gen_core.run("proteins.sample", n=3, structure=True, template=entry, template_chain="B")
    (name, *_) = [name for name in result.files if name.startswith("structures")]
    assert name.endswith(".pdb")
    assert any("a structure of the user's own, chain B" in notice.text for notice in result.warnings)


def test_a_template_of_another_family_or_none_is_one_sentence(data_folder: Path, family_digest: str, model_digest: str) -> None:
    other = store.add(data_folder / "proteins" / "1BPI.pdb")
    with pytest.raises(InputError, match=r"^template: this structure is not of the family: chain A.* bits"):
        gen_core.run("proteins.sample", n=3, structure=True, template=other)
    for fields in ({"family": family_digest}, {"model": model_digest}):
        began = time.perf_counter()
        with pytest.raises(RecipeError, match="this family has no template"):
            gen_core.run("proteins.sample", n=3, structure=True, **fields)
        assert time.perf_counter() - began < 10  # before it trains
    with pytest.raises(InputError, match="structure in PDB or mmCIF was expected"):
        gen_core.run("proteins.sample", n=3, structure=True, family=family_digest, template=family_digest)
    with pytest.raises(MissingContent):
        gen_core.run("proteins.sample", n=3, structure=True, template="sha256:" + 64 * "0")


def test_the_kunitz_template_fits_its_own_family(data_folder: Path) -> None:
    """Placed by the profile of its own family, BPTI stands in all of its columns, cysteines where they are conserved."""
    from gen_core.inputs.sequences import read_sequences
    from gen_core.proteins.align import Profile
    from gen_core.proteins.alphabet import encode
    from gen_core.proteins.family import place_row

    found = read_sequences(data_folder / "proteins" / "PF00014_kunitz.fasta")
    assert found.columns is not None
    codes = encode(found.columns)
    profile = Profile.build(codes)
    chain = read_structure(data_folder / "proteins" / "1BPI.pdb").chains[0]
    placed, numbers = place_row(profile, np.arange(profile.length), profile.length, chain.sequence, "template")
    assert (numbers > 0).mean() > 0.95
    cysteine = (codes == LETTERS.index("C")).mean(0) > 0.8
    assert cysteine.sum() >= 4
    assert (placed[cysteine] == LETTERS.index("C")).all()


def test_threading_is_quick(made: Drawn) -> None:
    structure.models_of(made, np.arange(1))
    began = time.perf_counter()
    for model in structure.models_of(made, np.arange(20)):
        model.pdb()
        model.mmcif()
    assert (time.perf_counter() - began) / 20 < 0.1


def test_the_template_itself_is_shown_beside_its_models(made: Drawn) -> None:
    found = structure.template_itself(made, "mutation")
    assert found.name == "template"
    assert found.sequence == read_bundled()[1].sequence
    assert "Template backbone, not a prediction" in found.caption


def test_a_damaged_bundled_template_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    shutil.copytree(template.FOLDER, tmp_path / "t")
    monkeypatch.setattr(template, "FOLDER", tmp_path / "t")
    (tmp_path / "t" / template.TABLE).write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="bundled template is damaged"):
        template.as_file()
