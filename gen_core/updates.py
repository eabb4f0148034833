"""The state of one training, and one update after the other: what `gen_core.training` drives."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.errors import InputError
from gen_core.snapshot import State

if TYPE_CHECKING:
    import torch

    from gen_core.device import Device
    from gen_core.training import Settings, Task

Array = np.ndarray


class Run:
    """The state of one training: weights, their average, the best so far, the optimizer, and the counters."""

    def __init__(self, task: Task, settings: Settings, device: Device) -> None:
        import torch

        self.task, self.settings, self.device = task, settings, device
        with _seeded(device, settings.seed, 0, 0):
            self.module = task.module().to(device.torch)
        self.averaged = copy.deepcopy(self.module).requires_grad_(False).train(False)
        self.best = {name: value.clone() for name, value in self.averaged.state_dict().items()}
        self.optimizer = torch.optim.AdamW(
            self.module.parameters(), settings.learning_rate, weight_decay=settings.weight_decay, fused=device.kind != "mps"
        )
        self.counters: dict[str, Any] = {
            "epoch": 0,  # the one being worked on
            "batch": 0,  # of that epoch, the next one
            "updates": 0,
            "loss_sum": 0.0,  # over the rows of this epoch so far
            "train_loss": math.inf,
            "valid_loss": math.inf,
            "best_loss": math.inf,
            "best_epoch": 0,
            "seconds": 0.0,
            "micro": settings.batch,  # rows worked on at once
            "finished": False,
        }

    @property
    def finished(self) -> bool:
        return bool(self.counters["finished"])

    def work(self, told_every: float) -> Generator[float, None, None]:
        """Work on from where the counters stand; stop at each epoch's end, and within one every `told_every` seconds, to
        give the share of the epoch that is done (0 at its end, when the counters stand at the next).
        """
        at, settings = self.counters, self.settings
        last = told = time.monotonic()
        while not self.finished:
            order = np.random.default_rng([settings.seed, at["epoch"]]).permutation(self.task.n_train)
            batches = [order[i : i + settings.batch] for i in range(0, len(order), settings.batch)]
            over = False
            while at["batch"] < len(batches) and not over:
                at["loss_sum"] += self._update(batches[at["batch"]]) * len(batches[at["batch"]])
                at["batch"] += 1
                now = time.monotonic()
                at["seconds"], last = at["seconds"] + now - last, now
                over = settings.max_seconds is not None and at["seconds"] >= settings.max_seconds
                if now - told >= told_every and at["batch"] < len(batches) and not over:
                    yield at["batch"] / len(batches)
                    told = last = time.monotonic()  # what the caller did meanwhile is not the training's time
            self._end_epoch(sum(len(rows) for rows in batches[: at["batch"]]), over)
            now = time.monotonic()
            at["seconds"], last = at["seconds"] + now - last, now
            yield 0.0
            told = last = time.monotonic()

    def _update(self, rows: Array) -> float:
        """One step of the optimizer on a batch; its mean loss before the step."""
        import torch

        at, settings = self.counters, self.settings
        total = settings.epochs * math.ceil(self.task.n_train / settings.batch)
        share = at["updates"] / total
        for group in self.optimizer.param_groups:
            group["lr"] = settings.learning_rate * _rate(at["updates"], total)
        self.module.train()
        with _seeded(self.device, settings.seed, at["epoch"] + 1, at["batch"]) as generator:
            noise = self.task.noise(len(rows), generator)
            loss = self._gradient(rows, noise, share)
            while loss is None:  # memory ran out: the same batch again, in smaller pieces
                if at["micro"] == 1:
                    raise InputError(
                        f"Not even one row of the training fits into the memory of {self.device.name}: use a smaller model."
                    )
                at["micro"] = max(min(at["micro"], len(rows)) // 2, 1)
                if self.device.kind == "cuda":
                    torch.cuda.empty_cache()
                loss = self._gradient(rows, noise, share)
        if not math.isfinite(loss):
            raise InputError("The training went astray: its loss is no number. Try a lower learning rate or another seed.")
        torch.nn.utils.clip_grad_norm_(self.module.parameters(), settings.clip)
        self.optimizer.step()
        at["updates"] += 1
        self._average()
        return loss

    def _gradient(self, rows: Array, noise: tuple[torch.Tensor, ...], share: float) -> float | None:
        """Set the gradient of the batch's mean loss and return that loss, or None where memory ran out."""
        import torch

        self.optimizer.zero_grad(set_to_none=True)
        total, micro = 0.0, self.counters["micro"]
        try:
            for i in range(0, len(rows), micro):
                part = slice(i, i + micro)
                with self._precision():
                    loss = self.task.loss(self.module, rows[part], self._here(noise, part), share).float().sum() / len(rows)
                loss.backward()
                total += float(loss.detach())
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
            if not _is_out_of_memory(error):
                raise
            return None
        return total

    def _average(self) -> None:
        """The moving average takes in the newest weights; at first faster, so that it forgets where they started."""
        import torch

        share = 1 - min(self.settings.averaging, (1 + self.counters["updates"]) / (10 + self.counters["updates"]))
        with torch.no_grad():
            for mean, new in zip(self.averaged.parameters(), self.module.parameters(), strict=True):
                mean.lerp_(new, share)
            for kept, newest in zip(self.averaged.buffers(), self.module.buffers(), strict=True):
                kept.copy_(newest)

    def _end_epoch(self, n_rows: int, over: bool) -> None:
        """Validate the averaged weights, keep them where they are the best, and decide whether to go on."""
        at, settings = self.counters, self.settings
        at["train_loss"] = at["loss_sum"] / n_rows
        at["valid_loss"] = self._validate() if self.task.n_valid else at["train_loss"]
        at |= {"epoch": at["epoch"] + 1, "batch": 0, "loss_sum": 0.0}
        # Without validation rows nothing says which epoch was the best: the last one is.
        if at["valid_loss"] < at["best_loss"] or not self.task.n_valid:
            at |= {"best_loss": at["valid_loss"], "best_epoch": at["epoch"]}
            for name, value in self.averaged.state_dict().items():
                self.best[name].copy_(value)
        tired = settings.patience is not None and at["epoch"] - at["best_epoch"] >= settings.patience
        at["finished"] = over or tired or at["epoch"] >= settings.epochs

    def _validate(self) -> float:
        """Mean loss of the averaged weights on the validation rows, with the same noise at every epoch."""
        import torch

        rows, total = np.arange(self.task.n_train, self.task.n_train + self.task.n_valid), 0.0
        with torch.no_grad(), _seeded(self.device, self.settings.seed, 0, 1) as generator:
            noise = self.task.noise(len(rows), generator)
            i = 0
            while i < len(rows):
                part = slice(i, i + self.counters["micro"])
                try:
                    with self._precision():
                        total += float(self.task.loss(self.averaged, rows[part], self._here(noise, part), 1.0).float().sum())
                except (torch.OutOfMemoryError, RuntimeError, MemoryError) as error:
                    if not _is_out_of_memory(error) or self.counters["micro"] == 1:
                        raise
                    self.counters["micro"] //= 2
                    continue
                i = part.stop
        return total / len(rows)

    def _here(self, noise: tuple[torch.Tensor, ...], part: slice) -> tuple[torch.Tensor, ...]:
        return tuple(tensor[part].to(self.device.torch) for tensor in noise)

    def _precision(self) -> Any:
        """Half precision where the device has it: activations only; weights, losses and sums stay float32."""
        import torch

        return torch.autocast(self.device.kind, torch.bfloat16, enabled=self.device.precision == "bfloat16")

    def state(self) -> State:
        """Everything that `restore` needs, on the CPU."""
        tensors = {f"module.{name}": value for name, value in self.module.state_dict().items()}
        tensors |= {f"averaged.{name}": value for name, value in self.averaged.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        for index, kept in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in kept.items()}
        return State({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, dict(self.counters))

    def restore(self, state: State) -> None:
        """Go back to a state that this task and these settings left."""
        import torch

        part = lambda prefix: {k.removeprefix(prefix): v for k, v in state.tensors.items() if k.startswith(prefix)}  # noqa: E731
        self.module.load_state_dict(part("module."))
        self.averaged.load_state_dict(part("averaged."))
        for name, value in part("best.").items():
            self.best[name].copy_(value)
        kept: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in part("optimizer.").items():
            index, _, field_name = name.partition(".")
            parameter = self.optimizer.param_groups[0]["params"][int(index)]
            if value.shape == parameter.shape:  # the fused optimizer pairs numbers by where they lie in memory
                value = torch.empty_like(parameter, dtype=value.dtype, requires_grad=False).copy_(value)
            kept.setdefault(int(index), {})[field_name] = value
        self.optimizer.load_state_dict(self.optimizer.state_dict() | {"state": kept})
        self.counters |= state.counters

    def result(self) -> torch.nn.Module:
        """The module with the best weights, ready for use."""
        self.averaged.load_state_dict(self.best)
        return self.averaged.cpu().train(False)


def _rate(update: int, total: int) -> float:
    """Learning rate as a share of the highest: a rise over the first 20 updates, then half a cosine down to a twentieth."""
    return min(1.0, (update + 1) / 20) * (0.05 + 0.475 * (1 + math.cos(math.pi * update / max(total, 1))))


class _seeded:
    """Seeds torch for one batch, and gives a generator for its noise; outside, torch's own generators are as before."""

    def __init__(self, device: Device, *numbers: int) -> None:
        self.device, self.seed = device, int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> 1)

    def __enter__(self) -> torch.Generator:
        import torch

        self.fork = torch.random.fork_rng([torch.cuda.current_device()] if self.device.kind == "cuda" else [])
        self.fork.__enter__()
        torch.manual_seed(self.seed)  # for dropout; the noise has a generator of its own, always on the CPU
        return torch.Generator().manual_seed(self.seed)

    def __exit__(self, *error: Any) -> None:
        self.fork.__exit__(*error)


def _is_out_of_memory(error: BaseException) -> bool:
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "can't allocate memory" in text
