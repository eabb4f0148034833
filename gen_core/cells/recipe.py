"""What may be asked of the cells instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gen_core.recipe import Content, Model, Recipe

Predictor = Literal["auto", "no_change", "gene_shift", "pca_shift", "nearest_shift", "weighted_shift", "latent"]
Shift = Literal["similarity_weighted", "nearest", "balanced_mean", "mean", "transport"]
Likelihood = Literal["auto", "gaussian", "negative_binomial"]


Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
# Fields that do not decide which cells are read, nor how: a study is kept while these change.
FREE = ("predictor", "shift", "dose", "second", "gene_sets", "spot", "epochs")


class Perturb(Recipe):
    """Predict how one cell type responds to a perturbation, from the responses of the other cell types."""

    operation: ClassVar[str] = "cells.perturb"

    model: Model = Field(
        "pca",
        description="The latent space: pca is linear, fitted on the given cells without the target's response; train trains a "
        "model on them first; else a bundled model or one trained before.",
    )
    weights: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the model's weights, filled in; other weights are refused."
    )
    data: Content = Field("simulated", description="Cells with a control and a perturbed condition.")
    target_data: Content | None = Field(
        None, description="A second file, of control cells only (a new donor), whose target cells are predicted."
    )
    layer: str | None = Field(None, max_length=200, description="The layer to read instead of X; raw for .raw/X.")
    condition_key: str | None = Field(
        None, max_length=200, description="Column that tells control from perturbed; guessed where null."
    )
    control: str | None = Field(None, max_length=200, description="Label of the control cells in condition_key.")
    perturbed: str | None = Field(None, max_length=200, description="Label of the perturbed cells in condition_key.")
    cell_type_key: str | None = Field(
        None, max_length=200, description="Column of the context the response is carried across, mostly the cell type."
    )
    target: str | None = Field(
        None, max_length=200, description="The cell type to predict; its perturbed cells only score the prediction."
    )
    predictor: Predictor = Field(
        "auto", description="How to predict; auto takes the one that predicts the other cell types best."
    )
    shift: Shift = Field(
        "similarity_weighted", description="How the latent predictor averages the responses of the other cell types."
    )
    sources: tuple[str, ...] | None = Field(
        None, max_length=500, description="Cell types the response is taken from; null for all others."
    )
    dose: float = Field(
        1.0, ge=-1e6, le=1e6, description="Multiples of the shift (1 as measured); with dose_key the dose in that column's unit."
    )
    dose_key: str | None = Field(
        None, max_length=200, description="Column of measured doses, a number; null where there is one dose."
    )
    replicate_key: str | None = Field(
        None, max_length=200, description="Column of donors; intervals then resample donors instead of cells."
    )
    reverse: bool = Field(False, description="Predict the control state from the perturbed one.")
    second: str | None = Field(
        None, max_length=200, description="Label of a second perturbation in condition_key, whose shift is added to the first."
    )
    gene_sets: Content | None = Field(None, description="Gene sets (.gmt) whose change is predicted.")
    latent_dim: int = Field(
        50, ge=2, le=200, description="Number of principal components; with train, latent dimensions (32 where it is left at 50)."
    )
    epochs: int = Field(20, ge=1, le=10_000, description="With train: times that every cell is learned from.")
    spot: tuple[Coordinate, Coordinate] | None = Field(
        None, description="A place on the map that is looked at; its profile is then a file too. Changes no prediction."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.control is not None and self.control == self.perturbed:
            raise ValueError(f"control and perturbed are both {self.control!r}; name two different conditions.")
        if self.second is not None and self.second in (self.control, self.perturbed):
            raise ValueError(f"second is {self.second!r}, which is the control or the first perturbation; name another label.")
        if self.second is not None and (self.reverse or self.dose_key is not None):
            raise ValueError("second adds two shifts as they were measured: leave reverse and dose_key out.")
        if self.sources is not None and not self.sources:
            raise ValueError("sources is empty; name at least one cell type, or null for all.")
        if self.sources and self.target in self.sources:
            raise ValueError(f"sources holds the target {self.target!r}; the response is taken from other cell types.")
        if self.model == "train" and self.latent_dim > 64:
            raise ValueError("latent_dim must lie between 2 and 64 where a model is trained.")
        if self.reverse and self.dose_key is not None:
            raise ValueError("reverse starts from treated cells of one dose: leave dose_key out.")
        if self.dose_key is None and abs(self.dose) > 10:
            raise ValueError("dose must lie between -10 and 10 multiples of the shift; with dose_key it is a concentration.")
        if self.dose_key is not None and self.dose < 0:
            raise ValueError("dose must not be negative where dose_key names measured doses.")
        return self


class Decode(Recipe):
    """Expression profiles of latent points, as a click on the map shows them."""

    operation: ClassVar[str] = "cells.decode"

    model: Model = Field("pca", description="The latent space: pca is linear, fitted on the given cells; else a trained model.")
    weights: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the model's weights, filled in; other weights are refused."
    )
    data: Content = Field("simulated", description="The cells that span the map.")
    layer: str | None = Field(None, max_length=200, description="The layer to read instead of X; raw for .raw/X.")
    latent_dim: int = Field(50, ge=2, le=200, description="Number of principal components.")
    z: tuple[tuple[Coordinate, ...], ...] = Field(
        ((0.0, 0.0),),
        min_length=1,
        max_length=1000,
        description="Latent vectors; those shorter than latent_dim are filled up from the nearest cells.",
    )


class Train(Recipe):
    """Learn the latent space of a file's cells without the response of one cell type, which then scores it."""

    operation: ClassVar[str] = "cells.train"

    data: Content = Field("simulated", description="Cells with a control and a perturbed condition.")
    layer: str | None = Field(None, max_length=200, description="The layer to read instead of X; raw for .raw/X.")
    condition_key: str | None = Field(
        None, max_length=200, description="Column that tells control from perturbed; guessed where null."
    )
    control: str | None = Field(None, max_length=200, description="Label of the control cells in condition_key.")
    perturbed: str | None = Field(None, max_length=200, description="Label of the perturbed cells in condition_key.")
    cell_type_key: str | None = Field(None, max_length=200, description="Column of the cell types, or another context.")
    target: str | None = Field(
        None, max_length=200, description="The cell type whose perturbed cells are not learned from; guessed where null."
    )
    replicate_key: str | None = Field(
        None,
        max_length=200,
        description="Column of donors or batches that the decoder is told, so that the latent space need not hold them.",
    )
    reverse: bool = Field(False, description="The target's control cells are left out instead of its perturbed ones.")
    latent_dim: int = Field(32, ge=2, le=64, description="Dimensions of the latent space; 2 can be drawn as it is.")
    likelihood: Likelihood = Field(
        "auto",
        description="What is learned: log1p expression (gaussian), or the counts that the file holds, as such or behind their "
        "log1p (negative_binomial); auto takes gaussian, which predicted real cells as well or a little better.",
    )
    epochs: int = Field(20, ge=1, le=10_000, description="Times that every cell is learned from.")
    check: bool = Field(
        True,
        description="Train a second time without the response of one more type: how much worse that is predicted tells how far "
        "the scores of the types that the model saw are flattered.",
    )
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.control is not None and self.control == self.perturbed:
            raise ValueError(f"control and perturbed are both {self.control!r}; name two different conditions.")
        return self


def training_of(recipe: Perturb, **changes: object) -> Train:
    """The recipe of a training on the cells of a prediction, so that it may be scored: the target's response is left out."""
    fields = recipe.fields()
    if recipe.latent_dim == Perturb.model_fields["latent_dim"].default:
        del fields["latent_dim"]  # a number of components, not of latent dimensions
    return Train.read({name: fields[name] for name in Train.model_fields if name in fields} | changes)


def using(model: str, card: Mapping[str, Any]) -> Perturb:
    """The prediction that a model trained here was made for: of the cells and the type it was trained without."""
    asked = dict(card["recipe"])
    shared = (Perturb.model_fields.keys() & Train.model_fields.keys()) - {"seed", "latent_dim", "epochs"}
    return Perturb.read({name: asked[name] for name in sorted(shared) if name in asked} | {"model": model, "predictor": "latent"})
