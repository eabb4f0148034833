"""How far to trust a reconstruction: the methods beside each other, the prior's own numbers, and what it never saw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.tomography_own import PAGE
from app.parts import evidence, figure, jobs
from gen_core import checkpoint
from gen_core.result import Result
from gen_core.tomography import card_plots, methods, mosaic_plots
from gen_core.tomography import trust as trust_of
from gen_core.tomography.recipe import PRIORS

SCORES = [
    evidence.Score("psnr", digits=1),
    evidence.Score("psnr_view", digits=1),
    evidence.Score("ssim", digits=2),
    evidence.Score("data_residual", better="one", digits=2),
    evidence.Score("invented_share", better="low", digits=1),
    evidence.Score("coverage90", digits=0),
]
WARNED = (
    "Real slices are unlike what they know. Over 60 degrees and more the warning came for every real slice that was tried; "
    "over 30 degrees it may stay away."
)
NEVER = "The bundled priors learned from synthetic slices only. They never saw a patient."


def trust(result: Result) -> None:
    """The methods beside each other; those with a prior are marked."""
    made, numbers = result.content, result.metrics
    rows: dict[str, dict[str, Any]] = {}
    for name in made.images:
        own = {key.partition(".")[2]: value for key, value in numbers.items() if key.startswith(f"{name}.")}
        for share in ("invented_share", "coverage90"):
            if own.get(share) is not None:
                own[share] = 100 * own[share]
        rows[methods.titled(name) + (" (learned)" if name in PRIORS else "")] = own
    shown = [score for score in SCORES if any(row.get(score.name) is not None for row in rows.values())]
    evidence.score_table(
        [score for score in shown if score.name not in UNRANKED], rows, caption=_caption(result),
    )  # fmt: skip
    unranked = [score for score in shown if score.name in UNRANKED]
    if unranked:
        st.caption(_unranked(rows, unranked))
    told = _beaten(made, numbers)
    if told:
        st.markdown(told)
    if made.trust is not None and (sentences := _known(made.trust)):
        st.caption("Does the prior know this slice? " + " ".join(sentences))


def _known(found: trust_of.Trust) -> list[str]:
    """What was asked of the data to see whether a prior knows them, and above or below what it warns."""
    told = []
    if found.family:
        told.append(
            f"Of {trust_of.WORDS[found.family]} seen over this range with this noise, at most {trust_of.share(found.unlike)} "
            f"have data at least as strange; it warns below {100 * trust_of.RARE:g} %."
        )
    if found.surprise == found.surprise:  # there is a Gaussian prior to ask
        told.append(
            f"The data are {found.surprise:.1f} times as far from what the Gaussian prior expects as it says they would be, and "
            f"views that it was not shown are missed by {evidence.number(found.held_out, 1)} times the noise; it warns above "
            f"{trust_of.SURPRISE:g} and {trust_of.HELD_OUT:g}."
        )
    return told


def _beaten(made: Any, numbers: Any) -> str | None:
    """A sentence where what learned nothing is as good as every prior."""
    found = {name: float(numbers[f"{name}.psnr"]) for name in made.images if numbers.get(f"{name}.psnr") is not None}
    plain = {name: value for name, value in found.items() if name not in PRIORS}
    if not plain or len(plain) == len(found):
        return None
    best = max(plain, key=plain.__getitem__)
    if plain[best] < max(value for name, value in found.items() if name in PRIORS):
        return None
    return f"**On this slice no prior beats {methods.titled(best)}**, which has learned nothing."


UNRANKED = {"invented_share", "coverage90"}  # more or less of it is not better as such


def _unranked(rows: dict[str, dict[str, Any]], scores: list[evidence.Score]) -> str:
    told = []
    for score in scores:
        have = {row: values[score.name] for row, values in rows.items() if values.get(score.name) is not None}
        each = [f"{row} {evidence.number(value, score.digits)}" for row, value in have.items()]
        told.append(f"**{score.title}:** {', '.join(each)}.")
    return " ".join(told)


def _caption(result: Result) -> str:
    wide, unit, scale = result.metrics.get("data_range"), result.content.subject.unit, ""
    if isinstance(wide, float):
        scale = f"PSNR and SSIM are relative to the truth's own range, {mosaic_plots.rounded(wide)} {unit}. "
    return scale + "Residual: misfit to the data over the noise; well below 1 the noise itself is drawn."


def model() -> dict[str, Callable[[], Any]]:
    """Each bundled prior's numbers on synthetic slices that it never saw, against the range of angles."""
    known = {n: c for n, c in checkpoint.known(PAGE).items() if card_plots.ranges(c) and not n.startswith("sha256:")}
    if not known:
        return {}
    with st.expander("How good the priors are, on synthetic slices they never saw", icon=":material/fact_check:", expanded=True):
        sizes = sorted({int(card["size"]) for card in known.values()}, reverse=True)
        for size, tab in zip(sizes, st.tabs([f"{size} × {size} pixels" for size in sizes]), strict=True):
            with tab:
                for name, card in known.items():
                    if card["size"] == size:
                        one(name, card)
        st.caption(f"{NEVER} {WARNED}")
    return {}


def one(name: str, card: dict[str, Any]) -> None:
    """One prior's card as a figure and a table."""
    title = str(card.get("title") or KINDS.get(str(card.get("prior")), name))
    left, right = st.columns([1, 1], gap="medium")
    with left:
        figure.show(
            card_plots.against_range(card, title, figure.dark()), f"{PAGE}.card.{name}", f"PSNR of {title} against angles"
        )
    with right:
        asked = card_plots.ranges(card)
        scores = [evidence.Score(f"psnr_{x}", f"{x}°", digits=1) for x in asked]
        rows = {title: dict(card["metrics"])} | {
            card_plots.NAMES.get(n, (n, ""))[0]: dict(row) for n, row in dict(card.get("baselines", {})).items()
        }
        evidence.score_table(scores, rows, highlight=title, caption="PSNR in dB.")
        held = ", ".join(
            f"{100 * card['metrics'][f'coverage90_{x}']:.0f} % at {x}°" for x in asked if f"coverage90_{x}" in card["metrics"]
        )
        seconds, count = float(card.get("seconds", 0)), card.get("n_test")
        st.caption(
            f"{card.get('summary', '')} Scored on {count} others at 1 % noise; bars are 95 % intervals. Its own 90 % intervals "
            f"hold {held}. Trained in {jobs.rounded(seconds)} ({card.get('device')})."
        )


KINDS = {"gaussian": "Gaussian prior", "vae": "Latent MAP", "diffusion": "Diffusion posterior"}
