"""Figures of Bayes' rule in pictures, and of a sampler's chains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography import mosaic_plots
from gen_core.tomography.chain import Chain
from gen_core.tomography.mosaic_plots import Scale, Tile

if TYPE_CHECKING:
    from gen_core.tomography.subject import Subject

Array = np.ndarray
GROUPS = {"prior": "Drawn from the prior", "fbp": "Fits the data, no prior", "posterior": "Drawn from the posterior"}


def row(
    groups: Mapping[str, Array], residuals: Mapping[str, Array], subject: Subject, scale: Scale, dark: bool = False
) -> go.Figure:
    """Groups of pictures (k, s, s), in the unit of what came in, side by side; below each how far it misses the data."""
    tiles = []
    for name, pictures in groups.items():
        for i, picture in enumerate(pictures):
            missed = mosaic_plots.scores({"data_residual": float(residuals[name][i])}) if name in residuals else ""
            title = GROUPS[name] if i == 0 else " "
            tiles.append(Tile(name, picture, missed, title=title))
    figure = mosaic_plots.mosaic(tiles, subject, scale, dark=dark, side=180, across=len(tiles))
    return figure.update_layout(uirevision="bayes")


def chains(chain: Chain, beneath: bool, dark: bool = False, height: int = 330, follows: str | None = None) -> go.Figure:
    """log p(y|x) and log p(x) of every chain, step by step; a mark moves with the film named `follows`.

    `beneath` says that the prior of the chains is not the Gaussian one of which log p(x) is shown.
    """
    from plotly.subplots import make_subplots

    steps = np.arange(1, len(chain.levels) + 1)
    titles = ("log p(y|x), less that of a perfect fit", "log p(x) of the Gaussian prior" + (" beneath it" if beneath else ""))
    figure = make_subplots(2, 1, shared_xaxes=True, vertical_spacing=0.16, subplot_titles=titles)
    for part, values in enumerate((chain.likelihood, chain.prior), 1):
        for k in range(values.shape[1]):
            first = k == 0
            figure.add_scatter(
                x=steps, y=values[:, k], mode="lines", row=part, col=1, showlegend=part == 1 and k < 2,
                name="The chain of the film" if first else "The other chains", legendgroup=str(first),
                line={"color": palette.role("predicted" if first else "control", dark), "width": 2.2 if first else 1.2},
                hovertemplate=f"chain {k + 1}, step %{{x}}: %{{y:,.0f}}<extra></extra>", zorder=2 if first else 1,
            )  # fmt: skip
    line = {"color": palette.role("observed", dark), "dash": "dot", "width": 1.5}
    figure.add_scatter(
        x=steps[[0, -1]], y=[-chain.rays / 2] * 2, mode="lines", line=line, name="Expected of a true slice", row=1, col=1,
        hovertemplate="noise alone leaves %{y:,.0f}<extra></extra>",
    )  # fmt: skip
    if follows is not None:  # the first shape is the one that a film moves
        line = {"color": palette.role("accent", dark), "width": 2}
        figure.add_shape(type="line", xref="x", x0=1, x1=1, yref="paper", y0=0, y1=1, line=line)
        figure.update_layout(meta={"follows": follows, "marks": (chain.at + 1).tolist()})
    begin, end = int(steps[chain.last.start]), int(steps[-1])
    if begin < end:
        shade = palette.band("accent", dark)
        figure.add_vrect(x0=begin, x1=end, fillcolor=shade, line_width=0, row="all", col=1, layer="below")
    figure.update_layout(
        palette.layout(
            dark, height, uirevision="chains", margin={"l": 64, "r": 16, "t": 54, "b": 44},
            legend={"orientation": "h", "y": 1.12, "yanchor": "bottom", "x": 0},
        )
    )  # fmt: skip
    figure.update_annotations(x=0, xanchor="left", font={"size": 13, "color": palette.role("text", dark)})
    figure.update_yaxes(tickformat="~s", nticks=5, row=1, col=1)
    figure.update_yaxes(tickformat="~s", nticks=5, row=2, col=1)
    figure.update_xaxes(title="Step", row=2, col=1)
    return figure
