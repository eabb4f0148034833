"""Pictures as files of the field: arrays with their latent vectors, a sheet as PNG, a way as GIF; the recipe is in each."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gen_core.inputs.archive import pack
from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, png_info, stamp, tiff_description

Array = np.ndarray
Writer = Callable[[Path], None]
GAP = 2  # pixels between the pictures of a sheet
FRAME = 80  # milliseconds


def writers(
    recipe: Recipe, images: Array, latents: Array, columns: int, animated: bool = False, **more: Array
) -> dict[str, Writer]:
    """images.npz, images.tiff, grid.png, grid.svg and, for a way, animation.gif; `more` are further arrays of the first."""
    files: dict[str, Writer] = {
        "images.npz": lambda path: arrays(path, recipe, images=images, latents=latents, **more),
        "images.tiff": lambda path: stack(path, images, recipe),
        "grid.png": lambda path: picture(path, sheet(images, columns), recipe),
        "grid.svg": lambda path: drawing(path, images, columns, recipe),
    }
    if animated:
        files["animation.gif"] = lambda path: animation(path, images, recipe)
    return files


def arrays(path: Path, recipe: Recipe, **values: Array) -> None:
    """Arrays as float32 (names and numbers as they are), with the recipe as a member."""
    plain = {k: np.asarray(v, np.float32) if np.asarray(v).dtype.kind == "f" else np.asarray(v) for k, v in values.items()}
    np.savez_compressed(path, **plain, recipe=npz_member(recipe))  # type: ignore[arg-type]


def sheet(images: Array, columns: int) -> Array:
    """Pictures (n, h, w, 3) in rows of `columns` on white: one picture (H, W, 3)."""
    n, high, wide, _ = images.shape
    rows = -(-n // columns)
    made = np.ones((rows * (high + GAP) - GAP, columns * (wide + GAP) - GAP, 3), np.float32)
    for i, image in enumerate(images):
        top, left = i // columns * (high + GAP), i % columns * (wide + GAP)
        made[top : top + high, left : left + wide] = image
    return made


def eight_bit(image: Array) -> Array:
    """Values in [0, 1] as 8 bit."""
    return np.asarray(np.round(255 * np.clip(image, 0, 1)), np.uint8)


def picture(path: Path, image: Array, recipe: Recipe) -> None:
    """One picture (h, w, 3) as PNG."""
    from PIL import Image

    Image.fromarray(eight_bit(image)).save(path, "PNG", pnginfo=png_info(recipe))


def stack(path: Path, images: Array, recipe: Recipe) -> None:
    """Pictures (n, h, w, 3) as the pages of one TIFF of sixteen bits a colour: what ImageJ opens as a stack."""
    import tifffile

    deep = np.round(65535 * np.clip(images, 0, 1)).astype(np.uint16)
    tifffile.imwrite(path, deep, photometric="rgb", metadata=None, description=tiff_description(recipe), software=False)


def drawing(path: Path, images: Array, columns: int, recipe: Recipe) -> None:
    """Pictures as a drawing whose parts can be moved apart: each its own element, named by its row and column."""
    n, high, wide, _ = images.shape
    rows = -(-n // columns)
    size = f"{columns * (wide + GAP) - GAP} {rows * (high + GAP) - GAP}"
    parts = []
    for i, image in enumerate(images):
        at = f'x="{i % columns * (wide + GAP)}" y="{i // columns * (high + GAP)}" width="{wide}" height="{high}"'
        name = f'id="row{i // columns + 1}-column{i % columns + 1}"'
        parts.append(f'<image {name} {at} style="image-rendering:pixelated" href="{address(png(image))}"/>')
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}">\n{chr(10).join(parts)}\n</svg>\n'
    path.write_text(svg, encoding="utf-8")
    stamp(path, recipe)


def png(image: Array, scale: int = 1) -> bytes:
    """One picture (h, w, 3) in [0, 1] as PNG, every pixel repeated `scale` times along both axes."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(np.repeat(np.repeat(eight_bit(image), scale, 0), scale, 1)).save(out, "PNG", compress_level=2)
    return out.getvalue()


def animation(path: Path, images: Array, recipe: Recipe) -> None:
    """Pictures, to the end and back, in 256 colours that are the same in every frame, so that nothing flickers."""
    from PIL import Image

    frames = np.concatenate([images, images[-2:0:-1]]) if len(images) > 2 else images
    colours = Image.fromarray(eight_bit(sheet(images[:: max(len(images) // 32, 1)], 8))).quantize(256)
    made = [Image.fromarray(eight_bit(f)).quantize(palette=colours, dither=Image.Dither.NONE) for f in frames]
    made[0].save(path, "GIF", save_all=True, append_images=made[1:], duration=FRAME, loop=0, optimize=False)
    stamp(path, recipe)


def address(data: bytes, kind: str = "png") -> str:
    """A picture's file as an address that holds the picture itself."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def zipped(path: Path, images: dict[str, Array]) -> None:
    """Pictures (h, w, 3) by name as PNG files in a zip that is the same for the same pictures."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    partial.write_bytes(pack((name, png(image)) for name, image in images.items()).getvalue())
    os.replace(partial, path)
