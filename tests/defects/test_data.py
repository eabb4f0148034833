"""The user's snapshots: read from tables and arrays, and every bad one refused in a sentence."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pandas
import pytest

from gen_core.defects import data
from gen_core.defects.data import checked
from gen_core.errors import InputError
from gen_core.inputs.snapshots import read_snapshots

Array = np.ndarray
TIMES = np.linspace(0, 1, 5)


def table(n: int = 300, N: int = 1, times: Array = TIMES, seed: int = 0) -> pandas.DataFrame:
    """Snapshots as a lab's program writes them."""
    rng = np.random.default_rng(seed)
    rows = [
        (t, i, j, *rng.normal(t, 1.0 + t, 2))
        for t in times for i in range(n) for j in range(N)
    ]  # fmt: skip
    return pandas.DataFrame(rows, columns=["time", "replica", "particle", "x", "y"])


def opened(frame: pandas.DataFrame, tmp_path: Path, box: tuple[float, ...] | None = None) -> data.Snapshots:
    path = tmp_path / "snapshots.csv"
    frame.to_csv(path, index=False)
    return checked(read_snapshots(path), box)


def codes(found: data.Snapshots) -> set[str]:
    return {notice.code for notice in found.notices}


@pytest.mark.parametrize("form", ["csv", "semicolons", "parquet", "npz", "columns"])
def test_every_form_gives_the_same_snapshots(form: str, tmp_path: Path) -> None:
    frame = table(120, 2)
    path = tmp_path / "file"
    array = frame[["x", "y"]].to_numpy().reshape(5, 120, 2, 2)
    if form == "csv":
        frame.rename(columns={"time": "Time (s)", "x": "x_um", "y": "Y [µm]"}).to_csv(path, index=False)
    elif form == "semicolons":
        frame.sample(frac=1.0, random_state=1).sort_values("time", kind="stable").to_csv(path, index=False, sep=";")
    elif form == "parquet":
        frame.to_parquet(path)
    elif form == "npz":
        with path.open("wb") as stream:
            np.savez(stream, times=TIMES, positions=array)
    else:
        with path.open("wb") as stream:
            np.savez(stream, **{name: frame[name].to_numpy() for name in frame.columns})
    found = checked(read_snapshots(path))
    assert np.allclose(found.times, TIMES)
    assert np.allclose(np.array(found.positions), array)
    assert "no_truth" in codes(found)
    assert found.particles == 2


def test_one_long_name_costs_no_more_than_itself(tmp_path: Path) -> None:
    frame = table(120, 2)
    frame["replica"] = frame["replica"].map(lambda number: f"r{number:03d}")
    frame.to_csv(tmp_path / "short", index=False)
    frame["replica"] = frame["replica"].replace("r007", "r007" + "x" * 2_000_000)
    frame.to_csv(tmp_path / "long", index=False)
    tracemalloc.start()
    found, same = (read_snapshots(tmp_path / name) for name in ("long", "short"))
    assert tracemalloc.get_traced_memory()[1] < 200 << 20  # of one width they would take ten gigabytes
    tracemalloc.stop()
    assert np.array_equal(found.replicas, same.replicas)


@pytest.mark.parametrize("line", [0, 7])
def test_a_line_of_many_thousand_cells_is_refused_before_the_table_is_made(line: int, tmp_path: Path) -> None:
    lines = table(20, 2).to_csv(index=False).splitlines()
    lines[line] += "," * 60_000
    (tmp_path / "a").write_text("\n".join(lines))
    with pytest.raises(InputError, match="more than 1,000 columns"):
        read_snapshots(tmp_path / "a")


def test_without_replicas_every_particle_is_one(tmp_path: Path) -> None:
    found = opened(table()[["time", "x", "y"]], tmp_path)
    assert found.positions[0].shape == (300, 1, 2)


def test_one_dimension_and_three(tmp_path: Path) -> None:
    frame = table()
    assert opened(frame[["time", "x"]], tmp_path).d == 1
    assert opened(frame.assign(z=np.random.default_rng(0).normal(size=len(frame))), tmp_path).d == 3


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda f: f[f.time < 0.3], "snapshots of 2 times; at least 3"),
        (lambda f: f[f.replica < 100], "holds 100 positions; at least 200"),
        (lambda f: f.assign(x=f.x.where(f.index != 7)), "1 of 1,500 rows hold a time or a coordinate that is no number"),
        (lambda f: f.assign(time=f.time.iloc[::-1].to_numpy()), "not in order; sort"),
        (lambda f: pandas.concat([f, f[f.time == 0.25]]).sort_values("time"), "listed twice at one time"),
        (lambda f: f.assign(time=f.time.where(f.time != 0.5, 0.25 + 1e-12)), "same time but for rounding"),
        (lambda f: f.assign(y=1.0), "More than half of the positions are the same"),
        (lambda f: f.drop(columns="time"), "no column time"),
        (lambda f: f.drop(columns=["x", "y"]), "no column x"),
        (lambda f: f.assign(x="left"), "holds words; numbers were expected"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: f.assign(x=f.x.where(f.index % 20 > 0, f.x * 1e4)), "check the unit and the columns"),
    ],
)  # fmt: skip
def test_bad_tables_are_refused_in_a_sentence(change: object, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        opened(change(table()), tmp_path)  # type: ignore[operator]


def test_equal_snapshots_are_refused(tmp_path: Path) -> None:
    frame = table()
    frame.loc[frame.time == 0.5, ["x", "y"]] = frame.loc[frame.time == 0.25, ["x", "y"]].to_numpy()
    with pytest.raises(InputError, match="equal in every position"):
        opened(frame, tmp_path)


def test_unlike_numbers_of_particles_are_refused_and_a_changing_number_is_told(tmp_path: Path) -> None:
    frame = table(100, 4)
    rng = np.random.default_rng(0)
    ragged = frame[~((frame.particle == 3) & (frame.replica % 3 == 0))]
    with pytest.raises(InputError, match="unlike numbers of particles"):
        opened(ragged, tmp_path)
    fewer = frame[(frame.particle < 2) | (rng.random(len(frame)) > frame.time)]
    found = opened(fewer, tmp_path)
    assert found.number_changes
    assert found.counts is not None
    assert found.counts[0] == 4
    assert found.counts[-1] == pytest.approx(2, abs=0.1)


def test_a_number_that_changes_by_chance_alone_is_called_unlike(tmp_path: Path) -> None:
    frame = table(60, 20)
    rng = np.random.default_rng(7)
    kept = frame.groupby(["time", "replica"]).particle.transform(lambda p: p.to_numpy() < rng.integers(15, 21))
    with pytest.raises(InputError, match="no more than chance does"):
        opened(frame[kept.astype(bool)], tmp_path)


def test_single_particles_that_vanish_are_told(tmp_path: Path) -> None:
    frame = table(1_500)
    fewer = frame[np.random.default_rng(0).random(len(frame)) > 0.3 * frame.time][["time", "x", "y"]]
    assert "number_changes" in codes(opened(fewer, tmp_path))
    noisy = frame[np.random.default_rng(0).random(len(frame)) > 0.3][["time", "x", "y"]]
    assert "number_changes" not in codes(opened(noisy, tmp_path))


def test_one_point_far_away_changes_nothing(tmp_path: Path) -> None:
    frame = table()
    frame.loc[100, "x"] = 1e6
    found = opened(frame, tmp_path)
    assert "outliers" in codes(found)
    assert found.scale < 3
    assert sum(map(len, found.positions)) == 1_499


def test_a_box_that_nobody_declared_is_told(tmp_path: Path) -> None:
    frame = table()
    rng = np.random.default_rng(1)
    frame[["x", "y"]] = rng.uniform(0, 10, (len(frame), 2))
    assert "box_undeclared" in codes(opened(frame, tmp_path))
    found = opened(frame, tmp_path, (10.0, 10.0))
    assert "box_undeclared" not in codes(found)
    assert found.box is not None
    with pytest.raises(InputError, match="it has 1 lengths"):
        opened(frame, tmp_path, (10.0,))
    assert "box_undeclared" not in codes(opened(table(), tmp_path))


def test_charges_are_checked(tmp_path: Path) -> None:
    frame = table(100, 4)
    found = opened(frame.assign(charge=np.where(frame.particle < 2, 1, -1)), tmp_path)
    assert found.charges is not None
    assert found.charges.tolist() == [1, 1, -1, -1]
    with pytest.raises(InputError, match="charge must be 1 or -1"):
        opened(frame.assign(charge=0.5), tmp_path)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"positions": np.zeros((3, 300, 2))}, "no array times"),
        ({"times": np.arange(4), "positions": np.zeros((3, 300, 2))}, "as many"),
        ({"times": np.arange(3), "positions": np.zeros((3, 300, 5))}, "d of 1 to 3"),
        ({"times": np.arange(3)}, "no array positions"),
        ({"time": np.arange(3), "x": np.zeros(5)}, "one length"),
        ({"times": np.arange(3), "positions": np.ones((3, 300, 1, 2)), "charges": np.ones(4)}, "one number for each"),
        ({"times": np.arange(3), "positions": np.array([{}], object)}, "never opened"),
    ],
)
def test_bad_arrays_are_refused_in_a_sentence(arrays: dict[str, Array], sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(InputError, match=sentence):
        checked(read_snapshots(path))


@pytest.mark.parametrize("content", [b"", b"PAR1 and nothing", b"\x89PNG\r\n\x1a\n", b'"time,x\n1,2', b"time,x\n1,2,3,4\n5"])
def test_damaged_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError):
        checked(read_snapshots(path))


def test_the_simulator_is_the_same_for_the_same_seed() -> None:
    one, again, other = (data.made("pairs", 40, 3, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(one.positions, again.positions, strict=True))
    assert not np.array_equal(one.positions[1], other.positions[1])
