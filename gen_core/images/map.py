"""The map of the training pictures: a spot on it drawn, a region of it summed up and sampled, a new picture put on it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from gen_core.images import files
from gen_core.images.atlas import Atlas, atlas_of, deviation, spread_of
from gen_core.images.modelfile import Named, look_up, notices_of, opened
from gen_core.images.recipe import Map
from gen_core.images.space import CONTENT, STRANGE, Array, standard
from gen_core.latent.maps import inside
from gen_core.result import Notice, Result

NEAREST = 5
GUESS = "Hardly any training picture lies at this spot of the map: what is drawn there is a guess."


@dataclass(frozen=True, eq=False)
class Spot:
    """What one place (2,) on the map shows: its latent vector (2096,), picture (64, 64, 3), and how little to trust it in %.

    nearest (5,) are the rows of the training pictures nearest to it in the latent space and near_images how these look;
    factors (F,) are what the model reads off it, None where it knows none.
    """

    place: Array
    latent: Array
    image: Array
    percentile: float
    nearest: Array
    near_images: Array
    factors: Array | None


@dataclass(frozen=True, eq=False)
class Region:
    """The pictures in a polygon by their rows (m,): their mean (64, 64, 3), how they differ at each pixel (64, 64), and new ones.

    samples (n, 64, 64, 3) have latents (n, 2096) and lie at places (n, 2); percentile (n,) says how unlike the training
    pictures they are. spread is `atlas.spread_of` the pictures; values (m, F) are their factors, (m, 0) where unknown.
    """

    rows: Array
    mean: Array
    deviation: Array
    spread: float
    values: Array
    samples: Array
    latents: Array
    places: Array
    percentile: Array


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture put on the map: where it lies (2,), what the model draws of it (64, 64, 3), how unlike the others it is in %."""

    named: Named
    place: Array
    image: Array
    percentile: float


@dataclass(frozen=True, eq=False)
class Mapped:
    """The map, and on it what was asked for; outline (v, 2) is the region's, which may be empty."""

    atlas: Atlas
    spot: Spot | None
    outline: Array | None
    region: Region | None
    shown: Shown | None


def run(recipe: Map, progress: object = None) -> Result:
    """Run `images.map`. A region that holds no picture gives a warning and no numbers."""
    started = time.perf_counter()
    recipe, space = opened(recipe)
    atlas = atlas_of(space)
    warnings: list[Notice] = []
    numbers: dict[str, float] = {}
    baselines: dict[str, dict[str, float]] = {}
    spot = outline = region = shown = None
    found = [] if recipe.show is None else look_up([recipe.show], space)
    if recipe.spot is not None:
        spot = spot_at(atlas, np.array(recipe.spot, float))
        numbers["off_manifold_percentile"] = spot.percentile
        if spot.percentile > STRANGE:
            warnings.append(Notice("off_manifold", GUESS))
    if found:
        shown = put_on(atlas, found[0])
        numbers["shown_off_manifold_percentile"] = shown.percentile
    if recipe.region is not None:
        outline = np.array(recipe.region, float)
        region = region_in(atlas, outline, recipe.n, recipe.seed)
        if region is None:
            warnings.append(Notice("empty_region", "The region holds no picture: draw it around some of the points."))
        else:
            numbers |= {"count": len(region.rows), "spread": region.spread}
            numbers["samples_off_manifold_percentile"] = float(np.median(region.percentile))
            baselines["whole_map"] = {"count": len(atlas.places), "spread": atlas.spread}
    made = Mapped(atlas, spot, outline, region, shown)
    return Result(
        recipe=recipe,
        content=made,
        files=written(recipe, made),
        metrics=numbers,
        baselines=baselines,
        warnings=(*warnings, *notices_of(found, space)),
        seconds={"map": time.perf_counter() - started},
    )


def spot_at(atlas: Atlas, place: Array) -> Spot:
    """What a place (2,) on the map shows."""
    z = atlas.latent(place[None])
    factors, nearest = atlas.space.factors(z), atlas.nearest(z, NEAREST)[0]
    percentile = float(atlas.percentile(place[None])[0])
    own = None if factors is None else factors[0]
    return Spot(place, z[0], atlas.space.decode(z)[0], percentile, nearest, atlas.pictures(nearest), own)


def region_in(atlas: Atlas, polygon: Array, n: int, seed: int) -> Region | None:
    """What lies in a polygon (v, 2), and n pictures drawn from there; None where nothing does."""
    rows = np.flatnonzero(inside(atlas.places, polygon))
    if not len(rows):
        return None
    images, latents = atlas.pictures(atlas.some(rows)), drawn_from(atlas.codes(rows), n, seed)
    space = atlas.space
    return Region(
        rows,
        images.mean(0),
        deviation(images),
        spread_of(images),
        space.values[rows],
        space.decode(latents),
        latents,
        atlas.place(latents),
        space.percentile(latents),
    )


def drawn_from(codes: Array, n: int, seed: int) -> Array:
    """New latent vectors (n, 2096) like those (m, 2096) of some pictures.

    Their styles are normal with the mean and the covariance of these (a sum of the deviations with normal weights has
    exactly that); their content is that of one of them, drawn at random, since a mixture of contents is a blur.
    """
    rng = np.random.default_rng(seed)
    content = codes[rng.integers(len(codes), size=n), :CONTENT]
    styles = codes[:, CONTENT:]
    weights = rng.standard_normal((n, len(codes))) / np.sqrt(max(len(codes) - 1, 1))
    return standard(np.concatenate([content, styles.mean(0) + weights @ (styles - styles.mean(0))], 1))


def put_on(atlas: Atlas, named: Named) -> Shown:
    """A picture on the map, among those nearest to it in the latent space."""
    z = named.code[None]
    return Shown(named, atlas.place(z)[0], atlas.space.decode(z)[0], float(atlas.space.percentile(z)[0]))


def written(recipe: Map, made: Mapped) -> dict[str, files.Writer]:
    """The files: pictures of the spot, of the picture shown and of the samples, in this order, with what each is; of a map
    without any of them its thumbnails. And the places of all pictures, and which of them the region holds."""
    atlas, spot, region, shown = made.atlas, made.spot, made.region, made.shown
    parts: list[tuple[str, Array, Array]] = []
    if spot is not None:
        parts.append(("spot", spot.image[None], spot.latent[None]))
    if shown is not None:
        parts.append(("shown", shown.image[None], shown.named.code[None]))
    if region is not None:
        parts.append(("sample", region.samples, region.latents))
    if not parts:
        _, rows, _ = atlas.thumbnails
        parts.append(("thumbnail", atlas.pictures(rows), atlas.codes(rows)))
    kinds = np.repeat([kind for kind, _, _ in parts], [len(images) for _, images, _ in parts])
    images, latents = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    more: dict[str, Any] = {"kinds": kinds, "places": atlas.places, "inside": np.zeros(len(atlas.places), bool)}
    if region is not None:
        more["inside"][region.rows] = True
        more |= {"mean": region.mean, "deviation": region.deviation}
    return files.writers(recipe, images, latents, min(8, len(images)), **more)
