"""Learn a generator of few events, in seconds (the bundled ones learned from a hundred thousand and more)."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
recipe = catalog.make_recipe("detector.train", {"kind": "made", "events": 1_024, "epochs": 2})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
