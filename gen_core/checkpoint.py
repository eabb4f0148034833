"""Weights on disk: a folder with `weights.safetensors` and the `card.json` that says where they come from.

The card holds the digest of the weights, and nothing is used before that digest has been checked: a file cut short or
exchanged gives an error, never a model that is a little wrong.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_core import store
from gen_core.errors import CheckpointError, OutputError
from gen_core.memo import Memo
from gen_core.result import discard, disk_sentence, new_folder

if TYPE_CHECKING:
    import torch

WEIGHTS, CARD = "weights.safetensors", "card.json"
NEEDED = ("name", "system", "data", "command", "device", "seconds", "metrics", "baselines", "licence")
MAX_CARD = 1 << 20  # bytes
CARDS = Memo(64 << 20, lambda card: 1 << 19)
BUNDLED = Path(__file__).parent.parent / "assets" / "models"


def save(folder: Path, tensors: dict[str, torch.Tensor], card: dict[str, Any], force: bool = False) -> str:
    """Write weights and card to `folder`, all or nothing, and return the weights' sha256.

    `card` must say what the weights were trained on, for how long, on what device, by which command, with which metrics
    beside which baselines, and under which licence (the keys in NEEDED). Raises CheckpointError where one is missing.
    """
    _complete(card)
    with new_folder(folder, force) as partial:
        return put(partial, tensors, card)


def put(folder: Path, tensors: dict[str, torch.Tensor], card: dict[str, Any], beside: Mapping[str, str] | None = None) -> str:
    """Write weights, then their card, into a folder that is there, each file by a rename; return the sha256.

    `beside` are texts to go with them, by file name. Whoever finds a card finds the weights it names. Raises
    CheckpointError where the card is incomplete, OutputError where the disk refuses.
    """
    from safetensors.torch import save

    _complete(card)
    data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    text = json.dumps(card | {"sha256": digest}, indent=1, allow_nan=False) + "\n"
    files = {WEIGHTS: data, CARD: text.encode()} | {name: body.encode() for name, body in (beside or {}).items()}
    for name, body in files.items():
        partial = folder / f"{name}.partial"
        try:
            partial.write_bytes(body)
            os.replace(partial, folder / name)
        except OSError as error:
            discard(partial)
            raise OutputError(disk_sentence(error, folder)) from error
    return digest


def _complete(card: dict[str, Any]) -> None:
    missing = [key for key in NEEDED if key not in card]
    if missing:
        raise CheckpointError(f"This model card is incomplete: {', '.join(missing)} missing.")


def load(folder: Path, expected: str | None = None) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the card of the model in `folder`.

    Raises CheckpointError where either is missing or damaged, where the weights are not those the card names, or not
    those a recipe expects (`expected`, a sha256).
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    card = read_card(folder)
    try:
        digest = sha256(folder / WEIGHTS)
    except OSError:
        raise CheckpointError(f"The model {folder.name!r} has no {WEIGHTS}.") from None
    if digest != card.get("sha256"):
        raise CheckpointError(
            f"The weights of {folder.name!r} are damaged or not the ones its card names; install or train it again."
        )
    if expected is not None and digest != expected:
        raise CheckpointError(
            f"This recipe was made with other weights of {folder.name!r} ({expected[:12]}…, here {digest[:12]}…)."
        )
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, ValueError) as error:
        raise CheckpointError(f"The weights of {folder.name!r} cannot be read ({error}).") from None
    broken = [
        name for name, tensor in tensors.items() if tensor.is_floating_point() and not math.isfinite(float(tensor.double().sum()))
    ]
    if broken:
        raise CheckpointError(f"The weights of {folder.name!r} hold values that are not numbers (in {broken[0]}).")
    return tensors, card


def find(name: str, system: str = "") -> Path:
    """The folder of a model: a bundled one by its name, one trained here by its weights' digest (`sha256:…`).

    Raises CheckpointError where there is none; it names the bundled ones, of `system` alone where that is given.
    """
    if name.startswith("sha256:"):
        return store.model_folder(name)
    folder = BUNDLED / name
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name) and (folder / CARD).is_file():
        return folder
    names = ", ".join(path.parent.name for path in sorted(BUNDLED.glob(f"{system}{'-' * bool(system)}*/{CARD}")))
    raise CheckpointError(
        f"There is no model {name[:60]!r}: there are {names or 'none bundled'}, or a folder that training made."
    )


def known(system: str) -> dict[str, dict[str, Any]]:
    """Cards of a system's models by the name a recipe gives them: the bundled ones, then those trained here, newest first."""
    found = {path.parent.name: path.parent for path in sorted(BUNDLED.glob(f"*/{CARD}"))}
    found |= {f"sha256:{folder.name}": folder for folder in store.models()}
    cards: dict[str, dict[str, Any]] = {}
    for name, folder in found.items():
        try:
            written = (folder / CARD).stat().st_mtime_ns
            card = CARDS.get((str(folder), written), partial(read_card, folder))  # a page asks at every move
        except (CheckpointError, OSError):  # cut short or deleted: whoever names it is told so
            continue
        if card.get("system") == system:
            cards[name] = card
    return cards


def card_of(name: str, system: str) -> dict[str, Any]:
    """The card of a model of this system, by its name or digest. Raises CheckpointError where there is none, or of another."""
    return check_system(read_card(find(name, system)), system, name)


def check_system(card: dict[str, Any], system: str, name: str) -> dict[str, Any]:
    """The card. Raises CheckpointError where it is of a model of another system; `name` is what the model is called then."""
    if card.get("system") != system:
        raise CheckpointError(f"The model {name[:40]!r} is of {card.get('system')!r}, not of {system}.")
    return card


def read_card(folder: Path) -> dict[str, Any]:
    """The model card alone, without its weights. Raises CheckpointError where there is none or it is not JSON."""
    try:
        if (folder / CARD).stat().st_size > MAX_CARD:
            raise CheckpointError(f"The card of {folder.name!r} is larger than a card can be.")
        card = json.loads((folder / CARD).read_text())
    except OSError:
        raise CheckpointError(f"There is no model in {folder.name!r}: a folder with {WEIGHTS} and {CARD} was expected.") from None
    except (ValueError, RecursionError):
        raise CheckpointError(f"The card of {folder.name!r} is damaged: it is not JSON.") from None
    if not isinstance(card, dict):
        raise CheckpointError(f"The card of {folder.name!r} is damaged: a JSON object was expected.")
    return card


def rounded(scores: Mapping[str, Any]) -> dict[str, Any]:
    """Scores as a card holds them: four digits; what is no number as null."""
    return {k: v if not isinstance(v, float) else round(v, 4) if math.isfinite(v) else None for k, v in scores.items()}


def sha256(path: Path) -> str:
    """Digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
