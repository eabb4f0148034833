"""Figures of a prediction, for the page and for notebooks: observed blue, predicted orange, control grey.

Every figure is built from the same few numbers in the same order, so that two runs of one recipe give the same bytes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.cells import heldout, maps
from gen_core.cells.folds import EXPRESSED, widened
from gen_core.cells.maps import SHOWN, short
from gen_core.palette import label

if TYPE_CHECKING:
    import pandas as pd

    from gen_core.cells.perturb import Prediction

Array = np.ndarray
FARTHEST = 10.0  # log2 fold change at which a volcano ends: a gene without a count in control has one near 30
NAMES = {
    "no_change": "No change",
    "gene_shift": "Balanced mean",
    "pca_shift": "Balanced mean, components",
    "nearest_shift": "Nearest type",
    "weighted_shift": "Similarity-weighted",
    "latent": "Latent shift",
    "ceiling": "Ceiling: half of the real cells",
    "auto": "Automatic choice",
}


def warm() -> None:
    """Make the first view once: it loads what every later one needs, and its cells and figures are then at hand."""
    from gen_core.cells.perturb import predict
    from gen_core.cells.recipe import Perturb

    made = predict(Perturb())
    for figure in (
        maps.cell_map(made),
        changes(made),
        volcano(made),
        held_out(heldout.reference(made), ""),
    ):
        figure.to_json()


def changes(made: Prediction, dark: bool = False, height: int = 420) -> go.Figure:
    """Predicted against observed change of every gene; without an observation, against that of the type that counted most."""
    frame, study = made.genes, made.study
    predicted = (frame.predicted_mean - frame.control_mean).to_numpy()
    if made.fold is not None:
        real, whose = (frame.observed_mean - frame.control_mean).to_numpy(), "Observed change"
    else:
        nearest = study.sources[int(made.shift.weights.argmax())]
        real, whose = study.responses[nearest].at(made.recipe.dose)[made.ranked], f"Change measured in {label(nearest, 24)}"
    figure = go.Figure()
    limit = float(np.abs(np.concatenate([real, predicted])).max()) * 1.05
    figure.add_scatter(
        x=[-limit, limit],
        y=[-limit, limit],
        mode="lines",
        name="equal",
        line={"color": palette.role("control", dark), "dash": "dot", "width": 1},
        hoverinfo="skip",
    )
    figure.add_scattergl(
        x=short(real),
        y=short(predicted),
        mode="markers",
        name="genes",
        customdata=study.labels[made.ranked],
        marker={"color": palette.role("predicted", dark), "size": 5, "opacity": 0.55},
        hovertemplate="%{customdata}<br>%{x:.2f}, %{y:.2f}<extra></extra>",
    )
    _gene_names(figure, frame.gene, real, predicted, dark)
    figure.update_layout(palette.layout(dark, height, showlegend=False, uirevision=f"{study.recipe.data}{study.target}"))
    figure.update_xaxes(title=f"{whose} (log1p expression)")
    figure.update_yaxes(title="Predicted change (log1p expression)")
    return figure


def volcano(made: Prediction, dark: bool = False, height: int = 420) -> go.Figure:
    """Predicted log2 fold change against how sure it is: the change in units of its own spread among types.

    Not against a p-value: predicted cells are their own controls moved, so p is set by the number of cells.
    """
    frame = made.genes
    expressed = np.maximum(frame.control_mean, frame.predicted_mean) > EXPRESSED
    frame = frame[expressed]
    sure = (frame.log2fc_low > 0) | (frame.log2fc_high < 0)
    index = made.ranked[expressed.to_numpy()]
    strength = np.abs(made.shift.vector[index]) / np.maximum(widened(made.shift)[index], 1e-9)
    fold_change = frame.log2fc_predicted.clip(-FARTHEST, FARTHEST)
    figure = go.Figure()
    for name, chosen, colour in (
        ("interval holds zero", ~sure, palette.role("control", dark)),
        ("interval without zero", sure, palette.role("predicted", dark)),
    ):
        figure.add_scattergl(
            x=short(fold_change[chosen]),
            y=short(strength[chosen.to_numpy()]),
            mode="markers",
            name=name,
            customdata=made.study.labels[index[chosen.to_numpy()]],
            marker={"color": colour, "size": 5, "opacity": 0.6},
            hovertemplate="%{customdata}<br>log₂ fold change %{x:.2f}<extra></extra>",
        )
    _gene_names(figure, frame.gene, fold_change.to_numpy(), strength, dark, 12)
    figure.update_layout(palette.layout(dark, height, uirevision="volcano"))
    cut = " (absent in control: drawn at the edge)" if len(fold_change) and fold_change.abs().max() == FARTHEST else ""
    figure.update_xaxes(title=f"Predicted log₂ fold change{cut}")
    figure.update_yaxes(title="Change / spread among the other types", rangemode="tozero")
    return figure


def violins(made: Prediction, genes: list[str], dark: bool = False, height: int = 360) -> go.Figure:
    """Expression of chosen genes in control, predicted and observed cells; the cells' own noise is kept."""
    study = made.study
    order = {gene: i for i, gene in enumerate(study.genes)}
    index = np.array([order[gene] for gene in genes], int)
    groups = [
        (study.start, study.X[study.asked[:SHOWN]][:, index].toarray(), "control"),
        ("predicted", made.moved.genes(index)[:SHOWN], "predicted"),
    ]
    if len(made.observed):
        groups.append(("observed", study.X[made.observed[:SHOWN]][:, index].toarray(), "observed"))
    figure = go.Figure()
    for name, values, role in groups:
        figure.add_violin(
            x=np.repeat([label(g, 18) for g in genes], len(values)),
            y=short(values.T.ravel()),
            name=name,
            scalegroup=name,
            scalemode="width",
            offsetgroup=name,
            line={"color": palette.role(role, dark), "width": 1},
            fillcolor=palette.band(role, dark),
            meanline={"visible": True},
            points=False,
            spanmode="hard",
        )
    figure.update_layout(palette.layout(dark, height, violinmode="group", violingap=0.1, uirevision="violins"))
    figure.update_yaxes(title="log1p expression", rangemode="tozero")
    return figure


def likeness(made: Prediction, dark: bool = False, height: int = 340) -> go.Figure:
    """Cosines between the directions in which the types respond, in the latent space: 1 where two shift alike."""
    alike = made.likeness
    names = [label(name, 18) for name in alike.names]
    figure = go.Figure()
    figure.add_heatmap(
        x=names,
        y=names,
        z=short(alike.cosines),
        zmin=-1,
        zmax=1,
        colorscale=palette.diverging(dark),
        text=[[f"{value:.2f}" for value in row] for row in alike.cosines] if len(names) <= 10 else None,
        texttemplate="%{text}" if len(names) <= 10 else None,
        hovertemplate="%{y}, %{x}: %{z:.2f}<extra></extra>",
        colorbar={"title": {"text": "cosine"}, "thickness": 12},
    )
    figure.update_layout(
        palette.layout(dark, max(height, 130 + 26 * len(names)), uirevision="likeness", margin={"l": 110, "t": 16})
    )
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(showgrid=False)
    return figure


def held_out(
    frame: pd.DataFrame, target: str, dark: bool = False, metric: str = "pearson_delta_all", height: int = 360
) -> go.Figure:
    """Score of every predictor on every left-out type, with its interval over resampled cells; the ceiling as a line each."""
    figure = go.Figure()
    types = [name for name in dict.fromkeys(frame.cell_type) if name != heldout.MEAN]
    names = [heldout.MEAN, *types][::-1]
    shades = [palette.faded("control", dark), palette.role("control", dark)]
    symbols = {
        "gene_shift": "circle-open",
        "pca_shift": "square-open",
        "nearest_shift": "triangle-up-open",
        "weighted_shift": "diamond",
        "latent": "circle",
    }
    shown = [p for p in heldout.ROWS if p not in ("ceiling", "no_change")]
    for i, predictor in enumerate(shown):
        rows = frame[frame.predictor == predictor].set_index("cell_type").reindex(names)
        strong = predictor in ("weighted_shift", "latent")
        colour = palette.role("predicted", dark) if predictor == "latent" else shades[1]
        offset = 0.26 - 0.13 * i
        figure.add_scatter(
            x=short(rows[metric]),
            y=np.arange(len(names)) + offset,
            mode="markers",
            name=NAMES[predictor],
            marker={"symbol": symbols[predictor], "size": 9, "color": colour, "line": {"width": 1.5, "color": colour}},
            error_x={
                "type": "data",
                "symmetric": False,
                "thickness": 1,
                "width": 0,
                "color": colour if strong else shades[0],
                "array": short(rows[f"{metric}_high"] - rows[metric]),
                "arrayminus": short(rows[metric] - rows[f"{metric}_low"]),
            },
            hovertemplate=f"{NAMES[predictor]}: %{{x:.3f}}<extra></extra>",
        )
    rows = frame[frame.predictor == "ceiling"].set_index("cell_type").reindex(names)
    figure.add_scatter(
        x=short(rows[metric]),
        y=np.arange(len(names)),
        mode="markers",
        name=NAMES["ceiling"],
        marker={"symbol": "line-ns-open", "size": 24, "color": palette.role("observed", dark), "line": {"width": 2}},
        hovertemplate="ceiling: %{x:.3f}<extra></extra>",
    )
    others = frame[frame.predictor.isin([*shown, "ceiling"])]
    lowest = float(np.nanmin(others[[metric, f"{metric}_low"]].to_numpy()))
    left = lowest - 0.18 * (1 - lowest)
    # doing nothing lies far to the left of the rest, which would be pressed together: it is told in words
    for place, value in enumerate(frame[frame.predictor == "no_change"].set_index("cell_type").reindex(names)[metric]):
        figure.add_annotation(
            x=left, y=place, xanchor="left", xshift=6, text=f"{NAMES['no_change'].lower()}: {value:.2f}", font={"size": 11}
        )
    figure.update_layout(palette.layout(dark, max(height, 110 + 52 * len(names)), uirevision="held_out", margin={"l": 130}))
    figure.update_xaxes(range=[left, min(1.02, float(np.nanmax(others[[metric, f"{metric}_high"]].to_numpy())) + 0.02)])
    texts = [("<b>" + label(n, 22) + "</b>") if n in (heldout.MEAN, target) else label(n, 22) for n in names]
    figure.update_yaxes(tickvals=np.arange(len(names)), ticktext=texts, range=[-0.6, len(names) - 0.4], showgrid=False)
    figure.update_xaxes(
        title="Correlation of predicted and observed change (Pearson)" if metric == "pearson_delta_all" else metric
    )
    return figure


def _gene_names(figure: go.Figure, genes: pd.Series, x: Array, y: Array, dark: bool, most: int = 8) -> None:
    """Names beside the first genes of a ranking, those left out that would be written over another name."""
    width, height = np.ptp(x) or 1.0, np.ptp(y) or 1.0
    chosen: list[int] = []
    for i in range(min(len(genes), 60)):
        free = all(abs(x[i] - x[j]) / width > 0.16 or abs(y[i] - y[j]) / height > 0.055 for j in chosen)
        if len(chosen) < most and free:
            chosen.append(i)
    middle = (x.max() + x.min()) / 2
    figure.add_scatter(
        x=short(x[chosen]),
        y=short(y[chosen]),
        mode="text",
        text=[label(genes.iloc[i], 14) for i in chosen],
        showlegend=False,
        hoverinfo="skip",
        textposition=["middle left" if x[i] > middle else "middle right" for i in chosen],
        textfont={"size": 11, "color": palette.role("text", dark)},
    )
