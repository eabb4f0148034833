"""What a trained network is worth: its prior, its directions, and its numbers on pictures it never saw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
import torch

from gen_core.checkpoint import rounded
from gen_core.images import disentangle, metrics, render
from gen_core.images.atlas import kept_content
from gen_core.images.model import STYLE, ImageNet
from gen_core.images.render import FACTORS, GROUPS
from gen_core.images.rendered import FIRST
from gen_core.images.space import CONTENT, Array, Prior, Space, groups_mask
from gen_core.latent.maps import umap

Net = TypeVar("Net", bound=torch.nn.Module)
TESTED = 192  # rendered pictures, never trained on, that score a model
APART, FEW = 10_000, 96  # rendered pictures, never trained on, that show what a code tells apart; of a model that saw few
PUSHED = 48  # of them, edited to see what else an edit changes
PUSH = 0.25  # of a factor's range, by which they are edited


def space_of(net: ImageNet, card: dict[str, Any], learned: Array, values: Array | None, new: Array, seeds: Array | None) -> Space:
    """The model ready for use, its card with its numbers.

    learned (n, 64, 64, 3) are training pictures, values (n, F) their factors where they are known; new (m, 64, 64, 3) were
    never trained on, seeds (m,) those they were rendered from.
    """
    net = half(net)  # what is measured is what the file will hold
    blank = np.zeros((0, 48), np.float32)
    bare = Space(net.train(False).requires_grad_(False), _no_prior(), blank, blank, blank, blank, blank, card)
    codes = bare.encode(learned)
    prior = Prior.fit(codes)
    prior = Prior(*(np.asarray(v, np.float16).astype(np.float32) for v in vars(prior).values()))
    told: list[dict[str, Any]] = []
    steps = blank
    if values is not None:
        steps = steps_of(codes, values)
    near = np.asarray(prior.near(codes), np.float16).astype(np.float32)
    kept = np.zeros((len(codes), 0)) if values is None else values
    space = Space(
        net, prior, near, umap(near).places, kept_content(bare.codes(learned)), kept, steps, card | {"directions": told}
    )
    numbers, baselines = scores(space, new, seeds)
    if values is not None and seeds is not None:
        told += directions(space, codes, values, new, render.factors(seeds))
        for row in told:
            numbers[f"direction_r2.{row['name']}"] = row["r2"]
        numbers |= told_apart(space, len(seeds) == TESTED)
    done = card | {"directions": told, "metrics": rounded(numbers), "baselines": {k: rounded(v) for k, v in baselines.items()}}
    return replace(space, card=done)


def scores(space: Space, new: Array, seeds: Array | None) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Numbers on pictures that were never trained on, and those of drawing the mean picture, of not switching, and of
    the rendered truth as the encoder sees it, which no model can be asked to beat."""
    codes, told = space.codes(new), space.encode(new)
    drawn = space.decode(codes)
    mean = np.broadcast_to(new.mean(0), new.shape)
    numbers = {"psnr": float(metrics.psnr(drawn, new).mean()), "ssim": similarity(drawn, new)}
    numbers["psnr_encoder"] = float(metrics.psnr(space.decode(told), new).mean())
    baselines: dict[str, dict[str, float]] = {
        "mean_picture": {"psnr": float(metrics.psnr(mean, new).mean()), "ssim": similarity(mean, new)}
    }
    if seeds is None:
        return numbers, baselines
    family, own = str(space.family), render.factors(seeds)
    other, theirs = np.roll(codes, 1, 0), np.roll(own, 1, 0)
    wanted = np.roll(told, 1, 0)
    switches = {group: (group,) for group in GROUPS} | {"all": GROUPS}
    kept: dict[str, float] = {}
    ideal: dict[str, float] = {}
    for name, layers in switches.items():
        mask = groups_mask(layers)
        truth = render.render(seeds, render.mixed(own, theirs, np.isin(GROUPS, layers)), family)
        made = space.decode(np.where(mask, other, codes))
        numbers[f"swap_score.{name}"] = metrics.swap_score(made, drawn, truth)
        numbers[f"psnr_truth.{name}"] = float(metrics.psnr(made, truth).mean())
        kept |= {f"swap_score.{name}": 0.0, f"psnr_truth.{name}": float(metrics.psnr(drawn, truth).mean())}
        both = metrics.kept_and_moved(space.encode(made), told, wanted, mask)
        numbers[f"content_kept.{name}"], numbers[f"style_moved.{name}"] = both
        both = metrics.kept_and_moved(space.encode(drawn), told, wanted, mask)
        kept[f"content_kept.{name}"], kept[f"style_moved.{name}"] = both
        both = metrics.kept_and_moved(space.encode(truth), told, wanted, mask)
        ideal[f"content_kept.{name}"], ideal[f"style_moved.{name}"] = both
        ideal[f"swap_score.{name}"] = 1.0
    numbers |= leakage(space, codes, own)
    return numbers, baselines | {"no_switch": kept, "rendered_truth": ideal}


def leakage(space: Space, codes: Array, values: Array) -> dict[str, float]:
    """How well the factors of the styles can be read off the content: averaged over space (the gate), and all of it."""
    fitted = np.arange(len(codes)) % 4 != 0
    maps = codes[:, :CONTENT].reshape(len(codes), -1, 16 * 16)
    averaged = metrics.explained(maps.mean(2), values, fitted)
    content = (codes[:, :CONTENT] - space.prior.centre[:CONTENT]) @ space.prior.content_axes[:, :32]
    whole = metrics.explained(content, values, fitted)
    return {
        "leakage_r2": float(np.maximum(averaged, 0).max()),
        "leakage_r2_whole_content": float(np.maximum(whole, 0).mean()),
    }


def told_apart(space: Space, many: bool) -> dict[str, float]:
    """What each number of the styles, and each of the widest axes of the content, tells of the factors: see `disentangle`."""
    axes = space.prior.content_axes[:, :32]
    summary = lambda z: np.concatenate([z[:, CONTENT:], (z[:, :CONTENT] - space.prior.centre[:CONTENT]) @ axes], 1)  # noqa: E731
    codes, values = apart(lambda images: summary(space.encode(images)), str(space.family), many)
    styles, content = codes[:, : len(GROUPS) * STYLE], codes[:, len(GROUPS) * STYLE :]
    rest = disentangle.measured(content, values).metrics("content_")
    return disentangle.measured(styles, values).metrics() | {k: v for k, v in rest.items() if "." not in k}


def apart(encode: Callable[[Array], Array], family: str, many: bool) -> tuple[Array, Array]:
    """Codes (n, k) and factors (n, F) of rendered pictures that were never trained on."""
    seeds = np.arange(FIRST - (APART if many else FEW), FIRST)
    parts = np.array_split(seeds, max(len(seeds) // 200, 1))
    return np.concatenate([encode(render.pictures(part, family)) for part in parts]), render.factors(seeds)


def steps_of(codes: Array, values: Array) -> Array:
    """How the styles move (F, 48) for one unit of each factor, the others held: the slopes of the codes on all factors.

    Each factor moves the vector of its own group alone.
    """
    spread = values.std(0)
    x = np.column_stack([(values - values.mean(0)) / spread, np.ones(len(values))])
    slopes, *_ = np.linalg.lstsq(x, codes[:, CONTENT:], rcond=None)
    own = np.repeat(np.arange(len(GROUPS)), STYLE)[None, :] == render.GROUP_OF[:, None]
    return np.asarray(slopes[:-1] / spread[:, None] * own, np.float32)


def directions(space: Space, codes: Array, values: Array, new: Array, known: Array) -> list[dict[str, Any]]:
    """R^2, leakage and gain of each factor's direction.

    R^2 is of the factor read linearly off the styles of new pictures. To see what an edit does, new pictures are moved by a
    quarter of the factor's range, drawn, and read again: the gain is how much of it arrives, the leakage the largest change
    of another factor, in ranges of its own, per range asked for.
    """
    found = space.encode(new)
    styles, targets = np.concatenate([codes, found])[:, CONTENT:], np.concatenate([values, known])
    fitted = np.arange(len(styles)) < len(codes)
    r2 = metrics.explained(styles, targets, fitted)
    reach = render.HIGH - render.LOW
    rows = []
    n = min(PUSHED, len(found))
    before = space.encode(space.decode(found[:n]))
    for i, factor in enumerate(FACTORS):
        sign = np.where(known[:n, i] > (factor.low + factor.high) / 2, -1.0, 1.0)  # towards the middle of the range
        pushed = found[:n].copy()
        pushed[:, CONTENT:] += sign[:, None] * PUSH * reach[i] * space.steps[i]
        after = space.encode(space.decode(pushed))
        both = np.concatenate([styles[fitted], before[:, CONTENT:], after[:, CONTENT:]])
        nothing = np.zeros((2 * n, len(FACTORS)))  # what is read of these is the point; there is nothing to score
        told = metrics.read(both, np.concatenate([values, nothing]), np.arange(len(both)) < len(codes))
        change = (sign[:, None] * (told[-n:] - told[-2 * n : -n])).mean(0) / reach / PUSH
        rows.append(
            {
                "name": factor.name,
                "unit": factor.unit,
                "r2": round(float(r2[i]), 4),
                "leakage": round(float(np.abs(np.delete(change, i)).max()), 4),
                "gain": round(float(change[i]), 4),
            }
        )
    return rows


def similarity(a: Array, b: Array) -> float:
    """Mean structural similarity of pictures (n, h, w, 3)."""
    return float(np.mean([metrics.ssim(x, y) for x, y in zip(a[:48], b[:48], strict=True)]))


def half(net: Net) -> Net:
    """The network with its weights rounded to float16, as they are kept."""
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(p.half().float())
    return net


def _no_prior() -> Prior:
    return Prior(*(np.zeros(1) for _ in range(6)))
