"""The response of the flow to a point charge beside the exact Green's function: is it symmetric?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "response"
result = gen_core.run("poisson.green", source=[0.3, 0.4], probe=[0.7, 0.6])
told = result.metrics
print(f"G(a, b) {told['g_ab']:.4f}, G(b, a) {told['g_ba']:.4f}, exact {result.baselines['exact']['g_ab']:.4f}")
result.save(out)  # both responses (NPZ), and the mean by distance (CSV)
