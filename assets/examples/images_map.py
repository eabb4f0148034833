"""Draw a spot of the map of the training pictures, and new pictures from a region of it."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "map"
gen_core.run("images.map", spot=[0.0, 0.0], region=[[-2, -2], [2, -2], [2, 2], [-2, 2]], n=4).save(out)
