"""What may be asked of the defects instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gen_core.recipe import Content, Model, Recipe

LibraryName = Literal["gradient", "full", "pair", "additive"]
Estimator = Literal["weak", "propagated", "strong", "transport"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Unit = Annotated[str, Field(max_length=12, pattern=r"^[\w µ/^.·-]*$")]
SINGLE, PAIRS = 4_000, 1_000  # replicas of a bundled snapshot, of one particle and of ten
BUNDLED: dict[str, tuple[int, LibraryName]] = {  # what a recipe of them means where it says nothing
    "double_well": (SINGLE, "gradient"),
    "rotating": (SINGLE, "full"),
    "stationary": (SINGLE, "gradient"),
    "pairs": (PAIRS, "pair"),
    "pairs_signed": (PAIRS, "pair"),
    "appex_poly": (2_000, "gradient"),
    "appex_styblinski_tang": (2_000, "gradient"),
    "appex_bohachevsky": (2_000, "additive"),
    "appex_wavy_plateau": (2_000, "additive"),
    "appex_oakley_ohagan": (2_000, "additive"),
}


def _once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(names)) < len(names):
        raise ValueError("an estimator is named twice; name each once.")
    return names


class OfSnapshots(Recipe):
    """What every operation must be told of the snapshots."""

    data: Content = Field("double_well", description="The snapshots: a bundled name, or a file of your own.")
    n: int | None = Field(
        None, ge=20, le=200_000, description="Bundled data: replicas in each snapshot; null for the usual number."
    )
    snapshots: int = Field(11, ge=2, le=201, description="Bundled data: how many times are looked at.")
    duration: float | None = Field(
        None, gt=0, le=1_000, description="Bundled data: time from the first to the last; null as usual."
    )
    data_seed: int = Field(0, ge=0, lt=2**32, description="Bundled data: seed of the simulator.")
    box: tuple[Annotated[float, Field(gt=0, le=1e12)], ...] | None = Field(
        None, min_length=1, max_length=3, description="Lengths of a periodic box, in the unit of the positions; null for none."
    )
    followed: bool = Field(
        False, description="With a file of your own: whether the same replicas, in the same order, are seen at every time."
    )
    length_unit: Unit = Field("", description="The unit of the positions, for axes and tables; nothing is converted.")
    time_unit: Unit = Field("", description="The unit of the times, likewise.")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, fields: Any) -> Any:
        """Fill in what bundled data usually is, so that files and links say it."""
        if not isinstance(fields, dict):
            return fields
        out = dict(fields)
        usual = BUNDLED.get(str(out.get("data", "double_well")))
        if usual is not None:
            if out.get("n") is None and cls.model_fields["n"].default is None:  # of new configurations it is how many are drawn
                out["n"] = usual[0]
            if str(out.get("data", "")).startswith("appex"):  # three times, too far apart for the weak form
                out.setdefault("snapshots", 3)
                if "estimators" in cls.model_fields:
                    out.setdefault("estimators", ["propagated"])
            if "library" in cls.model_fields and out.get("library") is None:
                out["library"] = usual[1]
        return out


class Infer(OfSnapshots):
    """Find drift and diffusion constant from snapshots, and tell whether the snapshots can know them."""

    operation: ClassVar[str] = "defects.infer"

    library: LibraryName | None = Field(
        None,
        description="The forces that are tried: gradient of a potential, full (any drift), pair (a trap and a law of the "
        "distance), additive (a polynomial potential and waves along each axis, for rough landscapes); null for pair where "
        "replicas hold several particles, else gradient.",
    )
    degree: int = Field(
        4,
        ge=2,
        le=8,
        description="Degree of the potential; with full the drift has one less. With propagated the highest that is tried.",
    )
    pair_law: Literal["radial", "soft_log"] = Field(
        "radial", description="With pair: any law in splines, or the soft repulsion of vortices, g r / (r^2 + soft_length^2)."
    )
    soft_length: float = Field(0.3, ge=0, le=1e12, description="With soft_log: the length below which the force no longer grows.")
    estimators: Annotated[tuple[Estimator, ...], AfterValidator(_once)] = Field(
        ("weak", "strong"),
        min_length=1,
        description="The first gives the numbers: weak, or propagated where times are far apart; strong (regressed on a "
        "score) and "
        "transport are second opinions.",
    )
    test_functions: int = Field(40, ge=10, le=200, description="Random waves of the weak form.")
    bootstrap: int = Field(200, ge=20, le=5_000, description="Draws that the intervals are made of.")
    held_out: bool = Field(True, description="Whether the last snapshot is predicted from the others.")
    model: Model | None = Field(
        None, description="A score network trained on these snapshots, for the second opinion; null for the score in closed form."
    )
    weights: Digest | None = Field(None, description="sha256 of the weights of that network, filled in; others are refused.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.estimators[0] not in ("weak", "propagated"):
            raise ValueError("estimators: the numbers come from weak or propagated; name one of these first.")
        if "propagated" in self.estimators[1:] or (self.library == "additive" and self.estimators[0] == "weak"):
            raise ValueError("estimators: propagated comes first where it is used, and library additive needs it.")
        if self.pair_law == "soft_log" and self.library != "pair":
            raise ValueError("pair_law: it is a law of library pair; choose that, or leave it out.")
        return self


class Sample(OfSnapshots):
    """Draw new configurations at any time from a score model of the snapshots."""

    operation: ClassVar[str] = "defects.sample"

    model: Model | None = Field(None, description="A score network; null for the bundled one of these data.")
    weights: Digest | None = Field(None, description="sha256 of its weights, filled in; others are refused.")
    n: int | None = Field(500, ge=1, le=100_000, description="How many configurations are drawn.")
    time: float = Field(0.5, ge=0, le=1e12, description="The time of the configurations, within that of the snapshots.")
    steps: int = Field(60, ge=10, le=1_000, description="Steps of the sampler.")


class Train(OfSnapshots):
    """Learn the score of the snapshots as a network of place and time, by denoising."""

    operation: ClassVar[str] = "defects.train"

    width: int = Field(96, ge=16, le=512, description="Width of the network's layers.")
    epochs: int = Field(60, ge=1, le=5_000, description="Passes over the particles.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )


class Power(Infer):
    """How well the diffusion constant and the drift would be known with more or fewer particles and snapshots."""

    operation: ClassVar[str] = "defects.power"

    counts: tuple[Annotated[int, Field(ge=100, le=100_000)], ...] = Field(
        (500, 1_000, 2_000, 4_000), min_length=1, max_length=12, description="Replicas in each snapshot."
    )
    times: tuple[Annotated[int, Field(ge=3, le=201)], ...] = Field(
        (11,), min_length=1, max_length=8, description="How many times are looked at."
    )
    repeats: int = Field(5, ge=1, le=100, description="Simulations of each.")


def using(model: str, card: Mapping[str, Any]) -> Sample:
    """What a network trained here is looked at with: new configurations of its own snapshots."""
    asked = dict(card["recipe"])
    shared = OfSnapshots.model_fields.keys() - {"seed", "n", "model"}
    return Sample.read(
        {name: asked[name] for name in sorted(shared) if name in asked}
        | {"model": model, "time": card["first"] + card["span"] / 2}
    )
