"""A backbone as text of the field: PDB (wwPDB format 3.3) and mmCIF, with what it is said in the file itself."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gen_core.inputs.structures import RESIDUES

Array = np.ndarray
NAMES = {letter: name for name, letter in RESIDUES.items()} | {"X": "UNK"}
ATOMS = ("N", "CA", "C", "O", "CB")
_NUMBER = re.compile(r"(-\d{1,3}|\d{1,4})([A-Za-z]?)")


@dataclass(frozen=True, eq=False)
class Backbone:
    """Residues to write: letters (n), backbone (n, 4, 3) in Å (N, CA, C, O), their numbers as text, a value (n,) each for the
    B-factor, the chain's name, a title and remarks, all plain ASCII."""

    sequence: str
    backbone: Array
    numbers: Sequence[str]
    values: Array
    chain: str
    title: str
    remarks: Sequence[str]


def pdb_text(model: Backbone) -> str:
    """The PDB file. Residue numbers stay those of the template where they fit its four columns, else count from 1."""
    head = [("EXPDTA", "THEORETICAL MODEL")] if model.remarks else []
    lines = [*_titled(model.title), *(f"{record:<10}{text}" for record, text in head)]
    lines += [f"REMARK   6 {line}" for text in model.remarks for line in textwrap.wrap(text, 68)]
    serial, last = 0, ""
    chain = model.chain if len(model.chain) == 1 else "A"
    for name, residue, place, value, _, (number, code) in _atoms(model):
        serial += 1
        last = f"{residue:>3} {chain}{number:>4}{code or ' '}"
        where = "".join(f"{x:8.3f}" for x in place)
        lines.append(
            f"ATOM  {serial:5d}  {name:<3} {last}   {where}  1.00{min(max(value, -99.0), 999.0):6.2f}          {name[0]:>2}"
        )
    lines += [f"TER   {serial + 1:5d}      {last}", "END"]
    return "".join(f"{line:<80}\n" for line in lines)


def mmcif_text(model: Backbone) -> str:
    """The same as mmCIF."""
    lines = ["data_model", *(f"# {line}" for text in model.remarks for line in textwrap.wrap(text, 76))]
    lines += ["_entry.id model", f'_struct.entry_id model\n_struct.title "{model.title}"']
    if model.remarks:
        lines += ['_exptl.entry_id model\n_exptl.method "THEORETICAL MODEL"']
    columns = (
        *("group_PDB", "id", "type_symbol", "label_atom_id", "label_alt_id", "label_comp_id", "label_asym_id", "label_entity_id"),
        *("label_seq_id", "pdbx_PDB_ins_code", "Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv", "auth_seq_id"),
        *("auth_comp_id", "auth_asym_id", "auth_atom_id", "pdbx_PDB_model_num"),
    )
    lines += ["#", "loop_", *(f"_atom_site.{column}" for column in columns)]
    for serial, (name, residue, place, value, at, (number, code)) in enumerate(_atoms(model), 1):
        where = " ".join(f"{x:.3f}" for x in place)
        lines.append(
            f"ATOM {serial} {name[0]} {name} . {residue} {model.chain} 1 {at} {code or '?'} {where} 1.00 {value:.2f} {number} "
            f"{residue} {model.chain} {name} 1"
        )
    return "\n".join([*lines, "#"]) + "\n"


def beta(backbone: Array) -> Array:
    """Cβ (n, 3) of ideal geometry on a backbone (n, 4, 3): bond 1.53 Å, angles 110.1° (N) and 110.5° (C), Engh & Huber 1991."""
    n, ca, c = (backbone[:, i].astype(np.float64) for i in range(3))
    b, a = ca - n, c - ca
    return np.asarray(-0.58273431 * np.cross(b, a) + 0.56802827 * b - 0.54067466 * a + ca)


def _atoms(model: Backbone) -> Iterator[tuple[str, str, Array, float, int, tuple[str, str]]]:
    """Each atom with its residue's name, place, value, place in the chain from 1, and number with insertion code."""
    betas = beta(model.backbone)
    parts = [_NUMBER.fullmatch(number) for number in model.numbers]
    for i, letter in enumerate(model.sequence):
        part = parts[i]
        number = (part[1], part[2]) if part and all(parts) else (str(i + 1), "")
        places = [*model.backbone[i], betas[i]]
        for name, place in zip(ATOMS if letter not in "GX" else ATOMS[:4], places, strict=False):
            yield name, NAMES[letter], place, float(model.values[i]), i + 1, number


def _titled(title: str) -> list[str]:
    lines = textwrap.wrap(title.upper(), 69)
    return [f"TITLE   {'' if i == 1 else i:>2}{' ' * (i > 1)}{line}" for i, line in enumerate(lines, 1)]
