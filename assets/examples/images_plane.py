"""Draw the plane of an autoencoder whose code is two numbers."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "plane"
gen_core.run("images.plane", beta=30, z=[1.0, -0.5], n=5).save(out)
