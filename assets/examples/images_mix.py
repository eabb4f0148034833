"""Put the fine style of two micrographs on the structure of others; the truth is rendered beside."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "mixes"
result = gen_core.run("images.mix", content_seeds=[0, 1, 2], style_seeds=[3, 4], layers=["middle", "fine"])
print(f"score against the rendered truth {result.metrics['swap_score']:.2f} (1 is the truth, 0 no effect)")
result.save(out)
