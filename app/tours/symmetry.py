"""Symmetry: exact at its own steps, what lies between, any angle, and what is gained when little is measured."""

from app.parts.tour import Guess, Step
from gen_core.symmetry.recipe import Recover, Rotate

STEPS = (
    Step(
        "A quarter turn",
        (
            "A network whose filters are used at four angles. The picture is turned by 90°, and so is its code: what the turned "
            "code draws is the turned picture, to the last digits."
        ),
        Rotate(model="c4", angle=90),
    ),
    Step(
        "Seen is not built in",
        "A plain network that was shown many turned pictures. It multiplies as often as C4, with four times the weights.",
        Rotate(model="augmented", angle=90),
        Guess(
            "It can draw galaxies at every angle. How far from the turned picture is the best code that a search finds?",
            ("As near as C4", "A few percent of the contrast", "A third of the contrast"),
            1,
            "A few percent: read **Relative error**. It knows no way to turn a code, so each one is searched for. C4 needs none.",
        ),
    ),
    Step(
        "Between the steps",
        (
            "C8 knows eighths of a turn. The dial stands at 22.5°, halfway between two of them: the nearest element is all that "
            "the code can be turned by, and the curve shows teeth. **Drag it** to 45°, and the error falls."
        ),
        Rotate(model="c8", angle=22.5),
    ),
    Step(
        "Any angle",
        (
            "The orbit keeps an angle beside the code and turns the picture itself: right at any angle, for any network. Nothing "
            "was learned for it."
        ),
        Rotate(model="orbit", angle=33),
    ),
    Step(
        "Measure less",
        "Fifty random sums of 1,024 pixels are all that is known of each picture. A network looks for one it can draw that fits.",
        Recover(),
        Guess(
            "Which recovers best?",
            (
                "The plain network that saw turned pictures",
                "A network with a symmetry",
                "A Gaussian prior: a mean and a covariance of turned pictures",
            ),
            2,
            "The Gaussian prior, with half the error of the orbit, the best of the networks. With 10 to 30 measurements the two "
            "are as good; with more the networks stop at what they can draw (see **Floor**). C8, an eighth of the weights, is no "
            "better than turned examples.",
        ),
    ),
)
