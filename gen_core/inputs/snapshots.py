"""Snapshots of particles that a user brings: a table (CSV, Parquet) or arrays (NPZ) of time, replica, particle, coordinates."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, read_limited, sniff
from gen_core.inputs.arrays import read_arrays
from gen_core.inputs.table import narrow

Array = np.ndarray
MAX_BYTES, MAX_VALUES, MAX_COLUMNS = 512 << 20, 60_000_000, 1_000
EXPECTED = (
    "a table (CSV or Parquet) with the columns time, replica, particle, x, y, or an NPZ with times and positions was expected"
)
WORDS = {  # how a column may be called
    "time": ("time", "t", "times"),
    "replica": ("replica", "sample", "replicate", "image", "field"),
    "particle": ("particle", "id", "particle_id", "defect", "label"),
    "charge": ("charge", "sign", "q"),
    "x": ("x", "x0", "pos_x", "position_x"),
    "y": ("y", "x1", "pos_y", "position_y"),
    "z": ("z", "x2", "pos_z", "position_z"),
}


@dataclass(frozen=True, eq=False)
class Rows:
    """One row a particle seen: times (m,), replicas and particles (m,) as whole numbers, positions (m, d), charges (m,) or None.

    `numbered` tells whether replicas were named in the file; where they were not, every particle is a replica of its own.
    """

    times: Array
    replicas: Array
    particles: Array
    positions: Array
    charges: Array | None
    numbered: bool


def read_snapshots(path: str | Path) -> Rows:
    """Snapshots in a file. Raises InputError where it is none, damaged, too large, or lacks a time or coordinates."""
    kind = sniff(path)
    if kind in ("csv", "text"):
        return _of_columns(_csv(path))
    if kind == "parquet":
        return _of_columns(_parquet(path))
    if kind == "npz":
        return _npz(path)
    raise InputError(f"This file holds no snapshots of particles; {EXPECTED}.")


def _csv(path: str | Path) -> dict[str, Array]:
    import pandas

    first = head(path, 4096).decode("utf-8-sig", "replace").splitlines()
    line = next((text for text in first if text.strip() and not text.startswith("#")), "")
    delimiter = max(",\t;", key=line.count)
    names = {name: _word(name) for name in (part.strip().strip('"') for part in line.split(delimiter))}
    content = read_limited(path, MAX_BYTES)
    if not narrow(content, delimiter, MAX_COLUMNS):
        raise InputError(f"This table has more than {MAX_COLUMNS:,} columns; {EXPECTED}.")
    try:
        frame = pandas.read_csv(
            io.BytesIO(content), sep=delimiter, comment="#", encoding="utf-8-sig", low_memory=False,
            usecols=lambda name: names.get(str(name).strip()) is not None,
        )  # fmt: skip
    except (ValueError, OverflowError, pandas.errors.ParserError, UnicodeDecodeError):
        raise InputError(f"This table cannot be read; {EXPECTED}.") from None
    return {str(name).strip(): frame[name].to_numpy() for name in frame.columns}


def _parquet(path: str | Path) -> dict[str, Array]:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(read_limited(path, MAX_BYTES)))
        chosen = [name for name in file.schema_arrow.names if _word(name)]
        if file.metadata.num_rows * max(len(chosen), 1) > MAX_VALUES:
            raise InputError(f"This table claims {file.metadata.num_rows:,} rows; at most {MAX_VALUES // 6:,} are read.")
        table = file.read(columns=chosen)
        return {name: table.column(name).to_numpy() for name in chosen}
    except (pyarrow.ArrowException, ValueError, OSError, KeyError):
        raise InputError("This Parquet file is damaged or cut short. Copy or save it again.") from None


def _of_columns(columns: dict[str, Array]) -> Rows:
    found: dict[str, Array] = {}
    for name, values in columns.items():
        word = _word(name)
        if word and word not in found:
            found[word] = _numbers(name, values, word in ("replica", "particle"))
    for word in ("time", "x"):
        if word not in found:
            raise InputError(f"This table has no column {word}; {EXPECTED}.")
    if "z" in found and "y" not in found:
        raise InputError("This table has a column z and none named y; name the coordinates x, y, z.")
    m = len(found["time"])
    if not m:
        raise InputError(f"This table has no rows; {EXPECTED}.")
    axes = [found[axis] for axis in "xyz" if axis in found]
    numbered = "replica" in found
    replicas = found["replica"] if numbered else found.get("particle", np.arange(m))
    particles = found["particle"] if numbered and "particle" in found else np.zeros(m, int)
    return Rows(found["time"].astype(float), replicas, particles, np.stack(axes, 1).astype(float), found.get("charge"), numbered)


def _npz(path: str | Path) -> Rows:
    found = read_arrays(path, {"times", "positions", "charges", "time", "replica", "particle", "x", "y", "z", "charge"})
    if "positions" not in found:
        if "x" in found:
            if len({values.shape for values in found.values()}) > 1 or found["x"].ndim != 1:
                raise InputError("The arrays time, replica, particle, x, y of this file must be of one length.")
            return _of_columns({k: v for k, v in found.items() if k not in ("times", "charges")})
        raise InputError(f"This file has no array positions; {EXPECTED}.")
    positions, times = found["positions"].astype(float), found.get("times", found.get("time"))
    if times is None:
        raise InputError("This file has no array times; one time for each snapshot in positions was expected.")
    if positions.ndim == 3:
        positions = positions[:, :, None, :]
    if positions.ndim != 4 or not 1 <= positions.shape[-1] <= 3:
        raise InputError(
            "positions must be (times, replicas, d) or (times, replicas, particles, d) with d of 1 to 3, "
            f"not {' x '.join(map(str, found['positions'].shape))}."
        )
    K, n, N, d = positions.shape
    if times.shape != (K,):
        raise InputError(f"positions holds {K} snapshots and times {times.size}; they must be as many.")
    charges = found.get("charges", found.get("charge"))
    if charges is not None:
        if charges.shape != (N,):
            raise InputError(f"charges must hold one number for each of the {N} particles of a replica.")
        charges = np.tile(charges.astype(float), K * n)
    at = np.repeat(times.astype(float), n * N)
    replicas = np.tile(np.repeat(np.arange(n), N), K)
    flat = positions.reshape(-1, d)
    gone = np.isnan(flat).all(1)  # how an array says that a replica has fewer particles
    if gone.any() and not gone.all() and N > 1:
        keep = ~gone
        return Rows(
            at[keep], replicas[keep], np.tile(np.arange(N), K * n)[keep], flat[keep],
            None if charges is None else charges[keep], True,
        )  # fmt: skip
    return Rows(at, replicas, np.tile(np.arange(N), K * n), flat, charges, True)


def _numbers(name: str, values: Array, labels: bool) -> Array:
    if values.dtype.kind in "iuf":
        return values
    if labels:
        import pandas

        words = np.array([str(value) for value in values.tolist()], dtype=object)  # of one width, all would be as the longest
        return np.asarray(pandas.factorize(words, sort=True)[0])
    try:
        return values.astype(float)
    except (ValueError, TypeError):
        raise InputError(f"The column {name[:30]!r} holds words; numbers were expected.") from None


def _word(name: str) -> str | None:
    """What a column is, by its name; a unit in brackets or behind an underscore does not count."""
    plain = re.sub(r"\s*[\[(].*$", "", name.strip().lower())
    for word, names in WORDS.items():
        if plain in names or re.sub(r"_(um|µm|nm|mm|m|s|ms|min|h|px)$", "", plain) in names:
            return word
    return None
