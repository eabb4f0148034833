"""Every format: the recipe comes back whole, the field's own readers see what they saw before, hostile files cost nothing."""

from __future__ import annotations

import base64
import functools
import html.parser
import io
import json
import random
import shutil
import struct
import tempfile
import time
import warnings
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import Field, JsonValue

from gen_core.errors import InputError, OutputError, RecipeError, UserError
from gen_core.recipe import MAX_DOCUMENT, Recipe
from gen_core.stamp import (
    FORMATS,
    csv_column,
    fasta_header,
    html_meta,
    npz_member,
    png_info,
    read_stamp,
    safe_cell,
    stamp,
    text_of,
    tiff_description,
)

TEMPORARY = tempfile.TemporaryDirectory(prefix="stamp")
FOLDER = Path(TEMPORARY.name)


class Probe(Recipe):
    operation: ClassVar[str] = "test.probe"
    name: str = "probe"
    note: dict[str, JsonValue] = Field(default_factory=dict)
    values: list[float] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | st.just("shape"), inner, max_size=3),
    max_leaves=8,
)
PROBES = st.builds(
    Probe,
    seed=st.integers(0, 2**32 - 1),
    name=TEXT | st.sampled_from(["=1+1", "</metadata>", '"', "]]>", "-->", "ImageJ=", "\x7f", "OME>"]),
    note=st.dictionaries(TEXT | st.sampled_from(["shape", "recipe", "operation", "mibi.x", 'x"shape']), VALUES, max_size=3),
    values=st.lists(NUMBERS, max_size=4),
    tags=st.lists(TEXT, max_size=3),
)
PROBE = Probe(name="a probe, with „quotes“ & <tags>", note={"shape": [1, 2, {"a": None}]}, values=[0.1, -1e300])
SLOW = settings(deadline=None, max_examples=12, suppress_health_check=list(HealthCheck))

# ---- one sample of each kind of file, and what the field's own reader sees in it


def anndata_object() -> Any:
    import anndata

    obs = pd.DataFrame({"kind": pd.Categorical(["a", "b", "a"])}, index=["c1", "c2", "c3"])
    return anndata.AnnData(np.arange(6, dtype=np.float32).reshape(3, 2), obs=obs, uns={"other": {"x": np.arange(3)}})


def make_h5ad(path: Path) -> None:
    anndata_object().write_h5ad(path)


def make_hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["group/x"] = np.arange(5)
        file.attrs["unit"] = "mm"


def make_zarr(path: Path, version: int) -> None:
    import anndata

    with warnings.catch_warnings(), anndata.settings.override(zarr_write_format=version):
        warnings.simplefilter("ignore")
        anndata_object().write_zarr(path)


def make_plain_zarr(path: Path) -> None:
    import zarr

    zarr.create_array(path, data=np.arange(6))


def make_zarr_zip(path: Path) -> None:
    folder = path.with_name("zipped")
    make_zarr(folder, 2)
    shutil.make_archive(str(path.with_name("cells.zarr")), "zip", folder)
    shutil.rmtree(folder)


def make_csv(path: Path) -> None:
    frame = pd.DataFrame({"gene": ["A", 'line\nbreak, and "quote"', "", "ü"], "x": [0.1, np.nan, 1e-300, 3], "n": [1, 2, 3, 4]})
    frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def make_fasta(path: Path) -> None:
    path.write_text(">s1 a sequence\nMKV\nLLA\n>s2 another recipe=none\nMK--V\n")


ATOM = "ATOM  {:5d}  CA  ALA A{:4d}    {:8.3f}{:8.3f}{:8.3f}  1.00 20.00           C  "


def make_pdb(path: Path) -> None:
    lines = ["HEADER    A PROBE                                 01-JAN-00   1ABC", "REMARK   2 RESOLUTION.    2.00 ANGSTROMS."]
    lines += ["REMARK 999", "REMARK 999 SEQUENCE", "CRYST1   10.000   10.000   10.000  90.00  90.00  90.00 P 1           1"]
    lines += [ATOM.format(i, i, i * 1.5, -i, 0.25) for i in range(1, 5)]
    path.write_text("".join(f"{line:<80}\n" for line in [*lines, "TER       5      ALA A   4", "END"]))


def make_mmcif(path: Path) -> None:
    from Bio.PDB.mmcifio import MMCIFIO
    from Bio.PDB.PDBParser import PDBParser

    make_pdb(path.with_name("source.pdb"))
    writer = MMCIFIO()
    writer.set_structure(PDBParser(QUIET=True).get_structure("x", path.with_name("source.pdb")))
    writer.save(str(path))


PIXELS = (np.arange(12 * 10 * 3) % 251).astype(np.uint8).reshape(12, 10, 3)


def make_png(path: Path, mode: str) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Software", "a probe")
    pixels = PIXELS if mode == "RGB" else PIXELS[..., 0].astype(np.uint16) * 257
    Image.fromarray(pixels).save(path, pnginfo=info)


def make_gif(path: Path) -> None:
    from PIL import Image

    frames = [Image.fromarray(np.roll(PIXELS, i, 0)).quantize(16) for i in range(3)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=80, loop=0)


def make_old_gif(path: Path) -> None:
    from PIL import Image

    Image.fromarray(PIXELS[..., 0]).save(path)


def make_tiff(path: Path, array: np.ndarray[Any, Any], **options: Any) -> None:
    import tifffile

    tifffile.imwrite(path, array, **options)


def make_pages(path: Path) -> None:
    from PIL import Image

    pages = [Image.fromarray(np.roll(PIXELS[..., 0], i, 0).astype(np.uint16)) for i in range(3)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


SVG = """<?xml version="1.0" encoding="utf-8"?>
<!-- made > by a probe -->
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg:svg xmlns:svg="http://www.w3.org/2000/svg" version='1.1' data-x="a > b"><svg:metadata>other</svg:metadata>
<svg:g id="g">ü</svg:g></svg:svg>
"""
HTML = '<!DOCTYPE html>\n<html>\n<head><meta charset="utf-8" /><title>ü</title></head>\n<body><p>text</p></body>\n</html>\n'


def make_npz(path: Path, save: Callable[..., None] = np.savez) -> None:
    save(path, images=PIXELS, names=np.array(["a", "ü"]))


def make_parquet(path: Path) -> None:
    frame = pd.DataFrame({"recipe": ["a", None], "x": [0.1, np.nan], "kind": pd.Categorical(["u", "v"])}, index=["r1", "r2"])
    frame.to_parquet(path, row_group_size=1, compression="gzip")


def make_nifti(path: Path, version: int = 1) -> None:
    import nibabel

    image = (nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image)(PIXELS.astype(np.int16), np.diag([2, 2, 3, 1]))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"another comment"))
    nibabel.save(image, path)


def make_dicom(path: Path, implicit: bool = False) -> None:
    from pydicom import Dataset, FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = CTImageStorage, UID("1.2.3")
    image, inner = Dataset(), Dataset()
    image.file_meta, image.SOPClassUID, image.SOPInstanceUID = meta, CTImageStorage, "1.2.3"
    inner.CodeValue, inner.CodeMeaning = "1", "a step"
    image.ProcedureCodeSequence = [inner]
    image["ProcedureCodeSequence"].is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    image.private_block(0x0099, "ANOTHER", create=True).add_new(0x01, "LO", "kept")
    image.Rows, image.Columns, image.BitsAllocated, image.BitsStored, image.HighBit = 12, 10, 16, 16, 15
    image.SamplesPerPixel, image.PixelRepresentation, image.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    image.add_new(0x7FE00010, "OW", PIXELS[..., 0].astype(np.uint16).tobytes())
    image.save_as(path, enforce_file_format=True)


def make_text(text: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    return make


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("run/recipe.json", "{}")
        archive.writestr("run/data.csv", "a,b\n1,2\n")


def see_anndata(path: Any) -> Any:
    import anndata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = anndata.read_h5ad(path) if getattr(path, "suffix", "") == ".h5ad" else anndata.read_zarr(path)
    other = found.uns["other"]["x"].tolist()
    return found.X.tolist(), found.obs.to_csv(), list(found.var_names), other, set(found.uns) - {"recipe"}


def see_hdf5(path: Path) -> Any:
    import h5py

    with h5py.File(path) as file:
        return file["group/x"][()].tolist(), file.attrs["unit"], list(file), list(file["group"])


def see_zarr_zip(path: Path) -> Any:
    import zarr.storage

    with zarr.storage.ZipStore(path, mode="r") as store:
        return see_anndata(store)


def see_csv(path: Path) -> Any:
    frame = pd.read_csv(path, sep=None, engine="python", encoding="utf-8").drop(columns="recipe", errors="ignore")
    return frame.to_json(double_precision=15), str(frame.dtypes)


def see_fasta(path: Path) -> Any:
    from Bio import SeqIO
    from biotite.sequence.io.fasta import FastaFile  # type: ignore[import-untyped]

    with path.open() as first, path.open() as second:
        return [(r.id, str(r.seq)) for r in SeqIO.parse(first, "fasta")], list(FastaFile.read(second).values())


def see_structure(path: Path) -> Any:
    from Bio.PDB.MMCIFParser import MMCIFParser
    from Bio.PDB.PDBParser import PDBParser
    from biotite.structure.io import load_structure  # type: ignore[import-untyped]

    parser = (PDBParser if path.suffix == ".pdb" else MMCIFParser)(QUIET=True)
    structure = parser.get_structure("x", str(path))
    atoms = [(atom.get_full_id(), atom.coord.tolist(), atom.bfactor) for atom in structure.get_atoms()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Biopython writes some columns under other names than biotite asks for first
        coordinates = load_structure(path).coord.tolist()
    return atoms, structure.header.get("resolution"), structure.header.get("head"), coordinates


def see_picture(path: Path) -> Any:
    from PIL import Image, ImageSequence

    with Image.open(path) as image:
        info = {key: value for key, value in image.info.items() if key not in ("recipe", "comment", "version")}
        return [(np.asarray(frame).tolist(), frame.mode) for frame in ImageSequence.Iterator(image)], info


def see_tiff(path: Path) -> Any:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = [(s.shape, s.axes, str(s.dtype), s.kind) for s in file.series]
        return series, file.asarray().tolist(), (file.imagej_metadata or {}).get("slices"), see_picture_if_possible(path)


def see_picture_if_possible(path: Path) -> Any:
    return see_picture(path)[0] if path.name.startswith(("pages", "grey16")) else None


def see_svg(path: Path) -> Any:
    root = ET.parse(path).getroot()
    for child in list(root):
        if child.get("id") == "recipe":
            root.remove(child)
    return ET.tostring(root)


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def html_tags(path: Path) -> list[Any]:
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    return tags.seen


def see_html(path: Path) -> Any:
    return [tag for tag in html_tags(path) if not (isinstance(tag, tuple) and tag[1].get("name") == "recipe")]


def see_npz(path: Path) -> Any:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: (array.tolist(), str(array.dtype)) for name, array in arrays.items() if name != "recipe"}


def see_parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    frame, metadata = pd.read_parquet(path), pq.read_metadata(path)
    return frame.to_json(), str(frame.dtypes), metadata.num_row_groups, metadata.row_group(0).column(0).compression


def see_nifti(path: Path) -> Any:
    import nibabel

    image: Any = nibabel.load(path)
    others = [bytes(e.get_content()).rstrip(b"\0") for e in image.header.extensions]
    others = [content for content in others if b"operation" not in content]
    return np.asarray(image.dataobj).tolist(), image.affine.tolist(), str(image.get_data_dtype()), others


def see_dicom(path: Path) -> Any:
    import pydicom

    image = pydicom.dcmread(path)
    block = image.private_block(0x0099, "ANOTHER")
    elements = {str(e.tag): str(e.value) for e in image if e.tag.group != 0x0099}
    return image.pixel_array.tolist(), elements, str(block[0x01].value), pydicom.dcmread(path).file_meta.to_json()


SHAPED = np.arange(2 * 3 * 8 * 8, dtype=np.uint16).reshape(2, 3, 8, 8)
# name of the file: how it is made, what its reader sees
SAMPLES: dict[str, tuple[Callable[[Path], None], Callable[[Path], Any]]] = {
    "cells.h5ad": (make_h5ad, see_anndata),
    "plain.h5": (make_hdf5, see_hdf5),
    "cells2.zarr": (lambda path: make_zarr(path, 2), see_anndata),
    "cells3.zarr": (lambda path: make_zarr(path, 3), see_anndata),
    "cells.zarr.zip": (make_zarr_zip, see_zarr_zip),
    "plain.zarr": (make_plain_zarr, lambda path: [f.read_bytes() for f in sorted(path.rglob("*")) if f.name.isdigit()]),
    "genes.csv": (make_csv, see_csv),
    "genes.tsv": (make_csv, see_csv),
    "sequences.fasta": (make_fasta, see_fasta),
    "structure.pdb": (make_pdb, see_structure),
    "structure.cif": (make_mmcif, see_structure),
    "rgb.png": (lambda path: make_png(path, "RGB"), see_picture),
    "grey16.png": (lambda path: make_png(path, "I;16"), see_picture),
    "moving.gif": (make_gif, see_picture),
    "old.gif": (make_old_gif, see_picture),
    "grey16.tiff": (lambda path: make_tiff(path, SHAPED[0, 0], metadata=None), see_tiff),
    "shaped.tiff": (lambda path: make_tiff(path, SHAPED, photometric="minisblack"), see_tiff),
    "described.tif": (
        lambda path: make_tiff(path, SHAPED[:, :1], description=b"\xb5CT of a probe", byteorder=">", bigtiff=True),
        see_tiff,
    ),
    "imagej.tif": (lambda path: make_tiff(path, SHAPED[0], imagej=True, metadata={"axes": "ZYX"}), see_tiff),
    "pages.tif": (make_pages, see_tiff),
    "figure.svg": (make_text(SVG), see_svg),
    "page.html": (make_text(HTML), see_html),
    "arrays.npz": (make_npz, see_npz),
    "packed.npz": (lambda path: make_npz(path, np.savez_compressed), see_npz),
    "table.parquet": (make_parquet, see_parquet),
    "volume.nii": (make_nifti, see_nifti),
    "volume.nii.gz": (make_nifti, see_nifti),
    "volume2.nii.gz": (lambda path: make_nifti(path, 2), see_nifti),
    "slice.dcm": (make_dicom, see_dicom),
    "implicit.dcm": (lambda path: make_dicom(path, implicit=True), see_dicom),
    "recipe.json": (make_text("{}"), lambda path: None),
    "run.zip": (make_zip, lambda path: zipfile.ZipFile(path).read("run/data.csv")),
}


@functools.cache
def sample(name: str) -> tuple[Path, Any]:
    """An unstamped file, made once, and what its reader sees."""
    make, see = SAMPLES[name]
    folder = FOLDER / f"sample-{name}"
    folder.mkdir(exist_ok=True)
    make(folder / name)
    return folder / name, see(folder / name)


def stamped(name: str, recipe: Recipe, folder: str) -> Path:
    """A fresh copy of the sample with the recipe in it."""
    target = FOLDER / folder
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    source, _ = sample(name)
    (shutil.copytree if source.is_dir() else shutil.copy)(source, target / name)
    stamp(target / name, recipe)
    return target / name


def content(path: Path) -> dict[str, bytes]:
    """All bytes of a file or folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {str(file.relative_to(path)): file.read_bytes() for file in files if file.is_file()}


@pytest.fixture(scope="module", autouse=True)
def clean() -> Any:
    yield
    TEMPORARY.cleanup()


# ---- round trips


@pytest.mark.parametrize("name", SAMPLES)
@SLOW
@given(recipe=PROBES)
def test_recipe_comes_back_and_nothing_else_changes(name: str, recipe: Probe) -> None:
    path = stamped(name, recipe, "round")
    assert read_stamp(path) == recipe.document()
    assert SAMPLES[name][1](path) == sample(name)[1]
    assert [file for file in path.parent.iterdir() if file != path] == [], "something was left beside the file"


@pytest.mark.parametrize("name", SAMPLES)
def test_same_bytes_twice_and_another_recipe_replaces_the_first(name: str) -> None:
    first = content(stamped(name, PROBE, "first"))
    time.sleep(0.01)
    again = stamped(name, PROBE, "second")
    assert content(again) == first
    stamp(again, PROBE.replace(name="the other"))
    assert read_stamp(again)["name"] == "the other"
    assert SAMPLES[name][1](again) == sample(name)[1]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_long_recipe_fits_everywhere(name: str) -> None:
    long = Probe(values=[i / 7 for i in range(12_000)])
    assert read_stamp(stamped(name, long, "long")) == long.document()


@pytest.mark.parametrize("name", [name for name in SAMPLES if name not in ("recipe.json", "run.zip")])
def test_without_a_recipe_the_sentence_says_what_to_drop(name: str) -> None:
    with pytest.raises(InputError, match="There is no recipe in this file: drop"):
        read_stamp(sample(name)[0])


def test_name_does_not_matter_for_reading(tmp_path: Path) -> None:
    for number, name in enumerate(SAMPLES):
        renamed = tmp_path / f"file{number}.dat"
        shutil.move(stamped(name, PROBE, "named"), renamed)
        assert read_stamp(renamed) == PROBE.document(), name


def test_the_table_of_formats_is_covered() -> None:
    endings = {ending for form in FORMATS.values() for ending in form.suffixes}
    tested = {name.partition(".")[2] for name in SAMPLES}
    same = {"hdf5", "fa", "faa", "a2m", "a3m", "ent", "mmcif", "htm", "dicom"}  # other endings of formats that are tested
    assert {ending.removeprefix(".") for ending in endings} == tested | same


# ---- where it stands, as the contract says, seen with the field's own readers


def test_places_of_the_contract() -> None:
    import anndata
    import h5py
    import nibabel
    import pyarrow.parquet as pq
    import pydicom
    import tifffile
    import zarr
    from Bio import SeqIO
    from PIL import Image

    text = PROBE.json()
    files = {name: stamped(name, PROBE, f"place-{name}") for name in SAMPLES}
    assert anndata.read_h5ad(files["cells.h5ad"]).uns["recipe"] == text
    with h5py.File(files["plain.h5"]) as file:
        assert file.attrs["recipe"] == text
    for name in ("cells2.zarr", "cells3.zarr"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert anndata.read_zarr(files[name]).uns["recipe"] == zarr.open_group(files[name], mode="r").attrs["recipe"] == text
    assert zarr.open_array(files["plain.zarr"], mode="r").attrs["recipe"] == text
    table = pd.read_csv(files["genes.csv"])
    assert table.columns[-1] == "recipe"
    assert table["recipe"][0] == text
    assert table["recipe"][1:].isna().all()
    with files["sequences.fasta"].open() as lines:
        first, second = (record.description for record in SeqIO.parse(lines, "fasta"))
    code = first.split("recipe=")[1]
    assert base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode() == text
    assert second == "s2 another recipe=none"
    remarks = [line for line in files["structure.pdb"].read_text().splitlines() if line.startswith("REMARK 999")]
    assert {len(line) for line in remarks} == {80}
    code = "".join(line[18:].strip() for line in remarks if line.startswith("REMARK 999 RECIPE "))
    assert base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)).decode() == text
    assert any(line.startswith("# recipe ") for line in files["structure.cif"].read_text().splitlines())
    with Image.open(files["rgb.png"]) as png, Image.open(files["moving.gif"]) as gif:
        assert png.info["recipe"] == text
        assert gif.info["comment"] == text.encode()
    with tifffile.TiffFile(files["grey16.tiff"]) as plain, tifffile.TiffFile(files["shaped.tiff"]) as shaped:
        assert json.loads(plain.pages.first.description) == PROBE.document()
        assert json.loads(shaped.pages.first.description)["recipe"] == PROBE.document()
    assert ET.parse(files["figure.svg"]).findtext("{http://www.w3.org/2000/svg}metadata") == text
    assert ("meta", {"name": "recipe", "content": text}) in html_tags(files["page.html"])
    with np.load(files["arrays.npz"], allow_pickle=False) as arrays:
        assert arrays["recipe"].shape == ()
        assert str(arrays["recipe"]) == text
    assert pq.read_metadata(files["table.parquet"]).metadata[b"recipe"] == text.encode()
    volume: Any = nibabel.load(files["volume.nii.gz"])
    extension = volume.header.extensions[-1]
    assert extension.get_code() == 6
    assert bytes(extension.get_content()).rstrip(b"\0") == text.encode()
    assert pydicom.dcmread(files["slice.dcm"]).private_block(0x0099, "LATENT SANDBOX")[0x01].value == text
    assert json.loads(files["recipe.json"].read_text()) == PROBE.document()


def test_stamped_when_written(tmp_path: Path) -> None:
    """What each writer offers gives a file that `read_stamp` reads, without `stamp`."""
    import anndata
    import tifffile
    from PIL import Image
    from pydicom.data import get_testdata_file

    cells = anndata_object()
    cells.uns["recipe"] = text_of(PROBE)
    cells.write_h5ad(tmp_path / "a.h5ad")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for version in (2, 3):
            with anndata.settings.override(zarr_write_format=version):
                cells.write_zarr(tmp_path / f"a{version}.zarr")
    csv_column(pd.DataFrame({"a": [1, 2]}), PROBE).to_csv(tmp_path / "a.csv", index=False)
    csv_column(pd.DataFrame({"a": [1, 2]}), PROBE).to_csv(tmp_path / "semicolons.csv", sep=";")
    (tmp_path / "a.fasta").write_text(f">{fasta_header('s1', PROBE)}\nMKV\n")
    Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=png_info(PROBE))
    Image.fromarray(PIXELS).save(tmp_path / "a.gif", comment=text_of(PROBE))
    tifffile.imwrite(tmp_path / "a.tiff", SHAPED, description=tiff_description(PROBE), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "a.tiff") as file:
        assert file.series[0].shape == SHAPED.shape
    (tmp_path / "a.html").write_text(f"<html><head>{html_meta(PROBE)}</head></html>")
    np.savez_compressed(tmp_path / "a.npz", x=PIXELS, recipe=npz_member(PROBE))
    shutil.copy(str(get_testdata_file("CT_small.dcm")), tmp_path / "a.dcm")
    stamp(tmp_path / "a.dcm", PROBE)
    (tmp_path / "recipe.json").write_text(PROBE.json(indent=1))
    for path in tmp_path.iterdir():
        assert read_stamp(path) == PROBE.document(), path.name


@pytest.mark.parametrize("name", ["CT_small.dcm", "ExplVR_BigEnd.dcm", "SC_rgb_jpeg.dcm"])
def test_dicom_of_devices(name: str, tmp_path: Path) -> None:
    """A TIFF header before the DICOM one, big-endian numbers, and types left out where the header promises them."""
    import pydicom
    from pydicom.data import get_testdata_file

    source = str(get_testdata_file(name))
    shutil.copy(source, tmp_path / name)
    stamp(tmp_path / name, PROBE)
    assert read_stamp(tmp_path / name) == PROBE.document()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before, after = pydicom.dcmread(source), pydicom.dcmread(tmp_path / name)
        del after.private_block(0x0099, "LATENT SANDBOX")[0x01]
        del after[0x0099, 0x0010]
        assert after == before


def test_editors_that_rewrite_png_text(tmp_path: Path) -> None:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    for packed in (False, True):
        info, international = PngInfo(), PngInfo()
        info.add_text("recipe", PROBE.json(), zip=packed)
        international.add_itxt("recipe", PROBE.json(), "en", "Rezept", zip=packed)
        for kind in (info, international):
            Image.fromarray(PIXELS).save(tmp_path / "a.png", pnginfo=kind)
            assert read_stamp(tmp_path / "a.png") == PROBE.document()
            stamp(tmp_path / "a.png", PROBE.replace(name="new"))
            assert read_stamp(tmp_path / "a.png")["name"] == "new"


def test_tables_without_rows_and_with_a_column_of_that_name(tmp_path: Path) -> None:
    empty = csv_column(pd.DataFrame({"a": pd.Series(dtype=float)}), PROBE)
    assert empty.shape == (0, 2)
    again = csv_column(csv_column(pd.DataFrame({"a": [1]}), PROBE), PROBE.replace(name="new"))
    assert list(again.columns) == ["a", "recipe"]
    assert json.loads(again["recipe"][0])["name"] == "new"
    own = pd.DataFrame({"a": [1], "recipe": ["cake"]})
    with pytest.raises(OutputError, match="column named recipe of its own"):
        csv_column(own, PROBE)
    own.to_csv(tmp_path / "own.csv", index=False)
    before = (tmp_path / "own.csv").read_bytes()
    with pytest.raises(OutputError, match="column named recipe of its own"):
        stamp(tmp_path / "own.csv", PROBE)
    assert content(tmp_path) == {"own.csv": before}
    for name, text in {"empty.csv": "a,b\n", "nothing.csv": "", "empty.fasta": ""}.items():
        (tmp_path / name).write_text(text)
        stamp(tmp_path / name, PROBE)
        with pytest.raises(InputError):
            read_stamp(tmp_path / name)
    assert list(pd.read_csv(tmp_path / "empty.csv").columns) == ["a", "b", "recipe"]


@given(cells=st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=5), ends=st.sampled_from(["\n", "\r\n"]))
@SLOW
def test_any_cells_keep_their_text(cells: list[tuple[str, str]], ends: str) -> None:
    frame = pd.DataFrame(cells, columns=["a", "b"])
    path = FOLDER / "cells.csv"
    frame.to_csv(path, index=False, lineterminator=ends)
    before = pd.read_csv(path, dtype=str, keep_default_na=False)
    stamp(path, PROBE)
    after = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(after.drop(columns="recipe"), before)
    assert read_stamp(path) == PROBE.document()


def test_formulas_become_text() -> None:
    for text in ("=1+1", "+1", "-MKV", "@SUM(A1)", "\t=1", "\r=1"):
        assert safe_cell(text) == "'" + text
    for text in ("MKV-", "1-2", "'=1", ""):
        assert safe_cell(text) == text


def test_what_cannot_be_written_is_refused_and_left_alone(tmp_path: Path) -> None:
    refused = {"a.npy": b"\x93NUMPY", "result.json": b"{}", "a.cif": b"# nothing", "a.svg": b"<svg/>", "a.xyz": b"1"}
    for name, start in refused.items():
        (tmp_path / name).write_bytes(start)
        with pytest.raises(OutputError):
            stamp(tmp_path / name, PROBE)
        assert (tmp_path / name).read_bytes() == start
    for name in ("a.h5", "a.npz", "a.parquet", "a.nii", "a.nii.gz", "a.dcm", "a.png", "a.gif", "a.tif", "a.zip"):
        (tmp_path / name).write_bytes(b"not such a file at all, but long enough to have a header" * 20)
        before = (tmp_path / name).read_bytes()
        with pytest.raises(UserError):
            stamp(tmp_path / name, PROBE)
        assert (tmp_path / name).read_bytes() == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with pytest.raises(RecipeError, match="longer than"):
        text_of(Probe(name="x" * MAX_DOCUMENT))
    with pytest.raises(InputError, match="There is no file"):
        stamp(tmp_path / "missing.csv", PROBE)


# ---- hostile files: a dictionary or one sentence, soon

ENDLESS = 30  # seconds of the processor's time, a hundred times what any of these takes: what grows with a square is above it


def gives_a_sentence(path: Path) -> None:
    """Reading gives a recipe or raises what a user can read, and does not go on for ever."""
    start, said = time.process_time(), "."
    try:
        assert isinstance(read_stamp(path), dict)
    except UserError as error:
        said = str(error)
    assert said.endswith((".", ")"))
    assert "\n" not in said
    assert len(said) < 300
    assert time.process_time() - start < ENDLESS


FILES = [name for name in SAMPLES if not name.endswith(".zarr")]


@pytest.mark.parametrize("name", FILES)
def test_cut_at_every_tenth(name: str) -> None:
    path = stamped(name, PROBE, "cut")
    whole = path.read_bytes()
    for tenth in range(10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        gives_a_sentence(path)


@pytest.mark.parametrize("name", FILES)
def test_random_bytes_changed(name: str) -> None:
    path = stamped(name, PROBE, "flip")
    whole = path.read_bytes()
    for seed in range(20):
        dice, data = random.Random(seed), bytearray(whole)
        for _ in range(dice.choice([1, 4, 40])):
            data[dice.randrange(min(len(data), dice.choice([64, 600, len(data)])))] = dice.randrange(256)
        path.write_bytes(data)
        gives_a_sentence(path)


@pytest.mark.parametrize("name", ["cells.h5ad", "plain.h5"])
def test_texts_of_hdf5_with_wrong_lengths(name: str) -> None:
    """One wrong length in HDF5's list of texts, and the library would go round for ever."""
    path = stamped(name, PROBE, "heap")
    whole = path.read_bytes()
    start = whole.rfind(b"GCOL\1\0\0\0")
    places = [at for at in range(start + 8, min(start + 4096, len(whole)), 8) if any(whole[at : at + 8])]  # lengths and texts
    for at in random.Random(0).sample(places, min(60, len(places))):
        path.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
        gives_a_sentence(path)


@pytest.mark.parametrize("name", FILES)
@SLOW
@given(junk=st.binary(max_size=200))
def test_junk_after_a_true_start(name: str, junk: bytes) -> None:
    path = FOLDER / "junk"
    path.write_bytes(sample(name)[0].read_bytes()[:150] + junk)
    gives_a_sentence(path)


def chunk(kind: bytes, body: bytes, claim: int | None = None) -> bytes:
    length = len(body) if claim is None else claim
    return struct.pack(">I", length) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
BOMB = zlib.compress(b" " * (200 << 20), 1)
DEEP = b"[" * 200_000


def tiff(entries: list[tuple[int, int, int, int]], offset: int = 8) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return struct.pack("<2sHIH", b"II", 42, offset, len(entries)) + body + b"\0" * 64


def nifti(voxels: float, esize: int) -> bytes:
    data = bytearray(600)
    data[:4], data[344:348], data[348] = struct.pack("<i", 348), b"n+1\0", 1
    data[108:112], data[352:360] = struct.pack("<f", voxels), struct.pack("<ii", esize, 6)
    return bytes(data)


def zipped(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return stream.getvalue()


def npy(header: str, body: bytes = b"") -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + body


DICOM = b"\0" * 128 + b"DICM" + b"\2\0\x10\0UI" + struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0"
META = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">' + b"".join(
    b'<!ENTITY %c "&%c;&%c;&%c;&%c;&%c;&%c;&%c;&%c;">' % ((i + 1,) + (i,) * 8) for i in range(97, 117)
)
HOSTILE: dict[str, bytes] = {
    "png text of 2 GB": PNG + chunk(b"iTXt", b"recipe\0", 0x7FFFFFFF),
    "png compressed text": PNG + chunk(b"zTXt", b"recipe\0\0" + BOMB) + chunk(b"IEND", b""),
    "png international bomb": PNG + chunk(b"iTXt", b"recipe\0\1\0\0\0" + BOMB) + chunk(b"IEND", b""),
    "png without end": PNG + chunk(b"tEXt", b"a\0b") * 200_000,
    "png nested recipe": PNG + chunk(b"tEXt", b"recipe\0" + DEEP) + chunk(b"IEND", b""),
    "gif without end": b"GIF89a" + b"\1\0\1\0\0\0\0" + (b"!\xfe\xff" + b"{" * 255) * 20_000,
    "tiff far away": tiff([(270, 2, 0xFFFFFFF0, 0xFFFFFFF0)], 0xFFFFFFF0),
    "tiff claims": tiff([(270, 2, 1 << 20, 100), (270, 2, 0xFFFFFFFF, 8)]),
    "bigtiff far away": struct.pack("<2sHHHQ", b"II", 43, 8, 0, (1 << 64) - 8),
    "nifti nowhere": nifti(float("nan"), 32),
    "nifti infinite": nifti(float("inf"), 0x7FFFFFF0),
    "nifti standing still": nifti(1e9, 0),
    "npz bomb": zipped({"recipe.npy": npy("{'descr':'<U1','fortran_order':False,'shape':()}", b"\0" * (40 << 20))}),
    "npz of objects": zipped({"recipe.npy": npy("{'descr':'|O','fortran_order':False,'shape':()}", b"cos\nsystem\n.")}),
    "npz claims": zipped({"recipe.npy": npy("{'descr':'<U999999999','fortran_order':False,'shape':()}", b"a\0\0\0")}),
    "npz nested header": zipped({"recipe.npy": npy("(" * 9000)}),
    "npz code": zipped({"recipe.npy": npy("__import__('os').system('true')")}),
    "npz no letters": zipped({"recipe.npy": npy("{'descr':'<U1','fortran_order':False,'shape':()}", b"\xff\xff\xff\xff")}),
    "zip outside": zipped({"../../recipe.json": b"{}", "/recipe.npy": b""}),
    "zarr nested": zipped({"zarr.json": DEEP}),
    "zarr of lists": zipped({"zarr.json": b"[]"}),
    "zarr strange attributes": zipped({"zarr.json": b'{"attributes": 3}'}),
    "zarr blosc claims": zipped({".zgroup": b"{}", "uns/recipe/0": b"\2\1\x33\1" + b"\xff" * 12}),
    "zarr blosc junk": zipped({".zgroup": b"{}", "uns/recipe/0": b"\2\1\x33\1" + struct.pack("<III", 99, 99, 20) + b"junk"}),
    "zarr zstd claims": zipped({".zgroup": b"{}", "uns/recipe/c": b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 20}),
    "zarr zstd junk": zipped({".zgroup": b"{}", "uns/recipe/c": b"\x28\xb5\x2f\xfd\x20\x09junkjunk"}),
    "parquet claims": b"PAR1" + b"\0" * 40 + b"\xff\xff\xff\x7fPAR1",
    "parquet lengths": b"PAR1" + b"\x18\x06recipe\x18\xff\xff\xff\x7f{" * 20_000 + struct.pack("<I", 280_000) + b"PAR1",
    "dicom deep": DICOM + b"\x08\0\x10\0SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 100_000,
    "dicom claims": DICOM + b"\x99\0\x10\0LO\x0e\0LATENT SANDBOX\x99\0\1\x10UT\0\0\xf0\xff\xff\xff{",
    "dicom deflated": DICOM.replace(
        struct.pack("<H", 20) + b"1.2.840.10008.1.2.1\0", struct.pack("<H", 22) + b"1.2.840.10008.1.2.1.99"
    )
    + BOMB,
    "dicom many": DICOM + b"\x08\0\x10\0LO\0\0" * 2_000_000,
    "svg laughs": META + b"]><svg><metadata id='recipe'>&u;</metadata></svg>",
    "svg outside": b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]><svg><metadata id="recipe">&x;</metadata></svg>',
    "svg deep": b"<svg>" + b"<g>" * 1_000_000,
    "svg one tag": b"<svg " + b"a" * 6_000_000,
    "svg encoding": b'<?xml version="1.0" encoding="utf-99"?><svg></svg>',
    "html open": b'<html><meta name="recipe" content="' + b"&" * 3_000_000,
    "html entities": b'<html><meta name="recipe" content="' + b"&#" * 1_000_000 + b'">',
    "json deep": b'{"operation":' * 100_000,
    "json long number": b'{"operation":"a.b","x":' + b"9" * 100_000 + b"}",
    "json not finite": b'{"operation":"a.b","x":NaN}',
    "csv one quote": b'a,recipe\n"' + b"x,\n" * 2_000_000,
    "csv spaces": b"a,recipe\n" + b" " * 5_000_000,
    "fasta spaces": b">" + b" " * 5_000_000,
    "fasta not base64": b">a recipe=%%%%\nMK\n",
    "fasta not text": b">a recipe=_____w\nMK\n",
    "pdb remarks": b"HEADER\n" + b"REMARK 999 RECIPE !\n" * 200_000,
    "cif comments": b"data_x\n" + b"# recipe \n" * 400_000,
    "text of 100 MB": b"word " * (20 << 20),
    "commas of 100 MB": b"a,b,\n" * (20 << 20),
    "newlines": b"\n" * (30 << 20),
    "hdf5 junk": b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 40,
    "hdf5 zeros": b"\x89HDF\r\n\x1a\n" + b"\0" * 4096,
    "gzip bomb": b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + BOMB[2:-4],
    "nifti in gzip bomb": zlib.compress(nifti(1e9, 16) + b"\0" * (100 << 20), 1, 31),
    "nothing": b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_made_to_mislead(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(HOSTILE[name])
    start = time.process_time()
    with pytest.raises(UserError):
        read_stamp(tmp_path / "file")
    assert time.process_time() - start < ENDLESS


def test_memory_stays_small(tmp_path: Path) -> None:
    """What a bomb unpacks to, or a header claims, is never held: the process grows by little over what the libraries take."""
    import subprocess
    import sys

    words = ("bomb", "claims", "compressed", "GB", "MB", "far", "deflated")
    large = [name for name in HOSTILE if any(word in name for word in words)]
    assert len(large) > 12
    for number, name in enumerate(large):
        (tmp_path / f"{number:03d}").write_bytes(HOSTILE[name])
    code = """
import resource, sys
from pathlib import Path
from gen_core.errors import UserError
from gen_core.stamp import read_stamp
import h5py, numpy, pyarrow, numcodecs.blosc
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read_stamp(path)
    except UserError:
        pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 150 * 1024, "kilobytes"


def test_folders_that_hold_no_recipe(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_bytes(DEEP)
    with pytest.raises(InputError, match="damaged"):
        read_stamp(tmp_path)
    (tmp_path / "zarr.json").unlink()
    with pytest.raises(InputError, match="no recipe"):
        read_stamp(tmp_path)
    with pytest.raises(InputError, match="no file"):
        read_stamp(tmp_path / "missing")
