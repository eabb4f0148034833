"""Bayes' rule in pictures, samplers put to the test where the answer is known, and the chains of a sampler as a film."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from app.instruments.tomography_own import PAGE
from app.parts import background, figure, player, session, slider
from app.parts.guard import guard
from gen_core.result import Result
from gen_core.tomography import bayes, bayes_plots, chain, film, methods, mosaic_plots, samplercheck
from gen_core.tomography.recipe import OF_METHODS, Reconstruct

Window = tuple[float, float] | None
PRIORS = {"gaussian": "Gaussian prior, at once", "diffusion": "Diffusion prior"}
SAMPLERS = {"exact": "Exact draws", "langevin": "Langevin", "dds": "DDS", "dps": "DPS"}
WEIGHT = "Prior times likelihood to this power. 1: the posterior. 0: the prior alone."
RULE = (
    "Left: what the prior expects before any view. Middle: the data alone; the least-norm picture, plus noise as large as pixels "
    "differ in slices in all that no view has measured. Right: what both allow. All begin with the same random numbers, so at "
    "weight 0 the right is the left. Residual: misfit to the data over the noise, 1 is right."
)


def row(result: Result, window: Window) -> None:
    """Prior, data alone and posterior side by side; the slider is followed while it is dragged."""
    st.fragment(_row)(result, window)


def _row(result: Result, window: Window) -> None:
    recipe = _asked(result)
    with guard():
        offered = ["gaussian", *(["diffusion"] if bayes.can_diffuse(recipe) else [])]
        left, right = st.columns([2, 3], gap="large", vertical_alignment="bottom")
        with left:
            weight = slider.drag(PAGE, "data_weight", "Weight of the data", 0.0, 1.0, 0.05, "", WEIGHT)
        which = offered[0]
        if len(offered) > 1:
            key = session.settle(PAGE, "bayes_prior", offered)
            which = str(right.segmented_control("Prior", offered, key=key, format_func=PRIORS.__getitem__, required=True))
        dark = figure.dark()
        if which == "diffusion" and not _denoised(result, weight):
            _above(recipe, weight)
            return
        figure.show(_picture(result, which, weight, window, dark), f"{PAGE}.bayes", _alt(weight))
        session.put(PAGE, "bayes/shown", (which, weight))
        st.caption(RULE)
        _above(recipe, weight)


def _denoised(result: Result, weight: float) -> bool:
    """Whether the diffusion prior's pictures are there; else a button that draws them, with a word on how far it is."""
    recipe = _asked(result)
    waiting = [w for w in dict.fromkeys((0.0, weight)) if not _known(result, w)]
    if not waiting:
        return True
    each = ["two from the prior alone" if not w else f"two draws at weight {w:.2f}" for w in waiting]
    told = f"{' and '.join(each).capitalize()}: a minute or so, once."
    if st.button("Draw with the diffusion prior", icon=":material/play_arrow:", key=f"{PAGE}/bayes/draw", help=told):
        bar = st.progress(0.0, "Drawing")
        for w in waiting:
            name = "From the prior" if not w else f"At weight {w:.2f}"
            background.follow(partial(bayes.denoised, recipe, recipe.sampler, w), bar, name)
        session.again()
    st.caption(f"Not drawn yet. {told}")
    return False


def _known(result: Result, weight: float) -> bool:
    recipe = _asked(result)
    return _own(result, weight) is not None or bayes.is_denoised(recipe, recipe.sampler, weight)


def _own(result: Result, weight: float) -> Any:
    """The diffusion posterior's samples in the pictures above, in attenuation, where they are of this weight; else None."""
    found = result.content.solutions.get("posterior")
    if found is None or found.samples is None or len(found.samples) < bayes.COUNT or _asked(result).data_weight != weight:
        return None
    return found.samples[: bayes.COUNT]


def _picture(result: Result, which: str, weight: float, window: Window, dark: bool) -> Any:
    recipe, subject = _asked(result), result.content.subject
    if which == "gaussian":
        prior, both = bayes.posterior(recipe, 0.0), bayes.posterior(recipe, weight)
    else:
        draw = lambda w: bayes.denoised(recipe, recipe.sampler, w).samples  # noqa: E731
        own = _own(result, weight)
        prior, both = draw(0.0), draw(weight) if own is None else own
    groups = {"prior": prior, "fbp": bayes.fitting(recipe), "posterior": both}
    missed = {name: bayes.residual(subject.problem, pictures) for name, pictures in groups.items()}
    told = {name: subject.told(pictures) for name, pictures in groups.items()}
    if subject.unit == "HU" and window is not None:
        scale = mosaic_plots.grey(*window, subject.unit)
    else:
        scale = mosaic_plots.whole([told["posterior"]], subject.unit)
    return bayes_plots.row(told, missed, subject, scale, dark)


def _alt(weight: float) -> str:
    return f"Two draws from the prior, two pictures that fit the data without it, two from the posterior at weight {weight:.2f}"


def _above(recipe: Reconstruct, weight: float) -> None:
    """The weight goes into the link; methods above that depend on it are computed anew only when asked to."""
    if weight == recipe.data_weight:
        return
    slow = [methods.titled(name) for name in recipe.methods if name in OF_METHODS["data_weight"]]
    if not slow:
        session.write_link(recipe.replace(data_weight=weight))
    elif st.button("Use this weight in the pictures above", icon=":material/arrow_upward:", key=f"{PAGE}/bayes/above"):
        st.rerun()


def figures(result: Result, window: Window) -> dict[str, Callable[[], Any]]:
    """What was shown last of these parts, for the export."""
    dark, out = figure.dark(), dict[str, Callable[[], Any]]()
    shown = session.get(PAGE, "bayes/shown")
    if shown is not None:
        which, weight = shown
        if which == "gaussian" or (_known(result, weight) and _known(result, 0.0)):
            out["bayes"] = lambda: _picture(result, which, weight, window, dark)
    for name, solution in result.content.solutions.items():
        if solution.chain is not None:
            out[f"{name}_chains"] = partial(bayes_plots.chains, solution.chain, True, dark)
    return out


# ---- the sampler check


def check(result: Result) -> None:
    """Every sampler with the score of a Gaussian prior against its exact posterior, one after the other."""
    st.fragment(_check)(result)


def _check(result: Result) -> None:
    recipe = _asked(result)
    with guard():
        st.markdown("**Sampler check**, with a prior whose posterior is known")
        waiting = [name for name in samplercheck.NAMES if samplercheck.ready(recipe, name) is None]
        told = "Each sampler draws on this very scanner and noise: about a minute at 128 pixels, seconds at 64."
        if waiting and not st.button("Check the samplers here", icon=":material/rule:", key=f"{PAGE}/samplercheck", help=told):
            st.caption(told)
            return
        table = st.empty()
        rows: list[samplercheck.Row] = []
        bar = st.progress(0.0, "Sampler check") if waiting else None
        for name in samplercheck.NAMES:
            if name in waiting:
                rows.append(background.follow(partial(samplercheck.check, recipe, name), bar, SAMPLERS[name]))
            else:
                rows.append(samplercheck.check(recipe, name))
            with table:
                _table(rows)
        if bar is not None:
            bar.empty()
        st.caption(
            "Langevin, DDS and DPS, with the closed-form score of a Gaussian prior, on this very scanner and noise: "
            f"{rows[0].draws} draws of each against the exact posterior at {samplercheck.PIXELS} pixels. Off: the error of their "
            "mean, in exact deviations; in brackets what chance alone makes of so few. Ratio: their deviation over the exact "
            "one, ± its standard error. The first row is exact by construction: what it shows is chance."
        )


def _table(rows: list[samplercheck.Row]) -> None:
    st.table(
        {
            "Sampler": [SAMPLERS[row.name] for row in rows],
            "Mean is off by": [f"{row.off:.2f} ({row.by_chance:.2f})" for row in rows],
            "Deviation, ratio": [f"{row.ratio:.2f} ± {row.plus_minus:.2f}" for row in rows],
            "Verdict": [_verdict(row) for row in rows],
        },
        border="horizontal",
        hide_index=True,
    )


def _verdict(row: samplercheck.Row) -> str:
    if row.name == "exact":
        return "the yardstick"
    if row.good:
        return ":green[:material/check:] agrees"
    wrong = "surer than it may be" if row.ratio < 1 else "too careful" if row.off < 2 * row.by_chance else "off the mark"
    return f":red[:material/warning:] {wrong}"


def beside(result: Result) -> None:
    """One line for the maps of uncertainty: what the check says of the samplers behind them."""
    recipe = _asked(result)
    behind = {"posterior": recipe.sampler, "langevin": "langevin"}
    told = []
    for name in result.content.deviations:
        if name not in behind:
            continue
        found = samplercheck.ready(recipe, behind[name])
        if found is None:
            told.append(f"{methods.titled(name)}: not made yet for this scanner, check the samplers in the tab Uncertainty")
        else:
            off = f"mean off by {found.off:.2f} deviations ({found.by_chance:.2f} by chance)"
            told.append(f"{methods.titled(name)}: {off}, deviation × {found.ratio:.2f} ± {found.plus_minus:.2f}")
    if told:
        st.caption(f"Sampler check, with a Gaussian prior whose posterior is known. {'; '.join(told)}.")


# ---- chains as a film


def chains(result: Result, window: Window) -> None:
    """One chain as a film, and beside it what all chains did, step by step."""
    st.fragment(_chains)(result, window)


def _chains(result: Result, window: Window) -> None:
    made = result.content
    with guard():
        own = {name: methods.titled(name) for name, found in made.solutions.items() if found.chain is not None}
        offered = {**own, "gaussian": "Langevin with the Gaussian prior"}
        left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
        with left:
            which = st.segmented_control(
                "Chains", list(offered), key=session.settle(PAGE, "chains", list(offered)), format_func=offered.__getitem__,
                required=True,
            )  # fmt: skip
        without = False
        with right:
            if which in own:
                told = "The same sampler without any data: what the prior draws by itself."
                without = st.toggle("Without the data", key=f"{PAGE}/chains/without", help=told)
        found = _chain(result, str(which), without)
        if found is None:
            return
        one, two = st.columns(2, gap="medium")
        key = f"{PAGE}.film"
        with one:
            _film(result, found, window, key)
        with two:
            drawn = bayes_plots.chains(found, which != "gaussian", figure.dark(), follows=key)
            figure.show(drawn, f"{PAGE}.chain_steps", "log p(y|x) and log p(x) of every chain, by step")
        st.markdown(_mixed(found))
        if which != "gaussian":
            st.caption(
                "A diffusion prior has no log p(x) that could be computed here; shown is that of the Gaussian prior beneath it. "
                + ("Without data log p(y|x) plays no part; it is shown all the same." if not found.weight else "")
            )
        if not own:
            st.caption("Choose *Diffusion posterior* or *Langevin samples* among the methods to see their chains.")


def _chain(result: Result, which: str, without: bool) -> chain.Chain | None:
    recipe = _asked(result)
    if which == "gaussian":
        row, name = samplercheck.ready(recipe, "langevin"), "Langevin with the Gaussian prior"
        return row.chain if row is not None else _run(partial(samplercheck.check, recipe, "langevin"), name)
    if not without:
        found: chain.Chain | None = result.content.solutions[which].chain
        return found
    sampler = recipe.sampler if which == "posterior" else "langevin"
    if bayes.is_denoised(recipe, sampler, 0.0):
        return bayes.denoised(recipe, sampler, 0.0).chain
    return _run(partial(bayes.denoised, recipe, sampler, 0.0), f"{methods.titled(which)} without the data")


def _run(work: Callable[[background.Progress], Any], title: str) -> None:
    """A button that starts what takes long; when it is done the film is there."""
    if st.button(title, icon=":material/play_arrow:", key=f"{PAGE}/chains/run", help="Half a minute or so, once."):
        background.follow(work, st.progress(0.0, title), title)
        session.again()
    st.caption("Not computed yet: half a minute or so, once for this scanner and noise.")


def _film(result: Result, found: chain.Chain, window: Window, key: str) -> None:
    made, size = result.content, result.content.subject.problem.size
    strips = {
        title: film.strip(made, made.subject.told(chain.attenuation(pictures)), window)
        for title, pictures in {"The noisy picture": found.noisy, "What it stands for": found.clean}.items()
    }
    labels = [f"step {i + 1} of {len(found.levels)}, noise {found.levels[i]:.2g}" for i in found.at]
    player.show(strips, len(found.at), (size, size), key, labels, 205, 6.0)
    st.caption("One chain. Noise in units of the attenuation of water; the picture is what prior and data make of the noisy one.")


def _mixed(found: chain.Chain) -> str:
    """Whether chains agree, in a sentence."""
    mixing, steps = found.mixing(), found.last.stop - found.last.start
    near, end = (f"{value:,.0f}".replace("-", "−") for value in (-found.rays / 2, float(found.likelihood[-1].mean())))
    ends = f"log p(y|x) ends at {end}; a true slice stands near {near}. "
    if found.weight == 0:
        ends = ""
    if steps == 1:
        return ends + "These are paths, not chains that wander: each meets every level of noise once, and is one draw."
    if not mixing["axes"] < float("inf"):
        return (
            ends + "**Whether the chains agree cannot be told**: it takes four steps at the last level of noise and two chains."
        )
    told = f"{mixing['likelihood']:.3g} for log p(y|x), {mixing['axes']:.3g} at most along the first {found.along.shape[2]} axes"
    said = f"{ends}Split R-hat over the last {steps} steps, at one level of noise: {told} (1: chains cannot be told apart). "
    if max(mixing["axes"], mixing["likelihood"]) <= chain.AGREE:
        return said + "**The chains have forgotten where they began.**"
    return said + (
        "**No chain wanders to where the others are**: with so little noise each stays where the falling noise left it, as one "
        "draw. Read the spread between chains, never within one; whether it is right, the sampler check under Uncertainty says."
    )


def _asked(result: Result) -> Reconstruct:
    assert isinstance(result.recipe, Reconstruct)
    return result.recipe
