"""Arrays and pictures as tomography images, and the square that is made of a slice."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from gen_core.errors import InputError
from gen_core.inputs.square import center_square
from gen_core.inputs.volumes import AIR, Volume, read_volume

RNG = np.random.default_rng(2)
STACK = RNG.normal(100, 20, (4, 16, 20)).astype(np.float32)
BODY = np.full((3, 40, 60), -1000.0)
BODY[:, 10:30, 20:50] = 40


def codes(volume: Volume) -> set[str]:
    return {note.code for note in volume.notes}


@pytest.mark.parametrize("kind", ["f8", "f4", "f2", "i2", ">i4", "u1", "b1"])
def test_arrays_of_two_and_three_dimensions(tmp_path: Path, kind: str) -> None:
    values = STACK.astype(kind)
    np.save(tmp_path / "a.npy", values)
    np.save(tmp_path / "b.npy", np.asfortranarray(values[0]))
    volume = read_volume(tmp_path / "a.npy")
    assert np.array_equal(volume.values, values.astype(np.float32))
    assert (volume.spacing, volume.unit, volume.plane) == ((None, None, None), "stored values", "")
    assert np.array_equal(read_volume(tmp_path / "b.npy").values, values[:1].astype(np.float32))


def test_numbers_with_the_range_of_ct_are_in_hu_and_padding_is_air(tmp_path: Path) -> None:
    values = BODY.copy()
    values[0, 0] = -2000
    np.save(tmp_path / "a.npy", values)
    volume = read_volume(tmp_path / "a.npy")
    assert volume.unit == "HU"
    assert volume.values.min() == AIR
    assert codes(volume) == {"taken_as_hu", "padding"}


def test_which_array_of_an_npz(tmp_path: Path) -> None:
    large = np.zeros((5, 30, 30))
    np.savez(tmp_path / "a.npz", angles=np.arange(9), other=large, truth=STACK)
    volume = read_volume(tmp_path / "a.npz")
    assert np.array_equal(volume.values, STACK)
    assert "one_of_several" in codes(volume)
    np.savez_compressed(tmp_path / "b.npz", small=STACK, large=large)
    assert read_volume(tmp_path / "b.npz").values.shape == large.shape
    np.savez(tmp_path / "c.npz", a=np.arange(9), b=np.float64(3))
    with pytest.raises(InputError, match="no array of two or three dimensions"):
        read_volume(tmp_path / "c.npz")


def test_arrays_that_are_not_opened(tmp_path: Path) -> None:
    cases = {
        "objects": (np.array([[{}, 1]] * 9, dtype=object), "Python objects"),
        "complex": (STACK[0] * 1j, "complex"),
        "texts": (np.full((9, 9), "a"), "no plain numbers"),
        "records": (np.zeros((9, 9), dtype=[("a", "f4")]), "no plain numbers"),
        "four": (np.zeros((2, 2, 9, 9)), "4 dimensions"),
        "one": (np.zeros(99), "1 dimensions"),
        "pixel": (np.zeros((1, 1)), "1 by 1 pixels"),
        "empty": (np.zeros((0, 9, 9)), "empty"),
        "nan": (np.full((9, 9), np.nan), "No value"),
    }
    for name, (values, sentence) in cases.items():
        np.save(tmp_path / "a.npy", values, allow_pickle=True)
        with pytest.raises(InputError, match=sentence):
            read_volume(tmp_path / "a.npy")
        if name in ("objects", "complex"):
            np.savez(tmp_path / "a.npz", image=values)
            with pytest.raises(InputError, match=sentence):
                read_volume(tmp_path / "a.npz")


def test_an_array_that_claims_more_than_is_there(tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros((9, 9)))
    content = stream.getvalue()
    claims = {b"(4096, 4096)": "damaged", b"(8192, 8192)": "8,192 by 8,192", b"(9999, 999, 999)": "claims 74 GiB"}
    for shape, sentence in claims.items():
        claimed = content.replace(b"(9, 9), }" + b" " * (len(shape) - 6), shape + b", }")
        assert claimed != content
        (tmp_path / "a.npy").write_bytes(claimed)
        with pytest.raises(InputError, match=sentence):
            read_volume(tmp_path / "a.npy")
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr("image.npy", claimed)
        with pytest.raises(InputError):
            read_volume(tmp_path / "a.npz")
    for header in (b"(" * 300, b"__import__('os')", b"{'descr': '<f8'}", b"\xff\xff"):
        (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + b"\0" * 99)
        with pytest.raises(InputError, match="damaged"):
            read_volume(tmp_path / "a.npy")


def test_pictures_keep_the_numbers_they_store(tmp_path: Path) -> None:
    grey = RNG.integers(0, 256, (12, 15), dtype=np.uint8)
    deep = RNG.integers(0, 65536, (12, 15), dtype=np.uint16)
    Image.fromarray(grey).save(tmp_path / "grey.png")
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.fromarray(grey).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(grey).save(tmp_path / "grey.bmp")
    Image.fromarray(np.dstack([grey] * 3 + [np.full_like(grey, 255)])).save(tmp_path / "alpha.png")
    for name in ("grey.png", "deep.png", "palette.png", "grey.bmp", "alpha.png"):
        expected = deep if name == "deep.png" else grey
        volume = read_volume(tmp_path / name)
        assert np.abs(volume.values[0] - expected).max() < 0.01, name
        assert volume.unit == "stored values"
    Image.fromarray(np.kron(grey, np.ones((8, 8), np.uint8))).save(tmp_path / "a.jpg", quality=95)
    assert read_volume(tmp_path / "a.jpg").values.shape == (1, 96, 120)
    Image.fromarray(np.dstack([grey, grey // 2, grey // 4])).save(tmp_path / "colour.png")
    assert "colours" in codes(read_volume(tmp_path / "colour.png"))


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("kind", ["u1", "u2", "f4"])
def test_pages_of_a_tiff_are_slices(tmp_path: Path, compression: str | None, kind: str) -> None:
    values = STACK.astype(kind)
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="minisblack", compression=compression, metadata=None)
    assert np.array_equal(read_volume(tmp_path / "a.tif").values, values)


def test_tiff_of_signed_numbers_of_pages_that_differ_and_of_inverted_grey(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "hu.tif", BODY.astype(np.int16), photometric="minisblack")
    volume = read_volume(tmp_path / "hu.tif")
    assert np.array_equal(volume.values, BODY)
    assert volume.unit == "HU"
    with tifffile.TiffWriter(tmp_path / "b.tif") as writer:
        for page in (STACK[0], STACK[1], STACK[0, :9]):
            writer.write(page, photometric="minisblack", metadata=None)
    volume = read_volume(tmp_path / "b.tif")
    assert np.array_equal(volume.values, STACK[:2])
    assert "left_out" in codes(volume)
    tifffile.imwrite(tmp_path / "c.tif", STACK[0].astype(np.uint8), photometric="miniswhite")
    assert np.array_equal(read_volume(tmp_path / "c.tif").values[0], 255 - STACK[0].astype(np.uint8))


def test_a_tiff_whose_last_page_names_an_earlier_one_as_the_next_is_refused_at_once(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((3, 20, 20), np.uint8), photometric="minisblack", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        first, last = file.pages[0].offset, file.pages[2].offset
    content = bytearray((tmp_path / "a.tif").read_bytes())
    end = last + 2 + 12 * int.from_bytes(content[last : last + 2], "little")
    assert content[end : end + 4] == bytes(4)  # there is no next page
    content[end : end + 4] = first.to_bytes(4, "little")
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):  # and not that it holds more than 32,768 pages
        read_volume(tmp_path / "a.tif")


def test_what_is_too_large_too_small_or_something_else(tmp_path: Path) -> None:
    Image.new("L", (8192, 8192)).save(tmp_path / "large.png")
    Image.new("L", (1, 1)).save(tmp_path / "small.png")
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    (tmp_path / "a.bin").write_bytes(b"\1\2\3\4" * 99)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "nothing")
    for name, sentence in (("large.png", "8,192 by 8,192"), ("small.png", "1 by 1"), ("empty", "empty"), ("a.csv", "a table"),
                           ("a.bin", "no picture"), ("a.zip", "neither DICOM"), ("missing", "There is no file")):  # fmt: skip
        with pytest.raises(InputError, match=sentence):
            read_volume(tmp_path / name)


def volume_of(values: np.ndarray, spacing: tuple[float | None, ...] = (2.0, 1.0, 1.0), unit: str = "HU") -> Volume:
    return Volume(np.asarray(values, np.float32), spacing, unit, "axial", "npy")  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [64, 100, 512])
@pytest.mark.parametrize("spacing", [(2.0, 1.0, 1.0), (2.0, 1.5, 0.7), (None, None, None)])
def test_the_mean_is_kept(size: int, spacing: tuple[float | None, ...]) -> None:
    rng = np.random.default_rng(size)
    values = BODY.copy()
    values[1, 12:28, 22:48] += rng.normal(0, 100, (16, 26))
    volume = volume_of(values, spacing)
    square = center_square(volume, 1, size)
    assert square.values.shape == (size, size)
    high, wide = (spacing[1] or 1.0, spacing[2] or 1.0)
    mass = float((volume.values[1].astype(float) - AIR).sum()) * high * wide
    # All of the body is inside; the air around it lies 24 HU above what is put outside of the slice.
    row, column, rows, columns = square.place
    inside = [max(0, min(middle + side / 2, length) - max(middle - side / 2, 0))
              for middle, side, length in ((row, rows, 40), (column, columns, 60))]  # fmt: skip
    outside = (40 * 60 - inside[0] * inside[1]) * high * wide * (-1000 - AIR)
    pixel = columns * wide / size
    assert float((square.values.astype(float) - AIR).sum()) * pixel**2 == pytest.approx(mass - outside, rel=1e-4)
    assert (square.pixel is None) == (spacing[1] is None)
    if square.pixel is not None:
        assert square.pixel == pytest.approx(pixel)


def test_the_circle_in_the_square_holds_the_body_and_pixels_are_square_in_mm() -> None:
    square = center_square(volume_of(BODY, (2.0, 1.5, 0.75)), 0, 256)
    body = np.argwhere(square.values > -400) + 0.5
    assert np.hypot(*(body - 128).T).max() <= 128
    assert square.pixel is not None
    size = (np.ptp(body, axis=0) + 1) * square.pixel
    assert size == pytest.approx((20 * 1.5, 30 * 0.75), rel=0.02)
    assert np.abs(body.mean(0) - 128).max() < 1


def test_whole_halves_exactly() -> None:
    values = RNG.normal(0, 100, (1, 128, 128))
    square = center_square(volume_of(values), 0, 64, whole=True)
    assert np.allclose(square.values, values[0].reshape(64, 2, 64, 2).mean((1, 3)), atol=1e-3)
    assert square.pixel == 2
    text = " ".join(note.text for note in square.notes)
    assert "128 by 128 pixels of 1 mm" in text
    assert "Details finer than 4 mm are lost; the file resolves 2 mm." in text


def test_notes_of_a_square() -> None:
    told = {note.code for note in center_square(volume_of(BODY, (None, None, None)), 0, 512).notes}
    assert told == {"resampled", "no_detail_gained", "no_spacing"}
    told = [note.text for note in center_square(volume_of(BODY, (None, None, None)), 0, 512).notes]
    assert not any("of 1 of" in text for text in told)  # a pixel is no unit of itself
    same = center_square(volume_of(np.eye(64)[None] * 1000, (None, None, None)), 0, 64, whole=True)
    assert {note.code for note in same.notes} == {"no_spacing"}  # nothing was resampled
    flat = center_square(volume_of(np.zeros((1, 30, 50)), unit="stored values"), 0, 64)
    assert np.allclose(flat.values, 0)
    for slice_, size, sentence in ((3, 64, "no slice 3"), (-1, 64, "no slice"), (0, 32, "64 to 512"), (0, 1024, "64 to 512")):
        with pytest.raises(InputError, match=sentence):
            center_square(volume_of(BODY), slice_, size)


def test_real_slices_fit(data_folder: Path) -> None:
    volume = read_volume(data_folder / "tomography/totalsegmentator_trunk_3mm.nii.gz")
    for index in (5, 56, 110):
        square = center_square(volume, index, 128)
        assert square.pixel is not None
        assert 2 < square.pixel < 5
        assert square.values.max() > 200
