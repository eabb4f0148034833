"""Synthetic cells with a known response: what a method can be checked against, cell by cell.

Counts are drawn from a negative binomial around rates that are products of: the gene's level, its type's programme (types
form a tree, so some are more alike), the cell's own state along two continuous factors, its donor, its library size, and,
when treated, a response. The response has three parts: a pathway that all types share with a strength of their own, a part
that only the myeloid types have, and a pathway that is switched off. Every cell has its own amplitude. So the true treated
state of each untreated cell is known, and so is how far a constant shift is wrong.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from gen_core import store

Array = np.ndarray
VERSION = 1  # of the simulator: part of the files' names, so that a change makes new files
GENES = 1200
SETS = {
    "SHARED_RESPONSE": (0, 60),
    "MYELOID_RESPONSE": (60, 100),
    "SWITCHED_OFF": (100, 140),
    "NOT_AFFECTED_1": (140, 200),
    "NOT_AFFECTED_2": (200, 260),
}
# type: (lineage, share of the cells, strength of the shared response, of the myeloid one, of the switched-off one)
TYPES = {
    "T helper": ("lymphoid", 0.28, 1.0, 0.0, 1.0),
    "T cytotoxic": ("lymphoid", 0.16, 0.9, 0.0, 0.9),
    "NK": ("lymphoid", 0.12, 0.8, 0.1, 0.7),
    "B": ("lymphoid", 0.16, 1.1, 0.0, 0.4),
    "Monocyte": ("myeloid", 0.2, 1.5, 1.0, 0.3),
    "Dendritic": ("myeloid", 0.08, 1.4, 0.8, 0.4),
}
DOSES = (0.1, 0.3, 1.0, 3.0, 10.0)  # µM
EC50, HILL = 0.8, 1.4


@dataclass(frozen=True, eq=False)
class Simulation:
    """counts (n, G) int; obs (n rows); genes (G,); counterfactual (n, G) expected treated counts of the same cells."""

    counts: Array
    obs: pd.DataFrame
    genes: Array
    counterfactual: Array


@lru_cache(maxsize=2)
def simulate(n: int = 2400, doses: tuple[float, ...] = (), seed: int = 2026) -> Simulation:
    """n cells, half of them treated; with `doses` the treated ones share these doses (µM), an Emax curve between."""
    rng = np.random.default_rng(seed)
    genes = np.array([f"{_set_of(g)}{g:04d}" for g in range(GENES)])
    level = rng.gamma(0.45, 1.0, GENES) + 0.02
    level[:140] = rng.gamma(1.2, 0.5, 140) + 0.05  # responding genes are expressed well enough to be seen
    lineages = {name: rng.normal(0, 1.0, GENES) * (rng.random(GENES) < 0.3) for name in ("lymphoid", "myeloid")}
    programmes = {
        name: lineages[spec[0]] + rng.normal(0, 0.55, GENES) * (rng.random(GENES) < 0.1) for name, spec in TYPES.items()
    }
    factors = rng.normal(0, 0.35, (2, GENES)) * (rng.random((2, GENES)) < 0.2)
    donors = rng.normal(0, 0.12, (4, GENES))
    effect = np.zeros((3, GENES))
    for part, name, sign in ((0, "SHARED_RESPONSE", 1), (1, "MYELOID_RESPONSE", 1), (2, "SWITCHED_OFF", -1)):
        first, last = SETS[name]
        effect[part, first:last] = sign * rng.gamma(4.0, 0.35, last - first)

    names = list(TYPES)
    cell_type = rng.choice(len(names), n, p=[TYPES[name][1] for name in names])
    treated = rng.permutation(n) < n // 2
    donor = rng.integers(0, 4, n)
    state = rng.normal(0, 1, (n, 2))
    amplitude = rng.lognormal(0, 0.25, n)
    strengths = np.array([TYPES[name][2:] for name in names])  # (types, 3)
    response = amplitude[:, None] * (strengths[cell_type] @ effect)  # (n, G), natural log of the rate's change
    dose = np.where(treated, rng.choice(doses, n) if doses else 1.0, 0.0)
    share = dose**HILL / (dose**HILL + EC50**HILL) if doses else dose
    log_rate = np.log(level) + np.stack([programmes[name] for name in names])[cell_type] + state @ factors + donors[donor]
    library = rng.lognormal(np.log(2500), 0.3, n)

    def counts_expected(effect_of_cell: Array) -> Array:
        rate = np.exp(log_rate + effect_of_cell)
        return np.asarray(library[:, None] * rate / rate.sum(1, keepdims=True))

    mean = counts_expected(share[:, None] * response)
    overdispersion = 0.15
    counts = rng.poisson(mean * rng.gamma(1 / overdispersion, overdispersion, mean.shape))
    obs = pd.DataFrame(
        {
            "condition": np.where(treated, "treated", "control"),
            "cell_type": np.array(names)[cell_type],
            "donor": np.array([f"donor {d + 1}" for d in donor]),
        },
        index=[f"cell{i:04d}" for i in range(n)],
    )
    if doses:
        obs["dose_uM"] = dose
    return Simulation(counts, obs, genes, counts_expected(response).astype(np.float32))


def single_dose() -> Path:
    """The bundled data set `simulated` as an .h5ad file."""
    return _as_file("simulated", simulate())


def five_doses() -> Path:
    """The bundled data set `simulated_doses` as an .h5ad file."""
    return _as_file("simulated_doses", simulate(3600, DOSES, 2027))


def pathways() -> Path:
    """The bundled gene sets as a .gmt file."""
    genes = simulate().genes
    lines = [f"{name}\tsynthetic\t" + "\t".join(genes[first:last]) for name, (first, last) in SETS.items()]
    return _write("simulated_pathway", ".gmt", lambda path: path.write_text("\n".join(lines) + "\n"))


def counterfactual(names: Array) -> Array:
    """True treated state of cells of `simulated` by name: log1p of expected counts per 10,000, (n, G) float32."""
    return _treated()[simulate().obs.index.get_indexer(names)]


@lru_cache(maxsize=1)
def _treated() -> Array:
    expected = simulate().counterfactual
    return np.asarray(np.log1p(expected / expected.sum(1, keepdims=True) * 1e4), np.float32)


def _set_of(gene: int) -> str:
    found = next((name for name, (first, last) in SETS.items() if first <= gene < last), "GENE")
    return {"SHARED_RESPONSE": "SHR", "MYELOID_RESPONSE": "MYE", "SWITCHED_OFF": "OFF"}.get(found, "GEN")


def _as_file(name: str, made: Simulation) -> Path:
    def write(path: Path) -> None:
        import anndata
        from scipy import sparse

        adata = anndata.AnnData(sparse.csr_matrix(made.counts.astype(np.float32)), made.obs, pd.DataFrame(index=made.genes))
        adata.uns["description"] = "Synthetic cells made by the simulator of Latent Sandbox; no measurement."
        adata.write_h5ad(path, compression="gzip")

    return _write(name, ".h5ad", write)


def _write(name: str, suffix: str, write: object) -> Path:
    """The file, made where it is not there yet; two processes that make it at once each rename a whole file into place."""
    path = store.home() / "bundled" / f"{name}_{VERSION}{suffix}"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{secrets.token_hex(6)}.partial{suffix}")
        try:
            write(partial)  # type: ignore[operator]
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    return path
