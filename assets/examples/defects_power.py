"""How many particles are needed? The double well with few and with more, simulated anew."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "power"
result = gen_core.run("defects.power", data="double_well", counts=[300, 1000], repeats=2, bootstrap=50)
for row in result.content:
    print(f"{row.n} replicas: D {row.D_error:.0%} off, drift {row.drift_error:.0%} off")
result.save(out)  # a table (CSV)
