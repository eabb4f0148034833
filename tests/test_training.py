"""The training loop: whatever interrupts it, the weights at the end are those of an unbroken run."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from gen_core import snapshot, training
from gen_core.device import pick
from gen_core.errors import InputError, OutputError
from gen_core.training import Settings, Step, train

ROOT = Path(__file__).parents[1]
SETTINGS = Settings(epochs=6, batch=16, learning_rate=0.01, averaging=0.9)


class Line:
    """Fit y = A x with noise on the input and dropout: everything random that a real task has."""

    n_train, n_valid, fingerprint = 70, 20, "line"

    def __init__(self, dropout: float = 0.1, limit: int | None = None, stop_at: int | None = None) -> None:
        self.dropout, self.limit, self.stop_at, self.calls = dropout, limit, stop_at, 0
        rng = np.random.default_rng(0)
        self.x = torch.tensor(rng.normal(size=(90, 5)), dtype=torch.float32)
        self.y = self.x @ torch.tensor(rng.normal(size=(5, 3)), dtype=torch.float32)

    def module(self) -> torch.nn.Module:
        return torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.Dropout(self.dropout), torch.nn.Linear(8, 3))

    def noise(self, n: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
        return (torch.randn(n, 5, generator=generator),)

    def loss(self, module: torch.nn.Module, rows: np.ndarray, noise: tuple[torch.Tensor, ...], share: float) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.stop_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.limit is not None and len(rows) > self.limit:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        (eps,) = noise
        assert len(eps) == len(rows)
        x, y = self.x[rows].to(eps.device), self.y[rows].to(eps.device)
        return ((module(x + 0.1 * eps) - y) ** 2).mean(1)


def finish(steps: Iterator[Step]) -> dict[str, torch.Tensor]:
    """Run to the end and return the weights."""
    try:
        while True:
            next(steps)
    except StopIteration as end:
        return {name: value.clone() for name, value in end.value.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def every_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A step and a checkpoint after every batch, whatever the clock says."""
    monkeypatch.setattr(training, "TOLD_EVERY", 0.0)
    monkeypatch.setattr(training, "KEPT_EVERY", 0.0)


@pytest.fixture(scope="module")
def unbroken() -> dict[str, torch.Tensor]:
    return finish(train(Line(), SETTINGS))


def test_it_learns_and_tells_how_far_it_is() -> None:
    steps = list(train(Line(dropout=0), replace(SETTINGS, epochs=40)))
    assert [step.done for step in steps if "," not in step.text] == list(range(1, 41))
    assert {step.total for step in steps} == {40}
    assert steps[-1].metrics["valid_loss"] < 0.3 * steps[0].metrics["valid_loss"]
    assert steps[-1].text == "epoch 40 of 40"


def test_another_seed_gives_other_weights_and_the_same_seed_the_same(unbroken: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(99)  # what others did with torch's generator does not matter
    before = torch.random.get_rng_state()
    assert same(unbroken, finish(train(Line(), SETTINGS)))
    assert torch.equal(before, torch.random.get_rng_state())
    assert not same(unbroken, finish(train(Line(), replace(SETTINGS, seed=1))))


@pytest.mark.usefixtures("every_batch")
@pytest.mark.parametrize("after", [1, 3, 5, 12, 29])
def test_cancelled_and_resumed_it_ends_with_the_same_weights(
    after: int, unbroken: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    steps = train(Line(), SETTINGS, tmp_path)
    for _ in range(after):
        next(steps)
    steps.close()
    task = Line()
    assert same(unbroken, finish(train(task, SETTINGS, tmp_path)))
    assert task.calls < 6 * (5 + 2)  # some of the work was there already
    task = Line()
    assert same(unbroken, finish(train(task, SETTINGS, tmp_path)))
    assert task.calls == 0  # and now all of it


def test_closed_between_two_checkpoints_it_loses_nothing(unbroken: dict[str, torch.Tensor], tmp_path: Path) -> None:
    steps = train(Line(), SETTINGS, tmp_path)
    for _ in range(4):
        next(steps)
    steps.close()
    assert next(train(Line(), SETTINGS, tmp_path)).done == 5
    assert same(unbroken, finish(train(Line(), SETTINGS, tmp_path)))


@pytest.mark.usefixtures("every_batch")
def test_killed_within_a_batch_and_resumed_it_ends_with_the_same_weights(
    unbroken: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, __file__, str(tmp_path)], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert snapshot.exists(tmp_path)
    task = Line()
    assert same(unbroken, finish(train(task, SETTINGS, tmp_path)))
    assert task.calls < 6 * (5 + 2)


@pytest.mark.usefixtures("every_batch")
@pytest.mark.parametrize("damage", ["cut", "altered", "empty", "both cut"])
def test_a_damaged_checkpoint_is_passed_over(damage: str, unbroken: dict[str, torch.Tensor], tmp_path: Path) -> None:
    steps = train(Line(), SETTINGS, tmp_path)
    for _ in range(11):
        next(steps)
    steps.close()
    for name in (snapshot.NEWEST, snapshot.PREVIOUS)[: 1 + (damage == "both cut")]:
        path = tmp_path / name
        whole = path.read_bytes()
        assert len(whole) > 1000
        path.write_bytes(
            {"altered": whole[:-40] + bytes(b ^ 1 for b in whole[-40:-39]) + whole[-39:], "empty": b""}.get(damage, whole[:-9])
        )
    first = next(train(Line(), SETTINGS, tmp_path))
    assert first.text == ("epoch 1 of 6, 20%" if damage == "both cut" else "epoch 3 of 6, 20%")
    assert same(unbroken, finish(train(Line(), SETTINGS, tmp_path)))


def test_a_checkpoint_of_other_settings_or_another_task_is_not_taken_up(tmp_path: Path) -> None:
    finish(train(Line(), SETTINGS, tmp_path))
    assert next(train(Line(), replace(SETTINGS, seed=3), tmp_path)).done == 1
    other = Line()
    other.fingerprint = "other data"
    assert next(train(other, SETTINGS, tmp_path)).done == 1


def test_it_stops_when_validation_no_longer_improves_and_keeps_the_best() -> None:
    class Overfit(Line):
        def __init__(self) -> None:
            super().__init__(dropout=0)
            self.y[70:] = -self.y[:20]  # what is learned makes these rows worse
            self.x[70:] = self.x[:20]

    steps = train(Overfit(), replace(SETTINGS, epochs=50, patience=4))
    seen = []
    try:
        while True:
            seen.append(next(steps))
    except StopIteration as end:
        module = end.value
    losses = [step.metrics["valid_loss"] for step in seen]
    assert len(losses) < 50
    assert int(np.argmin(losses)) == len(losses) - 5
    task = Overfit()
    assert not module.training
    again = float(task.loss(module, np.arange(70, 90), (torch.zeros(20, 5),), 1.0).mean().detach())
    assert again < losses[-1] + 0.1


def test_the_average_is_the_exponential_moving_average_of_the_weights() -> None:
    class Recorded(Line):
        n_valid = 0
        seen: list[torch.Tensor]

        def loss(self, module, rows, noise, share):  # type: ignore[no-untyped-def]
            self.seen.append(next(module.parameters()).detach().clone())
            return super().loss(module, rows, noise, share)

    task = Recorded()
    task.seen = []
    steps = train(task, replace(SETTINGS, epochs=2))
    weights = finish(steps)["0.weight"]
    mean = task.seen[0]
    for update, new in enumerate(task.seen[1:], start=1):  # the weights before update i are those after update i - 1
        keep = min(0.9, (1 + update) / (10 + update))
        mean = keep * mean + (1 - keep) * new
    updates = len(task.seen)
    keep = min(0.9, (1 + updates) / (10 + updates))
    last = (weights - keep * mean) / (1 - keep)  # the one update that no loss saw: a step of Adam's size away
    assert (last - task.seen[-1]).abs().max() < 0.02
    assert (weights - task.seen[-1]).abs().max() > 1e-4  # it lags behind


def test_out_of_memory_halves_the_batch_and_changes_no_result() -> None:
    free = finish(train(Line(dropout=0), SETTINGS))
    task = Line(dropout=0, limit=5)
    halved = finish(train(task, SETTINGS))
    for name in free:
        torch.testing.assert_close(free[name], halved[name], rtol=1e-3, atol=1e-5)
    assert task.calls > 6 * 5 * 3
    with pytest.raises(InputError, match="Not even one row"):
        finish(train(Line(limit=0), SETTINGS))


def test_an_error_of_the_task_is_not_taken_for_a_lack_of_memory() -> None:
    class Broken(Line):
        def loss(self, module, rows, noise, share):  # type: ignore[no-untyped-def]
            raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        finish(train(Broken(), SETTINGS))


def test_a_loss_that_is_no_number_ends_the_training_with_a_sentence() -> None:
    class Astray(Line):
        def loss(self, module, rows, noise, share):  # type: ignore[no-untyped-def]
            return super().loss(module, rows, noise, share) * math.nan

    with pytest.raises(InputError, match="no number"):
        finish(train(Astray(), SETTINGS))


@pytest.mark.usefixtures("every_batch")
def test_max_seconds_counts_over_resumptions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    now = [0.0]

    def clock() -> float:  # each look at the clock is a second
        now[0] += 1
        return now[0]

    monkeypatch.setattr(training.time, "monotonic", clock)
    limited = replace(SETTINGS, max_seconds=12)
    whole = len(list(train(Line(), limited)))
    assert whole < 6 * 5
    steps = train(Line(), limited, tmp_path)
    seconds = next(steps).metrics["seconds"]
    steps.close()
    rest = list(train(Line(), limited, tmp_path))
    assert rest[0].metrics["seconds"] > seconds
    assert 1 + len(rest) == whole
    assert rest[-1].metrics["valid_loss"] > 0  # it is validated also where it stops within an epoch


def test_a_full_disk_is_said_in_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="disk is full"):
        finish(train(Line(), SETTINGS, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_forgotten_checkpoints_leave_nothing(tmp_path: Path) -> None:
    finish(train(Line(), SETTINGS, tmp_path))
    assert snapshot.exists(tmp_path)
    training.forget(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_a_gpu_it_learns_too(tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=20)
    on_gpu = finish(train(Line(dropout=0), settings, tmp_path, pick("cuda")))
    on_cpu = finish(train(Line(dropout=0), settings))
    assert {value.device.type for value in on_gpu.values()} == {"cpu"}
    for name in on_cpu:
        torch.testing.assert_close(on_gpu[name], on_cpu[name], rtol=0.1, atol=0.05)  # bfloat16 activations


if __name__ == "__main__":  # the process that kills itself in the fourth epoch
    training.TOLD_EVERY = training.KEPT_EVERY = 0.0
    finish(train(Line(stop_at=25), SETTINGS, Path(sys.argv[1])))
