"""What may be asked of the tomography instrument."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from gen_core.recipe import Content, Model, Recipe

Method = Literal["fbp", "sirt", "tv", "gaussian", "latent_map", "posterior", "langevin"]
Prior = Literal["gaussian", "vae", "diffusion"]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
PRIORS: tuple[Method, ...] = ("gaussian", "latent_map", "posterior", "langevin")  # the methods that learned something
DEFAULT = "synthetic:thorax:1001"


def _once(names: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(names)) < len(names):
        raise ValueError("a method is named twice; name each once.")
    return names


class Lesion(BaseModel):
    """A disc that is put into the slice, to see which method finds it again."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    x: float = Field(ge=-500, le=500, description="mm to the right of the middle of the image.")
    y: float = Field(ge=-500, le=500, description="mm above the middle of the image.")
    diameter: float = Field(10.0, gt=0, le=200, description="mm.")
    contrast: float = Field(50.0, ge=-3000, le=3000, description="Added to what is there, in the image's own unit (HU).")


class Reconstruct(Recipe):
    """Reconstruct a slice from projections over a limited range of angles, by several methods side by side."""

    operation: ClassVar[str] = "tomography.reconstruct"

    image: Content | None = Field(
        None, description="The slice that is scanned: synthetic:KIND:SEED, a bundled name, or a file of your own."
    )
    slice: int | None = Field(None, ge=0, le=100_000, description="Which slice of a volume, from 0 on; null for the middle one.")
    size: int = Field(128, ge=64, le=512, description="Pixels along a side of the image.")
    angle_range: float = Field(90.0, gt=0, le=360, description="Degrees that the views cover.")
    start_angle: float = Field(0.0, ge=-360, le=360, description="Degrees at which they begin.")
    views: int | None = Field(None, ge=1, le=3_600, description="How many views; null for one each degree.")
    geometry: Literal["parallel", "fan"] = Field("parallel", description="The beam.")
    detector_bins: int | None = Field(None, ge=8, le=4_096, description="Bins of the detector; null for those of the slice.")
    noise: float = Field(0.01, ge=0, le=1, description="Deviation of the noise over the root mean square of the projections.")
    noise_model: Literal["gaussian", "poisson"] = Field("gaussian", description="The same in all rays, or of counted photons.")
    sinogram: Content | None = Field(None, description="A measured sinogram instead of an image.")
    angles: tuple[Annotated[float, Field(ge=-3_600, le=3_600)], ...] | None = Field(
        None, max_length=10_000, description="With a sinogram: the angle of each view in degrees; null as its file says."
    )
    methods: Annotated[tuple[Method, ...], AfterValidator(_once)] = Field(
        ("fbp", "sirt", "tv", "gaussian"), min_length=1, description="The methods, in order."
    )
    posterior_samples: int = Field(4, ge=0, le=64, description="Samples of the posterior, of methods that know one.")
    lesion: Lesion | None = Field(None, description="A disc that is put into the slice before it is scanned; null for none.")
    ring: float = Field(0.0, ge=0, le=0.3, description="Spread of the gain from bin to bin, which makes rings; 0 for none.")
    detector_spacing: float | None = Field(None, gt=0, le=100, description="mm from bin to bin; null for what fits the slice.")
    pixel_size: float | None = Field(None, gt=0, le=100, description="mm a pixel; null as the image says.")
    source_origin: float | None = Field(None, gt=0, le=1e5, description="Fan beam: mm from the source to the axis.")
    origin_detector: float | None = Field(None, ge=0, le=1e5, description="Fan beam: mm from the axis to the detector.")
    rotation_centre: float = Field(
        0.0, ge=-2_000, le=2_000, description="Bins from the detector's middle to the axis, as stored."
    )
    curved: bool = Field(False, description="Fan beam: whether the bins lie on an arc around the source.")
    detector_flipped: bool = Field(False, description="With a sinogram: whether the detector was read out from the other end.")
    clockwise: bool = Field(False, description="With a sinogram: whether the scanner turned clockwise.")
    counts: bool = Field(
        False, description="With a sinogram: whether it holds counts and not yet their -log(counts / open_beam)."
    )
    open_beam: float | None = Field(None, gt=0, description="With counts: those of the open beam; null as the file says.")
    fbp_filter: Literal["ramp", "hann"] | None = Field(None, description="ramp is sharper, hann smoother; null by the noise.")
    sirt_iterations: int = Field(100, ge=1, le=2_000, description="Steps of SIRT.")
    tv_weight: float | None = Field(None, gt=0, le=1e5, description="Weight of the total variation; null for the tuned one.")
    sampler: Literal["dds", "dps"] = Field(
        "dds", description="How posterior draws: dds solves for the data at each step, dps follows their gradient."
    )
    sampler_steps: int | None = Field(
        None, ge=2, le=1_000, description="Steps of posterior and langevin; null for what each needs."
    )
    data_weight: float = Field(
        1.0, ge=0, le=1, description="With posterior and langevin: how much the data count; 0 draws from the prior alone."
    )
    model: Model | None = Field(
        None, description="A prior, used by the methods of its kind (gaussian, vae, diffusion); null is the bundled ones."
    )
    weights: dict[Prior, Digest] | None = Field(
        None, description="sha256 of the weights of each kind of prior that is used, filled in; others are refused."
    )

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, fields: Any) -> Any:
        """Fill in the slice and the views, so that files and links say them."""
        if not isinstance(fields, dict):
            return fields
        out = dict(fields)
        if out.get("sinogram") is None:
            if out.get("image") is None:
                out["image"] = DEFAULT
            covered = out.get("angle_range", 90.0)
            if out.get("views") is None and isinstance(covered, int | float) and 0 < covered <= 360:
                out["views"] = max(1, round(covered))
        return out

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.sinogram is not None and self.image is not None:
            raise ValueError("image and sinogram both say what was scanned; give one of them.")
        if self.angles is not None and self.sinogram is None:
            raise ValueError("angles: they are those of a measured sinogram; give one, or angle_range and views.")
        if (self.detector_flipped or self.clockwise) and self.sinogram is None:
            raise ValueError("detector_flipped and clockwise are of a measured sinogram; give one, or leave them out.")
        if (self.counts or self.open_beam is not None) and self.sinogram is None:
            raise ValueError("counts and open_beam are of a measured sinogram; give one, or leave them out.")
        if self.open_beam is not None and not self.counts:
            raise ValueError("open_beam is what counts are divided by; set counts, or leave it out.")
        if self.lesion is not None and self.lesion.contrast == 0:
            raise ValueError("lesion.contrast: 0 adds nothing to find; give another, or leave the lesion out.")
        if self.lesion is not None and self.sinogram is not None:
            raise ValueError("lesion: it is put into an image before the scan, which a measured sinogram no longer is.")
        if self.geometry == "parallel" and self.sinogram is None:
            for name in ("source_origin", "origin_detector"):
                if getattr(self, name) is not None:
                    raise ValueError(f"{name}: it is of a fan beam; set geometry to fan, or leave it out.")
        return self


# Fields that tell nothing of the scan, and the methods that look at them.
OF_METHODS: dict[str, tuple[Method, ...]] = {
    "fbp_filter": ("fbp",),
    "sirt_iterations": ("sirt",),
    "tv_weight": ("tv",),
    "posterior_samples": PRIORS,
    "sampler": ("posterior",),
    "sampler_steps": ("posterior", "langevin"),
    "data_weight": ("posterior", "langevin"),
    "model": PRIORS,
    "weights": PRIORS,
}


def narrowed(recipe: Reconstruct, method: Method | None = None) -> Reconstruct:
    """The recipe with all that this method does not look at as it is by default; without one, the scan alone."""
    fields = Reconstruct.model_fields
    others = {name: fields[name].default for name, methods in OF_METHODS.items() if method not in methods}
    return recipe.replace(methods=(method or "fbp",), **others)


class Train(Recipe):
    """Learn a prior of slices, synthetic ones or your own, and score it beside the other methods on some that were left out."""

    operation: ClassVar[str] = "tomography.train"

    data: Content = Field(
        "phantoms_thorax", description="What slices it is learned from: phantoms_thorax, phantoms_wide, or a file of your own."
    )
    prior: Prior = Field("gaussian", description="The kind of the prior.")
    size: Literal[32, 64, 128] = Field(128, description="Pixels along a side of the slices.")
    slices: int = Field(
        5_000, ge=50, le=200_000, description="How many slices it is learned from; a tenth more tell its variances."
    )
    components: int = Field(960, ge=2, le=960, description="With gaussian: principal components that are kept.")
    epochs: int | None = Field(
        None, ge=1, le=10_000, description="With vae and diffusion: passes over the slices; chosen where null."
    )
    max_seconds: float | None = Field(
        None, gt=0, le=1e7, description="Seconds of training after which it stops with what it has; null for no limit."
    )
