"""What may be asked of the proteins instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, WrapValidator, model_validator
from pydantic_core.core_schema import ValidatorFunctionWrapHandler

from gen_core.proteins.filters_recipe import MAX_RESIDUES, Filters
from gen_core.proteins.order_recipe import Order
from gen_core.recipe import Content, Model, Recipe

BUNDLED = "proteins-chorismate-mutase"

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Vector = tuple[Coordinate, ...]


def _is_protein(text: str) -> str:
    """Spaces and line ends are taken out; lower case, dots and dashes keep their meaning in an alignment."""
    row = "".join(text.split())
    if not row or not (row.isascii() and row.replace("-", "").replace(".", "").rstrip("*").isalpha()):
        raise ValueError("a protein sequence in one-letter code is needed, such as MKVLA; a row of the alignment will do.")
    return row


Protein = Annotated[str, Field(max_length=2 * MAX_RESIDUES), AfterValidator(_is_protein)]
"""A sequence, or a row of the family's alignment."""


def _in_one_sentence(expected: str) -> WrapValidator:
    """For a field of several kinds: one sentence where none fits, instead of what is wrong with each kind."""

    def check(value: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        try:
            return inner(value)
        except ValidationError as error:
            raise ValueError(f"{str(value)[:40]!r} is not allowed; give {expected}.") from error

    return WrapValidator(check)


class Spot(BaseModel):
    """A place in the latent space and how far around it is sampled."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    z: Vector = Field(min_length=1, max_length=64, description="A latent vector.")
    radius: float = Field(0.5, ge=0, le=100, description="Radius of the ball around it, in latent units: the prior spreads by 1.")


class Region(BaseModel):
    """A part of the model's map: sampled is around the naturals that lie in it."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    region: tuple[tuple[Coordinate, Coordinate], ...] = Field(
        min_length=3, max_length=200, description="Corners (x, y) of a polygon on the map."
    )


class _Labelled(Recipe):
    """Fields of a recipe that may use assay labels."""

    labels: Content | None = Field(None, description="Assay values of some sequences (CSV: id or sequence, value).")
    label_column: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The labels' column of values; value or the like where null.",
    )
    label_threshold: float | None = Field(None, description="Value from which a sequence counts as functional.")
    label_kind: Literal["continuous", "binary"] | None = Field(None, description="What the values are; guessed where null.")

    reference: Protein | None = Field(
        None,
        description="A sequence that numbers the positions and gives their residues: of locks, of labels that are mutations.",
    )
    reference_offset: int = Field(
        0,
        ge=-MAX_RESIDUES,
        le=MAX_RESIDUES,
        description="Added to a residue's place in the reference, from 1 on, for its number.",
    )

    @model_validator(mode="after")
    def _labels_are_there(self) -> Self:
        if self.labels is None:
            for name in ("label_column", "label_threshold", "label_kind"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: there are no labels that it is of; give labels, too.")
            filters = getattr(self, "filters", None)
            if filters is not None and filters.min_viability is not None:
                raise ValueError("filters.min_viability: viability is learned from labels; give labels, too.")
        return self


class _Modelled(_Labelled):
    """Fields of a recipe that uses a model of a family."""

    model: Model | None = Field(
        None,
        description="The family's model: train makes one first; null is the bundled one, or train where a family is given.",
    )
    weights: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the model's weights, filled in; other weights are refused."
    )
    family: Content | None = Field(
        None,
        description="The known sequences, aligned or not; null is what the model was trained on.",
    )
    latent_dim: int = Field(16, ge=2, le=32, description="With train: dimensions of the latent space.")
    epochs: int | None = Field(None, ge=1, le=10_000, description="With train: passes over the family; chosen where null.")

    @model_validator(mode="before")
    @classmethod
    def _model_of(cls, fields: Any) -> Any:
        """Fill in which model is meant, so that files and links say it."""
        if isinstance(fields, dict) and fields.get("model") is None:
            own = fields.get("family") not in (None, "chorismate_mutase")
            return {**fields, "model": "train" if own else BUNDLED}
        return fields

    @property
    def model_name(self) -> str:
        """The model, which the validator above has filled in."""
        return str(self.model)


class Sample(_Modelled):
    """Draw new members of a protein family and filter them."""

    operation: ClassVar[str] = "proteins.sample"

    n: int = Field(1_000, ge=1, le=200_000, description="How many sequences are drawn, before the filters.")
    temperature: float = Field(1.0, ge=0.01, le=10, description="Below 1 the likeliest residues are taken more often.")
    around: Annotated[
        Literal["naturals"] | Spot | Region | Protein | tuple[Protein, ...] | None,
        _in_one_sentence(
            'null, "naturals", a sequence, a list of sequences, {"z": […], "radius": …}, or {"region": [[x, y], …]}'
        ),
    ] = Field(
        None,
        description="Where in the latent space: null for the prior, naturals for around the known sequences, {z, radius}, "
        "{region} for around those in a polygon on the map, or one or more sequences.",
    )
    radius: float = Field(
        1.0,
        ge=0,
        le=20,
        description="Around sequences and naturals: how far, in standard deviations of their own latent uncertainty.",
    )
    path: Annotated[
        tuple[Protein | Vector, Protein | Vector] | None, _in_one_sentence("two sequences, or two latent vectors")
    ] = Field(None, description="Two sequences or latent vectors between which is sampled, instead of around.")
    steps: int = Field(10, ge=2, le=1_000, description="Places on the path, ends included; the samples are shared out evenly.")
    locks: tuple[Annotated[int, Field(ge=1, le=MAX_RESIDUES)], ...] = Field(
        (), max_length=MAX_RESIDUES, description="Positions that keep the reference's residue; without one, of around's sequence."
    )
    filters: Filters = Field(Filters(), description="What a sample must be to be kept.")
    order: Order | None = Field(None, description="Also write a plate order of kept ones, as DNA; null for none.")
    structure: bool = Field(False, description="Also write the kept ones on the family's template: its backbone, no prediction.")
    template: Content | None = Field(
        None, description="A structure of one of the family (PDB or mmCIF); null is the bundled one, for the bundled family."
    )
    template_chain: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.+-]{1,8}$", description="The template's chain; the one that fits the family best where null."
    )
    b_factor: Literal["conservation", "mutation", "log_likelihood"] = Field(
        "conservation",
        description="What their B-factors are: bits of the family's column, difference from the nearest known (0, 1), or nats.",
    )
    structure_format: Literal["pdb", "mmcif", "both"] = Field("pdb", description="The format of the models.")

    @model_validator(mode="before")
    @classmethod
    def _path_and_steps(cls, fields: Any) -> Any:
        """`path` may be given as [[a, b], steps]."""
        path = fields.get("path") if isinstance(fields, dict) else None
        if isinstance(path, list | tuple) and len(path) == 2 and isinstance(path[1], int) and isinstance(path[0], list | tuple):
            return {**fields, "path": path[0], "steps": path[1]}
        return fields

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.path is not None and self.around is not None:
            raise ValueError("path and around both say where to sample; give one of them.")
        if isinstance(self.around, tuple) and not self.around:
            raise ValueError("around is an empty list; give at least one sequence, or null for the prior.")
        if isinstance(self.around, tuple) and len(self.around) > 1_000:
            raise ValueError("around holds more than 1,000 sequences; give fewer.")
        if self.order is not None and self.order.full_length and self.reference is None:
            raise ValueError("order.full_length: both ends and the residues between the columns come from a reference; give one.")
        if self.locks and self.anchor is None:
            raise ValueError("locks keep residues of a sequence: give it as reference, or sample around it.")
        return self

    @property
    def anchor(self) -> str | None:
        """The sequence whose residues the locks keep, and that numbers them."""
        if self.reference is not None:
            return self.reference
        return self.around if isinstance(self.around, str) and self.around != "naturals" else None


class Score(_Modelled):
    """Score given sequences as members of a family: likelihood, coupling energy, profile, novelty, each filter."""

    operation: ClassVar[str] = "proteins.score"

    sequences: Content = Field(description="The sequences to score, FASTA; aligned as the family or not at all.")
    filters: Filters = Field(Filters(), description="The filters whose values and verdicts are told.")


class Mutate(_Modelled):
    """What every single change of a reference does: to its likelihood, energy, profile score and, with labels, viability."""

    operation: ClassVar[str] = "proteins.mutate"

    reference: Protein = Field(description="The sequence that is changed, one residue at a time, and that numbers the positions.")


class Relax(_Modelled):
    """Put side chains on some sequences threaded on the family's template, and relax them; OpenMM and PDBFixer are needed."""

    operation: ClassVar[str] = "proteins.relax"

    sequences: tuple[Protein, ...] = Field(min_length=1, max_length=100, description="Sequences of the family, one model each.")
    template: Content | None = Field(
        None, description="A structure of one of the family (PDB or mmCIF); null is the bundled one, for the bundled family."
    )
    template_chain: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_.+-]{1,8}$", description="The template's chain; the one that fits the family best where null."
    )
    iterations: int = Field(200, ge=0, le=10_000, description="Most steps of the relaxation; 0 leaves side chains as placed.")


class Fold(Recipe):
    """Predict the structures of some sequences by ESMFold; transformers and a local folder with its weights are needed."""

    operation: ClassVar[str] = "proteins.fold"

    sequences: tuple[Protein, ...] = Field(min_length=1, max_length=100, description="Sequences, one prediction each.")
    weights: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="Digest of ESMFold's weights, filled in; other weights are refused."
    )


class Decode(Recipe):
    """The sequences that latent points mean, as a click on the map shows them."""

    operation: ClassVar[str] = "proteins.decode"

    model: Model = Field(BUNDLED, description="The family's model.")
    weights: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the model's weights, filled in; other weights are refused."
    )
    z: tuple[Vector, ...] = Field(
        ((0.0,) * 16,), min_length=1, max_length=1_000, description="Latent vectors, each as long as the model's latent space."
    )
    temperature: float = Field(1.0, ge=0.01, le=10, description="Sharpens (below 1) or flattens what each site may hold.")


class Train(_Labelled):
    """Learn a family's latent space and couplings from its alignment, and score them on sequences left out."""

    operation: ClassVar[str] = "proteins.train"

    family: Content = Field("chorismate_mutase", description="An alignment, or sequences that are then aligned.")
    latent_dim: int = Field(16, ge=2, le=32, description="Dimensions of the latent space; 2 can be drawn as it is.")
    epochs: int | None = Field(None, ge=1, le=10_000, description="Passes over the family; chosen by its size where null.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )


def using(model: str, card: Mapping[str, Any]) -> Sample:
    """Sampling from a family that was learned here."""
    return Sample(model=model)
