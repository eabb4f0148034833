"""What is scanned on the tomography page: a synthetic slice, a bundled one, a file of the user's, or a measured sinogram."""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from app.instruments import tomography_axis as axis
from app.parts import people, session, upload
from app.parts.guard import plain
from gen_core import catalog, store
from gen_core.errors import RecipeError, UserError
from gen_core.tomography import question
from gen_core.tomography.recipe import Reconstruct

PAGE = axis.PAGE
SYNTHETIC = {
    "synthetic:thorax": "Synthetic chest",
    "synthetic:abdomen": "Synthetic belly",
    "synthetic:head": "Synthetic head",
    "synthetic:shepp_logan": "Shepp-Logan phantom",
}
TYPES = ["dcm", "ima", "nii", "gz", "npy", "npz", "png", "jpg", "tif", "tiff", "zip"]
# A sinogram that was brought stays though its recipe is still wrong (no angles yet); a recipe that is loaded empties this place.
NEW = ("figure", f"{PAGE}.sinogram")
SINOGRAMS = ["npz", "npy", "mat"]
LAYOUTS = (
    "A NumPy archive (NPZ) with `sinogram` (views × bins, line integrals) and `angles` (degrees), or a MATLAB file (.mat) as of "
    "the Helsinki Tomography Challenge. `detector_spacing`, `source_origin` and `origin_detector` (mm) are read where the file "
    "has them; what it lacks can be given under *Scanner and size*."
)


def widgets(recipe: Reconstruct) -> dict[str, Any]:
    """What is scanned, as the values of the widgets."""
    kind, seed = "synthetic:thorax", 1001
    if recipe.image and (found := re.fullmatch(r"(synthetic:[a-z_]+)(?::(\d+))?", recipe.image)):
        kind, seed = found[1], int(found[2] or 0)
    elif recipe.image:
        kind = recipe.image
    return {
        "image": kind,
        "image_seed": seed,
        "sinogram": recipe.sinogram,
        "counts": recipe.counts,
        "open_beam": recipe.open_beam,
        "slice": recipe.slice or 0,
        "middle": recipe.slice is None,
    }


def choose() -> dict[str, Any]:
    """The fields of a recipe that say what is scanned."""
    sinogram = session.get(*NEW) or session.value(PAGE, "sinogram")
    if sinogram:
        return _measured(str(sinogram))
    bundled = SYNTHETIC | {d.name: d.title for d in catalog.DATA if d.system == PAGE and d.role == "image"}
    image = upload.data_picker(
        PAGE,
        PAGE,
        "synthetic:thorax",
        _changed,
        TYPES,
        question.check_image,
        "image",
        "What is scanned",
        bundled,
        extra=_add_sinogram,
    )
    if image == "synthetic:shepp_logan":
        return {"image": "synthetic:shepp_logan:0"}
    if image.startswith("synthetic"):
        told = "The same number, the same slice. The bundled priors saw none below a million."
        seed = st.number_input("Slice number", 0, 10**9 - 1, key=session.key(PAGE, "image_seed"), help=told)
        return {"image": f"{image}:{int(seed)}"}
    return {"image": image, "slice": _slice(image)}


def hounsfield(recipe: Reconstruct) -> bool:
    """Whether values may be in Hounsfield units, which have windows of their own."""
    return recipe.sinogram is None and "shepp_logan" not in str(recipe.image)


def _slice(image: str) -> int | None:
    """Which slice of a volume; None for that of a single one."""
    count = question.slices(image)
    if count == 1:
        return None
    if session.value(PAGE, "middle"):
        session.seed(PAGE, middle=False, slice=count // 2)
    if session.value(PAGE, "slice") >= count:
        session.seed(PAGE, slice=count - 1)
    told = f"Of {count:,}, from 0 on."
    return int(st.slider("Slice", 0, count - 1, key=session.key(PAGE, "slice"), help=told))


def _changed() -> None:
    """In a callback: another image begins at its middle slice."""
    session.seed(PAGE, middle=True, slice=0)


def _add_sinogram() -> None:
    """Below the uploader of images: one for what a scanner measured."""
    key = session.turn(PAGE, "sinogram/file")
    st.file_uploader("Or a measured sinogram", SINOGRAMS, key=key, on_change=_arrived, args=(key,))
    st.caption(LAYOUTS)
    if error := session.get(PAGE, "sinogram/error"):
        st.error(plain(error), icon=":material/error:")


def _arrived(key: str) -> None:
    """In a callback: keep the sinogram and scan nothing else."""
    file = session.held(key)
    if file is None:
        return
    session.put(PAGE, "sinogram/error", None)
    try:
        digest = store.add(file, file.name)
        people.own(digest)
        session.put(*NEW, digest)
        session.seed(PAGE, angles="")
        session.turn_over(PAGE, "image/add")
    except UserError as error:
        session.put(PAGE, "sinogram/error", str(error))
    session.turn_over(PAGE, "sinogram/file")


def _leave() -> None:
    """In a callback: back to an image."""
    session.put(*NEW, None)
    session.seed(PAGE, sinogram=None)


def _measured(digest: str) -> dict[str, Any]:
    """A measured sinogram, with what its file may lack."""
    st.markdown(f"**Measured sinogram** {digest[7:15]}")
    st.caption("There is no truth to compare with: no PSNR, no SSIM, no error maps.")
    st.button("Back to images", icon=":material/arrow_back:", key=f"{PAGE}/back", on_click=_leave)
    told = "One number a view in degrees, with commas; or first, last and step, as 0:178:2. Empty: as the file says."
    text = st.text_input("Angles of the views", key=session.key(PAGE, "angles"), placeholder="as the file says", help=told)
    told = "Counts behind the object are turned into line integrals, −log(counts / open beam)."
    counts = st.toggle("It holds counts", key=session.key(PAGE, "counts"), help=told)
    made: dict[str, Any] = {"counts": counts, "open_beam": None}
    if counts:
        told = "Counts of a ray that meets nothing. Empty: as the file says, else the largest value."
        made["open_beam"] = st.number_input("Open beam (counts)", min_value=1e-6, key=session.key(PAGE, "open_beam"), help=told)
    return {"sinogram": digest, "image": None, "angles": angles_of(text)} | made | axis.fields()


def angles_of(text: str) -> list[float] | None:
    """Angles in degrees as they were typed; None for nothing. Raises RecipeError where they are none."""
    try:
        if ":" in text:
            first, last, step = (float(part) for part in text.split(":"))
            count = round((last - first) / step) + 1
            return [first + i * step for i in range(min(count, 10_000))]
        return [float(part) for part in text.split(",") if part.strip()] or None
    except (ValueError, ZeroDivisionError, OverflowError):
        raise RecipeError(f"Angles of the views: {text[:40]!r} are no numbers with commas, nor first:last:step.") from None
