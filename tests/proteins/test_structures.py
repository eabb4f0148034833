"""Structures that a user brings: what is read agrees with biotite and Biopython, and what cannot be read is one sentence."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gen_core.errors import InputError
from gen_core.inputs import atoms, structures
from gen_core.inputs.structures import Structure, read_structure

NAMES = ("N", "CA", "C", "O")
HELIX = {"N": (1.55, 0.52), "CA": (2.28, 0.0), "C": (1.66, 0.45), "O": (2.01, 0.0)}


def line(
    i: int, name: str, residue: str, number: int, place: np.ndarray, *, record: str = "ATOM", alt: str = " ", share: float = 1.0,
    chain: str = "A", code: str = " ",
) -> str:  # fmt: skip
    where = "".join(f"{value:8.3f}" for value in place)
    atom = f"{record:<6}{i:5d}  {name:<3}{alt}{residue:>3} {chain}{number:4d}{code}   {where}"
    return f"{atom}{share:6.2f}{20.0:6.2f}          {name[0]:>2}"


def strand(count: int = 8) -> np.ndarray:
    """An idealised extended backbone (count, 4, 3): bonds of 1.46, 1.53 and 1.33 Å."""
    step = np.array([[0, 0, 0], [1.2, 0.83, 0], [2.5, 0.03, 0], [2.5, -1.2, 0]])
    return np.array([step + np.array([3.5 * i, 0.87 * (i % 2), 0]) for i in range(count)])


def peptide(residues: list[str], **fields: str) -> list[str]:
    """Lines of a chain of these residues, numbered from 1."""
    backbone = strand(len(residues))
    return [
        line(4 * i + j, name, residue, i + 1, backbone[i, j], **fields)  # type: ignore[arg-type]
        for i, residue in enumerate(residues)
        for j, name in enumerate(NAMES)
    ]


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str | list[str]], Structure]:
    def of(text: str | list[str]) -> Structure:
        path = tmp_path / "structure"
        path.write_text(text if isinstance(text, str) else "\n".join(text) + "\n")
        return read_structure(path)

    return of


@pytest.mark.parametrize("name", ["1ECM", "1BPI"])
def test_real_files_are_what_biotite_reads(name: str, data_folder: Path, tmp_path: Path) -> None:
    from biotite.sequence import ProteinSequence
    from biotite.structure import filter_amino_acids
    from biotite.structure.io import pdb, pdbx

    source = data_folder / "proteins" / f"{name}.pdb"
    array = pdb.PDBFile.read(source).get_structure(model=1, extra_fields=["occupancy", "b_factor"])
    written = pdbx.CIFFile()
    pdbx.set_structure(written, array)
    written.write(tmp_path / "a.cif")
    packed = tmp_path / "b"
    packed.write_bytes(gzip.compress(source.read_bytes(), mtime=0))
    real = array[filter_amino_acids(array)]
    for path in (source, tmp_path / "a.cif", packed):
        found = read_structure(path)
        assert [chain.name for chain in found.chains] == sorted(set(real.chain_id))
        for chain in found.chains:
            own = real[real.chain_id == chain.name]
            for j, atom in enumerate(NAMES):
                part = own[own.atom_name == atom]
                np.testing.assert_allclose(chain.backbone[:, j], part.coord, atol=1e-6)
                assert [str(number) for number in part.res_id] == list(chain.numbers)
                assert "".join(ProteinSequence.convert_letter_3to1(residue) for residue in part.res_name) == chain.sequence
            assert chain.backbone.dtype == np.float32
            assert chain.breaks == 0


def test_of_alternative_locations_the_likeliest_counts_and_ties_go_to_the_first(read: Callable[..., Structure]) -> None:
    backbone = strand(6)
    lines = []
    for i in range(6):
        for j, name in enumerate(NAMES):
            if i == 2:  # B is likelier, and is another residue
                lines.append(line(1, name, "SER", 3, backbone[i, j], alt="A", share=0.4))
                lines.append(line(1, name, "THR", 3, backbone[i, j] + 0.2, alt="B", share=0.6))
            elif i == 3 and name == "CA":
                lines.append(line(1, name, "ALA", 4, backbone[i, j], alt="A", share=0.5))
                lines.append(line(1, name, "ALA", 4, backbone[i, j] + 0.2, alt="B", share=0.5))
            else:
                lines.append(line(1, name, "ALA", i + 1, backbone[i, j]))
    found = read(lines)
    (chain,) = found.chains
    assert chain.sequence == "AATAAA"
    np.testing.assert_allclose(chain.backbone[2], backbone[2] + 0.2, atol=1e-3)
    np.testing.assert_allclose(chain.backbone[3], backbone[3], atol=1e-3)
    assert [(n.code, n.text[0]) for n in found.notices] == [("alternative_locations", "2")]


def test_models_ligands_waters_and_modified_residues(read: Callable[..., Structure]) -> None:
    first = peptide(["ALA", "MSE", "GLY", "SEP", "UNK", "TRP"])
    first[4:8] = [text.replace("ATOM  ", "HETATM") for text in first[4:8]]
    far = strand(1)[0] + 50
    ligand = [line(90, name, "GLY", 300, far[j], record="HETATM") for j, name in enumerate(NAMES)]  # a free amino acid
    rest = [
        line(91, "O", "HOH", 400, far[0], record="HETATM"),
        line(92, "CA", "CA", 401, far[0], record="HETATM"),
        line(93, "C1", "TSA", 500, far[0], record="HETATM"),
    ]
    second = [text.replace("ALA", "VAL") for text in first]
    found = read(["MODEL        1", *first, "TER", *ligand, *rest, "ENDMDL", "MODEL        2", *second, "ENDMDL", "END"])
    (chain,) = found.chains
    assert chain.sequence == "AMGSXW"
    told = {notice.code: notice.text for notice in found.notices}
    assert "2 models" in told["several_models"]
    assert told["modified_residues"].startswith("2 ")
    assert told["left_out"].startswith("1 waters and 3 ligands")


def test_insertion_codes_missing_and_incomplete_residues(read: Callable[..., Structure]) -> None:
    lines = peptide(["ALA", "CYS", "ASP", "GLU", "PHE", "GLY", "HIS", "ILE", "LYS"])
    lines = [text[:22] + "   1A" + text[27:] if int(text[22:26]) == 2 else text for text in lines]
    lines = [text for text in lines if int(text[22:26]) != 5]  # not in the structure
    lines = [text for text in lines if not (int(text[22:26]) == 9 and text[13] == "O")]
    found = read(lines)
    (chain,) = found.chains
    assert chain.numbers == ("1", "1A", "3", "4", "6", "7", "8")
    assert chain.sequence == "ACDEGHI"
    assert chain.breaks == 1
    assert {n.code for n in found.notices} == {"missing_residues", "incomplete_residues"}


def test_mmcif_takes_quotes_texts_and_rows_over_several_lines(read: Callable[..., Structure]) -> None:
    text = ["data_X", "_struct.title", ";<script>alert(1)</script>", "loop_", "_atom_site.fake", ";", "loop_"]
    names = ("group_PDB", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id", "label_seq_id", "Cartn_x", "Cartn_y")
    text += [f"_atom_site.{name}" for name in (*names, "Cartn_z", "auth_asym_id", "pdbx_PDB_ins_code", "pdbx_PDB_model_num")]
    for i, residue in enumerate(strand(6)):
        for name, (x, y, z) in zip(("'N'", '"CA"', "C", "O"), residue, strict=True):
            text += [f"ATOM {name} . LEU B {i + 10} {x:.3f} {y:.3f}", f"  {z:.3f} '<b>' ? 1"]
    text += ["#", "loop_", "_other.a", "1 2 3"]
    (chain,) = read(text).chains
    assert (chain.name, chain.sequence, chain.numbers[0]) == ("_b_", "LLLLLL", "10")
    np.testing.assert_allclose(chain.backbone, strand(6), atol=1e-3)


def _cif(rows: list[str], *columns: str) -> str:
    return "\n".join(["data_X", "loop_", *(f"_atom_site.{name}" for name in columns), *rows, "#"]) + "\n"


WHOLE = ("group_PDB", "label_atom_id", "label_comp_id", "label_asym_id", "label_seq_id", "Cartn_x", "Cartn_y", "Cartn_z")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"MKVLA\n", "no atoms"),
        (b">a\nMKVLA\n", "FASTA"),
        (b"<html><title><script>alert(1)</script></title></html>", "html"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "HDF5"),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "png"),
        (bytes(range(256)) * 20, "unknown"),
        (b"{}", "json"),
        (gzip.compress(b"ATOM" * 4000, mtime=0)[:-20], "gzip file"),
        (gzip.compress(bytes(999), mtime=0), "binary"),
        (b"ATOM      1  N   ALA A   1       0.000   0.0", "cut short"),
        (("\n".join(peptide(["ALA"] * 6))[:-60]).encode(), "cut short"),
        ("\n".join(peptide(["ALA"] * 6)).replace("   0.000", "     nan").encode(), "damaged"),
        ("\n".join(peptide(["ALA"] * 6)).replace("   0.000", "   1e999").encode(), "damaged"),
        ("\n".join(peptide(["ALA"] * 6)).replace("   0.000", "   x.000").encode(), "no numbers"),
        ("\n".join(peptide(["ALA"] * 6)).replace("A   1 ", "A     ").encode(), "no number"),
        ("\n".join(peptide(["ALA"] * 3)).encode(), "No chain"),
        ("\n".join(text for text in peptide(["ALA"] * 9) if text[13:15] == "CA").encode(), "backbone atoms"),
        ("\n".join(line(i, "P", " DA", i, strand(9)[i, 0]) for i in range(9)).encode(), "No chain"),
        (_cif([], *WHOLE[:-1]).encode(), "Cartn_z"),
        (_cif([], *WHOLE).encode(), "No chain"),
        (_cif(["ATOM N ALA A 1 0 0 0", "ATOM CA ALA A 1 0"], *WHOLE).encode(), "cut short"),
        (b"data_X\n_struct.title\n;a text\nthat goes on\n", "cut short"),
        (b"data_X\n_entry.id X\n", "no atoms"),
    ],
)
def test_what_is_no_structure_is_one_sentence(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pdb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as error:
        read_structure(path)
    assert "\n" not in str(error.value)
    assert "<" not in str(error.value)


def test_coordinates_in_other_units_are_told(read: Callable[..., Structure]) -> None:
    lines = []
    for i, residue in enumerate(strand(6) / 10):
        lines += [line(1, name, "ALA", i + 1, place) for name, place in zip(NAMES, residue, strict=True)]
    with pytest.raises(InputError, match="no coordinates in Å"):
        read(lines)


def test_a_large_file_is_read_or_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.pdb"
    atom = line(1, "CA", "ALA", 1, np.zeros(3)) + "\n"
    path.write_text(atom * (10_000_000 // len(atom)))  # 10 MB of one atom
    with pytest.raises(InputError, match="No chain"):
        read_structure(path)
    monkeypatch.setattr(structures, "MAX_RESIDUES", 10)
    path.write_text("".join(line(1, "CA", "ALA", i, np.zeros(3)) + "\n" for i in range(101)))
    with pytest.raises(InputError, match="more than 100 residues"):
        read_structure(path)
    path.write_text("\n".join(peptide(["ALA"] * 11)))
    with pytest.raises(InputError, match="at most 10 are read"):
        read_structure(path)
    monkeypatch.setattr(structures, "MAX_BYTES", 1000)
    with pytest.raises(InputError, match="at most 1000 bytes"):
        read_structure(path)


@given(data=st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    text = "\n".join(peptide(["ALA", "CYS", "ASP", "GLU", "PHE", "GLY"])).encode()
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(start + 120, len(text))))
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(text[:start] + data.draw(st.binary(max_size=20)) + text[stop:])
    try:
        found = read_structure(path)
    except InputError:
        return
    for chain in found.chains:
        assert np.isfinite(chain.backbone).all()
        assert len(chain) == len(chain.numbers) == len(chain.backbone)


@given(st.text(alphabet=st.sampled_from(list("'\"#; \n_a.1\t")), max_size=60))
def test_any_words_of_a_cif_are_told_apart(text: str) -> None:
    try:
        words = list(atoms._tokens(text))
    except InputError:
        return
    assert not [word for word in words if not word or "\n" in word]
