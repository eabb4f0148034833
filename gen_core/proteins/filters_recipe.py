"""What a sampled protein must be to be kept, as a recipe says it: every filter with its bound, each of which can be off."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gen_core.proteins.motifs import MOST, ON, check

MAX_RESIDUES = 10_000

Percent = Annotated[float, Field(ge=0, le=100)]
Tail = Annotated[float, Field(ge=0, le=50)] | None
Charge = Annotated[float, Field(ge=-10_000, le=10_000)]
Ph = Annotated[float, Field(ge=0, le=14)]
Hydropathy = Annotated[float, Field(ge=-4.5, le=4.5)]
Share = Annotated[float, Field(ge=0, le=1)]


class Filters(BaseModel):
    """What a sample must be to be kept. Each bound can be null: then that filter is off."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    unique: bool = Field(True, description="Only the first of equal sequences is kept.")
    min_length: int | None = Field(None, ge=1, le=MAX_RESIDUES, description="Fewest residues in the family's columns.")
    max_length: int | None = Field(None, ge=1, le=MAX_RESIDUES, description="Most residues in the family's columns.")
    length_tail: Percent | None = Field(
        1.0, le=50, description="Percent of the naturals that are shorter, and as many that are longer, than what is kept."
    )
    max_homopolymer: int | None = Field(5, ge=1, le=MAX_RESIDUES, description="Longest run of one residue.")
    min_complexity: float | None = Field(
        2.0, ge=0, le=4.32, description="Entropy in bits of the 20 residues in a row that are the least varied."
    )
    motifs: tuple[Annotated[str, AfterValidator(check)], ...] | None = Field(
        tuple(ON.values()), max_length=MOST, description="Forbidden motifs, as regular expressions: protease sites and the like."
    )
    min_charge: Charge | None = Field(None, description="Least net charge at pH 7.4.")
    max_charge: Charge | None = Field(None, description="Largest net charge at pH 7.4.")
    charge_tail: Tail = Field(None, description="Percent of the naturals with less charge, and as many with more, than is kept.")
    min_pi: Ph | None = Field(None, description="Lowest isoelectric point.")
    max_pi: Ph | None = Field(None, description="Highest isoelectric point.")
    pi_tail: Tail = Field(1.0, description="Percent of the naturals with a lower, and as many with a higher, isoelectric point.")
    min_gravy: Hydropathy | None = Field(None, description="Least mean hydropathy (GRAVY).")
    max_gravy: Hydropathy | None = Field(None, description="Largest mean hydropathy (GRAVY); above 0 it is a greasy protein.")
    gravy_tail: Tail = Field(None, description="Percent of the naturals with less, and as many with more, mean hydropathy.")
    max_gravy_percentile: Percent | None = Field(
        97.0, description="Mean hydropathy, as a percentile of the naturals: greasy ones rarely work, hydrophilic ones do."
    )
    max_composition_percentile: Percent | None = Field(
        None, description="Distance of the composition from the family's, as a percentile of the held-out naturals."
    )
    max_instability: float | None = Field(
        None, ge=-500, le=1_000, description="Instability index; 40 is usual, but it told nothing about function where measured."
    )
    min_profile_percentile: Percent | None = Field(
        25.0, description="Profile score (bits), as a percentile of the held-out naturals."
    )
    max_energy_percentile: Percent | None = Field(
        95.0, description="Coupling energy (lower is better), as a percentile of the held-out naturals."
    )
    max_identity: Share | None = Field(0.9, description="Identity to the nearest known sequence: above it, it is no new protein.")
    min_identity: Share | None = Field(None, description="Identity to the nearest known sequence: below it, it is far from all.")
    min_viability: Share | None = Field(None, description="Least chance to be functional, learned from the labels.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, fields: Any) -> Any:
        """A misspelt filter is answered with the nearest one."""
        unknown = [name for name in fields if name not in cls.model_fields] if isinstance(fields, dict) else []
        if unknown:
            near = difflib.get_close_matches(str(unknown[0]), cls.model_fields, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(cls.model_fields)}."
            raise ValueError(f"there is no filter {str(unknown[0])[:60]!r}: {hint}")
        return fields

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for low, high in ((f"min_{name}", f"max_{name}") for name in ("length", "charge", "pi", "gravy", "identity")):
            a, b = getattr(self, low), getattr(self, high)
            if a is not None and b is not None and a > b:
                raise ValueError(f"{low} is {a} and {high} is {b}: nothing lies between them.")
        return self
