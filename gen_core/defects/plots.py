"""Pictures of what was found: verdict, drift, pair force, estimates, prediction. Films are in `film_plots`."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.defects import files, gates
from gen_core.defects.infer import Inferred
from gen_core.defects.recipe import OfSnapshots
from gen_core.defects.sample import Drawn

Array = np.ndarray
ARROWS = 17  # along a side
SHOWN = 1_500  # particles of a cloud
TITLES = {
    "weak": "Weak form",
    "propagated": "Propagated weak form",
    "strong": "Strong form",
    "transport": "Transport",
    "no_instruments": "Weak form without instruments",
    "no_interactions": "Interactions ignored",
}


def axis(name: str, unit: str) -> str:
    """An axis title with its unit, where there is one."""
    return f"{name} ({unit})" if unit else name


def verdict(made: Inferred, dark: bool = False, height: int = 240) -> go.Figure:
    """The three tests as marks on their scales, each with the bound that decides."""
    told = made.verdict
    rows = [
        ("Change between snapshots", told.change, gates.CHANGED, "needs more than 2", told.change >= gates.CHANGED),
        ("J test of the library", told.j_test, gates.REJECTED, "right is 1, above 3 is wrong", told.accepted),
        ("Estimates of D apart", told.disagreement, gates.APART, f"at most {100 * gates.APART:.0f} %", told.agreed),
    ]
    figure = go.Figure()
    for name, value, bound, rule, good in rows:
        known = bool(np.isfinite(value)) and value > 0
        place = float(np.clip(np.log10(value / bound), -2, 2)) if known else 0.0
        text = f"{100 * value:.0f} %" if name.startswith("Est") and known else f"{value:.3g}" if known else "not known"
        colour = palette.role("accent" if good else "warning", dark)
        figure.add_scatter(
            x=[place], y=[name], mode="markers+text", text=[f"{text} ({rule})"], showlegend=False,
            textposition="top left" if place > 0.6 else "top right" if place < -0.6 else "top center",
            marker={"size": 16, "symbol": "diamond" if good else "x", "color": colour},
            hovertemplate=f"{name}: {text}, {rule}<extra></extra>", opacity=1.0 if known else 0.4, cliponaxis=False,
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": palette.role("control", dark), "dash": "dash"})
    figure.update_xaxes(
        title="Times the bound", range=[-2.2, 2.2], tickvals=[-2, -1, 0, 1, 2], ticktext=["1/100", "1/10", "1", "10", "100"]
    )
    figure.update_yaxes(range=[2.4, -0.7])
    figure.update_layout(palette.layout(dark, height, margin={"l": 170, "t": 16}))
    return figure


def drift(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 420, cells: int = ARROWS) -> go.Figure:
    """The drift of one particle: fitted orange, true blue, as arrows on a map of how dense the data lie, or as curves in one
    dimension. Empty where there is no fit."""
    figure = go.Figure()
    name = "f / D" if made.ratio else "f"
    if made.library is not None and made.snapshots.d == 1:
        at = files.grid(made, 200)
        force = files.alone(made)(at)[:, 0, 0]
        if (truth := true_drift(made, at)) is not None:
            line = {"color": palette.role("truth", dark), "width": 2}
            figure.add_scatter(x=at[:, 0, 0], y=truth[:, 0], mode="lines", name="True drift", line=line)
        line = {"color": palette.role("predicted", dark), "width": 2}
        figure.add_scatter(x=at[:, 0, 0], y=force, mode="lines", name="Fitted drift", line=line)
        figure.update_yaxes(title=f"Drift, {name}")
    elif made.library is not None:
        points = made.snapshots.pooled()
        shades = [[0, palette.role("paper", dark)], [1, palette.role("muted", dark)]]
        count, *edges = np.histogram2d(points[:, 0], points[:, 1], 60)
        middle = [((edge[1:] + edge[:-1]) / 2).round(4) for edge in edges]
        figure.add_heatmap(
            x=middle[0],
            y=middle[1],
            z=np.sqrt(count.T).round(2),
            colorscale=shades,
            showscale=False,
            hoverinfo="skip",
            opacity=0.6,
        )
        at = files.grid(made, cells)
        at = at[_seen(points, at[:, 0])]
        fitted, truth = files.alone(made)(at)[:, 0], true_drift(made, at)
        longest = float(np.quantile(np.linalg.norm(fitted, axis=1), 0.95)) or 1.0
        step = float(np.ptp(points, axis=0).max()) / cells
        if truth is not None:
            _arrows(figure, at[:, 0], truth * step / longest, "True drift", palette.role("truth", dark), 4)
        _arrows(figure, at[:, 0], fitted * step / longest, "Fitted drift", palette.role("predicted", dark), 1.6)
        figure.update_yaxes(title=axis("y", recipe.length_unit), scaleanchor="x", constrain="domain")
    figure.update_xaxes(title=axis("x", recipe.length_unit), constrain="domain")
    figure.update_layout(palette.layout(dark, height))
    return figure


def pair_force(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 420) -> go.Figure:
    """The force of a pair against its distance, with its band and the truth where it is known."""
    figure = go.Figure()
    dashes = {"all": "solid", "like": "solid", "unlike": "dash"}
    names = {"all": "pairs", "like": "like pairs", "unlike": "unlike pairs"}
    for kind, law in made.pair.items():
        both = np.concatenate([law.r, law.r[::-1]])
        edge = np.concatenate([law.band[1], law.band[0][::-1]])
        figure.add_scatter(
            x=both, y=edge, fill="toself", mode="none", fillcolor=palette.band("predicted", dark), hoverinfo="skip",
            name=f"95 % band, {names[kind]}", showlegend=kind != "unlike",
        )  # fmt: skip
        if law.truth is not None:
            line = {"color": palette.role("truth", dark), "dash": dashes[kind], "width": 2}
            figure.add_scatter(x=law.r, y=law.truth, mode="lines", line=line, name=f"True, {names[kind]}")
        line = {"color": palette.role("predicted", dark), "dash": dashes[kind], "width": 2}
        figure.add_scatter(x=law.r, y=law.fitted, mode="lines", line=line, name=f"Fitted, {names[kind]}")
    figure.add_hline(y=0, line={"color": palette.role("control", dark), "width": 1})
    figure.update_xaxes(title=axis("Distance r", recipe.length_unit), rangemode="tozero")
    unit = f"{recipe.length_unit}/{recipe.time_unit}" if recipe.length_unit and recipe.time_unit else ""
    figure.update_yaxes(title=axis("Force of a pair, apart above 0", unit))
    figure.update_layout(palette.layout(dark, height, margin={"t": 64}))
    return figure


def estimates(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 300) -> go.Figure:
    """Every estimate of D: the weak form with its interval orange, second opinions and baselines grey, the truth blue."""
    figure = go.Figure()
    for one in (*made.estimates, *made.baselines):
        own = one is made.estimates[0]
        error: dict[str, Any] | None = None
        if own and one.draws is not None:
            low, high = np.quantile(one.draws[:, -1], [0.025, 0.975])
            error = {"type": "data", "symmetric": False, "array": [high - one.D], "arrayminus": [one.D - low], "thickness": 2}
        figure.add_scatter(
            x=[one.D], y=[TITLES[one.name]], mode="markers", error_x=error, showlegend=False,
            marker={"size": 13, "color": palette.role("predicted" if own else "control", dark)},
            hovertemplate=f"{TITLES[one.name]}: D = %{{x:.4g}}<extra></extra>",
        )  # fmt: skip
    if made.snapshots.world is not None and not made.ratio:
        line = {"color": palette.role("truth", dark), "dash": "dash"}
        figure.add_vline(x=made.snapshots.world.D, line=line, annotation_text="true D", annotation_position="top")
    unit = f"{recipe.length_unit}²/{recipe.time_unit}" if recipe.length_unit and recipe.time_unit else ""
    figure.update_xaxes(title=axis("Diffusion constant D", unit), rangemode="tozero")
    figure.update_yaxes(autorange="reversed")
    figure.update_layout(palette.layout(dark, height, margin={"l": 190}))
    return figure


def held_out(made: Inferred, recipe: OfSnapshots, dark: bool = False, height: int = 420) -> go.Figure:
    """The snapshot that was left out, and what the fit made of the one before it: their densities along each axis."""
    from plotly.subplots import make_subplots

    held, d = made.held_out, made.snapshots.d
    figure = make_subplots(1, d, shared_yaxes=True, horizontal_spacing=0.05)
    if held is not None:
        clouds = (
            ("Snapshot before", held.before, "control"),
            ("Left out", held.observed, "observed"),
            ("Predicted", held.predicted, "predicted"),
        )
        for i in range(d):
            both = np.concatenate([held.observed[..., i].ravel(), held.predicted[..., i].ravel()])
            low, high = np.quantile(both, [0.001, 0.999])
            edges = np.linspace(float(low), float(high), 41)
            middle = (edges[1:] + edges[:-1]) / 2
            for name, cloud, role in clouds:
                height_ = np.histogram(cloud[..., i].ravel(), edges, density=True)[0]
                line = {"color": palette.role(role, dark), "width": 2, "shape": "hvh"}
                figure.add_scatter(
                    x=middle, y=height_, mode="lines", name=name, line=line, legendgroup=name, showlegend=i == 0, row=1, col=i + 1
                )
            figure.update_xaxes(title=axis("xyz"[i], recipe.length_unit), row=1, col=i + 1)
    figure.update_yaxes(title="Density", row=1, col=1)
    figure.update_layout(palette.layout(dark, height))
    return figure


def drawn(made: Drawn, recipe: OfSnapshots, dark: bool = False, height: int = 420) -> go.Figure:
    """Drawn configurations, orange, beside the particles of the nearest snapshot, blue."""
    figure = go.Figure()
    for name, cloud, role in (("Nearest snapshot", made.nearest, "observed"), ("Drawn", made.positions, "predicted")):
        flat = cloud.reshape(-1, cloud.shape[-1])[:SHOWN]
        if flat.shape[1] == 1:
            figure.add_histogram(x=flat[:, 0], histnorm="probability density", name=name, marker_color=palette.role(role, dark))
            continue
        figure.add_scatter(
            x=flat[:, 0].round(4), y=flat[:, 1].round(4), mode="markers", name=name, hoverinfo="skip",
            marker={"color": palette.role(role, dark), "size": 4, "opacity": 0.6},
        )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="drawn"))
    figure.update_xaxes(title=axis("x", recipe.length_unit), constrain="domain")
    figure.update_yaxes(title=axis("y", recipe.length_unit), scaleanchor="x", constrain="domain")
    return figure


def true_drift(made: Inferred, at: Array) -> Array | None:
    """The true drift (m, d) of one particle at positions (m, 1, d); over D where the fit is, of pairs that of the trap."""
    world = made.snapshots.world
    if world is None:
        return None
    if world.particles > 1:
        return np.asarray(-world.known["trap"] * at[:, 0])
    return np.asarray(world.force(at)[:, 0] / (world.D if made.ratio else 1.0))


def _arrows(figure: go.Figure, at: Array, along: Array, name: str, colour: str, width: float) -> None:
    """Arrows from places (m, 2), drawn as one line with gaps."""
    end = at + along
    side = np.stack([-along[:, 1], along[:, 0]], 1) * 0.18
    back = at + 0.68 * along
    gap = np.full(len(at), np.nan)
    lines = [np.stack([at[:, i], end[:, i], back[:, i] + side[:, i], end[:, i], back[:, i] - side[:, i], gap], 1) for i in (0, 1)]
    figure.add_scatter(
        x=lines[0].ravel(), y=lines[1].ravel(), mode="lines", name=name, line={"color": colour, "width": width}, hoverinfo="skip"
    )


def _seen(points: Array, at: Array) -> Array:
    """Which places of a grid (m, d) have data near them."""
    from scipy.spatial import cKDTree

    some = points[:: max(len(points) // 20_000, 1)]
    reach = 0.04 * float(np.ptp(points, axis=0).max())
    return np.array(cKDTree(some).query(at, distance_upper_bound=reach)[0] < np.inf)
