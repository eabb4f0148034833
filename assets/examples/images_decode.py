"""Draw latent vectors: the codes of two samples and their mean."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "decoded"
codes = gen_core.run("images.sample", n=2).content.latents
result = gen_core.run("images.decode", z=[codes[0].tolist(), codes[1].tolist(), codes.mean(0).tolist()])
result.save(out)
