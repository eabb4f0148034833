"""Turned galaxies from few random measurements: what does a prior with a symmetry gain, beside a Gaussian prior?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "recovered"
result = gen_core.run("symmetry.recover", models=["augmented", "c8", "orbit"], measurements=[20, 100], images=40)
for name in ("augmented", "c8", "orbit", "gaussian"):
    told = [f"{m} measurements {result.metrics[f'{name}.error.{m}']:.3f}" for m in (20, 100)]
    floor = result.metrics.get(f"{name}.floor")  # the best that a network can draw; the Gaussian prior can draw anything
    print(f"{name}: {', '.join(told)}" + (f", floor {floor:.3f}" if floor is not None else ""))
for warning in result.warnings:
    print(warning.text)
result.save(out)  # recover.npz, recover.png, recover.csv
