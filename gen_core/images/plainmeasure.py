"""What plain autoencoders are worth: the evidence bound in its two parts, and what their codes tell apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from gen_core.checkpoint import rounded
from gen_core.images import disentangle, metrics, render
from gen_core.images import plain as p
from gen_core.images.measure import apart, half, similarity
from gen_core.images.plainfile import Plain, Plains
from gen_core.images.plaintask import NOT_SEEN, PlainTask, pictures
from gen_core.images.rendered import FIRST
from gen_core.images.space import BATCH, Array, tensor

KEPT = 1_500  # training pictures whose codes are kept with a model
DRAWN = 4  # codes drawn from each posterior for the reconstruction term
ACTIVE = 0.01  # variance of a number's posterior means from which it counts as used (Burda et al. 2016, arXiv:1509.00519)


def plains_of(net: p.Several, card: dict[str, Any], task: PlainTask) -> Plains:
    """The model ready for use, its card with its numbers."""
    half(net)
    net.train(False).requires_grad_(False)
    new, values, known = not_seen(task)
    learned = task.images[: min(KEPT, task.n_train)].astype(np.float32) / 255
    numbers: dict[str, float] = {}
    simple: dict[str, float] = {}
    mean = task.images[: task.n_train].astype(np.float64).mean(0) / 255
    nothing = of_mean_picture(mean.astype(np.float32), new)
    nets = []
    for beta, one in zip(net.betas, net.nets, strict=True):
        assert isinstance(one, p.PlainNet)
        bare = Plain(beta, one, *(np.zeros((0, 0)),) * 3)
        centre, width = bare.encode(learned)
        codes = centre + width * np.random.default_rng(0).standard_normal(centre.shape)
        nets.append(Plain(beta, one, _kept(codes), *map(_kept, bare.encode(new))))
        after = f".{beta:g}" if task.kind == "lecture" else ""
        numbers |= {name + after: value for name, value in bound(bare, new).items()}
        simple |= {name + after: value for name, value in nothing.items()}
    if task.kind == "plain" and task.family is not None:
        codes, factors = apart(lambda images: nets[0].encode(images)[0], task.family, len(new) == NOT_SEEN)
        numbers |= disentangle.measured(codes, factors).metrics()
    told = {"betas": list(net.betas), "noise": p.NOISE, "known": known, "n_not_seen": len(new)}
    return Plains(
        tuple(nets), values, card | told | {"metrics": rounded(numbers), "baselines": {"mean_picture": rounded(simple)}}
    )


def not_seen(task: PlainTask) -> tuple[Array, Array, list[dict[str, str]]]:
    """Pictures never trained on (m, 64, 64, 3), what is known of them (m, F), and its names and units."""
    if task.family is None:
        new = task.images[task.n_train :].astype(np.float32) / 255
        return new, new.mean((1, 2, 3))[:, None], [{"name": "brightness", "unit": ""}]
    seeds = np.arange(FIRST - min(NOT_SEEN, max(task.n_train // 8, 24)), FIRST)
    known = [{"name": factor.name, "unit": factor.unit} for factor in render.FACTORS]
    return pictures(seeds, task.family, task.kind), render.factors(seeds), known


def bound(one: Plain, new: Array, drawn: int = DRAWN) -> dict[str, float]:
    """The evidence bound and its parts on pictures (m, 64, 64, 3), in nats per picture, with codes drawn from the posteriors."""
    parts, generator = [], torch.Generator().manual_seed(0)
    with torch.no_grad():
        for i in range(0, len(new), BATCH):
            x = tensor(new[i : i + BATCH])
            mean, spread = one.net.posterior(x)
            told = [
                p.likelihood(one.net.decode(p.sampled(mean, spread, torch.randn(mean.shape, generator=generator))), x)
                for _ in range(drawn)
            ]
            parts.append(torch.stack([torch.stack(told).mean(0), p.divergence(mean, spread).sum(1)], 1))
    likely, away = torch.cat(parts).double().mean(0).tolist()
    means, _ = one.encode(new)
    images = one.decode(means)
    return {
        "reconstruction": likely,
        "kl": away,
        "elbo": likely - away,
        "psnr": float(metrics.psnr(images, new).mean()),
        "ssim": similarity(images, new),
        "active_units": float((means.astype(float).var(0) > ACTIVE).sum()),
    }


def of_mean_picture(mean: Array, new: Array) -> dict[str, float]:
    """The same numbers of the mean training picture (64, 64, 3), drawn whatever the picture is: a code that says nothing."""
    images = np.repeat(mean[None], len(new), 0)
    likely = float(p.likelihood(tensor(images), tensor(new)).double().mean())
    told = {"psnr": float(metrics.psnr(images, new).mean()), "ssim": similarity(images, new)}
    return {"reconstruction": likely, "kl": 0.0, "elbo": likely, **told, "active_units": 0.0}


def _kept(values: Array) -> Array:
    """As the file will hold them."""
    return np.asarray(values, np.float16).astype(np.float32)
