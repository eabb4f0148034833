"""Turn a code by 45 degrees: which networks draw the turned picture?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "turned"
result = gen_core.run("symmetry.rotate", model="c8", angle=45)
for name, row in {"c8": result.metrics, **result.baselines}.items():
    print(f"{name}: {row['equivariance_db']:.1f} dB, {row['relative_error']:.2%} of the contrast")
result.save(out)  # rotate.npz, rotate.png, and the error against the angle (CSV)
