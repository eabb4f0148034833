"""What may be asked of a plate order: how many wells, for which host, and what the DNA must and must not hold."""

from __future__ import annotations

import difflib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gen_core.proteins.codons import SITES, Host, reverse_complement

Share = Annotated[float, Field(ge=0, le=1)]


def _dna(text: str) -> str:
    found = "".join(text.split()).upper()
    if not re.fullmatch("[ACGT]*", found):
        raise ValueError(f"{text[:30]!r} is no DNA; the letters A, C, G and T are allowed.")
    return found


def _site(text: str) -> str:
    name = next((known for known in SITES if known.lower() == text.strip().lower()), None)
    if name is not None:
        return name
    found = "".join(text.split()).upper()
    if not re.fullmatch("[ACGT]{4,30}", found):
        near = difflib.get_close_matches(text, SITES, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"give 4 to 30 of A, C, G and T, or one of {', '.join(SITES)}."
        raise ValueError(f"there is no restriction site {text[:30]!r}: {hint}")
    return found


def _tag(text: str) -> str:
    found = "".join(text.split()).upper()
    if not re.fullmatch("[ACDEFGHIKLMNPQRSTVWY]+", found):
        raise ValueError(f"{text[:30]!r} is no tag; the twenty amino acids in one-letter code are allowed.")
    return found


class Order(BaseModel):
    """A plate of kept samples as DNA: the best by viability, or by profile score without labels, none too alike another."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    wells: int = Field(96, ge=1, le=384, description="Most sequences ordered; above 96 it is a plate of 384 wells.")
    max_identity: Share = Field(0.9, description="No two ordered sequences are more identical than this.")
    host: Host = Field("e_coli", description="Whose codon usage: e_coli, human, yeast.")
    min_codon_share: Share = Field(0.1, description="Codons used less often than this for their residue are avoided.")
    avoid: tuple[Annotated[str, AfterValidator(_site)], ...] = Field(
        ("BsaI", "BsmBI"), max_length=50, description="Restriction sites, by enzyme or as DNA, on neither strand."
    )
    min_gc: Share = Field(0.3, description="Least share of G and C in any window.")
    max_gc: Share = Field(0.7, description="Largest share of G and C in any window.")
    gc_window: int = Field(50, ge=20, le=500, description="Bases of a window; of shorter sequences, all.")
    max_homopolymer: int = Field(6, ge=3, le=20, description="Longest run of one base.")
    max_repeat: int = Field(15, ge=8, le=60, description="Longest stretch of bases that may stand twice in one sequence.")
    flank_5: Annotated[str, AfterValidator(_dna)] = Field("", max_length=300, description="DNA before the coding sequence.")
    flank_3: Annotated[str, AfterValidator(_dna)] = Field("", max_length=300, description="DNA after it.")
    start: bool = Field(True, description="Whether a methionine is put first where the sequence begins otherwise.")
    tag: Annotated[str, AfterValidator(_tag)] | None = Field(
        None, max_length=300, description="A peptide added to each, such as HHHHHH."
    )
    tag_end: Literal["N", "C"] = Field("N", description="Which end the tag is put on.")
    stop: bool = Field(True, description="Whether a stop codon ends the coding sequence.")
    full_length: bool = Field(
        False,
        description="Whether both ends and the insert states are taken from the reference; else the domain alone is ordered.",
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.min_gc >= self.max_gc:
            raise ValueError(f"min_gc is {self.min_gc} and max_gc is {self.max_gc}: nothing lies between them.")
        return self

    @property
    def forbidden(self) -> tuple[str, ...]:
        """The sites as DNA, both strands."""
        found = [SITES.get(site, site) for site in self.avoid]
        return tuple(dict.fromkeys([*found, *map(reverse_complement, found)]))
