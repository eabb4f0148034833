"""One latent code, a thousand events: are channels of a VAE correlated once its code is held still?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "one_code"
result = gen_core.run("detector.condition", model="vae", n=1_000)
told = result.metrics
print(f"one code: correlations {told['correlation_rms']:.4f} (by chance alone {told['correlation_rms_by_chance']:.4f})")
for name, row in result.baselines.items():
    print(f"{name}: {row['correlation_rms']:.4f}")
result.save(out)  # all correlation matrices and events (NPZ)
