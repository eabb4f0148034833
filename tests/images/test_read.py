"""Pictures of the user's: every kind that is read, and every way a file can be wrong, one sentence each."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gen_core.errors import InputError
from gen_core.inputs.images import packed, read_picture, read_pictures

rng = np.random.default_rng(0)
COLOUR = rng.integers(0, 256, (40, 30, 3), np.uint8)
DEEP = rng.integers(0, 65536, (40, 30), np.uint16)


def png(array: np.ndarray, **more: object) -> bytes:
    out = io.BytesIO()
    Image.fromarray(array).save(out, "PNG", **more)
    return out.getvalue()


def claim(wide: int, high: int) -> bytes:
    """A PNG that claims a size and holds nothing."""
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))  # noqa: E731
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")


def put(tmp_path: Path, data: bytes, name: str = "a.png") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_eight_bit_colour_is_read_as_it_is(tmp_path: Path) -> None:
    image, notices = read_picture(put(tmp_path, png(COLOUR)))
    np.testing.assert_allclose(image, COLOUR / 255, atol=1e-6)
    assert notices == ()
    assert read_picture(put(tmp_path, png(COLOUR)), 64)[0].shape == (64, 64, 3)


def test_sixteen_bits_stay_sixteen(tmp_path: Path) -> None:
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "grey.tif", DEEP)
    tifffile.imwrite(tmp_path / "colour.tif", np.stack([DEEP] * 3, 2), photometric="rgb")
    for path in (put(tmp_path, png(DEEP)), tmp_path / "grey.tif", tmp_path / "colour.tif"):
        image, _ = read_picture(path)
        assert image.shape == (40, 30, 3)
        np.testing.assert_allclose(image[..., 0], DEEP / 65535, atol=1e-6)


def test_a_claim_that_its_bytes_cannot_hold_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    tracemalloc.start()
    with pytest.raises(InputError, match="damaged or cut short"):
        read_picture(put(tmp_path, claim(24, 1_048_600)))
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    flat = np.zeros((3000, 3000), np.uint8)  # packs to a thousandth, and is what it says
    assert read_picture(put(tmp_path, png(flat)), 64)[0].shape == (64, 64, 3)
    out = io.BytesIO()
    Image.fromarray(flat > 0).save(out, "PNG", optimize=True)
    assert read_picture(put(tmp_path, out.getvalue()), 64)[0].shape == (64, 64, 3)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGB"])
def test_other_kinds_of_pixels(tmp_path: Path, mode: str) -> None:
    out = io.BytesIO()
    Image.fromarray(COLOUR).convert(mode).save(out, "PNG")
    image, _ = read_picture(put(tmp_path, out.getvalue()), 16)
    assert image.shape == (16, 16, 3)
    assert 0 <= image.min() <= image.max() <= 1


def test_jpeg_cmyk_alpha_and_animations_say_what_was_done(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(COLOUR).convert("CMYK").save(out, "JPEG")
    assert "CMYK" in read_picture(put(tmp_path, out.getvalue()))[1][0].text
    clear = np.dstack([COLOUR, np.zeros((40, 30), np.uint8)])
    image, notices = read_picture(put(tmp_path, png(clear)))
    assert "transparent" in notices[0].text
    np.testing.assert_allclose(image, 1)
    out = io.BytesIO()
    Image.fromarray(COLOUR).save(out, "GIF", save_all=True, append_images=[Image.fromarray(COLOUR[::-1])])
    image, notices = read_picture(put(tmp_path, out.getvalue()))
    assert notices[0].code == "first_frame"
    assert np.abs(image - COLOUR / 255).mean() < np.abs(image[::-1] - COLOUR / 255).mean()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (png(COLOUR)[:200], "damaged or cut short"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "damaged"),
        (claim(30_000, 30_000), "million pixels"),
        (claim(2**31 - 1, 2**31 - 1), "pixels"),
        (png(COLOUR[:1, :1]), "1 by 1 pixels"),
        (b"hello, I am a text", "no picture"),
        (b"II*\0" + b"\xff" * 60, "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture"),
    ],
)
def test_what_is_no_picture_is_said_in_one_sentence(tmp_path: Path, data: bytes, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence) as caught:
        read_picture(put(tmp_path, data))
    assert len(str(caught.value).splitlines()) == 1


def pack(path: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_a_zip_of_pictures_leaves_out_what_cannot_be_read(tmp_path: Path) -> None:
    members = {"b/1.png": png(COLOUR), "2.png": png(COLOUR[::-1]), "bad.png": b"x", "notes.txt": b"y", "__MACOSX/2.png": b"z"}
    found = read_pictures(pack(tmp_path / "a.zip", members), 16)
    assert found.images.shape == (2, 16, 16, 3)
    assert found.images.dtype == np.uint8
    assert "1 of 3 pictures were left out" in found.notices[-1].text
    tiles = read_pictures(pack(tmp_path / "t.zip", {"a.png": png(COLOUR)}), 10, tiles=True).images
    assert len(tiles) == 4 * 3
    np.testing.assert_array_equal(tiles[1], COLOUR[:10, 10:20])


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"../outside.png": png(COLOUR)}, "leads out of the archive"),
        ({"a.txt": b"x"}, "no PNG, JPEG or TIFF"),
        ({"a.png": b"x"}, "no picture that can be read"),
        ({"a.png": b"\0" * (257 << 20)}, "made to mislead|no picture"),
    ],
)
def test_zips_that_are_wrong(tmp_path: Path, members: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        read_pictures(pack(tmp_path / "a.zip", members), 16)


def test_what_is_no_zip(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a zip"):
        read_pictures(put(tmp_path, png(COLOUR)), 16)


def test_a_folder_is_packed_the_same_way_twice_and_links_are_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "f"
    folder.mkdir()
    put(folder, png(COLOUR), "1.png")
    put(tmp_path, png(COLOUR), "secret.png")
    (folder / "2.png").symlink_to(tmp_path / "secret.png")
    assert packed(folder).getvalue() == packed(folder).getvalue()
    assert zipfile.ZipFile(packed(folder)).namelist() == ["1.png"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no picture"):
        packed(tmp_path / "none")
