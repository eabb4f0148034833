"""A zip of a MatrixMarket matrix with its lists of barcodes and genes, and a table of labels if there is one.

That is what CellRanger's folders, kallisto | bustools, STARsolo and the GEO archive hold. The matrix is text and is read as
a stream, so that memory is that of the cells asked for.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from gen_core.errors import InputError
from gen_core.inputs.archive import open_zip, read_member
from gen_core.inputs.hdf5_texts import shown
from gen_core.inputs.matrix import MAX_ENTRIES, Filling, Matrix, Progress
from gen_core.inputs.table import Labels, Table, labels, narrow
from gen_core.inputs.tenx import PlainTable, samples

MAX_MEMBERS = 200
MAX_TABLE = 512 << 20  # bytes of a list of barcodes or genes, or a table of labels
MAX_TEXT = 64 << 30  # bytes of the matrix as text
MAX_COLUMNS = 5_000  # of a table of labels
BLOCK = 1 << 24  # bytes of text read at a time: about a million entries
HOW = "zip together matrix.mtx, barcodes.tsv, features.tsv (each may be .gz) and a metadata.csv whose first column is the barcode"
_ROLES = {
    "matrix": re.compile(r"\.mtx$"),
    "barcodes": re.compile(r"(^|[._-])(barcodes?|cells?|cell_?names|colnames)\.(tsv|txt|csv)$"),
    "genes": re.compile(r"(^|[._-])(features?|genes?|gene_?names|rownames)\.(tsv|txt|csv)$"),
    "labels": re.compile(r"(^|[._-])(obs|meta_?data|meta|cell_?meta_?data|annotations?|labels)\.(tsv|txt|csv)$"),
}


class MtxFile:
    """A zip with a matrix in MatrixMarket's text format, genes x cells or cells x genes."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive, self.layers = archive, list[str]()
        parts = _parts(archive)
        barcodes = _first_columns(archive, parts["barcodes"])[0]
        genes = _first_columns(archive, parts["genes"])
        self.size = (len(barcodes), len(genes[0]))
        kinds = {"feature_types": labels(genes[2])} if len(genes) > 2 else {}
        self._genes: Table = PlainTable(genes[1] if len(genes) > 1 else genes[0], dict(kinds))
        found = samples(barcodes)
        if "labels" in parts:
            found |= _labels(archive, parts["labels"], barcodes)
        self.obs: Table = PlainTable(barcodes, found)
        self.member = parts["matrix"]

    def matrix(self, layer: str | None) -> tuple[Matrix, Table]:
        if layer not in (None, "X"):
            raise InputError(f"A MatrixMarket file has one matrix and no layer {shown(layer or '')}.")
        return Triplets(self.archive, self.member, self.size), self._genes


@contextmanager
def open_mtx(path: str | Path) -> Iterator[MtxFile]:
    """The zip at `path`. Raises InputError where it is damaged or a part is missing, with what to zip together."""
    with open_zip(path, MAX_MEMBERS, MAX_TEXT) as archive:
        yield MtxFile(archive)


class Triplets:
    """The matrix as lines of text: line, column, value, counted from 1."""

    slow = True

    def __init__(self, archive: zipfile.ZipFile, member: str, size: tuple[int, int]) -> None:
        self.archive, self.member, self.shape = archive, member, size
        stated, entries = _header(next(iter(_blocks(archive, member, 1 << 16)), b""))
        if stated not in (size, size[::-1]):
            raise InputError(
                f"The files do not fit together: the matrix is {stated[0]:,} x {stated[1]:,}, but there are {size[1]:,} genes "
                f"and {size[0]:,} barcodes."
            )
        self.by_cells = stated == size and size[0] != size[1]  # a square one is taken as CellRanger writes it, genes x cells
        self.n_nonzero: int | None = entries

    def values(self, count: int) -> np.ndarray:
        found: list[np.ndarray] = []
        for _, _, values in self._entries():
            found.append(values)
            if sum(map(len, found)) >= count:
                break
        return np.concatenate(found) if found else np.zeros(0, dtype=np.float32)

    def rows(self, rows: np.ndarray, progress: Progress | None = None) -> csr_matrix:
        place = np.full(self.shape[0], -1, dtype=np.int32)
        place[rows] = np.arange(len(rows))
        counts, kept, seen = np.zeros(len(rows), dtype=np.int64), [], 0
        for cells, genes, values in self._entries():
            seen += len(cells)
            row = place[cells]
            chosen = row >= 0
            kept.append((row[chosen], genes[chosen], values[chosen]))
            counts += np.bincount(row[chosen], minlength=len(rows))
            if counts.sum() > MAX_ENTRIES:
                raise InputError(
                    f"These cells hold more values than can be kept in memory at once ({MAX_ENTRIES:,}); use fewer cells."
                )
            if progress:
                progress(min(seen / max(self.n_nonzero or 1, 1), 1.0), "reading cells")
        if seen != self.n_nonzero:
            raise InputError(
                f"The matrix is cut short: it states {self.n_nonzero:,} entries and holds {seen:,}. Copy or download it again."
            )
        out = Filling(counts, self.shape[1])
        while kept:  # each block goes as soon as it is used
            out.add(*kept.pop(0))
        return out.matrix()

    def _entries(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Cells, genes (from 0) and values, block by block, each checked to lie inside the matrix."""
        first = True
        for block in _blocks(self.archive, self.member, BLOCK):
            if first:
                block, first = _after_header(block), False
            if not block.strip():
                continue
            try:
                table = pd.read_csv(io.BytesIO(block), sep=r"\s+", header=None, dtype=np.float64, comment="%").to_numpy()
            except (ValueError, UnicodeError):  # pandas' ParserError is a ValueError
                raise InputError(
                    f"{shown(self.member)} is damaged: a line is not three numbers. Copy or export it again."
                ) from None
            if table.shape[1] != 3 or not np.isfinite(table[:, :2]).all():
                raise InputError(f"{shown(self.member)} is damaged: a line is not three numbers. Copy or export it again.")
            cells, genes = (table[:, 0], table[:, 1]) if self.by_cells else (table[:, 1], table[:, 0])
            for part, limit, what in ((cells, self.shape[0], "cell"), (genes, self.shape[1], "gene")):
                if part.min() < 1 or part.max() > limit:
                    raise InputError(f"{shown(self.member)} is damaged: it refers to a {what} beyond its {limit:,}.")
            with np.errstate(over="ignore"):
                yield cells.astype(np.int64) - 1, (genes - 1).astype(np.int32), table[:, 2].astype(np.float32)


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """Which member is what, by the ends of their names."""
    found: dict[str, list[str]] = {role: [] for role in _ROLES}
    names = [name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name]
    for name in names:
        plain = name.rsplit("/", 1)[-1].lower().removesuffix(".gz")
        role = next((role for role, pattern in _ROLES.items() if pattern.search(plain)), None)
        if role and not plain.startswith("."):
            found[role].append(name)
    if len(found["matrix"]) > 1:
        raise InputError(
            f"This zip file holds {len(found['matrix'])} matrices; zip the files of one sample, or join the samples as one .h5ad."
        )
    if not found["matrix"] and any(name.endswith((".h5ad", ".h5")) for name in names):
        raise InputError("This zip file holds an .h5ad or .h5 file: unpack it and give that file.")
    missing = [name for name in ("matrix", "barcodes", "genes") if not found[name]]
    if missing:
        raise InputError(f"This zip file holds no {' and no '.join(missing)}: {HOW}.")
    return {role: members[0] for role, members in found.items() if members}


def _first_columns(archive: zipfile.ZipFile, member: str) -> list[np.ndarray]:
    """Up to three columns of a list without a header, as `object` arrays of str."""
    lines = _whole(archive, member).decode("utf-8-sig", "replace").splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    sep = "," if member.lower().removesuffix(".gz").endswith(".csv") else "\t"
    split = [[part.strip().strip('"') for part in line.split(sep)] for line in lines]
    width = min((len(parts) for parts in split), default=1)
    return [np.array([parts[i] for parts in split], dtype=object) for i in range(min(width, 3))]


def _labels(archive: zipfile.ZipFile, member: str, barcodes: np.ndarray) -> dict[str, Labels | np.ndarray]:
    """The table of labels, put in the order of the barcodes; cells it does not name have no label."""
    content = _whole(archive, member)
    head = content[: content.find(b"\n")]
    sep = max((",", "\t", ";"), key=lambda sign: head.count(sign.encode()))
    if not narrow(content, sep, MAX_COLUMNS):
        raise InputError(f"The table {shown(member)} has more than {MAX_COLUMNS:,} columns; keep those that label cells.")
    try:
        table = pd.read_csv(
            io.BytesIO(content), sep=sep, dtype=str, keep_default_na=False, encoding="utf-8-sig", encoding_errors="replace"
        )
    except (ValueError, RecursionError):
        raise InputError(
            f"The table {shown(member)} cannot be read: lines of equal length with a header were expected."
        ) from None
    if isinstance(
        table.index, pd.RangeIndex
    ):  # otherwise R left out the name of the first column, and pandas took it for the index
        if not len(table.columns):
            return {}
        table = table.set_index(table.columns[0])
    table = table[~table.index.duplicated()]
    where = table.index.get_indexer(pd.Index(barcodes))
    if (where < 0).all():
        example = (
            f"{shown(str(table.index[0]))} against {shown(str(barcodes[0]))}" if len(table) and len(barcodes) else "it is empty"
        )
        raise InputError(f"No line of {shown(member)} names a cell: its first column should hold the barcodes ({example}).")
    found: dict[str, Labels | np.ndarray] = {}
    for i, name in enumerate(map(str, table.columns)):
        words = np.append(table.iloc[:, i].to_numpy(dtype=object), "")[where]
        known = labels(words)
        numbers = pd.to_numeric(pd.Series(known.levels, dtype=object), errors="coerce").to_numpy(dtype=float)
        found[name] = np.append(numbers, np.nan)[known.codes] if len(numbers) and np.isfinite(numbers).all() else known
    return found


def _whole(archive: zipfile.ZipFile, member: str) -> bytes:
    if not member.lower().endswith(".gz"):
        return read_member(archive, member, MAX_TABLE)
    return b"".join(_blocks(archive, member, BLOCK, MAX_TABLE))


def _blocks(archive: zipfile.ZipFile, member: str, size: int, limit: int = MAX_TEXT) -> Iterator[bytes]:
    """A member's text, unpacked in blocks of whole lines of about `size` bytes; never more than `limit` in all."""
    left, total = b"", 0
    try:
        with archive.open(member) as stream:
            for part in _gunzipped(stream, size) if member.lower().endswith(".gz") else iter(lambda: stream.read(size), b""):
                total += len(part)
                if total > limit:
                    raise InputError(
                        f"{shown(member)} unpacks to more than {limit >> 20:,} MiB, which is more than is read here."
                    )
                end = part.rfind(b"\n") + 1
                if not end and len(left) > BLOCK:
                    raise InputError(f"{shown(member)} is no table of lines; export it again.")
                if end:
                    yield left + part[:end]
                left = part[end:] if end else left + part
            if left:
                yield left
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, ValueError):
        raise InputError(f"{shown(member)} is damaged or cut short. Copy or download it again.") from None


def _gunzipped(stream: Any, size: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(31)
    packed = stream.read(1 << 20)
    while packed:
        part = inflater.decompress(packed, size)
        if part:
            yield part
        packed = inflater.unconsumed_tail
        if inflater.eof:
            packed = inflater.unused_data.lstrip(b"\0") or stream.read(1 << 20).lstrip(b"\0")
            if not packed:
                return
            inflater = zlib.decompressobj(31)  # a gzip file may have several parts
        packed = packed or stream.read(1 << 20)
    if not inflater.eof:
        raise EOFError


def _header(block: bytes) -> tuple[tuple[int, int], int]:
    """Lines, columns and entries that a MatrixMarket file states."""
    lines = block.split(b"\n")
    first = lines[0].decode("ascii", "replace").lower().split()
    if (
        first[:3] != ["%%matrixmarket", "matrix", "coordinate"]
        or first[3:4] not in (["integer"], ["real"])
        or first[4:5] != ["general"]
    ):
        raise InputError("The matrix is not in MatrixMarket's coordinate format (integer or real, general); export it again.")
    stated = next((line.split() for line in lines[1:] if line.strip() and not line.startswith(b"%")), [])
    if len(stated) != 3 or not all(part.isdigit() and len(part) < 16 for part in stated):
        raise InputError(
            "The matrix is damaged: the line with the numbers of genes, cells and entries is missing. Export it again."
        )
    return (int(stated[0]), int(stated[1])), int(stated[2])


def _after_header(block: bytes) -> bytes:
    at = 0
    while at < len(block):
        end = block.find(b"\n", at) + 1 or len(block)
        comment = block[at : at + 1] == b"%" or not block[at:end].strip()
        at = end
        if not comment:
            break
    return block[at:]
