"""What the images page shows of each result, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from app.instruments import images_map, images_plane
from app.parts import evidence, figure, jobs, player
from gen_core import palette
from gen_core.images import plots, statistics
from gen_core.images.evidence import gates
from gen_core.images.interpolate import path_of
from gen_core.images.modelfile import open_space
from gen_core.images.plain_path import plain_path
from gen_core.images.recipe import Images, Interpolate
from gen_core.result import Result

SCORES = {
    "path_length": evidence.Score("path_length", better="none", digits=2),
    "uniformity": evidence.Score("uniformity", better="low", digits=2),
    "excess_length": evidence.Score("excess_length", better="none", digits=2),
    "content_kept": evidence.Score("content_kept", digits=2),
    "style_moved": evidence.Score("style_moved", digits=2),
    "swap_score": evidence.Score("swap_score", digits=2),
    "psnr_truth": evidence.Score("psnr_truth", digits=1),
    "psnr": evidence.Score("psnr", "Reconstruction (dB)", digits=1),
    "ssim": evidence.Score("ssim", "Structural similarity", digits=2),
    "spread": evidence.Score("spread", better="low"),
    "reconstruction": evidence.Score("reconstruction", digits=0),
    "elbo": evidence.Score("elbo", digits=0),
    "active_units": evidence.Score("active_units", digits=0),
    "off_manifold_percentile": evidence.Score("off_manifold_percentile", "Farther out than (% of pictures)", "low", 0),
}
BASELINES = {
    "lerp": "Straight",
    "slerp": "Along the sphere",
    "no_switch": "Nothing switched",
    "no_edit": "Not edited",
    "plain": "Plain autoencoder",
    "encoder": "First guess",
    "whole_map": "All pictures",
    "mean_picture": "Mean picture",
}
WALKED = (
    "Path length: mean squared change of a pixel along the way. Unevenness: how much the steps differ, 0 is constant speed. "
    "Excess length: how much longer the way is than a plain fade from the first picture to the last, 0 is that fade. Farther "
    "out: of the picture on the way that is least like the training pictures. Less of these three is not better by itself: a "
    "picture that fades half way changes little, and its code, which is too short, does not count as far out."
)
Figures = dict[str, Callable[[], Any]]


def play(recipe: Interpolate) -> None:
    """Both ways side by side, played together."""
    paths = ways(recipe)
    n, high, wide = paths["lerp"].images.shape[:3]
    strips = {plots.NAMES[name]: plots.strip(path.images) for name, path in paths.items()}
    if recipe.space == "w" and (plain := plain_path(paths["lerp"])) is not None:
        strips["Plain autoencoder, straight"] = plots.strip(plain)
    player.show(
        strips,
        n,
        (wide, high),
        "images.walk",
        [f"{i + 1} of {n}" for i in range(n)],
        size=300 if len(strips) < 3 else 250,
        begin=True,
    )


def ways(recipe: Interpolate) -> dict[str, Any]:
    """The straight way and that along the sphere, between the same pictures."""
    return {name: path_of(recipe.replace(path=name))[1] for name in ("lerp", "slerp")}


def walk(result: Result) -> Figures:
    """How the codes and the pictures change on both ways."""
    paths, dark = ways(result.recipe), figure.dark()  # type: ignore[arg-type]
    left, right = st.columns(2, gap="small")
    with left:
        figure.show(plots.norms(paths, dark), "images.norms", "Length of the codes on both ways")
    with right:
        figure.show(plots.changes(paths, dark), "images.changes", "Change of the picture at each step of both ways")
    return {"norms": lambda: plots.norms(paths, dark), "changes": lambda: plots.changes(paths, dark)}


def mix(result: Result) -> Figures:
    """The table of structures and styles; the rendered truth beside it."""
    made, dark = result.content, figure.dark()
    heads = [one.image for one in made.contents], [one.image for one in made.styles]
    left, right = st.columns(2, gap="medium") if made.truth is not None else (st.container(), st.container())
    with left:
        st.markdown("**Drawn by the model**")
        st.image(plots.large(plots.table(*heads, made.images, dark), 2), width="stretch")
    if made.truth is not None:
        with right:
            st.markdown("**Rendered: what the mixes should look like**")
            st.image(plots.large(plots.table(*heads, made.truth, dark), 2), width="stretch")
    st.caption("Down the left the pictures that give structure, along the top those that give style.")
    return adain(result)


def adain(result: Result) -> Figures:
    """What AdaIN does to the first pair of the table, channel by channel; the formula lights up where a group is switched."""
    made, dark, switched = result.content, figure.dark(), result.recipe.fields()["layers"]
    space = open_space(result.recipe.fields()["model"])
    first = np.stack([made.contents[0].code, made.styles[0].code, made.latents[0]])
    drawn = lambda: plots.channels(statistics.layers(space, first), ("Structure", "Style", "Mix"), dark)  # noqa: E731
    shown = st.expander("What AdaIN does here, channel by channel", icon=":material/tune:", key="images/adain", on_change="rerun")
    if not shown.open:  # or every move of a control would draw it for nobody
        return {"channels": drawn}
    with shown:
        for column, group in zip(st.columns(3), ("coarse", "middle", "fine"), strict=True):
            on = group in switched
            name = "style" if on else "content"
            colour = palette.role("predicted" if on else "control", dark)
            given = (
                rf"\textcolor{{{colour}}}{{\sigma_{{\mathrm{{{name}}}}}}}",
                rf"\textcolor{{{colour}}}{{\mu_{{\mathrm{{{name}}}}}}}",
            )
            column.latex(rf"{given[0]}\,\frac{{x - \mu(x)}}{{\sigma(x)}} + {given[1]}")
            column.caption(f"{group.capitalize()}: {'switched' if on else 'kept'}")
        figure.show(drawn(), "images.channels", "Mean and deviation of every channel for structure, style and mix")
        st.caption(
            "The first mix of the table. Each column is a channel of the decoder. Where a group is switched, the row of the mix "
            "is that of the style; where it is not, that of the structure."
        )
    return {"channels": drawn}


def edit(result: Result) -> Figures:
    """Before, after, and what the renderer draws."""
    made = result.content
    shown = {"As drawn": made.images[0], "Edited": made.images[1]} | ({} if made.truth is None else {"Rendered": made.truth})
    _row(shown)
    if made.used:
        rows = [
            {
                "Direction": name.replace("_", " "),
                "Unit": found.unit or "–",
                "R²": evidence.number(found.r2, 2),
                "Moves others by": evidence.number(found.leakage, 2),
            }
            for name, found in made.used.items()
        ]
        st.dataframe(rows, hide_index=True)
        st.caption(
            "R²: how well the codes tell this factor, on pictures not used to find it. Moves others by: the largest change of "
            "another factor, as a share of its range, for a whole range of this one. Directions without labels have neither."
        )
    return {}


def invert(result: Result) -> Figures:
    """The picture, both reconstructions, and what is left."""
    made = result.content
    _row(
        {
            "Picture": made.named.image,
            "First guess": made.first,
            "Refined": made.image,
            "What is left": plots.signed(made.residual, figure.dark()),
        }
    )
    st.caption(
        "What is left: orange where the picture is brighter than its reconstruction, purple where darker; full colour at 0.25."
    )
    return {}


def several(result: Result) -> Figures:
    """Pictures row by row."""
    images = result.content.images
    columns = result.recipe.fields().get("columns") or min(8, int(np.ceil(np.sqrt(len(images)))))
    st.image(plots.large(plots.laid_out(images, columns, figure.dark()), 2 if len(images) > 64 else 3))
    return {}


def pair(result: Result) -> Figures:
    """The structure as it was, and with the blended styles."""
    _row({"Structure": result.content.images[0], "With the styles": result.content.images[1]})
    return {}


SHOWN: dict[str, Callable[[Result], Figures]] = {
    "Walk": walk,
    "Mix": mix,
    "Edit": edit,
    "Invert": invert,
    "Grid": several,
    "Blend styles": pair,
    "Sample": several,
    "Map": images_map.show,
    "Plane": images_plane.show,
    "Decode": several,
}


def trust(result: Result) -> None:
    """This result beside its baseline."""
    used = "This result"
    names = [name for name in SCORES if any(name in row for row in (result.metrics, *result.baselines.values()))]
    rows = {used: result.metrics} | {BASELINES.get(name, name): row for name, row in result.baselines.items() if row}
    walked = isinstance(result.recipe, Interpolate)
    scores = [SCORES[name] for name in names]
    if walked:  # the straight way passes through codes that are too short, which is no merit
        scores = [replace(score, better="none") if score.name == "off_manifold_percentile" else score for score in scores]
    if names:
        evidence.score_table(scores, rows, highlight=used, caption=WALKED if walked else None)


def model(recipe: Images) -> None:
    """The model's own numbers on pictures it never saw, beside what was wanted and what does without it."""
    card = open_space(recipe.model, recipe.model_sha256).card
    found = gates(card)
    if not found:
        return
    with st.expander("How good this model is, on pictures it never saw", icon=":material/fact_check:"):
        number = lambda value: evidence.number(value, 1 if abs(value) >= 10 else 2)  # noqa: E731
        rows = {
            "Gate": [gate.title for gate in found],
            "This model": [f"**{number(gate.value)}**" for gate in found],
            "Wanted": [f"{'at least' if gate.better == 'high' else 'at most'} {number(gate.wanted)}" for gate in found],
            "Reached": [":green[:material/check:]" if gate.reached else ":red[:material/close:] not reached" for gate in found],
            "Without a model": ["–" if gate.baseline is None else number(gate.baseline) for gate in found],
        }
        st.table(rows, border="horizontal", hide_index=True)
        seen, seconds = card.get("pictures_seen", 0), float(card.get("seconds", 0))
        st.caption(
            f"Trained on {seen:,} pictures in {jobs.rounded(seconds)} on one core ({card.get('device')}). Without a model: "
            "the mean picture, and a mix in which nothing is switched. S: 1 is the rendered truth, 0 no effect."
        )


def _row(images: dict[str, Any]) -> None:
    for column, (title, image) in zip(st.columns(len(images), gap="small"), images.items(), strict=True):
        column.image(plots.large(image, 5), width="stretch")
        column.caption(title)
