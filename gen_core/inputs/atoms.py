"""The atoms of a PDB or mmCIF file's first model, as much of them as a backbone needs."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from gen_core.errors import InputError

WANTED = {"N", "CA", "C", "O"}
LEAST, MOST = -999.0, 9_999.0  # Å; the PDB format has no room for more
_NUMBER = re.compile(r"-?[0-9A-Za-z]{1,8}")
_STRANGE = re.compile(r"[^A-Za-z0-9_.+-]")  # in a chain's name: it is shown on pages
_TOKEN = re.compile(r"""'(?:[^'\n]|'(?=\S))*'(?=\s|$)|"(?:[^"\n]|"(?=\S))*"(?=\s|$)|#.*|\S+""")


class Atom(NamedTuple):
    """An atom as the file has it: `number` with its insertion code, `alternative` empty where there is one location."""

    hetero: bool
    name: str
    alternative: str
    residue: str
    chain: str
    number: str
    place: tuple[float, float, float]  # Å
    occupancy: float


def pdb_atoms(text: str) -> tuple[list[Atom], int]:
    """Atoms of a PDB file's first model, and how many models there are. Of residues without a backbone one atom is told.

    Raises InputError where a line is cut short or its columns hold no numbers.
    """
    atoms: list[Atom] = []
    seen: set[tuple[str, str]] = set()
    models = 0
    for i, line in enumerate(text.split("\n"), 1):
        record = line[:6]
        if record == "MODEL ":
            models += 1
        if record not in ("ATOM  ", "HETATM") or models > 1:
            continue
        if len(line) < 54:
            raise InputError(f"Line {i:,} of this PDB file ends before its coordinates: the file is cut short or damaged.")
        chain, number, name = line[21].strip() or "_", line[22:27].replace(" ", ""), line[12:16].strip()
        if (chain, number) in seen and name not in WANTED:
            continue
        seen.add((chain, number))
        fields = (line[30:38], line[38:46], line[46:54])
        atoms.append(
            _atom(i, "line", record == "HETATM", name, line[16], line[17:20].strip(), chain, number, fields, line[54:60])
        )
    return atoms, models


def mmcif_atoms(text: str) -> tuple[list[Atom], int]:
    """The same for mmCIF, from the loop of its category atom_site, by the names and numbers that authors gave.

    Raises InputError where there is no such loop, a column is missing, or a row is cut short.
    """
    tokens = _tokens(text)
    columns, first = _columns(tokens)
    find = lambda *names: next((columns.index(name) for name in names if name in columns), None)  # noqa: E731
    needed = {
        "label_atom_id": find("label_atom_id", "auth_atom_id"),
        "label_comp_id": find("auth_comp_id", "label_comp_id"),
        "label_asym_id": find("auth_asym_id", "label_asym_id"),
        "label_seq_id": find("auth_seq_id", "label_seq_id"),
        **{f"Cartn_{axis}": find(f"cartn_{axis}") for axis in "xyz"},
    }
    if missing := [name for name, at in needed.items() if at is None]:
        raise InputError(f"This mmCIF file's atoms have no column {missing[0]}; export it again.")
    name_at, residue_at, chain_at, number_at, *places = (int(at) for at in needed.values() if at is not None)
    group, alternative, insertion = find("group_pdb"), find("label_alt_id"), find("pdbx_pdb_ins_code")
    occupancy, model = find("occupancy"), find("pdbx_pdb_model_num")
    get = lambda row, at: "" if at is None or row[at] in (".", "?") else row[at]  # noqa: E731
    atoms: list[Atom] = []
    seen: set[tuple[str, str]] = set()
    models: dict[str, None] = {}
    for i, row in enumerate(_rows(first, tokens, len(columns)), 1):
        models.setdefault(get(row, model))
        if len(models) > 1 and get(row, model) != next(iter(models)):
            continue
        chain, number, name = row[chain_at], get(row, number_at) + get(row, insertion), row[name_at]
        if (chain, number) in seen and name not in WANTED:
            continue
        seen.add((chain, number))
        hetero = get(row, group).upper() == "HETATM"
        fields = (row[places[0]], row[places[1]], row[places[2]])
        atoms.append(
            _atom(i, "atom", hetero, name, get(row, alternative), row[residue_at], chain, number, fields, get(row, occupancy))
        )
    return atoms, len(models)


def _atom(
    i: int,
    what: str,
    hetero: bool,
    name: str,
    alternative: str,
    residue: str,
    chain: str,
    number: str,
    fields: tuple[str, str, str],
    occupancy: str,
) -> Atom:
    """Checked values of one atom; occupancy is 1 where none is given."""
    try:
        x, y, z = (float(value) for value in fields)
        share = float(occupancy) if occupancy.strip() else 1.0
    except ValueError:
        raise InputError(f"The coordinates at {what} {i:,} of this file are no numbers: it is damaged.") from None
    if not all(math.isfinite(value) and LEAST <= value <= MOST for value in (x, y, z)):
        raise InputError(
            f"The coordinates at {what} {i:,} of this file are not between {LEAST:,.0f} and {MOST:,.0f} Å: it is damaged."
        )
    if not _NUMBER.fullmatch(number):
        raise InputError(f"The residue at {what} {i:,} of this file has no number: the file is damaged.")
    chain = _STRANGE.sub("_", chain)[:8]
    return Atom(
        hetero, name, alternative.strip(), residue.upper(), chain, number, (x, y, z), share if math.isfinite(share) else 0.0
    )


def _tokens(text: str) -> Iterator[str]:
    """Words of a CIF file, quotes taken off; a text between lines that begin with ; is one word (STAR, Hall 1991)."""
    lines = iter(text.split("\n"))
    for line in lines:
        if line.startswith(";"):
            for inside in lines:
                if inside.startswith(";"):
                    break
            else:
                raise InputError("A text of this mmCIF file does not end: the file is cut short.")
            yield "'"  # a text: no name, no loop_
            line = inside[1:]
        if "'" not in line and '"' not in line and "#" not in line:
            yield from line.split()
            continue
        for word in _TOKEN.findall(line):
            if word[0] == "#":
                break
            yield word[1:-1] or "'" if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"" else word


def _columns(tokens: Iterator[str]) -> tuple[list[str], str]:
    """The columns of the atom_site loop, in lower case, and the first word of its rows."""
    mark = "_atom_site."
    for word in tokens:
        if word.lower().startswith(mark):
            columns = []
            while word.lower().startswith(mark):
                columns.append(word.lower().removeprefix(mark))
                word = next(tokens, "")
            return columns, word
    raise InputError("This mmCIF file holds no atoms (no loop of atom_site): give one with coordinates.")


def _rows(first: str, tokens: Iterator[str], width: int) -> Iterator[list[str]]:
    """The rows of a loop, up to the next name, loop or block. Raises InputError where the last one is not whole."""
    row = [first] if first else []
    for word in tokens:
        if word.startswith("_") or word.lower() in ("loop_", "stop_") or word[:5].lower() in ("data_", "save_"):
            break
        row.append(word)
        if len(row) == width:
            yield row
            row = []
    if row:
        raise InputError("The last atom of this mmCIF file has fewer values than its columns: the file is cut short or damaged.")
