"""Learn the score of snapshots in place and time (here of few, for two epochs)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("defects.train", {"data": "double_well", "n": 300, "epochs": 2})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
