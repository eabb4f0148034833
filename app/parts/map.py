"""A map that can be clicked anywhere, also where there is no point: `figure.show(fig, key, alt, select=True)`.

What was clicked outlives the click: read it with `figure.picked(key)` before the figure is made, and it can be marked
in it; `figure.forget(key)` drops it.
"""

from __future__ import annotations

from typing import Any


def clickable(fig: Any, x_range: tuple[float, float], y_range: tuple[float, float]) -> Any:
    """`fig` with these axis ranges, the same whatever is drawn in it, so that the map stays still under a moving control."""
    return fig.update_layout(
        xaxis_range=list(x_range), yaxis_range=list(y_range), clickmode="event", hovermode="closest", hoverdistance=8
    )


def clicked(event: dict[str, Any] | None) -> tuple[float, float] | None:
    """The place of the click in the figure's own coordinates, exactly where the mouse was; None where there is none."""
    return (float(event["x"]), float(event["y"])) if event and "x" in event and "y" in event else None


def snapped(event: dict[str, Any] | None) -> tuple[float, float] | None:
    """The place of the point under the click, or of the click itself where there is no point; None where there was no click."""
    point = event["points"][0] if clicked(event) and event and event["points"] else event
    return clicked(point)


def clicked_point(event: dict[str, Any] | None) -> tuple[int, int] | None:
    """Trace and number of the point under the click; None for an empty spot."""
    points = event["points"] if clicked(event) and event else []
    return (int(points[0]["curve_number"]), int(points[0]["point_index"])) if points else None


def lassoed(event: dict[str, Any] | None) -> list[tuple[int, int]]:
    """Trace and number of every point in the box or lasso (`select="lasso"`); empty after a plain click."""
    return [(int(p["curve_number"]), int(p["point_index"])) for p in event["points"]] if event and "x" not in event else []


def region(event: dict[str, Any] | None) -> list[tuple[float, float]] | None:
    """The corners of the box or lasso (`select="lasso"`), also of one that holds no point; None after a plain click."""
    corners = (event or {}).get("region") or []
    return [(float(x), float(y)) for x, y in corners] if len(corners) > 2 and "x" not in (event or {}) else None
