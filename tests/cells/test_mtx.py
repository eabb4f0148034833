"""Zips of a MatrixMarket matrix with its names and labels, as CellRanger's folders and GEO give them."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gen_core.cells.data import describe, read_cells, read_obs
from gen_core.errors import InputError
from gen_core.inputs import mtx
from tests.cells import layouts

Members = dict[str, bytes]


def expected() -> np.ndarray:
    counts = layouts.counts().toarray().astype(float)
    return np.log1p(counts / counts.sum(1, keepdims=True) * 1e4)


def renamed(members: Members, **names: str) -> None:
    for old, new in zip(list(members), names.values(), strict=False):
        members[new] = members.pop(old)


def unpacked(members: Members) -> None:
    for name in list(members):
        if name.endswith(".gz"):
            members[name.removesuffix(".gz")] = gzip.decompress(members.pop(name))


def geo(members: Members) -> None:
    renamed(members, a="GSM1_x_matrix.mtx.gz", b="GSM1_x_barcodes.tsv.gz", c="GSM1_x_genes.tsv.gz", d="GSM1_x_meta_data.tsv")
    members["GSM1_x_meta_data.tsv"] = members["GSM1_x_meta_data.tsv"].replace(b",", b"\t")
    members["__MACOSX/._GSM1_x_matrix.mtx.gz"] = b"finder"
    members["README.txt"] = b"hello"


def with_comments(members: Members) -> None:
    unpacked(members)
    text = members["sample/matrix.mtx"]
    members["sample/matrix.mtx"] = text.replace(b"\n", b"\n%metadata_json: {}\n%\n", 1).replace(b"\n", b"\r\n")


def names_only(members: Members) -> None:
    members["sample/features.tsv.gz"] = gzip.compress("".join(f"GENE{i}\n" for i in range(layouts.GENES)).encode(), mtime=0)


def two_gzip_parts(members: Members) -> None:
    text = gzip.decompress(members["sample/matrix.mtx.gz"])
    members["sample/matrix.mtx.gz"] = gzip.compress(text[:1000], mtime=0) + gzip.compress(text[1000:], mtime=0)


def from_r(members: Members) -> None:
    """As write.csv leaves it: names in quotes, and write.table without a name for the first column."""
    lines = members["metadata.csv"].decode().splitlines()
    members["metadata.csv"] = "\n".join([lines[0].lstrip(","), *lines[1:]]).encode()


@pytest.mark.parametrize("change", [lambda members: None, unpacked, geo, with_comments, names_only, two_gzip_parts, from_r])
@pytest.mark.parametrize("transposed", [False, True])
def test_a_zip_reads_as_the_matrix_and_table_in_it(
    tmp_path: Path, change: Callable[[Members], None], transposed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtx, "BLOCK", 700)
    layouts.market(path := tmp_path / "a.zip", change, transposed)
    found = describe(path)
    assert (found.n_cells, found.n_genes, found.n_nonzero, found.state.kind) == (60, 40, layouts.counts().nnz, "counts")
    assert (found.guess.condition_key, found.guess.control, found.guess.cell_type_key, found.guess.dose_key) == (
        "condition",
        "ctrl",
        "cell_type",
        "dose",
    )
    whole = read_cells(path, ["condition", "dose"])
    np.testing.assert_allclose(whole.X.toarray(), expected(), atol=2e-6)
    assert whole.genes.tolist() == [f"GENE{i}" for i in range(40)]
    assert whole.names.tolist() == layouts.table().index.tolist()
    assert whole.obs["condition"].tolist() == layouts.table()["condition"].tolist()
    assert whole.obs["dose"].tolist() == layouts.table()["dose"].tolist()
    rows = np.array([0, 7, 8, 59])
    assert (whole.X[rows] != read_cells(path, [], rows).X).nnz == 0
    assert read_obs(path, ["cell_type"])["cell_type"].isna().sum() == layouts.table()["cell_type"].isna().sum()


def test_without_a_table_it_is_said_what_to_add(tmp_path: Path) -> None:
    layouts.market(path := tmp_path / "a.zip", lambda members: members.pop("metadata.csv"))
    found = describe(path)
    assert found.guess.condition_key is None
    assert found.columns == ()
    assert "no_labels" in {n.code for n in found.notices}
    assert read_cells(path, []).X.shape == (60, 40)


def test_wells_at_the_ends_of_barcodes_become_a_column(tmp_path: Path) -> None:
    def wells(members: Members) -> None:
        members["sample/barcodes.tsv.gz"] = gzip.compress("\n".join(f"ACGT{i}-{i % 3 + 1}" for i in range(60)).encode(), mtime=0)
        members.pop("metadata.csv")

    layouts.market(path := tmp_path / "a.zip", wells)
    assert [column.levels for column in describe(path).columns] == [("1", "2", "3")]


def test_cells_that_the_table_does_not_name_have_no_label(tmp_path: Path) -> None:
    def short(members: Members) -> None:
        members["metadata.csv"] = b"\n".join(members["metadata.csv"].splitlines()[:31])

    layouts.market(path := tmp_path / "a.zip", short)
    cells = read_cells(path, ["condition"])
    assert len(cells.names) == 30
    assert any(n.code == "missing_labels" and "30 cells" in n.text for n in cells.notices)


def matrix(change: Callable[[bytes], bytes]) -> Callable[[Members], None]:
    def apply(members: Members) -> None:
        unpacked(members)
        members["sample/matrix.mtx"] = change(members["sample/matrix.mtx"])

    return apply


def last_line(text: bytes) -> Callable[[bytes], bytes]:
    return lambda old: old[: old.rstrip().rfind(b"\n") + 1] + text + b"\n"


FIFTY = "\n".join(f"CELL{i}-1" for i in range(50)).encode()
WRONG: dict[str, tuple[Callable[[Members], object], str]] = {
    "no barcodes": (lambda m: m.pop("sample/barcodes.tsv.gz"), "no barcodes: zip together"),
    "no matrix": (lambda m: m.pop("sample/matrix.mtx.gz"), "no matrix"),
    "two matrices": (lambda m: m.update({"b/matrix.mtx": b""}), "2 matrices"),
    "an h5ad": (lambda m: (m.clear(), m.update({"a.h5ad": b""})), "unpack it"),
    "nothing": (lambda m: m.clear(), "no matrix and no barcodes and no genes"),
    "barcodes missing": (lambda m: m.update({"sample/barcodes.tsv.gz": gzip.compress(FIFTY, mtime=0)}), "do not fit together"),
    "empty": (lambda m: m.update({"sample/matrix.mtx.gz": gzip.compress(b"", mtime=0)}), "coordinate format"),
    "array": (matrix(lambda t: t.replace(b"coordinate", b"array")), "coordinate format"),
    "complex": (matrix(lambda t: t.replace(b"integer", b"complex")), "coordinate format"),
    "no sizes": (matrix(lambda t: t[: t.find(b"\n") + 1]), "numbers of genes, cells and entries"),
    "sizes of terabytes": (matrix(lambda t: t.replace(b"40 60", b"40000000000 60000000000")), "do not fit together"),
    "more entries stated": (matrix(lambda t: t.replace(b"40 60 ", b"40 60 1")), "cut short"),
    "cut": (matrix(lambda t: t[: len(t) // 2]), "(cut short|three numbers)"),
    "a word": (matrix(last_line(b"1 2 <b>")), "three numbers"),
    "four numbers": (matrix(last_line(b"1 2 3 4")), "three numbers"),
    "two numbers": (matrix(last_line(b"1 2")), "not numbers"),
    "place 0": (matrix(last_line(b"0 1 1")), "beyond its"),
    "place beyond": (matrix(last_line(b"41 1 1")), "beyond its"),
    "negative": (matrix(last_line(b"1 1 -5")), "negative"),
    "nan": (matrix(last_line(b"1 1 nan")), "not numbers"),
    "damaged gzip": (lambda m: m.update({"sample/matrix.mtx.gz": m["sample/matrix.mtx.gz"][:300]}), "damaged or cut short"),
    "no gzip": (lambda m: m.update({"sample/matrix.mtx.gz": b"hello"}), "damaged or cut short"),
    "table of strangers": (lambda m: m.update({"metadata.csv": b"cell,condition\nx,ctrl\n"}), "names a cell: its first"),
    "ragged table": (lambda m: m.update({"metadata.csv": b"cell,condition\na,b,c,d\ne\n,,,,,,,\n"}), "cannot be read"),
    "wide table": (lambda m: m.update({"metadata.csv": b"cell" + b",condition" * 60_000}), "more than 5,000 columns"),
    "empty table": (lambda m: m.update({"metadata.csv": b""}), "cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    change, sentence = WRONG[name]
    layouts.market(path := tmp_path / "a.zip", change)
    with pytest.raises(InputError, match=sentence) as caught:
        read_cells(path, [])
    assert "\n" not in str(caught.value)


def test_a_bomb_inside_gzip_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mtx, "MAX_TABLE", 1 << 20)
    bomb = gzip.compress(bytes(1 << 26), mtime=0)
    layouts.market(path := tmp_path / "a.zip", lambda m: m.update({"sample/barcodes.tsv.gz": bomb}))
    with pytest.raises(InputError, match=r"no table of lines|unpacks to more"):
        describe(path)


def test_a_bare_matrix_is_told_what_is_missing(tmp_path: Path) -> None:
    layouts.market(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        packed = archive.read("sample/matrix.mtx.gz")
    (tmp_path / "matrix.mtx.gz").write_bytes(packed)
    (tmp_path / "matrix.mtx").write_bytes(gzip.decompress(packed))
    for name in ("matrix.mtx", "matrix.mtx.gz"):
        with pytest.raises(InputError, match="without the names of its cells and genes: zip together"):
            describe(tmp_path / name)
    layouts.csr(tmp_path / "a.h5ad")
    (tmp_path / "a.h5ad.gz").write_bytes(gzip.compress((tmp_path / "a.h5ad").read_bytes(), mtime=0))
    with pytest.raises(InputError, match="unpack it first"):
        describe(tmp_path / "a.h5ad.gz")
