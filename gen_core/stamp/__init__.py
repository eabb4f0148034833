"""Every exported file carries its recipe and gives it back.

    stamp(path, recipe)        # after a file is written: puts the recipe where the format's own readers skip it
    read_stamp(path)           # its document, from any such file, known by content and whatever its name

Where each format has it is in `FORMATS`. Reading takes a few MB and a moment, whatever the file claims, and loads none of
the formats' libraries but h5py (and for a re-saved Zarr store its unpacker). Writing the same twice gives the same bytes.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from gen_core.errors import InputError, OutputError, UserError
from gen_core.inputs import sniff
from gen_core.recipe import Recipe, loads
from gen_core.result import disk_sentence
from gen_core.stamp import image, medical, store, table, text
from gen_core.stamp.common import Format, damaged, text_of
from gen_core.stamp.image import png_info, tiff_description
from gen_core.stamp.store import npz_member
from gen_core.stamp.table import csv_column, safe_cell
from gen_core.stamp.text import fasta_header, html_meta

__all__ = [
    "FORMATS",
    "Format",
    "csv_column",
    "fasta_header",
    "html_meta",
    "npz_member",
    "png_info",
    "read_stamp",
    "read_stamps",
    "safe_cell",
    "stamp",
    "text_of",
    "tiff_description",
    "write_csv",
]

FORMATS = {
    # the word of `sniff`: endings, place, writer, reader
    "hdf5": Format((".h5ad", ".h5", ".hdf5"), '.uns["recipe"], or an attribute of the root', store.write_hdf5, store.read_hdf5),
    "zarr": Format((".zarr", ".zarr.zip"), 'an attribute of the root, and .uns["recipe"]', store.write_zarr, store.read_zarr),
    "csv": Format((".csv", ".tsv"), "the last column, recipe, in the first row", table.write_csv, table.read_csv),
    "fasta": Format(
        (".fasta", ".fa", ".faa", ".a2m", ".a3m"), "the first record's description", text.write_fasta, text.read_fasta
    ),
    "pdb": Format((".pdb", ".ent"), "REMARK 999", text.write_pdb, text.read_pdb),
    "mmcif": Format((".cif", ".mmcif"), "comment lines", text.write_mmcif, text.read_mmcif),
    "png": Format((".png",), "a text chunk", image.write_png, image.read_png),
    "gif": Format((".gif",), "a comment", image.write_gif, image.read_gif),
    "tiff": Format((".tif", ".tiff"), "ImageDescription", image.write_tiff, image.read_tiff),
    "svg": Format((".svg",), "a metadata element", text.write_svg, text.read_svg),
    "npz": Format((".npz",), "a member named recipe, a text", store.write_npz, store.read_npz),
    "parquet": Format((".parquet",), "the key recipe of the schema's metadata", store.write_parquet, store.read_parquet),
    "nifti": Format((".nii", ".nii.gz"), "a header extension, comment", medical.write_nifti, medical.read_nifti),
    "dicom": Format((".dcm", ".dicom"), "a private element (0099,xx01)", medical.write_dicom, medical.read_dicom),
    "html": Format((".html", ".htm"), "a meta tag", text.write_html, text.read_html),
    "json": Format((".json",), "recipe.json is the recipe", text.write_json, text.read_json),
    "zip": Format((".zip",), "a member recipe.json", store.write_zip, store.read_zip),
}
_SURE = {"hdf5", "zarr", "png", "gif", "tiff", "npz", "parquet", "nifti", "dicom"}  # their first bytes tell them for sure
T = TypeVar("T")
U = TypeVar("U")
_NONE = "There is no recipe in this file: drop a file that Latent Sandbox exported, or its recipe.json."


def stamp(path: str | Path, recipe: Recipe) -> None:
    """Add the recipe to the file at `path`, in place of one that is there; the ending of its name tells the format.

    A table without rows and a FASTA file without records have no place for it and keep it only in recipe.json. Raises
    OutputError where the format has no place or the disk refuses (then the file is as it was), InputError where the file
    is not what its name says, RecipeError where the recipe is too long to be read back.
    """
    path = Path(path)
    endings = {ending: kind for kind, form in FORMATS.items() for ending in form.suffixes}
    ending = max((ending for ending in endings if path.name.lower().endswith(ending)), key=len, default=None)
    if ending is None:
        raise OutputError(
            f"Files ending in {path.suffix or 'nothing'} have no place for a recipe; it is in recipe.json beside them."
        )
    kind = sniff(path)
    named = "zarr" if ending == ".zip" and kind == "zarr" else endings[ending]
    if named in _SURE and kind != named and not (named == "npz" and kind == "zip"):  # without an array, a plain zip
        raise InputError(f"This file ends in {ending} and is none: it holds {kind if kind != 'unknown' else 'something else'}.")
    try:
        FORMATS[named].write(path, recipe)
    except OSError as error:
        raise OutputError(disk_sentence(error, path)) from error
    except (ValueError, LookupError, OverflowError) as error:  # parsers of the formats on a file that is not of its format
        raise damaged() from error


def write_csv(path: Path, recipe: Recipe, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table as CSV with the recipe in it."""
    with path.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    stamp(path, recipe)


def read_stamp(path: str | Path) -> dict[str, Any]:
    """The recipe's document in an exported file, whatever its name. `catalog` makes a checked recipe of it.

    Raises InputError where the file holds none, is damaged or was made to mislead, and RecipeError where what stands in
    its place is no recipe.
    """
    path = Path(path)
    kind = sniff(path)
    if kind == "empty":
        raise InputError("This file is empty.")
    # any cell may be in a table; and what is packed by gzip, and is no NIfTI, may be FASTA
    form = FORMATS.get({"text": "csv", "unknown": "csv", "gzip": "fasta"}.get(kind, kind))
    if form is None or not os.access(path, os.R_OK):
        raise InputError(_NONE)
    with _one_sentence():
        found = form.read(path)
        if found is None:
            raise InputError(_NONE)
        return loads(found)


def read_stamps(path: str | Path) -> dict[str, dict[str, Any]]:
    """The documents in a zip of several runs, by the runs' folders; of any other file its one document, under "".

    A run whose recipe cannot be read is left out as long as another's can. Raises as `read_stamp` does.
    """
    path = Path(path)
    if sniff(path) == "zip" and os.access(path, os.R_OK):
        with _one_sentence():
            found = readable(store.read_zip_of_runs(path), loads)
        if found:
            return found
    return {"": read_stamp(path)}


def readable(found: Mapping[str, T], read: Callable[[T], U]) -> dict[str, U]:
    """What can be read of each. Raises the first error where nothing can."""
    told, errors = {}, []
    for name, one in found.items():
        try:
            told[name] = read(one)
        except UserError as error:
            errors.append(error)
    if errors and not told:
        raise errors[0]
    return told


@contextmanager
def _one_sentence() -> Iterator[None]:
    """The last net: whatever a stranger's bytes make a parser raise, the user reads one sentence."""
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise damaged() from error
