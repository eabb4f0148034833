"""What a kept run is called where its user gave it no name, and in which words its numbers are told."""

from __future__ import annotations

from app.parts import kept
from gen_core import scores
from gen_core.cells.recipe import Perturb
from gen_core.proteins.recipe import Sample
from gen_core.recipe import Recipe
from gen_core.tomography.recipe import Reconstruct


def test_what_was_asked_differently_tells_two_runs_apart() -> None:
    asked: dict[str, Recipe] = {
        "Cells: perturb": Perturb(),
        "Cells: perturb, target B, dose 0.5": Perturb(target="B", dose=0.5, condition_key="condition", control="control"),
        "Cells: perturb, target B, dose 0.5, seed 3": Perturb(target="B", dose=0.5, seed=3),
        "Cells: perturb, predictor gene shift, reverse": Perturb(predictor="gene_shift", reverse=True),
        "Cells: perturb, predictor gene shift, sources B, NK, dose 2, …": Perturb(
            predictor="gene_shift", sources=("B", "NK"), dose=2.0, reverse=True
        ),
        "Proteins: sample, n 200": Sample(
            n=200, model="proteins-chorismate-mutase", weights="0" * 64, family="chorismate_mutase"
        ),
        "Tomography: reconstruct": Reconstruct(),
    }
    assert {kept.called(recipe): recipe for recipe in asked.values()} == asked


def test_a_filter_and_an_own_model_are_named_in_few_words() -> None:
    own = "sha256:" + "ab" * 32
    assert kept.called(Sample.read({"model": own, "filters": {"max_identity": 0.8}})) == (
        "Proteins: sample, model sha256 abababab…, max identity 0.8"
    )
    data = kept.called(Perturb(data=own, target="B"))
    assert data == "Cells: perturb, a file of sha256 abababab…, target B"


def test_the_numbers_of_a_run_are_called_as_under_evidence() -> None:
    from app.instruments import images_views, proteins_views, tomography_evidence

    found = {"n_control": 319, "pearson_delta_all": 0.9569, "pearson_delta_all_low": 0.95, "off_manifold_percentile": 60.0}
    assert kept.numbers(found) == "Change, all genes (r) 0.957 · Farther out than (%) 60 · Control cells 319"
    shown = {score.name: score.title for score in (*proteins_views.SCORES, *tomography_evidence.SCORES)}
    shown |= {name: images_views.SCORES[name].title for name in ("path_length", "content_kept", "swap_score")}
    assert {name: scores.title(name) for name in shown} == shown
    assert all(name in scores.WORDS for name in shown)
