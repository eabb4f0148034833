"""The structure that a family's sequences are threaded on: the bundled one, or a user's own, in the columns of a model.

The bundled one is a table of the backbone of one chain, with its entry, citation and row of the family's alignment in a card.
`python -m gen_core.proteins.template 1ECM.pdb ALIGNMENT.fasta` makes it of files that are not part of this software.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core import checkpoint, store
from gen_core.datasets import named, path_of
from gen_core.errors import CheckpointError, InputError, RecipeError
from gen_core.inputs.sequences import read_sequences
from gen_core.inputs.structures import Chain, read_structure
from gen_core.memo import Memo
from gen_core.proteins.family import place_row
from gen_core.proteins.structurefile import Backbone, pdb_text
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.proteins.modelfile import FamilyModel
    from gen_core.proteins.recipe import Relax, Sample

Array = np.ndarray
FAMILY, BUNDLED = "chorismate_mutase", "pdb_1ecm"
FOLDER = Path(__file__).parent.parent.parent / "assets" / "templates" / BUNDLED
TABLE = "backbone.safetensors"
KEPT = Memo(16 << 20, lambda template: int(template.chain.backbone.nbytes * 4))


@dataclass(frozen=True, eq=False)
class Template:
    """A chain in the columns of a model: `places` (L,) is the residue of the chain in each column, -1 where it has none;
    `codes` (L,) its letters there; `words` says whose structure it is."""

    chain: Chain
    places: Array
    codes: Array
    words: str
    notices: tuple[Notice, ...]

    @property
    def covered(self) -> int:
        """How many columns have a residue of the template."""
        return int((self.places >= 0).sum())


def source_of(recipe: Sample | Relax, card: dict[str, Any] | None) -> str:
    """The template a recipe means: its own, or the bundled one where its model is of the bundled family.

    `card` is that of the model; None before it is trained. Raises RecipeError where the family has no template.
    """
    if recipe.template is not None:
        return recipe.template
    family = recipe.family if card is None else str(card["family"])
    entry = named(FAMILY)
    if family in (None, FAMILY) or (entry is not None and family == f"sha256:{entry.sha256}"):
        return BUNDLED
    raise RecipeError(
        "structure: this family has no template; give a structure of one of its members (PDB or mmCIF) as template, or leave "
        "structure out."
    )


def open_template(source: str, chain: str | None, model: FamilyModel) -> Template:
    """The template of a recipe's field in the columns of a model, from memory where it was read before.

    Raises InputError where the file is no structure, has no such chain, or none that is like the family.
    """
    key = (model.card.get("sha256"), source, chain)
    found: Template = KEPT.get(key, lambda: placed(source, chain, model))
    return found


def placed(source: str, name: str | None, model: FamilyModel) -> Template:
    """The chain of a structure that fits the family best, or the one that is named, put into the model's columns."""
    structure = read_structure(path_of(source, "template"))
    chains = [chain for chain in structure.chains if name in (None, chain.name)]
    if not chains:
        names = ", ".join(chain.name for chain in structure.chains[:20])
        raise InputError(f"template_chain: the structure has no protein chain {name}; there are {names}.")
    bits = model.profile.bits([chain.sequence.encode() for chain in chains])
    best = int(bits.argmax())  # of equal ones the first
    least = max(float(np.percentile(model.naturals["profile_bits"], 1)) / 2, 1.0)
    if bits[best] < least:
        raise InputError(
            f"template: this structure is not of the family: chain {chains[best].name}, the most alike, has {bits[best]:.0f} "
            f"bits by its profile, where {least:.0f} are needed."
        )
    chain = chains[best]
    row = read_bundled()[0]["aligned"] if source == BUNDLED else ""
    row = row if len(row) == model.width else chain.sequence  # its gaps stand where the family's alignment has them
    codes, numbers = place_row(model.profile, model.columns, model.width, row, "template")
    words = "PDB entry 1ECM" if source == BUNDLED else "a structure of the user's own"
    notices = list(structure.notices)
    if covered := int((numbers == 0).sum()):
        notices.append(
            Notice("template_gaps", f"{covered} of {len(numbers)} columns have no residue in the template: what stands there is "
                   "left out of the models.")
        )  # fmt: skip
    return Template(chain, np.asarray(numbers) - 1, codes, f"{words}, chain {chain.name}", tuple(notices))


def as_file() -> Path:
    """The bundled template as a PDB file, written where there is none yet. Raises CheckpointError where it is damaged."""
    card, chain = read_bundled()
    path = store.home() / "bundled" / f"{BUNDLED}_{card['sha256'][:12]}.pdb"
    if not path.is_file():
        model = Backbone(chain.sequence, chain.backbone, chain.numbers, np.zeros(len(chain)), chain.name, card["title"], ())
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(pdb_text(model), encoding="ascii")
        partial.replace(path)
    return path


def read_bundled() -> tuple[dict[str, Any], Chain]:
    """Card and chain of the bundled template. Raises CheckpointError where either is missing or not what the card names."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    card = checkpoint.read_card(FOLDER)
    try:
        if checkpoint.sha256(FOLDER / TABLE) != card["sha256"]:
            raise CheckpointError("The bundled template is damaged; install it again.")
        table = load_file(FOLDER / TABLE)
        sequence, numbers = table["sequence"].tobytes().decode("ascii"), tuple(str(n) for n in table["numbers"])
        if card["aligned"].replace("-", "") != sequence:
            raise ValueError("aligned")
        return card, Chain(str(card["chain"]), sequence, table["backbone"], numbers, int(card["breaks"]))
    except (OSError, KeyError, ValueError, SafetensorError) as error:
        raise CheckpointError(f"The bundled template cannot be read ({type(error).__name__}); install it again.") from None


def make(path: Path, alignment: Path, folder: Path = FOLDER) -> str:
    """Write the table and the card of the bundled template from the file of its entry and the family's alignment, in which
    the entry is the first row; returns the table's sha256."""
    from safetensors.numpy import save_file

    chain = next(chain for chain in read_structure(path).chains if chain.name == "A")
    found = read_sequences(alignment)
    assert found.columns is not None
    before = found.residues[0].index(chain.sequence.encode())
    row, seen = found.columns[0].copy(), np.cumsum(found.columns[0] != ord("-"))
    row[(seen <= before) | (seen > before + len(chain))] = ord("-")  # not in the structure
    folder.mkdir(parents=True, exist_ok=True)
    table = {
        "backbone": chain.backbone,
        "numbers": np.array([int(number) for number in chain.numbers], np.int32),
        "sequence": np.frombuffer(chain.sequence.encode(), np.uint8).copy(),
    }
    save_file(table, folder / TABLE)
    card = {
        "name": BUNDLED,
        "system": "proteins",
        "family": FAMILY,
        "title": "Backbone of Escherichia coli chorismate mutase, PDB entry 1ECM, chain A",
        "summary": f"N, CA, C and O of {len(chain)} residues ({chain.numbers[0]} to {chain.numbers[-1]}) in angstrom.",
        "entry": "1ECM, https://doi.org/10.2210/pdb1ECM/pdb",
        "citation": "Lee AY, Karplus PA, Ganem B, Clardy J: Atomic structure of the buried catalytic pocket of Escherichia coli "
        "chorismate mutase. J. Am. Chem. Soc. 117, 3627 (1995).",
        "method": "X-ray diffraction",
        "chain": chain.name,
        "breaks": chain.breaks,
        "aligned": row.tobytes().decode("ascii"),
        "synthetic": False,
        "licence": "CC0 (Protein Data Bank)",
        "command": "python -m gen_core.proteins.template 1ECM.pdb chorismate_mutase_train.fasta",
        "source_sha256": checkpoint.sha256(path),
        "sha256": checkpoint.sha256(folder / TABLE),
    }
    (folder / checkpoint.CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="ascii")
    return str(card["sha256"])


if __name__ == "__main__":
    print(make(Path(sys.argv[1]), Path(sys.argv[2])))
