"""Put a blend of two styles on the structure of a picture; each may be the path of a picture of your own."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "stylized"
gen_core.run("images.stylize", content=0, styles=[1, 2], weights=[0.3, 0.7]).save(out)
