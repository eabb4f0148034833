"""NIfTI images against nibabel: values, orientation, and files that claim or lose things."""

from __future__ import annotations

import gzip
import random
import struct
from pathlib import Path

import nibabel
import numpy as np
import pytest

from gen_core.errors import InputError
from gen_core.inputs.square import center_square
from gen_core.inputs.volumes import Volume, read_volume

RNG = np.random.default_rng(11)
VALUES = np.round(RNG.normal(0, 300, (9, 11, 10))).clip(-1024).astype(np.int16)
VALUES[0] = -1000
VALUES[1, :5] = -1000


def save(path: Path, values: np.ndarray, version: int = 1, slope: float = 1, inter: float = 0) -> Path:
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    image = kind(values, np.diag([2.0, 3.0, 4.0, 1.0]))
    if (slope, inter) != (1, 0):
        image.header.set_slope_inter(slope, inter)
    nibabel.save(image, path)
    return path


def as_seen(path: Path) -> np.ndarray:
    """What radiologists see, by nibabel: (slices to the head, rows to the back, columns to the left)."""
    image = nibabel.as_closest_canonical(nibabel.load(path))
    return np.asarray(image.dataobj)[::-1, ::-1].transpose(2, 1, 0)


def codes(volume: Volume) -> set[str]:
    return {note.code for note in volume.notes}


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("version", [1, 2])
def test_both_versions_plain_and_packed(tmp_path: Path, name: str, version: int) -> None:
    path = save(tmp_path / name, VALUES, version=version)
    volume = read_volume(path)
    assert np.array_equal(volume.values, as_seen(path))
    assert (volume.unit, volume.plane, volume.spacing, volume.kind) == ("HU", "axial", (4, 3, 2), "nifti")
    assert codes(volume) == {"taken_as_hu"}


@pytest.mark.parametrize("axes", ["RAS", "LPS", "LAS", "RPI", "ASR", "SLP", "PIR", "IRA"])
def test_every_orientation_is_turned_to_the_same_picture(tmp_path: Path, axes: str) -> None:
    orientation = nibabel.orientations.axcodes2ornt(axes)
    canonical = nibabel.Nifti1Image(VALUES, np.array([[2, 0, 0, -7], [0, 3, 0, 5], [0, 0, 4, 9], [0, 0, 0, 1.0]]))
    turn = nibabel.orientations.ornt_transform(nibabel.orientations.axcodes2ornt("RAS"), orientation)
    image = canonical.as_reoriented(turn)
    assert "".join(nibabel.aff2axcodes(image.affine)) == axes
    nibabel.save(image, tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert np.array_equal(volume.values, VALUES[::-1, ::-1].transpose(2, 1, 0))
    assert volume.spacing == (4, 3, 2)
    assert volume.affine is not None
    # The place of a voxel does not depend on how it is stored: voxel (1, 2, 3) of the canonical image.
    assert np.allclose(volume.affine @ (8 - 1, 10 - 2, 3, 1), canonical.affine @ (1, 2, 3, 1))


@pytest.mark.parametrize("form", ["qform", "none", "broken"])
def test_the_forms_of_a_header(tmp_path: Path, form: str) -> None:
    turn = np.radians(12)
    affine = np.array([[-np.cos(turn), np.sin(turn), 0, 3], [np.sin(turn), np.cos(turn), 0, 4], [0, 0, 1, 5], [0, 0, 0, 1]])
    affine[:3, :3] *= (1.5, 2.5, 3.5)
    image = nibabel.Nifti1Image(VALUES, affine)
    image.set_qform(affine, 1 if form == "qform" else 0)
    image.set_sform(affine * 0 if form == "broken" else affine, 1 if form == "broken" else 0)
    nibabel.save(image, tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == pytest.approx((3.5, 2.5, 1.5), rel=1e-5)
    if form == "qform":
        assert np.array_equal(volume.values, as_seen(tmp_path / "a.nii"))
        assert "tilted" in codes(volume)
    else:
        assert volume.affine is None
        assert volume.plane == ""
        assert "no_orientation" in codes(volume)
        assert np.array_equal(volume.values, VALUES.transpose(2, 1, 0))


def test_a_spacing_that_is_none_is_unknown_and_the_square_still_has_numbers(tmp_path: Path) -> None:
    content = bytearray(save(tmp_path / "a.nii", VALUES, version=2).read_bytes())
    content[344:352] = bytes(8)  # neither qform nor sform
    content[112:120] = struct.pack("<d", 2e-314)
    (tmp_path / "a.nii").write_bytes(content)
    volume = read_volume(tmp_path / "a.nii")
    assert volume.spacing == (4, 3, None)
    assert np.isfinite(center_square(volume, 4, 64).values).all()


def test_one_slice_of_another_plane_stays_that_plane(tmp_path: Path) -> None:
    for axis, plane in ((0, "sagittal"), (1, "coronal"), (2, "axial")):
        one = np.take(VALUES, [4], axis)
        volume = read_volume(save(tmp_path / f"{axis}.nii", one))
        assert (volume.plane, len(volume)) == (plane, 1)
        flat = one.squeeze()
        # Each is stored along right, front and head; a picture has the head or the front at its top.
        assert np.array_equal(volume.values[0], flat[::-1, ::-1].T)


def test_slope_and_intercept(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii", VALUES, slope=0.5, inter=-100)
    assert np.array_equal(read_volume(path).values, np.asarray(nibabel.load(path).dataobj)[::-1, ::-1].transpose(2, 1, 0))


def test_of_several_volumes_the_first(tmp_path: Path) -> None:
    path = save(tmp_path / "a.nii.gz", np.stack([VALUES, VALUES + 1, VALUES + 2], -1))
    volume = read_volume(path)
    assert np.array_equal(volume.values, as_seen(save(tmp_path / "b.nii", VALUES)))
    assert "first_volume" in codes(volume)


def test_nan_becomes_air_and_nothing_but_nan_is_refused(tmp_path: Path) -> None:
    values = VALUES.astype(np.float32)
    values[3, 3, :3] = np.nan, np.inf, -np.inf
    volume = read_volume(save(tmp_path / "a.nii", values))
    assert (volume.values[:3, 7, 5] == -1024).all()
    assert "not_numbers" in codes(volume)
    low = read_volume(save(tmp_path / "b.nii", np.where(np.isfinite(values), np.abs(values) + 5, np.nan)))
    assert low.unit == "stored values"
    assert low.values[0, 7, 5] == low.values.min()
    with pytest.raises(InputError, match="No value in this image is a number"):
        read_volume(save(tmp_path / "c.nii", values * np.nan))


@pytest.mark.parametrize("kind", ["u1", "i1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_types_of_numbers_in_both_byte_orders(tmp_path: Path, kind: str, order: str) -> None:
    values = RNG.integers(0, 100, (8, 9, 10)).astype(kind)
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(np.dtype(order + kind))
    header.set_data_shape(values.shape)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4), header), tmp_path / "a.nii")
    volume = read_volume(tmp_path / "a.nii")
    assert np.array_equal(volume.values, as_seen(tmp_path / "a.nii"))
    assert volume.unit == "stored values"


def test_the_real_trunk(data_folder: Path) -> None:
    path = data_folder / "tomography/totalsegmentator_trunk_3mm.nii.gz"
    volume = read_volume(path)
    assert (volume.values.shape, volume.unit, volume.spacing) == ((112, 101, 122), "HU", pytest.approx((3, 3, 3)))
    assert np.abs(volume.values - np.maximum(as_seen(path), -1024)).max() < 1e-3
    bone = np.argwhere(volume.values[60] > 250)
    assert bone[:, 0].mean() > np.argwhere(volume.values[60] > -400)[:, 0].mean()  # the spine is at the bottom


def test_what_is_not_read_is_told(tmp_path: Path) -> None:
    whole = bytearray(save(tmp_path / "a.nii", VALUES).read_bytes())

    def changed(at: int, content: bytes) -> bytes:
        return bytes(whole[:at] + content + whole[at + len(content) :])

    cases = {
        bytes(whole[:-50]): "cut short: 1,930 of 1,980",
        gzip.compress(bytes(whole[:-50]), mtime=0): "cut short",
        gzip.compress(bytes(whole), mtime=0)[:-900]: "cut short",
        changed(70, (32).to_bytes(2, "little")): "complex",
        changed(70, (128).to_bytes(2, "little")): "colours",
        changed(70, (77).to_bytes(2, "little")): "damaged",
        changed(40, b"\0\0"): "damaged",
        changed(42, b"\xff\xff"): "damaged",
        changed(42, (20_000).to_bytes(2, "little")): "20,000",
        changed(42, b"\1\0\1\0\1\0"): "1 by 1 pixels",
        changed(42, (4000).to_bytes(2, "little") * 3): "4,000 slices",
        changed(344, b"ni1\0"): "pair",
    }
    for i, (content, sentence) in enumerate(cases.items()):
        (tmp_path / f"{i}").write_bytes(content)
        with pytest.raises(InputError, match=sentence):
            read_volume(tmp_path / f"{i}")


def test_flipped_bytes_give_an_image_or_one_sentence(tmp_path: Path) -> None:
    rng = random.Random(9)
    path = tmp_path / "a"
    for version in (1, 2):
        original = save(tmp_path / "whole.nii", VALUES, version=version).read_bytes()
        packed = gzip.compress(original, mtime=0)
        read = 0
        for i in range(150):
            content = bytearray(packed if i % 5 == 0 else original)
            for _ in range(rng.choice((1, 1, 4))):
                content[rng.randrange(min(len(content), 560))] = rng.randrange(256)
            path.write_bytes(content)
            try:
                volume = read_volume(path)
            except InputError:
                continue
            read += 1
            assert np.isfinite(volume.values).all()
        assert read > 20
