"""The controls of the tomography page: what is scanned, over which angles, and by which methods it is reconstructed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from app.instruments import tomography_learn as learn
from app.instruments import tomography_own as own
from app.instruments.tomography_own import PAGE
from app.parts import figure, map, session, slider
from gen_core.recipe import Recipe
from gen_core.tomography import methods, question
from gen_core.tomography.recipe import PRIORS, Lesion, Reconstruct

SIZES = [64, 128, 256, 512]
NOISES = {"gaussian": "The same in all rays", "poisson": "Counted photons"}
BEAMS = {"parallel": "Parallel", "fan": "Fan"}
PLACE = Lesion(x=-60.0, y=20.0, diameter=14.0, contrast=300.0)  # in a lung of the first slice


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if not isinstance(recipe, Reconstruct):  # a training, which this page does not show
        return widgets(Reconstruct())
    values: dict[str, Any] = {k: v for k, v in recipe.fields().items() if k not in ("image", "sinogram", "lesion", "angles")}
    spot = recipe.lesion or PLACE
    values |= own.widgets(recipe)
    values |= {
        "per_degree": recipe.views in (None, max(1, round(recipe.angle_range))),
        "views": recipe.views or max(1, round(recipe.angle_range)),
        "noise": 100 * recipe.noise,
        "ring": 100 * recipe.ring,
        "methods": list(recipe.methods),
        "lesion_on": recipe.lesion is not None,
        "lesion_x": spot.x,
        "lesion_y": spot.y,
        "lesion_diameter": spot.diameter,
        "lesion_contrast": spot.contrast,
        "angles": ", ".join(f"{a:g}" for a in recipe.angles or ()),
        "prior": recipe.model or learn.BUNDLED,
    }
    return values


def controls() -> Reconstruct:
    """The controls; the recipe they make."""
    now = session.current(PAGE)
    kept = now.fields() if isinstance(now, Reconstruct) else {}
    made = {k: v for k, v in kept.items() if k in ("model", "weights", "curved", "rotation_centre", "detector_bins")}
    scanned = own.choose()
    made |= scanned
    measured = scanned.get("sinogram") is not None
    if not measured:
        made |= angles()
    with st.container(gap="small"):
        made |= chosen_methods(kept.get("methods") or Reconstruct().methods)
        made |= learn.choose_prior(now)
    if not measured:
        made |= lesion()
    with st.expander("Scanner and size", icon=":material/tune:", key=f"{PAGE}/scanner"):
        made |= scanner(measured)
    with st.expander("Settings of the methods", icon=":material/settings:", key=f"{PAGE}/settings"):
        made |= settings()
    if (made["size"], made.get("model")) != (kept.get("size"), kept.get("model")):  # other weights than those of the link
        made["weights"] = None
    return Reconstruct.read(made)


def wide(field: str, low: Any, high: Any) -> tuple[Any, Any]:
    """The ends of a slider, farther apart where a recipe that came by a link or a file asks for more."""
    now = session.value(PAGE, field)
    return (low, high) if now is None else (min(low, now), max(high, now))


def angles() -> dict[str, Any]:
    """Which directions are measured, and how well."""
    beam = session.value(PAGE, "geometry", "parallel")
    top = 180 if beam == "parallel" and session.value(PAGE, "angle_range") <= 180 else 360
    told = "How far the scanner turns. With less than 180° whole directions are missing: the missing wedge."
    covered = slider.drag(PAGE, "angle_range", "Angles covered", 10, top, 1, "°", told)
    told = "The angle of the first view, in degrees. It turns the missing wedge."
    start = st.slider(
        "First angle (°)",
        *wide("start_angle", -180.0, 180.0),
        step=1.0,
        format="%.0f",
        key=session.key(PAGE, "start_angle"),
        help=told,
    )
    told = "Deviation of the noise, in percent of the root mean square of the projections."
    noise = st.slider("Noise (%)", *wide("noise", 0.0, 10.0), step=0.5, format="%.1f", key=session.key(PAGE, "noise"), help=told)
    views = None
    told = "One view each degree. Without it: as many views as you say, spread over the same angles."
    if not st.toggle("A view each degree", key=session.key(PAGE, "per_degree"), help=told):
        told = "Projections, evenly over the angles covered."
        views = int(st.number_input("Views", 1, 3600, key=session.key(PAGE, "views"), help=told))
    return {"angle_range": covered, "start_angle": start, "views": views, "noise": noise / 100}


def chosen_methods(last: Sequence[str]) -> dict[str, Any]:
    """Which methods, and how many samples of those that know a posterior. Where none is left, the last ones stay chosen."""
    if not session.value(PAGE, "methods"):
        session.seed(PAGE, methods=list(last))
    known = [name for name in question.known() if name in NAMES] + [
        name for name in session.value(PAGE, "methods") or [] if name not in question.known()
    ]
    told = "Filtered backprojection, SIRT and total variation have learned nothing; the others know what slices look like."
    chosen = st.pills(
        "Methods", known, selection_mode="multi", key=session.key(PAGE, "methods"), format_func=NAMES.__getitem__, help=told
    )
    made: dict[str, Any] = {"methods": [name for name in known if name in (chosen or last)]}
    if any(name in PRIORS for name in made["methods"]):
        told = "Pictures drawn from all that agree with the data, as the prior sees it."
        made["posterior_samples"] = st.slider(
            "Posterior samples", *wide("posterior_samples", 0, 32), key=session.key(PAGE, "posterior_samples"), help=told
        )
    return made


NAMES = {method.name: method.title for method in methods.METHODS} | {"fbp": "Filtered backprojection"}


def lesion() -> dict[str, Any]:
    """A disc that is put into the slice; a click on a picture moves it there."""
    told = "A disc added to the slice before the scan, to see which method finds it again."
    if not st.toggle("Put a lesion in", key=session.key(PAGE, "lesion_on"), help=told):
        return {"lesion": None}
    spot = map.clicked(figure.picked(f"{PAGE}.mosaic"))
    if spot is not None and spot != session.get(PAGE, "lesion/moved"):
        session.put(PAGE, "lesion/moved", spot)
        session.seed(PAGE, lesion_x=round(spot[0], 1), lesion_y=round(spot[1], 1))
    x, y = st.columns(2, gap="small")
    left = x.number_input("Right (mm)", -500.0, 500.0, step=5.0, format="%.0f", key=session.key(PAGE, "lesion_x"))
    up = y.number_input("Up (mm)", -500.0, 500.0, step=5.0, format="%.0f", key=session.key(PAGE, "lesion_y"))
    across = x.number_input("Diameter (mm)", 0.1, 200.0, step=1.0, format="%.4g", key=session.key(PAGE, "lesion_diameter"))
    told = "What is added to the values there: 50 HU is a faint nodule in an organ, 800 one in a lung."
    more = y.number_input(
        "Contrast", -3000.0, 3000.0, step=25.0, format="%.0f", key=session.key(PAGE, "lesion_contrast"), help=told
    )
    st.caption("Click a picture to put it there.")
    return {"lesion": {"x": left, "y": up, "diameter": across, "contrast": more}}


def scanner(measured: bool) -> dict[str, Any]:
    """The beam, the size of the image, and what goes wrong in the machine."""
    key = session.choice(PAGE, "geometry")
    told = "Rays side by side, as at a synchrotron; or spread out from a source, as in a hospital."
    beam = st.segmented_control("Beam", list(BEAMS), key=key, format_func=BEAMS.__getitem__, required=True, help=told)
    told = "Pixels along a side. The bundled priors know 64 and 128; at other sizes choose the methods that learned nothing."
    asked = int(session.value(PAGE, "size", 128))
    size = st.select_slider("Size (pixels)", sorted({*SIZES, asked}), key=session.key(PAGE, "size"), help=told)
    made: dict[str, Any] = {"geometry": beam, "size": size}
    if not measured:
        told = "Counted photons: dense rays are noisier, as in a real scanner."
        key = session.key(PAGE, "noise_model")
        made["noise_model"] = st.selectbox("Noise is", list(NOISES), key=key, format_func=NOISES.__getitem__, help=told)
        told = "Spread of the gain from bin to bin of the detector. It makes rings."
        made["ring"] = st.slider("Uneven detector (%)", 0.0, 30.0, step=0.5, key=session.key(PAGE, "ring"), help=told) / 100
        told = "Another seed, another noise and other samples."
        made["seed"] = int(st.number_input("Seed of the noise", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told))
    fan = {"source_origin": "Source to axis (mm)", "origin_detector": "Axis to detector (mm)"}
    shown = {"detector_spacing": "Bin to bin (mm)"} | (fan if beam == "fan" else {})
    if measured:
        shown["pixel_size"] = "Pixel (mm)"
    for name, label in shown.items():
        key = session.key(PAGE, name)
        value = st.number_input(label, 0.0, 1e5, value=None, format="%.4g", key=key, placeholder="as it fits", help=OPEN)
        made[name] = value
    return made


OPEN = "Left open, what fits the slice is taken, or what the file says."


def settings() -> dict[str, Any]:
    """What single methods can be told."""
    names = {"ramp": "ramp, sharp", "hann": "Hann, smooth"}
    key = session.key(PAGE, "fbp_filter")
    told = "The filter of the filtered backprojection; left open, the noise decides."
    filter_ = st.selectbox(
        "Filter", list(names), index=None, key=key, format_func=names.__getitem__, placeholder="by the noise", help=told
    )
    told = "More steps follow the data more closely, and their noise."
    steps = st.number_input("SIRT, iterations", 1, 2000, step=50, key=session.key(PAGE, "sirt_iterations"), help=told)
    told = "More of it makes the picture flatter; left open, what was tuned for this noise."
    key = session.key(PAGE, "tv_weight")
    weight = st.number_input("Weight of total variation", 0.0, 1e5, value=None, key=key, placeholder="tuned", help=told)
    made = {"fbp_filter": filter_, "sirt_iterations": int(steps), "tv_weight": weight}
    names = {"dds": "solve for the data", "dps": "follow their gradient"}
    told = "What a step of the diffusion posterior does about the data. The first is exact where the prior is Gaussian."
    key = session.key(PAGE, "sampler")
    made["sampler"] = st.selectbox("Each denoising step", list(names), key=key, format_func=names.__getitem__, help=told)
    told = "Evaluations of the network by the diffusion posterior and Langevin; left open, what each needs."
    key = session.key(PAGE, "sampler_steps")
    made["sampler_steps"] = st.number_input("Denoising steps", 2, 1000, value=None, key=key, placeholder="as it needs", help=told)
    told = "1: the posterior. 0: draws of the diffusion prior alone, which never saw these data."
    key = session.key(PAGE, "data_weight")
    made["data_weight"] = st.slider("Weight of the data", 0.0, 1.0, step=0.05, format="%.2f", key=key, help=told)
    return made
