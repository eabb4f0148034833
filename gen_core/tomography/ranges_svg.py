"""Error against the range of angles as a drawing (SVG) that suits light and dark paper, without any plotting library.

python -m gen_core.tomography.ranges_svg > assets/pictures/tomography-ranges.svg    # of the bundled models' cards
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from gen_core import palette
from gen_core.tomography import card_plots, methods
from gen_core.tomography.recipe import PRIORS

if TYPE_CHECKING:
    from gen_core.tomography.ranges import Row

WIDE, HIGH, LEFT, TOP, RIGHT, BOTTOM = 460, 300, 48, 34, 146, 44
STEP = 14.0  # between two labels
DASHES = {"solid": "", "dash": "7 4", "dot": "2 3", "longdash": "12 4", "dashdot": "8 3 2 3"}
OF_METHOD = {"fbp": "dot", "sirt": "dash", "tv": "solid", "gaussian": "solid", "latent_map": "dash"}


@dataclass(frozen=True)
class Series:
    """One line: points are (degrees covered, PSNR, low, high), the last two None where no interval is known."""

    label: str
    learned: bool
    dash: str
    points: tuple[tuple[float, float, float | None, float | None], ...]


def series(rows: Sequence[Row]) -> list[Series]:
    """The lines of `tomography.ranges`."""
    names = list(dict.fromkeys(row.method for row in rows))
    points = {name: tuple((row.covered, row.psnr, row.low, row.high) for row in rows if row.method == name) for name in names}
    return [Series(methods.titled(name), name in PRIORS, OF_METHOD.get(name, "longdash"), points[name]) for name in names]


def of_card(row: Mapping[str, Any], label: str, learned: bool, dash: str) -> Series:
    """The line of one row of a model's card."""
    ranges = card_plots.ranges({"metrics": row})
    points = tuple((float(x), row[f"psnr_{x}"], row.get(f"psnr_{x}_low"), row.get(f"psnr_{x}_high")) for x in ranges)
    return Series(label, learned, dash, points)


def bundled() -> str:
    """The bundled priors of 128 pixels beside what learned nothing, each on the slices that its card was scored on."""
    from gen_core import checkpoint
    from gen_core.tomography.modelfile import BUNDLED

    cards = {kind: checkpoint.read_card(checkpoint.find(name)) for kind, name in BUNDLED.items()}
    plain = ("tv", "sirt", "fbp")

    def baselines(card: Mapping[str, Any]) -> list[Series]:
        return [of_card(card["baselines"][name], *_told(name)) for name in plain]

    chest = [of_card(cards["gaussian"]["metrics"], "Gaussian prior", True, "solid"), *baselines(cards["gaussian"])]
    wide = [
        of_card(cards["diffusion"]["metrics"], "Diffusion posterior", True, "solid"),
        of_card(cards["vae"]["metrics"], "Latent MAP", True, "dash"),
        *baselines(cards["diffusion"]),
    ]
    count = cards["gaussian"]["n_test"]
    return drawing([(f"{count} synthetic chests", chest), (f"{count} synthetic chests, bellies, heads", wide)])


def _told(name: str) -> tuple[str, bool, str]:
    title, dash = card_plots.NAMES[name]
    return ("Backprojection" if name == "fbp" else title), False, dash


def drawing(panels: Sequence[tuple[str, Sequence[Series]]]) -> str:
    """Panels (title, lines) side by side on one scale of PSNR: learned methods in the colour of what is predicted, others grey;
    whiskers are the intervals."""
    every = [point for _, lines in panels for line in lines for point in line.points]
    values = [v for point in every for v in point[1:] if v is not None]
    low, high = 5 * (min(values) // 5), 5 * -(-max(values) // 5)
    parts = [_panel(i * WIDE, title, lines, low, max(high, low + 5)) for i, (title, lines) in enumerate(panels)]
    wide = WIDE * len(panels)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {HIGH}" width="{wide}" height="{HIGH}" role="img">'
    told = "<title>PSNR against the range of angles that is covered; higher is better</title>"
    return "\n".join([head, told, _style(), f'<rect class="paper" width="{wide}" height="{HIGH}"/>', *parts, "</svg>", ""])


def _panel(x0: float, title: str, lines: Sequence[Series], low: float, high: float) -> str:
    ranges = sorted({point[0] for line in lines for point in line.points}, reverse=True)
    first, last = ranges[0], ranges[-1]
    inner, tall = WIDE - LEFT - RIGHT, HIGH - TOP - BOTTOM

    def across(covered: float, shift: float = 0.0) -> float:
        return x0 + LEFT + 12 + (inner - 24) * ((first - covered) / (first - last) if first > last else 0.5) + shift

    def up(value: float) -> float:
        return TOP + tall * (high - value) / (high - low)

    out = [f'<text class="title" x="{x0 + LEFT}" y="20">{escape(title)}</text>'] if title else []
    for k in range(int((high - low) / 5) + 1):
        value = low + 5 * k
        out.append(f'<path class="grid" d="M{x0 + LEFT} {up(value):.1f}h{inner}"/>')
        out.append(f'<text x="{x0 + LEFT - 7}" y="{up(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for covered in ranges:
        out.append(f'<text x="{across(covered):.1f}" y="{HIGH - BOTTOM + 18}" text-anchor="middle">{covered:g}°</text>')
    out.append(f'<text x="{x0 + LEFT + inner / 2:.1f}" y="{HIGH - 8}" text-anchor="middle">Angles covered</text>')
    middle = TOP + tall / 2
    out.append(f'<text transform="translate({x0 + 12} {middle:.1f}) rotate(-90)" text-anchor="middle">PSNR (dB)</text>')
    ends = []
    for i, line in enumerate(lines):
        shift = 3.0 * (i - (len(lines) - 1) / 2)  # whiskers of several methods do not cover each other
        kind = "learned" if line.learned else "plain"
        dash = f' stroke-dasharray="{DASHES[line.dash]}"' if DASHES[line.dash] else ""
        places = [(across(x, shift), up(y)) for x, y, _, _ in line.points]
        out.append(f'<path class="{kind}"{dash} d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in places) + '"/>')
        for covered, value, below, above in line.points:
            x = across(covered, shift)
            if below is not None and above is not None:
                out.append(f'<path class="{kind} thin" d="M{x:.1f} {up(above):.1f}V{up(below):.1f}"/>')
            out.append(f'<circle class="{kind} dot" cx="{x:.1f}" cy="{up(value):.1f}" r="3"/>')
        ends.append((places[-1][1], kind, line.label))
    out += _labels(x0 + WIDE - RIGHT + 10, sorted(ends))
    return "\n".join(out)


def _labels(x: float, ends: Sequence[tuple[float, str, str]]) -> list[str]:
    """Names at the ends of the lines, pushed apart where they would cover each other."""
    places = [y for y, _, _ in ends]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + STEP)
    over = max(0.0, places[-1] - (HIGH - BOTTOM)) if places else 0.0
    for i in reversed(range(len(places))):
        places[i] = min(places[i] - (over if i == len(places) - 1 else 0), places[i + 1] - STEP if i + 1 < len(places) else 1e9)
    return [
        f'<text class="{kind} name" x="{x:.1f}" y="{y + 4:.1f}">{escape(label)}</text>'
        for y, (_, kind, label) in zip(places, ends, strict=True)
    ]


def _style() -> str:
    def colours(dark: bool) -> str:
        ink = {name: palette.role(name, dark) for name in ("predicted", "control", "text", "muted", "grid", "paper")}
        return (
            f".paper{{fill:{ink['paper']}}}text{{fill:{ink['muted']}}}.title{{fill:{ink['text']}}}.grid{{stroke:{ink['grid']}}}"
            f".learned{{stroke:{ink['predicted']}}}.plain{{stroke:{ink['control']}}}"
            f".learned.dot,.learned.name{{fill:{ink['predicted']}}}.plain.dot{{fill:{ink['control']}}}.plain.name{{fill:{ink['muted']}}}"
        )

    common = (
        f"text{{font:12px {palette.FONT.replace(chr(34), chr(39))}}}.title{{font-size:14px;font-weight:600}}"
        "text.name{stroke:none}path{fill:none;stroke-width:2}.thin,.grid{stroke-width:1}"
    )
    return f"<style>{common}{colours(False)}@media(prefers-color-scheme:dark){{{colours(True)}}}</style>"


if __name__ == "__main__":
    import sys

    sys.stdout.write(bundled())
