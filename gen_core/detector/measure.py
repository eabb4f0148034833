"""How far generated events are from the truth: correlations of channels, numbers of hits, and whether a classifier tells them.

Every number has a 95 % interval, and what the truth itself scores against other events of the truth (its floor) is measured in
the same way: for so many events none of them is 0 or one half even where nothing is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.detector.features import features

if TYPE_CHECKING:
    import torch

Array = np.ndarray
GROUPS = 20  # of events, each left out in turn for the intervals
JUDGED = 12_500  # events a side that classifiers see at most: the more they learn from, the more they tell
COUNTED = 20_000  # events a side of the other numbers
EPOCHS, BATCH, RATE = 8, 64, 2e-3  # of the convolutional classifier
LEAST = 160  # batches that it learns from, however few events there are
METRICS = ("corr_error", "multiplicity_w1", "auc_features", "auc_cnn")


@dataclass(frozen=True)
class Value:
    """A number and the ends of its 95 % interval."""

    value: float
    low: float
    high: float


def scores(made: Array, truth: Array) -> dict[str, float]:
    """All four numbers of events (n, layers, channels) against the truth, each with `_low` and `_high`; and how many events a
    side the classifiers `judged`."""
    return with_classifiers(counted(made, truth), classified(made, truth))


def counted(made: Array, truth: Array) -> dict[str, float]:
    """The two numbers that need no classifier."""
    made, truth = made[:COUNTED], truth[:COUNTED]
    return _told({"corr_error": corr_error(made, truth), "multiplicity_w1": multiplicity_w1(made, truth)})


def classified(made: Array, truth: Array, seed: int = 0, told: Callable[[], None] = lambda: None) -> dict[str, float]:
    """The two numbers of classifiers, and how many events a side they `judged`. `told` is called now and then: what it raises
    ends the work."""
    made, truth = made[:JUDGED], truth[:JUDGED]
    found = {"auc_features": auc_features(made, truth, seed, told), "auc_cnn": auc_cnn(made, truth, seed, told)}
    return {"judged": float(min(len(made), len(truth)))} | _told(found)


def with_classifiers(row: Mapping[str, Any], said: Mapping[str, float]) -> dict[str, Any]:
    """A row of numbers with those of classifiers among the first of them, as `scores` orders them."""
    plain = {name: value for name, value in row.items() if name.startswith(METRICS[:2])}
    return {"judged": said["judged"]} | plain | dict(said) | dict(row)


def _told(found: dict[str, Value]) -> dict[str, float]:
    out: dict[str, float] = {}
    for name, value in found.items():
        out |= {name: value.value, f"{name}_low": value.low, f"{name}_high": value.high}
    return out


def correlations(hits: Array) -> Array:
    """The correlation matrix (c, c) of all channels; 0 of channels that never change."""
    x = hits.reshape(len(hits), -1).astype(np.float32)
    return _correlations(len(x), x.sum(0, dtype=np.float64), (x.T @ x).astype(np.float64))


def _correlations(n: int, sums: Array, products: Array) -> Array:
    mean = sums / n
    covariance = products / n - np.outer(mean, mean)
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0))
    scale = np.outer(deviation, deviation)
    return np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 1e-12)


def distance(a: Array, b: Array) -> float:
    """Frobenius norm of the difference of two matrices off their diagonals, over that of the second; NaN where that is 0."""
    off = ~np.eye(len(a), dtype=bool)
    size = float(np.linalg.norm(b[off]))
    return float(np.linalg.norm((a - b)[off])) / size if size > 0 else float("nan")


def corr_error(made: Array, truth: Array) -> Value:
    """The distance of the correlation matrices. A group of events is left out in turn for the interval (jackknife)."""
    tables = [_moments(hits) for hits in (made, truth)]
    whole = [_summed(table) for table in tables]
    reference = [_correlations(*total) for total in whole]
    point = distance(reference[0], reference[1])
    variance = 0.0
    for side, (table, total) in enumerate(zip(tables, whole, strict=True)):
        left = []
        for n, sums, products in table:
            without = _correlations(total[0] - n, total[1] - sums, total[2] - products)
            left.append(distance(without, reference[1]) if side == 0 else distance(reference[0], without))
        variance += _jackknife(np.array(left))
    return _interval(point, variance, 0.0)


def _moments(hits: Array) -> list[tuple[int, Array, Array]]:
    out = []
    for part in np.array_split(hits.reshape(len(hits), -1), min(GROUPS, len(hits))):
        x = part.astype(np.float32)
        out.append((len(x), x.sum(0, dtype=np.float64), (x.T @ x).astype(np.float64)))
    return out


def _summed(table: list[tuple[int, Array, Array]]) -> tuple[int, Array, Array]:
    return sum(row[0] for row in table), np.sum([row[1] for row in table], 0), np.sum([row[2] for row in table], 0)


def multiplicity_w1(made: Array, truth: Array) -> Value:
    """Wasserstein distance of the numbers of hits an event, in hits."""
    top = int(made[0].size) + 1
    tables = [_counted(hits, top) for hits in (made, truth)]
    point = _w1(tables[0].sum(0), tables[1].sum(0))
    variance = 0.0
    for side, table in enumerate(tables):
        other, total = tables[1 - side].sum(0), table.sum(0)
        variance += _jackknife(np.array([_w1(total - part, other) for part in table]))
    return _interval(point, variance, 0.0)


def _counted(hits: Array, top: int) -> Array:
    sums = hits.sum((1, 2), dtype=np.int64)
    return np.stack([np.bincount(part, minlength=top) for part in np.array_split(sums, min(GROUPS, len(sums)))])


def _w1(a: Array, b: Array) -> float:
    return float(np.abs(np.cumsum(a) / a.sum() - np.cumsum(b) / b.sum()).sum())


def _jackknife(left: Array) -> float:
    g = len(left)
    return float((g - 1) / g * ((left - left.mean()) ** 2).sum())


def _interval(value: float, variance: float, least: float, most: float = np.inf) -> Value:
    half = 1.96 * variance**0.5
    return Value(value, max(value - half, least), min(value + half, most))


def auc(of_made: Array, of_truth: Array) -> tuple[float, float]:
    """Area under the ROC curve of scores, and its variance (DeLong et al. 1988)."""
    from scipy.stats import rankdata

    m, n = len(of_made), len(of_truth)
    ranks = rankdata(np.concatenate([of_made, of_truth]))
    above = (ranks[:m] - rankdata(of_made)) / n  # share of the truth below each made one
    below = 1 - (ranks[m:] - rankdata(of_truth)) / m
    return float(above.mean()), float(above.var(ddof=1) / m + below.var(ddof=1) / n)


def auc_features(made: Array, truth: Array, seed: int = 0, told: Callable[[], None] = lambda: None) -> Value:
    """A boosted forest on features: each half of the events is told by what was learned from the other."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    x, y, fold = _mixed(features(made), features(truth), seed)
    values = []
    for out in (0, 1):
        forest = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, learning_rate=0.1, random_state=seed)
        forest.fit(x[fold != out], y[fold != out])
        said = forest.decision_function(x[fold == out])
        values.append(auc(said[y[fold == out] == 1], said[y[fold == out] == 0]))
        told()
    area, variance = np.mean(values, 0)
    return _interval(float(area), float(variance) / 2, 0.0, 1.0)


def auc_cnn(made: Array, truth: Array, seed: int = 0, told: Callable[[], None] = lambda: None) -> Value:
    """A small convolutional network on the hits themselves: one half of the events is learned from, the other is told."""
    import torch
    from torch import nn

    x, y, fold = _mixed(made, truth, seed)
    bits, labels = torch.from_numpy(x.astype(np.float32))[:, None], torch.from_numpy(y.astype(np.float32))
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.ReLU(), nn.Flatten(), nn.LazyLinear(1),
        )  # fmt: skip
        with torch.no_grad():
            net(bits[:2])
        learn, judged = np.flatnonzero(fold == 0), np.flatnonzero(fold == 1)
        weights = _joined(net)
        optimizer = torch.optim.AdamW([weights], RATE, weight_decay=1e-2)
        rng = np.random.default_rng([seed, 63])
        a_pass = -(-len(learn) // BATCH)
        epochs = max(EPOCHS, -(-LEAST // a_pass))
        total = epochs * a_pass
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE * 1.5, total_steps=max(total, 2))
        for _ in range(epochs):
            order = rng.permutation(learn)
            for start in range(0, len(order), BATCH):
                rows = torch.from_numpy(order[start : start + BATCH])
                loss = nn.functional.binary_cross_entropy_with_logits(net(bits[rows])[:, 0], labels[rows])
                optimizer.zero_grad(set_to_none=False)
                loss.backward()
                optimizer.step()
                schedule.step()
            told()
        with torch.no_grad():
            said = net(bits[torch.from_numpy(judged)])[:, 0].numpy()
    area, variance = auc(said[y[judged] == 1], said[y[judged] == 0])
    return _interval(area, variance, 0.0, 1.0)


def _joined(net: torch.nn.Module) -> torch.nn.Parameter:
    """All weights of a network as one array, of which they are parts from then on, and their slopes likewise: an optimiser takes
    one step for all of them, with the same numbers and a fifth less work."""
    import torch

    parts = list(net.parameters())
    whole = torch.nn.Parameter(torch.cat([part.detach().reshape(-1) for part in parts]))
    whole.grad = torch.zeros_like(whole)
    at = 0
    for part in parts:
        end = at + part.numel()
        part.data, part.grad = whole.data[at:end].view_as(part), whole.grad[at:end].view_as(part)
        at = end
    return whole


def _mixed(made: Array, truth: Array, seed: int) -> tuple[Array, Array, Array]:
    """Both sides one below the other, which is which (1 is made), and the half (0 or 1) that each event is in."""
    rng = np.random.default_rng([seed, 64])
    fold = np.concatenate([rng.permutation(np.arange(len(side)) % 2) for side in (made, truth)])
    return np.concatenate([made, truth]), np.repeat([1, 0], [len(made), len(truth)]), fold
