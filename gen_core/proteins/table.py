"""Samples and scored sequences as tables for reading: one row each, titles with units, in an order that can be changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gen_core.proteins.enrichment import enrichment
from gen_core.proteins.files import name_of
from gen_core.proteins.plots import step_title

if TYPE_CHECKING:
    from gen_core.proteins.decode import Decoded
    from gen_core.proteins.filters_recipe import Filters
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.mutate import Mutated
    from gen_core.proteins.order import Ordered
    from gen_core.proteins.sample import Drawn
    from gen_core.proteins.score import Scored
    from gen_core.proteins.viability import Viability

Array = np.ndarray
TITLES = {
    "viability": "Viability",
    "nearest_identity": "Identity (%)",
    "profile_bits": "Profile (bits)",
    "coupling_energy": "Energy",
    "length": "Length",
    "longest_run": "Longest run",
    "complexity": "Complexity (bits)",
    "motifs": "Motifs",
    "charge": "Charge",
    "pi": "pI",
    "gravy": "GRAVY",
    "weight": "Weight (Da)",
}
FIRST = ("viability", "nearest_identity", "profile_bits", "coupling_energy", "length")  # what stands before the sequence
DIGITS = {"profile_bits": 1, "coupling_energy": 1, "complexity": 2, "weight": 0}


def samples(made: Drawn, everything: bool = False) -> pd.DataFrame:
    """The kept samples (all with `everything`), the lowest coupling energy first; the index is their place in the draw."""
    rows = np.arange(len(made.codes)) if everything else np.flatnonzero(made.kept)
    order = rows[np.argsort(made.values["coupling_energy"][rows], kind="stable")]
    columns: dict[str, object] = {"Name": [name_of(int(i)) for i in order]}
    if everything:
        columns["Stopped by"] = [_stopped(made, int(i)) for i in order]
    if made.recipe.path is not None:
        columns["Step"] = made.draw.steps[order]
    shown = {name: _column(made.values[name][order], name) for name in titles(made.values)}
    columns |= {TITLES[name]: shown.pop(name) for name in FIRST if name in shown}
    columns["Sequence"] = [made.rows[i].replace("-", "") for i in order]
    columns |= {title: shown[name] for name, title in titles(made.values).items() if name in shown}
    return pd.DataFrame(columns, index=order)


def scored(made: Scored) -> pd.DataFrame:
    """The given sequences in the file's order."""
    columns: dict[str, object] = {"Name": [str(name) for name in made.names]}
    failed = [[step_title(v.name) for v in made.verdicts if not v.passed[i]] for i in range(len(made.names))]
    columns["Stopped by"] = [", ".join(names) for names in failed]
    columns["Log likelihood (nats)"] = np.round(made.log_likelihood, 1)
    columns |= {title: _column(made.values[name], name) for name, title in titles(made.values).items()}
    return pd.DataFrame(columns)


def points(made: Decoded) -> pd.DataFrame:
    """The likeliest sequence at each latent point, and how unlike any natural that point is."""
    entropy = made.sites.groupby("point")["entropy"].mean().to_numpy()
    return pd.DataFrame(
        {
            "Point": np.arange(1, len(made.z) + 1),
            "Unlike the naturals (%)": np.round(made.percentile, 0),
            "Freedom (bits per site)": np.round(entropy, 2),
            "Sequence": [row.replace("-", "") for row in made.rows],
        }
    )


def worths(made: Viability, model: FamilyModel, asked: Filters) -> pd.DataFrame:
    """What each filter is worth on the labelled sequences, the most telling first; intervals are 90 %."""
    found = enrichment(made, model, asked).sort_values("ratio", ascending=False, kind="stable")
    return pd.DataFrame(
        {
            "Filter": [step_title(name) for name in found["filter"]],
            "On": found.on,
            "Pass": found.passed_n,
            "Functional of these (%)": _shares(found, "passed"),
            "Fail": found.failed_n,
            "Functional of those (%)": _shares(found, "failed"),
            "Ratio": np.round(found.ratio, 1),
        }
    )


def _shares(found: pd.DataFrame, word: str) -> list[str]:
    """Percentages with their intervals; a dash where nobody is."""
    columns = zip(found[f"{word}_n"], found[f"{word}_share"], found[f"{word}_low"], found[f"{word}_high"], strict=True)
    return [f"{100 * share:.0f} ({100 * low:.0f} to {100 * high:.0f})" if n else "–" for n, share, low, high in columns]


def plate(made: Ordered) -> pd.DataFrame:
    """The wells of a plate in their order."""
    rows = made.table
    score = "viability" if "viability" in rows else "profile_bits"
    return pd.DataFrame(
        {
            "Well": rows.well,
            "Name": rows["name"],
            TITLES[score]: np.round(rows[score].astype(float), DIGITS.get(score, 2)),
            "Bases": rows.bases,
            "GC (%)": np.round(100 * rows.gc.astype(float), 1),
            "Protein": rows.sequence,
            "DNA": rows.dna,
        }
    )


def plate_words(made: Ordered) -> str:
    """A plate in one line: wells, what stands in them, bases and GC from the least to the most."""
    rows, gc = made.table, 100 * made.table.gc.astype(float)
    few, many = int(rows.bases.min()), int(rows.bases.max())
    each = f"{few:,}" if few == many else f"{few:,} to {many:,}"
    wells = "1 well" if len(rows) == 1 else f"{len(rows)} wells"
    total = int(rows.bases.sum())
    return f"{wells}, {rows.construct.iloc[0]}: {each} bases each, {total:,} in all, {gc.min():.0f} to {gc.max():.0f} % GC"


CHANGES = {  # columns of single changes: title, factor, digits
    "log_likelihood_change": ("Log likelihood (nats)", 1, 2),
    "coupling_energy_change": ("Energy", 1, 2),
    "profile_bits_change": ("Profile (bits)", 1, 2),
    "viability_change": ("Viability", 1, 3),
    "assay": ("Assay", 1, 3),
    "frequency": ("At the site (%)", 100, 1),
}


def changes(made: Mutated, by: str) -> tuple[pd.DataFrame, list[tuple[int, str]]]:
    """The single changes, the best by a measure first, and the position and residue of each; not those of a methionine that the
    reference begins with."""
    from gen_core.proteins.mutate import MEASURES

    rows = made.table[made.table.residue != made.table.wild_type]
    if begins(made):
        rows = rows[rows.position != 1 + made.recipe.reference_offset]
    order = np.argsort(-MEASURES.get(by, 1) * rows[by].to_numpy(), kind="stable")  # what has no value comes last
    rows = rows.iloc[order]
    columns: dict[str, object] = {"Change": rows.wild_type + rows.position.astype(str) + rows.residue}
    for name, (title, factor, digits) in CHANGES.items():
        if name in rows and rows[name].notna().any():
            columns[title] = np.round(factor * rows[name].to_numpy(), digits)
    return pd.DataFrame(columns).reset_index(drop=True), list(zip(rows.position.tolist(), rows.residue, strict=True))


def begins(made: Mutated) -> bool:
    """Whether the reference begins with a methionine that stands in a column."""
    first = made.table.iloc[0]
    return bool(first.wild_type == "M" and first.position == 1 + made.recipe.reference_offset)


@dataclass(frozen=True, eq=False)
class Change:
    """One single change for reading: its name (A23V), the reference's own residue, its values beside where they stand among all
    changes, and what stands at its site in the family."""

    name: str
    own: str
    values: pd.DataFrame
    site: str


def change(made: Mutated, position: int, residue: str) -> Change:
    """What one change of a reference does."""
    from gen_core.proteins.mutate import MEASURES

    rows = made.table
    site = rows[rows.position == position]
    line = site[site.residue == residue].iloc[0]
    others = rows[rows.residue != rows.wild_type]
    lines = []
    for name, (title, factor, digits) in CHANGES.items():
        if name not in rows or not np.isfinite(line[name]):
            continue
        sign = MEASURES.get(name, 1)
        known = others[name].dropna()
        above = 100 * float((sign * known < sign * line[name]).mean())
        signed = "+" if name.endswith("change") else ""
        told = f"{factor * line[name]:{signed}.{digits}f}".replace("-", "−")
        lines.append((title, told, "" if line.wild_type == residue else f"{above:.0f} % of all"))
    frame = pd.DataFrame(lines, columns=["Value", "This change", "Better than"])
    common = site.sort_values("frequency", ascending=False, kind="stable").head(5)
    told = ", ".join(f"{r} {100 * f:.0f} %" for r, f in zip(common.residue, common.frequency, strict=True))
    return Change(f"{line.wild_type}{position}{residue}", str(line.wild_type), frame, told)


WAYS = {
    "viability": "Viability",
    "viability_spread": "Viability, none too alike",
    "profile": "Profile score",
    "independent_sites": "Independent sites",
    "random": "Blindly",
}


def hits(made: Viability) -> pd.DataFrame:
    """How many of a plate would have been functional, by the way of choosing; intervals are 90 % of the repeats."""
    found = made.backtest
    columns = zip(found.per_96, found.per_96_low, found.per_96_high, strict=True)
    return pd.DataFrame(
        {
            "Chosen by": [WAYS[name] for name in found.chosen_by],
            "Chosen": found.k,
            "Functional": np.round(found.hits, 1),
            "Functional per 96": [f"{mean:.0f} ({low:.0f} to {high:.0f})" for mean, low, high in columns],
        }
    )


def titles(values: object) -> dict[str, str]:
    """The title of each value that is there, known ones first; one that is new is called by its own name."""
    names = [name for name in TITLES if name in values] + [name for name in values if name not in TITLES]  # type: ignore[operator,attr-defined]
    return {name: TITLES.get(name, name.replace("_", " ").capitalize()) for name in names}


def _column(values: Array, name: str) -> Array:
    if name == "nearest_identity":
        return np.round(100 * values, 1)
    return values if values.dtype.kind in "iub" else np.round(values, DIGITS.get(name, 2))


def _stopped(made: Drawn, i: int) -> str:
    """The filters that a sample does not pass."""
    return ", ".join(step_title(verdict.name) for verdict in made.verdicts if not verdict.passed[i])
