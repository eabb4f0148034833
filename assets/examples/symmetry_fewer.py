"""Learn from 16 galaxies, in seconds: does a built-in symmetry stand in for examples?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "fewer"
result = gen_core.run("symmetry.fewer", models=["augmented", "c8"], counts=[16], batches=20, images=8)
for name in ("augmented", "c8"):
    print(f"{name}: {result.metrics[f'{name}.error_after.16']:.3f} of the energy of new pictures missed")
result.save(out)  # fewer.npz, fewer.csv
