"""The structure of some pictures with the style of others, beside the rendered truth where there is one."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from gen_core.images import files, metrics, render
from gen_core.images.modelfile import Named, codes_of, look_up, notices_of, opened, told_of
from gen_core.images.recipe import Mix
from gen_core.images.sample import strange
from gen_core.images.space import Array, Space, groups_mask
from gen_core.result import Notice, Result


@dataclass(frozen=True, eq=False)
class Mixed:
    """Mixes row by row (contents down, styles across): pictures (n, 64, 64, 3) and latent vectors (n, 2096).

    truth are the rendered mixes, None where a picture is the user's own; kept what is drawn without a switch.
    """

    contents: list[Named]
    styles: list[Named]
    latents: Array
    images: Array
    kept: Array
    truth: Array | None
    percentile: Array


def run(recipe: Mix, progress: object = None) -> Result:
    """Run `images.mix`."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    contents, styles = look_up(recipe.content_seeds, space), look_up(recipe.style_seeds, space)
    made = mix(space, contents, styles, recipe.layers, recipe.strength)
    numbers, baseline = scores(space, made, recipe.layers)
    notices = notices_of([*contents, *styles], space)
    if made.truth is None:
        notices += (
            Notice("no_truth", "What these mixes should look like is not known: only rendered micrographs have a truth."),
        )
    writers = files.writers(recipe, made.images, made.latents, len(styles))
    if made.truth is not None:
        writers |= beside_truth(recipe, made, made.truth)
    return Result(
        recipe=recipe,
        content=made,
        files=writers,
        metrics=numbers,
        baselines={"no_switch": baseline},
        warnings=(*strange(made.percentile), *notices),
        seconds={"mix": time.perf_counter() - started},
    )


def mix(space: Space, contents: list[Named], styles: list[Named], layers: tuple[str, ...], strength: float = 1.0) -> Mixed:
    """Every content with every style, the groups `layers` moved by `strength` towards the other's."""
    a = np.repeat(codes_of(contents), len(styles), 0)
    b = np.tile(codes_of(styles), (len(contents), 1))
    latents = np.where(groups_mask(layers), (1 - strength) * a + strength * b, a)
    truth = None
    rendered = [one.rendered for one in [*contents, *styles]]
    seeds = [seed for seed in rendered if seed is not None]
    if strength == 1 and len(seeds) == len(rendered) and space.family is not None:
        truth = truth_of(seeds[: len(contents)], seeds[len(contents) :], layers, space.family)
    kept = np.repeat(space.decode(codes_of(contents)), len(styles), 0)
    return Mixed(contents, styles, latents, space.decode(latents), kept, truth, space.percentile(latents))


def truth_of(contents: list[int], styles: list[int], layers: tuple[str, ...], family: str) -> Array:
    """The rendered mixes of these seeds, row by row."""
    a, b = np.repeat(contents, len(styles)), np.tile(styles, len(contents))
    switched = np.array([group in layers for group in render.GROUPS])
    return render.render(a, render.mixed(render.factors(a), render.factors(b), switched), family)


def beside_truth(recipe: Mix, made: Mixed, truth: Array) -> dict[str, files.Writer]:
    """The files of a mix whose truth is known: it is in the arrays, and a sheet of its own."""
    return {
        "images.npz": lambda path: files.arrays(path, recipe, images=made.images, latents=made.latents, truth=truth),
        "truth.png": lambda path: files.picture(path, files.sheet(truth, len(made.styles)), recipe),
    }


def scores(space: Space, made: Mixed, layers: tuple[str, ...]) -> tuple[dict[str, float], dict[str, float]]:
    """The numbers of a mix, and the same numbers of pictures that are drawn without a switch."""
    a = np.repeat(told_of(made.contents), len(made.styles), 0)
    b = np.tile(told_of(made.styles), (len(made.contents), 1))
    numbers: dict[str, float] = {}
    baseline: dict[str, float] = {}
    for told, images in ((numbers, made.images), (baseline, made.kept)):
        told["content_kept"], told["style_moved"] = metrics.kept_and_moved(space.encode(images), a, b, groups_mask(layers))
        if made.truth is not None:
            told["swap_score"] = metrics.swap_score(images, made.kept, made.truth)
            told["psnr_truth"] = float(metrics.psnr(images, made.truth).mean())
    numbers["off_manifold_percentile"] = float(made.percentile.max())
    return numbers, baseline
