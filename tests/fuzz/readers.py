"""Every way in which the app opens a file of a user's, and what is to be true of whatever comes out."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gen_core.errors import UserError


class Reader(NamedTuple):
    """`read` opens a file as a page does; `finite` where it promises that no number in its result is NaN or endless."""

    read: Callable[[Path], object]
    finite: bool = False


def kind(path: Path) -> object:
    from gen_core.inputs import sniff

    return sniff(path)


def picture(path: Path) -> object:
    from gen_core.inputs.images import read_picture

    return read_picture(path, 64)


def pictures(path: Path) -> object:
    from gen_core.inputs.images import read_pictures

    return read_pictures(path, 16), read_pictures(path, 16, tiles=True)


def cells(path: Path) -> object:
    from gen_core.cells import data

    told = data.describe(path)
    categories = [column.name for column in told.columns if column.kind == "category"][:2]
    return told, data.read_cells(path, categories)


def gene_sets(path: Path) -> object:
    from gen_core.cells.genesets import read_gmt

    return read_gmt(path)


def sequences(path: Path) -> object:
    from gen_core.inputs.sequences import read_sequences

    return read_sequences(path)


def labels(path: Path) -> object:
    from gen_core.inputs.labels import read_labels, value_columns

    found, usual = value_columns(path)
    return found, read_labels(path, usual if usual or not found else found[-1])


def structure(path: Path) -> object:
    from gen_core.inputs.structures import read_structure

    return read_structure(path)


def volume(path: Path) -> object:
    from gen_core.inputs.square import center_square
    from gen_core.inputs.volumes import read_volume

    found = read_volume(path)
    return found, center_square(found, len(found) // 2, 64)


def stacks(path: Path) -> object:
    from gen_core.inputs.stacks import read_stacks

    return read_stacks(path)


def sinogram(path: Path) -> object:
    """As its file says, else as a user says who knows the angles."""
    from gen_core.inputs.sinograms import Scan, read_sinogram

    try:
        return read_sinogram(path)
    except UserError:
        return read_sinogram(path, Scan(angles=[7.5 * i for i in range(24)]))


def snapshots(path: Path) -> object:
    from gen_core.defects.data import checked
    from gen_core.inputs.snapshots import read_snapshots

    return checked(read_snapshots(path))


def field(path: Path) -> object:
    from gen_core.inputs.fields import read_field

    return read_field(path)


def hits(path: Path) -> object:
    from gen_core.inputs.hits import read_hits

    return read_hits(path)


def without_names(path: Path) -> object:
    """What the store keeps in the place of medical images."""
    from gen_core.inputs.deidentify import deidentified
    from gen_core.inputs.nifti_private import nameless

    try:
        return deidentified(path)
    finally:
        nameless(path)


def exported(path: Path) -> object:
    from gen_core import catalog

    return catalog.all_from_file(path)


def recipe(path: Path) -> object:
    """A recipe as a document, and as the query string of a link."""
    from gen_core import catalog
    from gen_core.recipe import loads

    content = path.read_bytes()
    if content.lstrip()[:1] == b"{":
        return catalog.from_document(loads(content.decode("utf-8", "replace")))
    return catalog.from_query(content.decode("utf-8", "replace"), "cells.perturb")


def weights(path: Path) -> object:
    """A folder with weights and a card, which a recipe may name: the file holds both, a line apart, and the digest is right."""
    from gen_core import checkpoint

    card, _, tensors = path.read_bytes().partition(b"\n")
    folder = path.with_name("model")
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256(tensors).hexdigest()
    (folder / checkpoint.WEIGHTS).write_bytes(tensors)
    (folder / checkpoint.CARD).write_bytes(card.replace(b"SHA256", digest.encode()))
    return sorted(checkpoint.load(folder)[0])


READERS = {
    "kind of file": Reader(kind),
    "picture": Reader(picture, True),
    "zip of pictures": Reader(pictures, True),
    "cells": Reader(cells),
    "gene sets": Reader(gene_sets),
    "sequences": Reader(sequences),
    "labels": Reader(labels),
    "structure": Reader(structure, True),
    "volume": Reader(volume, True),
    "stacks": Reader(stacks, True),
    "sinogram": Reader(sinogram, True),
    "snapshots": Reader(snapshots),
    "field": Reader(field, True),
    "hits": Reader(hits, True),
    "kept without names": Reader(without_names),
    "exported file": Reader(exported),
    "recipe and link": Reader(recipe),
    "weights": Reader(weights),
}


def outcome(reader: Reader, path: Path) -> tuple[str, str]:
    """("read", "") or ("refused", the sentence). Raises whatever else the reader raises, and AssertionError where a sentence is
    none, or a result holds what no page could show."""
    try:
        found = reader.read(path)
    except UserError as error:
        said = str(error)
        assert said.isprintable(), f"a sentence with signs that control: {said!r}"
        assert said.endswith((".", ")", "?")), f"no sentence: {said!r}"
        assert len(said) < 1000, f"an endless sentence: {said[:200]!r}"
        assert str(path.parent) not in said, f"a sentence that names a folder: {said!r}"
        return "refused", said
    for part in _parts(found):
        if isinstance(part, str):
            part.encode()  # what UTF-8 cannot spell never reaches a browser
        elif reader.finite and part.dtype.kind == "f":
            assert np.isfinite(part).all(), "numbers that are none"
    return "read", ""


def _parts(found: Any, depth: int = 0) -> Iterable[Any]:
    """The texts and arrays in a result, those on the first levels and of long lists the first."""
    if isinstance(found, str | np.ndarray):
        if isinstance(found, np.ndarray) and found.dtype.kind in "OU":
            yield from (str(one) for one in found.ravel()[:2000].tolist())
        else:
            yield found
    elif depth > 6:
        return
    elif dataclasses.is_dataclass(found):
        for one in dataclasses.fields(found):
            yield from _parts(getattr(found, one.name), depth + 1)
    elif isinstance(found, dict):
        yield from _parts([*found.keys(), *found.values()][:2000], depth + 1)
    elif isinstance(found, list | tuple):
        for one in found[:2000]:
            yield from _parts(one, depth + 1)
    elif hasattr(found, "columns") and hasattr(found, "to_numpy"):
        yield from _parts([*map(str, found.columns), *(found[name].to_numpy() for name in found.columns)], depth + 1)
    elif hasattr(found, "document"):
        yield from (json.dumps(found.document(), ensure_ascii=False), found.query(), found.sha256)
