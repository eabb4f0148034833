"""Hit patterns of a detector that a user brings: events x layers x channels of 0 and 1, in NPZ, NPY, HDF5 or ROOT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, human_size, sniff
from gen_core.inputs.arrays import read_arrays
from gen_core.inputs.hdf5 import open_hdf5

Array = np.ndarray
NAMES = ("hits", "events", "patterns", "x", "data")  # that a file is asked for, in this order
MAX_VALUES = 1 << 30
LAYERS, CHANNELS, LEAST = (2, 16), (8, 64), 64
EXPECTED = "an array hits of events x layers x channels, each 0 or 1, was expected (NPZ, HDF5 or ROOT)"
ROOT = b"root"


def read_hits(path: str | Path) -> Array:
    """Patterns (n, layers, channels) uint8. Raises InputError, one sentence, where a file holds none."""
    path = Path(path)
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind in ("npy", "npz", "zip"):
        found = read_arrays(path, NAMES, MAX_VALUES)
        if not found:
            raise InputError(f"This file holds no array named hits; {EXPECTED}.")
        return checked(next(found[name] for name in ("", *NAMES) if name in found))
    if kind == "hdf5":
        return checked(_hdf5(path))
    if head(path, 4) == ROOT:
        return checked(_root(path))
    raise InputError(f"This file holds no hit patterns; {EXPECTED}.")


def checked(values: Array) -> Array:
    """The patterns as uint8. Raises InputError where the array has another shape or holds anything but 0 and 1."""
    if values.ndim != 3:
        shape = " x ".join(map(str, values.shape)) or "one number"
        raise InputError(f"hits has the shape {shape}; three dimensions are needed: events, layers, channels.")
    n, layers, channels = values.shape
    if not (LAYERS[0] <= layers <= LAYERS[1] and CHANNELS[0] <= channels <= CHANNELS[1]):
        raise InputError(
            f"hits has {layers} layers of {channels} channels; {LAYERS[0]} to {LAYERS[1]} layers of {CHANNELS[0]} to "
            f"{CHANNELS[1]} channels are read. Is it events x layers x channels?"
        )
    if n < LEAST:
        raise InputError(f"hits holds {n} events; at least {LEAST} are needed.")
    if values.dtype.kind not in "biuf":
        raise InputError(f"hits holds {values.dtype.name[:20]}, not 0 and 1.")
    wrong = (values != 0) & (values != 1)
    if wrong.any():
        seen = values[wrong].ravel()[0]
        raise InputError(f"hits holds {seen:g}, and only 0 and 1 are hit patterns; compare signals with a threshold first.")
    out = np.array(values, np.uint8, order="C")  # of its own: what is read from a file may not be written to
    if not out.any():
        raise InputError("hits holds no hit at all; are these the right data?")
    return out


def _hdf5(path: Path) -> Array:
    import h5py

    with open_hdf5(path) as file:
        names: dict[str, str] = {}  # the last part of each data set's path, in any group; the shortest path first
        found: list[str] = []
        file.visititems(lambda place, one: found.append(place) if isinstance(one, h5py.Dataset) else None)
        for place in sorted(found, key=lambda place: (place.count("/"), place)):
            names.setdefault(place.rpartition("/")[2].lower(), place)
        name = next((names[want] for want in NAMES if want in names), None)
        if name is None:
            raise InputError(f"This HDF5 file holds no data set hits; {EXPECTED}.")
        data = file[name]
        if data.shape is None or data.dtype.kind not in "biuf":
            raise InputError(f"The data set {name[:30]!r} holds no plain numbers; {EXPECTED}.")
        if data.nbytes > MAX_VALUES:
            raise InputError(
                f"The data set {name[:30]!r} claims {human_size(data.nbytes)}; at most {human_size(MAX_VALUES)} are read."
            )
        return np.asarray(data[()])


def _root(path: Path) -> Array:
    """The first branch named hits of any tree (or RNTuple): a fixed array of layers x channels for each event."""
    try:
        import uproot
    except ImportError:
        raise InputError(
            "This is a ROOT file, and uproot, which reads it, is not installed: install uproot, or save hits as NPZ."
        ) from None
    try:
        with uproot.open(path) as file:
            for key in file.keys(filter_classname=["TTree", "ROOT::RNTuple"]):
                branches: dict[str, Any] = {name.lower(): branch for name, branch in file[key].items()}
                for want in NAMES:
                    if want in branches:
                        branch = branches[want]
                        size = int(getattr(branch, "uncompressed_bytes", 0) or getattr(branch, "num_entries", 0))
                        if size > 8 * MAX_VALUES:
                            raise InputError(f"This branch claims {human_size(size)}, more than is read.")
                        values = branch.array(library="np")
                        if values.dtype.hasobject:
                            raise InputError(
                                f"The branch {want} holds lists of varying length; a fixed array of layers x channels is needed."
                            )
                        return np.asarray(values)
    except InputError:
        raise
    except Exception:  # uproot raises anything on a damaged file
        raise InputError("This ROOT file is damaged or cannot be read. Copy or save it again.") from None
    raise InputError(f"This ROOT file holds no branch hits; {EXPECTED}.")
