"""The table of the systems, and what an operation of one is; `catalog` looks things up in it.

Modules are named by strings: nothing of them is imported before it is used.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class System:
    """One instrument: its name in recipes and links, and how it presents itself."""

    name: str
    title: str
    summary: str  # one sentence: what a scientist does with it
    icon: str  # a Material symbol
    picture: str  # a file in assets/pictures
    warm: str  # "module:name" of a function that does once what its first view needs
    using: str | None = None  # and of one that makes the recipe with which a model trained here (its name, its card) is used


@dataclass(frozen=True)
class Operation:
    """A verb of a system: the class of its recipe and the function that runs it, as "module:name".

    Long work is a generator of steps instead, `steps(recipe, folder, device)`: it works in a folder, leaves its result
    there, and goes on from what it finds there. Such an operation has no `run`.
    """

    name: str
    summary: str
    recipe: str
    run: str | None = None
    uses_device: bool = False  # whether --device changes anything
    steps: str | None = None
    first: str | None = None  # what of it can be shown before all of it is there: called as `run` is
    shards: str | None = None  # what draws or predicts so much that it is done in parts, see `gen_core.shards`


SYSTEMS = (
    System(
        "images",
        "Images",
        "Walk between two micrographs, put the texture of one on the structure of another, and change one property at a time.",
        ":material/texture:",
        "images.png",
        "gen_core.images.modelfile:warm",
        "gen_core.images.recipe:using",
    ),
    System(
        "cells",
        "Cells",
        "Predict how an untreated cell type would respond to a drug, a cytokine or a knock-out, and see how far to trust that.",
        ":material/biotech:",
        "cells.png",
        "gen_core.cells.plots:warm",
        "gen_core.cells.recipe:using",
    ),
    System(
        "proteins",
        "Proteins",
        "Draw new members of a protein family, filter them, and see how far they are from what nature made.",
        ":material/genetics:",
        "proteins.png",
        "gen_core.proteins.known:warm",
        "gen_core.proteins.recipe:using",
    ),
    System(
        "tomography",
        "Tomography",
        "Reconstruct a slice from few directions, and see which part of it was measured and which was invented.",
        ":material/radiology:",
        "tomography.png",
        "gen_core.tomography.kept:warm",
        "gen_core.tomography.question_own:using",
    ),
    System(
        "defects",
        "Defects",
        "Find the forces and the diffusion constant of defects from snapshots, and see whether the snapshots can tell them.",
        ":material/scatter_plot:",
        "defects.png",
        "gen_core.defects.question:warm",
        "gen_core.defects.recipe:using",
    ),
    System(
        "poisson",
        "Poisson",
        "Ask a generative model for the potential of charges, and see what it does to a law that is known exactly.",
        ":material/electric_bolt:",
        "poisson.png",
        "gen_core.poisson.question:warm",
        "gen_core.poisson.recipe:using",
    ),
    System(
        "symmetry",
        "Symmetry",
        "Turn a code and the picture it draws, and see what a built-in symmetry saves, beside a Gaussian prior.",
        ":material/cyclone:",
        "symmetry.png",
        "gen_core.symmetry.question:warm",
        "gen_core.symmetry.recipe:using",
    ),
    System(
        "detector",
        "Detector",
        "Choose a generator for fast simulation: what events a second cost in fidelity, from one by one to all at once.",
        ":material/track_changes:",
        "detector.png",
        "gen_core.detector.question:warm",
        "gen_core.detector.recipe:using",
    ),
)
