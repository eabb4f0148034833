"""Side chains on a threaded sequence, relaxed; needs the optional packages openmm and pdbfixer."""

import sys

import gen_core
from gen_core.proteins import question

out = sys.argv[1] if len(sys.argv) > 1 else "relaxed"
sequence = question.reference_of("proteins-chorismate-mutase")
gen_core.run("proteins.relax", sequences=[sequence], iterations=20).save(out)
