"""What the tomography page asks before a result is made: which files are usable, and how many slices they hold."""

from __future__ import annotations

from gen_core.datasets import path_of
from gen_core.errors import InputError, UserError
from gen_core.inputs.square import center_square
from gen_core.inputs.volumes import read_volume
from gen_core.memo import Memo
from gen_core.tomography import methods
from gen_core.tomography.recipe import Reconstruct

_COUNTS = Memo(1 << 20, lambda count: 64)


def check_image(digest: str) -> None:
    """Raise InputError where this content is no image that can be scanned."""
    volume = read_volume(path_of(digest, "image"))
    square = center_square(volume, len(volume) // 2, 64)
    if float(square.values.max()) <= float(square.values.min()):
        raise InputError("The middle slice of this file has the same value everywhere; there is nothing to reconstruct.")


def slices(image: str) -> int:
    """How many slices an image has: 1 where it is synthetic. Raises InputError and MissingContent as reading it does."""
    if image.startswith("synthetic"):
        return 1
    found: int = _COUNTS.get(image, lambda: len(read_volume(path_of(image, "image"))))
    return found


def known() -> list[str]:
    """The methods whose model is part of this version."""
    return [method.name for method in methods.METHODS if _there(method.name)]


def _there(name: str) -> bool:
    try:
        methods.check(Reconstruct(methods=(name,)))
    except UserError:
        return False
    return True
