"""Defects: a fit that can be trusted, snapshots at rest, a force that turns, pairs that repel, and a time nobody looked at."""

from app.parts.tour import Guess, Step
from gen_core.defects.recipe import Infer, Sample

STEPS = (
    Step(
        "Two wells",
        (
            "Eleven snapshots of particles that cross between two wells. The three tests come first; then the diffusion constant "
            "with its interval, and the drift. Press **▶** under the particles."
        ),
        Infer(),
    ),
    Step(
        "At rest",
        "The same wells, after nothing changes any more. Thousands of particles, eleven snapshots.",
        Infer(data="stationary"),
        Guess(
            "How well is the diffusion constant known now?",
            ("As well as before", "Half as well", "Not at all"),
            2,
            (
                "Not at all: twice the force with twice the diffusion leaves the same density. The first test says so, and only "
                "the ratio of drift and D is told."
            ),
        ),
    ),
    Step(
        "A force that turns",
        (
            "This trap also drives the particles around, which no potential does. The J test is far above 3. Choose **Any "
            "drift** and watch it fall to 1."
        ),
        Infer(data="rotating", library="gradient"),
    ),
    Step(
        "Defects that repel",
        "Ten defects in each replica, in a trap, that repel each other as vortices do. The law is learned in splines.",
        Infer(data="pairs"),
        Guess(
            "What becomes of the diffusion constant when the interactions are ignored?",
            ("Hardly anything", "It is too large", "It can come out negative"),
            2,
            "See *Interactions ignored* under **Evidence**: what repels looks like spreading that diffusion did not do.",
        ),
    ),
    Step(
        "A time nobody looked at",
        (
            "The score network draws new configurations at any time between the snapshots. Move **Time**; the nearest snapshot "
            "stands beside."
        ),
        Sample(data="double_well", time=0.55),
    ),
)
