"""Assay labels of a recipe in the columns of its model: matched, replicates averaged, functional or not where that is said."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from gen_core.datasets import path_of
from gen_core.errors import InputError, RecipeError
from gen_core.inputs.labels import LabelFile, read_labels
from gen_core.inputs.sequences import read_sequences
from gen_core.proteins.alphabet import GAP, LETTERS, Q, decode, encode_text, ungapped
from gen_core.proteins.family import open_family, place_row, placed
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.recipe import _Labelled

Array = np.ndarray
LEAST = 20  # labelled sequences from which there is something to learn
LEAST_OF_EACH = 5  # functional ones, and not functional ones
MOST = 2_000  # sequences that are learned from: a few hundred are the rule, and time grows with the square
ALIKE = 0.6  # identity from which two sequences come into one cluster: what is drawn is about as far from the naturals
_MUTATION = re.compile(r"([A-Z])(-?\d{1,6})([A-Z*-])")
_WILD_TYPE = ("", "WT", "_WT", "WILDTYPE", "WILD-TYPE")


@dataclass(frozen=True, eq=False)
class Labelled:
    """codes (n, L) of unlike sequences with their mean values (n,) over `replicates` (n,); `functional` (n,) bool is None where
    the values are continuous and no threshold was given; `clusters` (n,) are groups by identity. `changes` (n, L) bool are the
    columns in which they differ from the one reference that they are mutants of, None where they are of none."""

    codes: Array
    values: Array
    replicates: Array
    functional: Array | None
    kind: Literal["continuous", "binary"]
    clusters: Array
    notices: tuple[Notice, ...]
    changes: Array | None = None

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, some: Array) -> Labelled:
        """Some of them."""
        functional = None if self.functional is None else self.functional[some]
        return replace(
            self,
            codes=self.codes[some],
            values=self.values[some],
            replicates=self.replicates[some],
            functional=functional,
            clusters=self.clusters[some],
            changes=None if self.changes is None else self.changes[some],
        )


def open_labels(recipe: _Labelled, model: FamilyModel, source: str, beside: tuple[Array, Array] | None = None) -> Labelled:
    """The labels of a recipe. Ids are looked up among the family `source`, and before it `beside`: names (m,), codes (m, L).

    Raises InputError where they match nothing, say nothing, or a row is wrong, RecipeError where mutations have no reference.
    """
    assert recipe.labels is not None
    file = read_labels(path_of(recipe.labels, "labels"), recipe.label_column)
    notices = []
    if file.missing:
        notices.append(Notice("labels_missing", f"{file.missing:,} rows of the labels have no value and are left out."))
    if file.kind == "sequence":
        codes = _by_sequence(file, model)
    elif file.kind == "mutations":
        codes = _by_mutations(file, model, recipe)
    else:
        codes = _by_id(file, model, source, beside)
    matched = (codes != GAP).any(1)
    if strangers := int((~matched).sum()):
        notices.append(
            Notice("labels_unmatched", f"{strangers:,} of {len(matched):,} labels are of no sequence of this family; left out.")
        )
    found = _summed(codes[matched], file.values[matched], recipe, notices)
    if recipe.reference is None or len(np.unique(found.clusters)) > 1:
        return found
    own, _ = place_row(model.profile, model.columns, model.width, recipe.reference, "reference")
    return replace(found, changes=found.codes != own)


def _by_sequence(file: LabelFile, model: FamilyModel) -> Array:
    """Codes (n, L); only gaps where a sequence is not like the family."""
    for row, key in zip(file.rows, file.keys, strict=True):
        if not re.fullmatch(r"[A-Za-z.*-]+", key):
            raise InputError(f"labels: row {row:,}: {key[:30]!r} is no protein sequence in one-letter code.")
    if all(len(key) == model.width for key in file.keys) and any("-" in key for key in file.keys):
        codes = np.stack([encode_text(key.upper()) for key in file.keys])[:, model.columns]
    else:
        rows = [re.sub("[BJOUXZ]", "X", key.upper().replace("-", "").replace(".", "").rstrip("*")) for key in file.keys]
        if bad := next((row for row, key in zip(file.rows, rows, strict=True) if not key or "*" in key), None):
            raise InputError(f"labels: row {bad:,}: the sequence is empty or has a stop inside it.")
        codes = model.profile.place([row.encode() for row in rows])
    residues = ungapped(decode(codes))
    alike = model.profile.bits([row.encode() or b"X" for row in residues]) > 0
    if not alike.any():
        raise InputError(f"labels: none of these {len(codes):,} sequences is like the family; are they of another one?")
    codes[~alike] = GAP
    return codes


def _by_id(file: LabelFile, model: FamilyModel, source: str, beside: tuple[Array, Array] | None) -> Array:
    family = open_family(source)
    if family.width == model.width and np.array_equal(family.columns, model.columns):
        names, codes = family.names, family.codes
    else:
        found = read_sequences(path_of(source, "family"))
        names, codes = found.names, placed(model.profile, model.columns, model.width, found)
    where = {str(name): row for name, row in zip(names, codes, strict=True)}
    if beside is not None:
        where |= {str(name): row for name, row in zip(*beside, strict=True)}
    nothing = np.full(len(model.columns), GAP, np.uint8)
    made = [where.get(key, where.get(key.split(" ")[0] or key, nothing)) for key in file.keys]
    if all(row is nothing for row in made):
        raise InputError(
            f"labels: none of these {len(made):,} ids (the first is {file.keys[0][:40]!r}) is the name of a sequence of the "
            f"family (its first is {str(names[0])[:40]!r}); give sequences instead."
        )
    return np.stack(made)


def _by_mutations(file: LabelFile, model: FamilyModel, recipe: _Labelled) -> Array:
    if recipe.reference is None:
        raise RecipeError("labels: these are mutations; give the sequence they change as reference.")
    own, numbers = place_row(model.profile, model.columns, model.width, recipe.reference, "reference")
    whole = sequence_of(recipe.reference)
    column = {int(number) + recipe.reference_offset: i for i, number in enumerate(numbers) if number}
    codes = np.tile(own, (len(file.keys), 1))
    for i, (row, key) in enumerate(zip(file.rows, file.keys, strict=True)):
        if key.upper() in _WILD_TYPE:
            continue
        for word in filter(None, re.split(r"[:;,/+\s]+", key.upper())):
            found = _MUTATION.fullmatch(word)
            if found is None or (found[3] != "-" and found[3] not in LETTERS) or found[1] not in LETTERS:
                raise InputError(f"labels: row {row:,}: {word[:20]!r} is no mutation such as A23V.")
            position = int(found[2])
            place = position - recipe.reference_offset
            if not 1 <= place <= len(whole):
                first, last = 1 + recipe.reference_offset, len(whole) + recipe.reference_offset
                raise InputError(f"labels: row {row:,}: {word}: the reference has residues {first} to {last}.")
            if whole[place - 1] != found[1]:
                raise InputError(
                    f"labels: row {row:,}: {word} says {found[1]} at residue {position}, where the reference has "
                    f"{whole[place - 1]}; check reference_offset."
                )
            if position not in column:
                codes[i] = GAP  # a change where the family has no column cannot be told from the reference
                break
            codes[i, column[position]] = LETTERS.index(found[3])
    if (codes == GAP).all():
        raise InputError("labels: all mutations lie outside of the family's columns.")
    return codes


def sequence_of(reference: str) -> str:
    """The residues of a reference that may be a row of an alignment."""
    return reference.upper().replace("-", "").replace(".", "").rstrip("*")


def _summed(codes: Array, values: Array, recipe: _Labelled, notices: list[Notice]) -> Labelled:
    """Replicates averaged, in the order of the sequences' codes, and what the values are."""
    kind = recipe.label_kind or ("binary" if len(np.unique(values)) <= 2 else "continuous")
    levels = np.unique(values)
    if len(levels) < 2:
        raise InputError(f"labels: all {len(values):,} values are {levels[0]:g}; nothing can be learned from them.")
    threshold = recipe.label_threshold
    if kind == "binary" and threshold is None:
        if len(levels) > 2:
            raise RecipeError(
                f"label_kind: there are {len(levels):,} different values, not two; give label_threshold, the value from which "
                "a sequence is functional."
            )
        threshold = float(levels.mean())
    unlike, which, counts = np.unique(codes, axis=0, return_inverse=True, return_counts=True)
    means = np.bincount(which.ravel(), values) / counts
    if int(counts.max()) > 1:
        notices.append(
            Notice("replicates", f"{len(values):,} labels are of {len(unlike):,} unlike sequences; replicates are averaged.")
        )
    if len(unlike) > MOST:
        some = np.sort(np.random.default_rng(recipe.seed).choice(len(unlike), MOST, replace=False))
        notices.append(Notice("sampled_labels", f"Of {len(unlike):,} labelled sequences a seeded sample of {MOST:,} is used."))
        unlike, means, counts = unlike[some], means[some], counts[some]
    if len(unlike) < LEAST:
        raise InputError(f"labels: {len(unlike)} labelled sequences are of this family; at least {LEAST} are needed.")
    functional = None if threshold is None else means >= threshold
    if functional is not None and min(functional.sum(), (~functional).sum()) < LEAST_OF_EACH:
        raise InputError(
            f"labels: {int(functional.sum()):,} of {len(unlike):,} sequences have a value of {threshold:g} or more; at least "
            f"{LEAST_OF_EACH} are needed on either side of it."
        )
    return Labelled(unlike, means, counts, functional, kind, clusters_of(unlike), tuple(notices))


def clusters_of(codes: Array, identity: float = ALIKE) -> Array:
    """Cluster (n,) of each sequence codes (n, L): linked by pairs of at least this identity, directly or over others."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    one_hot = (codes[:, :, None] == np.arange(Q, dtype=np.uint8)).reshape(len(codes), -1).astype(np.float32)
    same = one_hot @ one_hot.T
    found: Array = connected_components(csr_array(same >= identity * codes.shape[1] - 1e-3), directed=False)[1]
    return found
