"""DICOM images: values, order and orientation against pydicom, and whatever hospitals leave out of their files."""

from __future__ import annotations

import random
import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEGLosslessSV1,
    RLELossless,
)

from gen_core.errors import InputError
from gen_core.inputs import dicom_elements
from gen_core.inputs.dicom import holds_dicom
from gen_core.inputs.volumes import MAX_VOXELS, Volume, read_volume
from tests.dicoms import STORED, ct, saved, series

HU = STORED.astype(np.float32) - 1024


def codes(volume: Volume) -> set[str]:
    return {note.code for note in volume.notes}


def read(path: Path, image: Dataset | bytes, bare: bool = False) -> Volume:
    path.write_bytes(image if isinstance(image, bytes) else saved(image, bare))
    return read_volume(path)


def test_a_slice_is_read_in_hounsfield_units_with_its_spacing_and_place(tmp_path: Path) -> None:
    volume = read(tmp_path / "a", ct())
    assert np.array_equal(volume.values[0], HU)
    assert (volume.unit, volume.kind, volume.plane, volume.notes) == ("HU", "dicom", "axial", ())
    assert volume.spacing == (2.0, 0.75, 0.5)
    assert volume.edges == ("R", "L", "A", "P")
    assert volume.affine is not None
    # DICOM's position is to the left and back, the affine's to the right and front.
    assert np.allclose(volume.affine @ (1, 2, 0, 1), (10 - 0.5, 12 - 1.5, 5, 1))


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "image_dfl.dcm",
                                  "MR_small_implicit.dcm", "MR_small_jp2klossless.dcm", "MR_small_expb.dcm", "rtdose.dcm",
                                  "rtdose_rle.dcm", "rtdose_expb.dcm", "examples_overlay.dcm", "liver_1frame.dcm"])  # fmt: skip
def test_values_are_those_that_pydicom_reads(name: str) -> None:
    path = get_testdata_file(name, download=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = pydicom.dcmread(path)
        expected = pydicom.pixels.apply_rescale(image.pixel_array, image)
    expected = expected.reshape(-1, *expected.shape[-2:])
    volume = read_volume(path)
    assert np.array_equal(volume.values, expected.astype(np.float32))
    if "PixelSpacing" in image:
        assert volume.spacing[1:] == pytest.approx(tuple(image.PixelSpacing))


def test_the_real_thorax_lies_as_radiologists_see_it(data_folder: Path) -> None:
    path = data_folder / "tomography/lungmask_thorax.dcm"
    volume, image = read_volume(path), pydicom.dcmread(path)
    assert np.array_equal(volume.values[0], np.maximum(image.pixel_array.astype(np.float32), -1024))
    assert (volume.unit, volume.plane, volume.spacing) == ("HU", "axial", (1.0, 0.625, 0.625))
    assert codes(volume) == {"padding"}
    body, bone = volume.values[0] > -400, volume.values[0] > 300
    assert np.argwhere(bone[:, 200:312])[:, 0].max() > np.argwhere(body)[:, 0].mean()  # the spine is at the bottom


@pytest.mark.parametrize("implicit", [False, True])
def test_no_preamble_and_no_file_header(tmp_path: Path, implicit: bool) -> None:
    image = ct()
    if implicit:
        image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    volume = read(tmp_path / "a.dcm", image, bare=True)
    assert np.array_equal(volume.values[0], HU)
    assert holds_dicom(tmp_path / "a.dcm")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_every_plain_way_of_writing(tmp_path: Path, syntax: pydicom.uid.UID) -> None:
    image = ct()
    image.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        image["PixelData"].value = STORED.astype(">u2").tobytes()
    assert np.array_equal(read(tmp_path / "a", image).values[0], HU)


def test_without_an_intercept_the_values_are_those_stored(tmp_path: Path) -> None:
    volume = read(tmp_path / "a", ct(RescaleIntercept=None, RescaleSlope=None))
    assert np.array_equal(volume.values[0], STORED)
    assert volume.unit == "stored values"
    assert "no_rescale" in codes(volume)


def test_monochrome1_is_inverted(tmp_path: Path) -> None:
    image = ct(4095 - STORED, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    volume = read(tmp_path / "a", image)
    assert np.array_equal(volume.values[0], HU)
    assert "inverted" in codes(volume)


@pytest.mark.parametrize("declared", [True, False])
def test_padding_becomes_air(tmp_path: Path, declared: bool) -> None:
    pixels = STORED.astype(np.int16)
    pixels[:3] = -2000
    image = ct(pixels, RescaleIntercept=0, PixelPaddingValue=-2000) if declared else ct(pixels, RescaleIntercept=0)
    volume = read(tmp_path / "a", image)
    assert volume.values.min() == -1024
    assert (volume.values[0, :3] == -1024).all()
    assert np.array_equal(volume.values[0, 3:], pixels[3:])
    assert "padding" in codes(volume)


def test_padding_of_what_is_not_in_hu_becomes_its_least_value(tmp_path: Path) -> None:
    pixels = STORED.copy()
    pixels[0] = 63536
    volume = read(tmp_path / "a", ct(pixels, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4", PixelPaddingValue=63536,
                                     RescaleIntercept=None, RescaleSlope=None))  # fmt: skip
    assert volume.unit == "stored values"
    assert (volume.values[0, 0] == 24).all()
    assert volume.values.max() == 2300


def test_bits_above_those_stored_are_not_the_pixel(tmp_path: Path) -> None:
    """Old files keep overlays there."""
    image = ct(STORED | 0x8000, BitsStored=12, HighBit=11)
    assert np.array_equal(read(tmp_path / "a", image).values[0], HU)
    signed = (STORED.astype(np.int16) - 1100).astype(np.int16)
    packed = (signed.astype(np.uint16) & 0x0FFF).view(np.int16)
    volume = read(tmp_path / "b", ct(packed, BitsStored=12, HighBit=11, RescaleIntercept=76))
    assert np.array_equal(volume.values[0], HU)


def test_a_series_is_in_order_along_the_body_from_folder_and_zip(tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, image in zip("dbeac", series(), strict=True):
            (folder / name).write_bytes(saved(image))
            archive.writestr(f"deep/{name}.dcm", saved(image))
        archive.writestr("readme.txt", "no image")
    (folder / "notes.txt").write_text("no image")
    for path in (folder, tmp_path / "a.zip"):
        volume = read_volume(path)
        assert volume.values[:, 0, 0].tolist() == [0, 1, 2, 3, 4]
        assert volume.spacing == (2.5, 0.75, 0.5)
        assert codes(volume) == {"left_out"}
        assert holds_dicom(path)


def test_of_several_series_the_largest_is_read(tmp_path: Path) -> None:
    images = [*series(4), *series(2, SeriesInstanceUID="1.2.3.2"), ct(SeriesInstanceUID="1.2.3.1", PixelSpacing=[3, 3])]
    for i, image in enumerate(images):
        (tmp_path / f"{i}").write_bytes(saved(image))
    volume = read_volume(tmp_path)
    assert len(volume) == 4
    assert "one_series" in codes(volume)


def test_missing_doubled_and_unplaced_slices_are_told(tmp_path: Path) -> None:
    gap = [image for i, image in enumerate(series()) if i != 2]
    twice = [*series(3), series(3)[1]]
    unplaced = series(3)
    for image in unplaced:
        del image.ImagePositionPatient
    for name, images, code, count in (("gap", gap, "uneven_slices", 4), ("twice", twice, "same_place", 3),
                                      ("unplaced", unplaced, "no_positions", 3)):  # fmt: skip
        folder = tmp_path / name
        folder.mkdir()
        for i, image in enumerate(images):
            (folder / f"{i}.dcm").write_bytes(saved(image))
        volume = read_volume(folder)
        assert len(volume) == count
        assert code in codes(volume)
    assert read_volume(tmp_path / "unplaced").values[:, 0, 0].tolist() == [2, 1, 0]  # by their numbers


@pytest.mark.parametrize(
    ("orientation", "turn", "plane"),
    [
        ([1, 0, 0, 0, 1, 0], lambda a: a, "axial"),
        ([-1, 0, 0, 0, -1, 0], lambda a: a[::-1, ::-1], "axial"),  # prone
        ([0, 1, 0, 1, 0, 0], lambda a: a.T, "axial"),
        ([1, 0, 0, 0, 0, -1], lambda a: a, "coronal"),
        ([0, 1, 0, 0, 0, -1], lambda a: a, "sagittal"),
        ([0, -1, 0, 0, 0, -1], lambda a: a[:, ::-1], "sagittal"),
        ([0, 0, 1, 1, 0, 0], lambda a: a.T[::-1], "coronal"),
    ],
)
def test_pictures_are_turned_to_the_view_of_radiologists(
    tmp_path: Path, orientation: list[int], turn: object, plane: str
) -> None:
    volume = read(tmp_path / "a", ct(ImageOrientationPatient=orientation))
    assert volume.plane == plane
    assert np.array_equal(volume.values[0], turn(HU))  # type: ignore[operator]
    assert volume.spacing[1:] == ((0.75, 0.5) if volume.values.shape[1:] == HU.shape else (0.5, 0.75))
    assert volume.affine is not None
    # A voxel keeps its place in the body: the brightest one by DICOM's formula (PS3.3, C.7.6.2.1.1), and by the affine.
    row, column = np.unravel_index(np.argmax(HU), HU.shape)
    turned = np.array(orientation, float)
    lps = np.array([-10, -12, 5]) + turned[:3] * 0.5 * column + turned[3:] * 0.75 * row
    slice_, high, wide = np.unravel_index(np.argmax(volume.values), volume.values.shape)
    values = volume.values[slice_, high, wide]
    assert values == HU.max()
    places = [volume.affine @ (w, h, 0, 1) for h, w in np.argwhere(volume.values[0] == values)]
    assert any(np.allclose(place[:3], lps * (-1, -1, 1)) for place in places)


def test_a_tilted_gantry_is_told(tmp_path: Path) -> None:
    turn = np.radians(20)
    volume = read(tmp_path / "a", ct(ImageOrientationPatient=[1, 0, 0, 0, f"{np.cos(turn):.8f}", f"{np.sin(turn):.8f}"]))
    assert "tilted" in codes(volume)
    assert volume.spacing == pytest.approx((2, 0.75, 0.5), rel=1e-5)


def enhanced() -> Dataset:
    """Four frames in one file, each with its own place and intercept, stored from head to feet."""
    frames = np.stack([STORED] * 4)
    frames[:, 0, 0] = [1027, 1026, 1025, 1024]
    image = ct(frames, SOPClassUID=EnhancedCTImageStorage, ImagePositionPatient=None, ImageOrientationPatient=None,
               PixelSpacing=None, RescaleIntercept=None, RescaleSlope=None)  # fmt: skip

    def one(**values: object) -> Dataset:
        item = Dataset()
        for name, value in values.items():
            setattr(item, name, value)
        return item

    shared = Dataset()
    shared.PixelMeasuresSequence = [one(PixelSpacing=[0.75, 0.5], SliceThickness=2)]
    shared.PlaneOrientationSequence = [one(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]
    image.SharedFunctionalGroupsSequence = [shared]
    image.PerFrameFunctionalGroupsSequence = []
    for i in range(4):
        frame = Dataset()
        frame.PlanePositionSequence = [one(ImagePositionPatient=[-10, -12, 100 - 3 * i])]
        frame.PixelValueTransformationSequence = [one(RescaleIntercept=-1024, RescaleSlope=1, RescaleType="HU")]
        image.PerFrameFunctionalGroupsSequence.append(frame)
    return image


@pytest.mark.parametrize("undefined", [False, True])
def test_an_enhanced_file_of_many_frames(tmp_path: Path, undefined: bool) -> None:
    image = enhanced()
    if undefined:
        for item in (image, *image.PerFrameFunctionalGroupsSequence):
            for element in item:
                if element.VR == "SQ":
                    element.is_undefined_length = True
                    for inner in element.value:
                        inner.is_undefined_length_sequence_item = True
    volume = read(tmp_path / "a", image)
    assert volume.values[:, 0, 0].tolist() == [0, 1, 2, 3]
    assert (volume.unit, volume.plane, volume.spacing) == ("HU", "axial", (3.0, 0.75, 0.5))


def test_rle_is_read(tmp_path: Path) -> None:
    image = ct()
    image.compress(RLELossless, generate_instance_uid=False)
    assert np.array_equal(read(tmp_path / "a", image).values[0], HU)
    frames = ct(np.stack([STORED, STORED[::-1]]))
    frames.compress(RLELossless, generate_instance_uid=False)
    assert np.array_equal(read(tmp_path / "b", frames).values, [HU, HU[::-1]])


def floats(name: str, bits: int) -> Dataset:
    image = ct(PixelRepresentation=None, BitsStored=None, HighBit=None)
    del image.PixelData
    values = HU.astype(f"<f{bits // 8}")
    values[5, 5] = np.nan
    image.BitsAllocated = bits
    image.add_new(0x7FE00008 if bits == 32 else 0x7FE00009, "OF" if bits == 32 else "OD", values.tobytes())
    image.RescaleIntercept, image.RescaleSlope = 0, 1
    return image


@pytest.mark.parametrize("bits", [32, 64])
def test_pixels_in_floating_point(tmp_path: Path, bits: int) -> None:
    volume = read(tmp_path / "a", floats("a", bits))
    expected = HU.copy()
    expected[5, 5] = -1024
    assert np.array_equal(volume.values[0], expected)
    assert "not_numbers" in codes(volume)


def test_what_is_not_read_is_told_in_one_sentence(tmp_path: Path) -> None:
    compressed = ct()
    compressed.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    compressed.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    compressed["PixelData"].is_undefined_length = True
    broken = ct()
    broken.compress(RLELossless, generate_instance_uid=False)
    broken.PixelData = pydicom.encaps.encapsulate([b"\0" * 70])
    report = ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    del report.PixelData
    whole = saved(ct())
    cases: list[tuple[Dataset | bytes, str]] = [
        (compressed, "JPEG Lossless.*gdcmconv"),
        (broken, "RLE Lossless"),
        (report, "no image .it is: Basic Text SR"),
        (ct(SamplesPerPixel=3, PhotometricInterpretation="RGB"), "colour"),
        (ct(PhotometricInterpretation="PALETTE COLOR"), "colour"),
        (ct(Rows=None), "how many rows"),
        (ct(Rows=1, Columns=1), "1 by 1 pixels"),
        (ct(Rows=8192, Columns=8192), "8,192 by 8,192"),
        (ct(Rows=4096, Columns=4096, NumberOfFrames=1000), "1,000 slices"),
        (ct(BitsAllocated=12), "12 bits"),
        (whole[:-100], "cut short: 860 of 960"),
        (whole[:400], "cut short"),
        (whole[:480], "cut short"),
        (whole[:150], "cut short"),
        (whole[:132], "ends after its file header"),
    ]
    for i, (content, sentence) in enumerate(cases):
        with pytest.raises(InputError, match=sentence) as caught:
            read(tmp_path / f"{i}", content)
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith((".", "?"))
    assert MAX_VOXELS < 4096 * 4096 * 1000
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no DICOM file in this folder"):
        read_volume(tmp_path / "empty")


def test_claims_do_not_take_memory_or_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = b"\0" * 128 + b"DICM"
    syntax = b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0"
    deep = start + syntax + b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 100_000
    wanted = start + syntax + b"\x28\0\x10\x91SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 100_000
    many = start + syntax + b"\x08\0\x10\0LO\0\0" * 2_000_000
    huge = start + syntax + b"\x08\0\x10\0UT\0\0\xf0\xff\xff\xffx"
    for i, content in enumerate((deep, wanted, many, huge)):
        with pytest.raises(InputError):
            read(tmp_path / f"{i}", content)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = start + syntax.replace(b"\x14\x001.2.840.10008.1.2.1\0", b"\x16\x001.2.840.10008.1.2.1.99")
    bomb += packer.compress(b"\x08\0\x10\0UT\0\0\0\0\xf0\0" + b" " * (4 << 20)) + packer.flush()
    monkeypatch.setattr(dicom_elements, "MAX_INFLATED", 1 << 20)
    with pytest.raises(InputError, match="unpacks to more"):
        read(tmp_path / "bomb", bomb)


def test_flipped_bytes_give_an_image_or_one_sentence(tmp_path: Path) -> None:
    rng = random.Random(7)
    rle = enhanced()
    rle.compress(RLELossless, generate_instance_uid=False)
    path = tmp_path / "a"
    for original in (saved(ct()), saved(enhanced()), saved(rle), saved(ct(), bare=True)):
        refused = 0
        for _ in range(150):
            content = bytearray(original)
            for _ in range(rng.choice((1, 1, 3, 10))):
                # The header is where a byte can do harm.
                content[rng.randrange(min(len(content), 1800))] = rng.randrange(256)
            content = content[: rng.randrange(len(content))] if rng.random() < 0.1 else content
            path.write_bytes(content)
            try:
                volume = read_volume(path)
            except InputError:
                refused += 1
            else:
                assert np.isfinite(volume.values).all()
        assert refused


def test_a_truth_other_than_the_name(tmp_path: Path) -> None:
    (tmp_path / "a.dcm").write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 200)
    assert not holds_dicom(tmp_path / "a.dcm")
    (tmp_path / "b.dcm").write_text("a text file, " * 40)
    assert not holds_dicom(tmp_path / "b.dcm")
    assert not holds_dicom(tmp_path / "missing.dcm")
