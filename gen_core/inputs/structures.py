"""Protein structures that a user brings: PDB or mmCIF, each also inside gzip, read down to the backbone of each chain.

Of several models the first counts; of alternative locations the one of highest occupancy, the first where they are equal.
Ligands, waters, nucleic acids and side chains are left out. What a file says beside its atoms (title, sequence, remarks) is
not looked at. Formats: wwPDB format 3.3; mmCIF, category atom_site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import head, read_limited, sniff
from gen_core.inputs.archive import gunzip_limited
from gen_core.inputs.atoms import Atom, mmcif_atoms, pdb_atoms
from gen_core.result import Notice

Array = np.ndarray
MAX_BYTES = 64 << 20
MAX_RESIDUES = 10_000  # of a chain
MAX_CHAINS = 200
LEAST = 5  # residues with a whole backbone, below which a chain is none
BOND = 2.0  # Å between C and the next N above which they are not bound; a peptide bond has 1.33
EXPECTED = "a structure in PDB or mmCIF was expected"

BACKBONE = ("N", "CA", "C", "O")
WATER = {"HOH", "WAT", "DOD", "H2O", "TIP", "TIP3", "SOL"}
_TWENTY = "ALA ARG ASN ASP CYS GLN GLU GLY HIS ILE LEU LYS MET PHE PRO SER THR TRP TYR VAL"
RESIDUES = dict(zip(_TWENTY.split(), "ARNDCQEGHILKMFPSTWYV", strict=True))
# Modified residues by what they were made from (wwPDB chemical component dictionary, parent), and names of force fields.
_MADE_FROM = {
    "C": "SEC CSO CSD CSX CME OCS CAS SMC YCM CSS CYX CYM",
    "D": "ASH PHD",
    "E": "CGU GLH",
    "H": "HIC HID HIE HIP HSD HSE HSP",
    "K": "MLY M3L MLZ ALY KCX LLP PYL LYN",
    "M": "MSE FME MHO",
    "P": "HYP",
    "Q": "PCA",
    "S": "SEP",
    "T": "TPO",
    "Y": "PTR TYS",
}
MODIFIED = {name: letter for letter, names in _MADE_FROM.items() for name in names.split()}


@dataclass(frozen=True, eq=False)
class Chain:
    """The residues of one chain that have a whole backbone, in the file's order.

    backbone (n, 4, 3) float32 holds N, CA, C and O in Å; `sequence` one letter each, X where it is none of the twenty;
    `numbers` (n,) the file's own residue numbers as text, with insertion codes ("52A"); `breaks` counts the places where
    residues are missing between two of them.
    """

    name: str
    sequence: str
    backbone: Array
    numbers: tuple[str, ...]
    breaks: int

    def __len__(self) -> int:
        return len(self.sequence)


@dataclass(frozen=True, eq=False)
class Structure:
    """The protein chains of a file, at least one, and what was left out of it."""

    chains: tuple[Chain, ...]
    notices: tuple[Notice, ...]


@dataclass
class _Residue:
    """The atoms of one residue by alternative location, and the name it has in each."""

    hetero: bool
    atoms: dict[str, dict[str, Atom]] = field(default_factory=dict)


def read_structure(path: str | Path) -> Structure:
    """Read a structure. Raises InputError, one sentence, where it is none or goes beyond the limits."""
    path = Path(path)
    text = _text_of(path)
    if re.search(r"^(?:ATOM  |HETATM)", text, re.MULTILINE) and not re.search(r"^_atom_site\.", text, re.MULTILINE):
        atoms, models = pdb_atoms(text)
    elif re.search(r"^\s*(?:data_|_atom_site\.)", text, re.MULTILINE | re.IGNORECASE):
        atoms, models = mmcif_atoms(text)
    else:
        raise InputError(f"This file holds no atoms; {EXPECTED}.")
    return _assembled(atoms, models)


def _text_of(path: Path) -> str:
    kind = sniff(path)
    if kind == "empty":
        raise InputError(f"This file is empty; {EXPECTED}.")
    if kind == "gzip":
        start = gunzip_limited(path, 4096, cut=True)
    elif kind in ("pdb", "mmcif", "text", "csv"):
        start = head(path, 4096)
    else:
        words = {"hdf5": "an HDF5 file", "fasta": "a FASTA file: a sequence without coordinates", "folder": "a folder"}
        raise InputError(f"This is {words.get(kind, f'no structure but {kind}')}; {EXPECTED}.")
    if b"\0" in start:
        raise InputError(f"This file is binary; {EXPECTED}.")
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<", b">", b"{")):
        raise InputError(f"This is no PDB or mmCIF file by its first line; {EXPECTED}.")
    content = gunzip_limited(path, MAX_BYTES) if kind == "gzip" else read_limited(path, MAX_BYTES)
    return content.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")


def _assembled(atoms: list[Atom], models: int) -> Structure:
    """The chains that atoms make: residues by their number, then what is no protein taken out."""
    residues: dict[str, dict[str, _Residue]] = {}
    for atom in atoms:
        chain = residues.setdefault(atom.chain, {})
        if len(residues) > MAX_CHAINS:
            raise InputError(f"This file holds more than {MAX_CHAINS} chains; give a part of it.")
        residue = chain.setdefault(atom.number, _Residue(atom.hetero))
        if len(chain) > 10 * MAX_RESIDUES:
            raise InputError(f"A chain of this file has more than {10 * MAX_RESIDUES:,} residues; give a part of it.")
        residue.atoms.setdefault(atom.alternative, {}).setdefault(atom.name, atom)
    counts = dict.fromkeys(("alternative", "modified", "incomplete", "waters", "others"), 0)
    read = (_chain(name, list(found.items()), counts) for name, found in residues.items())
    chains = [chain for chain in read if chain is not None]
    if not chains:
        raise InputError(
            f"No chain of this file has {LEAST} residues with the backbone atoms N, CA, C and O; {EXPECTED}, of a protein."
        )
    _plausible(chains)
    return Structure(tuple(chains), _notices(chains, counts, models))


def _chain(name: str, found: list[tuple[str, _Residue]], counts: dict[str, int]) -> Chain | None:
    """One chain of residues by number; None where it is no protein. Adds to the counts of what was left out or changed."""
    names, places, numbers, hetero = [], [], [], []
    for number, residue in found:
        letters, atoms, several = _chosen(residue)
        if all(atom in atoms for atom in BACKBONE):
            counts["alternative"] += several
            names.append(letters)
            places.append([atoms[atom].place for atom in BACKBONE])
            numbers.append(number)
            hetero.append(residue.hetero)
        else:
            kind = "waters" if letters in WATER else "incomplete" if letters in RESIDUES or letters in MODIFIED else "others"
            counts[kind] += 1
    if not names:
        return None
    backbone = np.array(places)
    bound = np.linalg.norm(backbone[1:, 0] - backbone[:-1, 2], axis=1) < BOND  # C to the next N
    linked = np.r_[False, bound] | np.r_[bound, False]
    kept = np.flatnonzero(linked | ~np.array(hetero))  # a HETATM that no residue is bound to is a ligand
    counts["others"] += len(names) - len(kept)
    if len(kept) < LEAST:
        counts["others"] += len(kept)
        return None
    if len(kept) > MAX_RESIDUES:
        raise InputError(f"Chain {name} has {len(kept):,} residues; at most {MAX_RESIDUES:,} are read here.")
    counts["modified"] += sum(names[i] in MODIFIED for i in kept)
    sequence = "".join(RESIDUES.get(names[i]) or MODIFIED.get(names[i]) or "X" for i in kept)
    backbone = backbone[kept]
    gaps = int((np.linalg.norm(backbone[1:, 0] - backbone[:-1, 2], axis=1) >= BOND).sum())
    return Chain(name, sequence, backbone.astype(np.float32), tuple(numbers[i] for i in kept), gaps)


def _chosen(residue: _Residue) -> tuple[str, dict[str, Atom], bool]:
    """Name and atoms of a residue at its likeliest location, and whether it had several.

    One location is taken for the whole residue, so that no backbone is put together from two; an atom that has none there
    comes from the next best.
    """
    common = residue.atoms.get("", {})
    others = {label: atoms for label, atoms in residue.atoms.items() if label}
    shares = {label: max(atom.occupancy for atom in atoms.values()) for label, atoms in others.items()}
    order = sorted(others, key=lambda label: -shares[label])  # a stable sort: of equal ones the first in the file
    merged: dict[str, Atom] = {}
    for atoms in (*(others[label] for label in order), common):
        for name, atom in atoms.items():
            merged.setdefault(name, atom)
    first = next(iter((others[order[0]] if order else common).values()))
    return first.residue, merged, len(others) > 1


def _plausible(chains: list[Chain]) -> None:
    """Raise InputError where coordinates are none of a backbone in Å: N-CA has 1.46, CA-C 1.53 (Engh & Huber 1991)."""
    backbone = np.concatenate([chain.backbone for chain in chains]).astype(np.float64)
    bonds = np.linalg.norm(np.diff(backbone[:, :3], axis=1), axis=2)
    if not 1.2 < np.median(bonds) < 1.8:
        raise InputError(
            f"Bound atoms of this file stand {np.median(bonds):.2f} Å apart, in a backbone 1.5: these are no coordinates in Å."
        )


def _notices(chains: list[Chain], counts: dict[str, int], models: int) -> tuple[Notice, ...]:
    told = []
    if models > 1:
        told.append(Notice("several_models", f"The structure has {models:,} models; the first is used."))
    if counts["alternative"]:
        told.append(
            Notice("alternative_locations", f"{counts['alternative']:,} residues have alternative locations; of each the "
                   "likeliest is used.")
        )  # fmt: skip
    if counts["modified"]:
        told.append(
            Notice("modified_residues", f"{counts['modified']:,} modified residues are read as those they were made from "
                   "(selenomethionine as methionine).")
        )  # fmt: skip
    if counts["incomplete"]:
        told.append(Notice("incomplete_residues", f"{counts['incomplete']:,} residues without a whole backbone are left out."))
    if counts["waters"] or counts["others"]:
        told.append(
            Notice("left_out", f"{counts['waters']:,} waters and {counts['others']:,} ligands or other residues that are no "
                   "protein are left out.")
        )  # fmt: skip
    if breaks := sum(chain.breaks for chain in chains):
        told.append(Notice("missing_residues", f"Residues are missing in the structure at {breaks:,} places of its chains."))
    return tuple(told)
