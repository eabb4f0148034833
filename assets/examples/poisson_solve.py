"""Three charges in a grounded square: how wrong is the learned potential, and how much of the law does it break?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "potential"
charges = [(0.3, 0.35, 1.0, 0.08), (0.7, 0.4, -1.0, 0.06), (0.5, 0.75, 0.5, 0.1)]  # x, y, total charge, width
result = gen_core.run("poisson.solve", charges=charges, edges=[[0.0], [0.0], [0.0], [0.0, 0.2, 0.0]], correction=3)
for name, row in {"flow": result.metrics, **result.baselines}.items():
    print(f"{name}: error {row['error_l2']:.2%}, law broken by {row['residual']:.2%}, edges by {row['boundary_violation']:.2%}")
result.save(out)  # solution.npz, profiles and corrections as tables
