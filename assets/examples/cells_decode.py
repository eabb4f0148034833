"""What cells at two points of a latent space would express."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "decoded"
result = gen_core.run("cells.decode", data="simulated", model="cells-simulated-2d", z=[[0.5, -0.5], [1.0, 1.0]])
result.save(out)
