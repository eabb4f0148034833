"""Three layers of an event drawn anew, given the rest: where did the tracks most likely pass?"""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "inpainted"
result = gen_core.run("detector.inpaint", model="masked", event=3, region=(3, 6, 0, 24), steps=24, n=200)
there, drawn = result.baselines["observed"]["hits_in_region"], result.metrics["hits_in_region"]
print(f"hits in the region: {there:.0f} there were, {drawn:.1f} are drawn on average")
result.save(out)  # the event, its region, and all that was drawn (NPZ)
