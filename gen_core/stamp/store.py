"""Recipes in stores of arrays and tables: HDF5 and h5ad, Zarr (a folder or a zip), NPZ, zip, Parquet."""

from __future__ import annotations

import io
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core.errors import InputError, OutputError
from gen_core.inputs import opened, read_limited
from gen_core.inputs.archive import open_zip, read_member
from gen_core.recipe import Recipe
from gen_core.result import disk_sentence
from gen_core.stamp.common import LIMIT, STEPS, damaged, plain, replacing, text_of

if TYPE_CHECKING:
    import numpy as np

_ANY = 1 << 62  # bytes: a file's whole size does not matter where one small part of it is read
RUNS = 200  # recipes that are read of a zip of several runs

# ---- HDF5: `.uns["recipe"]` as AnnData writes text (h5ad), else an attribute of the root group


def write_hdf5(path: Path, recipe: Recipe) -> None:
    """Add the recipe to a copy that takes the file's place; cheaper is `adata.uns["recipe"] = text_of(recipe)` before writing."""
    import h5py

    text = text_of(recipe)
    with replacing(path) as partial:
        shutil.copyfile(path, partial)
        try:
            with h5py.File(partial, "r+", locking=False) as file:
                if path.suffix.lower() == ".h5ad" or file.attrs.get("encoding-type") == "anndata":
                    _into_uns(file, text)
                else:
                    file.attrs.create("recipe", text, dtype=h5py.string_dtype())
        except (RuntimeError, ValueError, KeyError, TypeError):
            raise damaged("HDF5 file") from None


def read_hdf5(path: Path) -> str | None:
    import h5py

    from gen_core.inputs.hdf5 import open_hdf5

    with open_hdf5(path) as file:
        uns = file.get("uns")
        node = uns.get("recipe") if isinstance(uns, h5py.Group) else None
        if isinstance(node, h5py.Dataset) and _is_text(node):
            return _string(node[()])
        if "recipe" in file.attrs and _is_text(file.attrs.get_id("recipe")):
            return _string(file.attrs["recipe"])
    return None


def _into_uns(file: Any, text: str) -> None:
    """What `anndata.io.write_elem(uns, "recipe", text)` writes, without loading AnnData."""
    import h5py

    if "uns" not in file:
        file.create_group("uns").attrs.update({"encoding-type": "dict", "encoding-version": "0.1.0"})
    file["uns"].pop("recipe", None)
    node = file["uns"].create_dataset("recipe", data=text, dtype=h5py.string_dtype())
    node.attrs.update({"encoding-type": "string", "encoding-version": "0.2.0"})


def _is_text(node: Any) -> bool:
    """Whether a data set or attribute holds one text of bearable length."""
    return node.shape == () and node.dtype.kind in "OS" and node.dtype.itemsize <= LIMIT


def _string(value: Any) -> str | None:
    return plain(value).rstrip("\0") if isinstance(value, bytes) else value if isinstance(value, str) else None


# ---- Zarr: an attribute of the root, and `.uns["recipe"]` where AnnData wrote the store


def write_zarr(path: Path, recipe: Recipe) -> None:
    """Add the recipe to a folder, or to a zip of one, which is written anew: members by name, dates of 1980."""
    text = text_of(recipe)
    if path.is_dir():
        _into_zarr(path, text)
        return
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        with open_zip(path, STEPS, _ANY, max_ratio=None) as archive:
            for name in archive.namelist():
                if not name.endswith("/"):
                    target = Path(folder) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(read_member(archive, name, _ANY))
        _into_zarr(Path(folder), text)
        files = sorted(file for file in Path(folder).rglob("*") if file.is_file())
        with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
            for file in files:
                archive.writestr(_member(file.relative_to(folder).as_posix(), zipfile.ZIP_STORED), file.read_bytes())


def read_zarr(path: Path) -> str | None:
    if path.is_dir():
        return _from_zarr(lambda name: read_limited(path / name, LIMIT) if (path / name).is_file() else None)
    with open_zip(path, STEPS, _ANY, max_ratio=None) as archive:
        names = set(archive.namelist())
        return _from_zarr(lambda name: read_member(archive, name, LIMIT) if name in names else None)


def _into_zarr(folder: Path, text: str) -> None:
    import zarr

    try:
        meta = json.loads((folder / "zarr.json").read_bytes()) if (folder / "zarr.json").is_file() else {"node_type": "group"}
        with warnings.catch_warnings():
            # Zarr 3 warns that consolidated metadata are not in its standard yet; AnnData writes them all the same.
            warnings.simplefilter("ignore")
            if meta["node_type"] == "array":
                zarr.open_array(folder, mode="r+").attrs["recipe"] = text
                return
            group = zarr.open_group(folder, mode="r+", use_consolidated=False)
            group.attrs["recipe"] = text
            if group.attrs.get("encoding-type") == "anndata":
                import anndata.io

                anndata.io.write_elem(group["uns"], "recipe", text)
            if (folder / ".zmetadata").is_file() or meta.get("consolidated_metadata"):
                zarr.consolidate_metadata(folder)
    except (ValueError, KeyError, TypeError):
        raise damaged("Zarr store") from None
    except OSError as error:
        raise OutputError(disk_sentence(error, folder)) from error


def _from_zarr(member: Callable[[str], bytes | None]) -> str | None:
    """The recipe in a store whose files `member` gives. Zarr is not asked: what it unpacks has no limit."""
    for name in ("zarr.json", ".zattrs"):
        document = json.loads(member(name) or b"{}")
        attributes = document.get("attributes", {}) if name == "zarr.json" else document
        if isinstance(attributes.get("recipe"), str):
            return str(attributes["recipe"])
    # A store that AnnData has read and written again has lost the attribute and kept .uns.
    for name in ("uns/recipe/c", "uns/recipe/0"):
        if chunk := member(name):
            content = _unpacked(chunk)
            length = int.from_bytes(content[4:8], "little")
            if content[:4] == b"\1\0\0\0" and len(content) == 8 + length:  # vlen-utf8: one text, its length, its bytes
                return plain(content[8:])
    return None


def _unpacked(chunk: bytes) -> bytes:
    """A chunk as AnnData packs it, by Blosc (Zarr 2), Zstandard (Zarr 3) or not at all; empty where it says it is too large."""
    if chunk[:1] == b"\2" and len(chunk) >= 16:  # Blosc: unpacked size at byte 4, packed size at byte 12
        from numcodecs import blosc  # type: ignore[import-untyped]

        unpacked, packed = (int.from_bytes(chunk[at : at + 4], "little") for at in (4, 12))
        return bytes(blosc.decompress(chunk)) if unpacked <= LIMIT and packed == len(chunk) else b""
    if chunk[:4] == b"\x28\xb5\x2f\xfd" and len(chunk) > 5:  # Zstandard: RFC 8878, 3.1.1.1
        import pyarrow as pa

        flag, single, dictionary = chunk[4] >> 6, chunk[4] >> 5 & 1, chunk[4] & 3
        at, width = 6 - single + (0, 1, 2, 4)[dictionary], (single, 2, 4, 8)[flag]
        size = int.from_bytes(chunk[at : at + width], "little") + (256 if width == 2 else 0)
        return bytes(pa.Codec("zstd").decompress(chunk, size, asbytes=True)) if width and size <= LIMIT else b""
    return chunk


# ---- NPZ: a text of no dimension named `recipe`; other zips: a member recipe.json


def npz_member(recipe: Recipe) -> np.ndarray[tuple[()], np.dtype[np.str_]]:
    """What goes into `numpy.savez(path, **arrays, recipe=…)`: a 0-d array of text, which loads without pickle."""
    import numpy as np

    return np.array(text_of(recipe))


def write_npz(path: Path, recipe: Recipe) -> None:
    """Add the member to a file, which is packed anew; cheaper is `npz_member` when the file is written."""
    import numpy as np

    content = io.BytesIO()
    np.lib.format.write_array(content, npz_member(recipe), allow_pickle=False)
    _with_member(path, "recipe.npy", content.getvalue())


def read_npz(path: Path) -> str | None:
    with open_zip(path, STEPS, _ANY, max_ratio=None) as archive:
        if "recipe.npy" not in archive.namelist():
            return None
        return _npy_text(read_member(archive, "recipe.npy", 2 * LIMIT))  # four bytes a letter


def _npy_text(content: bytes) -> str:
    """The text in an .npy file of one text; nothing else is read."""
    from numpy.lib import format as npy

    stream = io.BytesIO(content)
    read_header = npy.read_array_header_1_0 if npy.read_magic(stream) == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    body = stream.read()
    if shape != () or dtype.kind not in "US" or dtype.itemsize != len(body):
        raise damaged("NPZ file")
    encoding = "ascii" if dtype.kind == "S" else "utf-32-be" if dtype.byteorder == ">" else "utf-32-le"
    return body.decode(encoding).rstrip("\0")


def write_zip(path: Path, recipe: Recipe) -> None:
    text_of(recipe)  # too long a recipe is refused here as everywhere
    _with_member(path, "recipe.json", (recipe.json(indent=1) + "\n").encode("ascii"))


def read_zip(path: Path) -> str | None:
    """The recipe.json in a zip of a run's folder, at its top or one folder down."""
    with open_zip(path, STEPS, _ANY, max_ratio=None) as archive:
        names = _recipes(archive)
        return plain(read_member(archive, min(names, key=len), LIMIT)) if names else None


def read_zip_of_runs(path: Path) -> dict[str, str]:
    """The recipe.json of each run in a zip of several, by the run's folder, at most `RUNS`; empty where it is no such zip."""
    with open_zip(path, STEPS, _ANY, max_ratio=None) as archive:
        names = _recipes(archive)
        if len(names) < 2 or "recipe.json" in names:
            return {}
        return {name.rpartition("/")[0]: plain(read_member(archive, name, LIMIT)) for name in names[:RUNS]}


def _recipes(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if name.count("/") <= 1 and f"/{name}".endswith("/recipe.json")]


def _with_member(path: Path, name: str, content: bytes) -> None:
    with open_zip(path, STEPS, _ANY, max_ratio=None) as old, replacing(path) as partial, zipfile.ZipFile(partial, "w") as new:
        try:
            for info in old.infolist():
                if info.filename != name:
                    copy = _member(info.filename, info.compress_type)
                    copy.file_size = info.file_size  # so that zipfile sees in time whether 4 GiB are exceeded
                    with old.open(info) as source, new.open(copy, "w") as target:
                        shutil.copyfileobj(source, target, 1 << 20)
        except (zipfile.BadZipFile, EOFError):
            raise damaged("zip file") from None
        new.writestr(_member(name, zipfile.ZIP_DEFLATED), content)


def _member(name: str, packing: int) -> zipfile.ZipInfo:
    """A member with the earliest date a zip can have: the same content gives the same file at any time."""
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = packing
    return info


# ---- Parquet: the key `recipe` in the schema's metadata

_FOOTER = 16 << 20  # bytes
# Thrift's compact spelling of KeyValue(key="recipe", value=…): field 1 is a text of 6 bytes, field 2 a text, its length follows.
_KEY_VALUE = b"\x18\x06recipe\x18"


def write_parquet(path: Path, recipe: Recipe) -> None:
    """Add the key and write the table anew in the same row groups; pandas keeps its own key beside it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    text = text_of(recipe)
    try:
        with pq.ParquetFile(path) as old, replacing(path) as partial:
            schema = old.schema_arrow.with_metadata({**(old.schema_arrow.metadata or {}), b"recipe": text.encode("ascii")})
            many = old.metadata.num_row_groups
            packing = old.metadata.row_group(0).column(0).compression if many and old.metadata.num_columns else "SNAPPY"
            with pq.ParquetWriter(partial, schema, compression="NONE" if packing == "UNCOMPRESSED" else packing) as new:
                for group in range(many):
                    table = old.read_row_group(group).replace_schema_metadata(schema.metadata)
                    new.write_table(table, row_group_size=max(table.num_rows, 1))
    except pa.ArrowException:
        raise damaged("Parquet file") from None


def read_parquet(path: Path) -> str | None:
    """Look for the key in the footer's bytes: its parser would follow whatever a stranger's footer makes it build."""
    with opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        stream.seek(max(size - 8, 0))
        end = stream.read(8)
        length = int.from_bytes(end[:4], "little")
        if end[4:] != b"PAR1" or length > size - 12:
            raise damaged("Parquet file")
        if length > _FOOTER:
            raise InputError("The list of columns in this Parquet file is too long to be searched for a recipe.")
        stream.seek(size - 8 - length)
        footer = stream.read(length)
    at = footer.find(_KEY_VALUE)
    while at >= 0:
        at += len(_KEY_VALUE)
        value = _thrift_text(footer[at : at + LIMIT])
        if value.startswith(b"{"):
            return plain(value)
        at = footer.find(_KEY_VALUE, at)
    return None


def _thrift_text(data: bytes) -> bytes:
    """A text after its length, which is written seven bits a byte, lowest first."""
    length = 0
    for i, byte in enumerate(data[:4]):
        length |= (byte & 127) << 7 * i
        if byte < 128:
            return data[i + 1 : i + 1 + length]
    return b""
