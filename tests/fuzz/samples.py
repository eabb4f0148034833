"""One small good file of each format for each reader, made by the libraries of the formats; the same bytes each time."""

from __future__ import annotations

import gzip
import json
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from tests import dicoms
from tests.fuzz.mutate import packed

Files = dict[str, bytes]
RNG = np.random.default_rng


def made(name: str, write: Callable[[Path], object]) -> bytes:
    """The bytes of a file that a library writes to a path."""
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        path = Path(folder) / name
        write(path)
        return path.read_bytes()


def zipped(files: Files) -> bytes:
    return packed([(name, content, 0o100644 << 16) for name, content in files.items()])


def npy(values: Any) -> bytes:
    return made("a.npy", lambda path: np.save(path, values))


def npz(**values: Any) -> bytes:
    return zipped({f"{name}.npy": npy(value) for name, value in values.items()})


def _grey(side: int = 24) -> np.ndarray:
    y, x = np.mgrid[:side, :side] / side
    return (60 + 120 * np.exp(-((x - 0.5) ** 2 + (y - 0.4) ** 2) / 0.05) + 20 * x).astype(np.uint8)


def images() -> Files:
    import tifffile
    from PIL import Image

    grey = Image.fromarray(_grey())
    colour = Image.fromarray(np.stack([_grey(), _grey()[::-1], _grey().T], 2))
    frames = [colour.quantize(16), colour.transpose(Image.Transpose.ROTATE_90).quantize(16)]

    def saved(name: str, image: Any, **options: Any) -> bytes:
        return made(name, lambda path: image.save(path, **options))

    def tiff(values: np.ndarray, **options: Any) -> bytes:
        return made("a.tif", lambda path: tifffile.imwrite(path, values, **options))

    wide = _grey().astype(np.uint16) * 250
    return {
        "a.png": saved("a.png", colour),
        "grey.png": saved("a.png", grey),
        "alpha.png": saved("a.png", colour.convert("RGBA")),
        "palette.png": saved("a.png", frames[0], transparency=0),
        "wide.png": saved("a.png", Image.fromarray(wide)),
        "a.jpg": saved("a.jpg", colour),
        "progressive.jpg": saved("a.jpg", colour, progressive=True, exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0"),
        "a.gif": saved("a.gif", frames[0], save_all=True, append_images=frames[1:]),
        "a.bmp": saved("a.bmp", colour),
        "a.webp": saved("a.webp", colour),
        "a.tif": tiff(np.asarray(colour), photometric="rgb"),
        "packed.tif": tiff(wide, compression="zlib"),
        "pages.tif": tiff(np.stack([wide, wide[::-1]]), photometric="minisblack"),
        "real.tif": tiff(_grey().astype(np.float32), byteorder=">", bigtiff=True),
        "lzw.tif": saved("a.tif", colour, compression="tiff_lzw"),
    }


def dicom() -> Files:
    from pydicom.uid import ImplicitVRLittleEndian, RLELossless

    slices = [dicoms.saved(image) for image in dicoms.series(3)]
    implicit = dicoms.ct()
    implicit.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    packed_pixels = dicoms.ct()
    packed_pixels.compress(RLELossless, generate_instance_uid=False)
    frames = dicoms.ct(np.stack([dicoms.STORED, dicoms.STORED[::-1]]))
    return {
        "a.dcm": slices[0],
        "bare.dcm": dicoms.saved(dicoms.ct(), bare=True),
        "implicit.dcm": dicoms.saved(implicit),
        "rle.dcm": dicoms.saved(packed_pixels),
        "frames.dcm": dicoms.saved(frames),
        "series.zip": zipped({f"{i}.dcm": one for i, one in enumerate(slices)}),
    }


def nifti() -> Files:
    import nibabel

    values = (RNG(1).normal(0, 30, (12, 10, 3)) - 200).astype(np.int16)

    def image(version: int) -> bytes:
        made_of = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
        one = made_of(values, np.diag([2.0, 2.0, 3.0, 1.0]))
        one.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"Doe^Jane"))
        one.header["descrip"] = b"Doe^Jane"
        return made("a.nii", lambda path: nibabel.save(one, path))

    return {"a.nii": image(1), "two.nii": image(2), "a.nii.gz": gzip.compress(image(1), 1, mtime=0)}


def arrays() -> Files:
    values = RNG(2).normal(0, 30, (3, 12, 12)).astype(np.float32)
    return {
        "a.npy": npy(values),
        "fortran.npy": npy(np.asfortranarray(values[0])),
        "a.npz": npz(image=values, other=np.arange(5)),
        "plain.npz": npz(first=values[0], second=values.astype(">i2")),
    }


def volume() -> Files:
    some = images()
    return (
        dicom() | nifti() | arrays() | {name: some[name] for name in ("a.png", "wide.png", "pages.tif", "packed.tif", "real.tif")}
    )


def stacks() -> Files:
    parts, some = nifti() | arrays(), images()
    mixed = zipped({"x/a.nii.gz": parts["a.nii.gz"], "x/b.npy": parts["a.npy"], "x/c.png": some["a.png"], "x/d.txt": b"text"})
    return {"mixed.zip": mixed, "series.zip": dicom()["series.zip"], "a.npz": parts["plain.npz"], "a.nii": parts["a.nii"]}


def picture_zips() -> Files:
    some = images()
    return {
        "a.zip": zipped(
            {f"photos/{name}": some[name] for name in ("a.png", "a.jpg", "a.tif", "a.gif")} | {"photos/notes.txt": b"x"}
        ),
        "few.zip": zipped({f"{i}.png": some["grey.png"] for i in range(3)}),
    }


def cells() -> Files:
    from tests.cells import layouts

    def h5ad(write: Callable[[Path], object]) -> bytes:
        return made("a.h5ad", write)

    files = {f"{write.__name__}.h5ad": h5ad(write) for write in layouts.H5AD}
    members: Files = {}
    made("a.zip", lambda path: layouts.market(path, members.update))
    plain = {name.removesuffix(".gz"): gzip.decompress(one) if name.endswith(".gz") else one for name, one in members.items()}
    return files | {"tenx.h5": made("a.h5", layouts.tenx), "packed.zip": zipped(members), "plain.zip": zipped(plain)}


def gene_sets() -> Files:
    lines = [f"SET_{i}\thttp://example.org/{i}\t" + "\t".join(f"GENE{i + k}" for k in range(5)) for i in range(6)]
    return {"a.gmt": "\n".join(lines).encode()}


def sequences() -> Files:
    rows = ["MKVLLA-GHT", "MKILLAVGHS", "MR-LLAVGHT", "MKVLFAVG-T"]
    fasta = "".join(f">seq{i}/1-10 a protein\n{row}\n" for i, row in enumerate(rows)).encode()
    a2m = b">one\nMKVaaLL-A\n>two\nMRV..LLGA\n>three\nM-VacLLGA\n"
    stockholm = "# STOCKHOLM 1.0\n#=GF ID a family\n" + "".join(f"seq{i}/1-10  {row}\n" for i, row in enumerate(rows))
    stockholm += "#=GC RF     xxxxxxxxxx\n//\n"
    plain = b">p1\nMKVLLAGHTWYDE\nACDEF\n>p2 other\nMKILLAVGHS\n"
    return {
        "a.fasta": fasta,
        "a.a2m": a2m,
        "a.sto": stockholm.encode(),
        "plain.fa": plain,
        "a.fasta.gz": gzip.compress(fasta, 1, mtime=0),
    }


def labels() -> Files:
    by_sequence = "sequence,value,other\n" + "".join(f"MKV{'ACDEFG'[i]}LA,{i / 3:.2f},x\n" for i in range(6))
    by_mutation = "mutant;score\n" + "".join(f"A{i}G:C{i + 3}D;{i - 2.5}\n" for i in range(1, 7))
    by_name = "id\tfitness\tcount\n" + "".join(f"seq{i}\t{i * 1.5}\t{i}\n" for i in range(6))
    tables = {"a.csv": by_sequence, "b.csv": by_mutation, "c.tsv": by_name}
    files = {name: text.encode() for name, text in tables.items()}
    return files | {"a.csv.gz": gzip.compress(files["a.csv"], 1, mtime=0)}


def structures() -> Files:
    import biotite.structure as struc
    from biotite.structure.io import pdb, pdbx

    residues = ["ALA", "GLY", "LYS", "MSE", "SER", "TRP", "VAL", "LEU", "ASP", "THR", "CYS", "PRO"]
    count = len(residues)
    atoms = struc.AtomArray(4 * count)
    atoms.chain_id, atoms.res_id = np.repeat(["A", "B"], 2 * count), np.repeat(np.arange(1, count + 1), 4)
    atoms.res_name = np.repeat(residues, 4)
    atoms.atom_name, atoms.element = np.tile(["N", "CA", "C", "O"], count), np.tile(["N", "C", "C", "O"], count)
    steps = np.array([[0.0, 0, 0], [1.46, 0, 0], [2.0, 1.4, 0], [1.2, 2.3, 0]])
    atoms.coord = (steps + np.arange(count)[:, None, None] * [2.9, 1.1, 0.4]).reshape(-1, 3).astype(np.float32)

    def as_pdb(path: Path) -> None:
        file = pdb.PDBFile()
        file.set_structure(atoms)
        file.write(path)

    def as_cif(path: Path) -> None:
        file = pdbx.CIFFile()
        pdbx.set_structure(file, atoms)
        file.write(path)

    files = {"a.pdb": made("a.pdb", as_pdb), "a.cif": made("a.cif", as_cif)}
    return files | {f"{name}.gz": gzip.compress(content, 1, mtime=0) for name, content in files.items()}


def sinograms() -> Files:
    import scipy.io

    values, angles, some = RNG(3).random((24, 16)), np.arange(24) * 7.5, images()
    parameters = {"distanceSourceDetector": 553.74, "distanceSourceOrigin": 410.66, "pixelSizePost": 0.2, "angles": angles}
    data = {"CtDataFull": {"type": "2D", "sinogram": values, "parameters": parameters}}

    def matlab(packing: bool) -> bytes:
        # scipy writes the time of day into the first 116 bytes
        text = made("a.mat", lambda path: scipy.io.savemat(path, data, do_compression=packing))
        return b"MATLAB 5.0 MAT-file".ljust(116) + text[116:]

    return {
        "a.npz": npz(sinogram=values, angles=angles, detector_spacing=0.4, source_origin=400.0, origin_detector=150.0),
        "a.npy": npy(values.astype(np.float32)),
        "a.mat": matlab(True),
        "plain.mat": matlab(False),
        "a.tif": some["real.tif"],
        "a.png": some["wide.png"],
    }


def snapshots() -> Files:
    import pandas as pd

    rng = RNG(4)
    rows = [(t, r, p, *rng.normal(0, 1, 2)) for t in (0.0, 0.5, 1.0) for r in range(105) for p in range(2)]
    frame = pd.DataFrame(rows, columns=["time", "replica", "particle", "x", "y"]).round(4)
    return {
        "a.csv": frame.to_csv(index=False).encode(),
        "a.tsv": frame.to_csv(index=False, sep="\t").encode(),
        "a.parquet": made("a.parquet", lambda path: frame.to_parquet(path, compression=None)),
        "packed.parquet": made("a.parquet", lambda path: frame.to_parquet(path, compression="gzip")),
        "a.npz": npz(times=np.arange(3.0), positions=rng.normal(0, 1, (3, 210, 2))),
    }


def fields() -> Files:
    rho, some = RNG(5).normal(0, 1, (12, 12)).round(3), images()
    text = "\n".join(",".join(map(str, row)) for row in rho)
    return {
        "a.npy": npy(rho),
        "a.npz": npz(rho=rho.astype(np.float32), other=np.zeros(3)),
        "a.csv": text.encode(),
        "a.txt": text.replace(",", " ").encode(),
        "a.png": some["grey.png"],
        "a.tif": some["real.tif"],
    }


def hits() -> Files:
    import h5py

    values = (RNG(6).random((80, 4, 12)) < 0.2).astype(np.uint8)

    def hdf5(path: Path) -> None:
        with h5py.File(path, "w") as file:
            file.create_dataset("events/hits", data=values, compression="gzip")
            file["other"] = np.arange(4)

    files = {"a.npz": npz(hits=values), "a.npy": npy(values.astype(bool)), "a.h5": made("a.h5", hdf5)}
    try:
        import uproot
    except ImportError:
        return files

    def root(path: Path) -> None:
        with uproot.recreate(path, uuid_function=lambda: uuid.UUID(int=7)) as file:
            file.mktree("events", {"hits": ("u1", values.shape[1:])}).extend({"hits": values})

    with mock.patch("uproot._util.datetime_to_code", return_value=7):  # it writes the time of day
        return files | {"a.root": made("a.root", root)}


def exported() -> Files:
    """Every format that carries a recipe, with one of an instrument."""
    from gen_core import catalog
    from gen_core.stamp import stamp
    from tests.test_stamp import SAMPLES

    recipe = catalog.make_recipe("images.sample", {})
    files = {}
    for name, (make, _) in SAMPLES.items():
        if name.endswith(".zarr"):
            continue  # a folder, which cannot be dropped on a page

        def write(path: Path, make: Callable[[Path], None] = make) -> None:
            make(path)
            stamp(path, recipe)

        files[name] = made(name, write)
    text = recipe.json(indent=1).encode()
    return files | {"runs.zip": zipped({f"run {i}/recipe.json": text for i in range(3)} | {"run 1/a.csv": b"a,b\n1,2\n"})}


def recipes() -> Files:
    """One recipe of each operation of the catalogue that has one without more being said, as a document and as a link."""
    from gen_core import catalog
    from gen_core.errors import UserError

    files = {}
    for operation in catalog.OPERATIONS:
        try:
            recipe = catalog.make_recipe(operation.name, {})
        except UserError:
            continue
        files[f"{operation.name}.json"], files[f"{operation.name}.link"] = recipe.json().encode(), recipe.query().encode()
    return files


def weights() -> Files:
    from gen_core import checkpoint

    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        from safetensors.numpy import save_file

        path = Path(folder) / "weights"
        save_file({"w": np.arange(12, dtype=np.float32).reshape(3, 4), "b": np.ones(3, np.float16)}, path)
        tensors = path.read_bytes()
    card = dict.fromkeys(checkpoint.NEEDED, "") | {"system": "cells", "metrics": {}, "baselines": {}, "seconds": 1}
    return {"model": json.dumps(card | {"name": "a model", "sha256": "SHA256"}).encode() + b"\n" + tensors}


def kinds() -> Files:
    return images() | nifti() | arrays() | labels() | structures() | sequences() | {"a.zip": zipped({"x.txt": b"x"})}


SAMPLES: dict[str, Callable[[], Files]] = {
    "kind of file": kinds,
    "picture": images,
    "zip of pictures": picture_zips,
    "cells": cells,
    "gene sets": gene_sets,
    "sequences": sequences,
    "labels": labels,
    "structure": structures,
    "volume": volume,
    "stacks": stacks,
    "sinogram": sinograms,
    "snapshots": snapshots,
    "field": fields,
    "hits": hits,
    "kept without names": lambda: dicom() | nifti() | {"volumes.zip": zipped({f"doe/{n}": c for n, c in nifti().items()})},
    "exported file": exported,
    "recipe and link": recipes,
    "weights": weights,
}
