"""The curves that take minutes, as they were measured with the bundled models: shown at once, and measured anew on request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gen_core import checkpoint
from gen_core.errors import CheckpointError
from gen_core.symmetry import modelfile
from gen_core.symmetry.fewer import Examples
from gen_core.symmetry.lines import Curves
from gen_core.symmetry.recipe import Fewer, Needed

if TYPE_CHECKING:
    import torch

NAME = "symmetry-curves"


def bundled() -> tuple[Needed, Curves, Fewer, Examples]:
    """The recipes and what they gave. Raises CheckpointError where the file is damaged."""
    tensors, card = checkpoint.load(checkpoint.find(NAME))
    try:
        asked = [dict(card["recipes"][verb]) for verb in ("needed", "fewer")]
        for fields in asked:
            for word in ("schema", "gen_core", "operation"):
                fields.pop(word)
        needed, fewer = Needed.read(asked[0]), Fewer.read(asked[1])
        values = {name: value.double().numpy() for name, value in tensors.items()}
        models: list[str] = list(needed.models)
        dims: list[int] = list(needed.dims)
        errors = {m: {d: values[f"needed.{m}.{d}"] for d in dims} for m in models}
        floors = {m: {d: values[f"floor.{m}.{d}"] for d in dims} for m in models}
        gaussian = values["needed.gaussian"]
        examples = {str(m): values[f"fewer.{m}"] for m in fewer.models}
    except (KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"The bundled curves are damaged ({str(error)[:60]}).") from None
    curves = Curves(needed.measurements, errors, floors, needed.targets, gaussian=gaussian)
    return needed, curves, fewer, Examples(tuple(sorted(fewer.counts)), examples)


def tensors_of(curves: Curves, examples: Examples) -> dict[str, torch.Tensor]:
    """Both as they are stored, float32."""
    import torch

    out = {f"needed.{m}.{d}": rows for m, sizes in curves.errors.items() for d, rows in sizes.items()}
    out |= {f"floor.{m}.{d}": row for m, sizes in curves.floors.items() for d, row in sizes.items()}
    if curves.gaussian is not None:
        out["needed.gaussian"] = curves.gaussian
    out |= {f"fewer.{m}": rows for m, rows in examples.errors.items()}
    return {name: torch.from_numpy(value).float() for name, value in out.items()}


def weights_of(needed: Needed) -> dict[str, str]:
    """The sha256 of the weights of each model that the curves are of, by its name."""
    names = [modelfile.bundled(kind, dim) for kind in needed.models for dim in needed.dims]
    return {name: str(modelfile.open_card(name)["sha256"]) for name in names}


def card_of(needed: Needed, fewer: Fewer, seconds: float, device: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """What the curves say of themselves."""
    return {
        "name": NAME,
        "system": "symmetry",
        "kind": "curves",
        "summary": "No model, but what was measured with the bundled ones: measurements needed against the numbers in a code, "
        "and the error against the number of pictures learned from.",
        "data": "galaxies (synthetic)",
        "command": "python -m gen_core run symmetry.needed --set again=true --out DIR; "
        "python -m gen_core run symmetry.fewer --out DIR",
        "recipes": {"needed": needed.document(), "fewer": fewer.document()},
        "weights": weights_of(needed),
        "device": device,
        "seconds": round(seconds, 1),
        "metrics": checkpoint.rounded(metrics),
        "baselines": {"gaussian": checkpoint.rounded({k: v for k, v in metrics.items() if k.startswith("needed.gaussian.")})},
        "source": "made by this project",
        "synthetic": True,
        "licence": "MIT",
    }
