"""Learn a latent space of cells without the treated cells of one type (here for two epochs only)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("cells.train", {"data": "simulated", "target": "B", "latent_dim": 4, "epochs": 2, "check": False})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
