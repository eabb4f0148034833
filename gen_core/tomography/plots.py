"""Figures of reconstructions, for the page and for notebooks. CT is grey with its window stated; errors are centred on zero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.tomography import methods, metrics
from gen_core.tomography.files import shown, window_of

if TYPE_CHECKING:
    from gen_core.tomography.reconstruct import Reconstructed
    from gen_core.tomography.subject import Subject

Array = np.ndarray
GREY = [[0, "#000000"], [1, "#ffffff"]]
ROLES = {"truth": "observed", "fbp": "control", "sirt": "control", "tv": "control"}  # what learned nothing is grey
DASHES = {"fbp": "dot", "sirt": "dash", "tv": "solid"}
TITLES = {"truth": "Truth"}


def titled(name: str) -> str:
    """How an image is called."""
    return TITLES.get(name) or methods.titled(name)


def image(
    made: Reconstructed, name: str, window: tuple[float, float] | None = None, dark: bool = False, height: int = 360
) -> go.Figure:
    """One image (`truth` or a method's) in grey; `window` is level and width in the image's own unit."""
    level, width = window or window_of(made)
    unit = made.subject.unit
    figure = _slice(made, shown(made)[name], GREY, level - width / 2, level + width / 2, unit, dark, height)
    figure.update_layout(title=f"{titled(name)}, window {level:g} ± {width / 2:g} {unit}")
    return figure


def error(made: Reconstructed, name: str, limit: float | None = None, dark: bool = False, height: int = 360) -> go.Figure:
    """Image less truth, purple below zero, orange above; every method on the scale of `error_limit` where none is given.

    Raises ValueError where the truth is not known.
    """
    if made.truth is None:
        raise ValueError("the truth of a measured sinogram is not known.")
    limit = limit or error_limit(made)
    figure = _slice(made, made.images[name] - made.truth, palette.diverging(dark), -limit, limit, made.subject.unit, dark, height)
    figure.update_layout(title=f"{titled(name)} less truth")
    return figure


def error_limit(made: Reconstructed) -> float:
    """One scale for the error maps of all methods: what 99 % of all pixels stay below, streaks of the worst method left aside."""
    if made.truth is None:
        return 1.0
    each = [float(np.quantile(np.abs(image - made.truth), 0.99)) for image in made.images.values()]
    return max(float(np.median(each)), 1e-9)


def deviation(made: Reconstructed, name: str, dark: bool = False, height: int = 360) -> go.Figure:
    """The deviation of each pixel, of a method that knows its uncertainty."""
    values = made.deviations[name]
    figure = _slice(made, values, palette.SEQUENTIAL, 0, float(np.quantile(values, 0.999)), made.subject.unit, dark, height)
    figure.update_layout(title=f"{titled(name)}, deviation")
    return figure


def part(made: Reconstructed, name: str, which: str, dark: bool = False, height: int = 360) -> go.Figure:
    """The `measured` part of a method's image in grey, or its `invented` part centred on zero, in attenuation over water's."""
    values = made.measured[name] if which == "measured" else made.invented[name]
    if which == "measured":
        figure = _slice(made, values, GREY, 0, 1.6, "of water", dark, height)
    else:
        limit = invented_limit(made)
        figure = _slice(made, values, palette.diverging(dark), -limit, limit, "of water", dark, height)
    figure.update_layout(title=f"{titled(name)}, {which} part")
    return figure


def invented_limit(made: Reconstructed) -> float:
    """One scale for the invented parts of all methods."""
    return float(np.quantile(np.abs(np.concatenate([values.ravel() for values in made.invented.values()])), 0.995)) or 1.0


def _slice(
    made: Reconstructed, values: Array, colours: Any, low: float, high: float, unit: str, dark: bool, height: int
) -> go.Figure:
    size, pixel = len(values), made.subject.pixel
    step = (np.arange(size) - (size - 1) / 2) * (pixel or 1.0)
    length = "mm" if pixel else "pixels"
    figure = go.Figure()
    figure.add_heatmap(
        z=values, x=step, y=-step, colorscale=colours, zmin=low, zmax=high, zmid=0 if low == -high else None,
        colorbar={"thickness": 10, "title": {"text": unit}},
        hovertemplate=f"%{{x:.0f}}, %{{y:.0f}} {length}<br>%{{z:.4g}} {unit}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(palette.layout(dark, height, uirevision="slice", margin={"l": 44, "r": 8, "t": 34, "b": 40}))
    figure.update_xaxes(title=f"Right ({length})", showgrid=False, constrain="domain")
    figure.update_yaxes(title=f"Up ({length})", showgrid=False, scaleanchor="x", constrain="domain")
    return figure


def sinogram(made: Reconstructed, name: str | None = None, dark: bool = False, height: int = 320) -> go.Figure:
    """The data, or a method's own projections, over all directions; those that were not measured are hatched."""
    values = made.sinogram if name is None else made.projections[name]
    top = float(np.quantile(made.sinogram, 0.999))
    figure = _views(made, values, GREY, 0.0, top, dark, height)
    figure.update_layout(title="Measured data" if name is None else f"{titled(name)}, projected again")
    return figure


def residual(made: Reconstructed, name: str, dark: bool = False, height: int = 320) -> go.Figure:
    """A method's own projections less the data, in deviations of what noise and pixels explain: shapes in it are misfit."""
    values = (made.projections[name] - made.sinogram) / made.subject.problem.spread
    figure = _views(made, values, palette.diverging(dark), -4.0, 4.0, dark, height)
    figure.update_layout(title=f"{titled(name)}, residual over noise")
    return figure


def _views(made: Reconstructed, values: Array, colours: Any, low: float, high: float, dark: bool, height: int) -> go.Figure:
    views = views_of(made.subject)
    figure = go.Figure()
    figure.add_heatmap(
        z=values[views.order], x=views.places, y=views.angles, colorscale=colours, zmin=low, zmax=high,
        colorbar={"thickness": 10}, hovertemplate=f"%{{x:.0f}} {views.length}, %{{y:.1f}}°<br>%{{z:.4g}}<extra></extra>",
    )  # fmt: skip
    if views.missing:
        figure.add_trace(hatch(views, dark))
        figure.add_annotation(x=0, y=(views.edge + views.last) / 2, text="not measured", bgcolor=palette.veil(dark))
    figure.update_layout(palette.layout(dark, height, uirevision="sinogram", margin={"l": 52, "r": 8, "t": 34, "b": 40}))
    figure.update_xaxes(title=f"Detector ({views.length})", showgrid=False, range=[views.places[0], views.places[-1]])
    figure.update_yaxes(title="Angle (degrees)", showgrid=False, range=[max(views.last, views.end), views.begin])
    return figure


@dataclass(frozen=True)
class Views:
    """Where the views of a scan lie: their order by angle, angles in degrees, places on the detector in `length`, the step
    between two views, and the last angle of all directions there are."""

    order: Array
    angles: Array
    places: Array
    length: str
    step: float
    last: float

    @property
    def begin(self) -> float:
        """The first angle."""
        return float(self.angles[0])

    @property
    def end(self) -> float:
        """The last angle that was measured."""
        return float(self.angles[-1])

    @property
    def edge(self) -> float:
        """Where the missing directions begin."""
        return self.end + self.step / 2

    @property
    def missing(self) -> bool:
        """Whether directions are missing."""
        return self.last - self.end > 2.5 * max(self.step, 1e-9)


def views_of(subject: Subject) -> Views:
    """The views of a scan in the order of their angles."""
    geometry = subject.problem.geometry
    order = np.argsort(np.asarray(geometry.angles), kind="stable")
    angles = np.asarray(geometry.angles)[order]
    begin, end = float(angles[0]), float(angles[-1])
    period = 180.0 if geometry.kind == "parallel" else 360.0
    length = "mm" if subject.pixel else "pixels"
    step = (end - begin) / max(len(angles) - 1, 1)
    return Views(order, angles, geometry.places()[:, 0] * (subject.pixel or 1.0), length, step, begin + period)


def hatch(views: Views, dark: bool) -> go.Scatter:
    """The directions that were not measured, hatched."""
    left, right = views.places[0], views.places[-1]
    return go.Scatter(
        x=[left, right, right, left], y=[views.edge, views.edge, views.last, views.last], fill="toself", mode="none",
        fillpattern={"shape": "/", "fgcolor": palette.role("muted", dark), "size": 8, "solidity": 0.2},
        hovertemplate="not measured<extra></extra>", hoveron="fills", name="not measured", showlegend=False,
    )  # fmt: skip


def convergence(made: Reconstructed, dark: bool = False, height: int = 260) -> go.Figure:
    """How far total variation is above the bound that nothing can undercut, and how SIRT nears the data."""
    figure = go.Figure()
    for name, solution in made.solutions.items():
        trace = solution.trace
        line = {"color": palette.role(ROLES.get(name, "predicted"), dark), "dash": DASHES.get(name, "solid"), "width": 2}
        if "bound" in trace:
            value, bound = np.array(trace["objective"]), np.array(trace["bound"])
            gap = np.maximum((value - bound) / np.maximum(value, 1e-30), 1e-6)
            figure.add_scatter(x=trace["iteration"], y=np.minimum(gap, 1), name=f"{titled(name)}: duality gap", line=line)
        elif "data_residual" in trace:
            label = f"{titled(name)}: residual over noise"
            figure.add_scatter(x=np.array(trace["iteration"]) + 1, y=trace["data_residual"], name=label, line=line)
        elif "residual" in trace:
            figure.add_scatter(x=trace["iteration"], y=trace["residual"], name=f"{titled(name)}: residual", line=line)
    figure.update_layout(palette.layout(dark, height, uirevision="convergence"))
    figure.update_xaxes(title="Iteration", type="log")
    figure.update_yaxes(title="Relative", type="log")
    return figure


def profile(made: Reconstructed, row: int | None = None, dark: bool = False, height: int = 280) -> go.Figure:
    """Values along a row of pixels, the middle one where None: the truth blue, priors orange with their 90 % band."""
    size, pixel = made.subject.problem.size, made.subject.pixel
    row = size // 2 if row is None else row
    step = (np.arange(size) - (size - 1) / 2) * (pixel or 1.0)
    figure = go.Figure()
    for name, deviation_ in made.deviations.items():
        middle, reach = made.images[name][row], 1.645 * deviation_[row]
        figure.add_scatter(
            x=np.concatenate([step, step[::-1]]), y=np.concatenate([middle - reach, (middle + reach)[::-1]]), fill="toself",
            fillcolor=palette.band("predicted", dark), line={"width": 0}, hoverinfo="skip", name=f"{titled(name)}, 90 % interval",
        )  # fmt: skip
    for name, values in shown(made).items():
        line = {"color": palette.role(ROLES.get(name, "predicted"), dark), "dash": DASHES.get(name, "solid"), "width": 2}
        figure.add_scatter(x=step, y=values[row], name=titled(name), mode="lines", line=line)
    figure.update_layout(palette.layout(dark, height, uirevision="profile"))
    figure.update_xaxes(title=f"Right ({'mm' if pixel else 'pixels'})")
    figure.update_yaxes(title=f"Value ({made.subject.unit})")
    return figure


def calibration(made: Reconstructed, dark: bool = False, height: int = 300) -> go.Figure:
    """The share of pixels that intervals of each level really hold: on the diagonal where the uncertainty is honest."""
    figure = go.Figure()
    line = {"color": palette.role("control", dark), "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, name="honest", hoverinfo="skip")
    for name, found in made.calibration.items():
        colour = palette.role("predicted", dark)
        figure.add_scatter(x=metrics.LEVELS, y=found, mode="lines+markers", name=titled(name), line={"color": colour})
    figure.update_layout(palette.layout(dark, height, uirevision="calibration"))
    figure.update_xaxes(title="Level of the interval", range=[0, 1])
    figure.update_yaxes(title="Share of pixels inside", range=[0, 1])
    return figure
