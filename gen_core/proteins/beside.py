"""Chosen samples beside the known sequence nearest to each, residue by residue, differences marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from gen_core import palette
from gen_core.proteins import identity
from gen_core.proteins.alphabet import GAP, LETTERS

if TYPE_CHECKING:
    from gen_core.proteins.sample import Drawn
    from gen_core.proteins.score import Scored

Array = np.ndarray
WIDTH = 100  # columns of a line; longer ones are wrapped
LINE = 19  # pixels of one
SAME, NEW, KNOWN, LOCKED = range(4)


@dataclass(frozen=True, eq=False)
class Beside:
    """A sample's codes (L,) beside those of the nearest known sequence; identity between 0 and 1."""

    name: str
    codes: Array
    nearest: str
    known: Array
    identity: float

    @property
    def changed(self) -> int:
        """Columns in which they differ."""
        return int((self.codes != self.known).sum())


def beside(made: Drawn | Scored, rows: Sequence[int]) -> list[Beside]:
    """The samples or given sequences of these rows, each with the known sequence nearest to it."""
    from gen_core.proteins.files import name_of
    from gen_core.proteins.score import Scored

    codes = made.codes[list(rows)]
    if not len(codes) or not len(made.known.codes):
        return []
    share, which = identity.nearest(codes, made.known.codes)
    names = made.known.names
    called = [str(made.names[row]) if isinstance(made, Scored) else name_of(int(row)) for row in rows]
    return [
        Beside(name, own, str(names[i]) if len(names) else f"known sequence {i + 1}", made.known.codes[i], float(same))
        for name, own, i, same in zip(called, codes, which.tolist(), share, strict=True)
    ]


def alignment(pairs: Sequence[Beside], locked: Array | Sequence[int], dark: bool = False) -> go.Figure:
    """The pairs as lines of an alignment: what is new orange, what it stands for blue, locked columns (m,) in a band."""
    lines, marks, names = [], [], []
    for pair in pairs:
        seen = np.flatnonzero((pair.codes != GAP) | (pair.known != GAP))
        for start in range(0, len(seen), WIDTH):
            part = seen[start : start + WIDTH]
            differs = pair.codes[part] != pair.known[part]
            for codes, role, name in (
                (pair.codes, NEW, f"<b>{palette.label(pair.name, 22)}</b>"),
                (pair.known, KNOWN, f"{palette.label(pair.nearest, 22)} {100 * pair.identity:.0f} %"),
            ):
                look = np.where(differs, role, SAME)
                marks.append(np.where(np.isin(part, locked) & (look == SAME), LOCKED, look))
                lines.append([LETTERS[code] for code in codes[part]])
                names.append(name)
            lines.append([])
            marks.append(np.zeros(0, int))
            names.append("")
    wide = max((len(line) for line in lines), default=1)
    text = [[*line, *[""] * (wide - len(line))] for line in lines[:-1]]
    values = np.full((len(text), wide), np.nan, np.float32)
    for row, line in zip(values, marks, strict=False):
        row[: len(line)] = line
    clear = "rgba(0,0,0,0)"
    colours = [clear, palette.band("predicted", dark), palette.band("observed", dark), palette.band("accent", dark)]
    scale = [[edge, colour] for i, colour in enumerate(colours) for edge in (i / 4, (i + 1) / 4)]
    figure = go.Figure()
    figure.add_heatmap(
        z=values,
        text=text,
        texttemplate="%{text}",
        textfont={"family": "monospace", "size": 12, "color": palette.role("text", dark)},
        colorscale=scale,
        zmin=-0.5,
        zmax=3.5,
        showscale=False,
        hoverinfo="skip",
        xgap=0.5,
    )
    height = LINE * max(len(text), 2) + 20
    figure.update_layout(palette.layout(dark, height, margin={"l": 150, "r": 8, "t": 8, "b": 8}, uirevision="beside"))
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(range(len(text))),
        ticktext=names[: len(text)],
        showgrid=False,
        showline=False,
        ticks="",
        fixedrange=True,
    )
    return figure
