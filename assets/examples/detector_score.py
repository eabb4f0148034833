"""The log-likelihood of events: does it tell a dead layer, a track too many, or too much noise?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "scores"
result = gen_core.run("detector.score", model="made", n=500)
for kind in ("dead_layer", "extra_track", "noise_x5"):
    by_hits = result.baselines["number_of_hits"][f"{kind}.auc"]
    print(f"{kind}: told apart {result.metrics[f'{kind}.auc']:.3f}, by the number of hits alone {by_hits:.3f}")
result.save(out)  # one row an event (CSV)
