"""Every operation in shards: a shard is what the operation itself gives for the shard's recipe."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gen_core import catalog, store
from gen_core.batch import folder as folders
from gen_core.batch.work import sharded
from gen_core.errors import RecipeError
from gen_core.proteins.alphabet import encode
from gen_core.recipe import Recipe
from gen_core.shards import Plan, Sampled, Whole, bounds_of, seeds_of
from gen_core.stamp import read_stamp

ABLE = [operation.name for operation in catalog.OPERATIONS if operation.shards]


def planned(operation: str, n: int | None, **fields: Any) -> tuple[Sampled, Plan]:
    how: Any = sharded(operation)
    return how, how.plan(catalog.make_recipe(operation, fields), n)


def written(how: Any, plan: Plan, folder: Path) -> tuple[list[list[Path]], Whole]:
    """The files of all shards, made in the reverse order, and what is said of all of them."""
    notes = {}
    told: Mapping[str, Any] = {}
    if how.begins:
        with folders.scratch(folder) as scratch:
            before = how.begin(plan.recipe, scratch)
            folders.place(folder, folders.HEAD, before.files, plan.recipe, {})
            told = before.told
    for piece in reversed(plan.pieces):
        made = how.shard(plan.recipe, piece)
        notes[piece.k] = folders.place(folder, piece.k, made.files, plan.recipe, {"counts": dict(made.counts)})
    files = [[folder / name for name in notes[piece.k]["files"]] for piece in plan.pieces]
    counts = {name: sum(note["counts"][name] for note in notes.values()) for name in notes[0]["counts"]}
    whole = how.end(plan, counts, files, told)
    for name, write in whole.files.items():
        write(folder / name)
    return files, whole


def own(how: Sampled, plan: Plan, k: int, tmp_path: Path) -> tuple[Recipe, Path]:
    """The recipe of a shard, and the folder of what `run` gives for it."""
    recipe = how.recipe_of(plan.recipe, plan.pieces[k])
    return recipe, catalog.run(recipe).save(tmp_path / f"run{k}")


def test_bounds_share_the_items_evenly_whoever_works() -> None:
    for n, least, most in ((1, 5, 10), (9, 5, 10), (11, 5, 10), (1_000_003, 500, 5_000), (79, 5, 10)):
        bounds = bounds_of(n, least, most)
        sizes = np.diff(bounds)
        assert bounds[0] == 0
        assert sizes.sum() == n
        assert sizes.max() <= most
        assert sizes.max() - sizes.min() <= 1
        assert sizes.min() >= min(n, least) // 2


def test_seeds_differ_and_do_not_depend_on_how_many_there_are() -> None:
    seeds = seeds_of(7, 3_000)
    assert seeds[:100] == seeds_of(7, 100)
    assert seeds[:100] == tuple(int(c.generate_state(1)[0]) for c in np.random.SeedSequence(7).spawn(100))
    assert len(set(seeds)) == 3_000
    assert not set(seeds) & set(seeds_of(8, 3_000))
    near = seeds_of(7, 900, 1_000)  # nine of ten numbers taken: chance alone would repeat hundreds
    assert len({seed % 1_000 for seed in near}) == 900
    assert near[:50] == seeds_of(7, 50, 1_000)


@pytest.mark.parametrize(
    ("operation", "n", "fields", "names"),
    [
        ("images.sample", 40, {"around": 3}, {"images": "images.npz"}),
        ("images.map", 20, {"region": [[-9, -9], [9, -9], [9, 9], [-9, 9]]}, {"images": "images.npz"}),
        ("defects.sample", 210, {"seed": 4}, {"samples": "samples.npz"}),
        ("detector.generate", 510, {"multiplicity": [8, 20], "classifiers": False, "formats": ["npz", "hdf5", "parquet"]},
         {"events": "events.npz", "hdf5": "events.h5"}),
        ("detector.inpaint", 210, {"seed": 5, "steps": 4}, {"inpainted": "inpainted.npz"}),
        ("symmetry.recover", 5, {"models": ["c4"], "measurements": [20], "starts": 32}, {"recovered": "recover.npz"}),
    ],
)  # fmt: skip
def test_a_shard_is_the_run_of_its_recipe(
    operation: str, n: int, fields: dict[str, Any], names: dict[str, str], tmp_path: Path
) -> None:
    how, plan = planned(operation, n, **fields)
    assert len(plan.pieces) == 2
    files, whole = written(how, plan, tmp_path / "batch")
    assert whole.metrics["n"] == n
    seen = []
    for k in (0, 1):
        recipe, alone = own(how, plan, k, tmp_path)
        for path in files[k]:
            assert catalog.from_document(read_stamp(path)) == recipe
            if path.parent.name in names:
                assert path.read_bytes() == (alone / names[path.parent.name]).read_bytes()
                seen.append(path.read_bytes())
    assert len(set(seen)) == len(seen) == 2 * len(names)


def test_hits_of_all_shards_are_one_table(tmp_path: Path) -> None:
    import pyarrow.dataset as ds

    how, plan = planned("detector.generate", 1_100, model="simulator", formats=["parquet"])
    files, _ = written(how, plan, tmp_path)
    table = ds.dataset(tmp_path / "parquet").to_table().to_pandas()
    hits = np.concatenate([np.load(paths[0])["hits"] for paths in files])
    dense = np.zeros_like(hits)
    dense[table["event"], table["layer"], table["channel"]] = 1
    assert np.array_equal(dense, hits)
    assert len(table) == hits.sum()


def test_a_code_held_is_the_same_in_all_shards(tmp_path: Path) -> None:
    how, plan = planned("detector.condition", 1_000)
    files, _ = written(how, plan, tmp_path / "batch")
    first, second = (np.load(paths[0]) for paths in files)
    assert np.array_equal(first["code"], second["code"])
    assert not np.array_equal(first["hits_fixed"], second["hits_fixed"])
    _, alone = own(how, plan, 1, tmp_path)
    assert np.array_equal(second["hits_fixed"], np.load(alone / "events.npz")["hits_fixed"])


@pytest.mark.parametrize("fields", [{"seed": 3}, {"sensors": 12, "seed": 3}])
def test_samples_of_a_potential_are_those_of_a_run_by_the_same_sensors(fields: dict[str, Any], tmp_path: Path) -> None:
    how, plan = planned("poisson.solve", 20, **fields)
    files, _ = written(how, plan, tmp_path / "batch")
    _, alone = own(how, plan, 1, tmp_path)
    first, second, run = np.load(files[0][0]), np.load(files[1][0]), np.load(alone / "solution.npz")
    assert np.array_equal(second["samples"], run["samples"])
    assert not np.array_equal(first["samples"], second["samples"])
    if "sensors" in fields:
        asked = catalog.run(catalog.make_recipe("poisson.solve", fields | {"samples": 2})).content
        assert np.array_equal(first["sensors"], second["sensors"])
        assert np.allclose(first["sensors"], np.column_stack([asked.data.places, asked.data.measured]), rtol=1e-12)
    else:
        assert np.array_equal(first["exact"], run["exact"])


def test_samples_of_a_slice_are_of_the_same_data(tmp_path: Path) -> None:
    fields = {"size": 64, "views": 30, "methods": ["fbp", "gaussian"], "seed": 2}
    how, plan = planned("tomography.reconstruct", 6, **fields)
    files, _ = written(how, plan, tmp_path)
    first, second = (np.load(paths[0]) for paths in files)
    run = catalog.run(catalog.make_recipe("tomography.reconstruct", fields | {"posterior_samples": 3})).content
    for shard in (first, second):
        assert np.array_equal(shard["sinogram"], run.sinogram.astype(np.float32))
        assert shard["gaussian_samples"].shape == (3, 64, 64)
        apart = (
            shard["gaussian_samples"].mean(0) - run.images["gaussian"]
        )  # of the same posterior: the mean of three is near its mean
        assert np.abs(apart).mean() < 3 * run.deviations["gaussian"].mean()
    assert not np.array_equal(first["gaussian_samples"], second["gaussian_samples"])
    assert first["seed"] != second["seed"]


def test_proteins_of_all_shards_are_one_table_and_one_fasta_file(tmp_path: Path) -> None:
    import pandas as pd
    import pyarrow.parquet as pq

    how, plan = planned(
        "proteins.sample", 1_010, temperature=0.02, around={"z": [0.0] * 16, "radius": 0.1}, filters={"max_identity": None}
    )
    assert len(plan.pieces) == 3
    files, whole = written(how, plan, tmp_path / "batch")
    tables = [pq.read_table(paths[0]).to_pandas() for paths in files]
    recipe, alone = own(how, plan, 1, tmp_path)
    single = pd.read_csv(alone / "sequences.csv").drop(columns="recipe")
    assert list(tables[1].columns) == list(single.columns)
    assert list(tables[1]["aligned"]) == list(single["aligned"])
    assert list(tables[1]["kept"]) == list(single["kept"])
    assert np.allclose(tables[1]["profile_bits"], single["profile_bits"], rtol=1e-5)
    assert catalog.from_document(read_stamp(files[1][0])) == recipe
    assert catalog.from_document(read_stamp(files[1][1])) == recipe

    table = pd.concat(tables)
    assert list(table["id"]) == [f"sample_{i}" for i in range(1, 1_011)]
    packed = b"".join(paths[1].read_bytes() for paths in files)  # members of gzip may stand behind each other
    assert packed[4:8] == bytes(4)
    lines = gzip.decompress(packed).decode().splitlines()
    kept = table[table["kept"]]
    assert [line[1:].split()[0] for line in lines[::2]] == list(kept["id"])
    assert lines[1::2] == list(kept["sequence"])

    # At this temperature shards do keep equal sequences; each is kept once in its shard, and once without those listed.
    repeated = pd.read_parquet(tmp_path / "batch" / "repeated.parquet")
    assert len(repeated) == whole.metrics["n_repeated"] == len(kept) - kept["sequence"].nunique() > 0
    once = kept[~kept["id"].isin(repeated["id"])]
    assert list(once["sequence"]) == list(kept["sequence"].drop_duplicates())
    by_id = kept.set_index("id")["sequence"]
    assert list(by_id[repeated["id"]]) == list(by_id[repeated["first_id"]])
    assert (repeated["first_shard"] < repeated["shard"]).all()
    assert whole.metrics["n_kept"] == len(kept)


def test_labels_teach_the_same_in_all_shards(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    run = catalog.run(catalog.make_recipe("proteins.sample", {"n": 120, "seed": 9})).content
    rows = [f"{row.replace('-', '')},{bits}" for row, bits in zip(run.rows, run.values["profile_bits"], strict=True)]
    labels = store.add(io.BytesIO(("sequence,value\n" + "\n".join(rows) + "\n").encode()), "labels.csv")
    how, plan = planned("proteins.sample", 600, labels=labels, label_threshold=float(np.median(run.values["profile_bits"])))
    files, _ = written(how, plan, tmp_path)
    learned = catalog.run(plan.recipe).content.viability
    for paths in files:
        table = pq.read_table(paths[0]).to_pandas()
        codes = encode(np.frombuffer("".join(table["aligned"]).encode(), np.uint8)).reshape(len(table), -1)
        assert np.allclose(table["viability"], learned.chances(codes, run.model, table["profile_bits"].to_numpy()), atol=1e-6)


def test_the_store_of_cells_is_what_a_run_predicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anndata

    how, plan = planned("cells.perturb", None, dose=0.7)
    assert len(plan.pieces) > 2
    _, whole = written(how, plan, tmp_path / "batch")
    result = catalog.run(catalog.make_recipe("cells.perturb", {"dose": 0.7}))
    alone = result.save(tmp_path / "run")
    a = anndata.read_zarr(tmp_path / "batch" / "predicted.zarr")
    b = anndata.read_h5ad(alone / "predicted.h5ad")
    assert np.array_equal(a.X, b.X)
    assert np.array_equal(a.obsm["X_pca"], b.obsm["X_pca"])
    assert a.obs.equals(b.obs)
    assert a.var.equals(b.var)
    assert json.loads(a.uns["recipe"]) == json.loads(b.uns["recipe"])
    assert catalog.from_file(tmp_path / "batch" / "predicted.zarr") == result.recipe
    for name in ("genes.csv", "held_out.csv"):
        assert (tmp_path / "batch" / name).read_bytes() == (alone / name).read_bytes()
    assert whole.metrics["pearson_delta_all"] == result.metrics["pearson_delta_all"]
    assert whole.metrics["n"] == len(b)
    assert [notice.code for notice in whole.notices] == [notice.code for notice in result.warnings]


def test_cells_that_do_not_fit_in_memory_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anndata

    from gen_core.cells import opening

    monkeypatch.setattr(opening, "MAX_VALUES", 60_000)  # as if the file were a thousand times as large
    how, plan = planned("cells.perturb", None, seed=11)
    written(how, plan, tmp_path / "batch")
    made = catalog.run(catalog.make_recipe("cells.perturb", {"seed": 11}))
    assert made.content.study.sampled
    b = anndata.read_h5ad(made.save(tmp_path / "run") / "predicted.h5ad")
    a = anndata.read_zarr(tmp_path / "batch" / "predicted.zarr")
    assert len(b) > len(made.content.study.asked)
    assert np.array_equal(a.X, b.X)
    assert list(a.obs_names) == list(b.obs_names)


def test_cells_of_a_second_file_that_do_not_fit_are_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import anndata

    from gen_core.cells import opening
    from gen_core.datasets import path_of

    other = anndata.read_h5ad(path_of("simulated"))
    other = other[other.obs["condition"] == "control"]
    other.obs_names = [f"new {name}" for name in other.obs_names]
    other.write_h5ad(tmp_path / "other.h5ad")
    fields = {"target_data": str(tmp_path / "other.h5ad"), "seed": 12}
    whole = catalog.run(catalog.make_recipe("cells.perturb", fields | {"seed": 13})).content
    monkeypatch.setattr(opening, "MAX_VALUES", 150_000)  # of this type the file holds 202,058
    how, plan = planned("cells.perturb", None, **fields)
    written(how, plan, tmp_path / "batch")
    made = catalog.run(plan.recipe)
    assert made.content.study.sampled
    b = anndata.read_h5ad(made.save(tmp_path / "run") / "predicted.h5ad")
    a = anndata.read_zarr(tmp_path / "batch" / "predicted.zarr")
    assert len(b) == len(whole.moved) > 2 * len(made.content.study.asked)
    assert np.array_equal(a.X, b.X)
    assert all(name.startswith("new ") for name in a.obs_names)
    assert np.corrcoef(made.content.shift.vector, whole.shift.vector)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("operation", "n", "fields", "sentence"),
    [
        ("images.sample", None, {}, "needs --n"),
        ("images.sample", 0, {}, "--n 0 is not allowed"),
        ("cells.perturb", 5, {}, "leave --n out"),
        ("detector.generate", 5, {}, "n: 5 is not allowed"),
        ("poisson.solve", 5, {"solver": "fno"}, "gives one answer"),
        ("tomography.reconstruct", 5, {"methods": ["fbp", "tv"]}, "methods: fbp, tv draw no samples"),
        ("images.map", 5, {}, "draws new pictures of a region only"),
        ("images.map", 5, {"region": [[90, 90], [91, 90], [91, 91]]}, "holds no picture"),
        ("proteins.sample", 5, {"structure": True}, "structure: a batch leaves sequences"),
        ("detector.inpaint", 50, {"model": "ar"}, "choose masked or middle"),
        ("symmetry.recover", 5, {"data": "sha256:" + "0" * 64}, "kept aside"),
    ],
)
def test_what_cannot_be_done_is_said(operation: str, n: int | None, fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError, match=sentence):
        planned(operation, n, **fields)


def test_every_sharded_operation_says_what_it_promises() -> None:
    assert {"cells.perturb", "images.sample", "proteins.sample", "detector.generate", "defects.sample", "poisson.solve"} <= {
        *ABLE
    }
    for name in ABLE:
        how: Any = sharded(name)
        assert how.promise.endswith(".")
