"""All pictures between four corners."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "grid"
gen_core.run("images.grid", seeds=[0, 1, 2, 3], rows=4, columns=4).save(out)
