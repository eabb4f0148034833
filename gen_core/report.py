"""A report of results: one HTML page that needs no network, prints well, and says under every figure which recipe made it."""

from __future__ import annotations

import html
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from gen_core import compare, scores
from gen_core.recipe import Recipe, spell
from gen_core.stamp.text import html_meta

HEIGHT = 420  # pixels of a figure without a height of its own
ASPECT = 1.5  # its width over its height

_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 "Source Sans 3", "Source Sans Pro", "Helvetica Neue", Arial, sans-serif; color: #1d262b;
       background: #fbfaf7; max-width: 62rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.8rem; margin: 0 0 .25rem; } h2 { font-size: 1.3rem; margin: 0; } h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p.small, figcaption, td.muted { color: #5e6a72; font-size: .87rem; }
section { border-top: 1px solid #d8d3c8; padding-top: 1.2rem; margin-top: 2rem; }
figure { margin: 1rem 0; }
table { border-collapse: collapse; font-size: .87rem; margin: .3rem 0 1rem; } .wide { overflow-x: auto; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #e4e0d7; vertical-align: top;
         overflow-wrap: anywhere; }
th, tr.differs td { font-weight: 600; } td.number { font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.differs td:first-child::after { content: " ≠"; color: #b35806; }
ul.warnings { padding-left: 1.1rem; color: #a51d22; }
code { font: .83rem/1.4 "Source Code Pro", Consolas, monospace; overflow-wrap: anywhere; }
@media print {
  body { max-width: none; margin: 0; background: white; font-size: 10.5pt; }
  section { break-before: page; border: 0; } section:first-of-type { break-before: auto; }
  figure, table { break-inside: avoid; } .modebar { display: none !important; }
}
"""
# The width of the paper is known only while it is printed: the figures are drawn anew for it.
_SCRIPT = """
const figures = JSON.parse(document.getElementById("figures").textContent);
const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["sendChartToCloud"] };
for (const [id, figure] of Object.entries(figures)) {
  const layout = { ...figure.layout, autosize: true };
  delete layout.width;
  Plotly.newPlot(id, figure.data, layout, config);
}
const fit = () => Object.keys(figures).forEach((id) => Plotly.Plots.resize(document.getElementById(id)));
window.addEventListener("beforeprint", fit);
window.addEventListener("afterprint", fit);
"""


@dataclass(frozen=True)
class Entry:
    """One result of a report. `picture` is a Plotly figure as JSON; `folder` is where its files lie beside the report."""

    title: str
    recipe: Recipe | None
    when: str = ""
    picture: str | None = None
    metrics: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    folder: str = ""
    files: Sequence[str] = ()


def page(entries: Sequence[Entry], title: str = "Results of Latent Sandbox") -> str:
    """The report as HTML. A page of one result carries its recipe, as every exported file does."""
    from plotly.offline import get_plotlyjs

    figures = {f"figure{i}": found for i, entry in enumerate(entries) if (found := _figure(entry.picture)) is not None}
    known = [entry.recipe for entry in entries if entry.recipe is not None]
    meta = html_meta(known[0]) if len(entries) == len(known) == 1 else ""
    body = [f"<h1>{_text(title)}</h1>", _contents(entries)]
    if len(known) > 1:
        body.append(_differences(entries))
    body += [_section(i, entry, figures.get(f"figure{i}")) for i, entry in enumerate(entries)]
    code = json.dumps(figures, allow_nan=False).replace("<", "\\u003c")
    drawn = f"<script>{get_plotlyjs()}</script><script>{_SCRIPT}</script>" if figures else ""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">{meta}<title>{_text(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n<body>\n'
        + "\n".join(body)
        + f'\n<script type="application/json" id="figures">{code}</script>{drawn}\n</body></html>\n'
    )


def _contents(entries: Sequence[Entry]) -> str:
    count = f"{len(entries)} results" if len(entries) != 1 else "One result"
    told = (
        f'<p class="small">{count}. Everything on this page is inside this one file; it opens without a network and prints.</p>'
    )
    if len(entries) < 2:
        return told
    return told + "<ol>" + "".join(f'<li><a href="#r{i}">{_text(e.title)}</a></li>' for i, e in enumerate(entries)) + "</ol>"


def _differences(entries: Sequence[Entry]) -> str:
    """What differs among the recipes, and the numbers that all have."""
    known = [(i, entry) for i, entry in enumerate(entries) if entry.recipe is not None]
    head = ["", *(f"{i + 1}. {entry.title}" for i, entry in known)]
    asked = [row for row in compare.recipes([entry.recipe for _, entry in known if entry.recipe]) if row.differs]
    found = [r for r in compare.numbers([entry.metrics for _, entry in known]) if all(v is not None for v in r.values)]
    out = ["<section><h2>Side by side</h2>"]
    rows = [[row.name, *(_value(v) for v in row.values)] for row in asked]
    out.append(
        "<h3>What was asked differently</h3>" + (_table(head, rows) if rows else "<p>Nothing: the recipes are the same.</p>")
    )
    if found:
        rows = [[row.name, *map(str, row.values)] for row in found[: scores.FIRST]]
        out.append("<h3>Numbers that all have</h3>" + _table(head, rows, [row.differs for row in found], numbers=True))
        out.append(_more(found))
    return "".join(out) + "</section>"


def _section(i: int, entry: Entry, drawn: dict[str, Any] | None) -> str:
    out = [f'<section id="r{i}"><h2>{i + 1}. {_text(entry.title)}</h2>']
    if entry.when:
        out.append(f'<p class="small">{_text(entry.when)}</p>')
    if drawn is not None:
        out.append(f'<figure><div id="figure{i}" style="{_size(drawn)}"></div><figcaption>{_named(entry)}</figcaption></figure>')
    else:
        out.append(f'<p class="small">No picture was kept. {_named(entry)}</p>')
    if entry.warnings:
        out.append('<ul class="warnings">' + "".join(f"<li>{_text(text)}</li>" for text in entry.warnings) + "</ul>")
    names = scores.names([entry.metrics])
    if names:
        shown = names[: scores.FIRST]
        others = {name: one for name, one in entry.baselines.items() if any(scores.text(n, one) for n in shown)}
        rows = [[scores.title(n), *(scores.text(n, one) or "–" for one in (entry.metrics, *others.values()))] for n in shown]
        head = ["", "This result", *(name.replace("_", " ") for name in others)]
        out.append("<h3>Numbers, beside the baselines</h3>" + _table(head, rows, numbers=True) + _more(names))
    if entry.recipe is not None:
        rows = [[name, _value(value)] for name, value in compare.flat(entry.recipe.fields()).items()]
        out.append("<h3>Recipe</h3>" + _table(["Field", "Value"], rows))
    if entry.files:
        out.append(f'<p class="small">Its files, in the folder <code>{_text(entry.folder)}</code>: ')
        out.append(", ".join(f"<code>{_text(name)}</code>" for name in entry.files) + ".</p>")
    return "".join(out) + "</section>"


def _more(found: Sequence[object]) -> str:
    """A line below a table that does not show all."""
    return f'<p class="small">{_text(scores.more(found))}</p>' if scores.more(found) else ""


def _named(entry: Entry) -> str:
    """The recipe that made a figure, and the command that makes it again."""
    if entry.recipe is None:
        return "Its recipe cannot be read here."
    again = f"python -m gen_core run {entry.recipe.operation} --recipe {entry.folder or '.'}/recipe.json --out again"
    told = f"Recipe {entry.recipe.operation}, seed {entry.recipe.seed}, sha256 {entry.recipe.sha256[:16]}…"
    return f"{_text(told)} Made again by <code>{_text(again)}</code>"


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], differs: Sequence[bool] | None = None, numbers: bool = False
) -> str:
    cells = "".join(f"<th>{_text(name)}</th>" for name in head)
    kind = ' class="number"' if numbers else ""
    lines = []
    for i, row in enumerate(rows):
        mark = ' class="differs"' if differs is not None and differs[i] else ""
        lines.append(f"<tr{mark}><td>{_text(row[0])}</td>" + "".join(f"<td{kind}>{_text(v)}</td>" for v in row[1:]) + "</tr>")
    return f'<div class="wide"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _figure(picture: str | None) -> dict[str, Any] | None:
    if picture is None:
        return None
    try:
        found = json.loads(picture, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        return None
    layout = found.get("layout")
    return {"data": found["data"], "layout": layout if isinstance(layout, dict) else {}}


def _size(drawn: Mapping[str, Any]) -> str:
    """A figure's own height, and so much width that it is not flat: more where it holds several panels or a row of pictures."""
    layout = drawn["layout"]
    height = layout.get("height")
    high = min(max(height, 120), 2000) if _is_number(height) else HEIGHT
    if isinstance(meta := layout.get("meta"), dict) and meta.get("tiles"):
        return f"height: {high:.0f}px"
    columns = {
        str(axis.get("domain")) for name, axis in layout.items() if re.fullmatch(r"xaxis\d*", name) and isinstance(axis, dict)
    }
    return f"height: {high:.0f}px; max-width: {ASPECT * high * max(1, len(columns)):.0f}px"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _value(value: Any) -> str:
    text = "–" if value is None else spell(value) if not isinstance(value, str) else value
    return text if len(text) <= 300 else text[:299] + "…"


def _text(text: str) -> str:
    return html.escape(str(text))
