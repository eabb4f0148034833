"""What a point of the latent space decodes to."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "decoded"
gen_core.run("proteins.decode", z=[[0.0] * 16]).save(out)
