"""Learn structure and styles of rendered micrographs (here for one epoch of very few)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("images.train", {"pairs": 8, "epochs": 1})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
