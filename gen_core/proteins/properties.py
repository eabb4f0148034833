"""Properties of whole sequences by their composition, as ProtParam gives them (Gasteiger 2005), for many sequences at once."""

from __future__ import annotations

import numpy as np

from gen_core.proteins.alphabet import GAP, LETTERS

Array = np.ndarray
PH = 7.4
# Hydropathy of Kyte & Doolittle 1982; mean masses in Da of the free amino acids; the order is that of LETTERS
HYDROPATHY = np.array(
    [1.8, 2.5, -3.5, -3.5, 2.8, -0.4, -3.2, 4.5, -3.9, 3.8, 1.9, -3.5, -1.6, -3.5, -4.5, -0.8, -0.7, 4.2, -0.9, -1.3]
)
MASSES = np.array(
    [
        *(89.0932, 121.1582, 133.1027, 147.1293, 165.1891, 75.0666, 155.1546, 131.1729, 146.1876, 131.1729),
        *(149.2113, 132.1179, 115.1305, 146.1445, 174.201, 105.0926, 119.1192, 117.1463, 204.2252, 181.1885),
    ]
)
WATER = 18.0153
# pK of Bjellqvist 1993 and 1994, which ExPASy uses: side chains, then the ends, some of which depend on their residue
BASIC = {"K": 10.0, "R": 12.0, "H": 5.98}
ACIDIC = {"D": 4.05, "E": 4.45, "C": 9.0, "Y": 10.0}
FIRST = {"A": 7.59, "M": 7.0, "S": 6.93, "P": 8.36, "T": 6.82, "V": 7.44, "E": 7.7}
LAST = {"D": 4.55, "E": 4.75}
PK_FIRST, PK_LAST = 7.5, 3.55
PI_RANGE = (4.05, 12.0)  # between which ProtParam looks for it
HALVINGS = 20  # of that range: pI to 1e-5
# Weights of the instability index, Guruprasad 1990, by the first residue and then the second; a dot is 1.0
_INSTABILITY = {
    "A": ". 44.94 -7.49 . . . -7.49 . . . . . 20.26 . . . . . . .",
    "C": ". . 20.26 . . . 33.6 . . 20.26 33.6 . 20.26 -6.54 . . 33.6 -6.54 24.68 .",
    "D": ". . . . -6.54 . . . -7.49 . . . . . -6.54 20.26 -14.03 . . .",
    "E": ". 44.94 20.26 33.6 . . -6.54 20.26 . . . . 20.26 20.26 . 20.26 . . -14.03 .",
    "F": ". . 13.34 . . . . . -14.03 . . . 20.26 . . . . . . 33.601",
    "G": "-7.49 . . -6.54 . 13.34 . -7.49 -7.49 . . -7.49 . . . . -7.49 . 13.34 -7.49",
    "H": ". . . . -9.37 -9.37 . 44.94 24.68 . . 24.68 -1.88 . . . -6.54 . -1.88 44.94",
    "I": ". . . 44.94 . . 13.34 . -7.49 20.26 . . -1.88 . . . . -7.49 . .",
    "K": ". . . . . -7.49 . -7.49 . -7.49 33.6 . -6.54 24.64 33.6 . . -7.49 . .",
    "L": ". . . . . . . . -7.49 . . . 20.26 33.6 20.26 . . . 24.68 .",
    "M": "13.34 . . . . . 58.28 . . . -1.88 . 44.94 -6.54 -6.54 44.94 -1.88 . . 24.68",
    "N": ". -1.88 . . -14.03 -14.03 . 44.94 24.68 . . . -1.88 -6.54 . . -7.49 . -9.37 .",
    "P": "20.26 -6.54 -6.54 18.38 20.26 . . . . . -6.54 . 20.26 20.26 -6.54 20.26 . 20.26 -1.88 .",
    "Q": ". -6.54 20.26 20.26 -6.54 . . . . . . . 20.26 20.26 . 44.94 . -6.54 . -6.54",
    "R": ". . . . . -7.49 20.26 . . . . 13.34 20.26 20.26 58.28 44.94 . . 58.28 -6.54",
    "S": ". 33.6 . 20.26 . . . . . . . . 44.94 20.26 20.26 20.26 . . . .",
    "T": ". . . 20.26 13.34 -7.49 . . . . . -14.03 . -6.54 . . . . -14.03 .",
    "V": ". . -14.03 . . -7.49 . . -1.88 . . . 20.26 . . . -7.49 . . -6.54",
    "W": "-14.03 . . . . -9.37 24.68 . . 13.34 24.68 13.34 . . . . -14.03 -7.49 . .",
    "Y": "24.68 . 24.68 -6.54 . -7.49 13.34 . . . 44.94 . 13.34 . -15.91 . -7.49 . -9.37 13.34",
}
INSTABILITY = np.zeros((GAP + 1, GAP + 1))
INSTABILITY[:GAP, :GAP] = [
    [1.0 if word == "." else float(word) for word in _INSTABILITY[letter].split()] for letter in LETTERS[:GAP]
]


def properties(packed: Array, family: Array) -> dict[str, Array]:
    """Properties (n,) by name of sequences without gaps (n, m), filled up with gaps at their end.

    charge at pH 7.4; pi; gravy, the mean hydropathy; weight in Da; aromaticity, the share of F, W and Y; instability, the
    index of Guruprasad 1990; composition, the distance of the composition from that of the family, shares (20,): half the sum
    of absolute differences, 0 for the same. All are NaN for an empty sequence.
    """
    counts = np.stack([(packed == a).sum(1) for a in range(GAP)], 1)
    lengths = counts.sum(1)
    empty = lengths == 0
    n = np.maximum(lengths, 1)
    shares = counts / n[:, None]
    first, last = packed[:, 0], packed[np.arange(len(packed)), n - 1]
    aromatic = [LETTERS.index(letter) for letter in "FWY"]
    found = {
        "charge": charge(counts, first, last, np.full(len(packed), PH)),
        "pi": isoelectric_point(counts, first, last),
        "gravy": shares @ HYDROPATHY,
        "weight": counts @ (MASSES - WATER) + WATER,
        "aromaticity": shares[:, aromatic].sum(1),
        "instability": 10 / n * INSTABILITY[packed[:, :-1], packed[:, 1:]].sum(1),
        "composition": np.abs(shares - family).sum(1) / 2,
    }
    return {name: np.where(empty, np.nan, values) for name, values in found.items()}


def charge(counts: Array, first: Array, last: Array, ph: Array) -> Array:
    """Net charge (n,) at a pH (n,) of sequences with counts (n, 20) and codes of their first and last residue (n,)."""
    total = _share(ph - _ends(FIRST, PK_FIRST)[first]) - _share(_ends(LAST, PK_LAST)[last] - ph)
    for letter, pk in BASIC.items():
        total += counts[:, LETTERS.index(letter)] * _share(ph - pk)
    for letter, pk in ACIDIC.items():
        total -= counts[:, LETTERS.index(letter)] * _share(pk - ph)
    return total


def isoelectric_point(counts: Array, first: Array, last: Array) -> Array:
    """The pH (n,) at which the charge is zero, by halving; the nearer end of PI_RANGE where it lies outside."""
    low, high = (np.full(len(counts), end) for end in PI_RANGE)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        positive = charge(counts, first, last, middle) > 0
        low, high = np.where(positive, middle, low), np.where(positive, high, middle)
    return (low + high) / 2


def composition_of(sites: Array) -> Array:
    """Shares (20,) of the residues in a family with site frequencies (L, Q)."""
    total = sites[:, :GAP].sum(0)
    return np.asarray(total / total.sum())


def _share(distance: Array) -> Array:
    """The charged share of a group, so many pH units on the side where it loses its charge (Henderson-Hasselbalch)."""
    return 1 / (10**distance + 1)


def _ends(special: dict[str, float], usual: float) -> Array:
    return np.array([special.get(letter, usual) for letter in LETTERS])
