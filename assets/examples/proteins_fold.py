"""Predict a structure by ESMFold; needs the optional package transformers and LATENT_ESMFOLD, a folder with its weights."""

import sys

import gen_core
from gen_core.proteins import question

out = sys.argv[1] if len(sys.argv) > 1 else "folded"
result = gen_core.run("proteins.fold", sequences=[question.reference_of("proteins-chorismate-mutase")])
print(f"mean pLDDT {result.metrics['plddt']:.0f} of 100")
result.save(out)
