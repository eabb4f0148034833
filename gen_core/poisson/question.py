"""What the Poisson page asks before a result is made: which arrays are usable, and which solvers are there."""

from __future__ import annotations

from gen_core.datasets import path_of
from gen_core.inputs.fields import read_field
from gen_core.poisson import modelfile
from gen_core.poisson.recipe import KINDS


def check_array(digest: str) -> None:
    """Raise InputError where this content is no square array of numbers."""
    read_field(path_of(digest, "rho"))


def known() -> list[str]:
    """The solvers that this version has: the learned ones whose weights are bundled, and the exact one."""
    return [*(kind for kind in KINDS if modelfile.there(kind)), "exact"]


def warm() -> None:
    """Do once what the first view needs: the bundled flow read, and the scenes that tell what is usual."""
    from gen_core.poisson import unusual

    for kind in KINDS:
        if modelfile.there(kind):
            modelfile.opened(modelfile.bundled(kind), None, kind)
    unusual._scenes()
