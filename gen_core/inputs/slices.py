"""Pictures as tomography images: PNG, JPEG, BMP, GIF, WebP of one slice, TIFF of one or many, as the grey values they store."""

from __future__ import annotations

import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import read_limited, sniff
from gen_core.inputs.images import FORMATS, decoded
from gen_core.inputs.volumes import MAX_SLICES, MOST, Array, Volume, check_size, finished
from gen_core.result import Notice

MAX_BYTES = 1 << 30
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # the eye's weights of red, green and blue (ITU-R BT.601)
_NOT_READ = "This TIFF file is damaged, or packed in a way that is not read here. Export it uncompressed."
_MIN_IS_WHITE, _UNCOMPRESSED = 0, 1


def read_slices(path: str | Path) -> Volume:
    """The picture as a `Volume` of unknown spacing; the pages of a TIFF are its slices. Raises InputError."""
    path = Path(path)
    kind = sniff(path)
    data = read_limited(path, MAX_BYTES)
    notes: list[Notice] = []
    values = _pages(data, notes) if kind == "tiff" else _picture(data, notes)[None]
    values, unit, mended = finished(values, None)
    return Volume(values, (None, None, None), unit, "", "picture" if kind == "unknown" else kind, (*notes, *mended))


def _picture(data: bytes, notes: list[Notice]) -> Array:
    """One picture (rows, columns) in the numbers that are stored: up to 255, or up to 65535 where it has sixteen bits."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                wide, high = image.size
                deep = image.mode.startswith("I")
        except Exception:  # `decoded` says in a sentence what is wrong
            wide = high = 0
            deep = False
    if wide:
        check_size(1, high, wide)
    colours, told = decoded(data)
    notes += told
    return _grey(colours * (65535 if deep else 255), notes)


def _pages(data: bytes, notes: list[Notice]) -> Array:
    """The pages of a TIFF (slices, rows, columns): those that have the size of the first."""
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)  # it logs every odd tag; the sentences below say it better
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the decoders' own
        try:
            return _stacked(data, notes)
        except InputError:
            raise
        except Exception:  # whatever a stranger's bytes make a decoder raise, the user reads one sentence
            raise InputError(_NOT_READ) from None


def _stacked(data: bytes, notes: list[Notice]) -> Array:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        pages: list[Any] = []
        places: set[int] = set()
        for i, page in enumerate(file.pages):
            if i == MAX_SLICES:
                raise InputError(f"This TIFF file holds more than {MAX_SLICES:,} pages; give a part of it.")
            if page.offset in places:  # a chain of pages that bites its own tail
                raise InputError(_NOT_READ)
            places.add(page.offset)
            pages.append(page if i == 0 else page.aspage())
        first = pages[0]
        shape, dtype = first.shape, first.dtype
        if len(shape) not in (2, 3) or dtype is None or dtype.kind not in "biuf":
            raise InputError("This TIFF file holds no grey values in rows and columns; export it as plain grey, 8 or 16 bits.")
        same = [i for i, page in enumerate(pages) if page.shape == shape and page.dtype == dtype]
        check_size(len(same), first.imagelength, first.imagewidth)
        if int(np.prod(shape)) > 4 * MOST * MOST:
            raise InputError("This TIFF file claims more values than are read here; export it as plain grey.")
        if first.compression == _UNCOMPRESSED:
            read: Iterator[Array] = (np.asarray(pages[i].asarray()) for i in same)
            white = int(first.photometric) == _MIN_IS_WHITE and dtype.kind == "u"
        else:
            read, white = _unpacked(data, same), False
        out = np.empty((len(same), first.imagelength, first.imagewidth), np.float32)
        for i, values in enumerate(read):
            # Notes on colours of one page hold for all.
            grey = _grey(_last_is_colour(values, out.shape[1:]), notes if i == 0 else [])
            out[i] = np.iinfo(dtype).max - grey if white else grey
    if white:
        notes.append(Notice("inverted", "In this file white is the least value; the values are inverted."))
    if len(same) < len(pages):
        notes.append(Notice("left_out", f"{len(pages) - len(same):,} pages of another size or type are left out."))
    return out


def _unpacked(data: bytes, wanted: list[int]) -> Iterator[Array]:
    """Pages of a compressed TIFF by Pillow, whose decoder never unpacks more than the page's size."""
    from PIL import Image

    with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
        for i in wanted:
            image.seek(i)
            plain = image.mode in ("L", "RGB", "F") or image.mode.startswith("I")
            yield np.asarray(image if plain else image.convert("RGB"))


def _last_is_colour(page: Array, size: tuple[int, ...]) -> Array:
    page = np.squeeze(page) if page.ndim > 3 else page
    if page.ndim == 3 and page.shape[1:] == size and page.shape[2] > 4:
        page = np.moveaxis(page, 0, 2)
    if page.shape[:2] != size or (page.ndim == 3 and page.shape[2] > 4):
        raise InputError("This TIFF file holds no grey values in rows and columns; export it as plain grey, 8 or 16 bits.")
    return page


def _grey(values: Array, notes: list[Notice]) -> Array:
    """Grey values of a picture (rows, columns) or (rows, columns, channels)."""
    values = np.asarray(values, np.float32)
    if values.ndim == 2:
        return values
    colours = values[..., :3] if values.shape[2] >= 3 else values[..., :1]
    if colours.shape[2] == 1 or (np.ptp(colours, axis=2) <= 1e-3 * max(float(np.abs(colours).max()), 1e-6)).all():
        return np.ascontiguousarray(colours[..., 0])
    notes.append(Notice("colours", "This picture is in colour; its brightness is read, colours weighed as by the eye."))
    return colours @ _LUMA
