"""What was found as files of the field: fields and scores as NPZ, coefficients and curves as CSV, the ensemble as GIF."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, stamp, write_csv

if TYPE_CHECKING:
    from gen_core.defects.infer import Inferred

Array = np.ndarray
Writer = Callable[[Path], None]
CELLS = 41  # of the grid of the drift along a side
SHOWN = 600  # particles in the film


def writers(recipe: Recipe, made: Inferred) -> dict[str, Writer]:
    """drift.npz, score.npz, coefficients.csv, tests.csv, ensemble.gif, and for pairs pair_force.csv."""
    files: dict[str, Writer] = {
        "drift.npz": lambda path: arrays(path, recipe, **drift(made)),
        "score.npz": lambda path: arrays(path, recipe, **scores(made)),
        "coefficients.csv": lambda path: write_csv(path, recipe, *coefficients(made)),
        "estimates.csv": lambda path: write_csv(path, recipe, *estimates(made)),
    }
    if made.pair:
        files["pair_force.csv"] = lambda path: write_csv(path, recipe, *pair_forces(made))
    if made.snapshots.d == 2:
        files["ensemble.gif"] = lambda path: film(path, recipe, made)
    return files


def arrays(path: Path, recipe: Recipe, **values: Array) -> None:
    """Arrays (numbers as float32, names as they are), with the recipe as a member."""
    plain = {k: np.asarray(v, np.float32) if np.asarray(v).dtype.kind == "f" else np.asarray(v) for k, v in values.items()}
    np.savez_compressed(path, **plain, recipe=npz_member(recipe))  # type: ignore[arg-type]


def drift(made: Inferred) -> dict[str, Array]:
    """`positions` (m, d) on a grid over the data and the one-particle `drift` (m, d) there, with `truth` where it is known; D and
    its interval, weights by name and their bootstrap draws; for pairs the laws over `r`."""
    found = made.snapshots
    out: dict[str, Array] = {"times": found.times, "change_test": np.array(made.verdict.change)}
    if made.library is None:
        return out
    first = made.estimates[0]
    out |= {"names": np.array(made.library.names), "weights": first.theta, "j_test": np.array(made.verdict.j_test)}
    if not made.ratio:
        out["D"] = np.array(first.D)
    if first.draws is not None:
        out["weights_draws"] = first.draws[:, :-1]
        if not made.ratio:
            out["D_interval"] = np.quantile(first.draws[:, -1], [0.025, 0.975])
    at = grid(made)
    out["positions"] = at[:, 0]
    out["drift"] = alone(made)(at)[:, 0]
    world = found.world
    if world is not None and found.particles == 1:
        out["truth"] = world.force(at)[:, 0] / (world.D if made.ratio else 1.0)
    elif world is not None:
        out["truth"] = -world.known["trap"] * at[:, 0]
    for kind, law in made.pair.items():
        out |= {f"pair_{kind}_r": law.r, f"pair_{kind}": law.fitted, f"pair_{kind}_band": law.band}
        if law.truth is not None:
            out[f"pair_{kind}_truth"] = law.truth
    return out


def alone(made: Inferred) -> Callable[[Array], Array]:
    """The fitted force on a single particle (n, 1, d): of a pair library that of the trap."""
    from gen_core.defects.pair_libraries import PairLibrary

    library, theta = made.library, made.estimates[0].theta
    assert library is not None
    single = library.trap if isinstance(library, PairLibrary) else library
    weights = theta[: len(single.names)]
    return lambda x: (single.forces(x) @ weights).reshape(x.shape)


def grid(made: Inferred, cells: int = CELLS) -> Array:
    """Positions (m, 1, d) on a grid over the middle of the data."""
    low, high = made.snapshots.span
    count = cells if made.snapshots.d < 3 else 15
    axes = [np.linspace(a, b, count) for a, b in zip(low, high, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 1, made.snapshots.d)


def scores(made: Inferred) -> dict[str, Array]:
    """`score` (K, n, N, d) at up to 500 `positions` of each snapshot; in two dimensions also the maps over a grid."""
    found = made.snapshots
    out: dict[str, Array] = {"times": found.times}
    if made.score is None:
        return out
    n = min(500, found.n)
    out["positions"] = np.array([x[:n] for x in found.positions])
    out["score"] = np.array([made.score.at(x[:n], float(t)) for x, t in zip(found.positions, found.times, strict=True)])
    if made.maps is not None:
        m = made.maps
        out |= {
            "map_x": m.x, "map_y": m.y, "map_times": m.times, "map_score": m.score, "map_log_density": m.log_density,
            "map_change": m.change, "map_expected_change": m.expected,
        }  # fmt: skip
    if made.check is not None:
        c = made.check
        out |= {"fokker_planck_difference": c.difference, "entropy_production_rate": c.entropy, "flow": c.flow}
    return out


def coefficients(made: Inferred) -> tuple[list[str], list[list[Any]]]:
    """The weight of each term in the data's own lengths, about the centre, with its 95 % interval."""
    rows: list[list[Any]] = []
    if made.library is not None:
        first = made.estimates[0]
        values = np.append(first.theta * made.library.per_unit, first.D)
        ends = [["", ""]] * len(values)
        if first.draws is not None:
            low, high = np.quantile(first.draws, [0.025, 0.975], axis=0) * np.append(made.library.per_unit, 1.0)
            ends = [[f"{end:.6g}" for end in sorted(pair)] for pair in zip(low, high, strict=True)]
        names = [*made.library.names, "D"][: len(values) - made.ratio]
        rows += [[name, f"{value:.6g}", *end] for name, value, end in zip(names, values, ends, strict=False)]
        rows += [[f"centre {'xyz'[i]}", f"{value:.6g}", "", ""] for i, value in enumerate(made.snapshots.centre)]
    return ["term", "weight", "low", "high"], rows


def estimates(made: Inferred) -> tuple[list[str], list[list[Any]]]:
    """Every estimate of D, and the error of each drift where the truth is known."""
    from gen_core.defects.judged import against_truth

    rows = []
    for one in (*made.estimates, *made.baselines):
        told = against_truth(one, made)
        values = [told.get(name) for name in ("D", "D_error", "drift_error")]
        rows.append([one.name, *("" if not isinstance(v, float) else f"{v:.6g}" for v in values)])
    return ["estimator", "D", "D_error", "drift_error"], rows


def pair_forces(made: Inferred) -> tuple[list[str], list[list[Any]]]:
    """The laws of the distance with their bands."""
    rows = []
    for kind, law in made.pair.items():
        for i, r in enumerate(law.r):
            truth = "" if law.truth is None else f"{law.truth[i]:.6g}"
            rows.append([kind, f"{r:.6g}", f"{law.fitted[i]:.6g}", f"{law.band[0, i]:.6g}", f"{law.band[1, i]:.6g}", truth])
    return ["pairs", "r", "force", "low", "high", "truth"], rows


def film(path: Path, recipe: Recipe, made: Inferred, size: int = 320) -> None:
    """The ensemble in time as a GIF, particles as dots of two pixels, one frame a snapshot."""
    from PIL import Image

    from gen_core import palette

    low, high = made.snapshots.span
    wide = float((high - low).max()) * 1.1
    corner = (low + high) / 2 - wide / 2
    paper, ink = (tuple(int(palette.role(name)[i : i + 2], 16) for i in (1, 3, 5)) for name in ("paper", "observed"))
    frames = []
    for x in made.snapshots.positions:
        image = np.full((size, size, 3), paper, np.uint8)
        at = ((x.reshape(-1, 2)[:SHOWN] - corner) / wide * size).astype(int)
        at = at[((at >= 0) & (at < size - 1)).all(1)]
        for dx in (0, 1):
            for dy in (0, 1):
                image[size - 2 - at[:, 1] + dy, at[:, 0] + dx] = ink
        frames.append(Image.fromarray(image).quantize(4))
    frames[0].save(path, "GIF", save_all=True, append_images=frames[1:], duration=160, loop=0, optimize=False)
    stamp(path, recipe)


def positions(x: Array, time: float) -> tuple[list[str], list[list[Any]]]:
    """Configurations (n, N, d) as a table that the instrument reads again."""
    n, N, d = x.shape
    rows = [[f"{time:g}", i, j, *(f"{v:.6g}" for v in x[i, j])] for i in range(n) for j in range(N)]
    return ["time", "replica", "particle", *"xyz"[:d]], rows
