"""Where in the latent space is sampled: the prior, around all or some naturals, around sequences or a point, along a path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gen_core.errors import RecipeError
from gen_core.latent.maps import inside
from gen_core.latent.paths import lerp
from gen_core.proteins.atlas import atlas_of
from gen_core.proteins.family import place_row
from gen_core.proteins.model import posterior, probabilities
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.recipe import Region, Sample, Spot

Array = np.ndarray
CANDIDATES = 8  # latent points drawn for each sample where positions are locked
MOST_CANDIDATES = 50_000


@dataclass(frozen=True, eq=False)
class Locks:
    """columns (m,) of a model that keep the residues codes (m,)."""

    columns: Array
    codes: Array


def locks_of(recipe: Sample, model: FamilyModel) -> Locks:
    """The locked columns, by the residue numbers of the recipe's anchor. Raises RecipeError where one is in no column."""
    if not recipe.locks or recipe.anchor is None:
        return Locks(np.zeros(0, int), np.zeros(0, np.uint8))
    field = "reference" if recipe.reference is not None else "around"
    codes, numbers = place_row(model.profile, model.columns, model.width, recipe.anchor, field)
    columns = []
    for position in sorted(set(recipe.locks)):
        place = position - recipe.reference_offset
        where = np.flatnonzero((numbers == place) & (numbers > 0))
        if not len(where):
            last = int(numbers.max()) + recipe.reference_offset
            raise RecipeError(
                f"locks: residue {position} of the {field} sequence stands in no column of the family (those up to {last} may)."
            )
        columns.append(int(where[0]))
    return Locks(np.array(columns), codes[columns])


def points(recipe: Sample, model: FamilyModel, locks: Locks, rng: np.random.Generator) -> tuple[Array, Array]:
    """Latent points (n, k), and the step of the path (n,) that each belongs to (0 without a path).

    Raises RecipeError where a latent vector has not as many coordinates as the model has dimensions, InputError where a
    sequence is not of the family.
    """
    n, steps = recipe.n, np.zeros(recipe.n, int)
    if recipe.path is not None:
        ends = [_end(end, model) for end in recipe.path]
        way = lerp(ends[0], ends[1], np.linspace(0, 1, recipe.steps))
        steps = np.arange(n) * recipe.steps // n
        return np.asarray(way[steps], np.float32), steps + 1
    if isinstance(recipe.around, Spot):
        centre = _vector(recipe.around.z, model)
        direction = rng.standard_normal((n, model.latent_dim))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        length = recipe.around.radius * rng.random((n, 1)) ** (1 / model.latent_dim)  # evenly in the ball
        return np.asarray(centre + direction * length, np.float32), steps
    if isinstance(recipe.around, tuple) or (isinstance(recipe.around, str) and recipe.around != "naturals"):
        rows = recipe.around if isinstance(recipe.around, tuple) else (recipe.around,)
        codes = np.stack([place_row(model.profile, model.columns, model.width, row, "around")[0] for row in rows])
        means, spreads = posterior(model.net, codes)
        which = np.arange(n) % len(rows)
        return _around(means[which], spreads[which], recipe.radius, rng), steps
    count = n if not len(locks.columns) else min(CANDIDATES * n, max(MOST_CANDIDATES, n))
    if recipe.around == "naturals" or isinstance(recipe.around, Region):
        there = _inside(recipe.around, model) if isinstance(recipe.around, Region) else np.arange(len(model.codes.weights))
        shares = model.codes.weights[there].astype(np.float64)
        which = there[rng.choice(len(there), count, p=shares / shares.sum())]
        z = _around(model.codes.means[which], model.codes.spreads[which], recipe.radius, rng)
    else:
        z = model.prior.sample(count, rng)
    return (z if not len(locks.columns) else _given(z, n, model, locks, rng)), steps


def _given(z: Array, n: int, model: FamilyModel, locks: Locks, rng: np.random.Generator) -> Array:
    """n of the latent points z (m, k), drawn by how likely they make the locked residues: the rest then fits to them."""
    log_p = np.zeros(len(z))
    for start in range(0, len(z), 4_096):
        p = probabilities(model.net, z[start : start + 4_096])[:, locks.columns, locks.codes]
        log_p[start : start + 4_096] = np.log(np.maximum(p, 1e-9)).sum(1)
    shares = np.exp(log_p - log_p.max())
    ladder = np.cumsum(shares / shares.sum())
    at = (np.arange(n) + rng.random()) / n  # systematic resampling: fewer repeats than independent draws
    return z[rng.permutation(np.minimum(np.searchsorted(ladder, at), len(z) - 1))]


def _around(means: Array, spreads: Array, radius: float, rng: np.random.Generator) -> Array:
    return np.asarray(means + radius * spreads * rng.standard_normal(means.shape), np.float32)


def _end(end: str | tuple[float, ...], model: FamilyModel) -> Array:
    if not isinstance(end, str):
        return _vector(end, model)
    codes, _ = place_row(model.profile, model.columns, model.width, end, "path")
    return posterior(model.net, codes[None])[0][0]


def _inside(around: Region, model: FamilyModel) -> Array:
    """The training sequences (m,) in a polygon on the model's map. Raises RecipeError where there is none."""
    rows = np.flatnonzero(inside(atlas_of(model).places, np.array(around.region)))
    if not len(rows):
        raise RecipeError("around: no natural of the family lies in this region of the map; draw it around some of them.")
    return rows


def _vector(z: tuple[float, ...], model: FamilyModel) -> Array:
    if len(z) != model.latent_dim:
        raise RecipeError(f"z has {len(z)} coordinates; the latent space of {model.name!r} has {model.latent_dim} dimensions.")
    return np.array(z)


def lock(codes: Array, locks: Locks) -> Array:
    """The sequences codes (n, L) with the locked residues in place."""
    codes[:, locks.columns] = locks.codes
    return codes
