"""Where tensors live: which device, which precision, how many threads."""

from __future__ import annotations

import os
import platform
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gen_core import settings
from gen_core.errors import RecipeError

if TYPE_CHECKING:
    import torch

CHOICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("float32", "bfloat16")


@dataclass(frozen=True)
class Device:
    """A device that is really there. `precision` is what training uses; results are always float32."""

    kind: str  # "cpu", "cuda" or "mps"
    name: str  # as its maker calls it
    precision: str  # "float32" or "bfloat16"

    @property
    def torch(self) -> torch.device:
        """The same as a torch device."""
        import torch

        return torch.device(self.kind)


def check(choice: str) -> None:
    """Raise RecipeError where there is no such device at all; loads nothing."""
    if choice not in CHOICES:
        raise RecipeError(f"device: {choice!r} is not a device; choose one of {', '.join(CHOICES)}.")


def pick(choice: str = "auto", threads: int | None = None) -> Device:
    """The device to compute on. Raises RecipeError where the one asked for is not in this machine.

    On a CPU torch gets `threads` threads (default `$LATENT_THREADS`, else 1): on a machine that also serves pages,
    two threads on two busy cores are many times slower than one. `$LATENT_PRECISION` (float32 or bfloat16) decides the precision
    of training where it is set; on processors with instructions for bfloat16 large networks then learn half as fast again.
    """
    check(choice)
    import torch

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = next(kind for kind in ("cuda", "mps", "cpu") if there[kind]) if choice == "auto" else choice
    if not there[kind]:
        raise RecipeError(f"device: this machine has no {kind} device that torch can use; choose auto or cpu.")
    torch.set_num_threads(threads or settings.threads())
    if kind == "cuda":
        usual = "bfloat16" if torch.cuda.is_bf16_supported() else "float32"
        return Device("cuda", torch.cuda.get_device_name(), _precision(usual))
    return Device(kind, "Apple GPU" if kind == "mps" else processor(), _precision("float32"))


def linear_algebra() -> AbstractContextManager[object]:
    """Inside, linear algebra gets as many threads as torch does, or as `$OMP_NUM_THREADS` says where that is set.

    Two threads on small matrices wait for each other: what labels tell of a family takes 3 s with one and 20 s with two.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return nullcontext()
    import threadpoolctl

    limited: AbstractContextManager[object] = threadpoolctl.threadpool_limits(settings.threads(), user_api="blas")
    return limited


def _precision(usual: str) -> str:
    """The precision to train in: the one asked for, or the usual one of a device."""
    asked = os.environ.get("LATENT_PRECISION") or usual
    if asked not in PRECISIONS:
        raise RecipeError(f"LATENT_PRECISION: {asked[:20]!r} is not a precision; choose {' or '.join(PRECISIONS)}.")
    return asked


def likely() -> str:
    """What `pick` will most likely choose, told without loading torch: what the first page shows."""
    if Path("/proc/driver/nvidia/version").exists():
        return "NVIDIA GPU"
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return "Apple GPU"
    cores = os.cpu_count() or 1
    return f"CPU, {cores} core{'s' * (cores > 1)}"


def processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
