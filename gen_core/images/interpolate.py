"""A way from one picture to another: straight or along the sphere, and at constant speed if asked."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gen_core.images import files, metrics
from gen_core.images.modelfile import Named, codes_of, look_up, notices_of, opened, told_of
from gen_core.images.plain_path import content_kept, plain_path
from gen_core.images.recipe import Interpolate
from gen_core.images.sample import strange
from gen_core.images.space import CONTENT, Array, Prior, Space
from gen_core.latent.paths import lerp, slerp
from gen_core.memo import Memo
from gen_core.result import Result

PATHS = Memo(64 << 20, lambda path: path.images.nbytes + path.latents.nbytes)


@dataclass(frozen=True, eq=False)
class Path:
    """n pictures on a way: where on it (n,) they lie, their latent vectors and how unlike the training pictures each is.

    norm (n,): length of the latent vectors over the usual one of content and styles, for the plot beside lerp and slerp.
    """

    ends: tuple[Named, Named]
    at: Array
    latents: Array
    images: Array
    percentile: Array
    norm: Array
    space: Space

    @cached_property
    def speed(self) -> metrics.Speed:
        """How the way goes; worked out when it is asked for, since it takes longer than to draw it."""
        return metrics.speed(self.space, self.latents, self.images)


def run(recipe: Interpolate, progress: object = None) -> Result:
    """Run `images.interpolate`."""
    started = time.perf_counter()
    recipe, made = path_of(recipe)
    speed = made.speed
    numbers = {
        "path_length": speed.pixels,
        "path_length_features": speed.features,
        "uniformity": speed.uniformity,
        "excess_length": speed.excess,
        "curvature": speed.curvature,
        "off_manifold_percentile": float(made.percentile.max()),
    }
    other, rival = path_of(recipe.replace(path="lerp" if recipe.path == "slerp" else "slerp"))
    beside = dict(zip(numbers, [*vars(rival.speed).values(), float(rival.percentile.max())], strict=True))
    baselines: dict[str, dict[str, float]] = {other.path: beside}
    if recipe.space == "w":  # the structure should stay: the same walk where structure and style are not apart
        a, b = told_of(list(made.ends))
        numbers["content_kept"] = content_kept(made.space, made.images, a, b)
        beside["content_kept"] = content_kept(made.space, rival.images, a, b)
        if (plain := plain_path(made)) is not None:
            baselines["plain"] = {"content_kept": content_kept(made.space, plain, a, b)}
    return Result(
        recipe=recipe,
        content=made,
        files=files.writers(recipe, made.images, made.latents, min(8, recipe.steps), animated=True, t=made.at),
        metrics=numbers,
        baselines=baselines,
        warnings=(*strange(made.percentile), *notices_of(list(made.ends), made.space)),
        seconds={"interpolate": time.perf_counter() - started},
    )


def path_of(recipe: Interpolate) -> tuple[Interpolate, Path]:
    """The filled-in recipe and its way, kept while it is looked at: a page shows it before it is measured."""
    recipe, space = opened(recipe)
    found = look_up(recipe.seeds, space)
    made: Path = PATHS.get(recipe, lambda: walk(recipe, space, (found[0], found[1])))
    return recipe, made


def walk(recipe: Interpolate, space: Space, ends: tuple[Named, Named]) -> Path:
    """The way of a recipe between two pictures."""
    a, b = codes_of(list(ends))
    if recipe.space == "w":
        b = np.concatenate([a[:CONTENT], b[CONTENT:]])
    at = np.linspace(0, 1, recipe.steps)
    if recipe.constant_speed:
        at = even(space, recipe.path, a, b, recipe.steps)
    latents = between(space.prior, recipe.path, a, b, at)
    images = space.decode(latents)
    usual = np.linalg.norm(space.prior.near(np.stack([a, b])), axis=1).mean()
    norm = np.linalg.norm(space.prior.near(latents), axis=1) / max(usual, 1e-12)
    return Path(ends, at, latents, images, space.percentile(latents), norm, space)


def between(prior: Prior, path: str, a: Array, b: Array, at: Array) -> Array:
    """Latent vectors (len(at), 2096) from a to b (2096,). slerp turns content and styles apart: each has its own sphere."""
    if path == "lerp":
        return lerp(a, b, at)
    centre = prior.centre[CONTENT:]  # the styles' sphere lies around their mean, the content's around zero
    styles = slerp(a[CONTENT:] - centre, b[CONTENT:] - centre, at) + centre
    return np.concatenate([slerp(a[:CONTENT], b[:CONTENT], at), styles], 1)


def even(space: Space, path: str, a: Array, b: Array, steps: int) -> Array:
    """Places (steps,) on the way between which the picture changes equally, by the lengths of a finer way."""
    fine = np.linspace(0, 1, max(4 * steps, 64))
    drawn = space.decode(between(space.prior, path, a, b, fine)).reshape(len(fine), -1)
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(drawn, axis=0), axis=1))])
    return np.asarray(np.interp(np.linspace(0, length[-1], steps), length, fine)) if length[-1] > 0 else np.linspace(0, 1, steps)
