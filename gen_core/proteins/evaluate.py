"""How good a family's model is: its draws beside independent sites, couplings and held-out naturals, and the likelihood of
sequences it never saw."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gen_core import checkpoint
from gen_core.proteins import metrics, sample
from gen_core.proteins.alphabet import Q
from gen_core.proteins.family import Family
from gen_core.proteins.known import Known
from gen_core.proteins.model import draw, likelihood
from gen_core.proteins.modelfile import FamilyModel
from gen_core.proteins.prior import Mixture
from gen_core.proteins.recipe import Filters, Sample
from gen_core.proteins.score import SAMPLES
from gen_core.proteins.statistics import frequencies
from gen_core.proteins.values import values_of

Array = np.ndarray
COLUMNS = 100  # of longer families fewer draws, chains and held-out sequences are looked at, or the card costs more than them
DRAWN = 10_000  # sequences that the card's scores are of
CHAINS, SWEEPS, STATES = 500, 60, 5  # of the Gibbs sampling of the couplings
IMPORTANCE = 500  # latent points per held-out sequence in the bound on its likelihood
MOST_HELD_OUT = 200  # of them, at most, that bound is of: it is the costliest number of a card
ENOUGH = 50  # held-out sequences from which their percentiles bound the filters; with fewer, those of all naturals do


def naturals(model: FamilyModel, family: Family, rows: Array, left_out: Array, seed: int) -> dict[str, Array]:
    """Values by name of held-out naturals (of all where there are few): what filters take their percentiles from."""
    some = left_out if len(left_out) >= ENOUGH else np.arange(len(family.codes))
    codes = family.codes[some]
    values = values_of(codes, model, family.codes[rows])
    if model.couplings is None:
        del values["coupling_energy"]
    return values | {"log_likelihood": likelihood(model.net, model.prior, codes, SAMPLES, seed)}


def scores(model: FamilyModel, family: Family, rows: Array, left_out: Array, seed: int) -> dict[str, Any]:
    """What a card tells: metrics of draws from the prior and around the naturals, the same of each baseline."""
    known = Known(family.codes[rows], family.moments, family.synthetic, ())
    card = {**model.card, "unique_held_out": len(np.unique(family.codes[left_out], axis=0)) / max(len(left_out), 1)}
    model.card.update(card)
    bits = metrics.passing_bits(model, Filters().min_profile_percentile)
    rng = np.random.default_rng([seed, 5])
    n = fewer(DRAWN, model)
    made = sample.drawn_from(Sample(n=n, seed=seed), model, known)
    told, baselines = sample.scores(made)
    around = sample.scores(sample.drawn_from(Sample(n=n, seed=seed, around="naturals"), model, known))[0]
    normal = draw(model.net, Mixture.normal(model.latent_dim).sample(n, rng), rng)
    baselines["normal_prior"] = sample.numbers_of(normal, made, bits)
    if model.couplings is not None:
        chains = model.couplings.sample(fewer(CHAINS, model), SWEEPS, rng, STATES)
        baselines["couplings"] = sample.numbers_of(chains, made, bits)
    bounds = held_out_likelihood(model, family, rows, left_out, seed)
    numbers: metrics.Numbers = {name: told[name] for name in metrics.NAMES}
    numbers |= {f"naturals_{name}": around[name] for name in metrics.NAMES}
    numbers |= {"log_likelihood_heldout": bounds["model"]}
    for name in baselines:
        baselines[name]["log_likelihood_heldout"] = bounds.get(name)
    return {
        "unique_held_out": card["unique_held_out"],
        "active_dimensions": int((model.codes.means.var(0) > 0.05).sum()),
        "metrics": checkpoint.rounded(numbers),
        "baselines": {name: checkpoint.rounded(values) for name, values in baselines.items()},
    }


def held_out_likelihood(model: FamilyModel, family: Family, rows: Array, left_out: Array, seed: int) -> dict[str, float]:
    """Mean log likelihood in nats of held-out sequences: the model's (a bound), that under a normal prior, and of independent
    sites (their frequencies with one sequence spread over all residues)."""
    some = left_out[: fewer(MOST_HELD_OUT, model)]
    codes, weights = family.codes[some], family.weights[rows]
    sites = frequencies(family.codes[rows], weights)
    total = float(weights.sum())
    logs = np.log((sites * total + 1 / Q) / (total + 1))
    normal = Mixture.normal(model.latent_dim)
    return {
        "model": float(likelihood(model.net, model.prior, codes, IMPORTANCE, seed).mean()),
        "normal_prior": float(likelihood(model.net, normal, codes, IMPORTANCE, seed).mean()),
        "independent_sites": float(np.take_along_axis(logs[None], codes[:, :, None].astype(int), 2).sum((1, 2)).mean()),
    }


def fewer(count: int, model: FamilyModel) -> int:
    """A count for a family of many columns."""
    return math.ceil(count * min(1.0, COLUMNS / len(model.columns)))
