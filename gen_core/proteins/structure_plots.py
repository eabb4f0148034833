"""Structures as pictures: the style that 3Dmol.js draws them in, and plain traces of the backbone for where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import palette
from gen_core.proteins.structure import LEGENDS, Colour

if TYPE_CHECKING:
    import plotly.graph_objects as go

Array = np.ndarray
Texts = Sequence[tuple[str, str]]
JOINED = 4.3  # Å between C-alpha atoms of neighbours, at most
_STEPS = 9
_RANGE = ((0.0, 0.95), (0.15, 1.0))  # of the scale on light and on dark paper: what would vanish in it is left out


def colours(colour: Colour, dark: bool = False) -> list[str]:
    """The colours of a scale from its low to its high end."""
    if colour == "mutation":
        return [palette.role("control", dark), palette.role("predicted", dark)]
    from plotly.colors import get_colorscale, sample_colorscale

    found = sample_colorscale(get_colorscale(palette.SEQUENTIAL), list(np.linspace(*_RANGE[dark], _STEPS)), colortype="tuple")
    return ["#" + "".join(f"{round(255 * part):02X}" for part in rgb) for rgb in found]


def style(colour: Colour, dark: bool = False, side_chains: bool = False) -> dict[str, Any]:
    """A style of 3Dmol.js: a ribbon coloured by B-factor over the legend's scale, side chains as sticks where there are some."""
    legend = LEGENDS[colour]
    scheme = {"prop": "b", "gradient": "linear", "min": legend.low, "max": legend.high, "colors": colours(colour, dark)}
    ribbon: dict[str, Any] = {"cartoon": {"colorscheme": scheme, "thickness": 0.5, "arrows": True}}
    return ribbon | ({"stick": {"colorscheme": scheme, "radius": 0.15}} if side_chains else {})


def view(texts: Texts, colour: Colour, js: str, dark: bool = False, size: tuple[int, int] = (480, 380)) -> Any:
    """The same picture for a notebook, as a py3Dmol view; `js` is the address of 3Dmol-min.js, best a copy of one's own."""
    import py3Dmol

    found = py3Dmol.view(width=size[0] * len(texts), height=size[1], js=js, viewergrid=(1, len(texts)), linked=True)
    found.setBackgroundColor(palette.role("paper", dark))
    for i, (_, text) in enumerate(texts):
        found.addModel(text, "pdb", viewer=(0, i))
        found.setStyle({}, style(colour, dark), viewer=(0, i))
    found.zoomTo()
    return found


def trace(texts: Texts, colour: Colour, dark: bool = False) -> go.Figure:
    """Backbones through their C-alpha atoms, in 3-D, side by side."""
    from plotly.subplots import make_subplots

    centre, axes = alphas(texts[0][1])[0].mean(0), _axes(texts)
    fig = make_subplots(cols=len(texts), specs=[[{"type": "scene"}] * len(texts)], horizontal_spacing=0.02)
    for i, (_, text) in enumerate(texts, 1):
        places, values, names = _apart(*alphas(text))
        line = {"width": 9, "color": values, "coloraxis": "coloraxis"}
        x, y, z = ((places - centre) @ axes.T).T.astype(np.float32)
        hover = "%{text}<extra></extra>"
        fig.add_scatter3d(x=x, y=y, z=z, mode="lines", line=line, text=names, hovertemplate=hover, col=i, row=1)
    hidden = {"visible": False}
    camera = {"eye": {"x": 0, "y": 0, "z": 1.1}, "up": {"x": 0, "y": 1, "z": 0}}
    fig.update_scenes(xaxis=hidden, yaxis=hidden, zaxis=hidden, aspectmode="data", camera=camera)
    return _finished(fig, colour, dark)


def flat(texts: Texts, colour: Colour, dark: bool = False) -> go.Figure:
    """The same seen from the broad side of the first (along its least principal axis), without WebGL."""
    from plotly.subplots import make_subplots

    fig = make_subplots(cols=len(texts), horizontal_spacing=0.04)
    first, axes = alphas(texts[0][1])[0], _axes(texts)
    for i, (_, text) in enumerate(texts, 1):
        places, values, names = alphas(text)
        x, y, depth = ((places - first.mean(0)) @ axes.T).T.astype(np.float32)
        size = 9 + 5 * (depth - depth.min()) / max(float(np.ptp(depth)), 1e-6)  # nearer ones are larger
        quiet = {"color": palette.role("control", dark), "width": 3}
        way = ((_apart(places, values, names)[0] - first.mean(0)) @ axes.T).astype(np.float32)
        fig.add_scatter(x=way[:, 0], y=way[:, 1], mode="lines", line=quiet, hoverinfo="skip", col=i, row=1)
        order = np.argsort(depth)
        marker = {"size": size[order], "color": values[order], "coloraxis": "coloraxis", "line": {"width": 0}}
        text_of = [names[j] for j in order]
        hover = "%{text}<extra></extra>"
        fig.add_scatter(x=x[order], y=y[order], mode="markers", marker=marker, text=text_of, hovertemplate=hover, col=i, row=1)
        fig.update_yaxes(scaleanchor="x" if i == 1 else f"x{i}", visible=False, col=i, row=1)
    fig.update_xaxes(visible=False)
    return _finished(fig, colour, dark)


def turn(texts: Texts) -> list[float]:
    """The rotation, as a quaternion (x, y, z, w), that shows the broad side of the first structure, its long axis across."""
    from scipy.spatial.transform import Rotation

    return [float(part) for part in Rotation.from_matrix(_axes(texts)).as_quat()]


def _axes(texts: Texts) -> Array:
    """Principal axes (3, 3) of the first structure, longest first, as a rotation."""
    places = alphas(texts[0][1])[0]
    axes = np.linalg.svd(places - places.mean(0), full_matrices=False)[2]
    axes *= np.sign(axes[:, np.abs(axes).argmax(1)].diagonal())[:, None]  # a sign of one's own, whatever the library's
    axes[2] *= np.sign(np.linalg.det(axes))
    return np.asarray(axes)


def alphas(text: str) -> tuple[Array, Array, list[str]]:
    """C-alpha places (n, 3) in Å, B-factors (n,) and names (n) such as `ALA 12: 3.10` of a PDB text that was written here."""
    lines = [line for line in text.splitlines() if line.startswith("ATOM") and line[12:16] == " CA "]
    places = np.array([[float(line[30 + 8 * j : 38 + 8 * j]) for j in range(3)] for line in lines])
    values = np.array([float(line[60:66]) for line in lines])
    return places, values, [f"{line[17:20]} {line[22:27].strip()}: {line[60:66].strip()}" for line in lines]


def _apart(places: Array, values: Array, names: list[str]) -> tuple[Array, Array, list[str]]:
    """The same with not-a-number between two atoms that no bond joins, so that no line is drawn over what is missing."""
    far = np.flatnonzero(np.linalg.norm(np.diff(places, axis=0), axis=1) > JOINED) + 1
    told = np.insert(np.array(names, dtype=object), far, "")
    return np.insert(places, far, np.nan, axis=0), np.insert(values, far, np.nan), told.tolist()


def _finished(fig: go.Figure, colour: Colour, dark: bool) -> go.Figure:
    legend, scale = LEGENDS[colour], colours(colour, dark)
    bar = {
        "title": {"text": legend.title, "side": "top"},
        "tickvals": [legend.low, legend.high],
        "ticktext": [legend.low_said, legend.high_said],
        "orientation": "h",
        "y": -0.02,
        "yanchor": "top",
        "len": 0.6,
    }
    axis = {"cmin": legend.low, "cmax": legend.high, "colorscale": scale, "colorbar": bar}
    return fig.update_layout(
        palette.layout(dark, 380, margin={"l": 8, "r": 8, "t": 8, "b": 64}, showlegend=False, coloraxis=axis)
    )
