"""Learn a Gaussian prior of synthetic chests (here of few and small ones)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("tomography.train", {"prior": "gaussian", "size": 32, "slices": 100, "components": 20})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
