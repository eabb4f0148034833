"""Detector: all at once, one after the other, the dial between, and what one code leaves."""

from app.parts.tour import Guess, Step
from gen_core.detector.recipe import Condition, Generate

STEPS = (
    Step(
        "All at once",
        (
            "A VAE draws whole events at once, tens of thousands a second. The simulator's stand beside them. Look for tracks: "
            "lines from layer to layer."
        ),
        Generate(model="vae"),
    ),
    Step(
        "Channels on their own",
        "Each channel fires as often as in the truth, whatever the others do.",
        Generate(model="independent"),
        Guess(
            "Every mean is right. How often does a classifier pick the wrong one of two events?",
            ("Every other time", "One time in ten", "Never"),
            2,
            "Never: **Told by features** is 1. Means say nothing about what hangs together.",
        ),
    ),
    Step(
        "One token after the other",
        (
            "A transformer draws four channels at a time, given all before. Tracks hang together, and events a second fall: read "
            "both, then the tab *Fidelity and speed*."
        ),
        Generate(model="ar"),
    ),
    Step(
        "The dial",
        (
            "One masked network in eight steps. Move **Steps K** to 1 and to 192: correlations, classifiers, hits and speed "
            "move together. The tab *Steps K* has the whole curve."
        ),
        Generate(model="masked", steps=8),
    ),
    Step(
        "One code held still",
        "The VAE again: one code, a thousand events.",
        Condition(),
        Guess(
            "What will the correlations of channels be?",
            ("Those of the truth", "About half of them", "None but by chance"),
            2,
            "None: given the code its channels are independent by construction. All it has comes from codes that differ.",
        ),
    ),
)
