"""The colours and the common layout of all figures, for the light and the dark theme.

A colour means one thing everywhere: observed is blue, predicted or generated orange, control and baselines grey,
warnings red. Cell types and other categories never take these colours. A notebook may use the same with any figure of
its own: `figure.update_layout(palette.layout())`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

# (light, dark); each stands out from its paper by at least 3 to 1, and from every other by hue or lightness.
ROLES = {
    "observed": ("#0072B2", "#3F97E6"),
    "predicted": ("#D87400", "#F5A02F"),
    "control": ("#7C858C", "#96A1AA"),
    "warning": ("#C4262B", "#F4716D"),
    "accent": ("#0E6A69", "#54BDB2"),
    "text": ("#1D262B", "#E6EBEE"),
    "muted": ("#5E6A72", "#A3AFB8"),
    "grid": ("#E4E0D7", "#2B363F"),
    "paper": ("#FBFAF7", "#12191F"),
    "panel": ("#F2F0EA", "#1B242B"),
}
ALIASES = {"generated": "predicted", "baseline": "control", "baselines": "control", "truth": "observed"}

# Okabe and Ito (2008) without blue, orange, vermillion and grey; yellow darker on light paper, where it would vanish.
_CATEGORIES = (("#009E73", "#CC79A7", "#56B4E9", "#BFA900"), ("#1DB98C", "#DE8FBB", "#9BD8F7", "#F0E442"))
_SHADES = (0.0, -0.38, 0.42, -0.6, 0.65)  # towards black below zero, towards white above

SEQUENTIAL = "Viridis"
CIVIDIS = "Cividis"
_PUOR = ("#2d004b", "#542788", "#8073ac", "#b2abd2", "#d8daeb", "#f7f7f7", "#fee0b6", "#fdb863", "#e08214", "#b35806", "#7f3b08")
_PUOR_DARK = (
    "#d9d0f2",
    "#b7a8e0",
    "#9583c6",
    "#6b5f99",
    "#434062",
    "#29313a",
    "#5c4526",
    "#8f621f",
    "#c5842a",
    "#eba94f",
    "#fbd9a0",
)

# Plotly's own button bar offers to send the figure, and so the data in it, to a server of its maker: never here.
CONFIG: dict[str, Any] = {"displaylogo": False, "modeBarButtonsToRemove": ["sendChartToCloud", "autoScale2d"]}

FONT = '"Source Sans", "Source Sans Pro", "Helvetica Neue", Arial, sans-serif'


def role(name: str, dark: bool = False) -> str:
    """The colour of a role (`observed`, `predicted`, `control`, `warning`, …) as CSS."""
    return ROLES[ALIASES.get(name, name)][dark]


def band(name: str, dark: bool = False) -> str:
    """The lighter, translucent colour of a role, for its interval or the area below its curve."""
    return _rgba(role(name, dark), 0.26 if dark else 0.18)


def faded(name: str, dark: bool = False) -> str:
    """A role's colour for what is uncertain: the same hue, half there."""
    return _rgba(role(name, dark), 0.45)


def veil(dark: bool = False) -> str:
    """The paper, nearly opaque: what makes a name readable over a cloud of points."""
    return _rgba(role("paper", dark), 0.75)


def categories(n: int, dark: bool = False) -> list[str]:
    """`n` colours for categories: four hues, then their darker and lighter shades; from 21 on they repeat, so label directly."""
    hues = _CATEGORIES[dark]
    return [_shade(hues[i % 4], _SHADES[i // 4 % len(_SHADES)]) for i in range(n)]


def diverging(dark: bool = False) -> list[list[Any]]:
    """Purple below zero, orange above, the middle as light (or dark) as the paper; give it with `centred`."""
    colours = _PUOR_DARK if dark else _PUOR
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]


def centred(limit: float) -> dict[str, float]:
    """Marker or colour-axis limits that put zero into the middle of a diverging scale."""
    return {"cmin": -abs(limit) or -1.0, "cmid": 0.0, "cmax": abs(limit) or 1.0}


def label(text: object, longest: int = 60) -> str:
    """A name from a user's file, safe inside Plotly's pseudo-HTML, and cut where it would crowd the figure out."""
    plain = " ".join(str(text).split())
    short = plain if len(plain) <= longest else plain[: longest - 1] + "…"
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def layout(dark: bool = False, height: int = 420, **changes: Any) -> dict[str, Any]:
    """The layout every figure shares. `changes` win; a dictionary among them (`margin`, `legend`) changes only what it names.

    Fonts and grids are in the template, so that they hold for every axis of a figure with several panels. Zoom and pan
    survive an update as long as `uirevision` stays the same: pass one that names the data.
    """
    common: dict[str, Any] = {
        "template": template(dark),
        "height": height,
        "margin": {"l": 56, "r": 16, "t": 40, "b": 48},
        "uirevision": "keep",
    }
    for name, value in changes.items():
        old = common.get(name)
        common[name] = old | value if isinstance(old, dict) and isinstance(value, dict) else value
    return common


@lru_cache(maxsize=2)
def template(dark: bool) -> Any:
    """Fonts, grids, legend and hover labels as a Plotly template, made once: checking it as a dictionary takes 0.1 s a figure."""
    from plotly.graph_objs.layout import Template

    grid, text, muted = role("grid", dark), role("text", dark), role("muted", dark)
    axis = {
        "showgrid": True,
        "gridcolor": grid,
        "zeroline": False,
        "linecolor": role("control", dark),
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": grid,
        "tickfont": {"size": 12, "color": muted},
        "title": {"font": {"size": 13, "color": text}, "standoff": 8},
        "automargin": True,
    }
    scene_axis = {"backgroundcolor": "rgba(0,0,0,0)", "gridcolor": grid, "zeroline": False, "color": muted}
    return Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": text},
            "title": {"font": {"size": 15, "color": text}, "x": 0, "xanchor": "left"},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [role("observed", dark), role("predicted", dark), role("control", dark), *categories(8, dark)],
            "xaxis": axis,
            "yaxis": axis,
            "scene": {"xaxis": scene_axis, "yaxis": scene_axis, "zaxis": scene_axis},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom", "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {
                "bgcolor": role("panel", dark),
                "bordercolor": grid,
                "font": {"family": FONT, "size": 13, "color": text},
                "align": "left",
            },
            "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 12}},
            "annotationdefaults": {"font": {"size": 12, "color": muted}, "showarrow": False},
            "modebar": {
                "orientation": "v",
                "bgcolor": _rgba(role("paper", dark), 0.75),
                "color": muted,
                "activecolor": role("accent", dark),
            },
            "hovermode": "closest",
        }
    )


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _rgba(colour: str, alpha: float) -> str:
    red, green, blue = _rgb(colour)
    return f"rgba({red},{green},{blue},{alpha:g})"


def _shade(colour: str, amount: float) -> str:
    """Mixed with black (amount below 0) or white (above)."""
    goal = 0 if amount < 0 else 255
    return "#" + "".join(f"{round(part + (goal - part) * abs(amount)):02X}" for part in _rgb(colour))
