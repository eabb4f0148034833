"""The cells of one question, put in order: which are control, which perturbed, which are to be predicted.

A study does not depend on the predictor or the dose; opening.py reads it and keeps it between the moves of a control.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from gen_core.cells import data
from gen_core.cells.latent_shift import Group, LatentResponse
from gen_core.cells.moved import column_mean, column_variance
from gen_core.cells.recipe import Perturb
from gen_core.cells.shift import BASELINES, Response
from gen_core.cells.space import Learned, Linear, Space
from gen_core.latent.components import Components
from gen_core.latent.density import Density
from gen_core.palette import label
from gen_core.result import Notice

if TYPE_CHECKING:
    from gen_core.cells.model import LatentModel

Array = np.ndarray
FEW = 3  # a type with fewer cells of either condition has no response to speak of


@dataclass(frozen=True)
class Check:
    """`pearson_delta_all` of the latent shift on one type, by a model that learned from its response (`kept`) and by one
    trained without it (`left_out`), and of each baseline: how far a model is flattered on what it saw, and whether it leads
    on what it did not see.
    """

    type: str
    kept: float
    left_out: float
    baselines: dict[str, float]


@dataclass(frozen=True, eq=False)
class Study:
    """Control and perturbed cells by type.

    X (n, G) CSR log1p expression; names (n,); cell_type (n,); is_perturbed (n,) bool; dose (n,) or None; replicate (n,)
    or None; genes (G,). `asked` are the rows to be predicted: the target's control cells (those of the second file where
    there is one). `latent` are the principal components of all cells but the target's perturbed ones. With `reverse` the
    perturbed cells are the ones to start from, and everything here speaks of the exchanged roles.
    """

    key: str  # tells studies apart: the fields of the recipe that decide what is read
    recipe: Perturb  # with every guessed field filled in
    X: sparse.csr_matrix
    genes: Array
    names: Array
    cell_type: Array
    is_perturbed: Array
    dose: Array | None
    replicate: Array | None
    asked: Array
    latent: Components
    state: data.State
    sampled: bool  # whether some groups are represented by a sample of their cells
    notices: tuple[Notice, ...]
    model: LatentModel | None = None  # a trained latent space; None for the components

    @cached_property
    def codes(self) -> Array:
        """Coordinates (n, k) of all cells on the components."""
        return self.latent.encode(self.X)

    @cached_property
    def labels(self) -> Array:
        """The genes' names (G,) as figures may show them."""
        return np.array([label(gene) for gene in self.genes], dtype=object)

    @cached_property
    def space(self) -> Space:
        """Where cells are looked at and where the latent predictor moves them."""
        return Linear(self.latent) if self.model is None else Learned.of(self.model)

    def seen_by(self, model: LatentModel) -> Study:
        """The same cells in a trained latent space instead of the components, which still measure how unlike cells are."""
        study, notices = copy(self), self.notices
        if missing := len(np.setdiff1d(self.genes, model.genes)):
            text = f"{missing:,} of {len(self.genes):,} genes are unknown to the model, whose predictions leave them as they are."
            notices = (*notices, Notice("missing_genes", text))
        for name, value in (("model", model.on(self.genes)), ("notices", notices)):
            object.__setattr__(study, name, value)
        for name in ("space", "places", "density", "map_axes", "latent_responses", "saw_target"):
            study.__dict__.pop(name, None)  # what belongs to the space; all else is shared
        return study

    @cached_property
    def places(self) -> Array:
        """Codes (n, k) of all cells in that space."""
        return self.codes if self.model is None else self.space.encode(self.X)

    @property
    def id(self) -> tuple[str, str, str | None]:
        """Tells studies with different latent spaces apart; `key` is that of their cells."""
        return self.key, self.recipe.model, self.recipe.weights

    @cached_property
    def saw_target(self) -> bool:
        """Whether the model learned from the very cells that would score the prediction."""
        if self.model is None or self.from_new_file:
            return False
        cells = marks(self.names[self.rows(self.target, True)])
        return len(cells) > 0 and float(np.isin(cells, self.model.seen).mean()) > 0.5

    @property
    def check(self) -> Check | None:
        """How the model does where it has not seen the answer; None for the components and for a model that was not checked."""
        told = self.model.card.get("check") if self.model is not None else None
        if not told or told["type"] == self.target:  # the target's own response must not choose its predictor
            return None
        scores = {name: float("nan") if value is None else float(value) for name, value in told["pearson_delta_all"].items()}
        kept, left_out = scores.pop("kept"), scores.pop("left_out")
        if set(scores) < set(BASELINES):
            return None
        return Check(told["type"], kept, left_out, scores)

    @cached_property
    def latent_responses(self) -> dict[str, LatentResponse]:
        """The response of every type that has one, in the latent space."""
        found = {}
        for name in self.types:
            control, perturbed = self.rows(name, False), self.rows(name, True)
            doses = self.responses[name].doses
            dose = np.ones(len(perturbed)) if self.dose is None else self.dose[perturbed]
            groups = [Group(name, self.places[control], self.places[perturbed[dose == d]]) for d in doses]
            found[name] = LatentResponse(doses, tuple(groups))
        return found

    @cached_property
    def map_axes(self) -> tuple[int, int]:
        """The two axes to look at: the one with the widest spread of cells, and the one the responses point along most."""
        codes = self.places
        if codes.shape[1] == 2:
            return 0, 1
        spread = codes.std(0)[:10]
        moves = np.stack([codes[self.rows(name, True)].mean(0) - codes[self.rows(name, False)].mean(0) for name in self.sources])
        strength = np.abs(moves[:, : len(spread)]).mean(0) / np.maximum(spread, 1e-9)
        response = int(strength.argmax())
        other = next(i for i in range(len(spread)) if i != response) if len(spread) > 1 else response
        return other, response

    @cached_property
    def density(self) -> Density:
        """How dense the cells lie in the latent space, those aside that no prediction may have seen."""
        if isinstance(self.space, Learned):
            return Density.of(self.space.codes, self.recipe.seed)
        unseen = np.array([], int) if self.from_new_file else self.rows(self.target, True)
        return Density.of(self.codes[np.setdiff1d(np.arange(len(self.names)), unseen)], self.recipe.seed)

    @property
    def target(self) -> str:
        return str(self.recipe.target)

    @property
    def start(self) -> str:
        """What the cells that a prediction starts from are called."""
        return "perturbed" if self.recipe.reverse else "control"

    @property
    def end(self) -> str:
        """What the cells are called that the predicted ones should be like."""
        return "control" if self.recipe.reverse else "perturbed"

    def label(self, role: str) -> str:
        """The file's own word for "control" or "perturbed" cells."""
        return str(self.recipe.control if role == "control" else self.recipe.perturbed)

    @property
    def from_new_file(self) -> bool:
        """Whether the cells to be predicted come from a second file."""
        return self.recipe.target_data is not None

    @property
    def nbytes(self) -> int:
        return int(self.X.data.nbytes * 2 + self.latent.axes.nbytes * 2 + len(self.names) * 400)

    def rows(self, cell_type: str, perturbed: bool) -> Array:
        """Rows of one group of the study's own file."""
        return self._groups.get((cell_type, perturbed), np.array([], int))

    @cached_property
    def _groups(self) -> dict[tuple[str, bool], Array]:
        frame = pd.DataFrame({"type": self.cell_type, "perturbed": self.is_perturbed})
        if self.from_new_file:
            frame = frame.drop(self.asked)  # the new donor's cells answer no question but their own
        return {(str(t), bool(p)): np.asarray(index) for (t, p), index in frame.groupby(["type", "perturbed"]).groups.items()}

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Types with a response, in alphabetical order."""
        names = sorted({name for name, _ in self._groups})
        return tuple(name for name in names if min(len(self.rows(name, False)), len(self.rows(name, True))) >= FEW)

    @cached_property
    def sources(self) -> tuple[str, ...]:
        """Types whose response the prediction may use: never the target's own, unless the cells asked for are a new donor's."""
        wanted = self.recipe.sources
        return tuple(t for t in self.others if wanted is None or t in wanted)

    @property
    def others(self) -> tuple[str, ...]:
        """Types whose response is known and is not what the prediction is scored by: those that are left out in turn."""
        return tuple(t for t in self.types if t != self.target or self.from_new_file)

    def halves(self, cell_type: str) -> tuple[Array, Array]:
        """The control cells of a type split in two by the seed: what predictions start from, what they are scored against."""
        rows = self.rows(cell_type, False)
        # The type's name is part of the seed, so that its halves stay the same whichever other types the file has.
        mixed = np.random.default_rng([self.recipe.seed, *cell_type.encode()]).permutation(rows)
        return np.sort(mixed[: len(rows) // 2]), np.sort(mixed[len(rows) // 2 :])

    @cached_property
    def responses(self) -> dict[str, Response]:
        """The response of every type that has one. The target's own is in it too, to score with and never to fit."""
        return {name: self._response(name) for name in self.types}

    def _response(self, name: str) -> Response:
        control, perturbed = self.rows(name, False), self.rows(name, True)
        dose = np.ones(len(perturbed)) if self.dose is None else self.dose[perturbed]
        doses = np.unique(dose)
        mean, noise = self._mean_and_noise(control)
        at_dose = [self._mean_and_noise(perturbed[dose == d]) for d in doses]
        return Response(
            name=name,
            doses=doses,
            change=np.stack([m - mean for m, _ in at_dose]),
            noise=np.stack([v + noise for _, v in at_dose]),
            n=np.array([(dose == d).sum() for d in doses]),
            n_control=len(control),
            control=mean,
            centroid=self.codes[control].mean(0),
        )

    def _mean_and_noise(self, rows: Array) -> tuple[Array, Array]:
        """Mean (G,) of some cells and its sampling variance: over donors where the recipe names them, else over cells."""
        X = self.X[rows]
        if self.replicate is not None:
            means = np.stack([column_mean(X[self.replicate[rows] == donor]) for donor in np.unique(self.replicate[rows])])
            if len(means) >= 2:
                return column_mean(X), means.var(0, ddof=1) / len(means)
        return column_mean(X), column_variance(X) / max(len(rows) - 1, 1)

    @cached_property
    def dose_choices(self) -> tuple[float, ...]:
        """Doses for a slider: none, the measured ones, four steps between each two, and up to twice the highest."""
        measured = [float(d) for d in self.doses]
        ladder = [0.0]
        for low, high in zip([measured[0] / 3, *measured], [*measured, measured[-1] * 2], strict=True):
            ladder += (
                [float(f"{d:.2g}") for d in np.geomspace(low, high, 6)[:-1]]
                if low != measured[-1]
                else [float(f"{d:.2g}") for d in np.geomspace(low, high, 4)]
            )
        return tuple(sorted({*ladder, *measured}))

    @cached_property
    def doses(self) -> Array:
        """All doses measured in any source, ascending; [1.] without a dose column."""
        return np.unique(np.concatenate([self.responses[name].doses for name in self.sources]))


def marks(names: Array) -> Array:
    """A number (n,) for each cell name, by which a model remembers the cells it was trained on, in whatever file they come."""
    return np.array([int.from_bytes(blake2b(str(name).encode(), digest_size=4).digest(), "little") for name in names], np.uint32)
