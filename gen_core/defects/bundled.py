"""Bundled snapshots as a file, for whoever wants to look at them or give them to another tool."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from gen_core import store
from gen_core.defects import data
from gen_core.defects.recipe import BUNDLED


def _file(name: str) -> Path:
    """An NPZ of times (K,) and positions (K, n, N, d), made once."""
    import numpy as np

    path = store.home() / "made" / f"defects-{name.replace('_', '-')}.npz"
    if not path.is_file():
        found = data.made(name, BUNDLED[name][0], 3 if name.startswith("appex") else 11)
        path.parent.mkdir(parents=True, exist_ok=True)
        more = {} if found.charges is None else {"charges": found.charges}
        partial_path = path.with_suffix(".partial.npz")
        np.savez_compressed(partial_path, times=found.times, positions=np.array(found.positions, np.float32), **more)  # type: ignore[arg-type]
        partial_path.replace(path)
    return path


double_well = partial(_file, "double_well")
rotating = partial(_file, "rotating")
stationary = partial(_file, "stationary")
pairs = partial(_file, "pairs")
pairs_signed = partial(_file, "pairs_signed")
appex_poly = partial(_file, "appex_poly")
appex_styblinski_tang = partial(_file, "appex_styblinski_tang")
appex_bohachevsky = partial(_file, "appex_bohachevsky")
appex_wavy_plateau = partial(_file, "appex_wavy_plateau")
appex_oakley_ohagan = partial(_file, "appex_oakley_ohagan")
