"""Where people sign in, each finds their own and nothing else: on disk, in memory, in other threads and in other processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gen_core import catalog, checkpoint, jobs, kept, owner, runs, store
from gen_core.cells.recipe import Perturb
from gen_core.errors import CheckpointError, InputError, JobError, MissingContent, UserError
from gen_core.memo import Memo
from gen_core.poisson.recipe import Solve
from gen_core.result import Result

ADA, BO = owner.named("https://id.example.org", "1"), owner.named("https://id.example.org", "2")


@pytest.fixture(autouse=True)
def signing_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A server where people sign in, with a store of its own; nobody is at the screen."""
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    monkeypatch.setenv("LATENT_SIGN_IN", "1")
    monkeypatch.setattr(owner, "_asked", [])
    yield
    jobs.close()


def text(folder: Path, words: str) -> Path:
    path = folder / "notes.txt"
    path.write_text(words)
    return path


def test_an_owner_is_one_issuer_and_subject_and_tells_neither() -> None:
    assert owner.named("https://a", "b") == owner.named("https://a", "b")
    assert len({owner.named(*names) for names in (("ab", "c"), ("a", "bc"), ("", "abc"), ("c", "ab"), ("a", "2b"))}) == 5
    assert owner.OWNER.fullmatch(ADA)
    assert "example" not in ADA
    for wrong in ("../ada", "", "A" * 40, ADA + "\n"):
        with pytest.raises(ValueError), owner.acting_for(wrong):
            pass


def test_a_stored_file_is_its_persons_alone_even_for_who_knows_its_digest(tmp_path: Path) -> None:
    with owner.acting_for(ADA):
        digest = store.add(text(tmp_path, "hers"))
        assert store.find(digest).read_text() == "hers"
    with owner.acting_for(BO):
        with pytest.raises(MissingContent):
            store.find(digest)
        assert store.recent() == []
        assert "notes" not in store.name_of(digest)
        store.delete(digest)
        assert store.add(text(tmp_path, "hers")) == digest  # who has the file has it
        store.delete(digest)
    with owner.acting_for(ADA):
        assert [entry.name for entry in store.recent()] == ["notes.txt"]
        assert str(store.find(digest)).startswith(str(tmp_path / "people" / ADA))


def test_a_run_is_its_persons_alone_even_for_who_knows_its_id() -> None:
    result = Result(Perturb(dose=1.25), None, {}, {"r2": 0.5})
    with owner.acting_for(ADA):
        id = runs.keep(result, name="Hers")
    with owner.acting_for(BO):
        assert runs.listed() == []
        assert runs.kept(result.recipe) == []
        with pytest.raises(InputError):
            runs.rename(id, "Mine")
        runs.delete(id)
    with owner.acting_for(ADA):
        assert [run.name for run in runs.listed()] == ["Hers"]


def test_a_model_is_its_persons_alone_even_for_who_knows_its_digest(tmp_path: Path) -> None:
    import torch

    folder = tmp_path / "trained"
    card = dict.fromkeys(checkpoint.NEEDED, "") | {
        "name": "hers",
        "system": "cells",
        "metrics": {},
        "baselines": {},
        "seconds": 1,
    }
    checkpoint.save(folder, {"w": torch.zeros(2)}, card)
    with owner.acting_for(ADA):
        model = store.add_model(folder)
        assert model in checkpoint.known("cells")
    with owner.acting_for(BO):
        assert model not in checkpoint.known("cells")
        with pytest.raises(CheckpointError):
            checkpoint.find(model)
        store.delete_model(model)
    assert model not in checkpoint.known("cells")  # a thread that works for nobody sees what is bundled
    with owner.acting_for(ADA):
        assert model in checkpoint.known("cells")


def test_a_job_is_its_persons_alone_and_its_result_goes_to_them() -> None:
    recipe = Perturb(seed=3, latent_dim=6, dose=0.0)
    with owner.acting_for(ADA):
        hers = jobs.submit(recipe, "tests.job_steps:count")
    with owner.acting_for(BO):
        for act in (jobs.snapshot, jobs.cancel, jobs.resume, jobs.delete, jobs.curve):
            with pytest.raises(JobError):
                act(hers)
        assert jobs.find(recipe) is None
        his = jobs.submit(recipe, "tests.job_steps:count")  # the same question is a job of its own
        assert [job.id for job in jobs.listed()] == [his]
        finished(his)
    assert len(jobs._running) == 1  # one cluster for all
    with owner.acting_for(ADA):
        finished(hers)
        assert [run.id for run in runs.listed()] == [hers]
    with owner.acting_for(BO):
        assert [run.id for run in runs.listed()] == [his]


def finished(id: str) -> None:
    wait = threading.Event()
    for _ in range(3000):
        if not jobs.snapshot(id).active:
            break
        wait.wait(0.02)
    assert jobs.snapshot(id).state == "done", jobs.snapshot(id)


def test_who_works_for_nobody_is_refused_in_a_sentence() -> None:
    for act in (store.recent, runs.listed, jobs.listed, lambda: store.find("sha256:" + "0" * 64)):
        with pytest.raises(UserError, match=r"^Sign in first"):
            act()
    assert store.models() == []


def test_what_was_made_of_somebodys_file_is_kept_in_memory_for_them_alone(tmp_path: Path) -> None:
    inner, outer = Memo(1 << 20, lambda value: 1), Memo(1 << 20, lambda value: 1)
    with owner.acting_for(ADA):
        digest = store.add(text(tmp_path, "hers"))

    def read() -> str:  # the inner key tells nothing, the outer one neither
        return str(inner.get("file", lambda: store.find(digest).read_text()))

    def words() -> str:
        return str(outer.get("words", lambda: read().upper()))

    for _ in range(2):
        with owner.acting_for(ADA):
            assert words() == "HERS"
            assert outer.has("words")
        with owner.acting_for(BO):
            assert not outer.has("words")
            with pytest.raises(MissingContent):
                words()
    with owner.acting_for(ADA):
        outer.clear()
        assert words() == "HERS"  # now out of the inner memo, which was hers
    with owner.acting_for(BO), pytest.raises(MissingContent):
        words()


def test_what_names_a_file_is_kept_for_one_person_and_all_else_for_everybody() -> None:
    memo, made = Memo(1 << 20, lambda value: 1), []

    def make(what: str) -> str:
        made.append(what)
        return what

    for who in (ADA, BO):
        with owner.acting_for(who):
            memo.get("bundled", lambda: make("bundled"))
            memo.get(("sha256:" + "0" * 64, 3), lambda: make("file"))
    assert made == ["bundled", "file", "file"]


def test_a_result_in_memory_does_not_answer_another_persons_link(tmp_path: Path) -> None:
    import numpy as np

    np.save(tmp_path / "rho.npy", np.sin(np.linspace(0, 6, 64 * 64)).reshape(64, 64))
    with owner.acting_for(ADA):
        recipe = Solve(rho=store.add(tmp_path / "rho.npy"), solver="exact")
        hers = kept.run(recipe, lambda: catalog.run(recipe))
        assert kept.ready(recipe)
        assert kept.ready(hers.recipe)
    with owner.acting_for(BO):
        for link in (recipe, hers.recipe):
            assert not kept.ready(link)
            with pytest.raises(MissingContent):
                kept.run(link, lambda link=link: catalog.run(link))


def test_work_in_another_thread_is_done_for_whom_it_was_asked(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        with owner.acting_for(ADA):
            digest = store.add(text(tmp_path, "hers"))
            assert pool.submit(owner.bound(lambda: store.find(digest).read_text())).result() == "hers"
            later = owner.bound(store.recent)
        with owner.acting_for(BO):
            assert pool.submit(owner.bound(store.recent)).result() == []
            assert [entry.digest for entry in later()] == [digest]
        with pytest.raises(UserError, match="Sign in first"):
            pool.submit(store.recent).result()


def test_0_and_nothing_mean_that_nobody_signs_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for told, needed in (("", False), ("0", False), ("1", True), ("yes", True)):
        monkeypatch.setenv("LATENT_SIGN_IN", told)
        assert owner.needed() == needed
        assert (store.place() == store.home()) if not needed else owner.current() is None


def test_on_ones_own_machine_nothing_of_this_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("LATENT_SIGN_IN")
    digest = store.add(text(tmp_path, "mine"))
    assert store.find(digest).parent == tmp_path / "store"
    assert not (tmp_path / "people").exists()
    memo = Memo(1 << 20, lambda value: 1)
    assert memo.get(digest, lambda: store.find(digest)) == memo.get(digest, lambda: None)
