"""Find the force and the diffusion constant of particles in a double well from eleven snapshots of them."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "double-well"
result = gen_core.run("defects.infer", data="double_well", n=1000)
told = result.metrics
print(f"D = {told['D']:.3f} (95 %: {told['D_low']:.3f} to {told['D_high']:.3f}; the truth is 0.25)")
print(f"change test {told['change_test']:.0f}, J test {told['j_test']:.1f}, drift {told['drift_error']:.0%} off")
result.save(out)  # drift.npz, score.npz, tables (CSV), a film (GIF)
