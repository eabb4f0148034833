"""What may be asked of the Poisson instrument."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from gen_core.recipe import Content, Model, Recipe

Boundary = Literal["dirichlet", "periodic", "neumann"]
Kind = Literal["flow", "regression", "fno"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Place = Annotated[float, Field(ge=0, le=1)]
Number = Annotated[float, Field(ge=-1e12, le=1e12)]
Edge = Annotated[tuple[Number, ...], Field(min_length=1, max_length=256)]
Charge = tuple[Place, Place, Number, Annotated[float, Field(ge=0, le=1)]]
KINDS: tuple[Kind, ...] = ("flow", "regression", "fno")
DEFAULT = "synthetic:20"
FIELD = "random_field:7"
SAMPLES, MANY = 1, 64  # with known charges; with sensors, whose deviation needs many


def _are_sensors(sensors: Any) -> Any:
    """How many there are, or where each is: said here, since of a choice of types the sentence names neither."""
    if sensors is None:
        return None
    if isinstance(sensors, int | float) and not isinstance(sensors, bool):
        if sensors != int(sensors) or not 3 <= sensors <= 256:
            raise ValueError(f"{sensors:g} is no number of sensors; choose 3 to 256 (fewer do not tell how large the field is).")
        return int(sensors)
    if not isinstance(sensors, list | tuple) or not 3 <= len(sensors) <= 256:
        raise ValueError("3 to 256 sensors are needed: their number, or a list of x, y or of x, y, value.")
    table = []
    for one in sensors:
        if not isinstance(one, list | tuple) or len(one) not in (2, 3) or not all(_is_number(v) for v in one):
            raise ValueError(f"{str(one)[:40]} is no sensor; give x, y, or x, y and the value it reads.")
        if not all(0 <= v <= 1 for v in one[:2]):
            raise ValueError("a sensor lies outside the square; x and y go from 0 to 1.")
        table.append(tuple(float(v) for v in one))
    if len({len(one) for one in table}) > 1:
        raise ValueError("give each sensor as x, y, or each as x, y, value; here both are mixed.")
    return tuple(table)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= 1e12


class Solver(Recipe):
    """What all recipes of a solver share."""

    size: int | None = Field(
        None, ge=16, le=256, description="Nodes along a side, edges included; null for 32, or as many as the array has."
    )
    solver: Literal["flow", "regression", "fno", "exact"] = Field(
        "flow", description="flow draws samples, regression and fno say one answer, exact inverts the law by sine transforms."
    )
    steps: int = Field(10, ge=1, le=25, description="With flow: steps from noise to a sample.")
    samples: int | None = Field(None, ge=1, le=256, description="With flow: samples; null for 1, with sensors for 64.")
    correction: int = Field(0, ge=0, le=200, description="Correction steps towards the law after the model's answer.")
    correction_method: Literal["cg", "two_grid"] = Field(
        "cg", description="cg: steps of conjugate gradients; two_grid: cycles on the grid and one of twice its spacing."
    )
    model: Model | None = Field(None, description="The solver's model; null for the bundled one of its kind.")
    weights: dict[Kind, Digest] | None = Field(
        None, description="sha256 of the weights of each kind of model that is used, filled in; others are refused."
    )


class Solve(Solver):
    """The potential of charges in a square, by a learned solver beside the exact one."""

    operation: ClassVar[str] = "poisson.solve"

    rho: Content | None = Field(
        None, description="The charge density: synthetic:SEED, random_field:SEED, or a square array (NPY, NPZ, CSV, picture)."
    )
    charges: tuple[Charge, ...] = Field(
        (), max_length=256, description="Charges x, y, total charge and width each, lengths of the square; width 0 is a point."
    )
    boundary: Boundary = Field(
        "dirichlet", description="dirichlet: the potential is given on the edges; neumann: its outward derivative; or periodic."
    )
    edges: tuple[Edge, Edge, Edge, Edge] | None = Field(
        None,
        description="Left, right, bottom, top: one value each, or several from the lower or left end; null: as the scene has.",
    )
    background: bool = Field(
        False, description="Periodic and Neumann: spread the opposite of the net charge evenly, so that there is a solution."
    )
    sensors: Annotated[int | tuple[tuple[float, ...], ...] | None, BeforeValidator(_are_sensors)] = Field(
        None, description="Charges unknown, the potential measured at so many random nodes, or at x, y, or as x, y, value."
    )
    sensor_noise: float = Field(
        0.01, ge=0.001, le=1, description="With sensors: deviation of the noise over the root mean square of their values."
    )
    prior: Literal["fields", "charges"] = Field(
        "fields", description="With sensors: what charges may be. fields has an exact posterior; charges is one to six blobs."
    )

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, fields: Any) -> Any:
        """Fill in the scene and the number of samples, so that files and links say them."""
        if not isinstance(fields, dict):
            return fields
        out = dict(fields)
        measured = out.get("sensors") is not None
        if out.get("boundary") in ("periodic", "neumann"):
            out.setdefault("solver", "exact")
        if out.get("rho") is None and not out.get("charges") and not _valued(out.get("sensors")):
            if measured:
                out["rho"] = FIELD
            elif out.get("edges") is None:  # edges alone are a problem, too
                out["rho"] = DEFAULT
        if out.get("samples") is None:
            out["samples"] = MANY if measured else SAMPLES
        return out

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.boundary != "dirichlet" and self.solver != "exact":
            raise ValueError(
                f"solver: {self.solver} has learned squares whose potential is given on the edges; with {self.boundary} edges "
                "choose exact."
            )
        if self.sensors is not None and self.solver != "flow":
            raise ValueError("sensors: only flow draws what a few sensors leave open; set solver to flow, or leave sensors out.")
        if self.boundary == "periodic" and self.edges is not None:
            raise ValueError("edges: a periodic square has none; leave them out.")
        if self.background and self.boundary == "dirichlet":
            raise ValueError("background: given potentials on the edges take any charge; it is of periodic and neumann.")
        if _valued(self.sensors) and (self.rho is not None or self.charges):
            raise ValueError("sensors: their values are given, so the charges are unknown; leave rho and charges out.")
        if self.sensors is not None and self.samples == 1:
            raise ValueError("samples: one sample tells no deviation; with sensors give at least 2.")
        return self


class Green(Solver):
    """The response of a solver to a point charge, beside the exact Green's function."""

    operation: ClassVar[str] = "poisson.green"

    source: tuple[Place, Place] = Field((0.35, 0.4), description="Where the charge is, x and y.")
    probe: tuple[Place, Place] = Field((0.7, 0.6), description="Where its potential is read, and put in turn for reciprocity.")
    width: float = Field(0.0, ge=0, le=0.3, description="Width of the charge in lengths of the square; 0 is a point.")


class Train(Recipe):
    """Learn a solver from scenes of known charges, and score it on others beside the exact one."""

    operation: ClassVar[str] = "poisson.train"

    kind: Kind = Field("flow", description="flow: samples from noise; regression: the same network without; fno: on the nodes.")
    size: Literal[32, 64] = Field(32, description="Nodes along a side, edges included.")
    scenes: int = Field(8_192, ge=64, le=100_000, description="Scenes it is learned from, each turned and mirrored at will.")
    epochs: int | None = Field(None, ge=1, le=10_000, description="Passes over the scenes; chosen where null.")
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )


def using(model: str, card: Mapping[str, Any]) -> Solve:
    """What a model trained here is looked at with: a scene, solved by it."""
    return Solve.read({"model": model, "solver": card["kind"], "size": card["size"]})


def _valued(sensors: Any) -> bool:
    """Whether sensors come with their values, so that nothing of the scene is known."""
    if not isinstance(sensors, list | tuple):
        return False
    return any(isinstance(one, list | tuple) and len(one) == 3 for one in sensors)
