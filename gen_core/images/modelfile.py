"""A trained model of pictures on disk, and the pictures that a recipe's seeds name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.datasets import path_of
from gen_core.device import pick
from gen_core.images import render
from gen_core.images.model import ImageNet
from gen_core.images.recipe import Images
from gen_core.images.space import CONTENT, LATENT, STYLES, Prior, Space, check_kind, damaged
from gen_core.inputs.images import read_picture
from gen_core.memo import Memo
from gen_core.recipe import Recipe
from gen_core.result import Notice, unique

Array = np.ndarray
NET, PRIOR = "net.", "prior."
KEPT = {"near": np.float16, "places": np.float32, "content": np.int8, "values": np.float32, "steps": np.float16}
OPENED = Memo(256 << 20, lambda space: 32 << 20)
AnyImages = TypeVar("AnyImages", bound=Images)
CODES = Memo(64 << 20, lambda found: 1 << 16)


@dataclass(frozen=True, eq=False)
class Named:
    """The picture that one seed names: image (64, 64, 3), the code (2096,) that draws it, what the encoder alone tells (2096,),
    and where it is rendered, its seed."""

    image: Array
    code: Array
    told: Array
    rendered: int | None
    notices: tuple[Notice, ...] = ()


def write_model(folder: Path, space: Space, recipe: Recipe) -> str:
    """Write the model into `folder`, the card after the weights. Returns the weights' sha256. Weights are kept as float16."""
    tensors = {f"{NET}{name}": value.half().contiguous() for name, value in space.net.state_dict().items()}
    tensors |= {f"{PRIOR}{name}": torch.from_numpy(np.asarray(value, np.float16)) for name, value in vars(space.prior).items()}
    tensors |= {name: torch.from_numpy(np.asarray(getattr(space, name), kind)) for name, kind in KEPT.items()}
    return checkpoint.put(folder, tensors, space.card, {"recipe.json": recipe.json(indent=1) + "\n"})


def open_space(name: str, expected: str | None = None) -> Space:
    """The model of a recipe, kept while it is used. Raises CheckpointError where it is missing, damaged, or another one."""
    pick("cpu")  # one thread: two on busy cores are many times slower
    folder = checkpoint.find(name, "images")
    key = (
        str(folder),
        (folder / checkpoint.WEIGHTS).stat().st_mtime_ns if (folder / checkpoint.WEIGHTS).exists() else 0,
        expected,
    )
    space: Space = OPENED.get(key, lambda: read_space(folder, expected))
    return space


def opened(asked: AnyImages) -> tuple[AnyImages, Space]:
    """A recipe with the digest of its model's weights filled in, and the model; raises what `open_space` does."""
    space = open_space(asked.model, asked.model_sha256)
    return asked.replace(model_sha256=space.card["sha256"]), space


def read_space(folder: Path, expected: str | None = None) -> Space:
    """The model in a folder. Raises CheckpointError as above."""
    tensors, card = checkpoint.load(folder, expected)
    check_kind(folder.name, card, "styles")
    try:
        heads = tuple(int(n) for n in card["factors"])
        net = ImageNet(heads)  # type: ignore[arg-type]
        net.load_state_dict({k.removeprefix(NET): v.float() for k, v in tensors.items() if k.startswith(NET)})
        arrays = {k: (v if k == "content" else v.float()).numpy() for k, v in tensors.items() if not k.startswith(NET)}
        prior = Prior(**{k.removeprefix(PRIOR): v for k, v in arrays.items() if k.startswith(PRIOR)})
        if prior.centre.shape != (LATENT,) or arrays["steps"].shape != (len(card["directions"]), STYLES):
            raise ValueError("prior or directions of another size")
        space = Space(net.train(False).requires_grad_(False), prior, **{name: arrays[name] for name in KEPT}, card=card)
        _ = space.directions
        if space.places.shape != (len(space.near), 2) or space.content.shape != (len(space.near), CONTENT):
            raise ValueError("map of another size")
        if space.values.shape != (len(space.near), sum(heads)):
            raise ValueError("factors of another size")
    except (KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError) as error:
        raise damaged(folder.name, error) from None
    return space


def look_up(seeds: Any, space: Space) -> list[Named]:
    """The pictures of a recipe's seeds with their codes. Raises InputError or MissingContent where one cannot be had."""
    return [CODES.get((space.card["sha256"], seed), partial(_look_up, seed, space)) for seed in seeds]


def codes_of(found: list[Named]) -> Array:
    """Latent vectors (n, 2096) of pictures looked up."""
    return np.stack([one.code for one in found])


def told_of(found: list[Named]) -> Array:
    """What the encoder alone tells (n, 2096) of pictures looked up: what its reading of a drawn picture is compared with."""
    return np.stack([one.told for one in found])


def notices_of(found: list[Named], space: Space) -> tuple[Notice, ...]:
    """What was noticed when the pictures were read, and that rendered ones are no measurements; which, if some are own."""
    told = [notice for one in found for notice in one.notices]
    rendered = sum(one.rendered is not None for one in found)
    if 0 < rendered < len(found):
        these = "The micrograph" if rendered == 1 else "The micrographs"
        verb = "is" if rendered == 1 else "are"
        text = f"{these} beside your own {verb} synthetic: rendered by this project, measured nowhere."
        told.append(Notice("synthetic_data", text))
    elif rendered:
        told.append(Notice("synthetic_data", "These micrographs are synthetic: rendered by this project, measured nowhere."))
    elif space.card.get("synthetic"):
        told.append(Notice("synthetic_data", "This model learned from synthetic micrographs only."))
    return unique(told)


def _look_up(seed: int | str, space: Space) -> Named:
    if isinstance(seed, str):
        image, notices = read_picture(path_of(seed, "image"), render.SIZE)
        return Named(image, space.codes(image[None])[0], space.encode(image[None])[0], None, notices)
    if space.family is not None:
        image = render.pictures(np.array([seed]), space.family)[0]
        return Named(image, space.codes(image[None])[0], space.encode(image[None])[0], seed)
    code = space.draw(1, np.random.default_rng(seed))
    image = space.decode(code)
    return Named(image[0], code[0], space.encode(image)[0], None)


def warm() -> None:
    """Do once what the first view needs: open the bundled model and draw one picture."""
    from gen_core.images.recipe import BUNDLED

    space = open_space(BUNDLED)
    _ = space.density
    look_up([0], space)
