"""Sequences that a user brings: every way of writing an alignment is read, everything else is refused in a sentence."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gen_core.errors import InputError
from gen_core.inputs import sequences
from gen_core.inputs.sequences import Sequences, read_sequences

QUICK = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
ROWS = ("MK-VLAWTDE", "MKPV-AWSDE", "-KPVLAW--E")
A2M = ">a\nMK.-VLAWTDE\n>b\nMKggPV-AWSDE\n>c\n-K.PVLAW--E\n"  # not of one width, which is what A3M is
TEN = [f"MKTAYIAKQR{'ACDEFGHIKL'[i]}{'LKIHGFEDCA'[i]}" for i in range(10)]


def read(tmp_path: Path, content: str | bytes, name: str = "f.fasta") -> Sequences:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_sequences(path)


def fasta(rows: list[str] | tuple[str, ...]) -> str:
    return "".join(f">s{i}\n{row}\n" for i, row in enumerate(rows))


def letters(found: Sequences) -> list[str]:
    assert found.columns is not None
    return [row.tobytes().decode() for row in found.columns]


@pytest.mark.parametrize(
    "content",
    [
        fasta(ROWS),
        fasta(ROWS).replace("\n", "\r\n"),
        "\ufeff" + fasta(ROWS),
        "\n\n" + fasta(ROWS).replace("VLAW", "VL\nAW"),
        fasta(ROWS).lower().replace(">s", ">S"),
        A2M,
        ">a\nMK..-VLAWTDE.\n>b\nMKggPV-AWSDE.\n>c\n-K..PVLAW--Ew\n",  # A2M, padded
        ">a\nMK-vLAWTDE\n>b\nMKPv-AWSDE\n>c\n.KPVLAW..E\n".replace("v-", "V-"),  # soft-masked, dots for gaps
        "# STOCKHOLM 1.0\n#=GF ID X\na MK-VLAWTDE\nb MKPV-AWSDE\n#=GR b SS ..........\nc -KPVLAW--E\n//\nd WWW\n",
        "# STOCKHOLM 1.0\n\na MK-VL\nb MKPV-\nc -KPVL\n\na AWTDE\nb AWSDE\nc AW--E\n//\n",
        "# STOCKHOLM 1.0\na MK-VLgAWTDE\nb MKPV-.AWSDE\nc -KPVL.AW--E\n#=GC RF xxxxx.xxxxx\n//\n",
    ],
)
def test_an_alignment_is_the_same_however_it_is_written(content: str, tmp_path: Path) -> None:
    assert letters(read(tmp_path, content)) == list(ROWS)
    packed = gzip.compress(content.encode(), mtime=0)
    assert letters(read(tmp_path, packed, "f.gz")) == list(ROWS)


def test_whole_sequences_keep_their_inserts(tmp_path: Path) -> None:
    found = read(tmp_path, A2M)
    assert found.residues == (b"MKVLAWTDE", b"MKGGPVAWSDE", b"KPVLAWE")
    assert [notice.code for notice in found.notices] == ["inserts"]


def test_unaligned_sequences_have_no_columns(tmp_path: Path) -> None:
    found = read(tmp_path, fasta(["MKVLA*", "MKVLAWTDE*", "mkVLLLA*"]))
    assert found.columns is None
    assert found.residues == (b"MKVLA", b"MKVLAWTDE", b"MKVLLLA")


def test_one_sequence_is_sequences_but_no_alignment(tmp_path: Path) -> None:
    found = read(tmp_path, ">only <b>me</b>\nMKVLAWTDE\n")
    assert len(found) == 1
    assert found.columns is None
    assert found.descriptions == ("<b>me</b>",)


def test_names_are_text_made_unique_and_short(tmp_path: Path) -> None:
    found = read(
        tmp_path, ">a x\nMKV\n>a\nMKL\n><script>alert(1)</script>\nMKA\n>\nMKI\n>a-1\nMKY\n>" + "n" * 999 + "\x1b[2J\nMKW\n"
    )
    assert found.names.tolist()[:5] == ["a", "a-2", "<script>alert(1)</script>", "sequence_4", "a-1"]
    assert len(found.names[5]) == 200
    assert "\x1b" not in "".join(found.descriptions)
    assert "renamed" in {notice.code for notice in found.notices}


def test_unknown_residues_are_gaps_in_columns_and_x_elsewhere(tmp_path: Path) -> None:
    found = read(tmp_path, fasta(["MKBVLAW", "MKJV*AW", "MOUXZ-w".replace("w", "W")]))
    assert found.residues == (b"MKXVLAW", b"MKXVXAW", b"MXXXXW")
    assert "unknown_residues" in {notice.code for notice in found.notices}
    from gen_core.proteins.alphabet import decode, encode

    assert found.columns is not None
    assert decode(encode(found.columns)) == ["MK-VLAW", "MK-V-AW", "M----" + "-W"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"hello\nworld\n", "not a FASTA"),
        (b"a,b\n1,2\n", "not a FASTA"),
        (b"ATOM      1  N   ALA A   1      11.104   6.134  -6.504\n", "not a FASTA"),
        (b"CLUSTAL W (1.8)\n\na MKV\n", "Clustal"),
        (">a\nMKV\n".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n....", "png"),
        (b"\x89HDF\r\n\x1a\n....", "HDF5"),
        (b"{}", "json"),
        (b"\0\1\2\3", "not a FASTA"),
        (gzip.compress(b"\x89PNG\r\n\x1a\n", mtime=0), "not a FASTA"),
        (gzip.compress(fasta(ROWS).encode(), mtime=0)[:-9], "cut short"),
        (fasta(["ACGTACGTACGTACGTACGTAC", "ACGTNACGTACGTTTGTACGAC"]).encode(), "DNA"),
        (fasta(["acguacguacguacguacguac"]).encode(), "DNA"),
        (fasta(["MK-VLA", "MKPVL", "MKPV-A"]).encode(), "'s1' has 5 columns, most have 6"),
        (b"# STOCKHOLM 1.0\na MKVL\nb MKV\n//\n", "differ in length"),
        (b"# STOCKHOLM 1.0\na b c d\n//\n", "damaged"),
        (b"# STOCKHOLM 1.0\n//\n", "no sequence"),
        (b"# STOCKHOLM 1.0\na MKVL\nb MKVI\n#=GC RF ....\n//\n", "marks no column"),
        (fasta(["-" * 20] * 5).encode(), "only gaps"),
        (fasta(["", ""]).encode(), "only gaps"),
        (fasta(["MK1VLA"]).encode(), "'1' at place 3"),
        ("".join(f">a\nM{sign}K\n" for sign in "é").encode(), "no amino acid"),
        (fasta(["M" + "KVLAW" * 2_000]).encode(), "10,001 residues"),
        (fasta(["M" + "-" * 10_000, "K" + "-" * 10_000]).encode(), "10,001 columns"),
        (b">a\nMKVLA" + b"." * 200_001, "200,006 characters"),
        (b">\n" * 200_001, "200,000 sequences"),
        (b"# STOCKHOLM 1.0\n" + b"".join(b"%d M\n" % i for i in range(200_001)), "200,000 sequences"),
    ],
)
def test_what_is_no_family_is_refused_in_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(tmp_path, content)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequences, "MAX_BYTES", 1000)
    for name, content in (("a", b">a\n" + b"M" * 2000), ("b", gzip.compress(b">a\n" + b"M" * 100_000, mtime=0))):
        with pytest.raises(InputError, match="1000 bytes"):
            read(tmp_path, content, name)
    with pytest.raises(InputError, match="folder"):
        read_sequences(tmp_path)


STARTS = st.sampled_from([b">a\n", b"# STOCKHOLM 1.0\n", b"\x1f\x8b", b"", b">a\nMK-V\n>b\n"])


@given(STARTS, st.binary(max_size=200) | st.text(">\n MKVacg-.*#=/|", max_size=200).map(str.encode))
@QUICK
def test_any_bytes_are_sequences_or_a_sentence(tmp_path: Path, start: bytes, content: bytes) -> None:
    try:
        found = read(tmp_path, start + content)
    except InputError as error:
        said = str(error)
    else:
        well_formed(found)
        return
    assert said
    assert "\n" not in said


def well_formed(found: Sequences) -> None:
    assert len(set(found.names.tolist())) == len(found) > 0
    assert all(set(row) <= set(b"ACDEFGHIKLMNPQRSTVWYX") for row in found.residues)
    if found.columns is not None:
        assert found.columns.shape[0] == len(found)
        assert set(np.unique(found.columns)) <= set(b"ACDEFGHIKLMNPQRSTVWYX-")


ALIGNED = st.integers(2, 12).flatmap(
    lambda width: st.lists(
        st.text("ACDEFGHIKLMNPQRSTVWY-", min_size=width, max_size=width).map("M{}W".format), min_size=2, max_size=8
    )
)


@given(ALIGNED)
@QUICK
def test_biopython_reads_the_same(tmp_path: Path, rows: list[str]) -> None:
    from Bio import AlignIO
    from Bio.Align import MultipleSeqAlignment
    from Bio.Seq import Seq
    from Bio.SeqRecord import SeqRecord

    made = MultipleSeqAlignment([SeqRecord(Seq(row), f"s{i}", description="") for i, row in enumerate(rows)])
    for form in ("fasta", "stockholm"):
        text = io.StringIO()
        AlignIO.write(made, text, form)
        found = read(tmp_path, text.getvalue())
        assert letters(found) == rows
        assert found.names.tolist() == [record.id for record in made]


def test_real_alignments_are_read(data_folder: Path) -> None:
    from Bio import SeqIO

    path = data_folder / "proteins" / "PF00014_kunitz.fasta"
    found = read_sequences(path)
    assert found.columns is not None
    assert found.columns.shape == (4914, 53)
    with path.open() as stream:
        rows = [str(record.seq) for record in SeqIO.parse(stream, "fasta")]
    for i, row in enumerate(rows):
        if i % 500 == 0:
            assert found.residues[i].decode() == row.replace("-", "").replace(".", "").upper().replace("Z", "X").replace("B", "X")
            assert letters(found)[i] == "".join(c for c in row if c.isupper() or c == "-").replace("Z", "X").replace("B", "X")
    other = read_sequences(data_folder / "proteins" / "chorismate_mutase_train.fasta")
    assert other.columns is not None
    assert other.columns.shape == (1259, 96)
