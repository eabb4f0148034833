"""Draw new chorismate mutases around the naturals, filter them, and plan a plate of the kept ones."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "designs"
result = gen_core.run("proteins.sample", around="naturals", n=200, order={"wells": 96, "host": "e_coli"})
print(f"{result.metrics['kept_fraction']:.0%} pass all filters")
result.save(out)  # FASTA, CSV, the plate as DNA
