"""How the error of each method grows as fewer angles are covered: one slice, the noise drawn anew at each range."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "ranges"
result = gen_core.run("tomography.ranges", size=64, methods=["fbp", "gaussian"], ranges=[120, 60], repeats=2)
result.save(out)  # a table (CSV) and a figure (SVG)
