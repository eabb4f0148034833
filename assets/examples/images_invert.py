"""Find the codes that draw a picture best. `image` may be the path of a picture of your own."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "inverted"
gen_core.run("images.invert", image=5, steps=10).save(out)
