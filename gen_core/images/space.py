"""The latent space of pictures for use: arrays in, arrays out, nothing in it changes.

A latent vector is 2,096 numbers: the content map (8 channels of 16 x 16, mean 0 and deviation 1 each) and then the three
style vectors of 16 (coarse, middle, fine).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch

from gen_core import checkpoint
from gen_core.errors import CheckpointError, RecipeError
from gen_core.images import render
from gen_core.images.model import CHANNELS, GROUPS, MAP, STYLE, ImageNet
from gen_core.images.refine import STEPS, refined
from gen_core.latent.density import Density
from gen_core.nets.adain import normalise
from gen_core.nets.window import mirrored

Array = np.ndarray
CONTENT = CHANNELS * MAP * MAP
STYLES = len(GROUPS) * STYLE
LATENT = CONTENT + STYLES
AXES = 16  # principal axes of the styles along which a latent vector may be given
NEAR_CONTENT = 24  # axes of the content that say how unlike the training pictures a point is
SMOOTH = 0.25  # how far drawn styles lie from those of a training picture, in deviations of all
BATCH = 32
PRINCIPAL, CLOSED = 8, 4  # directions found without labels: of all styles, and in closed form of each group
STRANGE = 99.0  # percentile from which a point counts as off the manifold


@dataclass(frozen=True, eq=False)
class Prior:
    """A normal distribution fitted to the codes of training pictures, content and styles apart.

    centre (2096,); content_axes (2048, r) and style_axes (48, 48) orthonormal, the widest first, with their deviations;
    content_rest (1,) is the deviation of each number of the content off these axes.
    """

    centre: Array
    content_axes: Array
    content_scale: Array
    style_axes: Array
    style_scale: Array
    content_rest: Array

    @classmethod
    def fit(cls, codes: Array, rank: int = 192) -> Prior:
        """From codes (n, 2096)."""
        from gen_core.latent.components import Components

        rank = min(rank, len(codes) - 1)
        content = Components.fit(codes[:, :CONTENT], rank)
        spread = content.encode(codes[:, :CONTENT]).std(0)
        styles = codes[:, CONTENT:] - codes[:, CONTENT:].mean(0)
        value, axes = np.linalg.eigh(styles.T @ styles / len(styles))
        order = np.argsort(-value)
        axes = axes[:, order] * np.sign(axes[np.abs(axes[:, order]).argmax(0), order] + 1e-12)
        rest = np.sqrt(max(codes[:, :CONTENT].var(0).sum() - np.square(spread).sum(), 0.0) / CONTENT)
        scale = np.sqrt(np.maximum(value[order], 1e-12))
        return cls(codes.mean(0), content.axes, spread, axes.astype(np.float32), scale, np.array([rest], np.float32))

    def content(self, n: int, rng: np.random.Generator) -> Array:
        """Contents (n, 2048) drawn from it, about their mean."""
        wide = (rng.standard_normal((n, len(self.content_scale))) * self.content_scale) @ self.content_axes.T
        return np.asarray(wide + self.content_rest * rng.standard_normal((n, CONTENT)))

    def noise(self, n: int, rng: np.random.Generator) -> Array:
        """Styles (n, 48) drawn from it, about their mean."""
        return np.asarray((rng.standard_normal((n, STYLES)) * self.style_scale) @ self.style_axes.T)

    def styles(self, places: Array) -> Array:
        """The styles (n, 48) at coordinates (n, k), k up to 48; along the axes that are not given, the mean."""
        k = places.shape[1]
        return np.asarray((places * self.style_scale[:k]) @ self.style_axes[:, :k].T + self.centre[CONTENT:])

    def styles_of(self, near: Array) -> Array:
        """The styles (n, 48) of what lies at `near` (n, 48 + k)."""
        return np.asarray(near[:, :STYLES] * np.sqrt(np.square(self.style_scale).sum()) + self.centre[CONTENT:])

    def near(self, z: Array) -> Array:
        """What distances between latent vectors are measured in: styles and the widest axes of the content, weighed alike."""
        k = min(NEAR_CONTENT, len(self.content_scale))
        content = (z[:, :CONTENT] - self.centre[:CONTENT]) @ self.content_axes[:, :k]
        content /= np.sqrt(np.square(self.content_scale[:k]).sum())
        styles = (z[:, CONTENT:] - self.centre[CONTENT:]) / np.sqrt(np.square(self.style_scale).sum())
        return np.concatenate([styles, content], 1)


@dataclass(frozen=True, eq=False)
class Direction:
    """A known factor's move through the styles: step (48,) for one unit of it, and how well the codes tell it."""

    name: str
    step: Array
    unit: str
    r2: float  # of the factor, read off the codes of pictures that were not used to find it
    leakage: float  # largest change of another factor, in ranges of its own, per range of this one asked for
    gain: float  # how much of what is asked for arrives, as the encoder sees it


@dataclass(frozen=True, eq=False)
class Space:
    """A trained model: its network, its prior, what it keeps of a sample of its training pictures, and its card."""

    net: ImageNet
    prior: Prior
    near: Array  # (n, 48 + k): where training pictures lie, see `Prior.near`
    places: Array  # (n, 2): the same pictures on the map
    content: Array  # (n, 2048) int8: their content, in twentieths
    values: Array  # (n, F): their factors in their units; (n, 0) where they are not known
    steps: Array  # (F, 48): see `Direction`
    card: dict[str, Any]

    @property
    def family(self) -> str | None:
        """The family of rendered pictures it learned from; None for pictures of a user's."""
        return self.card.get("family")

    @cached_property
    def density(self) -> Density:
        """How dense the training pictures lie."""
        return Density.of(self.near)

    @cached_property
    def directions(self) -> dict[str, Direction]:
        """By name: the known factors', the axes of the styles, pc1 to pc8, and those in closed form, coarse1 to fine4."""
        known = [Direction(step=self.steps[i], **row) for i, row in enumerate(self.card.get("directions", []))]
        axes = self.prior.style_axes[:, :PRINCIPAL] * self.prior.style_scale[:PRINCIPAL]
        found = {f"pc{i + 1}": step for i, step in enumerate(axes.T)} | self._closed_form
        nan = float("nan")
        return {d.name: d for d in [*known, *(Direction(n, step, "deviations", nan, nan, nan) for n, step in found.items())]}

    @property
    def _closed_form(self) -> dict[str, Array]:
        """Four moves (48,) of each group that change the decoder's channel statistics most (SeFa: Shen & Zhou 2021, eq. 6).

        They are the first right singular vectors of the weights by which the group's layers read their style. One is a
        deviation of the training pictures along it. Neither factors nor pictures are needed to find them.
        """
        spread = self.prior.style_axes * self.prior.style_scale  # (48, 48): its square is the styles' covariance
        found = {}
        for i, group in enumerate(GROUPS):
            weights = torch.cat([layer.style.weight for layer in self.net.styled[group]]).detach().numpy()
            _, _, axes = np.linalg.svd(weights, full_matrices=False)
            for k, axis in enumerate(axes[:CLOSED]):
                step = np.zeros(STYLES, np.float32)
                step[i * STYLE : (i + 1) * STYLE] = axis * np.sign(axis[np.abs(axis).argmax()])
                found[f"{group}{k + 1}"] = step * np.linalg.norm(step @ spread)
        return found

    def encode(self, images: Array) -> Array:
        """Latent vectors (n, 2096) of pictures (n, 64, 64, 3) in [0, 1], as the encoder tells them at once."""
        return self._codes(images, 0)

    def codes(self, images: Array) -> Array:
        """The same, the structure put where it lies exactly (`refine`): what pictures that are looked at are drawn from."""
        return self._codes(images, STEPS)

    def _codes(self, images: Array, steps: int) -> Array:
        """What a picture does not show of the content map, since its grains are larger than the smallest, is mirrored."""
        parts = []
        for i in range(0, len(images), BATCH):
            x = tensor(images[i : i + BATCH])
            with torch.no_grad():
                codes = self.net.encode(x)
            if steps:
                codes = refined(self.net, x, codes, steps)
            with torch.no_grad():
                whole = mirrored(codes[0], *self.net.zoom(codes[1][:, 0]))
                parts.append(joined(normalise(whole), codes[1]))
        return np.concatenate(parts)

    def draw(self, n: int, rng: np.random.Generator, temperature: float = 1.0) -> Array:
        """Latent vectors (n, 2096) of new pictures, about their mean times the temperature.

        The content is normal, brought to the statistics that every content has. The styles are a smoothed bootstrap (Silverman
        1986): those of a training picture, moved a little, since they lie far from normal.
        """
        known = self.prior.styles_of(self.near)[rng.integers(len(self.near), size=n)] - self.prior.centre[CONTENT:]
        styles = np.sqrt(1 - SMOOTH**2) * known + SMOOTH * self.prior.noise(n, rng)
        return standard(temperature * np.concatenate([self.prior.content(n, rng), styles], 1) + self.prior.centre)

    def decode(self, z: Array) -> Array:
        """Pictures (n, 64, 64, 3) float32 in [0, 1] at latent vectors z (n, 2096)."""
        with torch.no_grad():
            parts = [self.net.decode(*split(z[i : i + BATCH])) for i in range(0, len(z), BATCH)]
        return np.ascontiguousarray(torch.cat(parts).permute(0, 2, 3, 1).numpy())

    def factors(self, z: Array) -> Array | None:
        """Known factors (n, F) in their units as the model reads them off latent vectors (n, 2096); None where it knows none."""
        if self.family is None:
            return None
        with torch.no_grad():
            told = self.net.read(split(z)[1]).numpy()
        return np.asarray(render.LOW + (told + 1) / 2 * (render.HIGH - render.LOW))

    def percentile(self, z: Array) -> Array:
        """How unlike the training pictures latent vectors (n, 2096) are, in % (n,): about 50 for a typical one."""
        return self.density.percentile(self.prior.near(z))

    def whole(self, z: Array, content: Array) -> Array:
        """Latent vectors (n, 2096) of shorter ones with this content (2048,): styles (n, 48), or places on their principal axes.

        Raises RecipeError where they are of another length.
        """
        k = z.shape[1]
        if k == LATENT:
            return standard(z)
        if k != STYLES and not 1 <= k <= AXES:
            raise RecipeError(f"z: a latent vector has {LATENT} numbers, {STYLES} (styles), or 1 to {AXES} (axes); here are {k}.")
        styles = z if k == STYLES else self.prior.styles(z)
        return np.concatenate([np.broadcast_to(content, (len(z), CONTENT)), styles], 1)


def groups_mask(layers: tuple[str, ...]) -> Array:
    """(2096,) true where a latent vector holds a style of these groups."""
    mask = np.zeros(LATENT, bool)
    for layer in layers:
        start = CONTENT + GROUPS.index(layer) * STYLE
        mask[start : start + STYLE] = True
    return mask


def standard(z: Array) -> Array:
    """Latent vectors with their content brought to mean 0 and deviation 1 in each channel."""
    content, styles = split(z)
    return joined(normalise(content), styles)


def split(z: Array) -> tuple[torch.Tensor, torch.Tensor]:
    """Content (n, 8, 16, 16) and styles (n, 3, 16) of latent vectors (n, 2096)."""
    t = torch.from_numpy(np.ascontiguousarray(z, np.float32))
    return t[:, :CONTENT].reshape(-1, CHANNELS, MAP, MAP), t[:, CONTENT:].reshape(-1, len(GROUPS), STYLE)


def joined(content: torch.Tensor, styles: torch.Tensor) -> Array:
    """The opposite of `split`."""
    return torch.cat([content.flatten(1), styles.flatten(1)], 1).detach().numpy()


def tensor(images: Array) -> torch.Tensor:
    """Pictures (n, h, w, 3) as (n, 3, h, w)."""
    return torch.from_numpy(np.ascontiguousarray(images, np.float32)).permute(0, 3, 1, 2)


def damaged(name: str, error: Exception) -> CheckpointError:
    """What is said of a model whose weights and card do not fit."""
    return CheckpointError(
        f"The model {name!r} cannot be used: its weights and its card do not fit together ({type(error).__name__})."
    )


KINDS = {
    "styles": "a model with structure and styles apart (such as images-micrographs)",
    "plain": "a plain autoencoder of 48 numbers (such as images-plain)",
    "lecture": "the plain autoencoders of two numbers (such as images-lecture)",
}


def check_kind(name: str, card: dict[str, Any], kind: str) -> None:
    """Raise CheckpointError where a model is not of images, or of another kind than is needed."""
    checkpoint.check_system(card, "images", name)
    found = str(card.get("kind", "styles"))
    if found != kind:
        here = KINDS.get(found, "of a kind unknown here").partition(" (")[0]
        raise CheckpointError(f"The model {name!r} is {here}; what is asked needs {KINDS[kind]}.")
