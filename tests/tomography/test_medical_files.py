"""Exports as NIfTI and DICOM: other programs read the same values at the same place, and the recipe comes back from both."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import nibabel
import numpy as np
import pydicom
import pytest

from gen_core.errors import OutputError
from gen_core.inputs.deidentify import deidentified
from gen_core.inputs.volumes import read_volume
from gen_core.recipe import Recipe
from gen_core.stamp import read_stamp, stamp
from gen_core.tomography.dicom_file import write_dicom
from gen_core.tomography.nifti_file import write_nifti

RNG = np.random.default_rng(8)
IMAGE = np.round(RNG.normal(0, 400, (40, 32))).astype(np.float32).clip(-1024)
IMAGE[:5] = -1000
DIGEST = "ab" * 32


class Probe(Recipe):
    operation: ClassVar[str] = "test.probe"
    name: str = "probe"


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_nifti_keeps_values_size_and_sides(tmp_path: Path, name: str) -> None:
    stack = np.stack([IMAGE, IMAGE[::-1], IMAGE / 3])
    write_nifti(tmp_path / name, stack, (3.0, 1.5, 0.75))
    first = (tmp_path / name).read_bytes()
    write_nifti(tmp_path / name, stack, (3.0, 1.5, 0.75))
    assert (tmp_path / name).read_bytes() == first
    stamp(tmp_path / name, Probe(seed=3))
    image = nibabel.load(tmp_path / name)
    assert nibabel.aff2axcodes(image.affine) == ("L", "P", "S")
    assert image.header.get_zooms() == (0.75, 1.5, 3.0)
    assert np.array_equal(np.asarray(image.dataobj).transpose(2, 1, 0), stack)
    assert b"not for clinical use" in bytes(image.header["descrip"])
    volume = read_volume(tmp_path / name)
    assert np.array_equal(volume.values, stack)
    assert (volume.spacing, volume.plane) == ((3.0, 1.5, 0.75), "axial")
    assert read_stamp(tmp_path / name)["seed"] == 3
    # The middle of the volume lies at zero.
    assert np.allclose(image.affine @ (15.5, 19.5, 1, 1), (0, 0, 0, 1))


def test_a_volume_that_was_read_is_written_where_it_was(tmp_path: Path, data_folder: Path) -> None:
    source = data_folder / "tomography/totalsegmentator_trunk_3mm.nii.gz"
    volume = read_volume(source)
    write_nifti(tmp_path / "a.nii", volume.values, affine=volume.affine)
    before, after = nibabel.load(source), nibabel.load(tmp_path / "a.nii")
    for place in ((0, 0, 0, 1), (20, 40, 60, 1)):
        index = np.linalg.inv(after.affine) @ before.affine @ place
        expected = max(float(np.asarray(before.dataobj)[place[:3]]), -1024)
        assert np.asarray(after.dataobj)[tuple(np.round(index[:3]).astype(int))] == pytest.approx(expected, abs=1e-3)


def test_dicom_says_in_every_place_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tv.dcm"
    write_dicom(path, IMAGE, DIGEST, "tv", spacing=(3.0, 1.5, 0.75))
    first = path.read_bytes()
    write_dicom(path, IMAGE, DIGEST, "tv", spacing=(3.0, 1.5, 0.75))
    assert path.read_bytes() == first
    stamp(path, Probe(seed=4))
    image = pydicom.dcmread(path)
    assert np.array_equal(pydicom.pixels.apply_modality_lut(image.pixel_array, image), IMAGE)
    assert (image.RescaleSlope, image.RescaleType, image.Modality) == (1, "HU", "CT")
    assert list(image.ImageType[:2]) == ["DERIVED", "SECONDARY"]
    assert image.PixelSpacing == [1.5, 0.75]
    for element in (image.SeriesDescription, image.ImageComments, image.PatientName, image.DerivationDescription):
        assert "not for clinical use" in str(element).lower()
    assert image.BurnedInAnnotation == "NO"
    assert DIGEST in image.DerivationDescription
    assert image.StudyDate == image.StudyTime == image.PatientBirthDate == ""
    for uid in (image.SOPInstanceUID, image.StudyInstanceUID, image.SeriesInstanceUID, image.FrameOfReferenceUID):
        assert uid.is_valid
        assert uid.startswith("2.25.")
    for element in image:
        if element.tag.group != 0x0099:
            pydicom.dataelem.DataElement(element.tag, element.VR, element.value, validation_mode=pydicom.config.RAISE)
    volume = read_volume(path)
    assert np.array_equal(volume.values[0], IMAGE)
    assert (volume.unit, volume.spacing, volume.plane) == ("HU", (3.0, 1.5, 0.75), "axial")
    assert read_stamp(path)["seed"] == 4
    assert deidentified(path)


def test_identifiers_follow_recipe_method_and_slice(tmp_path: Path) -> None:
    def written(name: str, digest: str = DIGEST, number: int = 1) -> pydicom.Dataset:
        write_dicom(tmp_path / "a.dcm", IMAGE, digest, name, number=number)
        return pydicom.dcmread(tmp_path / "a.dcm")

    tv, again, fbp, other = written("tv"), written("tv", number=2), written("fbp"), written("tv", "cd" * 32)
    assert tv.SeriesInstanceUID == again.SeriesInstanceUID != fbp.SeriesInstanceUID
    assert tv.StudyInstanceUID == fbp.StudyInstanceUID != other.StudyInstanceUID
    assert len({image.SOPInstanceUID for image in (tv, again, fbp, other)}) == 4


def test_other_units_and_extremes(tmp_path: Path) -> None:
    values = RNG.random((16, 16)).astype(np.float32)
    write_dicom(tmp_path / "a.dcm", values, DIGEST, "sirt", unit="stored values")
    image = pydicom.dcmread(tmp_path / "a.dcm")
    assert np.abs(pydicom.pixels.apply_modality_lut(image.pixel_array, image) - values).max() < 1e-5
    assert (image.RescaleType, image.Modality) == ("US", "OT")
    assert "PixelSpacing" not in image
    write_dicom(tmp_path / "b.dcm", np.full((16, 16), 1e6), DIGEST, "sirt")
    image = pydicom.dcmread(tmp_path / "b.dcm")
    assert pydicom.pixels.apply_modality_lut(image.pixel_array, image).max() == 32767 - 1024
    write_dicom(tmp_path / "c.dcm", values * 0, DIGEST, "sirt", unit="stored values")
    assert (read_volume(tmp_path / "c.dcm").values == 0).all()


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_nifti(tmp_path / "no" / "a.nii", IMAGE)
    with pytest.raises(OutputError):
        write_dicom(tmp_path / "no" / "a.dcm", IMAGE, DIGEST, "tv")
