"""What the symmetry page asks before a result is made: which models are there, and whether pictures are usable."""

from __future__ import annotations

from gen_core.symmetry import modelfile, pictures
from gen_core.symmetry.recipe import DIMS, KINDS


def check_pictures(digest: str) -> None:
    """Raise InputError where this content is no zip of pictures that could be learned from."""
    pictures.own(digest)


def known(dim: int) -> list[str]:
    """The kinds whose weights with codes of so many numbers are bundled."""
    return [kind for kind in KINDS if modelfile.there(kind, dim)]


def sizes(kind: str) -> list[int]:
    """The numbers in a code with which a kind is bundled."""
    return [dim for dim in DIMS if modelfile.there(kind, dim)]


def warm() -> None:
    """Do once what the first view needs: the bundled models read."""
    for kind in known(20):
        modelfile.opened(kind, 20)
