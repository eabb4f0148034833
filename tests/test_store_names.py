"""No name of a patient enters the store: neither from the content of a DICOM file nor from what it is called."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pydicom
import pytest

from gen_core import catalog, store
from gen_core.errors import InputError
from gen_core.inputs.volumes import read_volume
from gen_core.tomography.bundled import ct_small
from gen_core.tomography.recipe import Reconstruct

NAMES = (b"DOE", b"Mueller", b"1CT1", b"12345678")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def named(tmp_path: Path) -> Path:
    """A DICOM slice that names a patient in its content and in the name of its file."""
    data = pydicom.dcmread(ct_small())
    data.PatientName, data.PatientID, data.OtherPatientIDs = "DOE^JANE", "12345678", "1CT1"
    path = tmp_path / "Mueller_Hans_1960.dcm"
    data.save_as(path)
    return path


def nothing_told(home: Path) -> None:
    for path in home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in NAMES if name in content or name in path.name.encode()], path.name


def test_an_upload_a_path_and_a_recipe_keep_the_same_nameless_copy(named: Path, own_home: Path) -> None:
    upload = store.add(io.BytesIO(named.read_bytes()), "Mueller_Hans_1960.dcm")
    assert store.add(named) == upload
    recipe = catalog.make_recipe("tomography.reconstruct", {"image": str(named)})
    assert isinstance(recipe, Reconstruct)
    assert recipe.image == upload
    (entry,) = store.recent()
    assert (entry.name, store.name_of(upload)) == ("DICOM image", "DICOM image")
    nothing_told(own_home)
    kept, given = read_volume(store.find(upload)), read_volume(named)
    assert (kept.values == given.values).all()
    assert (kept.spacing, kept.unit) == (given.spacing, given.unit)
    # What was kept, given once more, is the same again: a copy passed on to somebody else opens the same link.
    assert store.add(store.find(upload)) == upload


def test_zips_and_folders_of_slices_too(named: Path, tmp_path: Path, own_home: Path) -> None:
    folder = tmp_path / "DOE"
    folder.mkdir()
    data = pydicom.dcmread(named)
    for i in range(3):
        data.InstanceNumber, data.ImagePositionPatient = i, [0, 0, 5.0 * i]
        data.SOPInstanceUID = f"1.2.3.{i}"
        data.save_as(folder / f"Mueller{i}.dcm")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.iterdir()):
            archive.write(path, f"DOE/{path.name}")
    packed.seek(0)
    digest = store.add(packed, "DOE.zip")
    assert catalog.adopt(str(folder)) == digest
    assert len(read_volume(store.find(digest))) == 3
    assert [entry.name for entry in store.recent()] == ["DICOM series"]
    nothing_told(own_home)


def test_what_is_dicom_but_cannot_be_read_is_not_kept(own_home: Path) -> None:
    with pytest.raises(InputError):
        store.add(io.BytesIO(b"\0" * 128 + b"DICM" + b"Mueller" * 40), "Mueller.dcm")
    assert store.recent() == []
    nothing_told(own_home)


def test_other_files_stay_as_they_are() -> None:
    digest = store.add(io.BytesIO(b"id,value\n1,2\n"), "table.csv")
    assert store.find(digest).read_bytes() == b"id,value\n1,2\n"
    assert store.name_of(digest) == "table.csv"
    assert store.name_of("sha256:" + "0" * 64) == "file 00000000"
