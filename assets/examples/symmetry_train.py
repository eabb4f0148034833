"""Learn to draw galaxies from few of them, in seconds (the bundled models learned from 4,096)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("symmetry.train", {"kind": "c4", "pictures": 64, "turns": 2, "epochs": 2})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
