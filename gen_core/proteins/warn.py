"""What a reader of samples or scores must be told, as warnings with codes that stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_core.proteins.family import FEW
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.known import Known
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.sample import Drawn

ENOUGH = 2_000  # samples from which the noise of pair correlations no longer decides
STAND_INS = (
    "the known sequences are synthetic stand-ins, drawn from the model, because the family's own are not part of this "
    "software; give an alignment as family."
)


def warnings_of(model: FamilyModel, known: Known) -> list[Notice]:
    """What holds for any use of this model beside these known sequences."""
    told = []
    if known.synthetic:
        told.append(Notice("synthetic_data", f"Identity to the nearest known sequence says little here: {STAND_INS}"))
    if float(model.card.get("n_effective", FEW)) < FEW:
        told.append(
            Notice("few_samples", f"The family has {model.card['n_effective']:.0f} effective sequences; under {FEW} its pair "
                   "correlations are mostly noise.")
        )  # fmt: skip
    return [*told, *known.notices]


def few_samples(made: Drawn) -> list[Notice]:
    """Whether the draw is too small for its pair correlations."""
    if len(made.codes) >= ENOUGH:
        return []
    return [
        Notice("few_samples", f"Pair correlations of {len(made.codes):,} samples are lowered by noise; draw {ENOUGH:,} or more "
               "to compare them.")
    ]  # fmt: skip
