"""Tomography: scan a slice over few angles, reconstruct it with and without a prior, see what was measured and what invented.

The first minute: the page opens on a chest over 90 degrees: the truth beside what four methods make of it. Its user drags the
range of angles and sees the streaks come and go; then Invented part shows what each method added of its own.
The first hour: they put a lesion where the wedge hides it and see which method loses it, look at samples that flicker and at
intervals that do not hold, turn to their own slice (DICOM, NIfTI, NumPy, pictures), read that the prior does not know it, and
save arrays, DICOM and NIfTI; or they bring a sinogram of their own scanner.
A bad day: the file is cut short, has no slices, or is an export of something else; a lesion lies outside; the sinogram says no
angles; a link names a file that is not here. Each is one sentence, and the rest of the page goes on.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from app.instruments import tomography_evidence as trusting
from app.instruments import tomography_learn as learn
from app.instruments import tomography_picture as picture
from app.instruments import tomography_ranges as ranges
from app.instruments import tomography_tabs as tabs
from app.instruments import tomography_twopixel as two
from app.instruments.tomography_controls import controls, widgets
from app.instruments.tomography_own import PAGE
from app.parts import background, beside, evidence, explain, export, presets, session
from app.parts.guard import guard
from app.parts.header import header
from app.tours.tomography import STEPS
from gen_core.tomography import quick
from gen_core.tomography.recipe import Lesion, Reconstruct, Train

PRESETS = {
    "Nearly all directions": Reconstruct(angle_range=170.0),
    "Few views all around": Reconstruct(angle_range=180.0, views=30),
    "A real slice, a synthetic prior": Reconstruct(image="ct_small", angle_range=90.0),
}
TRAPS = [
    (
        (
            "**A sharp picture is not a measured one.** Over 60 degrees the methods with a prior draw walls that no view has "
            "seen edge-on. Choose *Invented* and compare it with *Error*."
        ),
        Reconstruct(angle_range=60.0),
    ),
    (
        (
            "**A prior loses what it does not expect.** This lesion of 30 mm and 300 HU stands in the data beyond doubt (d′ "
            "above 100), and the Gaussian prior shows about a quarter of its contrast; the picture around it looks as convincing "
            "as before. The tab *Lesion* says how much of it each method shows."
        ),
        Reconstruct(lesion=Lesion(x=60.0, y=0.0, diameter=30.0, contrast=300.0)),
    ),
    (
        (
            "**A narrow prior is surely wrong on a slice that it never met.** On a real slice the intervals of a prior of "
            "synthetic chests hold far less than they promise, and only the warning says so."
        ),
        Reconstruct(image="ct_small", angle_range=90.0),
    ),
    (
        (
            "**PSNR rewards the mean.** Blurred pictures score well because they are never far off. Read it beside the residual: "
            "a picture that the data contradict is wrong however good it looks."
        ),
        Reconstruct(angle_range=120.0, noise=0.05),
    ),
]
IDEA = [
    "The scanner measures line integrals $y = Ax + \\text{noise}$, here over part of the half turn only.",
    "Edges that no ray runs along are not in the data: in the picture they are missing, or made up.",
    "**FBP** and **SIRT** use the data alone; **total variation** prefers flat regions with few edges.",
    "A **prior** has learned what slices look like. The Gaussian one has its posterior in closed form: mean, deviation, samples.",
    "Each image is split into what the data determine, by conjugate gradients on $AA^T$, and the **invented** rest.",
    "Synthetic slices are projected exactly, real ones at twice the resolution: no method is given its own projections.",
]
FORMULA = (
    r"\begin{gathered} \hat x = \operatorname*{argmin}_x \tfrac12 \lVert (Ax - y)/\sigma \rVert^2 + R(x) \\[6pt]"
    r"\hat x = \underbrace{A^T(AA^T + \varepsilon)^{-1}A\hat x}_{\text{measured}}"
    r" + \underbrace{\dots}_{\text{invented}} \end{gathered}"
)
SOURCE = (
    "What limited angles show: Quinto 1993, doi:10.1137/0524069; null-space tests of priors: Bhadra et al. 2021, "
    "doi:10.1109/TMI.2021.3077857. d′: Barrett & Myers 2004."
)
SMALL = "Not a medical device, and not for clinical use: what a prior adds may be wrong where it looks right."


def default() -> Reconstruct:
    """What the page opens on."""
    return Reconstruct()


@st.fragment
def instrument() -> None:
    """Controls, pictures, evidence and export: what a move of a control redraws."""
    left, right = st.columns([1, 3], gap="medium")
    below = st.container(key=picture.BELOW)
    with right, guard():  # what goes wrong is said in the place of the pictures
        with left:
            recipe = controls()
        with right:
            show, window = picture.chooser(recipe)
            result = picture.steps(recipe, show, window)
            session.write_link(result.recipe)
            figures = picture.show(result, show, window)
            with st.container(key=picture.NOTICES):
                evidence.notices(result.warnings)
                st.caption(f":material/info: {trusting.NEVER} {SMALL}")
        with below:
            beside.pin(PAGE, result, figures)
            figures |= tabs.show(result, window)
            st.header("Evidence")
            trusting.trust(result)
            st.header("Export")
            more, files = two.exports(result.recipe)
            export.panel(replace(result, files={**result.files, **files}), figures | more)
        background.begin(lambda: quick.prepare(recipe))  # so that a drag of the range follows at once


asked = session.start(PAGE, "tomography.reconstruct", default, widgets)
learn.take_next()
header(PAGE)
presets.row(PAGE, PRESETS, default, steps=STEPS)
instrument()
with guard():
    trusting.model()
ranges.show(asked)
learn.training(asked if isinstance(asked, Train) else None)
explain.explain(IDEA, FORMULA, SOURCE)
explain.mislead(PAGE, TRAPS)
