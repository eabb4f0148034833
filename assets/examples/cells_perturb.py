"""Predict how T helper cells would respond, with the response of the other types; compare with doing nothing."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "prediction"
result = gen_core.run("cells.perturb", data="simulated", target="T helper", dose=1.0)
own, nothing = result.metrics, result.baselines["no_change"]
print(f"r of the change {own['pearson_delta_all']:.3f}; doing nothing {nothing['pearson_delta_all']:.3f}")
result.save(out)  # predicted.h5ad opens in scanpy
