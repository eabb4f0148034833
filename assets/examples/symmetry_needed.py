"""How many measurements does an error of 5 % need, with codes of 20 numbers, by a plain prior and by an orbit?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "needed"
result = gen_core.run(
    "symmetry.needed", models=["augmented", "orbit"], dims=[20], measurements=[10, 20, 40], targets=[0.05], images=20
)
for name in ("augmented", "orbit"):
    print(f"{name}: {result.metrics[f'{name}.needed.0.05.20']:.0f} measurements")
result.save(out)  # needed.npz, curves.csv, needed.csv
