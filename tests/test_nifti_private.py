"""NIfTI in the content store: no text of the header is kept, the image is the same, and the same content gives the same bytes."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import nibabel
import numpy as np
import pytest

from gen_core import store
from gen_core.errors import InputError
from gen_core.inputs.nifti_private import nameless
from gen_core.inputs.stacks import read_stacks
from gen_core.inputs.volumes import read_volume

NAME = b"Mustermann^Erika"
VALUES = np.random.default_rng(3).integers(-1000, 1000, (12, 11, 10)).astype(np.int16)


def save(path: Path, version: int = 1, name: bytes = NAME, seed: int = 3) -> Path:
    kind = nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image
    values = np.random.default_rng(seed).integers(-1000, 1000, (12, 11, 10)).astype(np.int16)
    image = kind(values, np.diag([2.0, 3.0, 4.0, 1.0]))
    image.header["descrip"] = name + b" scanned"
    image.header["aux_file"] = name
    image.header["intent_name"] = name[:16]
    if version == 1:
        image.header["db_name"] = name[:18]
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"of " + name))
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_no_text_is_kept_and_the_image_is_the_same(tmp_path: Path, version: int, ending: str) -> None:
    path = save(tmp_path / f"a{ending}", version)
    kept = store.find(store.add(path, "erika.nii"))
    content = kept.read_bytes()
    content = gzip.decompress(content) if ending == ".nii.gz" else content
    assert NAME[:10] not in content
    before, after = read_volume(path), read_volume(kept)
    assert np.array_equal(before.values, after.values)
    assert (before.spacing, before.plane) == (after.spacing, after.plane)
    copy = tmp_path / f"copy{ending}"
    copy.write_bytes(kept.read_bytes())
    assert np.array_equal(nibabel.load(copy).get_fdata(), nibabel.load(path).get_fdata())
    assert nameless(copy) is None  # nothing is left to be taken out
    assert store.add(copy) == store.add(path)


def test_names_change_nothing_and_a_file_without_texts_stays(tmp_path: Path) -> None:
    one, two = save(tmp_path / "a.nii.gz"), save(tmp_path / "b.nii.gz", name=b"Somebody^Else...")
    assert nameless(one) == nameless(two) != one.read_bytes()
    plain = tmp_path / "plain.nii"
    image = nibabel.Nifti1Image(VALUES, np.eye(4))
    nibabel.save(image, plain)
    assert store.find(store.add(plain)).read_bytes() == plain.read_bytes()


def test_inside_a_zip_too(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(3):
            archive.write(save(tmp_path / f"{i}.nii.gz", seed=i), f"Erika Mustermann {i}.nii.gz")
    kept = store.find(store.add(path))
    with zipfile.ZipFile(kept) as archive:
        assert archive.namelist() == ["00000.nii.gz", "00001.nii.gz", "00002.nii.gz"]
        assert all(NAME[:10] not in gzip.decompress(archive.read(name)) for name in archive.namelist())
    assert [len(stack) for stack in read_stacks(kept)] == [10, 10, 10]


@pytest.mark.parametrize("content", [b"", b"\x5c\1\0\0", b"PK\x03\x04 no zip at all", b"plain text", b"\x1f\x8b\x08broken"])
def test_what_is_no_nifti_has_no_copy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    assert nameless(tmp_path / "a") is None


def test_offsets_that_lie_and_files_cut_short(tmp_path: Path) -> None:
    content = bytearray(save(tmp_path / "a.nii").read_bytes())
    for offset in (np.float32(np.nan), np.float32(-5), np.float32(1e30)):
        content[108:112] = offset.tobytes()
        (tmp_path / "b.nii").write_bytes(content)
        assert len(nameless(tmp_path / "b.nii") or b"") == len(content)
    packed = gzip.compress(save(tmp_path / "c.nii").read_bytes(), mtime=0)
    (tmp_path / "d.nii.gz").write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputError, match="cut short"):
        store.add(io.BytesIO(packed[: len(packed) // 2]))
