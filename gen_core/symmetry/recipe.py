"""What may be asked of the symmetry instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gen_core.recipe import DIGEST, Content, Model, Recipe

Kind = Literal["plain", "augmented", "c4", "c8", "c16", "orbit"]
Test = Literal["turned", "upright"]
KINDS: tuple[Kind, ...] = ("plain", "augmented", "c4", "c8", "c16", "orbit")
DIMS = (5, 10, 20, 40)
PIXELS = 1024
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _an_angle(value: Any) -> float:
    """An angle from 0 to 360 degrees, whatever number of turns it has."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e6:
        raise ValueError(f"{str(value)[:30]} is no angle; give degrees, such as 45 (at most a million either way).")
    return float(value) % 360.0


def _a_list(value: Any) -> Any:
    """One number or word as a list of it."""
    return [value] if isinstance(value, int | float | str) and not isinstance(value, bool) else value


def _measured(value: Any) -> Any:
    """Numbers of measurements: said here, since of a list the sentence names no bound."""
    found = _a_list(value)
    if not isinstance(found, list | tuple) or not 1 <= len(found) <= 24:
        raise ValueError("give 1 to 24 numbers of measurements, such as [20, 50, 100].")
    for m in found:
        if isinstance(m, bool) or not isinstance(m, int | float) or m != int(m) or not 1 <= m <= PIXELS:
            raise ValueError(
                f"{str(m)[:20]} is no number of measurements; a picture has {PIXELS} pixels, so choose 1 to {PIXELS}."
            )
    return tuple(sorted({int(m) for m in found}))


def _modelled(value: Any) -> Any:
    """Which models: said here, with all there are."""
    found = _a_list(value)
    if not isinstance(found, list | tuple) or not found:
        raise ValueError(f"choose at least one of {', '.join(KINDS)}.")
    for one in found:
        if one not in KINDS and not (isinstance(one, str) and (DIGEST.fullmatch(one) or one.startswith("symmetry-"))):
            raise ValueError(f"{str(one)[:30]!r} is no model here; choose of {', '.join(KINDS)}, or one that you trained.")
    return tuple(dict.fromkeys(found))


def _sized(value: Any) -> Any:
    """Which sizes of bundled models."""
    found = _a_list(value)
    if not isinstance(found, list | tuple) or not found or any(d not in DIMS for d in found):
        raise ValueError(f"give some of {', '.join(map(str, DIMS))}: with so many numbers in a code there are bundled networks.")
    return tuple(sorted({int(d) for d in found}))


def _errors(value: Any) -> Any:
    """Errors to be reached."""
    found = _a_list(value)
    right = isinstance(found, list | tuple) and 1 <= len(found) <= 6
    if not right or not all(isinstance(e, int | float) and not isinstance(e, bool) and 0 < e < 1 for e in found):
        raise ValueError("give 1 to 6 errors between 0 and 1, such as [0.06, 0.04, 0.03].")
    return tuple(found)


def _counted(value: Any) -> Any:
    """Numbers of pictures that are learned from."""
    found = _a_list(value)
    right = isinstance(found, list | tuple) and 1 <= len(found) <= 8
    if not right or not all(isinstance(n, int) and not isinstance(n, bool) and 8 <= n <= 100_000 for n in found):
        raise ValueError("give 1 to 8 whole numbers of pictures from 8 to 100,000, such as [16, 64, 256].")
    return tuple(found)


Models = Annotated[tuple[Model, ...], BeforeValidator(_modelled), Field(min_length=1, max_length=12)]


class Rotate(Recipe):
    """Turn the picture that a code draws, and the code: how far are the two apart?"""

    operation: ClassVar[str] = "symmetry.rotate"

    model: Model = Field("c8", description="plain, augmented, c4, c8, c16 or orbit; or a model trained here.")
    dim: Literal[5, 10, 20, 40] = Field(20, description="Numbers in a code, of the bundled models.")
    angle: Annotated[float, BeforeValidator(_an_angle)] = Field(45.0, description="Degrees, counterclockwise.")
    codes: int = Field(16, ge=2, le=64, description="Codes, of pictures that the model learned from; the first is shown.")
    between: Literal["nearest", "fourier"] = Field(
        "nearest",
        description="At an angle that is no element of the group: turn the code by the nearest one, or by its Fourier parts.",
    )
    weights: dict[str, Digest] | None = Field(
        None, description="sha256 of the weights of each model that is used, filled in; others are refused."
    )


class Recover(Recipe):
    """Recover pictures from few random measurements: by each model, by a Gaussian prior, and by a sparse cosine transform."""

    operation: ClassVar[str] = "symmetry.recover"

    models: Models = Field(
        ("augmented", "c4", "c8", "orbit"), description="Which models: kinds of the bundled ones, or trained here."
    )
    dim: Literal[5, 10, 20, 40] = Field(20, description="Numbers in a code, of the bundled models.")
    measurements: Annotated[tuple[int, ...], BeforeValidator(_measured)] = Field(
        (50,), description="Numbers of random measurements, each 1 to 1,024 (a picture has 1,024 pixels)."
    )
    images: int = Field(80, ge=1, le=1_000, description="Pictures that are recovered.")
    noise: float = Field(0.01, ge=0, le=1, description="Deviation of the noise over the root mean square of the measurements.")
    test: Test = Field("turned", description="Pictures turned by random angles, or upright as the plain model learned them.")
    data: Content = Field("galaxies", description="galaxies, glyphs, or a zip of your own pictures.")
    starts: int = Field(512, ge=1, le=4_096, description="Codes drawn to start from; the two that fit best are followed.")
    weights: dict[str, Digest] | None = Field(
        None, description="sha256 of the weights of each model that is used, filled in; others are refused."
    )


class Needed(Recipe):
    """How many measurements are needed for an error, against the numbers in a code: at equal size, and at its best."""

    operation: ClassVar[str] = "symmetry.needed"

    models: Models = Field(
        ("augmented", "c8", "orbit"), description="Which models: kinds of the bundled ones, or trained here, of their own size."
    )
    dims: Annotated[tuple[int, ...], BeforeValidator(_sized)] = Field(
        (5, 10, 20, 40), description="Numbers in a code of the bundled models: of 5, 10, 20, 40."
    )
    measurements: Annotated[tuple[int, ...], BeforeValidator(_measured)] = Field(
        (5, 10, 15, 20, 30, 45, 70, 105, 160, 240), description="Numbers of random measurements at which the error is measured."
    )
    targets: Annotated[tuple[float, ...], BeforeValidator(_errors)] = Field(
        (0.06, 0.04, 0.03), description="Errors to be reached, over the energy of the pictures."
    )
    images: int = Field(80, ge=4, le=1_000, description="Pictures that are recovered.")
    noise: float = Field(0.01, ge=0, le=1, description="Deviation of the noise over the root mean square of the measurements.")
    test: Test = Field("turned", description="Pictures turned by random angles, or upright.")
    data: Content = Field("galaxies", description="galaxies, glyphs, or a zip of your own pictures.")
    starts: int = Field(512, ge=1, le=4_096, description="Codes drawn to start from; the two that fit best are followed.")
    again: bool = Field(False, description="Whether to measure anew what was measured before with these settings and is bundled.")


class Learned(Recipe):
    """What all recipes that train share."""

    data: Content = Field("galaxies", description="galaxies, glyphs, or a zip of your own pictures (at least 20).")
    dim: int = Field(20, ge=2, le=64, description="Numbers in a code.")
    turns: int = Field(4, ge=1, le=64, description="Times that each picture is seen turned, by random angles.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )


class Train(Learned):
    """Learn to draw pictures from codes, by a network with a symmetry or without."""

    operation: ClassVar[str] = "symmetry.train"

    kind: Kind = Field("c8", description="plain sees upright pictures, augmented and the groups turned ones, orbit upright ones.")
    pictures: int = Field(4_096, ge=16, le=100_000, description="Pictures it is learned from, of those that are drawn here.")
    epochs: int = Field(3, ge=1, le=10_000, description="Passes over the pictures, each as often as it is turned.")


class Fewer(Learned):
    """The error on new pictures against the number of pictures learned from, for networks with a symmetry and without."""

    operation: ClassVar[str] = "symmetry.fewer"

    models: Annotated[tuple[Kind, ...], BeforeValidator(_modelled)] = Field(
        ("plain", "augmented", "c8", "orbit"), max_length=6, description="Which networks."
    )
    counts: Annotated[tuple[int, ...], BeforeValidator(_counted)] = Field(
        (16, 64, 256, 1_024), description="Numbers of pictures that are learned from."
    )
    batches: int = Field(300, ge=10, le=100_000, description="Batches of 64 pictures in each training: the same work for all.")
    images: int = Field(80, ge=4, le=1_000, description="New turned pictures that it is measured on.")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.counts)) < len(self.counts):
            raise ValueError("counts: each number of pictures once.")
        return self


def using(model: str, card: Mapping[str, Any]) -> Rotate:
    """What a model trained here is looked at with: its codes and pictures, turned."""
    return Rotate.read({"model": model})
