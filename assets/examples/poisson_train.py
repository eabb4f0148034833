"""Learn a solver of few scenes, in seconds (the bundled ones learned from 8,192)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("poisson.train", {"kind": "regression", "scenes": 64, "epochs": 2})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
