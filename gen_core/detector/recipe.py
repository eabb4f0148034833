"""What may be asked of the detector instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from gen_core.detector.simulate import World
from gen_core.recipe import Content, Model, Recipe

Kind = Literal["ar", "made", "vae", "masked", "middle", "student"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
KINDS: tuple[Kind, ...] = ("ar", "made", "vae", "masked", "middle", "student")


class Tracker(Recipe):
    """The tracker whose events are the truth: what all recipes of a simulation share."""

    layers: int = Field(8, ge=2, le=16, description="Layers, the first nearest to the vertex.")
    channels: int = Field(24, ge=8, le=64, description="Channels of a layer.")
    tracks: tuple[Annotated[int, Field(ge=0, le=8)], Annotated[int, Field(ge=1, le=8)]] = Field(
        (1, 4), description="Fewest and most tracks of an event, each number equally likely."
    )
    efficiency: float = Field(0.95, gt=0, le=1, description="Probability that a track leaves a hit in a layer.")
    sharing: float = Field(0.2, ge=0, le=0.5, description="Channels from an edge within which a track fires the neighbour too.")
    noise: float = Field(0.006, ge=0, le=0.2, description="Probability that a channel fires of itself.")
    dead: tuple[Annotated[int, Field(ge=0, le=15)], ...] = Field(
        (), max_length=15, description="Layers that say nothing, counted from 0 at the vertex."
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        low, high = self.tracks
        if low > high:
            raise ValueError(f"tracks: the fewest ({low}) are more than the most ({high}); give the smaller number first.")
        if any(layer >= self.layers for layer in self.dead):
            raise ValueError(f"dead: there is no layer {max(self.dead)}; the {self.layers} layers are 0 to {self.layers - 1}.")
        if len(set(self.dead)) >= self.layers:
            raise ValueError("dead: all layers are dead; leave at least one that says something.")
        return self

    def world(self) -> World:
        """The same as the simulator takes it."""
        low, high = self.tracks
        return World(
            self.layers, self.channels, low, high, self.efficiency, self.sharing, self.noise, tuple(sorted(set(self.dead)))
        )


class Train(Tracker):
    """Learn a generator of events from simulated or own hit patterns, and score it on others."""

    operation: ClassVar[str] = "detector.train"

    kind: Kind = Field("vae", description="Which model: ar, made, vae, masked, middle, or student (learns from an ar model).")
    data: Content | None = Field(None, description="Own hit patterns (NPZ, HDF5, ROOT) to learn from; null for the simulator.")
    events: int = Field(
        200_000, ge=256, le=2_000_000, description="Events to learn from; of own ones at most as many as there are."
    )
    teacher: Model | None = Field(None, description="With student: the ar model it learns from; null for the bundled one.")
    epochs: int | None = Field(None, ge=1, le=10_000, description="Passes over the events; chosen where null.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )


class Asked(Tracker):
    """What all recipes that draw events share."""

    model: Model = Field(
        "vae",
        description="ar, made, vae, masked, middle, student, independent (channels on their own), simulator, or your own.",
    )
    weights: Digest | None = Field(None, description="sha256 of the model's weights, filled in; others are refused.")
    steps: int | None = Field(
        None, ge=1, le=1_024, description="K of masked and middle: 1 all at once, as many as channels one by one."
    )
    order: Literal["spread", "layers", "random"] = Field(
        "spread", description="In which order masked draws: far apart first, layer by layer, or by chance."
    )
    temperature: float = Field(1.0, gt=0, le=5, description="1 as learned; below 1 the likelier events, above 1 the rarer ones.")
    batch: int = Field(1_000, ge=1, le=100_000, description="Events drawn at once: 1 is what a simulation chain asks for.")

    @model_validator(mode="after")
    def _steps_fit(self) -> Self:
        if self.steps is not None and self.steps > self.layers * self.channels:
            raise ValueError(
                f"steps: {self.steps} steps are more than the {self.layers * self.channels} channels there are; choose 1 to "
                f"{self.layers * self.channels}."
            )
        return self


class Generate(Asked):
    """New events of a model, beside the simulator's, and how many a second."""

    operation: ClassVar[str] = "detector.generate"

    n: int = Field(2_000, ge=20, le=10_000_000, description="Events.")
    data: Content | None = Field(
        None, description="Own hit patterns as the truth; null for those the model has learned from, else the simulator."
    )
    multiplicity: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]] | None = Field(
        None, description="Fewest and most hits of an event: others are drawn again; null for all."
    )
    classifiers: bool = Field(True, description="Whether classifiers are asked to tell the events from the truth (seconds).")
    formats: tuple[Literal["npz", "hdf5", "parquet"], ...] = Field(("npz",), max_length=3, description="Files with the events.")


class Condition(Asked):
    """One latent code, many events: what is left of the correlations of channels."""

    operation: ClassVar[str] = "detector.condition"

    model: Model = Field("vae", description="A model with a latent code: vae, student, or one of yours.")
    n: int = Field(1_000, ge=20, le=20_000, description="Events drawn with the code held still.")
    code: tuple[Annotated[float, Field(ge=-20, le=20)], ...] | None = Field(
        None, max_length=256, description="The code; null for one that the seed draws."
    )


class Inpaint(Asked):
    """A region of an event drawn anew, all else kept."""

    operation: ClassVar[str] = "detector.inpaint"

    model: Model = Field("masked", description="masked or middle, or one of yours of these kinds.")
    event: int = Field(0, ge=0, le=99_999, description="Which event of the data, or of the simulator's with this seed.")
    data: Content | None = Field(None, description="Own hit patterns to take the event from; null for the simulator.")
    region: tuple[int, int, int, int] = Field(
        (3, 6, 0, 24), description="First layer, layer after the last, first channel, channel after the last that are drawn anew."
    )
    n: int = Field(200, ge=1, le=20_000, description="How many times.")

    @model_validator(mode="after")
    def _inside(self) -> Self:
        a, b, c, d = self.region
        if not (0 <= a < b <= self.layers and 0 <= c < d <= self.channels):
            raise ValueError(
                f"region: {a}, {b}, {c}, {d} is no part of {self.layers} layers and {self.channels} channels; give first layer, "
                "layer after the last, first channel, channel after the last."
            )
        return self


class Score(Tracker):
    """The log-likelihood of events, and how well it tells unusual ones."""

    operation: ClassVar[str] = "detector.score"

    model: Model = Field("ar", description="ar or made, whose likelihood is exact, or one of yours of these kinds.")
    weights: Digest | None = Field(None, description="sha256 of the model's weights, filled in; others are refused.")
    data: Content | None = Field(
        None, description="Own hit patterns to score; null for usual and unusual events of the simulator."
    )
    n: int = Field(1_000, ge=20, le=100_000, description="Events of each kind, or the most of the own ones.")


def using(model: str, card: Mapping[str, Any]) -> Generate:
    """What a model trained here is looked at with: events of it beside the truth."""
    return Generate.read({"model": model, **settings_of(card)})


def settings_of(card: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a recipe that name the tracker of a card."""
    layers, channels = card["shape"]
    told = dict(card.get("world") or {"layers": layers, "channels": channels})
    if "tracks_min" in told:
        told["tracks"] = (told.pop("tracks_min"), told.pop("tracks_max"))
    return told
