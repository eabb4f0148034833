"""The same walk through a plain autoencoder, which has no structure and style apart: what a walk of the styles alone is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gen_core import checkpoint
from gen_core.images.plainfile import open_plain
from gen_core.images.recipe import PLAIN
from gen_core.images.space import CONTENT, Array, Space
from gen_core.latent.paths import lerp
from gen_core.memo import Memo

if TYPE_CHECKING:
    from gen_core.images.interpolate import Path

WAYS = Memo(32 << 20, lambda found: 1 << 20)


def plain_path(path: Path) -> Array | None:
    """Pictures (n, 64, 64, 3) straight between the plain codes of both ends; None where there is no plain model of their kind."""
    if PLAIN not in checkpoint.known("images") or path.space.family is None:
        return None
    plain = open_plain(PLAIN, None, "plain")
    if plain.card.get("family") != path.space.family:
        return None

    def drawn() -> Array:
        a, b = plain.nets[0].encode(np.stack([end.image for end in path.ends]))[0]
        return plain.nets[0].decode(lerp(a, b, path.at))

    key = (plain.card["sha256"], path.at.tobytes(), *(end.image.tobytes() for end in path.ends))
    found: Array = WAYS.get(key, drawn)
    return found


def content_kept(space: Space, images: Array, a: Array, b: Array) -> float:
    """How much of the structure of a is left at the end of a way: 1 - |E_c(x) - c_A| / |c_A - c_B|, of the last of its pictures
    (n, 64, 64, 3), with codes a and b (2096,). 1: all of it; about 0: no more than the other picture has."""
    end = space.encode(images[-1:])[0, :CONTENT]
    apart = float(np.linalg.norm(a[:CONTENT] - b[:CONTENT]))
    return float(1 - np.linalg.norm(end - a[:CONTENT]) / apart) if apart > 1e-6 else float("nan")
