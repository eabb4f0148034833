"""Many slices to learn from: every series, volume or picture that a file, a zip or a folder holds, not the largest alone."""

from __future__ import annotations

import io
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from gen_core.errors import InputError
from gen_core.inputs import human_size, read_limited, sniff
from gen_core.inputs.archive import open_zip, pack, read_member
from gen_core.inputs.arrays import NAMES
from gen_core.inputs.dicom import holds_dicom, read_all
from gen_core.inputs.volumes import MAX_VOXELS, Volume, read_volume
from gen_core.result import Notice

MAX_FILES, MAX_FILE, MAX_TOTAL = 20_000, 1 << 30, 8 << 30
ENDINGS = (".nii", ".nii.gz", ".npy", ".npz")


def read_stacks(path: str | Path) -> list[Volume]:
    """Every stack of slices in a file: each DICOM series, each volume of a zip, each array of an NPZ that names none as image.

    Files of one slice each are one stack, in the order of their names: they may be neighbours. What cannot be read is left
    out, with a note on the first stack. Raises InputError where nothing can be read, or it is more than 268 million voxels.
    """
    path = Path(path)
    if holds_dicom(path):
        return _within(read_all(path))
    if sniff(path) not in ("zip", "npz"):
        return [read_volume(path)]
    with open_zip(path, MAX_FILES, MAX_TOTAL) as archive:
        names = sorted(name for name in archive.namelist() if not name.endswith("/") and "__MACOSX" not in name)
        arrays = {name.rpartition("/")[2].removesuffix(".npy").lower() for name in names if name.endswith(".npy")}
        if arrays & set(NAMES):  # an archive of NumPy's that says which of its arrays is the image
            return [read_volume(path)]
        return _members([(name, lambda name=name: read_member(archive, name, MAX_FILE)) for name in names])


def packed_stacks(folder: Path) -> io.BytesIO | None:
    """A folder's NIfTI and NumPy files as a zip that is the same for the same files, for the store; None without any.

    Raises InputError where it is more than is read here.
    """
    files = sorted(p for p in folder.rglob("*") if p.name.lower().endswith(ENDINGS) and stat.S_ISREG(p.lstat().st_mode))
    total = sum(p.stat().st_size for p in files)
    if len(files) > MAX_FILES or total > MAX_TOTAL:
        raise InputError(f"The folder {folder.name!r} holds {len(files):,} files of {human_size(total)}, more than is read here.")
    return pack((p.relative_to(folder).as_posix(), read_limited(p, MAX_FILE)) for p in files) if files else None


def _members(members: list[tuple[str, object]]) -> list[Volume]:
    """The stacks in a zip's files, each read as a file of its own."""
    found: list[Volume] = []
    singles: list[Volume] = []
    left_out, first, voxels = 0, "", 0
    with tempfile.TemporaryDirectory(prefix="latent-") as folder:
        place = Path(folder) / "member"  # no name of a stranger's becomes one here
        for _, read in members:
            try:
                place.write_bytes(read())  # type: ignore[operator]
                if sniff(place) == "zip":
                    raise InputError("There is a zip inside the zip; pack the files themselves.")
                volume = read_volume(place)
            except InputError as error:
                left_out, first = left_out + 1, first or str(error)
                continue
            voxels += volume.values.size
            if voxels > MAX_VOXELS:
                raise InputError(_TOO_MUCH)
            (singles if len(volume) == 1 else found).append(volume)
    found += _joined(singles)
    if not found:
        raise InputError(first or "This zip holds no files; give one with DICOM, NIfTI, NumPy files or pictures.")
    if left_out:
        note = Notice("left_out", f"{left_out:,} files that hold no image are left out. The first: {first}")
        found[0] = replace(found[0], notes=(*found[0].notes, note))
    return found


_TOO_MUCH = "These slices take more than 1 GiB together, which is more than is read here; give a part of them."


def _within(volumes: list[Volume]) -> list[Volume]:
    if sum(volume.values.size for volume in volumes) > MAX_VOXELS:
        raise InputError(_TOO_MUCH)
    return volumes


def _joined(singles: list[Volume]) -> list[Volume]:
    """Single slices of one shape, spacing and unit as one stack, in their order."""
    groups: dict[tuple[object, ...], list[Volume]] = {}
    for one in singles:
        groups.setdefault((one.values.shape, one.spacing[1:], one.unit), []).append(one)
    return [
        replace(group[0], values=np.concatenate([one.values for one in group]), affine=None) if len(group) > 1 else group[0]
        for group in groups.values()
    ]
