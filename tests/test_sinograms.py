"""Measured sinograms: what files of several kinds say, against scipy's own MATLAB writer, and what does not match."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import tifffile

from gen_core.errors import InputError
from gen_core.inputs.matlab import read_matlab
from gen_core.inputs.sinograms import Scan, Sinogram, read_sinogram

RNG = np.random.default_rng(4)
VIEWS, BINS = 181, 64
VALUES = RNG.random((VIEWS, BINS))
ANGLES = np.arange(VIEWS) / 2.0


def codes(sinogram: Sinogram) -> set[str]:
    return {note.code for note in sinogram.notes}


def challenge(path: Path, name: str = "CtDataFull", packed: bool = True, **changes: Any) -> Path:
    """A file of the shape of the Helsinki Tomography Challenge 2022 (https://doi.org/10.5281/zenodo.6984868)."""
    parameters = {
        "distanceSourceDetector": 553.74,
        "distanceSourceOrigin": 410.66,
        "geometricMagnification": 553.74 / 410.66,
        "pixelSize": 0.05,
        "pixelSizePost": 0.2,
        "effectivePixelSizePost": 0.1483,
        "numDetectorsPost": BINS,
        "angles": ANGLES,
        "detector": "a detector",
    }
    data = {"type": "2D", "sinogram": VALUES, "parameters": {**parameters, **changes}}
    scipy.io.savemat(path, {name: data}, do_compression=packed)
    return path


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["CtDataFull", "CtDataLimited"])
def test_a_file_of_the_helsinki_challenge(tmp_path: Path, name: str, packed: bool) -> None:
    sinogram = read_sinogram(challenge(tmp_path / "htc.mat", name, packed))
    assert np.array_equal(sinogram.values, VALUES.astype(np.float32))
    assert np.array_equal(sinogram.angles_deg, ANGLES)
    assert (sinogram.geometry, sinogram.detector_spacing, sinogram.source_origin) == ("fan", 0.2, 410.66)
    assert sinogram.origin_detector == pytest.approx(553.74 - 410.66)
    assert (sinogram.pixel_size, sinogram.rotation_centre, sinogram.curved, sinogram.notes) == (0.1483, 0.0, False, ())


@pytest.mark.parametrize("packed", [True, False])
def test_matlab_files_as_scipy_reads_them(tmp_path: Path, packed: bool) -> None:
    sizes = [f"{kind}{size}" for kind in "ui" for size in (1, 2, 4, 8)]
    kinds = {f"a{kind}": RNG.integers(0, 100, (3, 4, 2)).astype(kind) for kind in [*sizes, "f4", "f8"]}
    variables = {**kinds, "text": "some text", "deep": {"inner": {"value": 3.5, "row": np.arange(5)}, "word": "a"},
                 "cell": np.array([1, "a"], dtype=object), "bool": np.array([True, False])}  # fmt: skip
    scipy.io.savemat(tmp_path / "a.mat", variables, do_compression=packed)
    found, expected = read_matlab(tmp_path / "a.mat"), scipy.io.loadmat(tmp_path / "a.mat")
    for name, values in kinds.items():
        assert np.array_equal(found[name], expected[name])  # type: ignore[arg-type]
        assert found[name].dtype == values.dtype  # type: ignore[attr-defined]
    assert found["text"] == "some text"
    assert found["deep"]["inner"]["value"].item() == 3.5  # type: ignore[index]
    assert found["deep"]["inner"]["row"].ravel().tolist() == [0, 1, 2, 3, 4]  # type: ignore[index]
    assert "cell" not in found


def test_npz_and_npy(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", sinogram=VALUES, angles_deg=ANGLES, detector_spacing=0.5, recipe="text")
    sinogram = read_sinogram(tmp_path / "a.npz")
    assert np.array_equal(sinogram.values, VALUES.astype(np.float32))
    assert (sinogram.geometry, sinogram.detector_spacing, sinogram.pixel_size) == ("parallel", 0.5, 0.5)
    np.save(tmp_path / "a.npy", VALUES)
    with pytest.raises(InputError, match="no angles"):
        read_sinogram(tmp_path / "a.npy")
    sinogram = read_sinogram(tmp_path / "a.npy", Scan(angles=tuple(ANGLES)))
    assert np.array_equal(sinogram.values, VALUES.astype(np.float32))
    assert codes(sinogram) == {"no_spacing"}
    tifffile.imwrite(tmp_path / "a.tif", VALUES.astype(np.float32))
    assert np.array_equal(read_sinogram(tmp_path / "a.tif", Scan(angles=tuple(ANGLES))).values, sinogram.values)


def test_order_of_axes_is_told_by_the_number_of_angles_or_by_the_user(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", sinogram=VALUES.T, angles=ANGLES)
    turned = read_sinogram(tmp_path / "a.npz")
    assert np.array_equal(turned.values, VALUES.astype(np.float32))
    assert "turned" in codes(turned)
    square = VALUES[:BINS]
    np.savez(tmp_path / "b.npz", sinogram=square, angles=ANGLES[:BINS])
    assert np.array_equal(read_sinogram(tmp_path / "b.npz").values, square.astype(np.float32))
    assert np.array_equal(read_sinogram(tmp_path / "b.npz", Scan(axis="bins")).values, square.T.astype(np.float32))
    with pytest.raises(InputError, match="181 angles and a sinogram of 64 views"):
        read_sinogram(tmp_path / "a.npz", Scan(axis="views"))


def test_radians_direction_and_order_of_angles(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", sinogram=VALUES, theta=np.radians(ANGLES))
    sinogram = read_sinogram(tmp_path / "a.npz")
    assert np.allclose(sinogram.angles_deg, ANGLES)
    assert "radians" in codes(sinogram)
    assert np.allclose(read_sinogram(tmp_path / "a.npz", Scan(angle_unit="degrees")).angles_deg, np.radians(ANGLES))
    clockwise = read_sinogram(tmp_path / "a.npz", Scan(angle_unit="radians", direction=-1))
    assert np.allclose(clockwise.angles_deg, -ANGLES[::-1])
    assert np.array_equal(clockwise.values, VALUES[::-1].astype(np.float32))
    assert codes(clockwise) == {"no_spacing"}
    order = RNG.permutation(VIEWS)
    np.savez(tmp_path / "b.npz", sinogram=VALUES[order], angles=ANGLES[order])
    shuffled = read_sinogram(tmp_path / "b.npz")
    assert np.array_equal(shuffled.values, VALUES.astype(np.float32))
    assert "sorted" in codes(shuffled)
    twice = np.r_[ANGLES[:100], ANGLES[:81]]
    assert {"sorted", "repeated_angles"} <= codes(read_sinogram(tmp_path / "b.npz", Scan(angles=tuple(twice))))


def test_a_sinogram_of_nothing_is_refused(tmp_path: Path) -> None:
    for value in (0.0, 3.0):
        np.savez(tmp_path / "a.npz", sinogram=np.full_like(VALUES, value), angles=ANGLES)
        with pytest.raises(InputError, match="same value everywhere"):
            read_sinogram(tmp_path / "a.npz")


def test_counts_become_line_integrals(tmp_path: Path) -> None:
    counts = 5e4 * np.exp(-VALUES)
    np.savez(tmp_path / "a.npz", sinogram=counts, angles=ANGLES)
    large = read_sinogram(tmp_path / "a.npz")
    assert "large_values" in codes(large)
    assert "give −log(counts / I0)" in " ".join(note.text for note in large.notes)  # what a user can do, not a setting of ours
    sinogram = read_sinogram(tmp_path / "a.npz", Scan(intensity=True, i0=5e4))
    assert np.allclose(sinogram.values, VALUES, atol=1e-6)
    assert "i0_from_data" in codes(read_sinogram(tmp_path / "a.npz", Scan(intensity=True)))
    counts[3, :2] = 0, -1
    np.savez(tmp_path / "b.npz", sinogram=counts, angles=ANGLES, i0=5e4)
    empty = read_sinogram(tmp_path / "b.npz", Scan(intensity=True))
    assert np.isfinite(empty.values).all()
    assert codes(empty) == {"no_counts", "no_spacing"}
    for scan in (Scan(intensity=True, i0=0), Scan(intensity=True, i0=float("nan"))):
        with pytest.raises(InputError, match="open beam"):
            read_sinogram(tmp_path / "a.npz", scan)


def test_the_user_counts_more_than_the_file(tmp_path: Path) -> None:
    path = challenge(tmp_path / "a.mat")
    scan = Scan(geometry="fan", detector_spacing=0.4, source_origin=100, origin_detector=300, rotation_centre=-2.5, curved=True)
    sinogram = read_sinogram(path, scan)
    assert (sinogram.detector_spacing, sinogram.source_origin, sinogram.origin_detector) == (0.4, 100, 300)
    assert (sinogram.rotation_centre, sinogram.curved) == (-2.5, True)
    plain = read_sinogram(path, Scan(geometry="parallel"))
    assert plain.source_origin is plain.origin_detector is None
    np.savez(tmp_path / "b.npz", sinogram=VALUES, angles=ANGLES)
    fan = read_sinogram(tmp_path / "b.npz", Scan(source_origin=100, origin_detector=100, detector_spacing=1))
    assert (fan.geometry, fan.pixel_size) == ("fan", 0.5)


def test_values_that_are_no_numbers_are_filled_from_beside(tmp_path: Path) -> None:
    values = VALUES.copy()
    values[5, 10] = np.nan
    np.savez(tmp_path / "a.npz", sinogram=values, angles=ANGLES)
    sinogram = read_sinogram(tmp_path / "a.npz")
    assert sinogram.values[5, 10] == pytest.approx((values[5, 9] + values[5, 11]) / 2, rel=1e-6)
    assert "not_numbers" in codes(sinogram)
    values[7] = np.inf
    np.savez(tmp_path / "b.npz", sinogram=values, angles=ANGLES)
    with pytest.raises(InputError, match="whole view"):
        read_sinogram(tmp_path / "b.npz")


def test_what_does_not_match_is_told(tmp_path: Path) -> None:
    def npz(name: str = "a.npz", **arrays: Any) -> Path:
        np.savez(tmp_path / name, **arrays)
        return tmp_path / name

    good: dict[str, Any] = {"sinogram": VALUES, "angles": ANGLES}
    cases: list[tuple[dict[str, Any], Scan, str]] = [
        ({**good, "angles": ANGLES[:-1]}, Scan(), "180 angles and a sinogram of 181 by 64"),
        ({**good, "angles": ANGLES * 0 + 7}, Scan(), "cover 0 degrees"),
        ({**good, "angles": ANGLES * 5}, Scan(), "cover 450 degrees"),
        ({**good, "angles": ANGLES * np.nan}, Scan(), "not a number"),
        ({**good, "sinogram": VALUES[:0]}, Scan(), "empty"),
        (good, Scan(angles=()), "0 angles"),
        ({**good, "sinogram": VALUES[:, :3]}, Scan(), "8 to 16,384 bins"),
        ({**good, "sinogram": np.stack([VALUES, VALUES])}, Scan(), "3 dimensions"),
        ({**good, "sinogram": VALUES * 1j}, Scan(), "complex"),
        ({**good, "sinogram": np.array([["a"]])}, Scan(), "no plain numbers"),
        ({"image": VALUES, "angles": ANGLES}, Scan(), "no array named sinogram"),
        ({"sinogram": VALUES}, Scan(), "no angles"),
        (good, Scan(geometry="fan"), "distances from the source"),
        (good, Scan(geometry="fan", source_origin=-1, origin_detector=2), "Source origin must be a length above 0"),
        (good, Scan(rotation_centre=32), "cannot be seen 32 bins"),
        (good, Scan(curved=True), "curved"),
    ]
    for arrays, scan, sentence in cases:
        with pytest.raises(InputError, match=sentence) as caught:
            read_sinogram(npz(**arrays), scan)
        assert "\n" not in str(caught.value)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "v73.mat").write_bytes(b"MATLAB 7.3 MAT-file".ljust(512, b"\0") + b"\x89HDF\r\n\x1a\n" + b"\0" * 99)
    (tmp_path / "text.mat").write_text("MATLAB? no")
    said = {"empty": "empty", "v73.mat": "-v7 in MATLAB", "text.mat": "none of those", "missing": "no file"}
    for name, sentence in said.items():
        with pytest.raises(InputError, match=sentence):
            read_sinogram(tmp_path / name)
    with pytest.raises(InputError, match="450 degrees"):
        read_sinogram(challenge(tmp_path / "a.mat", angles=ANGLES * 5))


def test_a_whole_turn_with_both_ends_is_one_turn(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", sinogram=VALUES, angles=ANGLES * 4)
    assert np.ptp(read_sinogram(tmp_path / "a.npz").angles_deg) == 360


def test_a_packed_variable_is_unpacked_within_a_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gen_core.inputs import matlab

    scipy.io.savemat(tmp_path / "a.mat", {"sinogram": np.zeros((2000, 500))}, do_compression=True)
    monkeypatch.setattr(matlab, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match="unpacks to more than 1 MiB"):
        read_matlab(tmp_path / "a.mat")


def test_flipped_bytes_give_a_sinogram_or_one_sentence(tmp_path: Path) -> None:
    rng = random.Random(1)
    for packed in (False, True):
        original = challenge(tmp_path / "whole.mat", packed=packed).read_bytes()
        refused = read = 0
        for i in range(200):
            content = bytearray(original)
            for _ in range(rng.choice((1, 1, 4))):
                # Names, sizes and parameters stand around the numbers.
                at = rng.randrange(800) if rng.random() < 0.6 else -rng.randrange(1, 4000)
                content[at] = rng.randrange(256)
            content = content[: rng.randrange(len(content))] if i % 20 == 0 else content
            (tmp_path / "a.mat").write_bytes(content)
            try:
                sinogram = read_sinogram(tmp_path / "a.mat")
            except InputError:
                refused += 1
            else:
                read += 1
                assert np.isfinite(sinogram.values).all()
        assert refused > 20
        assert read > 20 or packed
