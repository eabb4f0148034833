"""The codes that draw a picture best: the encoder's guess, refined, and what is left of the picture."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from gen_core.images import files, metrics
from gen_core.images.modelfile import Named, look_up, notices_of, opened
from gen_core.images.recipe import Invert
from gen_core.images.refine import refined
from gen_core.images.sample import strange
from gen_core.images.space import Array, joined, split, tensor
from gen_core.result import Notice, Result

RATE = 0.05  # of Adam
POOR = 22.0  # dB below which the picture is not the model's kind


@dataclass(frozen=True, eq=False)
class Inverted:
    """The picture, what the encoder's code draws, what the refined code draws, and the difference (64, 64, 3) left."""

    named: Named
    first: Array
    image: Array
    residual: Array
    latents: Array  # (2, 2096): the encoder's and the refined


def run(recipe: Invert, progress: object = None) -> Result:
    """Run `images.invert`."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    named = look_up([recipe.image], space)[0]
    start = split(named.told[None])
    found = joined(*refined(space.net, tensor(named.image[None]), start, recipe.steps, RATE, styles=True))[0]
    latents = np.stack([named.told, found])
    first, image = space.decode(latents)
    made = Inverted(named, first, image, named.image - image, latents)
    percentile = space.percentile(latents)
    numbers, baseline = (
        {
            "psnr": float(metrics.psnr(drawn[None], named.image[None])[0]),
            "ssim": metrics.ssim(drawn, named.image),
            "off_manifold_percentile": float(p),
        }
        for drawn, p in ((image, percentile[1]), (first, percentile[0]))
    )
    numbers["seconds"] = time.perf_counter() - started
    warnings = [*strange(percentile[1:]), *notices_of([named], space)]
    if numbers["psnr"] < POOR:
        warnings.append(
            Notice(
                "out_of_distribution",
                f"Drawn to {numbers['psnr']:.1f} dB only: this picture is not of the kind the model learned.",
            )
        )
    images = np.stack([named.image, first, image, np.clip(0.5 + made.residual, 0, 1)])
    return Result(
        recipe=recipe,
        content=made,
        files={
            "images.npz": lambda path: files.arrays(
                path, recipe, images=image[None], latents=latents[1:], residual=made.residual, picture=named.image
            ),
            "grid.png": lambda path: files.picture(path, files.sheet(images, 4), recipe),
        },
        metrics=numbers,
        baselines={"encoder": baseline},
        warnings=tuple(warnings),
        seconds={"invert": time.perf_counter() - started},
    )
