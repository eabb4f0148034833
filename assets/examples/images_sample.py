"""Draw pictures from the prior, a little bolder than the prior itself."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "samples"
result = gen_core.run("images.sample", n=8, temperature=1.1)
print([notice.text for notice in result.warnings])
result.save(out)
