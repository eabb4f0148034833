"""What is true without a screen: recipes, results, and the systems they run on.

    import gen_core
    result = gen_core.run("cells.perturb", data="simulated", target="T helper", dose=1.0)
    result.metrics["pearson_delta_all"]
    result.save("prediction")

Importing this package loads no heavy library; each is imported where it is used.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def run(operation: Any, progress: Any = None, **fields: Any) -> Any:
    """Run an operation by name (`run("cells.perturb", data=…)`) or a ready recipe; a `Result`."""
    from gen_core import catalog

    made = catalog.make_recipe(operation, fields) if isinstance(operation, str) else operation
    return catalog.run(made, progress)
