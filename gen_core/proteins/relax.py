"""Side chains on threaded models, and a relaxation that takes their clashes away: PDBFixer and OpenMM, which are optional.

The backbone stays the template's: it is held by springs while side chains and hydrogens are relaxed in vacuum (Amber ff14SB).
That makes a model without clashes for a look or as a start for other programs; it is no prediction and says nothing of folding.
"""

from __future__ import annotations

import importlib.util
import io
import random
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gen_core.errors import InputError
from gen_core.proteins.family import place_row
from gen_core.proteins.known import open_both, ready
from gen_core.proteins.recipe import Relax
from gen_core.proteins.structure import SAID, Threaded, conservation, thread
from gen_core.proteins.template import open_template, source_of
from gen_core.result import Notice, Result
from gen_core.stamp import stamp

if TYPE_CHECKING:
    from gen_core.proteins.sample import Drawn

Array = np.ndarray
NEEDED = ("openmm==8.6.1", "pdbfixer==1.12.0")
JOINED = 2.0  # Å of a C-N bond beyond which the chain is broken: residues without a place on the template are left out
CLASH = 2.5  # Å between heavy atoms of residues that are no neighbours
SPRING = 5_000.0  # kJ/mol/nm² that hold the backbone
BACKBONE = ("N", "CA", "C", "O")
PH = 7.0
MAX_BYTES = 16 << 20
SECONDS = 8  # a model, about, on one core


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The models of some sequences: PDB texts by name, and a table with one row a model."""

    recipe: Relax  # filled in
    texts: dict[str, str]
    table: pd.DataFrame
    notices: tuple[Notice, ...]


def missing() -> str | None:
    """Why it cannot be done here and how it could, in one sentence; None where OpenMM and PDBFixer are there."""
    if all(importlib.util.find_spec(name.partition("==")[0]) for name in NEEDED):
        return None
    return (
        "Side chains need OpenMM and PDBFixer, which are not installed here; add them in the project's folder with "
        f"`.venv/bin/python -m pip install {' '.join(NEEDED)}`."
    )


def relax(recipe: Relax, progress: Callable[[float, str], None] = lambda share, text: None) -> Relaxed:
    """The models of a recipe's sequences. Raises InputError where the packages are missing, a sequence is not of the family or a
    template does not fit it."""
    if (why := missing()) is not None:
        raise InputError(why)
    recipe, model, _ = open_both(recipe)
    template = open_template(source_of(recipe, model.card), recipe.template_chain, model)
    bits = conservation(model.moments.sites)
    texts, lines = {}, []
    for i, sequence in enumerate(recipe.sequences):
        name = f"model_{i + 1}"
        progress(i / len(recipe.sequences), f"side chains of {name}")
        codes, _ = place_row(model.profile, model.columns, model.width, sequence, "sequences")
        threaded = thread(template, codes, bits, name, "conservation")
        texts[name], told = built(threaded, recipe.iterations, recipe.seed)
        left_out = sum(letter.isalpha() for letter in sequence) - len(threaded.sequence)
        lines.append({"model": name, "residues": len(threaded.sequence), "left_out": left_out, **told})
    progress(1.0, "done")
    notices = [Notice("template_backbone", f"{SAID}: every model has the backbone of {template.words}."), *template.notices]
    return Relaxed(recipe, texts, pd.DataFrame(lines), tuple(notices))


def built(model: Threaded, iterations: int, seed: int) -> tuple[str, dict[str, float | int]]:
    """One model with its side chains as PDB text, relaxed by at most so many steps; and what its table tells."""
    from openmm import app, version

    fixer = _filled(model, seed)
    atoms = list(fixer.topology.atoms())
    heavy = [atom.index for atom in atoms if atom.element is not app.element.hydrogen]
    start = _places(fixer.positions)
    relaxed = _minimised(fixer, start, iterations) if iterations else start
    residues = np.array([atoms[i].residue.index for i in heavy])
    spine = [i for i in heavy if atoms[i].name in BACKBONE]
    told: dict[str, float | int] = {
        "clashes_placed": clashes(start[heavy], residues),
        "clashes": clashes(relaxed[heavy], residues),
        "backbone_rmsd": float(np.sqrt(((relaxed[spine] - start[spine]) ** 2).sum(1).mean())),
    }
    how = f"relaxed by OpenMM {version.short_version} (Amber ff14SB, vacuum, backbone held)" if iterations else "as placed"
    remarks = [
        f"{SAID}. The backbone is that of {model.template.words}; residues are renamed by the family's columns.",
        f"Residues of the sequence without a place on the template that are left out: {model.left_out}.",
        f"Side chains by PDBFixer, {how}; hydrogens are left out.",
        "B-factor: conservation of the family's column in bits; it is no confidence of a structure.",
    ]
    return _text(model, atoms, heavy, relaxed, remarks), told


def _filled(model: Threaded, seed: int) -> Any:
    """The model with all its atoms, hydrogens too; the same again for the same seed."""
    from pdbfixer import PDBFixer

    fixer = PDBFixer(pdbfile=io.StringIO(cut(model.pdb())), platform=_platform())
    fixer.missingResidues = {}
    fixer.findMissingAtoms()
    fixer.addMissingAtoms(seed=seed % 2**31 + 1)  # 0 would be a seed of chance
    before = random.getstate()
    random.seed(seed)  # OpenMM starts hydrogens at places drawn by it
    try:
        fixer.addMissingHydrogens(PH)
    finally:
        random.setstate(before)
    return fixer


def _platform() -> Any:
    """The processor, one thread, sums always in one order."""
    import openmm

    platform = openmm.Platform.getPlatformByName("CPU")
    platform.setPropertyDefaultValue("Threads", "1")
    platform.setPropertyDefaultValue("DeterministicForces", "true")
    return platform


def cut(text: str) -> str:
    """A PDB text with its chain ended where a bond between two residues would be too long."""
    lines, last, found = text.splitlines(), None, []
    for line in lines:
        if line.startswith("ATOM"):
            place = np.array([float(line[i : i + 8]) for i in (30, 38, 46)])
            name = line[12:16].strip()
            if name == "N" and last is not None and np.linalg.norm(place - last) > JOINED:
                found.append("TER")
            last = place if name == "C" else last
        found.append(line)
    return "\n".join(found) + "\n"


def clashes(places: Array, residues: Array) -> int:
    """Pairs of atoms (n, 3), in Å, of residues (n,) that are no neighbours, nearer than any bond or contact allows."""
    from scipy.spatial import cKDTree

    pairs = cKDTree(places).query_pairs(CLASH, output_type="ndarray")
    return int((np.abs(residues[pairs[:, 0]] - residues[pairs[:, 1]]) > 1).sum())


def _places(positions: Any) -> Array:
    from openmm import unit

    return np.array(positions.value_in_unit(unit.angstrom), float)


def _minimised(fixer: Any, start: Array, iterations: int) -> Array:
    """The places (n, 3) in Å after a minimisation, the backbone held by springs."""
    import openmm
    from openmm import app, unit

    field = app.ForceField("amber14/protein.ff14SB.xml")
    system = field.createSystem(
        fixer.topology, nonbondedMethod=app.CutoffNonPeriodic, nonbondedCutoff=1.0 * unit.nanometer, constraints=None
    )
    springs = openmm.CustomExternalForce("k * ((x - x0)^2 + (y - y0)^2 + (z - z0)^2)")
    springs.addGlobalParameter("k", SPRING)
    for axis in ("x0", "y0", "z0"):
        springs.addPerParticleParameter(axis)
    for atom in fixer.topology.atoms():
        if atom.name in BACKBONE:
            springs.addParticle(atom.index, (start[atom.index] / 10).tolist())
    system.addForce(springs)
    made = app.Simulation(fixer.topology, system, openmm.VerletIntegrator(0.001), _platform())
    made.context.setPositions(fixer.positions)
    made.minimizeEnergy(maxIterations=iterations)
    return _places(made.context.getState(positions=True).getPositions())


def _text(model: Threaded, atoms: list[Any], heavy: list[int], places: Array, remarks: list[str]) -> str:
    """The heavy atoms as PDB text under the head of the threaded model, with its B-factors."""
    lines = [line for line in model.pdb().splitlines() if line[:6] in ("TITLE ", "EXPDTA")]
    lines += [f"REMARK   6 {line}" for text in remarks for line in textwrap.wrap(text, 68)]
    order = {index: place for place, index in enumerate(dict.fromkeys(atoms[i].residue.index for i in heavy))}
    last = None
    for serial, i in enumerate(heavy, 1):
        atom, residue = atoms[i], atoms[i].residue
        if last is not None and residue.chain.index != last:
            lines.append("TER")
        last = residue.chain.index
        name = atom.name if len(atom.name) == 4 else f" {atom.name:<3}"
        where = "".join(f"{x:8.3f}" for x in places[i])
        value = min(max(float(model.values[order[residue.index]]), -99.0), 999.0)
        at = f"{residue.chain.id:1.1}{residue.id:>4}{residue.insertionCode or ' ':1.1}"
        lines.append(
            f"ATOM  {serial:5d} {name} {residue.name:>3} {at}   {where}  1.00{value:6.2f}          {atom.element.symbol:>2}"
        )
    return "".join(f"{line:<80}\n" for line in [*lines, "TER", "END"])


def asked_of(made: Drawn, rows: list[int]) -> Relax:
    """The recipe that puts side chains on some samples of a draw."""
    fields = made.recipe.fields()
    shared = {name: fields[name] for name in ("seed", "model", "weights", "family", "template", "template_chain")}
    return Relax.read(shared | {"sequences": [made.rows[row].replace("-", "") for row in rows]})


def read_models(folder: Path) -> list[tuple[str, str]]:
    """Name and PDB text of the models in the folder of a result, in their order."""
    from gen_core.inputs import read_limited

    paths = sorted((folder / "structures").glob("model_*.pdb"), key=lambda path: int(path.stem.removeprefix("model_")))
    return [(path.stem, read_limited(path, MAX_BYTES).decode("ascii")) for path in paths]


def run(recipe: Relax, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.relax`. Raises InputError, RecipeError or CheckpointError, each one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    made = relax(ready(recipe, progress), progress)
    writers: dict[str, Callable[[Path], None]] = {
        f"structures/{name}.pdb": partial(_write, text=text, recipe=made.recipe) for name, text in made.texts.items()
    }
    writers["models.csv"] = lambda path: files.table(path, made.table, made.recipe)
    return Result(
        recipe=made.recipe,
        content=made,
        files=writers,
        metrics={
            "n_models": len(made.table),
            "clashes_placed": int(made.table.clashes_placed.sum()),
            "clashes": int(made.table.clashes.sum()),
            "backbone_rmsd": float(made.table.backbone_rmsd.max()),
        },
        warnings=made.notices,
        seconds={"relax": time.perf_counter() - started},
    )


def _write(path: Path, text: str, recipe: Relax) -> None:
    path.write_text(text, encoding="ascii")
    stamp(path, recipe)
