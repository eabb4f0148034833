"""The cells of one question, read and put in order: which are control, which perturbed, which are to be predicted.

A study does not depend on the predictor or the dose, so it is kept in memory between the moves of a control.
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

from gen_core.cells import data, question
from gen_core.cells.latent_shift import Group
from gen_core.cells.moved import column_mean, column_variance
from gen_core.cells.recipe import FREE, Perturb
from gen_core.cells.shift import BASELINES, Response
from gen_core.cells.space import Learned, Linear, Space
from gen_core.cells.transfer import LatentResponse
from gen_core.datasets import path_of
from gen_core.errors import InputError, RecipeError
from gen_core.latent.components import Components
from gen_core.latent.density import Density
from gen_core.memo import Memo
from gen_core.palette import label
from gen_core.result import Notice, unique

if TYPE_CHECKING:
    from gen_core.cells.model import LatentModel

Array = np.ndarray
MAX_VALUES = 60_000_000  # non-zero values held in memory (0.5 GB); of larger files each group keeps a seeded sample
FEW = 3  # a type with fewer cells of either condition has no response to speak of
KEPT = Memo(3 << 30, lambda study: study.nbytes)
KEPT_LEARNED = Memo(1 << 30, lambda study: study.X.shape[0] * 512)  # the cells themselves are those of the study it copies


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


def open_study(recipe: Perturb) -> Study:
    """The study a recipe asks about, from memory where it was read before.

    Raises InputError where the file has no such conditions or nothing to transfer from, RecipeError where the recipe
    names a column or a label that the file does not have.
    """
    if recipe.model == "train":
        raise RecipeError("model: train first (this happens when the recipe is run), or name a model.")
    if any(getattr(recipe, field) is None for field in question.GUESSED):
        recipe = question.fill_in(recipe)  # so that a question and its filled-in form are one study
    if recipe.model != "pca":
        key = repr(sorted(recipe.model_dump(exclude=set(FREE)).items()))
        return KEPT_LEARNED.get(key, lambda: _learned(recipe))
    key = repr(sorted(recipe.model_dump(exclude=set(FREE)).items()))
    return KEPT.get(key, lambda: _read(key, recipe))


def _learned(recipe: Perturb) -> Study:
    """The same cells with a trained latent space instead of the components, which still measure distances between cells."""
    from gen_core.cells.modelfile import open_model

    model = open_model(recipe.model, recipe.weights)
    base = open_study(recipe.replace(model="pca", weights=None, latent_dim=Perturb.model_fields["latent_dim"].default))
    study, missing = copy(base), len(np.setdiff1d(base.genes, model.genes))
    filled = base.recipe.replace(model=recipe.model, weights=model.card["sha256"], latent_dim=model.latent_dim)
    notices = base.notices
    if missing:
        text = f"{missing:,} of {len(base.genes):,} genes are unknown to the model, whose predictions leave them as they are."
        notices = (*notices, Notice("missing_genes", text))
    for name, value in (("recipe", filled), ("model", model.on(base.genes)), ("notices", notices)):
        object.__setattr__(study, name, value)
    for name in ("space", "places", "density", "map_axes", "latent_responses", "saw_target"):
        study.__dict__.pop(name, None)
    return study


def _read(key: str, recipe: Perturb) -> Study:
    recipe = question.fill_in(recipe)
    path = path_of(recipe.data)
    obs = question.labels(recipe, path)
    start = recipe.perturbed if recipe.reverse else recipe.control
    is_target = (obs.cell_type == recipe.target).to_numpy()
    is_perturbed = (obs.condition != start).to_numpy()
    keep = np.flatnonzero((obs.role != "").to_numpy())
    cells_held, sampled = _sample(obs.iloc[keep], question.described(recipe.data, recipe.layer), recipe.seed)
    rows = keep[cells_held]
    cells = data.read_cells(path, [], rows, recipe.layer)
    X, genes, names = cells.X, cells.genes, cells.names
    cell_type, perturbed = obs.cell_type.to_numpy(str)[rows], is_perturbed[rows]
    dose = obs.dose.to_numpy(float)[rows] if recipe.dose_key else None
    replicate = obs.replicate.to_numpy(str)[rows] if recipe.replicate_key else None
    notices = [*cells.notices, *question.notices(recipe, path)]
    asked = np.flatnonzero(is_target[rows] & ~perturbed)
    seen = ~(is_target[rows] & perturbed)
    if recipe.target_data is not None:
        new = _new_donor(recipe)
        X, genes, left_out = _align(X, genes, new)
        notices += [*new.notices, *left_out]
        asked = np.arange(len(names), X.shape[0])
        names = np.concatenate([names, new.names])
        cell_type = np.concatenate([cell_type, np.full(len(new.names), recipe.target)])
        perturbed = np.concatenate([perturbed, np.zeros(len(new.names), bool)])
        dose = None if dose is None else np.concatenate([dose, np.zeros(len(new.names))])
        replicate = None if replicate is None else np.concatenate([replicate, np.full(len(new.names), "new donor")])
        seen = np.r_[np.ones(len(rows), bool), np.zeros(len(new.names), bool)]
    if sampled:
        notices.append(
            Notice(
                "sampled_cells",
                f"The file holds {len(keep):,} cells of these conditions; a seeded sample of {len(rows):,} serves the estimates.",
            )
        )
    latent = Components.fit(X[np.flatnonzero(seen)], recipe.latent_dim, recipe.seed)
    study = Study(
        key, recipe, X, genes, names, cell_type, perturbed, dose, replicate, asked, latent, cells.state, sampled, unique(notices)
    )
    _check(study)
    return study


def _check(study: Study) -> None:
    """Raise where the question cannot be answered from these cells."""
    recipe, target = study.recipe, study.target
    if not len(study.asked):
        have = sorted({name for name, perturbed in study._groups if not perturbed})
        raise InputError(
            f"There are no {study.label(study.start)!r} cells of {target!r} to start from; there are of {question.some(have)}."
        )
    unknown = sorted(set(recipe.sources or ()) - set(study.types))
    if unknown:
        raise RecipeError(f"sources: {unknown[0]!r} has no cells in both conditions; there are {question.some(study.types)}.")
    if not study.sources:
        raise InputError(
            f"There is nothing to transfer from: no {recipe.cell_type_key!r} other than {target!r} has at least {FEW} cells "
            f"in both conditions. Name another column as context, or add cells of another type."
        )


def _sample(obs: pd.DataFrame, described: data.Description, seed: int) -> tuple[Array, bool]:
    """Positions of the cells to hold in memory: all, or of each group as many as fit."""
    per_cell = max((described.n_nonzero or described.n_cells * described.n_genes) / described.n_cells, 1)
    room = int(MAX_VALUES / per_cell)
    if len(obs) <= room:
        return np.arange(len(obs)), False
    groups = [
        np.asarray(g) for g in obs.reset_index(drop=True).groupby(["cell_type", "condition"], observed=True).groups.values()
    ]
    cap = room // len(groups)
    while sum(min(len(g), cap + 50) for g in groups) <= room:  # what small groups leave free, the others share
        cap += 50
    rng = np.random.default_rng(seed)
    return np.sort(np.concatenate([g if len(g) <= cap else rng.choice(g, cap, replace=False) for g in groups])), True


def _new_donor(recipe: Perturb) -> data.Cells:
    """The control cells of the target in the second file."""
    assert recipe.target_data is not None
    path = path_of(recipe.target_data, "target_data")
    rows = question.new_donor_rows(recipe, path)
    return data.read_cells(path, [], rows, recipe.layer)


def _align(X: sparse.csr_matrix, genes: Array, new: data.Cells) -> tuple[sparse.csr_matrix, Array, list[Notice]]:
    """Both files on the genes they share, the new cells below; and a notice on what was left out."""
    shared, here, there = np.intersect1d(genes, new.genes, return_indices=True)
    if len(shared) < 50:
        raise InputError(
            f"The two files share {len(shared)} gene names; at least 50 are needed. Do both name genes in the same way?"
        )
    order = np.argsort(here)  # the first file's order
    joined = sparse.vstack([X[:, here[order]], new.X[:, there[order]]], format="csr")
    lost = len(new.genes) - len(shared)
    notices = (
        [Notice("missing_genes", f"{lost:,} of {len(new.genes):,} genes of the new file are not in the data and are left out.")]
        if lost
        else []
    )
    return joined, genes[here[order]], notices
