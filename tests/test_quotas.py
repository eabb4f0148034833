"""How much a person may have on a server: each limit is met in one sentence, and nothing of what was refused is left behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gen_core import jobs, owner, quotas, runs, store
from gen_core.cells.recipe import Perturb
from gen_core.errors import InputError, JobError, OutputError
from gen_core.jobs import files
from gen_core.result import Result

ADA, BO = owner.named("https://id.example.org", "1"), owner.named("https://id.example.org", "2")
KIB = 1 / 1024**2  # in GiB


@pytest.fixture(autouse=True)
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A server where people sign in, with a store of its own."""
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    monkeypatch.setenv("LATENT_SIGN_IN", "1")
    for name in ("LATENT_USER_JOBS", "LATENT_USER_UPLOAD_GIB", "LATENT_USER_DISK_GIB"):
        monkeypatch.delenv(name, raising=False)


def file(folder: Path, size: int, fill: bytes = b"x") -> Path:
    path = folder / f"{fill.decode()}.bin"
    path.write_bytes(fill * size)
    return path


def test_on_ones_own_machine_there_is_no_limit_and_where_people_sign_in_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with owner.acting_for(ADA):
        assert (quotas.jobs(), quotas.upload(), quotas.disk()) == (2, 10 * 1024**3, 20 * 1024**3)
        monkeypatch.setenv("LATENT_USER_DISK_GIB", "none")
        assert quotas.disk() is None
    monkeypatch.delenv("LATENT_SIGN_IN")
    assert (quotas.jobs(), quotas.upload(), quotas.disk()) == (None, None, None)
    monkeypatch.setenv("LATENT_USER_JOBS", "3")  # asked for, it holds there, too
    assert quotas.jobs() == 3
    for wrong in ("many", "-1", "nan", "inf"):
        monkeypatch.setenv("LATENT_USER_JOBS", wrong)
        with pytest.raises(InputError, match="LATENT_USER_JOBS must be a number"):
            quotas.jobs()


def test_limits_are_read_as_those_of_the_server_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, limit, usual in (
        ("LATENT_USER_JOBS", quotas.jobs, 2),
        ("LATENT_USER_UPLOAD_GIB", quotas.upload, 10 * 1024**3),
        ("LATENT_USER_DISK_GIB", quotas.disk, 20 * 1024**3),
    ):
        one = 1 if name == "LATENT_USER_JOBS" else 1024**3
        for told, meant in (("", usual), ("0", 0), ("3", 3 * one), ("2.5", int(2.5 * one)), ("none", None), ("NONE", None)):
            monkeypatch.setenv(name, told)
            with owner.acting_for(ADA):
                assert limit() == meant
            assert limit() == (meant if told else None)  # in no person's name
        for wrong in ("many", "-1", "-1e-12", "nan", "inf", str(2**40)):
            monkeypatch.setenv(name, wrong)
            with pytest.raises(InputError, match=name):
                limit()


def test_files_fit_until_the_share_of_the_disk_is_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_USER_DISK_GIB", str(100 * KIB))
    with owner.acting_for(ADA):
        first = store.add(file(tmp_path, 60_000, b"a"))
        with pytest.raises(OutputError, match=r"may fill 9\.54e-05 GiB together, and this does not fit any more: delete"):
            store.add(file(tmp_path, 60_000, b"b"))
        assert [entry.digest for entry in store.recent()] == [first]
        assert not list((store.place() / "store").glob("*.partial"))
        store.delete(first)
        store.add(file(tmp_path, 60_000, b"b"))
    with owner.acting_for(BO):
        store.add(file(tmp_path, 60_000, b"a"))  # another's share is another's


def test_a_run_that_does_not_fit_is_not_kept_and_a_job_does_not_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_USER_DISK_GIB", str(100 * KIB))
    small = Result(Perturb(dose=1.25), None, {"a.bin": lambda path: path.write_bytes(b"x" * 60_000)})  # type: ignore[dict-item]
    with owner.acting_for(ADA):
        id = runs.keep(small)
        with pytest.raises(OutputError, match="does not fit any more"):
            runs.keep(small)
        assert [run.id for run in runs.listed()] == [id]
        assert [path.name for path in (store.place() / "runs").iterdir()] == [id]
        store.add(file(tmp_path, 40_000))
        monkeypatch.setenv("LATENT_USER_DISK_GIB", str(90 * KIB))
        with pytest.raises(OutputError, match="does not fit any more"):
            jobs.submit(Perturb(seed=3))
        assert jobs.listed() == []


def test_a_day_has_so_many_bytes_deleted_or_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_USER_UPLOAD_GIB", str(100 * KIB))
    with owner.acting_for(ADA):
        store.delete(store.add(file(tmp_path, 60_000, b"a")))
        with pytest.raises(OutputError, match=r"files a day here, and this one goes beyond that: come back tomorrow"):
            store.add(file(tmp_path, 60_000, b"b"))
        store.add(file(tmp_path, 30_000, b"c"))
        note = store.place() / quotas.ADDED
        assert json.loads(note.read_text())["bytes"] == 90_000
        note.write_text(json.dumps({"day": "2001-01-01", "bytes": 10**9}))  # of another day
        store.add(file(tmp_path, 60_000, b"b"))
        note.write_text("{")  # cut short
        assert quotas.added(store.place()) == 0


def test_a_person_has_so_many_jobs_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_USER_JOBS", "1")
    slow = Perturb(seed=1, latent_dim=200, dose=0.5)
    try:
        with owner.acting_for(ADA):
            id = jobs.submit(slow, "tests.job_steps:count")
            assert jobs.submit(slow, "tests.job_steps:count") == id  # the same one is no other
            with pytest.raises(JobError, match="You may have 1 job at a time here: wait"):
                jobs.submit(slow.replace(seed=2), "tests.job_steps:count")
            assert len(list(files.root().iterdir())) == 1
        with owner.acting_for(BO):
            other = jobs.submit(slow, "tests.job_steps:count")
            jobs.cancel(other)
            assert jobs.snapshot(other).state == "cancelled"
            jobs.submit(slow.replace(seed=2), "tests.job_steps:count")
            with pytest.raises(JobError, match="1 job at a time"):
                jobs.resume(other)
    finally:
        jobs.close()
