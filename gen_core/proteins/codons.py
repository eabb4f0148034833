"""The genetic code, how often each codon is used in three hosts, and restriction sites: facts for orders of DNA.

Usage per thousand codons as in the Codon Usage Database (Nakamura 2000): E. coli K12, Homo sapiens, Saccharomyces cerevisiae.
"""

from __future__ import annotations

from typing import Literal

Host = Literal["e_coli", "human", "yeast"]
ORDER = tuple(a + b + c for a in "TCAG" for b in "TCAG" for c in "TCAG")
# The standard code (NCBI table 1) in this order; * is a stop
CODE = dict(zip(ORDER, "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG", strict=True))
_E_COLI = (
    *(19.7, 15.0, 15.2, 11.9, 5.7, 5.5, 7.8, 8.0, 16.8, 14.6, 1.8, 0.0, 5.9, 8.0, 1.0, 10.7),
    *(11.9, 10.5, 5.3, 46.9, 8.4, 6.4, 6.6, 26.7, 15.8, 13.1, 12.1, 27.7, 21.1, 26.0, 4.3, 4.1),
    *(30.5, 18.2, 3.7, 24.8, 8.0, 22.8, 6.4, 11.5, 21.9, 24.4, 33.2, 12.1, 7.2, 16.6, 1.4, 1.6),
    *(16.8, 11.7, 11.5, 26.4, 10.7, 31.6, 21.1, 38.5, 37.9, 20.5, 43.7, 18.4, 21.3, 33.4, 9.2, 8.6),
)
_HUMAN = (
    *(17.6, 20.3, 7.7, 12.9, 15.2, 17.7, 12.2, 4.4, 12.2, 15.3, 1.0, 0.8, 10.6, 12.6, 1.6, 13.2),
    *(13.2, 19.6, 7.2, 39.6, 17.5, 19.8, 16.9, 6.9, 10.9, 15.1, 12.3, 34.2, 4.5, 10.4, 6.2, 11.4),
    *(16.0, 20.8, 7.5, 22.0, 13.1, 18.9, 15.1, 6.1, 17.0, 19.1, 24.4, 31.9, 12.1, 19.5, 12.2, 12.0),
    *(11.0, 14.5, 7.1, 28.1, 18.4, 27.7, 15.8, 7.4, 21.8, 25.1, 29.0, 39.6, 10.8, 22.2, 16.5, 16.5),
)
_YEAST = (
    *(26.1, 18.4, 26.2, 27.2, 23.5, 14.2, 18.7, 8.6, 18.8, 14.8, 1.1, 0.5, 8.1, 4.8, 0.7, 10.4),
    *(12.3, 5.4, 13.4, 10.5, 13.5, 6.8, 18.3, 5.3, 13.6, 7.8, 27.3, 12.1, 6.4, 2.6, 3.0, 1.7),
    *(30.1, 17.2, 17.8, 20.9, 20.3, 12.7, 17.8, 8.0, 35.7, 24.8, 41.9, 30.8, 14.2, 9.8, 21.3, 9.2),
    *(22.1, 11.8, 11.8, 10.8, 21.2, 12.6, 16.2, 6.2, 37.6, 20.2, 45.6, 19.2, 23.9, 9.8, 10.9, 6.0),
)
USAGE: dict[Host, dict[str, float]] = {
    "e_coli": dict(zip(ORDER, _E_COLI, strict=True)),
    "human": dict(zip(ORDER, _HUMAN, strict=True)),
    "yeast": dict(zip(ORDER, _YEAST, strict=True)),
}
STOPS: dict[Host, str] = {"e_coli": "TAA", "human": "TGA", "yeast": "TAA"}  # the one used most
SITES = {
    "BamHI": "GGATCC",
    "BbsI": "GAAGAC",
    "BsaI": "GGTCTC",
    "BsmBI": "CGTCTC",
    "EcoRI": "GAATTC",
    "HindIII": "AAGCTT",
    "KpnI": "GGTACC",
    "NcoI": "CCATGG",
    "NdeI": "CATATG",
    "NotI": "GCGGCCGC",
    "PstI": "CTGCAG",
    "SacI": "GAGCTC",
    "SalI": "GTCGAC",
    "SapI": "GCTCTTC",
    "SpeI": "ACTAGT",
    "XbaI": "TCTAGA",
    "XhoI": "CTCGAG",
}


def translate(dna: str) -> str:
    """The protein of a coding sequence, stops as `*`. Raises KeyError where it holds other letters or half a codon."""
    return "".join(CODE[dna[i : i + 3]] for i in range(0, len(dna), 3))


def reverse_complement(dna: str) -> str:
    """The other strand, read in its own direction."""
    return dna.translate(str.maketrans("ACGT", "TGCA"))[::-1]
