"""What the card of a model says: what it can draw at best, how few measurements it takes, and what a turn of its codes does."""

from __future__ import annotations

from typing import Any

import numpy as np

from gen_core.checkpoint import rounded
from gen_core.symmetry import boots, modelfile, pictures, recover, rotate, sensing
from gen_core.symmetry.modelfile import Prior
from gen_core.symmetry.recipe import Recover, Rotate, Test, Train
from gen_core.symmetry.solved import SIMPLE

Array = np.ndarray
TESTED = 80  # pictures; fewer after a training on few
MEASURED = (20, 50, 100)
TURNS = (90.0, 45.0, 22.5, 30.0)
STARTS = 512
CONTROL = "augmented"
TESTS: tuple[Test, ...] = ("turned", "upright")


def scores(model: Prior, recipe: Train) -> dict[str, Any]:
    """`metrics` and `baselines`: floors on turned and upright pictures, errors from few measurements of turned ones beside a
    Gaussian prior and the sparse cosine transform, and the error of turns."""
    count = min(TESTED, max(recipe.pictures // 16, 4))
    own: dict[str, float] = {}
    for test in TESTS:
        tested = pictures.tested(recipe.data, count, test == "turned", recipe.seed)
        _, floors = recover.floor(model, tested.images, STARTS, recipe.seed)
        own[f"floor_{test}"], own[f"floor_{test}_low"], own[f"floor_{test}_high"] = boots.mean(floors, tested.sources)
        if (test == "turned") == (recipe.kind != "plain"):  # such as it learned from
            own["pixel_mse"] = float(f"{floors.mean() * tested.energy / sensing.PIXELS:.3g}")
    model.card["metrics"] = dict(own)  # what it leaves open is used from here on
    tested = pictures.tested(recipe.data, count, True, recipe.seed)
    asked = Recover(data=recipe.data, images=count, seed=recipe.seed)
    simple: dict[str, dict[str, float]] = {name: {} for name in SIMPLE}
    for m in MEASURED:
        found = recover.by_each(asked, {"": model}, tested.images, tested.energy, m)
        for name, row in ({"": own} | simple).items():
            key = f"error_{m}"
            row[key], row[f"{key}_low"], row[f"{key}_high"] = boots.mean(found[name].errors, tested.sources)
    for angle in TURNS:
        turned = rotate.numbers(rotate.turned(model, Rotate(angle=angle)))
        own[f"equivariance_db_{angle:g}"] = turned["equivariance_db"]
        own[f"relative_error_{angle:g}"] = turned["relative_error"]
        own[f"floor_db_{angle:g}"] = turned["floor_db"]
    beside = {name: rounded(row) for name, row in simple.items()} | control(recipe, count)
    different = len(np.unique(tested.sources))  # pictures; of the user's own each is turned several times
    return {"metrics": rounded(own) | {"pixel_mse": own["pixel_mse"]}, "baselines": beside, "n_test": different}


def control(recipe: Train, count: int) -> dict[str, dict[str, Any]]:
    """The bundled plain model of the same size that saw turned pictures, measured on the same ones; none for other pictures."""
    if recipe.data != "galaxies" or recipe.kind == CONTROL or recipe.seed or not modelfile.there(CONTROL, recipe.dim):
        return {}
    card = modelfile.open_card(modelfile.bundled(CONTROL, recipe.dim))
    if card.get("n_test") != count:
        return {}
    return {CONTROL: {name: value for name, value in card["metrics"].items() if name != "pixel_mse"}}
