"""Events of any of the models in one signature, so that any can stand for any other: batch after batch, from a seed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.detector import modelfile
from gen_core.detector.model import Shape
from gen_core.detector.simulate import World, at_once, chunks, simulate
from gen_core.memo import Memo

if TYPE_CHECKING:
    import torch

    from gen_core.detector.modelfile import Learned

Array = np.ndarray
BLOCK = 1_000  # events whose chance comes from one seed, so that the size of a batch does not change it
COUNTED = 50_000  # simulated events whose frequencies the independent channels have
FREQUENCY_SEED = 1_000_000_009
ORDERS = ("spread", "layers", "random")
_FREQUENCIES = Memo(8 << 20, lambda found: found.nbytes)


@dataclass(frozen=True, eq=False)
class Source:
    """What draws events: the simulator, independent channels, or a trained network; how it is asked."""

    name: str  # simulator, independent, or the kind of the network
    world: World
    learned: Learned | None = None
    steps: int | None = None
    temperature: float = 1.0
    order: str = "spread"
    frequencies: Array | None = None  # of independent channels (layers, channels); None for those of the simulated world

    @property
    def shape(self) -> Shape:
        """Of an event."""
        return Shape(self.world.layers, self.world.channels) if self.learned is None else self.learned.shape

    def batches(self, n: int, batch: int, seed: int) -> Iterator[Array]:
        """n events (m, layers, channels), uint8, so many at a time."""
        if self.name == "simulator":
            for some in chunks(self.world, n, seed):
                for start in range(0, len(some.hits), batch):
                    yield some.hits[start : start + batch]
            return
        for start in range(0, n, batch):
            yield self.between(start, min(start + batch, n), seed)

    def all(self, n: int, batch: int, seed: int) -> Array:
        """n events (n, layers, channels), uint8."""
        return np.concatenate(list(self.batches(n, batch, seed)))

    def at_once(self, n: int, seed: int) -> Array:
        """n events in one go, whatever their order."""
        return at_once(self.world, n, seed) if self.name == "simulator" else self.between(0, n, seed)

    def between(self, start: int, stop: int, seed: int) -> Array:
        """The events of these numbers, all at once (not of the simulator)."""
        import torch

        with torch.no_grad():
            chance = _rows(self._uniform, start, stop, seed)
            if self.learned is None:
                bits = (chance < self._frequencies()).to(torch.uint8)
            else:
                normal = _rows(self._normal, start, stop, seed) if hasattr(self.learned.net, "prior") else None
                bits = drawn(self.learned, chance, normal, self.groups(seed), self.temperature)
        return bits.reshape(stop - start, self.shape.layers, self.shape.channels).numpy()

    def groups(self, seed: int) -> list[torch.Tensor]:
        """The channels of each step; the whole event where there are no steps."""
        import torch

        from gen_core.nets.masked import parts, spread

        if self.order == "random":
            order = torch.randperm(self.shape.size, generator=torch.Generator().manual_seed(seed))
        elif self.order == "layers":
            order = torch.arange(self.shape.size)
        else:
            order = spread(self.shape.layers, self.shape.channels)
        return parts(order, self.steps or 1)

    def _width(self) -> int:
        return int(self.learned.net.length) if self.name == "ar" and self.learned is not None else self.shape.size  # type: ignore[arg-type]

    def _uniform(self, generator: torch.Generator) -> torch.Tensor:
        import torch

        return torch.rand(BLOCK, self._width(), generator=generator)

    def _normal(self, generator: torch.Generator) -> torch.Tensor:
        import torch

        assert self.learned is not None
        return torch.randn(BLOCK, int(self.learned.net.z), generator=generator)  # type: ignore[arg-type]

    def _frequencies(self) -> torch.Tensor:
        import torch

        if self.frequencies is not None:
            return torch.from_numpy(self.frequencies.ravel().astype(np.float32))
        make = lambda: simulate(self.world, COUNTED, FREQUENCY_SEED).hits.mean(0).ravel().astype(np.float32)  # noqa: E731
        return torch.from_numpy(_FREQUENCIES.get(self.world, make))


def source_of(name: str, world: World, expected: str | None = None, steps: int | None = None, **how: Any) -> Source:
    """What a recipe's model draws with. Raises CheckpointError where there is no such model."""
    if name in modelfile.UNLEARNED:
        return Source(name, world)
    learned = modelfile.opened(name, expected)
    return Source(learned.kind, world, learned, steps, **how)


def drawn(
    learned: Learned, chance: torch.Tensor, normal: torch.Tensor | None, groups: list[torch.Tensor], temperature: float
) -> torch.Tensor:
    """Bits (m, n) of a network from uniform numbers and, with a latent code, normal ones (m, z)."""
    import torch

    net: Any = learned.net
    if learned.kind in ("ar", "made"):
        bits: torch.Tensor = net.draw(chance, temperature)
        return bits
    z = None if normal is None else net.codes(normal * temperature**0.5)
    if learned.kind in ("vae", "student"):
        return (chance < (net.decoder(z) / temperature).sigmoid()).to(torch.uint8)
    decoder = net if learned.kind == "masked" else net.decoder
    return decoder.draw(groups, chance, torch.zeros(len(chance), decoder.n), z, temperature)


def _rows(make: Any, start: int, stop: int, seed: int) -> torch.Tensor:
    """Rows start to stop of chance that is drawn block by block."""
    import torch

    parts = []
    for block in range(start // BLOCK, (stop - 1) // BLOCK + 1):
        mixed = np.random.SeedSequence([seed, 62, block, len(make.__name__)]).generate_state(1, np.uint64)[0]
        rows = make(torch.Generator().manual_seed(int(mixed >> 1)))
        parts.append(rows[max(start - block * BLOCK, 0) : stop - block * BLOCK])
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def clock() -> float:
    """Seconds of work: of the processor where there is one thread, so that other programs on the machine do not count."""
    import torch

    return time.thread_time() if torch.get_num_threads() == 1 else time.perf_counter()


def rate(source: Source, batch: int, least: float = 0.1) -> float:
    """Events a second that a source draws in batches of this size, all else included; the best of a few times."""
    best, spent, times = 0.0, 0.0, 0
    while (times < 2 and spent < 2 * least) or (spent < least and times < 50):
        began = clock()
        source.at_once(batch, 10_000 + times)
        took = clock() - began
        times, spent = times + 1, spent + took
        if times > 1 or took > least:  # the first one prepares kernels, which is little beside a long one
            best = max(best, batch / max(took, 1e-9))
    return best
