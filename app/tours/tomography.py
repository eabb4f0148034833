"""Tomography: a wedge opens, what is invented, a lesion that a prior loses, error bars, a slice that no prior knows."""

from app.parts.tour import Guess, Step
from gen_core.tomography.recipe import Lesion, Reconstruct

STEPS = (
    Step(
        "Nearly all directions",
        (
            "A synthetic chest, scanned over 170 degrees: the truth and four reconstructions. All are good, and total "
            "variation, which has learned nothing, is the best."
        ),
        Reconstruct(angle_range=170.0),
    ),
    Step(
        "The wedge opens",
        (
            "60 degrees only: edges that no ray runs along are gone from the data. Drag **Angles covered** slowly and watch "
            "which edges of the filtered backprojection go first."
        ),
        Reconstruct(angle_range=60.0),
    ),
    Step(
        "A large, bright lesion",
        (
            "Over 90 degrees a lesion of 30 mm and 300 HU is put into the lung. The data show it beyond any doubt: d′ is "
            "above 100, where 2 would be enough."
        ),
        Reconstruct(angle_range=90.0, lesion=Lesion(x=60.0, y=0.0, diameter=30.0, contrast=300.0)),
        Guess(
            "Which method shows the least of its contrast?",
            ("Filtered backprojection", "Total variation", "The Gaussian prior"),
            2,
            (
                "The prior shows about a quarter of it: it has not met such a lesion, and explains it away as something it "
                "knows. The tab **Lesion** has the numbers. What a prior adds and what it takes away look equally convincing."
            ),
        ),
    ),
    Step(
        "A faint one in the wedge",
        (
            "8 mm and 60 HU, over 60 degrees: two thirds of it change no measured ray. Here the Gaussian prior *exaggerates* "
            "it, to more than twice its contrast, out of streaks. Whatever puts that back is belief, not data: choose "
            "**Invented**."
        ),
        Reconstruct(angle_range=60.0, lesion=Lesion(x=0.0, y=-60.0, diameter=8.0, contrast=60.0)),
    ),
    Step(
        "A real slice",
        "The priors here learned from synthetic slices. This slice is a real one.",
        Reconstruct(image="ct_small", angle_range=90.0),
        Guess(
            "The prior promises that its 90 % intervals hold 90 % of the pixels. How many do they hold?",
            ("About 90 %", "About 70 %", "About 40 %"),
            2,
            (
                "About 40 %: surely wrong, and sharp. The warning below the pictures says that the prior does not know such "
                "slices. Total variation is ten decibels better here."
            ),
        ),
    ),
)
