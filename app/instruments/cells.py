"""Cells: predict how a cell type that was not treated would respond.

The first minute: the page opens on a prediction. Its user picks another cell type, moves the dose, sees the cells move on
the map and the genes along the diagonal, and reads how much better than a simple average that was.
The first hour: they add their own .h5ad, check the columns that were guessed, name donors or doses, look at the left-out
types, search their genes, drop a gene-set file, try a new donor's control cells, and save the prediction for scanpy.
A bad day: no column says control; the matrix is scaled; one type only; treated cells of the target are missing; donor and
treatment coincide; a link names a file that is not here. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import evidence, explain, export, figure, map, presets, session, upload
from app.parts.file_field import file_field
from app.parts.guard import guard, plain
from app.parts.header import header
from gen_core import catalog
from gen_core.cells import decode, explore, heldout, metrics, plots, question
from gen_core.cells.perturb import Prediction
from gen_core.cells.recipe import Decode, Perturb
from gen_core.cells.shift import BASELINES, PREDICTORS
from gen_core.cells.study import open_study
from gen_core.datasets import DATA
from gen_core.errors import UserError
from gen_core.result import Result

PAGE = "cells"
TYPES = ["h5ad", "h5", "zip", "mtx"]
ASKED = ("data", "layer", "condition_key", "control", "perturbed", "cell_type_key", "target", "replicate_key", "dose_key", "reverse", "target_data", "gene_sets", "seed")
SHIFTS = {"similarity_weighted": "Similarity-weighted", "nearest": "Nearest type", "balanced_mean": "Balanced mean", "mean": "Mean of all cells"}
SCORES = [
    evidence.Score("pearson_delta_all", "Change, all genes (r)"),
    evidence.Score("pearson_delta_top100", "Change, top 100 (r)"),
    evidence.Score("r2_mean_all", "Means, all genes (R²)"),
    evidence.Score("e_distance_relative", "Energy distance (1 = nothing done)", "low"),
    evidence.Score("r2_variance", "Variances (R²)"),
]


def default() -> Perturb:
    """What the page opens on: synthetic cells whose true response is known."""
    return Perturb(data="simulated", target="T helper")


PRESETS = {
    "Two branches of one family": Perturb(data="simulated", target="T cytotoxic"),
    "A dose that was never given": Perturb(data="simulated_doses", target="B", dose_key="dose_uM", dose=5.0),
    "Pathways": Perturb(data="simulated", target="Dendritic", gene_sets="simulated_pathway", replicate_key="donor"),
}
TRAPS = [
    (
        "**An average of unlike types looks fine until the target is unlike them.** Take the balanced mean for a monocyte: the part of the "
        "response that only myeloid cells have is missing, and the correlation over all genes hardly shows it.",
        Perturb(data="simulated", target="Monocyte", predictor="gene_shift"),
    ),
    (
        "**Doing nothing does not score zero.** The reference cells are in both changes that are compared, so their noise alone "
        "makes some correlation, the more the fewer cells there are. Compare with this line, not with zero.",
        Perturb(data="simulated", target="Dendritic", predictor="no_change"),
    ),
    (
        "**A dose beyond what was measured is a straight line drawn on.** The cells leave everything that was ever measured, and nothing in "
        "the picture of the genes says so.",
        Perturb(data="simulated", target="T helper", dose=2.0),
    ),
    (
        "**A p-value of predicted cells says how many cells there are.** They are their own controls, moved; ten times the cells make p "
        "smaller and the prediction no better. So genes are ranked by the smallest change their interval allows.",
        None,
    ),
]


def widgets(recipe: Perturb | Decode) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    fields = recipe.fields()
    return fields | {"sources": list(fields.get("sources") or [])}


def new_data() -> None:
    """Other data: everything that belonged to the old one starts anew."""
    session.load(PAGE, Perturb(data=session.value(PAGE, "data")))
    forget_spot()


def forget(*fields: str) -> None:
    """In a callback: these fields belong to a choice that was just changed, so they are guessed again."""
    session.seed(PAGE, **{field: [] if field == "sources" else None for field in fields})
    forget_spot()


def forget_spot() -> None:
    """In a callback: the clicked spot was one of another map."""
    for key in ("cells.map", "cells.atlas"):
        figure.forget(key)


def ask(recipe: Perturb | Decode) -> Perturb | Decode:
    """The question, above the instrument: data, cell type, and in a popover the rest. Returns it filled in.

    Where the file holds no answerable question, says why in one sentence and returns the recipe of its map.
    """
    data_column, target_column, more_column = st.columns([5, 4, 3], vertical_alignment="bottom")
    with data_column:
        name = upload.data_picker(PAGE, "cells", recipe.data, new_data, TYPES)
    given = {field: session.value(PAGE, field) for field in ASKED if session.value(PAGE, field) is not None}
    if sources := session.value(PAGE, "sources"):
        given["sources"] = [s for s in sources if s != given.get("target")] or None
    described = question.described(name, given.get("layer") or ("raw" if name == "pbmc68k_reduced" else None))
    wanted, problem = None, None
    try:
        wanted = question.fill_in(Perturb.read(given | {"data": name, "dose": recipe.dose if given.get("dose_key") and isinstance(recipe, Perturb) else 1.0}))
        session.seed(PAGE, **{field: getattr(wanted, field) for field in ASKED if field != "data"})
        types = question.types(wanted)
    except UserError as error:
        problem = error
    with target_column:
        if wanted is not None:
            st.selectbox(
                "Cell type to predict", types, key=session.settle(PAGE, "target", types, wanted.target), on_change=forget, args=("sources",),
                help="Its treated cells are never used for the prediction, only to score it.",
            )  # fmt: skip
    with more_column, st.popover("Question", icon=":material/tune:", width="stretch", help="Columns, donors, doses, gene sets, a second file"):
        details(described, wanted)
    if problem is not None:
        st.info(plain(f"{problem} Until then, this is a map of the cells." if name != "pbmc68k_reduced" else "No treatment was measured in these cells; they are a map to walk on: click anywhere."))
        return Decode(data=name, layer=given.get("layer"))
    return wanted


def details(described: Any, wanted: Perturb | None) -> None:
    """The rest of the question: which columns mean what, which types to learn from, which files to add."""
    names = [column.name for column in described.columns]
    labels = {column.name: list(column.levels) for column in described.columns}
    key = session.value(PAGE, "condition_key")
    st.caption(described.state.text)
    left, right = st.columns(2)
    with left:
        st.selectbox("Condition column", names, index=None, key=session.key(PAGE, "condition_key"), on_change=forget, args=("control", "perturbed"), help="Tells control from treated cells.")
        st.selectbox("Control", labels.get(key, []), index=None, key=session.key(PAGE, "control"), help="Label of the untreated cells.")
        st.selectbox("Treated", labels.get(key, []), index=None, key=session.key(PAGE, "perturbed"), help="Label of the treated cells.")
        st.selectbox("Layer", described.layers, index=None, placeholder="X", key=session.key(PAGE, "layer"), help="Which matrix of the file to read.")
    with right:
        st.selectbox("Context column", names, index=None, key=session.key(PAGE, "cell_type_key"), on_change=forget, args=("target", "sources"), help="Mostly the cell type: the response is carried across its values.")
        st.selectbox("Donor column", names, index=None, key=session.key(PAGE, "replicate_key"), help="Intervals then resample donors, not cells.")
        numbers = [column.name for column in described.columns if column.kind == "number"]
        st.selectbox("Dose column", numbers, index=None, key=session.key(PAGE, "dose_key"), help="Measured doses, a number. Without it the dose is in multiples of the shift.")
        st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Of the split of the control cells and of the resampling.")
    if wanted is not None:
        others = [t for t in question.types(wanted) if t != wanted.target]
        st.multiselect("Learn from", others, placeholder="all other types", key=session.key(PAGE, "sources"), help="The types whose response is used.")
    st.toggle("Reverse: predict control from treated cells", key=session.key(PAGE, "reverse"))
    sets = {d.name: d.title for d in DATA if d.role == "gene_sets"}
    file_field(PAGE, "gene_sets", "Gene sets (.gmt)", sets, "Their mean change, predicted beside observed.", ["gmt", "txt"], question.check_gene_sets)
    file_field(PAGE, "target_data", "Control cells of a new donor", {}, "A second file: its control cells of the chosen type are predicted.", TYPES, question.described)


@st.fragment
def instrument(asked: Perturb) -> None:
    """Controls, picture, what depends on the clicked spot, and export: what a move of a control redraws."""
    with guard():
        controls, picture = st.columns([1, 3], gap="medium")
        with controls:
            recipe = choose(asked)
        result = catalog.run(recipe)
        made: Prediction = result.content
        session.write_link(result.recipe)
        with controls:
            verdict(result)
        with picture:
            pictures(made)
        evidence.notices(result.warnings)
        genes(made)
        trust(result)
        st.subheader("Export")
        dark = figure.dark()
        axes = plots.response_axes(made)
        export.panel(result, {
            "map": lambda: plots.cell_map(made, axes, dark),
            "changes": lambda: plots.changes(made, dark),
            "volcano": lambda: plots.volcano(made, dark),
            "held_out": lambda: plots.held_out(heldout.reference(made), made.study.target, dark),
        })  # fmt: skip


def choose(asked: Perturb) -> Perturb:
    """The controls of the fragment; the recipe they make."""
    study = open_study(asked)
    if study.dose is None:
        key = session.key(PAGE, "dose")
        session.seed(PAGE, dose=min(max(float(session.value(PAGE, "dose", 1.0)), -0.5), 2.0))
        dose = st.slider("Dose (multiples of the shift)", -0.5, 2.0, step=0.05, key=key, help="1 is the change as measured in the other types. A multiple of it, not a concentration: no dose was measured. Below 0 and above 1 nothing was measured.")
    else:
        options = list(study.dose_choices)
        measured = set(study.doses)
        session.seed(PAGE, dose=min(options, key=lambda d: abs(d - float(session.value(PAGE, "dose", 1.0)))))
        dose = st.select_slider(
            f"Dose ({plain(str(asked.dose_key))})", options, key=session.key(PAGE, "dose"), format_func=lambda d: f"{d:g} measured" if d in measured else f"{d:g}",
            help="In the unit of the dose column. Between measured doses the change is interpolated, above the highest it is extrapolated.",
        )  # fmt: skip
    choices = ["auto", *PREDICTORS]
    predictor = st.selectbox("Predictor", choices, key=session.settle(PAGE, "predictor", choices), format_func=plots.NAMES.get, help="Automatic takes the one that predicts the other types best, of equally good ones the simplest.")
    changes: dict[str, Any] = {"dose": float(dose), "predictor": predictor}
    if predictor in ("latent", "auto"):
        changes["shift"] = session.value(PAGE, "shift", "similarity_weighted")
    if predictor == "latent":
        changes["shift"] = st.selectbox("Average of the types", list(SHIFTS), key=session.settle(PAGE, "shift", list(SHIFTS)), format_func=SHIFTS.get, help="How the other types' responses are averaged in the components.")
    return asked.replace(**changes)


def verdict(result: Result) -> None:
    """The few numbers that say how good this prediction is, beside the best simple one and the ceiling."""
    made: Prediction = result.content
    number = evidence.number
    if result.recipe.predictor == "auto":
        st.caption(f"Uses **{plots.NAMES[made.predictor]}**.")
    if made.fold is None:
        st.metric("Other types' change (r)", number(result.metrics["pearson_delta_all_other_types"], 2), help="Mean over the types whose answer is known, each left out in turn. This type's own response was not measured.")
        return
    own = result.metrics["pearson_delta_all"]
    low, high = result.metrics["pearson_delta_all_low"], result.metrics["pearson_delta_all_high"]
    st.metric("Correlation of change (r)", number(own, 2), help="Pearson correlation over genes between predicted and observed change of the mean, on cells the prediction never saw.")
    st.caption(f"90 % interval {number(low, 2)} to {number(high, 2)}")
    rivals = [name for name in BASELINES if name != made.predictor]
    best = max(rivals, key=lambda name: result.baselines[name]["pearson_delta_all"])
    theirs, ceiling = result.baselines[best]["pearson_delta_all"], result.baselines["ceiling"]["pearson_delta_all"]
    st.caption(f"Best baseline {number(theirs, 2)} ({plots.NAMES[best]}); ceiling {number(ceiling, 2)}")
    if own > theirs + 0.01:
        evidence.badge("Beats every baseline", True)
    elif own >= theirs - 0.01:
        evidence.badge("A baseline is as good", None)
    else:
        evidence.badge("A baseline is better", False)


def pictures(made: Prediction) -> None:
    """The map that can be clicked anywhere, and the change of every gene."""
    dark, axes = figure.dark(), plots.response_axes(made)
    spot = map.clicked(figure.picked("cells.map"))
    target = made.study.target
    left, right = st.columns(2, gap="small")
    with left:
        drawn = map.clickable(plots.cell_map(made, axes, dark, spot=spot), *plots.spans(made.study.codes, axes))
        figure.show(drawn, "cells.map", f"Map of control, predicted and observed {target} cells on two components", select=True)
        st.caption("The arrow is the mean move. Click anywhere, an empty spot too, to see what a cell there would express.")
    with right:
        figure.show(plots.changes(made, dark), "cells.changes", f"Predicted against observed change of each gene in {target}")
        if made.fold is not None:
            st.caption("One point a gene. On the dotted line the prediction is perfect.")
        else:
            st.caption("Nothing was observed, so upwards stands how many of the other types change a gene the same way.")
    if spot is not None:
        study = made.study
        found = explore.spot_at(spot, axes, study.codes, study.cell_type, study.latent, study.density, study.genes, made.control_mean)
        show_spot(found, f"against control {target} cells", "cells.map")


def show_spot(found: explore.Spot, against: str, key: str) -> None:
    """A decoded spot: who lives there, how strange it is, which genes set it apart."""
    around = ", ".join(f"{plain(name)} {share:.0%}" for name, share in found.nearest[:3])
    with st.container(border=True):
        left, right = st.columns([1, 2], vertical_alignment="center")
        with left:
            st.markdown("**The clicked spot**")
            evidence.badge(f"farther out than {found.percentile:.0f} % of cells" if found.percentile <= 95 else "unlike any cell measured", found.percentile <= 95)
            st.caption(f"Nearest cells: {around}")
            st.button("Forget the spot", key=f"{key}.forget", type="tertiary", icon=":material/close:", on_click=figure.forget, args=(key,))
        with right:
            top = found.genes.head(6)
            st.caption(f"Expression (log1p), {plain(against)}")
            st.dataframe(top, hide_index=True, height=178, column_config={"gene": "Gene", "expression": st.column_config.NumberColumn("Expression", format="%.2f"), "change": st.column_config.NumberColumn("Change", format="%+.2f")})


def genes(made: Prediction) -> None:
    """The genes: how sure each change is, a table to search, violins of chosen ones, gene sets."""
    dark = figure.dark()
    names = ["Volcano", "Table", "Violins"] + (["Gene sets"] if made.recipe.gene_sets else [])
    st.subheader("Genes")
    view = st.segmented_control("View of the genes", names, default="Volcano", key="cells.view", label_visibility="collapsed", required=True)
    if view == "Volcano":
        figure.show(plots.volcano(made, dark), "cells.volcano", "Predicted fold change of each gene against how sure it is")
        st.caption("Upwards: the change in units of how much the other types differ. Not a p-value: predicted cells are their own controls moved, so p only counts cells.")
    elif view == "Table":
        st.dataframe(made.tested, hide_index=True, height=420, column_config=gene_columns())
        st.caption("Ranked by the smallest change that the 90 % interval allows. Search with the magnifier at the table's corner.")
    elif view == "Violins":
        first = [str(g) for g in made.genes.gene[:4]]
        chosen = st.multiselect("Genes", made.study.genes, default=first, max_selections=8, key=f"cells.genes.{made.study.recipe.data}", help="Up to eight, by name.")
        if chosen:
            figure.show(plots.violins(made, chosen, dark), "cells.violins", "Expression of chosen genes in control, predicted and observed cells")
            st.caption("Predicted cells keep their own noise. Control cells without a count of a gene all move to the same value: the narrow waist.")
    elif made.gene_sets is not None:
        st.dataframe(made.gene_sets, hide_index=True, column_config={c: st.column_config.NumberColumn(c.replace("_", " ").capitalize(), format="%.3f") for c in made.gene_sets.columns if c.endswith(("_change", "_z"))})
        st.caption("Mean change in log1p expression; z against all genes of the data.")


def gene_columns() -> dict[str, Any]:
    """Headings of the gene table, with their digits."""
    number = st.column_config.NumberColumn
    titles = {
        "control_mean": ("Control", "%.2f"), "predicted_mean": ("Predicted", "%.2f"), "observed_mean": ("Observed", "%.2f"),
        "log2fc_predicted": ("log₂FC predicted", "%+.2f"), "log2fc_observed": ("log₂FC observed", "%+.2f"), "log2fc_low": ("low", "%+.2f"),
        "log2fc_high": ("high", "%+.2f"), "sign_agreement": ("Same sign in types", "%.2f"), "p_adjusted": ("p adj. (moved cells)", "%.1e"), "p_adjusted_observed": ("p adj. observed", "%.1e"),
    }  # fmt: skip
    return {"gene": "Gene", "rank": "Rank"} | {name: number(title, format=digits) for name, (title, digits) in titles.items()}


def trust(result: Result) -> None:
    """How far to believe it: this prediction beside its baselines, and every other type left out in turn."""
    made: Prediction = result.content
    st.subheader("Evidence")
    if made.fold is not None:
        rows = {plots.NAMES[made.predictor]: result.metrics} | {plots.NAMES[n]: result.baselines[n] for n in (*BASELINES, "ceiling") if n != made.predictor}
        spans = {name: (result.metrics[f"{name}_low"], result.metrics[f"{name}_high"]) for name in metrics.NAMES if f"{name}_low" in result.metrics}
        evidence.score_table(SCORES, rows, {plots.NAMES[made.predictor]: spans}, plots.NAMES[made.predictor], [plots.NAMES["ceiling"]],
            f"This prediction, scored on {len(made.observed)} treated {plain(made.study.target)} cells it never saw; 90 % intervals.")
    if made.folds.folds:
        frame = heldout.reference(made)
        figure.show(plots.held_out(frame, made.study.target, figure.dark()), "cells.held_out", "Score of every predictor on every left-out type")
        st.caption("Each type left out in turn and predicted from the others. Bars: 90 % over resampled " + ("donors." if made.study.replicate is not None else "cells."))
        told = result.metrics
        number = evidence.number
        st.markdown(
            f"**Genes.** Of the genes called up (at least doubled), {number(100 * told['genes_up_precision'], 0)} % went up in left-out types "
            f"({number(100 * told['genes_up_by_chance'], 0)} % of all expressed genes did). The 90 % intervals covered {number(100 * told['genes_coverage90'], 0)} % of the changes."
        )
    else:
        st.caption("With a single other type nothing can be left out, so nothing tells how far to trust this.")
    if "pearson_delta_true" in result.metrics and made.recipe.dose == 1:
        st.caption(f"These cells are synthetic, so the truth is known without noise: r = {number_of(result, 'pearson_delta_true')} for the mean, {number_of(result, 'pearson_delta_true_per_cell')} for the median cell.")
    if "pearson_delta_left_out_dose" in result.metrics:
        st.caption(f"A dose left out and interpolated from the others: r = {number_of(result, 'pearson_delta_left_out_dose')} on average.")


def number_of(result: Result, name: str) -> str:
    return evidence.number(result.metrics[name], 2)


@st.fragment
def atlas(recipe: Decode) -> None:
    """A file without a question: its map, coloured by a column, to be clicked anywhere."""
    with guard():
        made = decode.open_atlas(recipe)
        columns = list(made.obs.columns)
        controls, picture = st.columns([1, 3], gap="medium")
        with controls:
            guessed = question.described(recipe.data, recipe.layer).guess.cell_type_key
            column = st.selectbox("Colour by", columns, index=columns.index(guessed) if guessed in columns else 0, key="cells.colour") if columns else None
            st.caption(f"{len(made.names):,} cells, {len(made.genes):,} genes.")
        with picture:
            spot = map.clicked(figure.picked("cells.atlas"))
            drawn = map.clickable(plots.atlas_map(made, column, dark=figure.dark(), height=480, spot=spot), *plots.spans(made.codes))
            figure.show(drawn, "cells.atlas", "Map of all cells on two components", select=True)
            st.caption("Click anywhere, an empty spot too, to see what a cell there would express.")
        if spot is not None:
            recipe = recipe.replace(z=[list(spot)])
            groups = made.obs[column].astype(str).to_numpy() if column else made.names
            show_spot(explore.spot_at(spot, (0, 1), made.codes, groups, made.latent, made.density, made.genes, made.mean), "against the mean of all cells", "cells.atlas")
        session.write_link(recipe)
        st.subheader("Export")
        export.panel(catalog.run(recipe), {"map": lambda: drawn})


recipe = session.start(PAGE, "cells.perturb", default, widgets)
header(PAGE)
presets.row(PAGE, PRESETS, default, forget_spot)
with guard():
    asked = ask(recipe)
    if isinstance(asked, Perturb):
        instrument(asked)
    else:
        atlas(asked)
explain.explain(
    [
        "Each cell type that was measured in both conditions has a **response**: the change of its mean expression.",
        "The response of another type is predicted as an average of these, in which **types whose control cells are alike count more**.",
        "The control cells are moved by that shift and cut off at zero, so each keeps its own noise.",
        "Every measured type is left out in turn and predicted from the others: that is the evidence, and it chooses the predictor.",
        "The dose multiplies the shift; with measured doses it interpolates between them.",
    ],
    r"\hat x = \max\Bigl(0,\; x + \alpha \sum_t w_t\,(\bar x_t^{\,\mathrm{treated}} - \bar x_t^{\,\mathrm{control}})\Bigr),\quad w_t \propto \sqrt{n_t}\; e^{-(d_t/d_{\min} - 1)/0.5}",
    "Latent arithmetic: Lotfollahi et al. 2019 (scGen), doi:10.1038/s41592-019-0494-8. Why baselines: Ahlmann-Eltze et al. 2025, doi:10.1038/s41592-025-02772-6.",
)
explain.mislead(PAGE, TRAPS)
