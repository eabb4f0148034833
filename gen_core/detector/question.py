"""What the detector page asks before a result is made: which models there are, and whether own events can be used."""

from __future__ import annotations

from gen_core.datasets import path_of
from gen_core.detector import modelfile
from gen_core.detector.recipe import KINDS
from gen_core.inputs.hits import read_hits


def check_hits(digest: str) -> tuple[int, int, int]:
    """Events, layers and channels of a file. Raises InputError where it holds no hit patterns."""
    n, layers, channels = read_hits(path_of(digest)).shape
    return n, layers, channels


def known() -> list[str]:
    """The models of this version: the learned ones whose weights are bundled, channels on their own, and the simulator."""
    return [*(kind for kind in KINDS if modelfile.there(kind)), *modelfile.UNLEARNED]


def warm() -> None:
    """Do once what the first view needs: the bundled models read."""
    for kind in KINDS:
        if modelfile.there(kind):
            modelfile.opened(kind)
