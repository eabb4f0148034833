"""What the cells page shows below its pictures: the clicked spot, the genes, the evidence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments.cells_question import PAGE
from app.parts import evidence, figure
from app.parts.evidence import number
from app.parts.guard import plain
from gen_core.cells import explore, heldout, metrics, plots
from gen_core.cells.perturb import Prediction
from gen_core.cells.shift import BASELINES
from gen_core.result import Result

SCORES = [
    evidence.Score("pearson_delta_all"),
    evidence.Score("pearson_delta_top100"),
    evidence.Score("r2_mean_all"),
    evidence.Score("e_distance_relative", better="low"),
    evidence.Score("r2_variance"),
]
TITLES = {
    "control_mean": ("Control", "%.2f"),
    "predicted_mean": ("Predicted", "%.2f"),
    "observed_mean": ("Observed", "%.2f"),
    "log2fc_predicted": ("log₂FC predicted", "%+.2f"),
    "log2fc_low": ("log₂FC low", "%+.2f"),
    "log2fc_high": ("log₂FC high", "%+.2f"),
    "log2fc_observed": ("log₂FC observed", "%+.2f"),
    "sign_agreement": ("Types that agree", "%.2f"),
    "p_adjusted_observed": ("p adj. observed", "%.1e"),
}


def score(made: Prediction) -> None:
    """The few numbers that say how good this prediction is, beside the best simple one and the ceiling."""
    if made.recipe.predictor == "auto":
        told = (
            "Each other type was left out in turn: the predictor with the highest mean correlation is taken, of those within "
            "0.01 the simplest. A trained latent space must also lead on a type that it had not seen. The type that is "
            "predicted here has no say."
        )
        st.caption(f"Uses **{plots.NAMES[made.predictor]}**, chosen by the other types: here another may do better.", help=told)
    if made.fold is None:
        own = "was learned from" if made.study.saw_target else "was not measured"
        told = f"Mean over the types whose answer is known, each left out in turn. This one's own response {own}."
        st.metric("Change of other types (r)", number(made.folds.mean(made.predictor, "pearson_delta_all"), 2), help=told)
        if made.study.dose is None and made.recipe.dose != 1:
            st.caption("At a dose of 1, where it was measured: of this dose nothing is known.")
        elif made.study.dose is not None and made.recipe.dose != made.folds.dose:
            st.caption(f"At dose {made.folds.dose:g}, the nearest that was measured.")
        return
    own, ceiling = made.fold.correlation(made.predictor), made.fold.best["pearson_delta_all"]
    told = "Pearson correlation over genes of the predicted and the observed change, on cells the prediction never saw."
    st.metric("Correlation of change (r)", number(own, 3), help=told)
    theirs, best = max((made.fold.correlation(name), name) for name in BASELINES if name != made.predictor)
    low, high = made.intervals["pearson_delta_all"]
    st.caption(
        f"90 % interval {number(low, 3)} to {number(high, 3)}.  \n"
        f"Best other baseline {number(theirs, 3)} ({plots.NAMES[best].lower()}), ceiling {number(ceiling, 3)}"
        + (f", low because only {len(made.observed)} cells were measured." if own > ceiling else ".")
    )


def show_spot(found: explore.Spot, against: str, forget: Callable[[], None]) -> None:
    """A decoded spot: who lives there, how strange it is, which genes set it apart."""
    around = ", ".join(f"{plain(name)} {share:.0%}" for name, share in found.nearest[:3])
    usual = found.percentile <= 95
    number_format = st.column_config.NumberColumn
    columns = {
        "gene": "Gene",
        "expression": number_format("Expression", format="%.2f"),
        "change": number_format("Change", format="%+.2f"),
    }
    with st.container(border=True):
        left, right = st.columns([1, 2], vertical_alignment="center")
        with left:
            st.markdown("**The clicked spot**")
            evidence.badge(f"farther out than {found.percentile:.0f} % of cells" if usual else "unlike any cell measured", usual)
            st.caption(f"Nearest cells: {around}")
            key = f"{PAGE}/forget_spot"
            st.button("Forget the spot", key=key, type="tertiary", icon=":material/close:", on_click=forget)
        with right:
            st.caption(f"Expression (log1p), change {plain(against)}")
            st.dataframe(found.genes.head(40), hide_index=True, height=178, column_config=columns)


def genes(made: Prediction) -> None:
    """The genes: how sure each change is, a table to search, violins of chosen ones, gene sets."""
    names = ["Volcano", "Table", "Violins"] + (["Gene sets"] if made.recipe.gene_sets else [])
    st.header("Genes")
    view = st.segmented_control(
        "View of the genes",
        names,
        default=names[-1] if len(names) > 3 else names[0],
        key=f"{PAGE}.view.{len(names)}",
        label_visibility="collapsed",
        required=True,
    )
    if view == "Volcano":
        told = "Predicted fold change of each gene against how sure it is"
        figure.show(plots.volcano(made, figure.dark()), "cells.volcano", told)
        st.caption(
            "Upwards: the change in units of how much the other types differ. Not a p-value: predicted cells are their own "
            "controls moved, so p only counts cells. Expression is per 10,000 counts: where some genes rise, all others fall a "
            "little, which is the cloud of small negative changes."
        )
    elif view == "Table":
        number_format = st.column_config.NumberColumn
        titles = TITLES | {"control_mean": (made.study.start.capitalize(), "%.2f")}
        shown = {name: number_format(title, format=digits) for name, (title, digits) in titles.items()}
        st.dataframe(
            made.tested[["rank", "gene", *TITLES]],
            hide_index=True,
            height=420,
            column_config={"gene": "Gene", "rank": "Rank"} | shown,
        )
        st.caption(
            "Ranked by the smallest change that the 90 % interval allows, not by p, with "
            f"{metrics.PSEUDO:g} counts per 10,000 added on both sides: a gene without a count in {made.study.start} cells has a "
            "log₂FC near 30 and would always come first. The magnifier at the corner searches."
        )
    elif view == "Violins":
        violins(made)
    elif made.gene_sets is not None:
        gene_sets(made)


def violins(made: Prediction) -> None:
    """Expression of chosen genes."""
    first = [str(gene) for gene in made.genes.gene[:4]]
    key = f"{PAGE}.genes.{made.study.recipe.data}"
    chosen = st.multiselect("Genes", made.study.genes, default=first, max_selections=8, key=key, help="Up to eight, by name.")
    if not chosen:
        st.caption("Choose a gene to see its cells.")
        return
    told = "Expression of chosen genes in control, predicted and observed cells"
    figure.show(plots.violins(made, chosen, figure.dark()), "cells.violins", told)
    st.caption("Predicted cells keep their own noise. All cells without a count of a gene move to one value: the narrow waist.")


def gene_sets(made: Prediction) -> None:
    """The change of each gene set, predicted beside observed."""
    table = made.gene_sets
    assert table is not None
    titles = {"gene_set": "Gene set", "n_genes": "Genes", "n_found": "Found"}
    columns: dict[str, Any] = dict(titles)
    roles = ("predicted", "observed") if made.fold is not None else ("predicted",)
    table = table[[name for name in table if made.fold is not None or not str(name).startswith("observed")]]
    for role in roles:
        columns[f"{role}_change"] = st.column_config.NumberColumn(f"{role.capitalize()} change (log1p)", format="%+.3f")
        columns[f"{role}_z"] = st.column_config.NumberColumn(f"{role.capitalize()} z", format="%+.1f")
    st.dataframe(table, hide_index=True, column_config=columns)
    st.caption("Mean change of the set's genes; z: how many standard errors it lies from the mean of all genes.")


def likeness(made: Prediction) -> None:
    """How alike the types respond: what latent arithmetic takes for granted."""
    alike = made.likeness
    if len(alike.names) < 2:
        return
    st.header("How alike the types respond")
    left, right = st.columns([3, 2], gap="large", vertical_alignment="center")
    with left:
        figure.show(plots.likeness(made, figure.dark()), "cells.likeness", "Cosines between the responses of the cell types")
    with right:
        st.metric(
            "Explained by one constant shift",
            f"{number(100 * alike.share, 0)} %",
            help="Share of the types' responses, as vectors of the latent space, that their mean explains; 100 %: all alike.",
        )
        st.caption(
            "Latent arithmetic adds one vector to every cell. That is right as far as the arrows of the types are alike: "
            "1 is the same direction, 0 has nothing in common. The grey arrows on the map are these responses; the prediction "
            f"for {plain(made.study.target)} averages them, like types first."
        )


def flattered(made: Prediction) -> str:
    """What to hold against the latent rows of the table of left-out types."""
    check, model = made.study.check, made.study.model
    if model is None:
        return (
            f"The components saw the perturbed cells of these types, all but {plain(made.study.target)}'s: predictors in "
            "components are flattered in the other rows."
        )
    target = plain(str(model.card["target"]))
    saw = f"The latent space learned from the perturbed cells of these types, all but {target}'s, and is flattered in their rows"
    if check is None:
        return f"{saw}; by how much was not checked."
    return (
        f"{saw}: trained without {plain(check.type)}'s too, it predicts these at r = {number(check.left_out)} instead of "
        f"{number(check.kept)} ({plots.NAMES[made.folds.rival].lower()}: {number(check.baselines[made.folds.rival])})."
    )


def trust(result: Result) -> None:
    """How far to believe it: this prediction beside its baselines, and every other type left out in turn."""
    made: Prediction = result.content
    told = result.metrics
    st.header("Evidence")
    if made.fold is not None:
        used = plots.NAMES[made.predictor]
        rows = {used: told} | {plots.NAMES[n]: result.baselines[n] for n in (*BASELINES, "ceiling") if n != made.predictor}
        spans = {name: (told[f"{name}_low"], told[f"{name}_high"]) for name in metrics.NAMES if f"{name}_low" in told}
        cells = f"{len(made.observed)} {made.study.end} {plain(made.study.target)} cells"
        about = (
            f"This prediction, scored on {cells} it never saw; 90 % intervals. {plots.NAMES['no_change']} correlates a little "
            f"because the same {plain(made.study.start)} cells, and so their noise, are in both changes that are compared."
        )
        evidence.score_table(SCORES, rows, {used: spans}, used, [plots.NAMES["ceiling"]], about)
    if not made.folds.folds:
        st.caption("With a single other type nothing can be left out, so nothing tells how far to trust this.")
        return
    frame = heldout.reference(made)
    figure.show(
        plots.held_out(frame, made.study.target, figure.dark()),
        "cells.held_out",
        "Score of every predictor on every left-out type",
    )
    resampled = "cells" if made.study.replicate is None else "donors (cells where a type has a single donor)"
    st.caption(
        f"Each type left out in turn and predicted from the others. Bars: 90 % over resampled {resampled}. "
        "The ceiling, half of the real cells against the other half, is low where a type has few cells. " + flattered(made)
    )
    percent = {name: number(100 * float(told[f"genes_{name}"]), 0) for name in ("up_precision", "up_by_chance", "coverage90")}
    st.markdown(
        f"Of the genes called up (at least doubled), **{percent['up_precision']} %** went up in left-out types; "
        f"of all expressed genes {percent['up_by_chance']} % did. "
        f"The 90 % intervals covered **{percent['coverage90']} %** of the changes."
    )
    if "pearson_delta_true" in told:
        mean, cell = (number(told[name], 2) for name in ("pearson_delta_true", "pearson_delta_true_per_cell"))
        st.markdown(
            f"These cells are synthetic: the truth is known without noise, r = {mean} for the mean, {cell} for the median cell."
        )
    if "pearson_delta_left_out_dose" in told:
        r = number(told["pearson_delta_left_out_dose"], 2)
        st.markdown(f"A dose left out and interpolated from its neighbours: r = {r} on average.")
