"""Cells: predict a response, move its dose, see where an average fails, walk the latent plane, read the evidence."""

from app.parts.tour import Guess, Step
from gen_core.cells.recipe import Perturb

STEPS = (
    Step(
        "A prediction and its truth",
        (
            "T helper cells were left out. Grey: their control cells. Orange: what they would become under treatment, "
            "predicted from the other types. Blue: what treated ones really did. These cells are synthetic, so that the "
            "truth is known. At the right each point is a gene; on the dotted line the prediction is perfect."
        ),
        Perturb(data="simulated", target="T helper"),
    ),
    Step(
        "Twice the dose",
        "The arrow is the mean response. **Dose** makes it longer: every cell is moved twice as far.",
        Perturb(data="simulated", target="T helper", dose=2.0),
        Guess(
            "What will the correlation of predicted and observed changes do?",
            ("Fall by half", "Hardly move", "Turn negative"),
            1,
            (
                "A correlation does not see how large a change is: it stays at 0.96, though each gene is predicted twice as "
                "changed as it is. The energy distance under *Evidence* grows from 0.03 to 0.56. One number is never enough."
            ),
        ),
    ),
    Step(
        "An average of unlike types",
        (
            "A monocyte answers with genes that lymphocytes do not have. Here the plain average of all other types predicts "
            "it: the R² of means still looks fine (0.90), but the energy distance is several times that of the weighted "
            "average."
        ),
        Perturb(data="simulated", target="Monocyte", predictor="gene_shift"),
    ),
    Step(
        "What does doing nothing score?",
        "The simplest prediction is that the drug does nothing at all: treated cells equal control cells.",
        Perturb(data="simulated", target="T helper", predictor="no_change"),
        Guess(
            "What R² of mean expression does it reach?",
            ("About 0", "About 0.5", "About 0.9"),
            2,
            (
                "R² 0.88: most genes do not change, so most of a cell is predicted by itself. That is why this page ranks "
                "predictors by the *change*, and shows what doing nothing scores beside every number."
            ),
        ),
    ),
    Step(
        "The plane is the latent space",
        (
            "A network with two latent dimensions: the map is its whole latent space. **Click** anywhere, an empty spot too, "
            "and read below what a cell there would express. The grey arrows are the responses of the types; how alike they "
            "are stands under the map, and is what every prediction here rests on. Then drop a file of your own at **+**."
        ),
        Perturb(data="simulated", target="T helper", model="cells-simulated-2d", predictor="latent"),
    ),
)
