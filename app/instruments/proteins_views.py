"""What the proteins page shows of each result, and how far to trust it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments import proteins_map, proteins_single, proteins_structure, proteins_table, proteins_viability
from app.instruments.proteins_verbs import PAGE, Asked
from app.parts import evidence, figure, jobs, session
from app.parts.guard import guard, plain
from gen_core.proteins import logo, plots, structure
from gen_core.proteins.decode import Decoded
from gen_core.proteins.modelfile import open_model
from gen_core.proteins.mutate import Mutated
from gen_core.proteins.sample import Drawn, independent_of
from gen_core.proteins.score import Scored
from gen_core.result import Result

SCORES = [
    evidence.Score("site_frequency_pearson", digits=3),
    evidence.Score("pair_correlation_pearson", digits=3),
    evidence.Score("pair_correlation_pearson_heldout", digits=3),
    evidence.Score("profile_pass_fraction", digits=2),
    evidence.Score("kept_fraction", digits=2),
    evidence.Score("unique_fraction", digits=3),
    evidence.Score("identity_among_mean", better="low", digits=2),
]
LIKELIHOOD = evidence.Score("log_likelihood_heldout", digits=1)
WORDS = evidence.Score("r20", digits=2)
NAMES = {
    "independent_sites": "Independent sites",
    "natural_holdout": "Held-out naturals",
    "couplings": "Couplings alone (Potts)",
    "normal_prior": "Without the fitted prior",
}
BESIDE = 2  # samples beside the template in 3-D
SAID = {"few_samples", "extrapolation", "outside_columns"}  # warnings that stand beside the scores they are about
Figures = dict[str, Callable[[], Any]]


def sampled(result: Result) -> Figures:
    """The samples one by one beside the nearest known, and all of them as a logo."""
    made: Drawn = result.content
    dark = figure.dark()
    learned = ["Viability"] if made.viability is not None else []
    one, solid, all_, *more = st.tabs(["Sequences", "3-D", "Logo", *learned], key=f"{PAGE}/tabs", on_change="rerun")
    with one:  # always: which rows are picked is known of a table that is drawn
        figures, rows = proteins_table.show(made)
    drawn = lambda: logo.of_samples(made, dark)  # noqa: E731
    figures |= {"logo": drawn}
    if solid.open:
        with solid, guard():
            three_d(made, rows)
    if all_.open:
        with all_:
            figure.show(drawn(), "proteins.logo", "Sequence logos of the samples and of the naturals")
            st.caption(
                "Height: information of the site. Grey: how far the two are apart at a site. Drag a long family sideways; "
                "the mouse tells what stands at a site."
            )
    for tab in more:
        figures |= proteins_viability.drawings(made)
        if tab.open:
            with tab, guard():
                proteins_viability.show(result)
    return figures


def three_d(made: Drawn, rows: list[int]) -> None:
    """The template, and the first of the picked samples on its backbone."""
    left, right = st.columns([1, 3], gap="medium")
    why = structure.missing(made)
    with left:
        names = list(proteins_structure.SHORT)
        title = proteins_structure.SHORT.__getitem__
        told = (
            "What the backbone's colours mean, and the B-factors in the files: conservation of the family's column, difference "
        )
        told += "from the nearest known sequence, or the residue's log likelihood."
        colour = st.selectbox("Colour", names, key=session.settle(PAGE, "b_factor", names), format_func=title, help=told)
        proteins_structure.saved()
        proteins_structure.template(made)
    with right:
        if why is not None:
            st.info(plain(why), icon=":material/view_in_ar:")
            return
        models = structure.models_of(made, rows[:BESIDE], colour)
        texts = [(model.caption, model.pdb()) for model in [structure.template_itself(made, colour), *models]]
        proteins_structure.show(texts, "proteins.structure", colour, height=300)
        proteins_structure.side_chains(made, rows[:BESIDE])
        proteins_structure.predicted(made, rows[:BESIDE])


def funnel(result: Result) -> None:
    """How many sequences each filter took out."""
    made: Drawn | Scored = result.content
    st.markdown(f"**{int(made.kept.sum()):,} of {len(made.codes):,}** pass all filters")
    figure.show(plots.funnel(made, figure.dark()), "proteins.funnel", "Sequences left after each filter")


def scored(result: Result) -> Figures:
    """Each given sequence with its scores."""
    made: Scored = result.content
    figures = proteins_table.show_scores(made)
    if made.viability is not None:
        st.header("Viability")
        proteins_viability.show(result)
        figures |= proteins_viability.drawings(made)
    return figures


def changes(result: Result) -> Figures:
    """The picked change beside the best ones, and what the labels teach."""
    made: Mutated = result.content
    figures = proteins_single.below(result)
    if made.viability is not None:
        st.header("Viability")
        proteins_viability.scores(made.viability)
    return figures


def decoded(result: Result) -> Figures:
    """What stands at each site at the latent points."""
    made: Decoded = result.content
    return proteins_table.show_points(made)


def picture(result: Result) -> Figures:
    """The map; beside it the funnel of a draw, and what the spot on it means. Of single changes their own map."""
    if isinstance(result.content, Mutated):
        return proteins_single.picture(result)
    return proteins_map.show(result, funnel if isinstance(result.content, Drawn | Scored) else None)


BELOW: dict[str, Callable[[Result], Figures]] = {"Sample": sampled, "Score": scored, "Single changes": changes, "Decode": decoded}


def trust(result: Result) -> Figures:
    """The result beside its baselines."""
    for notice in result.warnings:
        if notice.code in SAID:
            st.caption(f":material/info: {plain(notice.text)}")
    if not isinstance(result.content, Drawn):
        if isinstance(result.content, Scored):
            _of_scores(result)
        if isinstance(result.content, Mutated):
            proteins_single.trust(result)
        return {}
    made, dark = result.content, figure.dark()
    slope = evidence.number(result.metrics["pair_correlation_slope"], 2)
    near = {name: row.get("identity_nearest_median") for name, row in result.baselines.items()}
    near["These samples"] = result.metrics["identity_nearest_median"]
    rows = {_near("These samples", near): result.metrics}
    rows |= {_near(name, near): row for name, row in result.baselines.items() if "site_frequency_pearson" in row}
    evidence.score_table(
        SCORES,
        rows,
        highlight=next(iter(rows)),
        reference=[_near("natural_holdout", near)],
        caption="In brackets the median identity to the nearest known sequence: compare rows only where it is alike. Held-out "
        f"naturals are few, so their pairs are noisy. Slope of the pairs {slope} (1: as strong as in the family).",
    )
    drawings: Figures = {
        "identities": lambda: plots.identities(made, independent_of(made), dark),
        "pairs": lambda: plots.pairs(made.draw, "the samples", dark),
        "pairs_independent": lambda: plots.pairs(independent_of(made), "independent sites", dark),
    }
    told = {
        "identities": "Identity to the nearest known sequence, of samples, held-out naturals and independent sites",
        "pairs": "Pair correlations of the samples against those of the family",
        "pairs_independent": "Pair correlations of independent sites against those of the family",
    }
    for column, (name, drawn) in zip(st.columns([4, 3, 3], gap="small"), drawings.items(), strict=True):
        with column:
            figure.show(drawn(), f"proteins.{name}", told[name])
    return drawings | {"sites": lambda: plots.sites(made, dark)}


def _near(name: str, near: dict[str, Any]) -> str:
    share = near.get(name)
    return NAMES.get(name, name) + (f" ({100 * share:.0f} %)" if isinstance(share, float) else "")


def _of_scores(result: Result) -> None:
    near = {"These sequences": result.metrics["identity_nearest_median"]}
    near |= {name: row.get("identity_nearest_median") for name, row in result.baselines.items()}
    rows = {_near("These sequences", near): result.metrics} | {
        _near(name, near): row for name, row in result.baselines.items() if "log_likelihood_mean" in row
    }
    scores = [evidence.Score("log_likelihood_mean", digits=1)]
    told = "In brackets the median identity to the nearest known sequence. A likelihood is no measure of function."
    evidence.score_table(scores, rows, highlight=next(iter(rows)), caption=told)


def model(recipe: Asked) -> None:
    """The model's own numbers, on naturals it never saw and beside what does without it."""
    card = open_model(str(recipe.model)).card
    numbers: dict[str, Any] = dict(card.get("metrics", {}))
    if not numbers:
        return
    with st.expander("How good this model is, beside simpler ones", icon=":material/fact_check:"):
        around = {name: numbers.get(f"naturals_{name}") for name in (score.name for score in (*SCORES, WORDS))}
        around["identity_nearest_median"] = numbers.get("naturals_identity_nearest_median")
        rows = {"Its prior": numbers, "Around the naturals": around} | {
            NAMES.get(name, name): row for name, row in dict(card.get("baselines", {})).items()
        }
        near = {name: row.get("identity_nearest_median") for name, row in rows.items()}
        evidence.score_table(
            [score for score in (*SCORES, WORDS, LIKELIHOOD) if score.name in numbers],
            {_near(name, near): row for name, row in rows.items()},
            reference=[_near("Held-out naturals", near)],
            caption="10,000 samples each, scored when the model was made. Words: how often the commonest words at 2 to 8 sites "
            "stand there, against held-out naturals; their own row is that of the naturals learned from, which no model need "
            f"surpass. {plain_summary(card)}",
        )


def plain_summary(card: dict[str, Any]) -> str:
    """What the model learned from, and how long that took."""
    seconds = jobs.rounded(float(card.get("seconds", 0)))
    return f"{card.get('summary', '')} Trained in {seconds} on one core ({card.get('device')})."
