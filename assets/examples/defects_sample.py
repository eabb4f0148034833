"""Draw new particles at a time between two snapshots from the bundled score network."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "drawn"
result = gen_core.run("defects.sample", data="double_well", time=0.35, n=400)
print(f"distance to the nearest snapshot {result.metrics['w1']:.3f}, of its halves {result.baselines['ceiling']['w1']:.3f}")
result.save(out)  # positions as NPZ and CSV
