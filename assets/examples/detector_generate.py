"""Events of a model beside the simulator's: how far apart are they, and how many are there a second?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "events"
result = gen_core.run("detector.generate", model="middle", steps=4, n=500, formats=["npz", "parquet"])
for name, row in {"middle": result.metrics, **result.baselines}.items():
    interval = f"({row['auc_features_low']:.2f} to {row['auc_features_high']:.2f})"
    print(f"{name}: correlations off by {row['corr_error']:.2f}, told apart {row['auc_features']:.2f} {interval}")
print(f"10^9 events would take {result.content.hours:,.0f} hours here")
result.save(out)  # events (NPZ, Parquet), correlation matrices, how often each channel fires
