"""A reconstructed slice as a DICOM file that says of itself, in every place a viewer shows, that it is derived and no basis
for a diagnosis. It names no patient, and its identifiers are made from the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gen_core.errors import OutputError
from gen_core.inputs.dicom_write import Table, Value, file_of, uid_of
from gen_core.result import disk_sentence

Array = np.ndarray
CT, SECONDARY = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"
PATIENT = "Derived or synthetic^Not for clinical use"
WARNING = "NOT FOR CLINICAL USE. Derived or synthetic image, made by Latent Sandbox."
INTERCEPT = -1024.0  # HU of a stored zero, as scanners have it
DEEPEST, HIGHEST = -32768, 32767


def write_dicom(
    path: Path,
    values: Array,
    digest: str,
    name: str,
    unit: str = "HU",
    spacing: Sequence[float | None] = (None, None, None),
    number: int = 1,
) -> None:
    """Write one slice (rows, columns) to `path`; the same values, digest and name give the same bytes, which hold no date.

    `digest` is the recipe's sha256 (64 hex digits): all files of one recipe are one study and one frame of reference, all of
    one `name` (of the method: `tv`) one series, `number` their place in it. `unit` HU is stored in steps of 1 HU, any
    other in 65,536 steps of its range. `spacing` as `Volume` has it. Raises OutputError where the disk refuses.
    """
    seed = f"{digest}/{name}".encode()
    hu = unit == "HU"
    stored, slope, intercept = _stored(np.asarray(values, np.float64), hu)
    rows, columns = stored.shape
    sop_class, instance = CT if hu else SECONDARY, uid_of(b"image" + seed + str(number).encode() + stored.tobytes())
    through, high, wide = (float(step) if step else None for step in spacing)
    low, top = float(np.min(values)), float(np.max(values))
    window = (40.0, 400.0) if hu else ((low + top) / 2, max(top - low, 1.0))
    known: dict[int, tuple[str, Value]] = {}
    if high and wide:
        known[0x00280030] = ("DS", (high, wide))
        corner = (-(columns - 1) / 2 * wide, -(rows - 1) / 2 * high, (number - 1) * (through or 1.0))
        known[0x00200032] = ("DS", corner)
        known[0x00200037] = ("DS", (1, 0, 0, 0, 1, 0))
        known[0x00200052] = ("UI", uid_of(b"frame of reference" + digest.encode()))
    if through:
        known[0x00180050] = ("DS", through)
    table: Table = {
        0x00080008: ("CS", "DERIVED\\SECONDARY\\AXIAL"),
        0x00080016: ("UI", sop_class),
        0x00080018: ("UI", instance),
        0x00080020: ("DA", ""),
        0x00080030: ("TM", ""),
        0x00080050: ("SH", ""),
        0x00080060: ("CS", "CT" if hu else "OT"),
        0x00080064: ("CS", "WSD"),  # workstation
        0x00080070: ("LO", "Latent Sandbox"),
        0x00080090: ("PN", ""),
        0x0008103E: ("LO", f"NOT FOR CLINICAL USE: {name}"[:64]),
        0x00082111: ("ST", f"{WARNING} Method: {name}. Recipe: {digest}."),
        0x00100010: ("PN", PATIENT),
        0x00100020: ("LO", f"latent-sandbox-{digest[:16]}"),
        0x00100030: ("DA", ""),
        0x00100040: ("CS", ""),
        0x00120062: ("CS", "YES"),
        0x00120063: ("LO", "Made anew: no element of a source file is copied"),
        0x00180060: ("DS", ""),
        0x0020000D: ("UI", uid_of(b"study" + digest.encode())),
        0x0020000E: ("UI", uid_of(b"series" + seed)),
        0x00200010: ("SH", ""),
        0x00200011: ("IS", "1"),
        0x00200012: ("IS", ""),
        0x00200013: ("IS", str(number)),
        0x00201040: ("LO", ""),
        0x00204000: ("LT", WARNING),
        0x00280002: ("US", 1),
        0x00280004: ("CS", "MONOCHROME2"),
        0x00280010: ("US", rows),
        0x00280011: ("US", columns),
        0x00280100: ("US", 16),
        0x00280101: ("US", 16),
        0x00280102: ("US", 15),
        0x00280103: ("US", 1),
        0x00280301: ("CS", "NO"),
        0x00281050: ("DS", window[0]),
        0x00281051: ("DS", window[1]),
        0x00281052: ("DS", intercept),
        0x00281053: ("DS", slope),
        0x00281054: ("LO", "HU" if hu else "US"),
        0x7FE00010: ("OW", stored.tobytes()),
        **known,
    }
    try:
        path.write_bytes(file_of(table, sop_class, instance))
    except OSError as error:
        raise OutputError(disk_sentence(error, path)) from error


def _stored(values: Array, hu: bool) -> tuple[Array, float, float]:
    """Numbers of 16 bits, and the slope and intercept that give the values back."""
    if hu:
        slope, intercept = 1.0, INTERCEPT
    else:
        low, high = float(values.min()), float(values.max())
        slope = float(f"{max(high - low, 1e-12) / (HIGHEST - DEEPEST - 2):.9g}")  # as it will be written
        intercept = float(f"{(low + high) / 2:.9g}")
    return np.clip(np.round((values - intercept) / slope), DEEPEST, HIGHEST).astype("<i2"), slope, intercept
