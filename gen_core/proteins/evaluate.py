"""How good a family's model is: its draws beside independent sites, couplings and held-out naturals, and the likelihood of
sequences it never saw."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

from gen_core import checkpoint, store
from gen_core.proteins import metrics, sample
from gen_core.proteins.alphabet import Q
from gen_core.proteins.family import Family, open_family
from gen_core.proteins.filters_recipe import Filters
from gen_core.proteins.known import Known
from gen_core.proteins.model import draw, likelihood
from gen_core.proteins.modelfile import FamilyModel, read_model
from gen_core.proteins.prior import Mixture
from gen_core.proteins.recipe import BUNDLED, Sample
from gen_core.proteins.score import SAMPLES
from gen_core.proteins.statistics import frequencies
from gen_core.proteins.values import values_of
from gen_core.proteins.words import r20

Array = np.ndarray
COLUMNS = 100  # of longer families fewer draws, chains and held-out sequences are looked at, or the card costs more than them
DRAWN = 10_000  # sequences that the card's scores are of
CHAINS, SWEEPS, STATES = 500, 60, 5  # of the Gibbs sampling of the couplings
SETS = 300  # of sites at which words of each length are compared
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
    near = sample.drawn_from(Sample(n=n, seed=seed, around="naturals"), model, known)
    around = sample.scores(near)[0]
    normal = draw(model.net, Mixture.normal(model.latent_dim).sample(n, rng), rng)
    baselines["normal_prior"] = sample.numbers_of(normal, made, bits)
    drawn = {"prior": made.codes, "naturals": near.codes, "normal_prior": normal}
    drawn |= {"independent_sites": sample.independent_of(made).codes, "natural_holdout": family.codes[rows]}
    if model.couplings is not None:
        chains = model.couplings.sample(fewer(CHAINS, model), SWEEPS, rng, STATES)
        baselines["couplings"] = sample.numbers_of(chains, made, bits)
        drawn["couplings"] = chains
    words = agreeing_words(drawn, model, family, left_out, seed)
    bounds = held_out_likelihood(model, family, rows, left_out, seed)
    numbers: metrics.Numbers = {name: told[name] for name in metrics.NAMES}
    numbers |= {f"naturals_{name}": around[name] for name in metrics.NAMES}
    numbers |= {"log_likelihood_heldout": bounds["model"], **words.pop("prior")}
    numbers |= {f"naturals_{name}": value for name, value in words.pop("naturals").items()}
    for name, values in words.items():
        baselines[name] = baselines[name] | values
    for name in baselines:
        baselines[name]["log_likelihood_heldout"] = bounds.get(name)
    return {
        "unique_held_out": card["unique_held_out"],
        "active_dimensions": int((model.codes.means.var(0) > 0.05).sum()),
        "metrics": checkpoint.rounded(numbers),
        "baselines": {name: checkpoint.rounded(values) for name, values in baselines.items()},
    }


def agreeing_words(
    drawn: dict[str, Array], model: FamilyModel, family: Family, left_out: Array, seed: int
) -> dict[str, metrics.Numbers]:
    """How the words of draws, by name, agree with those of held-out naturals (`words.r20`), the same number of sequences of each;
    of the naturals that were learned from this is what their number allows."""
    rng = np.random.default_rng([seed, 7])
    fewest = min(len(codes) for codes in drawn.values())
    some = {name: codes[rng.permutation(len(codes))[:fewest]] for name, codes in drawn.items()}
    told = r20(family.codes[left_out], family.weights[left_out], some, fewer(SETS, model), seed)
    return {name: dict(values) for name, values in told.items()}


def add_words(alignment: Path, folder: Path) -> dict[str, Any]:
    """Score a stored model once more on the alignment it was trained on, and write the words' agreement into its card, whose
    weights and other numbers stay as they are. Raises ValueError where the other numbers are not had again."""
    model = read_model(folder)
    family = open_family(store.add(alignment))
    seed = int(model.card["recipe"]["seed"])
    rows, left_out = family.split(seed)
    card = checkpoint.read_card(folder)
    made = scores(model, family, rows, left_out, seed)
    for old, new in (
        (card["metrics"], made["metrics"]),
        *((card["baselines"][k], made["baselines"][k]) for k in made["baselines"]),
    ):
        for name, value in old.items():
            if isinstance(value, float) and abs(value - new[name]) > 2e-3 * max(abs(value), 1):
                raise ValueError(f"{name} is {new[name]} here and {value} in the card")
        old |= {name: value for name, value in new.items() if "r20" in name}
    card["r20_command"] = "python -m gen_core.proteins.evaluate chorismate_mutase_train.fasta"
    (folder / checkpoint.CARD).write_text(json.dumps(card, indent=1) + "\n", encoding="ascii")
    return card


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


if __name__ == "__main__":
    print(add_words(Path(sys.argv[1]), checkpoint.BUNDLED / BUNDLED)["metrics"]["r20"])
