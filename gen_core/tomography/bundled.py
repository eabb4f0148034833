"""Slices as files: synthetic ones for whoever wants to look at them, and the real one that comes with pydicom."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gen_core import store
from gen_core.inputs.archive import pack
from gen_core.tomography import phantoms

COUNT = 64


def thorax() -> Path:
    """A zip of 64 synthetic chest slices in Hounsfield units, 128 x 128, one NPY each."""
    return _zip("thorax")


def wide() -> Path:
    """The same of chests, bellies and heads."""
    return _zip("wide")


def _zip(kind: str) -> Path:
    import io

    path = store.home() / "made" / f"synthetic-{kind}.zip"
    if not path.is_file():
        parts: list[tuple[str, bytes]] = []
        for seed in range(COUNT):
            out = io.BytesIO()
            np.save(out, phantoms.hounsfield(phantoms.image(phantoms.phantom(kind, seed), 128)))
            parts.append((f"synthetic_{kind}_{seed}.npy", out.getvalue()))
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_bytes(pack(parts).getvalue())
        partial.replace(path)
    return path


def ct_small() -> Path:
    """The slice CT_small.dcm in the folder of the installed pydicom."""
    import pydicom

    return Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"
