"""What labels teach, on the proteins page: how sure it is, what each filter is worth, how a plate would have fared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.parts import evidence, figure
from gen_core.proteins import table, viability_plots
from gen_core.proteins.sample import Drawn
from gen_core.proteins.score import Scored
from gen_core.proteins.viability import Viability
from gen_core.result import Result

NAMES = {"independent_sites": "Independent sites", "profile": "Profile score"}


def drawings(made: Drawn | Scored) -> dict[str, Callable[[], Any]]:
    """The learning curve, for the page and for the export; nothing where there are too few labels."""
    learned, dark = made.viability, figure.dark()
    if learned is None or not len(learned.curve):
        return {}
    return {"learning_curve": lambda: viability_plots.learning_curve(learned, dark)}


def show(result: Result) -> None:
    """What the labels of a draw or of scored sequences teach."""
    made: Drawn | Scored = result.content
    learned = made.viability
    assert learned is not None
    expected(result)
    left, right = st.columns(2, gap="large")
    with left:
        scores(learned)
        st.markdown("**A plate chosen from a hidden half**")
        st.dataframe(table.hits(learned), hide_index=True, width="stretch")
        st.caption("One half of the labels is learned from, the plate is chosen from the other; 90 % of twenty repeats.")
    with right:
        if drawn := drawings(made):
            st.markdown("**How many labels it takes**")
            figure.show(
                drawn["learning_curve"](),
                "proteins.learning",
                "Learning curve of the labels",
            )
            st.caption("Random labels are learned from, the others judged; the band holds 90 % of ten repeats.")
        else:
            st.info("A learning curve needs 32 labels or more.", icon=":material/info:")
    st.markdown("**What each filter is worth**")
    st.dataframe(table.worths(learned, made.model, made.recipe.filters), hide_index=True, width="stretch")
    st.caption("Of the labelled sequences; 90 % intervals. Where the two shares overlap, the filter says nothing here.")


def expected(result: Result) -> None:
    """How many of a plate of the kept samples should be functional."""
    names = [f"expected_functional_per_96{end}" for end in ("", "_low", "_high")]
    mean, low, high = (evidence.number(result.metrics.get(name), 0) for name in names)
    if mean != "–":
        st.markdown(f"**{mean} of 96 wells functional** ({low} to {high}) would be expected: an extrapolation.")
        st.caption("Chances of the best kept samples, none too alike another. Designs are unlike what was measured: test a few.")


def scores(learned: Viability) -> None:
    """How well the labelled sequences are told apart, with folds at random and by cluster, beside what needs no labels."""
    measure = viability_plots.MEASURES[learned.name]
    name, apart = f"viability_{learned.name}", f"viability_{learned.name}_clusters"
    columns = [evidence.Score(name, f"{measure}, random folds", digits=2)]
    mutants = learned.sites_apart is not None
    if mutants:
        apart = f"viability_{learned.name}_positions"
    columns += [evidence.Score(apart, f"{measure}, folds by {'position' if mutants else 'cluster'}", digits=2)]
    # what learns nothing from labels has one number, whatever the folds
    told = {
        NAMES[key]: row | {f"{apart}{end}": row[f"{name}{end}"] for end in ("", "_low", "_high")}
        for key, row in learned.baselines.items()
    }
    rows = {"Learned from labels": learned.numbers} | told
    intervals = {row: _intervals(values, (name, apart)) for row, values in rows.items()}
    evidence.score_table(
        columns,
        rows,
        intervals,
        highlight="Learned from labels",
        caption=f"{len(learned.labelled):,} labelled sequences{_clusters(learned)}, "
        f"{100 * learned.functional.mean():.0f} % functional; 90 % intervals over {'positions' if mutants else 'clusters'}. "
        + (
            "By position no change at one of its positions was learned from, as with changes that were not measured."
            if mutants
            else "By cluster no relative was learned from, as with designs."
        ),
    )


def _clusters(learned: Viability) -> str:
    count = learned.numbers["n_label_clusters"]
    return f" in {count:,} clusters of 60 % identity" if isinstance(count, int) and count > 1 else ""


def _intervals(values: Any, names: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    ends = {name: (values.get(f"{name}_low"), values.get(f"{name}_high")) for name in names}
    return {name: (float(low), float(high)) for name, (low, high) in ends.items() if low is not None and high is not None}
