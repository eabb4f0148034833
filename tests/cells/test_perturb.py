"""The whole of cells.perturb: what must hold on simulated cells, and what is reached on real ones."""

import json
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import gen_core
from gen_core import catalog, store
from gen_core.cells import data, metrics, opening, simulate, warn
from gen_core.cells.recipe import Perturb
from gen_core.cells.shift import BASELINES
from gen_core.errors import InputError, RecipeError, UserError
from gen_core.result import Result

KANG = "cells/kang2018_harmony_counts_2000x9015.h5ad"


@pytest.fixture(scope="module")
def simulated() -> Result:
    return gen_core.run("cells.perturb", data="simulated", target="Monocyte")


def codes(result: Result) -> set[str]:
    return {w.code for w in result.warnings}


def test_defaults_are_filled_in(simulated: Result) -> None:
    fields = simulated.recipe.fields()
    assert (fields["condition_key"], fields["control"], fields["perturbed"], fields["cell_type_key"]) == (
        "condition",
        "control",
        "treated",
        "cell_type",
    )
    assert simulated.metrics["predictor_used"] in (*BASELINES, "latent")


def test_result_has_the_metrics_of_the_contract_under_every_baseline(simulated: Result) -> None:
    names = {
        "r2_mean_all",
        "r2_mean_top100",
        "r2_mean_top100_up",
        "pearson_delta_all",
        "pearson_delta_top100",
        "mse_top100",
        "e_distance",
        "e_distance_relative",
        "r2_variance",
    }
    assert names <= set(simulated.metrics)
    for name in (*BASELINES, "ceiling"):
        assert names <= set(simulated.baselines[name])
    assert simulated.baselines["no_change"]["e_distance_relative"] == pytest.approx(1)


def test_files_of_the_contract(simulated: Result, tmp_path: Path) -> None:
    simulated.save(tmp_path / "out")
    out = ad.read_h5ad(tmp_path / "out" / "predicted.h5ad")
    truth = ad.read_h5ad(simulate.single_dose())
    control = truth.obs_names[(truth.obs.condition == "control") & (truth.obs.cell_type == "Monocyte")]
    assert list(out.obs_names) == list(control)
    assert list(out.var_names) == list(truth.var_names)
    table = pd.read_csv(tmp_path / "out" / "genes.csv")
    assert list(table.columns)[:8] == [
        "gene",
        "control_mean",
        "predicted_mean",
        "observed_mean",
        "log2fc_predicted",
        "log2fc_observed",
        "p_adjusted",
        "rank",
    ]
    assert {"p_adjusted_observed", "log2fc_low", "log2fc_high", "sign_agreement"} <= set(table.columns)
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    means = pd.Series(out.X.mean(0), index=out.var_names)
    np.testing.assert_allclose(means[table.gene], table.predicted_mean, atol=1e-3)
    assert (table.log2fc_low <= table.log2fc_predicted + 1e-4).all()
    assert (table.log2fc_high >= table.log2fc_predicted - 1e-4).all()
    said = json.loads((tmp_path / "out" / "result.json").read_text())
    assert set(said) == {"metrics", "baselines", "warnings", "seconds", "device", "files"}
    for file in said["files"]:
        assert catalog.from_file(tmp_path / "out" / file) == simulated.recipe


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        gen_core.run("cells.perturb", data="simulated", target="NK", gene_sets="simulated_pathway").save(tmp_path / name)
    for file in ("recipe.json", "predicted.h5ad", "genes.csv", "held_out.csv", "gene_sets.csv"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_the_targets_response_is_never_used(tmp_path: Path) -> None:
    """Exchange the target's treated cells for noise: the prediction must not move by a bit."""
    adata = ad.read_h5ad(simulate.single_dose())
    own = ((adata.obs.condition == "treated") & (adata.obs.cell_type == "B")).to_numpy()
    dense = adata.X.toarray()
    dense[own] = np.random.default_rng(0).poisson(3, (own.sum(), dense.shape[1]))
    from scipy import sparse

    adata.X = sparse.csr_matrix(dense.astype(np.float32))
    adata.write_h5ad(tmp_path / "noise.h5ad")
    for predictor in ("weighted_shift", "latent"):
        honest = gen_core.run("cells.perturb", data="simulated", target="B", predictor=predictor).content
        blind = gen_core.run("cells.perturb", data=str(tmp_path / "noise.h5ad"), target="B", predictor=predictor).content
        np.testing.assert_array_equal(honest.predicted_mean, blind.predicted_mean)


def test_truth_of_single_cells_is_recovered_better_than_by_doing_nothing() -> None:
    right = gen_core.run("cells.perturb", data="simulated", target="T cytotoxic")
    nothing = gen_core.run("cells.perturb", data="simulated", target="T cytotoxic", predictor="no_change", dose=1.0)
    assert right.metrics["pearson_delta_true"] > 0.9
    assert np.isnan(nothing.metrics["pearson_delta_true"]) or nothing.metrics["pearson_delta_true"] < 0.2


def test_dose_zero_changes_nothing_and_dose_moves_monotonically() -> None:
    means = [
        gen_core.run("cells.perturb", data="simulated", target="B", predictor="weighted_shift", dose=d).content
        for d in (0.0, 0.5, 1.0, 1.5)
    ]
    np.testing.assert_allclose(means[0].predicted_mean, means[0].control_mean, atol=1e-6)
    moved = [np.linalg.norm(m.predicted_mean - m.control_mean) for m in means]
    assert moved == sorted(moved)


def test_gene_shift_misses_what_only_myeloid_cells_do() -> None:
    """The myeloid pathway is in two of six types: an average of all others tells half of it, the nearest type all."""
    first, last = simulate.SETS["MYELOID_RESPONSE"]
    pathway = {
        name: gen_core.run("cells.perturb", data="simulated", target="Monocyte", predictor=name).content
        for name in ("gene_shift", "weighted_shift")
    }
    rise = {name: (p.predicted_mean - p.control_mean)[first:last].mean() for name, p in pathway.items()}
    real = pathway["gene_shift"].fold.truth.perturbed[first:last].mean() - pathway["gene_shift"].control_mean[first:last].mean()
    assert rise["gene_shift"] < 0.5 * real
    assert rise["weighted_shift"] > 0.6 * real


def test_intervals_cover_about_as_often_as_they_say() -> None:
    for name in ("simulated", "simulated_doses"):
        extra = {"dose_key": "dose_uM", "dose": 3.0} if name == "simulated_doses" else {}
        metrics = gen_core.run("cells.perturb", data=name, target="B", predictor="weighted_shift", **extra).metrics
        assert 0.8 <= metrics["genes_coverage90"] <= 0.97
        assert metrics["genes_up_precision"] > metrics["genes_up_by_chance"]
        assert metrics["pearson_delta_all_low"] <= metrics["pearson_delta_all"] <= metrics["pearson_delta_all_high"]


def test_measured_doses() -> None:
    kw = {"data": "simulated_doses", "target": "B", "dose_key": "dose_uM"}
    at = gen_core.run("cells.perturb", **kw, dose=3.0)
    assert at.metrics["pearson_delta_all"] > 0.5
    assert at.metrics["pearson_delta_left_out_dose"] > 0.7
    between = gen_core.run("cells.perturb", **kw, dose=5.5)
    assert between.metrics["pearson_delta_all"] is None
    assert "no_truth" in codes(between)
    assert "extrapolated_dose" in codes(gen_core.run("cells.perturb", **kw, dose=30.0))


def test_donors_are_resampled_where_they_are_named() -> None:
    cells = gen_core.run("cells.perturb", data="simulated", target="B", predictor="weighted_shift").metrics
    donors = gen_core.run(
        "cells.perturb", data="simulated", target="B", predictor="weighted_shift", replicate_key="donor"
    ).metrics
    assert cells["pearson_delta_all"] == donors["pearson_delta_all"]
    assert cells["pearson_delta_all_low"] != donors["pearson_delta_all_low"]


def test_reverse_goes_back() -> None:
    there = gen_core.run("cells.perturb", data="simulated", target="B", predictor="weighted_shift").content
    back = gen_core.run("cells.perturb", data="simulated", target="B", predictor="weighted_shift", reverse=True)
    change, return_ = there.predicted_mean - there.control_mean, back.content.predicted_mean - back.content.control_mean
    assert np.corrcoef(change, return_)[0, 1] < -0.8
    assert back.metrics["pearson_delta_all"] > 0.5


def test_gene_sets_find_the_pathways_that_respond() -> None:
    table = gen_core.run(
        "cells.perturb", data="simulated", target="T helper", gene_sets="simulated_pathway"
    ).content.gene_sets.set_index("gene_set")
    assert table.loc["SHARED_RESPONSE", "predicted_z"] > 5
    assert table.loc["SWITCHED_OFF", "predicted_z"] < -5
    assert abs(table.loc["NOT_AFFECTED_1", "predicted_z"]) < 3
    assert np.corrcoef(table.predicted_change, table.observed_change)[0, 1] > 0.95


def test_a_target_without_treated_cells_and_a_new_donor(tmp_path: Path) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    blind = adata[~((adata.obs.condition == "treated") & (adata.obs.cell_type == "B"))]
    blind.write_h5ad(tmp_path / "no_treated_b.h5ad")
    result = gen_core.run("cells.perturb", data=str(tmp_path / "no_treated_b.h5ad"), target="B")
    assert "no_truth" in codes(result)
    assert result.metrics["pearson_delta_all"] is None
    assert result.metrics["pearson_delta_all_other_types"] > 0.5
    assert result.content.genes.observed_mean.isna().all()
    donor = adata[(adata.obs.donor == "donor 4") & (adata.obs.condition == "control")]
    del donor.obs["condition"]
    donor.write_h5ad(tmp_path / "donor4.h5ad")
    rest = adata[adata.obs.donor != "donor 4"]
    rest.write_h5ad(tmp_path / "rest.h5ad")
    new = gen_core.run("cells.perturb", data=str(tmp_path / "rest.h5ad"), target_data=str(tmp_path / "donor4.h5ad"), target="B")
    assert "no_truth" in codes(new)
    assert new.content.moved.rows(slice(None)).shape[0] == (donor.obs.cell_type == "B").sum()
    # the same type of the other donors may teach, and is the most alike
    weights = dict(zip(new.content.study.sources, new.content.shift.weights, strict=True))
    assert "B" in weights


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"target": "Neuron"}, "target: 'cell_type' has no 'Neuron'"),
        ({"condition_key": "drug"}, "condition_key: this file has no column 'drug'"),
        ({"control": "vehicle"}, "control: 'condition' has no label 'vehicle'"),
        ({"control": "treated", "perturbed": "treated"}, "are both"),
        ({"cell_type_key": "condition"}, "is the condition already"),
        ({"dose": 11}, "dose must lie between"),
        ({"data": "simulated_doses", "dose_key": "dose_uM", "reverse": True}, "reverse starts from"),
        ({"replicate_key": "condition"}, "is the condition or the context already"),
        ({"dose_key": "donor"}, "no dose above 0"),
        ({"sources": ["T helper"], "target": "T helper"}, "sources holds the target"),
        ({"sources": ["Neuron"], "target": "T helper"}, "sources: 'Neuron'"),
        ({"latent_dim": 0}, "latent_dim: 0 is not allowed"),
        ({"latent_dim": 10_000}, "latent_dim: 10000 is not allowed"),
        ({"predictor": "magic"}, "predictor: 'magic' is not allowed"),
        ({"data": "no_such"}, "there is no data set 'no_such'"),
        ({"data": "/no/such/file.h5ad"}, "There is no file 'file.h5ad'"),
        ({"data": "sha256:" + "0" * 64}, "is not on this machine"),
        ({"layer": "spliced"}, "spliced"),
        ({"data": "pbmc68k_reduced"}, "No column"),
        ({"gene_sets": "simulated"}, "gene_sets"),
    ],
)
def test_what_cannot_be_answered_is_one_sentence(fields: dict, sentence: str) -> None:
    with pytest.raises(UserError) as caught:
        gen_core.run("cells.perturb", **fields)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def small(tmp_path: Path, keep: object) -> str:
    adata = ad.read_h5ad(simulate.single_dose())
    adata[keep(adata.obs)].write_h5ad(tmp_path / "small.h5ad")
    return str(tmp_path / "small.h5ad")


def test_one_condition_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one condition only"):
        gen_core.run(
            "cells.perturb",
            data=small(tmp_path, lambda o: o.condition == "control"),
            condition_key="condition",
            control="control",
        )


def test_one_context_only(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing to transfer from"):
        gen_core.run("cells.perturb", data=small(tmp_path, lambda o: o.cell_type == "B"), cell_type_key="cell_type", target="B")


def test_two_contexts_answer_without_evidence(tmp_path: Path) -> None:
    result = gen_core.run("cells.perturb", data=small(tmp_path, lambda o: o.cell_type.isin(["B", "NK"])), target="B")
    assert "few_samples" in codes(result)
    assert np.isfinite(result.metrics["pearson_delta_all"])


def test_any_column_may_be_the_context() -> None:
    result = gen_core.run("cells.perturb", data="simulated", cell_type_key="donor", target="donor 2")
    assert result.metrics["pearson_delta_all"] > 0.8


def test_real_cells_reach_the_bar(data_folder: Path) -> None:
    """Mean over the seven types of the weakly labelled Kang cells, similarity-weighted shift, two splits of the controls."""
    digest = store.add(data_folder / KANG)
    types = ["B", "CD14+Mono", "CD4T", "CD8T", "Dendritic", "FCGR3A+Mono", "NK"]
    rows = [gen_core.run(Perturb(data=digest, target=t, predictor="weighted_shift", seed=seed)) for t in types for seed in (0, 1)]
    mean = {
        name: np.mean([r.metrics[name] for r in rows]) for name in ("r2_mean_all", "pearson_delta_all", "e_distance_relative")
    }
    ceiling = np.mean([r.baselines["ceiling"]["pearson_delta_all"] for r in rows])
    assert mean["r2_mean_all"] >= 0.907
    assert mean["pearson_delta_all"] >= 0.779
    assert mean["e_distance_relative"] <= 0.122
    assert 0.78 <= ceiling <= 0.85


def test_auto_is_at_least_the_weighted_shift_on_real_cells(data_folder: Path) -> None:
    digest = store.add(data_folder / KANG)
    for target in ("CD4T", "B"):
        folds = gen_core.run(Perturb(data=digest, target=target)).content.folds
        assert folds.mean(folds.auto, "pearson_delta_all") >= folds.mean("weighted_shift", "pearson_delta_all") - 0.01


def test_a_wrong_recipe_class_is_refused() -> None:
    with pytest.raises(RecipeError, match="did you mean 'cells"):
        gen_core.run("cells.pertub")


def test_a_file_larger_than_memory_is_estimated_from_a_sample_and_predicted_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(opening, "MAX_VALUES", 300_000)
    small = gen_core.run("cells.perturb", data="simulated", target="T helper", predictor="weighted_shift", seed=5)
    assert "sampled_cells" in codes(small)
    assert small.content.study.X.nnz < 330_000
    small.files["predicted.h5ad"](tmp_path / "sampled.h5ad")
    out, source = ad.read_h5ad(tmp_path / "sampled.h5ad"), ad.read_h5ad(simulate.single_dose())
    control = source.obs_names[(source.obs.condition == "control") & (source.obs.cell_type == "T helper")]
    assert list(out.obs_names) == list(control)
    cells = data.read_cells(simulate.single_dose(), [], np.flatnonzero(source.obs_names.isin(control)))
    np.testing.assert_allclose(out.X, np.maximum(cells.X.toarray() + small.content.shift.vector, 0), atol=1e-4)
    monkeypatch.undo()
    whole = gen_core.run("cells.perturb", data="simulated", target="T helper", predictor="weighted_shift", seed=6)
    assert np.corrcoef(small.content.shift.vector, whole.content.shift.vector)[0, 1] > 0.95


def test_a_verdict_recommends_only_what_nothing_speaks_against() -> None:
    def stands(**fields: object) -> object:
        result = gen_core.run("cells.perturb", data="simulated", **fields)
        return warn.verdict(result.content, result.warnings)

    assert stands(target="Monocyte", predictor="no_change").good is False
    good = stands(target="T helper")
    assert good.good is not False
    # the correlation does not see how large a change is: three times the shift is farther off than nothing at all
    far = stands(target="T helper", dose=3)
    assert far.good is not True
    assert stands(target="T helper", dose=8) == warn.Verdict("Farther off than doing nothing", False)


def test_genes_absent_in_control_do_not_fill_the_top_of_the_ranking() -> None:
    made = gen_core.run("cells.perturb", data="simulated", target="B").content
    frame = made.genes
    absent = frame[frame.control_mean == 0]
    assert (absent.log2fc_predicted[absent.predicted_mean > 0] > 15).all()  # as scanpy defines it
    damped = metrics.log2_fold_change(frame.predicted_mean, frame.control_mean, metrics.PSEUDO)
    assert damped.abs().max() < 12
    assert frame["rank"].tolist() == list(range(1, len(frame) + 1))
    assert (frame.control_mean[:20] > 0).mean() > 0.5


def test_a_place_on_the_map_changes_no_number_and_is_a_file(tmp_path: Path) -> None:
    plain = gen_core.run("cells.perturb", data="simulated", target="B")
    looked = gen_core.run("cells.perturb", data="simulated", target="B", spot=(2.0, 1.0))
    assert looked.metrics == plain.metrics
    assert plain.content.spot is None
    looked.save(tmp_path / "out")
    spot = pd.read_csv(tmp_path / "out" / "spot.csv")
    assert list(spot.columns) == ["gene", "expression", "change", "recipe"]
    assert (spot.change.abs().diff().dropna() <= 1e-6).all()
    assert catalog.from_file(tmp_path / "out" / "spot.csv").spot == (2.0, 1.0)
