"""Every single change of one sequence of the family, and the five likeliest."""

import sys

import gen_core
from gen_core.proteins import question

out = sys.argv[1] if len(sys.argv) > 1 else "changes"
result = gen_core.run("proteins.mutate", reference=question.reference_of("proteins-chorismate-mutase"))
table = result.content.table
best = table[table.residue != table.wild_type].nlargest(5, "log_likelihood_change")
print(best[["wild_type", "position", "residue", "log_likelihood_change"]].to_string(index=False))
result.save(out)
