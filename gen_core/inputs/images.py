"""Pictures of the user's: one file, or many in a zip, as arrays of red, green and blue between 0 and 1.

What a file claims (its size in pixels, its pages) is looked at before any pixel is unpacked. Sixteen bits are kept (in
colour only those of TIFF); transparency is laid on white; of an animation the first frame is taken, and a notice says so.
"""

from __future__ import annotations

import io
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import human_size, read_limited, sniff
from gen_core.inputs.archive import open_zip, pack, read_member
from gen_core.result import Notice

if TYPE_CHECKING:
    from PIL.Image import Image

Array = np.ndarray
MAX_BYTES = 256 << 20  # of one picture's file
MAX_PIXELS = 50_000_000
LEAST = 8  # pixels a side
MAX_MEMBERS, MAX_TOTAL = 50_000, 16 << 30  # of a zip of pictures
MAX_PICTURES = 20_000  # read from one zip, tiles included
FORMATS = ("PNG", "JPEG", "TIFF", "GIF", "BMP", "WEBP")
ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".gif", ".bmp", ".webp")
_KINDS = "PNG, JPEG or TIFF"
PNG_RATIO = 1032  # unpacked to packed, which deflate cannot exceed
_CUT = "This picture is damaged or cut short. Copy or export it again."
_BITS = 258  # the tag of a TIFF that tells the bits of each channel


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures (n, size, size, 3) as 8 bit, where many are read at once."""

    images: Array
    notices: tuple[Notice, ...]


def read_picture(path: Path, size: int | None = None) -> tuple[Array, tuple[Notice, ...]]:
    """One picture, (h, w, 3) float32 in [0, 1]; with `size` its middle square, resized to (size, size, 3).

    Raises InputError, one sentence, where the file is empty, no picture, damaged, too large or too small.
    """
    if sniff(path) == "empty":
        raise InputError("This file is empty; choose a picture (PNG, JPEG or TIFF).")
    image, notices = decoded(read_limited(path, MAX_BYTES))
    return (image if size is None else squared(image, size)), notices


def read_pictures(path: Path, size: int, tiles: bool = False) -> Pictures:
    """All pictures in a zip, each as its middle square resized to `size`, or cut into tiles of `size` pixels.

    Members that are no pictures are passed over with a notice. Raises InputError where the zip is damaged or was made to
    mislead, or holds no picture at all.
    """
    if sniff(path) not in ("zip", "zarr", "npz"):
        raise InputError("This is not a zip file: pack a folder of pictures (PNG, JPEG or TIFF) into one.")
    found: list[Array] = []
    notices: dict[Notice, None] = {}
    left_out, first = 0, ""
    with open_zip(path, MAX_MEMBERS, MAX_TOTAL) as archive:
        names = sorted(n for n in archive.namelist() if n.lower().endswith(ENDINGS) and "__MACOSX" not in n)
        for name in names:
            try:
                image, told = decoded(read_member(archive, name, MAX_BYTES))
            except InputError as error:
                left_out, first = left_out + 1, first or str(error)
                continue
            notices |= dict.fromkeys(told)
            cut = tiled(image, size) if tiles else [squared(image, size)]
            found += [np.round(255 * part).astype(np.uint8) for part in cut]
            if len(found) > MAX_PICTURES:
                raise InputError(f"This zip holds more than {MAX_PICTURES:,} pictures; pack fewer of them.")
    if not found:
        raise InputError(
            f"This zip holds no picture that can be read. {first}".strip() if names else f"There is no {_KINDS} in this zip."
        )
    if left_out:
        notices[Notice("left_out", f"{left_out} of {len(names)} pictures were left out. The first: {first}")] = None
    return Pictures(np.stack(found), tuple(notices))


def packed(folder: Path) -> io.BytesIO:
    """A folder's pictures as a zip that is the same for the same files, for the store. Raises InputError where there are none."""
    files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in ENDINGS and stat.S_ISREG(p.lstat().st_mode))
    if not files:
        raise InputError(f"There is no picture ({_KINDS}) in the folder {folder.name!r}.")
    total = sum(p.stat().st_size for p in files)
    if len(files) > MAX_MEMBERS or total > MAX_TOTAL:
        raise InputError(
            f"The folder {folder.name!r} holds {len(files):,} pictures of {human_size(total)}, more than is read here."
        )
    return pack((p.relative_to(folder).as_posix(), read_limited(p, MAX_BYTES)) for p in files)


def decoded(data: bytes) -> tuple[Array, tuple[Notice, ...]]:
    """The picture in a file's bytes, (h, w, 3) float32 in [0, 1]."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise InputError("This file is empty; choose a picture (PNG, JPEG or TIFF).")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Pillow's own, on large or odd files: the checks below say it better
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                _check_size(*image.size)
                if image.format == "PNG" and image.width * image.height > 8 * PNG_RATIO * len(data):
                    raise InputError(_CUT)  # its bytes cannot unpack to as many pixels, of one bit each
                deep = image.format == "TIFF" and max(image.tag_v2.get(_BITS, (8,))) > 8  # type: ignore[attr-defined]
                return _scientific(data) if deep else _plain(image)
        except InputError:
            raise
        except Image.DecompressionBombError:
            raise InputError(f"This picture claims more than {MAX_PIXELS // 10**6} million pixels; make it smaller.") from None
        except UnidentifiedImageError:
            return _scientific(data)
        except Exception:  # whatever a stranger's bytes make a decoder raise, the user reads one sentence
            raise InputError(_CUT) from None


def squared(image: Array, size: int) -> Array:
    """The middle square of a picture (h, w, 3), resized to (size, size, 3)."""
    side = min(image.shape[:2])
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return resized(image[top : top + side, left : left + side], size)


def tiled(image: Array, size: int) -> list[Array]:
    """The picture cut into squares of `size` pixels from its top left; what is left at the edges falls away."""
    rows, columns = image.shape[0] // size, image.shape[1] // size
    if not rows * columns:
        return [squared(image, size)]
    return [image[r * size : (r + 1) * size, c * size : (c + 1) * size] for r in range(rows) for c in range(columns)]


def resized(image: Array, size: int) -> Array:
    """A picture (h, w, 3) at (size, size, 3), in floating point, so that sixteen bits stay sixteen."""
    from PIL import Image

    planes = [
        np.asarray(Image.fromarray(np.ascontiguousarray(image[..., i])).resize((size, size), Image.Resampling.LANCZOS))
        for i in range(3)
    ]
    return np.clip(np.stack(planes, 2), 0, 1).astype(np.float32)


def _check_size(wide: int, high: int) -> None:
    if wide * high > MAX_PIXELS:
        raise InputError(
            f"This picture claims {wide:,} by {high:,} pixels; at most {MAX_PIXELS // 10**6} million are read. Make it smaller."
        )
    if min(wide, high) < LEAST:
        raise InputError(f"This picture has {wide} by {high} pixels; at least {LEAST} a side are needed.")


def _plain(image: Image) -> tuple[Array, tuple[Notice, ...]]:
    """A Pillow picture as red, green and blue."""
    from PIL import ImageOps

    notices = []
    if getattr(image, "n_frames", 1) > 1:
        notices.append(Notice("first_frame", f"This file holds {image.n_frames} pictures; the first one is used."))  # type: ignore[attr-defined]
    if image.mode in ("CMYK", "YCCK"):
        notices.append(
            Notice("converted", "This picture is in printing colours (CMYK) and was converted to red, green and blue.")
        )
    if image.mode.startswith(("I", "F")):
        return _grey(np.asarray(image)), tuple(notices)
    turned: Any = ImageOps.exif_transpose(image)
    if "A" in turned.getbands() or "transparency" in turned.info:
        notices.append(Notice("transparency", "Where this picture is transparent, white is put behind it."))
        rgba = _shares(turned.convert("RGBA"))
        return rgba[..., :3] * rgba[..., 3:] + 1 - rgba[..., 3:], tuple(notices)
    return _shares(turned.convert("RGB")), tuple(notices)


def _shares(image: Image) -> Array:
    """Eight bits as numbers from 0 to 1, in place: of a large picture there is one copy, not two."""
    values = np.array(image, np.float32)
    values /= 255
    return values


def _grey(values: Array) -> Array:
    """Grey values as three equal channels; numbers of unknown scale are stretched from their least to their largest."""
    top = {np.dtype(np.uint16): 65535.0, np.dtype(np.uint8): 255.0}.get(values.dtype)
    values = np.asarray(values, np.float32)
    if not np.isfinite(values).all():
        raise InputError("This picture holds values that are not numbers.")
    if top is None and values.min() >= 0 and values.max() <= 65535 and values.max() > 255:
        top = 65535.0  # Pillow reads sixteen bits of a PNG as thirty-two
    if top is None:
        low, high = float(values.min()), float(values.max())
        values, top = values - low, max(high - low, 1e-12)
    return np.repeat((values / top)[..., None], 3, 2)


def _scientific(data: bytes) -> tuple[Array, tuple[Notice, ...]]:
    """A TIFF file of a kind that Pillow does not read: sixteen bits a colour, floating point, tiles."""
    if not data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        raise InputError(f"This file is no picture that is read here, or it is damaged; choose {_KINDS}.")
    import tifffile

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            page: Any = file.pages[0]
            _check_size(page.imagewidth, page.imagelength)
            if int(np.prod(page.shape)) * page.dtype.itemsize > 16 * MAX_PIXELS:
                raise InputError("This TIFF file claims more values than are read here; export it as plain RGB.")
            values, many = np.asarray(page.asarray()), len(file.pages)
    except InputError:
        raise
    except Exception:
        raise InputError("This TIFF file is damaged, or packed in a way that is not read here. Export it uncompressed.") from None
    notices = (Notice("first_frame", f"This file holds {many} pictures; the first one is used."),) if many > 1 else ()
    values = np.squeeze(values)
    if values.ndim == 3 and values.shape[0] in (3, 4) and values.shape[2] not in (3, 4):
        values = np.moveaxis(values, 0, 2)
    if values.ndim == 2:
        return _grey(values), notices
    if values.ndim != 3 or values.shape[2] not in (3, 4):
        raise InputError(f"This TIFF file holds an array of {values.shape}; a grey or a colour picture was expected.")
    return np.stack([_grey(values[..., i])[..., 0] for i in range(3)], 2), notices
