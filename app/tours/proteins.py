"""Proteins: sample a family, near one sequence, with a site kept; what temperature and a good score hide; a plate."""

from app.parts.tour import Guess, Step
from gen_core.proteins import question
from gen_core.proteins.order_recipe import Order
from gen_core.proteins.recipe import Sample, Score

STEPS = (
    Step(
        "A thousand new members",
        (
            "Blue: the places of the naturals that the model learned from. Their sequences are not part of this software: what "
            "stands for them as known sequences is drawn from the model and called synthetic. Orange: new sequences. Beside the "
            "map the funnel of filters: how many each took away. **Click** any spot to see what it decodes to."
        ),
        Sample(),
    ),
    Step(
        "Temperature",
        (
            "These were drawn at temperature 1, and 713 of the 1,000 pass all filters: see the funnel. Nearer to 0 every site "
            "takes its likeliest residue."
        ),
        Sample(temperature=0.1),
        Guess(
            "At temperature 0.1, will more or fewer than 713 of 1,000 pass?",
            ("More", "About as many", "Fewer"),
            0,
            (
                "851 of 1,000 pass instead of 713, and the profile and the energies look splendid. But they are more alike among "
                "themselves: look at the logo and at the correlations of pairs, which come out too strong (slope 1.3). Passing "
                "filters is not variety."
            ),
        ),
    ),
    Step(
        "The active site stays",
        (
            "Eight residues of the active site are locked, counted along E. coli's sequence. **Logo**, below the map, shows "
            "them as single letters, and everything else still moves."
        ),
        Sample(around="naturals", reference=question.COLI, locks=(11, 28, 39, 48, 51, 52, 84, 88)),
    ),
    Step(
        "A good profile score",
        "Now 48 sequences from a file are scored: 36 drawn from this model, cold ones among them, and 12 site by site.",
        Score(sequences="chorismate_mutase_designs"),
        Guess(
            "Can the profile tell sequences apart whose sites were drawn independently?",
            ("Yes, easily", "Hardly"),
            1,
            (
                "8 of the 12 pass the profile, since each site looks right by itself. The coupling energy sees that the pairs "
                "which hold the fold together are wrong and lets 3 of them through. None of this has measured function."
            ),
        ),
    ),
    Step(
        "A plate for tomorrow",
        (
            "**Order**, below the filters, turns the kept designs into DNA: codons of a host, forbidden sites, GC, flanks, a "
            "well for each. Translated back, each equals its protein. Then train **Your own family** on your own alignment."
        ),
        Sample(around="naturals", order=Order()),
    ),
)
