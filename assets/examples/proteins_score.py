"""Score sequences as members of the family; `sequences` may be the path of a FASTA file."""

import sys

import gen_core

out = sys.argv[1] if len(sys.argv) > 1 else "scores"
result = gen_core.run("proteins.score", sequences="chorismate_mutase_designs")
result.save(out)
