"""Figures of potentials, for the page and for notebooks: maps of one role have one scale; exact is blue, learned orange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.poisson import grid, metrics

if TYPE_CHECKING:
    from gen_core.poisson.green import Response
    from gen_core.poisson.solved import Solved

Array = np.ndarray
TITLES = {
    "phi": "Potential, as solved",
    "exact": "Potential, exact",
    "flow": "Flow",
    "regression": "Regression",
    "fno": "Fourier operator",
    "zero_start": "From zero",
    "exact_posterior": "Exact posterior mean",
    "no_charge": "Edges alone",
    "correction": "Correction",
}
METHODS = {"cg": "conjugate gradients", "two_grid": "two-grid cycles"}
BAR = {"thickness": 10, "outlinewidth": 0, "xpad": 4, "tickfont": {"size": 11}, "nticks": 6, "exponentformat": "power"}
MARGIN = {"l": 40, "r": 4, "t": 30, "b": 34}


def charges(made: Solved, dark: bool = False, height: int = 360) -> go.Figure:
    """The charge density, purple below zero, orange above."""
    problem = made.problem
    figure = _map(problem.rho, _limit(problem.rho), True, "charge density", "Charges", dark, height, problem.boundary)
    return _sensors(figure, made, dark)


def potential(made: Solved, name: str = "phi", dark: bool = False, height: int = 360) -> go.Figure:
    """A potential: `phi`, `exact`, or a baseline by its name; all on the scale of the exact one."""
    values = _values(made, name)
    reference = made.exact if made.exact is not None else made.phi
    boundary = made.problem.boundary
    return _sensors(_map(values, _limit(reference), True, "potential", titled(name), dark, height, boundary), made, dark)


def error(made: Solved, name: str = "phi", dark: bool = False, height: int = 360) -> go.Figure:
    """A potential less the exact one; every solver on one scale. Raises ValueError where the exact one is not known."""
    apart = _values(made, name) - _exact(made)
    whose = "Solved" if name == "phi" else titled(name)
    title = f"{whose} less exact: {percent(metrics.error(_values(made, name), _exact(made)))}"
    return _map(apart, error_limit(made), True, "difference", title, dark, height, made.problem.boundary)


def error_limit(made: Solved) -> float:
    """One scale for error maps: that of the answer shown, so that it is seen; worse baselines are cut off."""
    return _limit(made.phi - _exact(made)) if made.exact is not None else 1.0


def residual(made: Solved, name: str = "phi", dark: bool = False, height: int = 360) -> go.Figure:
    """The charge that the law misses: where it is broken, and which way."""
    values = metrics.residual_map(_values(made, name), made.problem)
    told = metrics.residual(_values(made, name), made.problem)
    what = percent(told) if np.any(made.problem.rho) else f"{told:.3g}"
    title = f"Charge that the law misses: {what}"
    return _map(values, _limit(values), True, "missed charge", title, dark, height, made.problem.boundary)


def boundary(made: Solved, name: str = "phi", dark: bool = False, height: int = 300) -> go.Figure:
    """The potential on the edges less what is given there, once around the square from the lower left corner."""
    figure = go.Figure()
    size = made.problem.size
    at = np.linspace(0, 1, size)
    for one in dict.fromkeys([name, *(key for key in ("fno",) if key in made.others)]):
        left, right, bottom, top = metrics.boundary_map(_values(made, one), made.problem)
        around = np.concatenate([bottom, right, top[::-1], left[::-1]])
        way = np.concatenate([at, 1 + at, 2 + at, 3 + at])
        role = "predicted" if one == name else "control"
        figure.add_scatter(x=way, y=around, mode="lines", name=titled(one), line={"color": palette.role(role, dark), "width": 2})
    figure.update_layout(palette.layout(dark, height, uirevision="boundary"))
    figure.update_xaxes(title="Way around the square", tickvals=[0.5, 1.5, 2.5, 3.5], ticktext=["bottom", "right", "top", "left"])
    figure.update_yaxes(title="Potential less what is given")
    return figure


def field(made: Solved, name: str = "phi", dark: bool = False, height: int = 360) -> go.Figure:
    """The strength of the electric field, with its direction as short lines."""
    values, side = _values(made, name), made.problem.boundary
    right, up = grid.field(values, side)
    strength = np.hypot(right, up)
    title = f"{titled(name)}: field"
    figure = _map(strength, float(np.quantile(strength, 0.995)) or 1.0, False, "strength", title, dark, height, side)
    at, step = grid.nodes(len(values), side), max(1, len(values) // 16)
    rows, columns = (index.ravel() for index in np.meshgrid(*[np.arange(step // 2, len(values), step)] * 2, indexing="ij"))
    size = np.maximum(strength[rows, columns], 1e-300)
    along, upward = (0.4 * step * at[1] * part[rows, columns] / size for part in (right, up))
    gap = np.full(len(rows), np.nan)
    x = np.stack([at[columns] - along, at[columns] + along, gap], 1).ravel()
    y = np.stack([at[rows] - upward, at[rows] + upward, gap], 1).ravel()
    line = {"color": palette.role("paper", dark), "width": 1}
    figure.add_scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False)
    return figure


def spread(made: Solved, dark: bool = False, height: int = 360) -> go.Figure:
    """The deviation of the samples. With all charges known the truth is one potential, and any spread is the model's own."""
    values = made.deviation
    top = float(values.max()) or 1.0
    boundary_ = made.problem.boundary
    return _sensors(_map(values, top, False, "deviation", "Deviation of the samples", dark, height, boundary_), made, dark)


def dial(
    made: Solved, method: str = "cg", what: str = "error", at: int | None = None, dark: bool = False, height: int = 320
) -> go.Figure:
    """Error or residual against correction steps, from the model (orange) and from zero (grey); `at` marks a step."""
    figure = go.Figure()
    for start, role in (("zero", "control"), ("model", "predicted")):
        trace = made.traces[method][start]
        values = np.maximum(getattr(trace, what), 1e-9)
        hover = f"%{{x}} steps, %{{customdata:.0f}} passes over the grid<br>{what} %{{y:.3g}}<extra>from {start}</extra>"
        figure.add_scatter(
            x=np.arange(len(values)), y=values, customdata=trace.work, mode="lines+markers", name=f"from {start}",
            line={"color": palette.role(role, dark), "width": 2}, marker={"size": 4}, hovertemplate=hover,
        )  # fmt: skip
    if at is not None:
        figure.add_vline(x=at, line={"color": palette.role("accent", dark), "width": 1})
    figure.add_hline(y=0.01, line={"color": palette.role("muted", dark), "width": 1, "dash": "dot"})
    figure.add_annotation(  # on a logarithmic axis a note is placed by the exponent
        x=1, xref="paper", xanchor="right", y=-2, yanchor="bottom", text="1 %", showarrow=False
    )
    figure.update_layout(palette.layout(dark, height, uirevision=f"dial-{method}"))
    figure.update_xaxes(title=f"Correction steps ({METHODS[method]})")
    figure.update_yaxes(title=f"{what.capitalize()} (relative)", type="log", exponentformat="power", dtick=2)
    return figure


def times(made: Solved, dark: bool = False, height: int = 260) -> go.Figure:
    """Milliseconds of each solver for one answer, on a logarithmic scale: the exact one blue, learned orange, others grey."""
    rows = sorted(made.seconds.items(), key=lambda row: -row[1])
    roles = {"exact": "observed", "exact_posterior": "observed", "zero_start": "control", "correction": "control"}
    values = [max(1000 * seconds, 1e-4) for _, seconds in rows]
    figure = go.Figure()
    figure.add_bar(
        x=values, y=[titled(name) if name != "exact" else "Exact" for name, _ in rows], orientation="h",
        marker_color=[palette.role(roles.get(name, "predicted"), dark) for name, _ in rows],
        text=[f"{value:.3g} ms" for value in values], hovertemplate="%{y}: %{x:.3g} ms<extra></extra>",
    )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="times"))
    figure.update_xaxes(title="Milliseconds for one answer", type="log")
    return figure


def profile(made: Solved, row: int | None = None, dark: bool = False, height: int = 280) -> go.Figure:
    """Potentials along a row of nodes, the middle one where None: the exact one blue, the answer orange, baselines grey."""
    row = made.problem.size // 2 if row is None else row
    at = grid.nodes(made.problem.size, made.problem.boundary)
    figure = go.Figure()
    if made.posterior is not None or len(made.samples) > 1:
        middle, reach = made.phi[row], 1.645 * made.deviation[row]
        figure.add_scatter(
            x=np.concatenate([at, at[::-1]]), y=np.concatenate([middle - reach, (middle + reach)[::-1]]), fill="toself",
            fillcolor=palette.band("predicted", dark), line={"width": 0}, hoverinfo="skip", name="90 % interval",
        )  # fmt: skip
    named = [name for name in ("fno", "exact_posterior") if name in made.others]
    lines: list[tuple[str, Array, str]] = [(name, made.others[name], "control") for name in named]
    lines += [] if made.exact is None else [("exact", made.exact, "observed")]
    for name, values, role in [*lines, ("phi", made.phi, "predicted")]:
        line = {"color": palette.role(role, dark), "width": 2, "dash": "dot" if role == "control" else "solid"}
        figure.add_scatter(x=at, y=values[row], mode="lines", name=titled(name), line=line)
    figure.update_layout(palette.layout(dark, height, uirevision="profile"))
    figure.update_xaxes(title=f"x at y = {at[row]:.2f}")
    figure.update_yaxes(title="Potential")
    return figure


def response(made: Response, name: str = "phi", dark: bool = False, height: int = 360) -> go.Figure:
    """The response to the point charge: `phi` the learned one, `exact` the Green's function; both on one scale."""
    title = "Green's function, exact" if name == "exact" else "Response of the solver"
    return _map(getattr(made, name), _limit(made.exact), True, "potential", title, dark, height)


def radial(made: Response, dark: bool = False, height: int = 300) -> go.Figure:
    """The mean potential by distance from the charge: the exact one blue, the learned one orange."""
    figure = go.Figure()
    far, phi, exact = made.profile
    for name, values, role in (("exact", exact, "observed"), ("learned", phi, "predicted")):
        figure.add_scatter(x=far, y=values, mode="lines+markers", name=name, line={"color": palette.role(role, dark), "width": 2})
    figure.update_layout(palette.layout(dark, height, uirevision="radial"))
    figure.update_xaxes(title="Distance from the charge")
    figure.update_yaxes(title="Mean potential")
    return figure


def posterior(made: Solved, which: str = "mean", whose: str = "model", dark: bool = False, height: int = 360) -> go.Figure:
    """With sensors: `mean` or `deviation` of the potential, of the `model` or `exact`; each pair on one scale, sensors marked."""
    if made.posterior is None or made.true_posterior is None:
        raise ValueError("there is a posterior only where sensors measure.")
    found, true = made.posterior, made.true_posterior
    values = getattr(found if whose == "model" else true, which)
    title = f"{'Samples' if whose == 'model' else 'Exact posterior'}: {which}"
    top = _limit(true.mean) if which == "mean" else max(float(true.deviation.max()), 1e-300)
    return _sensors(_map(values, top, which == "mean", "potential", title, dark, height), made, dark)


def coverage(made: Solved, dark: bool = False, height: int = 300) -> go.Figure:
    """The share of what is possible by the exact posterior that intervals of each level hold: on the diagonal where honest."""
    if made.posterior is None or made.true_posterior is None:
        raise ValueError("there is a posterior only where sensors measure.")
    from gen_core.poisson.sensors import coverages

    levels, found = coverages(made.posterior, made.true_posterior)
    figure = go.Figure()
    line = {"color": palette.role("control", dark), "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="honest", hoverinfo="skip")
    figure.add_scatter(x=levels, y=found, mode="lines+markers", name="samples", line={"color": palette.role("predicted", dark)})
    figure.update_layout(palette.layout(dark, height, uirevision="coverage"))
    figure.update_xaxes(title="Level of the interval", range=[0, 1])
    figure.update_yaxes(title="Share inside", range=[0, 1])
    return figure


def percent(share: float) -> str:
    """A share with three digits that count."""
    return f"{100 * share:.3g} %"


def titled(name: str) -> str:
    """How a potential is called."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _values(made: Solved, name: str) -> Array:
    if name == "phi":
        return made.phi
    return _exact(made) if name == "exact" else made.others[name]


def _exact(made: Solved) -> Array:
    if made.exact is None:
        raise ValueError("the exact potential is not known where only sensors measure.")
    return made.exact


def _limit(values: Array) -> float:
    """The largest size of a map's values, a thousandth of them left aside; 1 where all are zero."""
    top = float(np.quantile(np.abs(values), 0.999)) or float(np.abs(values).max())
    return top if top > 0 else 1.0


def _map(
    values: Array, top: float, signed: bool, unit: str, title: str, dark: bool, height: int, boundary: str = "dirichlet"
) -> go.Figure:
    at = grid.nodes(len(values), boundary)
    colours: Any = palette.diverging(dark) if signed else palette.SEQUENTIAL
    figure = go.Figure()
    figure.add_heatmap(
        z=values, x=at, y=at, colorscale=colours, zmin=-top if signed else 0, zmax=top, zmid=0 if signed else None,
        colorbar=BAR,
        hovertemplate=f"%{{x:.2f}}, %{{y:.2f}}<br>%{{z:.4g}} {unit}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="square", margin=MARGIN), title=title)
    small = {"standoff": 2, "font": {"size": 11}}
    figure.update_xaxes(title={"text": "x"} | small, showgrid=False, constrain="domain", nticks=4)
    figure.update_yaxes(title={"text": "y"} | small, showgrid=False, scaleanchor="x", constrain="domain", nticks=4)
    return figure


def _sensors(figure: go.Figure, made: Solved, dark: bool) -> go.Figure:
    """Sensors as small rings on a map, what they read on hover."""
    if made.data is not None:
        x, y = made.data.places.T
        low = figure.data[0].zmin == 0  # of a sequential scale, which is dark where sensors leave little open
        colour = "#ffffff" if low else palette.role("text", dark)
        figure.add_scatter(
            x=x, y=y, mode="markers", customdata=made.data.measured, showlegend=False,
            marker={"size": 8, "symbol": "circle-open", "color": colour, "line": {"width": 2}},
            hovertemplate="sensor at %{x:.2f}, %{y:.2f}<br>reads %{customdata:.4g}<extra></extra>",
        )  # fmt: skip
    return figure


def marked(figure: go.Figure, source: tuple[float, float], probe: tuple[float, float], dark: bool = False) -> go.Figure:
    """A map with the charge as a dot and the probe as a cross."""
    for (x, y), symbol, name in ((source, "circle", "charge"), (probe, "x", "probe")):
        figure.add_scatter(
            x=[x], y=[y], mode="markers", showlegend=False, hovertemplate=f"{name} at %{{x:.2f}}, %{{y:.2f}}<extra></extra>",
            marker={"size": 9, "symbol": symbol, "color": palette.role("accent", dark),
                    "line": {"width": 1.5, "color": palette.role("paper", dark)}},
        )  # fmt: skip
    return figure
