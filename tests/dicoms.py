"""DICOM files for tests, written by pydicom: not by the writer that is tested."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from pydicom import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

RNG = np.random.default_rng(5)
STORED = (RNG.normal(0, 40, (24, 20)) + 1024).astype(np.uint16)
STORED[:6] = 24  # air: -1000 HU with the intercept below
STORED[10:14, 8:12] = 2300  # bone


def ct(pixels: np.ndarray = STORED, **changes: Any) -> Dataset:
    """A CT slice of 24 x 20 pixels, 16 bits, with every element that a scanner writes; `None` takes one out."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID, image.SOPInstanceUID, image.Modality = CTImageStorage, "1.2.3.4", "CT"
    image.StudyInstanceUID, image.SeriesInstanceUID = "1.2.3", "1.2.3.1"
    image.PatientName, image.PatientID = "Doe^Jane", "4711"
    image.InstanceNumber = 1
    image.ImagePositionPatient, image.ImageOrientationPatient = [-10, -12, 5], [1, 0, 0, 0, 1, 0]
    image.PixelSpacing, image.SliceThickness = [0.75, 0.5], 2
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows, image.Columns = pixels.shape[-2:]
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, int(pixels.dtype.kind == "i")
    image.RescaleIntercept, image.RescaleSlope = -1024, 1
    if pixels.ndim == 3:
        image.NumberOfFrames = len(pixels)
    image.add_new(0x7FE00010, "OW", pixels.tobytes())
    for name, value in changes.items():
        if value is None:
            delattr(image, name)
        else:
            setattr(image, name, value)
    return image


def saved(image: Dataset, bare: bool = False) -> bytes:
    """The bytes of a file; `bare` without preamble and file header, as some archives keep them."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if bare:
            implicit = image.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
            del image.file_meta
            image.save_as(stream, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
        else:
            image.file_meta.MediaStorageSOPClassUID = image.get("SOPClassUID", CTImageStorage)
            image.file_meta.MediaStorageSOPInstanceUID = image.get("SOPInstanceUID", "1.2.3.4")
            image.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def series(count: int = 5, step: float = 2.5, **changes: Any) -> list[Dataset]:
    """Slices along the body, each with its number in its corner; numbered against their place."""
    out = []
    for i in range(count):
        pixels = STORED.copy()
        pixels[0, 0] = 1024 + i
        image = ct(pixels, ImagePositionPatient=[-10, -12, 5 + step * i], InstanceNumber=count - i, SOPInstanceUID=f"1.2.3.4.{i}")
        for name, value in changes.items():
            setattr(image, name, value)
        out.append(image)
    return out
