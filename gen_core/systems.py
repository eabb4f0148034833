"""The table of the systems and of what each can do; `catalog` looks things up in it.

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

OPERATIONS = (
    Operation(
        "cells.perturb",
        "Predict the response of one cell type to a perturbation from the responses of the others.",
        "gen_core.cells.recipe:Perturb",
        "gen_core.cells.perturb:run",
        shards="gen_core.cells.shards:PERTURB",
    ),
    Operation(
        "cells.decode",
        "Decode latent vectors into expression profiles.",
        "gen_core.cells.recipe:Decode",
        "gen_core.cells.decode:run",
    ),
    Operation(
        "cells.train",
        "Learn the latent space of cells without the response of one cell type, and score it there.",
        "gen_core.cells.recipe:Train",
        uses_device=True,
        steps="gen_core.cells.train:steps",
    ),
    Operation(
        "images.sample",
        "Draw new pictures from the prior, or around one.",
        "gen_core.images.recipe:Sample",
        "gen_core.images.sample:run",
        shards="gen_core.images.shards:SAMPLE",
    ),
    Operation(
        "images.interpolate",
        "Walk from one picture to another, at constant speed if asked.",
        "gen_core.images.recipe:Interpolate",
        "gen_core.images.interpolate:run",
    ),
    Operation(
        "images.grid",
        "All pictures between four corners.",
        "gen_core.images.recipe:Grid",
        "gen_core.images.grid:run",
    ),
    Operation(
        "images.mix",
        "Put the styles of some pictures on the structure of others, beside the rendered truth.",
        "gen_core.images.recipe:Mix",
        "gen_core.images.mix:run",
    ),
    Operation(
        "images.edit",
        "Change known factors of a picture, each in its own unit.",
        "gen_core.images.recipe:Edit",
        "gen_core.images.edit:run",
    ),
    Operation(
        "images.invert",
        "Find the codes that draw a picture best, and show what is left of it.",
        "gen_core.images.recipe:Invert",
        "gen_core.images.invert:run",
    ),
    Operation(
        "images.stylize",
        "Put a blend of styles on the structure of one picture.",
        "gen_core.images.recipe:Stylize",
        "gen_core.images.stylize:run",
    ),
    Operation(
        "images.decode",
        "Draw latent vectors as pictures.",
        "gen_core.images.recipe:Decode",
        "gen_core.images.decode:run",
    ),
    Operation(
        "images.map",
        "Draw any spot on the map of the training pictures, and sum up a region of it.",
        "gen_core.images.recipe:Map",
        "gen_core.images.map:run",
        shards="gen_core.images.shards:MAP",
    ),
    Operation(
        "images.plane",
        "Draw the plane of an autoencoder whose code is two numbers, and where pictures lie on it.",
        "gen_core.images.recipe:Plane",
        "gen_core.images.plane:run",
    ),
    Operation(
        "images.train",
        "Learn structure and style from rendered micrographs or from pictures of your own, or a plain autoencoder.",
        "gen_core.images.recipe:Train",
        uses_device=True,
        steps="gen_core.images.train:steps",
    ),
    Operation(
        "proteins.sample",
        "Draw new members of a protein family and filter them.",
        "gen_core.proteins.recipe:Sample",
        "gen_core.proteins.sample:run",
        shards="gen_core.proteins.shards:SAMPLE",
    ),
    Operation(
        "proteins.score",
        "Score given sequences as members of a protein family.",
        "gen_core.proteins.recipe:Score",
        "gen_core.proteins.score:run",
    ),
    Operation(
        "proteins.mutate",
        "Score every single change of a sequence of a protein family.",
        "gen_core.proteins.recipe:Mutate",
        "gen_core.proteins.mutate:run",
    ),
    Operation(
        "proteins.relax",
        "Put side chains on sequences threaded on the family's template and relax them (OpenMM and PDBFixer, optional).",
        "gen_core.proteins.recipe:Relax",
        "gen_core.proteins.relax:run",
    ),
    Operation(
        "proteins.fold",
        "Predict structures of sequences by ESMFold (transformers and a local folder with its weights, optional).",
        "gen_core.proteins.recipe:Fold",
        "gen_core.proteins.fold:run",
    ),
    Operation(
        "proteins.decode",
        "Decode latent vectors into sequences.",
        "gen_core.proteins.recipe:Decode",
        "gen_core.proteins.decode:run",
    ),
    Operation(
        "proteins.train",
        "Learn a protein family's latent space and couplings, and score them on sequences left out.",
        "gen_core.proteins.recipe:Train",
        uses_device=True,
        steps="gen_core.proteins.train:steps",
    ),
    Operation(
        "tomography.reconstruct",
        "Reconstruct a slice from projections over a limited range of angles, by several methods side by side.",
        "gen_core.tomography.recipe:Reconstruct",
        "gen_core.tomography.reconstruct:run",
        shards="gen_core.tomography.shards:RECONSTRUCT",
    ),
    Operation(
        "tomography.ranges",
        "Tell how the error of each method grows as fewer angles are covered, with intervals over the noise.",
        "gen_core.tomography.ranges:Ranges",
        "gen_core.tomography.ranges:run",
    ),
    Operation(
        "tomography.train",
        "Learn a prior of slices, from synthetic anatomies or your own, and score it beside the other methods.",
        "gen_core.tomography.recipe:Train",
        uses_device=True,
        steps="gen_core.tomography.train:steps",
    ),
    Operation(
        "defects.infer",
        "Find drift and diffusion constant from snapshots, and tell whether the snapshots can know them.",
        "gen_core.defects.recipe:Infer",
        "gen_core.defects.infer:run",
        first="gen_core.defects.infer:first",
    ),
    Operation(
        "defects.sample",
        "Draw new configurations of defects at any time from a score network.",
        "gen_core.defects.recipe:Sample",
        "gen_core.defects.sample:run",
        shards="gen_core.defects.shards:SAMPLE",
    ),
    Operation(
        "defects.train",
        "Learn the score of snapshots in place and time, and compare it with a normal distribution.",
        "gen_core.defects.recipe:Train",
        uses_device=True,
        steps="gen_core.defects.train:steps",
    ),
    Operation(
        "defects.power",
        "Tell how well the diffusion constant and the drift would be known with more or fewer particles and snapshots.",
        "gen_core.defects.recipe:Power",
        "gen_core.defects.power:run",
    ),
    Operation(
        "poisson.solve",
        "Solve for the potential of charges by a learned solver beside the exact one, or from a few sensors.",
        "gen_core.poisson.recipe:Solve",
        "gen_core.poisson.solve:run",
        shards="gen_core.poisson.shards:SOLVE",
    ),
    Operation(
        "poisson.green",
        "Put a point charge, and compare a solver's response with the exact Green's function.",
        "gen_core.poisson.recipe:Green",
        "gen_core.poisson.green:run",
    ),
    Operation(
        "poisson.train",
        "Learn a solver of Poisson's equation from scenes of charges, and score it beside the exact one.",
        "gen_core.poisson.recipe:Train",
        uses_device=True,
        steps="gen_core.poisson.train:steps",
    ),
    Operation(
        "symmetry.rotate",
        "Turn the picture that a code draws, and the code, and tell how far the two are apart.",
        "gen_core.symmetry.recipe:Rotate",
        "gen_core.symmetry.rotate:run",
    ),
    Operation(
        "symmetry.recover",
        "Recover pictures from few random measurements, by models with a symmetry and without, and by two simple ways.",
        "gen_core.symmetry.recipe:Recover",
        "gen_core.symmetry.recover:run",
        shards="gen_core.symmetry.shards:RECOVER",
    ),
    Operation(
        "symmetry.needed",
        "Tell how many measurements an error needs against the numbers in a code, for each model, with intervals.",
        "gen_core.symmetry.recipe:Needed",
        "gen_core.symmetry.needed:run",
    ),
    Operation(
        "symmetry.fewer",
        "Tell how the error on new pictures falls with the pictures learned from, with a symmetry and without.",
        "gen_core.symmetry.recipe:Fewer",
        "gen_core.symmetry.fewer:run",
    ),
    Operation(
        "symmetry.train",
        "Learn to draw pictures from codes by a network with a symmetry or without, and score it on new ones.",
        "gen_core.symmetry.recipe:Train",
        uses_device=True,
        steps="gen_core.symmetry.train:steps",
    ),
    Operation(
        "detector.generate",
        "Draw events of a model, and tell how far they are from the truth and how many there are a second.",
        "gen_core.detector.recipe:Generate",
        "gen_core.detector.generate:run",
        first="gen_core.detector.generate:first",
        shards="gen_core.detector.shards:GENERATE",
    ),
    Operation(
        "detector.condition",
        "Hold a latent code still and draw many events: what is left of the correlations of channels.",
        "gen_core.detector.recipe:Condition",
        "gen_core.detector.condition:run",
        shards="gen_core.detector.shards:CONDITION",
    ),
    Operation(
        "detector.inpaint",
        "Draw a region of an event anew, given all the rest of it.",
        "gen_core.detector.recipe:Inpaint",
        "gen_core.detector.inpaint:run",
        shards="gen_core.detector.shards:INPAINT",
    ),
    Operation(
        "detector.score",
        "Score events by their exact log-likelihood, and tell unusual ones by it.",
        "gen_core.detector.recipe:Score",
        "gen_core.detector.score:run",
    ),
    Operation(
        "detector.train",
        "Learn a generator of events from simulated or own hit patterns, and score it on others.",
        "gen_core.detector.recipe:Train",
        uses_device=True,
        steps="gen_core.detector.train:steps",
    ),
)
