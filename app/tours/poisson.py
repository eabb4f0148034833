"""Poisson: an answer that is nearly right and breaks the law, the dial, a point charge, and where samples earn their keep."""

from app.parts.tour import Guess, Step
from gen_core.poisson.recipe import Green, Solve

STEPS = (
    Step(
        "Two charges",
        (
            "A dipole: what the flow draws stands beside the exact potential. **Click** into the square to put another charge, "
            "drag one, or stroke along an edge: everything follows."
        ),
        Solve(charges=((0.36, 0.5, 1.0, 0.06), (0.64, 0.5, -1.0, 0.06))),
    ),
    Step(
        "Wrong, and unlawful",
        "The same charges, another solver. The law says that the potential's second derivatives are the charge.",
        Solve(charges=((0.36, 0.5, 1.0, 0.06), (0.64, 0.5, -1.0, 0.06)), solver="fno"),
        Guess(
            "The Fourier operator's error is about one percent. By how much does its answer break the law?",
            ("By one percent too", "By two or three", "By more than ten"),
            2,
            "By about a quarter: see **Law broken**. Fine ripples hardly move the potential; the law sees little else.",
        ),
    ),
    Step(
        "The dial",
        (
            "Ten correction steps towards the law. Turn **Correction steps k**, and read in the tab *Correction dial* how many "
            "the model saves against a start from zero: that is what it is worth here."
        ),
        Solve(correction=10),
    ),
    Step(
        "A point charge",
        (
            "The response to one charge beside Green's function. A true one is symmetric: a charge at ● felt at ✕ is as one "
            "at ✕ felt at ●. Click to move it to the edge, and watch **Reciprocity broken**."
        ),
        Green(),
    ),
    Step(
        "Where it earns its keep",
        "Now the charges are hidden, and twelve sensors read the potential. Many potentials fit.",
        Solve(sensors=12),
        Guess(
            "Where will the deviation of the samples be smallest?",
            ("Everywhere alike", "At the sensors and the edges", "Where the potential is largest"),
            1,
            (
                "At the sensors and the edges, where something is known: compare with the exact deviation at the right. Here no "
                "solver gives one answer, and samples say what is left open."
            ),
        ),
    ),
)
