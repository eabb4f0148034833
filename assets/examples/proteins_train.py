"""Learn a family from an alignment: here 60 made-up rows, for two epochs only."""

import sys
from pathlib import Path

from gen_core import catalog

out = Path(sys.argv[1] if len(sys.argv) > 1 else "model")
family = out.with_suffix(".fasta")
rows = ["MKV-LAAGIVGLPNVGKSTL" if i % 2 else "MRVALA-GLIGLPDVGKTSL" for i in range(60)]
family.write_text("".join(f">row{i}\n{row[: i % 20]}{'ACDEFGHIKL'[i % 10]}{row[i % 20 + 1 :]}\n" for i, row in enumerate(rows)))
recipe = catalog.make_recipe("proteins.train", {"family": family, "latent_dim": 2, "epochs": 2})
for step in catalog.steps(recipe, out):
    print(f"{step.done} of {step.total} {step.text}")
