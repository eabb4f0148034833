"""Structures predicted by ESMFold (Lin et al. 2023), where transformers and a folder with its weights are: both are optional.

Nothing is fetched: `$LATENT_ESMFOLD` names a folder with config.json and safetensors, as `save_pretrained` writes it. The
B-factor is the network's own confidence, pLDDT; it is no measurement, and says nothing of function.
"""

from __future__ import annotations

import importlib.util
import os
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gen_core import checkpoint, device
from gen_core.errors import InputError
from gen_core.memo import Memo
from gen_core.proteins.recipe import Fold
from gen_core.proteins.sample import Drawn
from gen_core.result import Notice, Result
from gen_core.stamp import stamp

NEEDED = "transformers==5.24.0"
FOLDER = "LATENT_ESMFOLD"
LONGEST = 1_024  # residues: the memory of its pairs grows with their square
CHUNK = 64  # rows of a triangle at once: less memory, the same numbers
SAID = "Predicted by ESMFold"
_LOADED = Memo(16 << 30, lambda made: 6 << 30, apart=True)
_DIGESTS = Memo(1 << 20, lambda text: 1 << 10)


@dataclass(frozen=True, eq=False)
class Folded:
    """The predictions: PDB texts by name, and a table with one row a sequence."""

    recipe: Fold  # filled in
    texts: dict[str, str]
    table: pd.DataFrame


def missing() -> str | None:
    """Why it cannot be done here and how it could, in one sentence; None where all that is needed is there."""
    if importlib.util.find_spec("transformers") is None:
        return (
            "Predicting structures needs transformers, which is not installed here; add it in the project's folder with "
            f"`.venv/bin/python -m pip install {NEEDED}`, and name a folder with the weights of ESMFold as {FOLDER}."
        )
    folder = Path(os.environ.get(FOLDER, ""))
    if not os.environ.get(FOLDER) or not (folder / "config.json").is_file() or not _weights(folder):
        return (
            f"Predicting structures needs the weights of ESMFold: set {FOLDER} to a folder with config.json and safetensors, as "
            "save_pretrained writes it. Nothing is fetched from here, and pickled weights are not read."
        )
    return None


def fold(recipe: Fold, progress: Callable[[float, str], None] = lambda share, text: None) -> Folded:
    """The predictions for a recipe's sequences. Raises InputError where something needed is missing, the weights are others than
    the recipe's or no ESMFold, or a sequence is too long."""
    if (why := missing()) is not None:
        raise InputError(why)
    folder = Path(os.environ[FOLDER])
    digest = _digest(folder)
    if recipe.weights not in (None, digest):
        raise InputError(f"weights: the recipe was made with other weights of ESMFold than those in {FOLDER}.")
    letters = [_letters(sequence) for sequence in recipe.sequences]
    if too_long := [len(one) for one in letters if len(one) > LONGEST]:
        raise InputError(f"sequences: {too_long[0]:,} residues are more than the {LONGEST:,} that are folded here.")
    used = device.pick("auto")
    progress(0.0, "loading ESMFold")
    net: Any = _LOADED.get((digest, used.kind), lambda: _opened(folder, used))
    texts, lines = {}, []
    for i, sequence in enumerate(letters):
        name = f"model_{i + 1}"
        progress(i / len(letters), f"folding {name}, {len(sequence)} residues")
        texts[name], told = predicted(net, sequence)
        lines.append({"model": name, "residues": len(sequence), **told})
    progress(1.0, "done")
    return Folded(recipe.replace(weights=digest), texts, pd.DataFrame(lines))


def predicted(net: Any, sequence: str) -> tuple[str, dict[str, float]]:
    """One prediction as PDB text with pLDDT (0 to 100) as B-factor; and the mean of that, and pTM."""
    import torch

    with torch.no_grad():
        found = net.infer([sequence])
    text = net.output_to_pdb(found)[0]
    atoms = found["atom37_atom_exists"][0].cpu().numpy() > 0
    confidence = found["plddt"][0].float().cpu().numpy()
    mean = 100 * float(confidence[atoms].mean())
    remarks = [
        f"{SAID} (doi:10.1126/science.ade2574) from the sequence alone.",
        "B-factor: pLDDT, the network's own confidence, 0 to 100; no measurement.",
    ]
    head = [f"REMARK   6 {line}" for told in remarks for line in textwrap.wrap(told, 68)]
    lines = [_scaled(line) for line in text.splitlines() if line[:6] in ("ATOM  ", "TER   ", "TER")]
    body = "".join(f"{line.rstrip():<80}\n" for line in [*head, *lines, "END"])
    return body, {"plddt": mean, "ptm": float(found["ptm"])}


def asked_of(made: Drawn, rows: list[int]) -> Fold:
    """The recipe that folds some samples of a draw."""
    return Fold(sequences=tuple(made.rows[row].replace("-", "") for row in rows), seed=made.recipe.seed)


def run(recipe: Fold, progress: Callable[[float, str], None] = lambda share, text: None) -> Result:
    """Run `proteins.fold`. Raises InputError, one sentence."""
    from gen_core.proteins import files

    started = time.perf_counter()
    made = fold(recipe, progress)
    writers: dict[str, Callable[[Path], None]] = {
        f"structures/{name}.pdb": partial(_write, text=text, recipe=made.recipe) for name, text in made.texts.items()
    }
    writers["models.csv"] = lambda path: files.table(path, made.table, made.recipe)
    low = int((made.table.plddt < 70).sum())
    unsure = (Notice("low_confidence", f"{low} of {len(made.table)} predictions have a mean pLDDT below 70: distrust them."),)
    return Result(
        recipe=made.recipe,
        content=made,
        files=writers,
        metrics={"n_models": len(made.table), "plddt": float(made.table.plddt.mean()), "ptm": float(made.table.ptm.mean())},
        warnings=unsure if low else (),
        seconds={"fold": time.perf_counter() - started},
    )


def _opened(folder: Path, used: device.Device) -> Any:
    """ESMFold, ready to predict. Raises InputError where the folder holds something else."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    from safetensors import SafetensorError
    from transformers import EsmForProteinFolding
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        net = EsmForProteinFolding.from_pretrained(folder, local_files_only=True, use_safetensors=True).float()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, SafetensorError) as error:
        raise InputError(f"The folder of {FOLDER} holds no ESMFold that can be read ({type(error).__name__}).") from error
    net.trunk.set_chunk_size(CHUNK)
    return net.train(False).requires_grad_(False).to(used.torch)


def _weights(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.safetensors"))


def _digest(folder: Path) -> str:
    """sha256 of the weights' own sha256: gigabytes are read once for each change of the files."""
    paths = _weights(folder)
    key = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)

    def made() -> str:
        import hashlib

        return hashlib.sha256("".join(checkpoint.sha256(path) for path in paths).encode()).hexdigest()

    found: str = _DIGESTS.get(key, made)
    return found


def _letters(sequence: str) -> str:
    """The residues of a row, without gaps and insert marks; what is none of the twenty is X."""
    plain = sequence.upper().replace("-", "").replace(".", "").rstrip("*")
    return "".join(letter if letter in "ACDEFGHIKLMNPQRSTVWY" else "X" for letter in plain)


def _scaled(line: str) -> str:
    """A line of an atom with its pLDDT from 0 to 100."""
    if not line.startswith("ATOM"):
        return line
    value = float(line[60:66])
    return f"{line[:60]}{np.clip(100 * value if value <= 1 else value, 0, 100):6.2f}{line[66:]}"


def _write(path: Path, text: str, recipe: Fold) -> None:
    path.write_text(text, encoding="ascii")
    stamp(path, recipe)
