"""What may be asked of the images instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gen_core import recipe as recipes
from gen_core.recipe import Content, Model, Recipe

Group = Literal["coarse", "middle", "fine"]
GROUPS: tuple[Group, ...] = ("coarse", "middle", "fine")
Way = Literal["lerp", "slerp"]
BUNDLED = "images-micrographs"
LECTURE, PLAIN = "images-lecture", "images-plain"
BETAS: dict[str, tuple[float, ...]] = {"styles": (), "plain": (1.0,), "lecture": (0.0, 1.0, 30.0, 300.0, 3000.0)}


def _is_seed(value: Any) -> Any:
    """A whole number, or a picture by its digest; a path is turned into one before (`catalog.make_recipe`)."""
    if isinstance(value, bool):
        raise ValueError("a seed is a whole number or a picture.")
    if isinstance(value, int):
        if not 0 <= value < 2**32:
            raise ValueError(f"{value} is no seed: a whole number from 0 to 4294967295, or a picture (sha256:…).")
        return value
    if isinstance(value, float) and value.is_integer():
        return _is_seed(int(value))
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return _is_seed(int(value))
    if isinstance(value, str) and recipes.DIGEST.fullmatch(value):
        return value
    raise ValueError(
        f"{str(value)[:60]!r} is neither a whole number nor the digest of a stored picture (sha256: and 64 hex digits)."
    )


Seed = Annotated[int | str, BeforeValidator(_is_seed), recipes.ContentMark()]
"""A number (where the model learned from rendered pictures, that picture; else a draw from the prior), or a picture."""

Number = Annotated[float, Field(ge=-1e6, le=1e6)]


def _distinct(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Layers = Annotated[tuple[Group, ...], BeforeValidator(_distinct), Field(min_length=1, max_length=3)]


class Images(Recipe):
    """What all recipes of images share."""

    model: Model = Field(BUNDLED, description="The network that encodes and draws: a bundled one, or one trained before.")
    model_sha256: str | None = Field(
        None, pattern="^[0-9a-f]{64}$", description="sha256 of the model's weights; other weights are refused. Null takes any."
    )


class Sample(Images):
    """New pictures from the prior, or around a point."""

    operation: ClassVar[str] = "images.sample"

    n: int = Field(16, ge=1, le=10_000, description="How many pictures.")
    temperature: float = Field(1.0, ge=0, le=3, description="Width of the prior they are drawn from; 0 is its middle.")
    around: Seed | None = Field(None, description="A seed or a picture to stay near; null for the whole prior.")
    radius: float = Field(0.3, ge=0, le=3, description="With around: how far they may lie from it, 1 as far as any two pictures.")


class Interpolate(Images):
    """A way from one picture to another."""

    operation: ClassVar[str] = "images.interpolate"

    seeds: tuple[Seed, Seed] = Field((0, 1), description="Where the way begins and ends.")
    steps: int = Field(16, ge=2, le=256, description="Pictures on the way, both ends included.")
    path: Way = Field("slerp", description="lerp is straight; slerp keeps the length that codes usually have.")
    space: Literal["z", "w"] = Field("z", description="z moves content and styles, w the styles alone.")
    constant_speed: bool = Field(False, description="Choose the points so that every step changes the picture equally.")


class Grid(Images):
    """All pictures between four corners."""

    operation: ClassVar[str] = "images.grid"

    seeds: tuple[Seed, Seed, Seed, Seed] = Field((0, 1, 2, 3), description="Corners: top left, top right, bottom left, right.")
    rows: int = Field(8, ge=2, le=16, description="Rows of the grid.")
    columns: int = Field(8, ge=2, le=16, description="Columns of the grid.")
    path: Way = Field("slerp", description="lerp is straight; slerp keeps the length that codes usually have.")


class Mix(Images):
    """The structure of some pictures with the style of others."""

    operation: ClassVar[str] = "images.mix"

    content_seeds: tuple[Seed, ...] = Field((0, 1, 2), min_length=1, max_length=16, description="Pictures that give structure.")
    style_seeds: tuple[Seed, ...] = Field((3, 4, 5), min_length=1, max_length=16, description="Pictures that give style.")
    layers: Layers = Field(GROUPS, description="Groups of styles that are switched.")
    strength: float = Field(1.0, ge=-1, le=2, description="0 leaves the style as it is, 1 takes the other's.")


class Edit(Images):
    """One picture with known factors changed."""

    operation: ClassVar[str] = "images.edit"

    seed: Seed = Field(0, description="The picture to edit: a seed, or one of your own.")  # type: ignore[assignment]
    directions: dict[str, Number] = Field(
        {}, max_length=64, description="Amount of each direction: factors in their own unit, pc1, pc2, … in deviations."
    )


class Invert(Images):
    """The codes that draw a picture best, and what is left."""

    operation: ClassVar[str] = "images.invert"

    image: Seed = Field(0, description="The picture (sha256:…), or a seed of a rendered one.")
    steps: int = Field(80, ge=0, le=1000, description="Steps of refinement after the encoder's first guess.")


class Stylize(Images):
    """The structure of one picture with a blend of the styles of others."""

    operation: ClassVar[str] = "images.stylize"

    content: Seed = Field(0, description="The picture that gives the structure.")
    styles: tuple[Seed, ...] = Field((1, 2), min_length=1, max_length=16, description="The pictures that give style.")
    weights: tuple[Number, ...] | None = Field(None, max_length=16, description="How much each style counts; null for all alike.")
    strength: float = Field(1.0, ge=-1, le=2, description="0 leaves the style as it is, 1 takes the blend.")
    layers: Layers = Field(GROUPS, description="Groups of styles that are switched.")

    @model_validator(mode="after")
    def _matched(self) -> Self:
        if self.weights is not None and len(self.weights) != len(self.styles):
            raise ValueError(f"weights has {len(self.weights)} numbers for {len(self.styles)} styles; give one each.")
        if self.weights is not None and abs(sum(self.weights)) < 1e-9:
            raise ValueError("weights sum to zero; give at least one style a positive weight.")
        return self


Place = tuple[Number, Number]


class Map(Images):
    """The map of the training pictures: one spot on it, a region of it, a new picture on it."""

    operation: ClassVar[str] = "images.map"

    spot: Place | None = Field((0.0, 0.0), description="A place (x, y) on the map to be drawn, also an empty one; null for none.")
    region: tuple[Place, ...] | None = Field(
        None, min_length=3, max_length=200, description="Corners (x, y) of a polygon on the map; null for none."
    )
    n: int = Field(8, ge=1, le=64, description="With region: how many new pictures are drawn from there.")
    show: Seed | None = Field(None, description="A seed or a picture whose place on the map is shown; null for none.")


class Decode(Images):
    """Pictures of latent vectors."""

    operation: ClassVar[str] = "images.decode"

    z: tuple[tuple[Number, ...], ...] = Field(
        ((0.0, 0.0),),
        min_length=1,
        max_length=256,
        description="Latent vectors: 2096 numbers (content, then styles), 48 (the styles), or up to 16 places on their axes.",
    )
    content: Seed = Field(0, description="Gives the structure where z is shorter than 2096.")


class Plane(Images):
    """The plane of a plain autoencoder whose code is two numbers."""

    operation: ClassVar[str] = "images.plane"

    model: Model = Field(LECTURE, description="Networks of two numbers: the bundled ones, or ones trained with kind lecture.")
    beta: float = Field(30.0, ge=0, le=1e6, description="Weight of the divergence in training: one of those the model has.")
    z: tuple[Number, Number] = Field((0.0, 0.0), description="The point of the plane that is drawn large.")
    n: int = Field(11, ge=2, le=25, description="Pictures on each side of the grid.")
    extent: float = Field(3.0, gt=0, le=1e3, description="The grid goes from minus this to this, in deviations of the prior.")


class Train(Recipe):
    """Learn from rendered micrographs or from pictures of the user's: structure and style, or a plain autoencoder."""

    operation: ClassVar[str] = "images.train"

    kind: Literal["styles", "plain", "lecture"] = Field(
        "styles",
        description="styles: structure and three styles apart. plain: one vector of 48 numbers, as many weights. lecture: small "
        "networks of two numbers, one for each beta.",
    )
    betas: tuple[Annotated[float, Field(ge=0, le=1e6)], ...] | None = Field(
        None,
        min_length=1,
        max_length=8,
        description="Of plain and lecture: weights of the divergence, 1 is the evidence bound. Null takes 1, or 0 to 3000.",
    )
    data: Content = Field("micrographs", description="A bundled name, or a zip of pictures (on the command line also a folder).")
    size: Literal[64] = Field(64, description="Pixels a side that pictures are brought to.")
    cut: Literal["resize", "tiles"] = Field("resize", description="Resize each picture's middle square, or cut it into tiles.")
    epochs: int = Field(7, ge=1, le=10_000, description="Times that all pictures (rendered: 4,096 pairs) are learned from.")
    pairs: int = Field(4096, ge=8, le=65_536, description="Of rendered data: pairs in an epoch.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops; null for no limit."
    )

    @model_validator(mode="after")
    def _weighed(self) -> Self:
        if self.betas is not None and self.kind == "styles":
            raise ValueError("betas: the model of styles has none; they are of kind plain and lecture.")
        if self.betas is not None and self.kind == "plain" and len(self.betas) != 1:
            raise ValueError(f"betas has {len(self.betas)} numbers; a plain model is one network and has one.")
        if self.betas is not None and len(set(self.betas)) != len(self.betas):
            raise ValueError("betas: each weight only once.")
        return self

    @property
    def weights_of_divergence(self) -> tuple[float, ...]:
        """The betas of its networks, ascending."""
        return tuple(sorted(self.betas)) if self.betas else BETAS[self.kind]


def using(model: str, card: Mapping[str, Any]) -> Images | None:
    """What a model trained here is looked at with: a walk, or the plane of two numbers; None for a plain autoencoder."""
    kind = card.get("kind", "styles")
    if kind == "lecture":
        betas = card["betas"]
        return Plane(model=model, beta=betas[len(betas) // 2])
    return Interpolate(model=model) if kind == "styles" else None
