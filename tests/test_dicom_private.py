"""Nothing that names a patient is kept: not in a volume, a note, an error, a warning, a log line, or the copy for the store."""

from __future__ import annotations

import io
import logging
import random
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.datadict import tag_for_keyword
from pydicom.uid import RLELossless

from gen_core.errors import InputError
from gen_core.inputs.deidentify import deidentified
from gen_core.inputs.volumes import Volume, read_volume
from tests.dicoms import STORED, ct, saved, series

NAME = "ZORBLATT"  # in no word of the standard's
TEXTS = {"PN", "LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE", "UR"}
LONGEST = {"SH": 16, "CS": 16, "AE": 16}


def everywhere() -> Dataset:
    """A CT slice with a name in every element of text that the standard has, in private blocks, nested, and behind its pixels."""
    image = ct()
    for tag, (kind, _, _, retired, keyword) in pydicom.datadict.DicomDictionary.items():
        usual = tag >> 16 not in (0, 2, 4) and tag not in (0x00080005, 0x00280004, 0x00080060)  # those have words of their own
        if keyword and not retired and kind in TEXTS and usual:
            image.add_new(tag, kind, NAME[: LONGEST.get(kind, 64)])
    for keyword, kind in (("PatientBirthDate", "DA"), ("StudyDate", "DA"), ("PatientAge", "AS")):
        image.add_new(tag_for_keyword(keyword) or 0, kind, "19470711" if kind == "DA" else "047Y")
    inner = Dataset()
    inner.PatientName, inner.ImagePositionPatient = NAME, [1, 2, 3]
    inner.private_block(0x0029, NAME, create=True).add_new(1, "LO", NAME)
    outer = Dataset()
    outer.ReferencedImageSequence = [inner]
    outer.PatientID = NAME
    image.ReferencedStudySequence = [outer]
    image.OtherPatientIDsSequence = [inner]
    group = Dataset()
    group.FrameContentSequence = [inner]
    group.PatientName = NAME
    image.SharedFunctionalGroupsSequence = [group]
    block = image.private_block(0x0009, NAME, create=True)
    block.add_new(1, "UN", NAME.encode())
    block.add_new(2, "SQ", [outer])
    for tag in (0x60004000, 0xFFFCFFFC):
        image.add_new(tag, "OB", NAME.encode())
    image.StudyInstanceUID = image.SeriesInstanceUID = "1.2.840.99.19470711"
    image.AccessionNumber = NAME
    image.RescaleType = NAME
    image.ImageType = ["ORIGINAL", NAME]
    image.preamble = (NAME * 16)[:128].encode()
    return image


def spoken(volume: Volume) -> str:
    return f"{volume.notes} {volume.orientation} {volume.plane} {volume.unit} {volume.kind} {volume.edges} {volume.spacing}"


def test_no_byte_of_a_name_is_in_the_copy(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.dcm"
    path.write_bytes(saved(everywhere()))
    assert path.read_bytes().count(NAME.encode()) > 500
    copy = deidentified(path)
    assert isinstance(copy, bytes)
    for word in (NAME, "19470711", "1.2.840.99", "4711", "Doe"):
        assert word.encode() not in copy
    volume = read_volume(path)
    assert NAME not in spoken(volume)
    (tmp_path / "copy").write_bytes(copy)
    again = read_volume(tmp_path / "copy")
    assert np.array_equal(again.values, volume.values)
    image = pydicom.dcmread(io.BytesIO(copy))
    assert image.PatientIdentityRemoved == "YES"
    assert image.SOPInstanceUID.startswith("2.25.")
    assert image.SOPInstanceUID == image.file_meta.MediaStorageSOPInstanceUID
    assert image.SOPInstanceUID.is_valid
    assert image.PatientName == ""


def test_the_copy_is_the_same_image_and_the_same_bytes(tmp_path: Path) -> None:
    names = "CT_small MR_small_RLE MR_small_bigendian rtdose J2K_pixelrep_mismatch image_dfl"
    for name in (f"{name}.dcm" for name in names.split()):
        path = Path(get_testdata_file(name, download=False))  # type: ignore[arg-type]
        before, copy = read_volume(path), deidentified(path)
        assert isinstance(copy, bytes)
        (tmp_path / name).write_bytes(copy)
        after = read_volume(tmp_path / name)
        assert np.array_equal(before.values, after.values)
        assert (before.spacing, before.unit, before.plane) == (after.spacing, after.unit, after.plane)
        assert [note.code for note in before.notes] == [note.code for note in after.notes]
        assert copy == deidentified(path)
        assert deidentified(tmp_path / name) == copy  # a copy of a copy is the copy
        image = pydicom.dcmread(tmp_path / name)
        assert image.pixel_array.shape[-2:] == before.values.shape[1:]


def test_names_of_patients_and_files_change_nothing(tmp_path: Path) -> None:
    copies = []
    for name, person in (("first", "Doe^Jane"), ("second", "Roe^Richard")):
        folder = tmp_path / name
        folder.mkdir()
        images = series(SeriesInstanceUID=f"1.2.{len(person)}", PatientName=person)
        for i, image in enumerate(images if name == "first" else images[::-1]):
            (folder / f"{person}{i}.dcm").write_bytes(saved(image))
        copies.append(deidentified(folder))
    assert copies[0] == copies[1]
    (tmp_path / "copy.zip").write_bytes(copies[0] or b"")
    with zipfile.ZipFile(tmp_path / "copy.zip") as archive:
        assert archive.namelist() == [f"{i:05d}.dcm" for i in range(1, 6)]
        images = [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]
    assert len({image.SeriesInstanceUID for image in images}) == 1
    assert len({image.SOPInstanceUID for image in images}) == 5
    before, after = read_volume(tmp_path / "first"), read_volume(tmp_path / "copy.zip")
    assert np.array_equal(before.values, after.values)
    assert before.spacing == after.spacing
    assert before.affine is not None
    assert np.allclose(before.affine, after.affine)


def test_series_stay_apart(tmp_path: Path) -> None:
    for i, image in enumerate([*series(3), *series(2, SeriesInstanceUID="1.2.9")]):
        (tmp_path / f"{i}").write_bytes(saved(image))
    (tmp_path / "copy").write_bytes(deidentified(tmp_path) or b"")
    assert len(read_volume(tmp_path / "copy")) == 3
    assert "one_series" in {note.code for note in read_volume(tmp_path / "copy").notes}


def test_comments_inside_compressed_pixels_and_bits_above_them_are_gone(tmp_path: Path) -> None:
    image = ct()
    image.compress(RLELossless, generate_instance_uid=False)
    frame = next(pydicom.encaps.generate_frames(image.PixelData, number_of_frames=1))
    image.PixelData = pydicom.encaps.encapsulate([frame + NAME.encode()])
    image["PixelData"].is_undefined_length = True
    (tmp_path / "a").write_bytes(saved(image))
    assert NAME.encode() in (tmp_path / "a").read_bytes()
    copy = deidentified(tmp_path / "a")
    assert isinstance(copy, bytes)
    assert NAME.encode() not in copy
    (tmp_path / "b").write_bytes(saved(ct(STORED | 0xF000, BitsStored=12, HighBit=11)))
    assert (pydicom.dcmread(io.BytesIO(deidentified(tmp_path / "b") or b"")).pixel_array == STORED).all()


def test_text_burned_into_the_picture_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(saved(ct(BurnedInAnnotation="YES")))
    (tmp_path / "b").write_bytes(deidentified(tmp_path / "a") or b"")
    for name in ("a", "b"):
        assert "burned_in" in {note.code for note in read_volume(tmp_path / name).notes}


def test_what_is_no_dicom_has_no_copy(tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(b"")
    np.save(tmp_path / "b.npy", STORED)
    for name in ("a.npy", "b.npy", "missing"):
        assert deidentified(tmp_path / name) is None
    (tmp_path / "folder").mkdir()
    assert deidentified(tmp_path / "folder") is None


def test_errors_warnings_and_log_lines_hold_no_value_of_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(3)
    original = saved(everywhere())
    compressed = everywhere()
    compressed.compress(RLELossless, generate_instance_uid=False)
    path = tmp_path / "a"
    said = []
    with warnings.catch_warnings(record=True) as told, caplog.at_level(logging.DEBUG):
        warnings.simplefilter("always")
        for i in range(120):
            content = bytearray(original if i % 2 else saved(compressed) if i < 10 else original)
            for _ in range(rng.choice((1, 5))):
                content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content[: rng.randrange(200, len(content))] if i % 3 == 0 else content)
            for reader in (read_volume, deidentified):
                try:
                    found = reader(path)
                    said.append(spoken(found) if isinstance(found, Volume) else (found or b"").decode("latin-1"))
                except InputError as error:
                    said += [str(error), repr(error.__cause__)]
    said += [str(warning.message) for warning in told] + [record.getMessage() for record in caplog.records]
    out = capsys.readouterr()
    assert len(said) >= 240
    for piece in (NAME, NAME[1:], NAME[:-1]):
        assert piece not in "".join(said) + out.out + out.err
