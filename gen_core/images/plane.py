"""The plane of an autoencoder whose code is two numbers: what is drawn where, where pictures lie, and what the code costs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.errors import RecipeError
from gen_core.images import files
from gen_core.images.plainfile import Plain, Plains, open_plain
from gen_core.images.recipe import Plane
from gen_core.images.space import STRANGE, Array
from gen_core.memo import Memo
from gen_core.result import Notice, Result

NUMBERS = ("reconstruction", "kl", "elbo", "psnr", "active_units")
DRAWN = Memo(64 << 20, lambda grid: int(grid.nbytes))


@dataclass(frozen=True)
class Cost:
    """What one beta gives on pictures never trained on: nats per picture, dB, and how many numbers of the code are used."""

    beta: float
    reconstruction: float
    kl: float
    elbo: float
    psnr: float
    active_units: float


@dataclass(frozen=True, eq=False)
class Drawn:
    """A plane: pictures (n * n, 64, 64, 3) at places (n * n, 2), row by row, the first row that of the highest second number.

    image (64, 64, 3) is drawn at z (2,). means and deviations (m, 2) are the posteriors of pictures never trained on, of which
    `values` says what is known, (m,) by name, and `units` in what. centre (2,) and covariance (2, 2) are those of all their
    posteriors together; the prior has 0 and 1. percentile says how unlike the training pictures z lies, in %.
    """

    beta: float
    grid: Array
    places: Array
    image: Array
    z: Array
    means: Array
    deviations: Array
    values: dict[str, Array]
    units: dict[str, str]
    centre: Array
    covariance: Array
    percentile: float
    costs: tuple[Cost, ...]
    nothing: float  # reconstruction term of the mean picture
    change: float  # RMS change of the picture over the grid, 0 to 1


def run(recipe: Plane, progress: object = None) -> Result:
    """Run `images.plane`. Raises RecipeError where the model has no such beta, CheckpointError where it has no plane."""
    started = time.perf_counter()
    model = open_plain(recipe.model, recipe.model_sha256, "lecture")
    recipe = recipe.replace(model_sha256=model.card["sha256"])
    one = of_beta(model, recipe.beta)
    made = plane(model, one, recipe)
    here = next(cost for cost in made.costs if cost.beta == one.beta)
    simple = model.card["baselines"]["mean_picture"]
    return Result(
        recipe=recipe,
        content=made,
        files={
            "images.npz": lambda path: files.arrays(
                path, recipe, images=made.grid, latents=made.places, image=made.image, z=made.z, means=made.means,
                deviations=made.deviations, centre=made.centre, covariance=made.covariance, **made.values,
            ),
            "grid.png": lambda path: files.picture(path, files.sheet(made.grid, recipe.n), recipe),
        },
        metrics={name: getattr(here, name) for name in NUMBERS}
        | {"off_manifold_percentile": made.percentile, "change_over_plane": made.change},
        baselines={"mean_picture": {name: simple[f"{name}.{one.beta:g}"] for name in NUMBERS}},
        warnings=notices(model, made, here),
        seconds={"plane": time.perf_counter() - started},
    )  # fmt: skip


def of_beta(model: Plains, beta: float) -> Plain:
    """The network of one beta. Raises RecipeError with those there are."""
    for one in model.nets:
        if one.beta == beta:
            return one
    raise RecipeError(f"beta: this model was not trained with {beta:g}; it has {', '.join(f'{b:g}' for b in model.betas)}.")


def plane(model: Plains, one: Plain, recipe: Plane) -> Drawn:
    """The plane of one network."""
    at = np.linspace(-recipe.extent, recipe.extent, recipe.n)
    across, down = np.meshgrid(at, at[::-1])
    places = np.stack([across.ravel(), down.ravel()], 1)
    grid: Array = DRAWN.get((model.card["sha256"], one.beta, recipe.n, recipe.extent), lambda: one.decode(places))
    z = np.array(recipe.z)
    known = model.card["known"]
    return Drawn(
        one.beta,
        grid,
        places,
        one.decode(z[None])[0],
        z,
        one.means,
        one.deviations,
        {row["name"]: model.values[:, i] for i, row in enumerate(known)},
        {row["name"]: row["unit"] for row in known},
        *together(one.means, one.deviations),
        float(one.density.percentile(z[None])[0]),
        tuple(cost(model.card, beta) for beta in model.betas),
        float(model.card["baselines"]["mean_picture"][f"reconstruction.{one.beta:g}"]),
        float(grid.std(0).mean()),
    )


def together(means: Array, deviations: Array) -> tuple[Array, Array]:
    """Mean (k,) and covariance (k, k) of the mixture of all posteriors (m, k): the aggregated posterior."""
    centre = means.mean(0)
    away = means - centre
    return centre, away.T @ away / len(means) + np.diag(np.square(deviations).mean(0))


def cost(card: dict[str, Any], beta: float) -> Cost:
    """A card's numbers of one beta."""
    return Cost(beta, *(float(card["metrics"][f"{name}.{beta:g}"]) for name in NUMBERS))


def notices(model: Plains, made: Drawn, here: Cost) -> tuple[Notice, ...]:
    """What to hold against this plane."""
    told = []
    if here.active_units == 0:
        said = (
            f"At beta {made.beta:g} the code says nothing ({here.kl:.2f} nats): the same picture is drawn everywhere, as good as "
            f"the mean picture ({here.psnr:.1f} dB). This is posterior collapse."
        )
        told.append(Notice("adds_nothing", said))
    if made.percentile > STRANGE:
        said = f"This point lies farther from the training pictures than {STRANGE:.0f} % of these: distrust what is drawn there."
        told.append(Notice("off_manifold", said))
    if model.card.get("synthetic"):
        told.append(Notice("synthetic_data", "This model learned from synthetic micrographs only; the points are such too."))
    return tuple(told)
