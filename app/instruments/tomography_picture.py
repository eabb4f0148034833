"""The images of all methods side by side, drawn as they are ready: filtered backprojection at once, slow methods one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from app.instruments import tomography_bayes as bayes
from app.instruments import tomography_own as own
from app.instruments.tomography_own import PAGE
from app.parts import background, figure, map, session, theme
from gen_core.result import Result
from gen_core.tomography import kept, methods, mosaic_plots, plots, quick
from gen_core.tomography.files import WINDOWS
from gen_core.tomography.mosaic_plots import Mark, Scale, Tile
from gen_core.tomography.recipe import Reconstruct

SHOWS = {
    "image": "Image",
    "error": "Error",
    "measured": "Measured",
    "invented": "Invented",
    "deviation": "Uncertainty",
}
SAID = {
    "image": "Zoom into one, all follow. dB, SSIM: against the truth. Residual: misfit to the data over the noise, 1 is right.",
    "error": "Image less truth, every method on one scale: **purple** too low, **orange** too high.",
    "measured": "What the data determine of each image, as attenuation over that of water. *Invented* shows the rest.",
    "invented": "What no view has measured above the noise: it is the method's alone. **Orange** adds, **purple** takes away.",
    "deviation": "One deviation in every pixel, of each method that knows one; beside it the real error, on the same scale.",
}
ALONE = "Zoom into one, all follow. No truth is known. Residual: misfit to the data over the noise, 1 is right."
WIDE = (-200.0, 1600.0)
NOTICES, BELOW = "tomography_said", "tomography_below"  # where it is said of the slice what is known of it
FOLLOWS = "Warnings, evidence and export of this slice follow when all methods are done."


def chooser(recipe: Reconstruct) -> tuple[str, tuple[float, float] | None]:
    """What is shown of each method, and in which grey window (level, width; None for the whole range)."""
    left, right = st.columns([5, 3], gap="small", vertical_alignment="bottom")
    offered = [name for name in SHOWS if name != "error" or recipe.sinogram is None]
    told = "The same place in every picture: the image itself, its error, and which part of it the data determine."
    with left:
        show = st.segmented_control(
            "Show", offered, key=session.settle(PAGE, "show", offered), format_func=SHOWS.__getitem__, required=True, help=told,
            label_visibility="collapsed",
        )  # fmt: skip
    names = {"wide": "Window −200 / 1600"} | {n: f"{n.capitalize()} {_minus(level)} / {w:g}" for n, (level, w) in WINDOWS.items()}
    names |= {"own": "Window of your own"}
    with right, st.container(horizontal=True, gap="xsmall", vertical_alignment="bottom"):
        told = "Level and width of the grey window in HU. Images in other units show their whole range."
        window = st.selectbox(
            "Grey window", list(names), key=session.settle(PAGE, "window", list(names)), format_func=names.__getitem__, help=told,
            label_visibility="collapsed", disabled=not own.hounsfield(recipe),
        )  # fmt: skip
    if window == "own":
        level = left.slider("Level (HU)", -1000.0, 2000.0, 40.0, step=10.0, key=f"{PAGE}/level")
        width = right.slider("Width (HU)", 20.0, 4000.0, 400.0, step=20.0, key=f"{PAGE}/width")
        return str(show), (level, width)
    return str(show), WIDE if window == "wide" else WINDOWS[str(window)]


def steps(recipe: Reconstruct, show: str, window: tuple[float, float] | None) -> Result:
    """The result; where it takes long, what is ready is drawn first, and the fragment runs again after each method.

    A control that is moved meanwhile ends the work, and begins anew.
    """
    methods.check(recipe)
    if kept.ready(recipe):
        return kept.result(recipe)
    subject = quick.scan(recipe)
    found = {name: kept.solution(name, recipe) for name in recipe.methods if name not in kept.missing(recipe)}
    begun = bool(found)  # the scanner's matrix is there
    if "fbp" in recipe.methods and "fbp" not in found:
        found["fbp"] = quick.backprojected(subject, recipe)
    before: dict[str, Any] = session.get(PAGE, "shown", {})
    tiles = [] if subject.truth is None else [Tile("truth", subject.told(subject.truth))]
    for name in recipe.methods:
        if name in found:
            image = subject.told(found[name].image)
            tiles.append(Tile(name, image, mosaic_plots.scores(quick.numbers(subject, found[name], begun))))
        else:
            old = before.get(name)
            tiles.append(Tile(name, old if old is not None and old.shape == (recipe.size, recipe.size) else None, waiting=True))
    scale = _grey(window, subject.unit, tiles)
    drawn(tiles, subject, scale, recipe)
    bar = st.progress(0.0, "Reconstructing")
    if session.get(PAGE, "said of") != slice_of(recipe):
        theme.hide((NOTICES, BELOW), FOLLOWS)
    session.put(PAGE, "shown", before | {name: subject.told(one.image) for name, one in found.items()})
    work(recipe, bar)
    session.again()
    raise AssertionError("unreachable")


def slice_of(recipe: Reconstruct) -> tuple[object, ...]:
    """What is scanned, however it is scanned."""
    return recipe.image, recipe.slice, recipe.sinogram


def work(recipe: Reconstruct, bar: Any) -> None:
    """The next method that is missing, or what the finished ones are worth; with a word on how far it is."""
    waiting = kept.missing(recipe)
    if waiting:
        name = waiting[0]
        background.follow(lambda progress: kept.solution(name, recipe, progress), bar, methods.titled(name))
    else:
        background.follow(lambda progress: kept.result(recipe, progress), bar, "Telling the measured from the invented")


def drawn(tiles: list[Tile], subject: Any, scale: Scale, recipe: Reconstruct) -> None:
    """The figure; a click picks the row of the profile, and moves the lesion where there is one."""
    figure.show(
        picture(tiles, subject, scale, recipe, clicked(), figure.dark()),
        f"{PAGE}.mosaic",
        f"Images of {len(tiles)} kinds side by side: {', '.join(tile.titled for tile in tiles)}",
        select=True,
    )


def picture(
    tiles: list[Tile], subject: Any, scale: Scale, recipe: Reconstruct, spot: tuple[float, float] | None, dark: bool
) -> Any:
    """The mosaic with the sinogram in a corner that is free."""
    round_ = recipe.lesion
    mark = Mark(spot[1] if spot else None, (round_.x, round_.y, round_.diameter / 2) if round_ else None)
    return mosaic_plots.mosaic(tiles, subject, scale, mark, dark)


def clicked() -> tuple[float, float] | None:
    """Where a picture was clicked last, in its unit of length."""
    return map.clicked(figure.picked(f"{PAGE}.mosaic"))


def show(result: Result, what: str, window: tuple[float, float] | None) -> dict[str, Callable[[], Any]]:
    """The finished result in the chosen view."""
    made, recipe, dark, spot = result.content, result.recipe, figure.dark(), clicked()
    assert isinstance(recipe, Reconstruct)
    tiles, scale = tiles_of(result, what, window, dark)
    drawn(tiles, made.subject, scale, recipe)
    st.caption(SAID[what] if made.truth is not None or what != "image" else ALONE)
    if what == "deviation":
        bayes.beside(result)
    session.put(PAGE, "shown", dict(made.images))
    session.put(PAGE, "said of", slice_of(recipe))
    return {"pictures": lambda: picture(tiles, made.subject, scale, recipe, spot, dark)}


def tiles_of(result: Result, what: str, window: tuple[float, float] | None, dark: bool) -> tuple[list[Tile], Scale]:
    """The images of a view, each with its line of numbers, and their common scale."""
    made, numbers = result.content, result.metrics
    each = {name: {key: numbers.get(f"{name}.{key}") for key in ("psnr", "ssim", "data_residual")} for name in made.images}
    below = {name: mosaic_plots.scores(values) for name, values in each.items()}
    unit = made.subject.unit
    own_scale = _grey(window, unit, [] if made.truth is None else [Tile("truth", made.truth)])
    beside = None if what == "image" else own_scale  # the truth stays grey, whatever is shown of the methods
    first = [] if made.truth is None else [Tile("truth", made.truth, _range(result), scale=beside)]
    if what == "error" and made.truth is not None:
        rmse = {name: f"RMSE {mosaic_plots.rounded(numbers[f'{name}.rmse'])} {unit}" for name in made.images}
        tiles = [Tile(name, image - made.truth, rmse[name]) for name, image in made.images.items()]
        return first + tiles, mosaic_plots.centred(plots.error_limit(made), unit, dark)
    if what in ("measured", "invented"):
        parts = made.measured if what == "measured" else made.invented
        share = {name: float(numbers[f"{name}.invented_share"]) for name in parts}
        said = {n: f"{100 * (s if what == 'invented' else 1 - s):.2g} % of its energy" for n, s in share.items()}
        tiles = [Tile(name, values, said[name]) for name, values in parts.items()]
        if what == "measured":
            return first + tiles, Scale(plots.GREY, 0.0, 1.6, "of water")
        return first + tiles, mosaic_plots.centred(plots.invented_limit(made), "of water", dark)
    if what == "deviation":
        covered = {n: numbers.get(f"{n}.coverage90") for n in made.deviations}
        said = {n: "" if c is None else f"90 % intervals hold {100 * c:.0f} %" for n, c in covered.items()}
        tiles = []
        for name, values in made.deviations.items():
            tiles.append(Tile(name, values, said[name], title=f"{methods.titled(name)}: deviation"))
            if made.truth is not None:
                off = np.abs(made.images[name] - made.truth)
                tiles.append(
                    Tile(name, off, f"RMSE {mosaic_plots.rounded(numbers[f'{name}.rmse'])} {unit}", title="Its real error")
                )
        return first + tiles, mosaic_plots.sequential(list(made.deviations.values()), unit)
    tiles = first + [Tile(name, image, below[name]) for name, image in made.images.items()]
    return tiles, _grey(window, unit, tiles)


def _range(result: Result) -> str:
    unit = result.content.subject.unit
    return f"range {mosaic_plots.rounded(result.metrics['data_range'])} {unit}" if "data_range" in result.metrics else ""


def _grey(window: tuple[float, float] | None, unit: str, tiles: list[Tile]) -> Scale:
    if unit == "HU" and window is not None:
        return mosaic_plots.grey(*window, unit)
    return mosaic_plots.whole([tile.values for tile in tiles if tile.values is not None], unit)


def _minus(value: float) -> str:
    return f"{value:g}".replace("-", "−")
