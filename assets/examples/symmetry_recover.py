"""Eighty turned galaxies from few random measurements: how much does a prior with a symmetry save?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "recovered"
result = gen_core.run("symmetry.recover", models=["augmented", "c8", "orbit"], measurements=[20, 100], images=40)
for name in ("augmented", "c8", "orbit"):
    told = [f"{m} measurements {result.metrics[f'{name}.error.{m}']:.3f}" for m in (20, 100)]
    print(f"{name}: {', '.join(told)}, floor {result.metrics[f'{name}.floor']:.3f}")
for warning in result.warnings:
    print(warning.text)
result.save(out)  # recover.npz, recover.png, recover.csv
