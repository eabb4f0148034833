"""The columns of a table of cells: what kind each is, and which is likely the condition, the cell type, the donor, the dose.

A guess that is wrong in silence costs an analysis, one that is missing costs a click: so names and contents must agree,
and what stays unclear is None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gen_core.inputs.table import Labels, in_order
from gen_core.result import Notice

MAX_LEVELS = 500  # beyond, a column of words is no category to choose from
MAX_WHOLE = 50  # columns of whole numbers with no more values than this are categories (clusters, batches)


@dataclass(frozen=True)
class Column:
    """A column as the page shows it. `levels` and their `counts` of cells (missing labels aside) for categories, else ()."""

    name: str
    kind: Literal["category", "number", "text"]
    levels: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Guess:
    """Which column is which; None where that is not clear."""

    condition_key: str | None = None
    control: str | None = None
    perturbed: str | None = None
    cell_type_key: str | None = None
    replicate_key: str | None = None
    dose_key: str | None = None


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(f"^({words})$")


# Names are compared in lower case with runs of other signs than letters and digits as one "_".
_CONDITION = _pattern(
    "conditions?|cond|stim|stimulus|stimulation|treatments?|treated|treat|perturbations?|perturb|drugs?|drug_name|compounds?|"
    "agent|cytokine|infection|infected|exposure|intervention|challenge|disease|disease_state|disease_status|genotype|"
    "gene_perturbed|target_gene"
)
_PERHAPS_CONDITION = _pattern(
    "groups?|labels?|status|state|sample_type|sample_group|arm|experiment|class|product_name|guide|guide_identity"
)
_CELL_TYPES = [
    _pattern(words)
    for words in (
        "cell_?types?|cell_type_name",
        "cell_?types?_(?!.*(id|color|colors|score|prob|conf|confidence|probability)$).*|.*_cell_?types?(_l?[0-9])?",
        "(cell|seurat|manual|final|predicted|author)?_?(annotations?|annot|cell_?labels?|cell_?class)",
        "cell_identity|cell_ontology_class",
        "bulk_labels|predicted_labels|majority_voting|cell_?subsets?|subclass|cell_?states?|cluster_names?|lineages?",
        "leiden|louvain|seurat_clusters|clusters?|(leiden|louvain|rna_snn)_.*",
    )
]
_BATCHES = "(batch(es)?|batch_?(ids?|names?)|plates?|runs?|lane|pool)"
_REPLICATES = [
    _pattern(words)
    for words in (
        "(donors?|patients?|subjects?|individuals?|participants?|mouse|mice|animals?)(_?(ids?|names?|nr|number))?|ind",
        "(biological_|bio_|biol_)?(replicates?|reps?|biorep)(_?(ids?|nr|number))?",
        "(samples?|sample_?(ids?|names?)|orig_ident|library(_?ids?)?|gem_?group|channel)",
        _BATCHES,
    )
]
_BATCH = _pattern(_BATCHES)
_DOSE = re.compile(r"(^|_)(doses?|dosage|conc|concentrations?|molarity)($|_)")
_NOT_A_CONDITION = re.compile(
    r"(^|_)(phase|sex|gender|age|doublets?|singlets?|multiplets?|is_primary_data|tissue|organism|species|assay|ethnicity|"
    r"chemistry|technology|protocol|suspension_type|development_stage|barcodes?|n_genes|n_counts|colors?|ontology_term_id)($|_)"
)
_CONTROL = _pattern(
    "controls?|ctrls?|ctl|ctr|unstim|unstimulated|non_?stim(ulated)?|vehicle|veh|dmso|pbs|saline|untreated|non_?treated|"
    "no_?treatment|mock|non_?targeting(_control)?|neg(ative)?_?(control|ctrl)|unperturbed|un_?infected|sham|placebo|"
    "scrambled?|safe_targeting"
)
_PERHAPS_CONTROL = _pattern(
    "wt|wild_?type|nt|ntc|baseline|healthy|normal|naive|none|no|resting|rest|pre|before|false|con|0|0_0|day_?0|d0|0h|media|medium"
)


def describe_column(name: str, values: Labels | np.ndarray) -> Column:
    """The kind of a column from its name and values."""
    found = as_labels(name, values)
    if found is None:
        return Column(name, "number")
    levels = len(found.levels)
    if levels > MAX_LEVELS or (levels > 20 and levels > len(found.codes) / 2):
        return Column(name, "text")
    counts = np.bincount(found.codes[found.codes >= 0], minlength=levels)
    return Column(name, "category", found.levels, tuple(int(count) for count in counts))


def as_labels(name: str, values: Labels | np.ndarray) -> Labels | None:
    """The column as labels; None where it is one of numbers: doses, measurements, whole numbers with many values."""
    dose = _is_dose(name)
    if isinstance(values, Labels):
        return None if dose and values.levels and all(_is_number(level) for level in values.levels) else values
    if dose:
        return None
    known = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if len(known) and (known != np.round(known)).any():
        return None
    found = np.unique(known)
    if len(found) > MAX_WHOLE or (len(found) > 20 and len(found) > len(values) / 2):
        return None
    codes = np.full(len(values), -1, dtype=np.int32)
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)
    codes[finite] = np.searchsorted(found, values[finite])
    return Labels(codes, tuple(str(int(value)) for value in found))


def as_series(name: str, values: Labels | np.ndarray) -> np.ndarray:
    """The column as read for use: str with None where missing (object), or float64 with NaN where missing."""
    found = as_labels(name, values)
    if found is not None:
        return found.words()
    if isinstance(values, Labels):
        return np.array([*map(float, values.levels), np.nan])[values.codes]
    return values.astype(np.float64)


def guess(columns: Sequence[Column]) -> Guess:
    """Which column is which, from their names and levels."""
    cell_type = _first(_CELL_TYPES, [c for c in columns if c.kind == "category" and 2 <= len(c.levels) <= 200])
    condition = _condition([c for c in columns if c is not cell_type])
    replicate = _first(
        _REPLICATES, [c for c in columns if c.kind == "category" and len(c.levels) >= 2 and c not in (condition, cell_type)]
    )
    doses = [c for c in columns if _is_dose(c.name) and c.kind == "number"]
    control = _control(condition.levels) if condition else None
    others = [level for level in condition.levels if level != control] if condition and control is not None else []
    return Guess(
        condition_key=condition.name if condition else None,
        control=control,
        perturbed=others[0] if len(others) == 1 else None,
        cell_type_key=cell_type.name if cell_type else None,
        replicate_key=replicate.name if replicate else None,
        dose_key=doses[0].name if len(doses) == 1 else None,
    )


def confounding(obs: pd.DataFrame, condition_key: str, other: str) -> Notice | None:
    """The notice `confounded` where each label of column `other` (a batch, a donor) sees one condition only, else None."""
    pairs = obs[[condition_key, other]].dropna().drop_duplicates()
    if other == condition_key or pairs[condition_key].nunique() < 2 or pairs[other].duplicated().any():
        return None
    per = pairs.groupby(condition_key, observed=True)[other].nunique()
    if per.min() > 1:
        numbers = ", ".join(f"{level}: {n}" for level, n in per.head(4).items())
        text = f"Each label of {other!r} saw one condition only ({numbers}), so their differences are part of the response seen."
    else:
        text = f"The column {other!r} tells the condition entirely: its own effect cannot be told from that of {condition_key!r}."
    return Notice("confounded", text)


def is_batch(name: str) -> bool:
    """Whether a column's name says that it holds technical batches."""
    return bool(_BATCH.match(_norm(name)))


def _condition(columns: Sequence[Column]) -> Column | None:
    """The column with the best evidence, from its name and from a label that looks like a control; None if weak or tied."""
    scored: list[tuple[int, Column]] = []
    for column in columns:
        name = _norm(column.name)
        if (
            column.kind != "category"
            or len(column.levels) < 2
            or _NOT_A_CONDITION.search(name)
            or any(p.match(name) for p in _CELL_TYPES)
        ):
            continue
        score = 3 if _CONDITION.match(name) else 1 if _PERHAPS_CONDITION.match(name) else 0
        score -= 1 if any(p.match(name) for p in _REPLICATES) else 0
        score += max((_control_rank(level) for level in column.levels), default=0)
        if score >= 3 or (score == 2 and any(p.match(name) for p in _REPLICATES)):
            scored.append((score, column))
    best = [column for score, column in scored if score == max(score for score, _ in scored)]
    if len(best) > 1 and len({(column.counts, len(column.levels)) for column in best}) > 1:
        return None  # two different columns are as likely; the same split under two names is no matter
    return best[0] if best else None


def _control(levels: Sequence[str]) -> str | None:
    ranks = {level: _control_rank(level) for level in levels}
    best = [level for level, rank in ranks.items() if rank and rank == max(ranks.values())]
    return best[0] if len(best) == 1 else None


def _control_rank(level: str) -> int:
    """3: the word for a control; 2: it begins or ends with one (DMSO_24h, IMMUNE_CTRL); 1: perhaps (wt, 0); else 0."""
    word = _norm(level)
    if _CONTROL.match(word):
        return 3
    parts = word.split("_")
    if len(parts) > 1 and (_CONTROL.match(parts[0]) or _CONTROL.match(parts[-1])):
        return 2
    return 1 if _PERHAPS_CONTROL.match(word) else 0


def _first(patterns: Sequence[re.Pattern[str]], columns: Sequence[Column]) -> Column | None:
    return next((column for pattern in patterns for column in columns if pattern.match(_norm(column.name))), None)


def _is_dose(name: str) -> bool:
    return bool(_DOSE.search(_norm(name)))


def _norm(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def _is_number(text: str) -> bool:
    try:
        return np.isfinite(float(text))
    except ValueError:
        return False


__all__ = ["Column", "Guess", "as_labels", "as_series", "confounding", "describe_column", "guess", "in_order", "is_batch"]
