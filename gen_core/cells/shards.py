"""A whole file of cells predicted in shards: one Zarr store that anndata opens, its chunks written by whoever has time."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from gen_core.cells import files, perturb, question
from gen_core.cells.files import Asked
from gen_core.cells.moved import AnyMoved
from gen_core.cells.recipe import Perturb
from gen_core.errors import RecipeError
from gen_core.memo import Memo
from gen_core.result import Notice
from gen_core.shards import PARTS, Files, Piece, Plan, Shard, Whole, Writer
from gen_core.stamp import stamp

Array = np.ndarray
STORE = "predicted.zarr"
LEAST, MOST = 64, 1_000  # cells of a chunk
CHUNKS, VALUES = 16, 1 << 26  # most chunks of a shard, which are read together, and most predicted values of them
PROMISE = "Every control cell of the target is in the store once, in the order of the file, as a single run predicts it."
_ASKED = Memo(256 << 20, lambda cells: int(cells.rows.nbytes))


class PredictedWhole:
    """`cells.perturb` of all control cells of the target."""

    promise = PROMISE
    begins = True

    def plan(self, recipe: Perturb, n: int | None) -> Plan:
        if n is not None:
            raise RecipeError("cells.perturb predicts every control cell of the target, as many as there are: leave --n out.")
        if recipe.model == "train":
            raise RecipeError("model: train first (python -m gen_core train cells), and name the folder of the model here.")
        recipe = question.fill_in(recipe).replace(spot=None)
        n = len(question.asked_rows(recipe)[1])
        size = chunk(n)
        step = size * max(min(n // (PARTS * size), VALUES // (size * question.size(recipe)[1]), CHUNKS), 1)
        bounds = [*range(0, n, step), n]
        return Plan(recipe, n, tuple(Piece(k, a, b) for k, (a, b) in enumerate(pairwise(bounds))))

    def begin(self, recipe: Perturb, scratch: Path) -> Shard:
        """The store without its cells' expression, the tables of genes and scores, and what the prediction is worth."""
        result = perturb.run(recipe)
        skeleton(scratch / STORE, result.content)
        out: dict[str, Writer] = {name: write for name, write in result.files.items() if name != "predicted.h5ad"}
        for path in sorted((scratch / STORE).rglob("*")):
            if path.is_file():
                out[path.relative_to(scratch).as_posix()] = partial(shutil.copyfile, path)
        return Shard(out, {}, {name: result.summary()[name] for name in ("metrics", "baselines", "warnings")})

    def shard(self, recipe: Perturb, piece: Piece) -> Shard:
        cells: Asked = _ASKED.get(recipe.json(), lambda: Asked.of(perturb.predict(recipe)))
        size, latent = chunk(len(cells)), cells.made.study.latent
        out: dict[str, Writer] = {}
        for i, moved in enumerate(cells.blocks(piece.first, piece.stop, size), piece.first // size):
            out[f"{STORE}/X/{i}.0"] = partial(_chunk, moved, None, size)
            out[f"{STORE}/obsm/X_pca/{i}.0"] = partial(_chunk, moved, (latent.axes, latent.centre), size)
        return Shard(out, {"n": piece.n})

    def end(self, plan: Plan, counts: Mapping[str, int], files: Files, told: Mapping[str, Any]) -> Whole:
        notices = tuple(Notice(**notice) for notice in told["warnings"])
        return Whole({}, dict(told["metrics"]) | dict(counts), told["baselines"], notices)


def chunk(n: int) -> int:
    """Cells of a chunk of the store of n cells."""
    return min(max(-(-n // PARTS), LEAST), MOST)


def skeleton(folder: Path, made: perturb.Prediction) -> None:
    """The AnnData store (Zarr, format 2) of a prediction, whose `X` and `obsm/X_pca` have no chunks yet."""
    import anndata
    import zarr

    cells = Asked.of(made)
    adata = files.frame(made, cells)
    n, genes = adata.shape
    del adata.X
    group = zarr.open_group(folder, mode="w", zarr_format=2)
    anndata.io.write_elem(group, "/", adata)
    anndata.io.write_elem(group, "obsm", {})
    for name, width in (("X", genes), ("obsm/X_pca", made.study.latent.axes.shape[1])):
        array = group.create_array(
            name, shape=(n, width), chunks=(chunk(n), width), dtype=np.float32, fill_value=0, compressors=codec()
        )
        array.attrs.update(files.DENSE)
    stamp(folder, made.recipe)


def codec() -> Any:
    """How chunks are packed: Zstandard behind a shuffle of bytes, by one thread."""
    from numcodecs import blosc  # type: ignore[import-untyped]

    blosc.set_nthreads(1)
    return blosc.Blosc("zstd", clevel=3, shuffle=blosc.SHUFFLE)


def _chunk(moved: AnyMoved, axes: tuple[Array, Array] | None, size: int, path: Path) -> None:
    """One chunk of the store: cells (m, G), or their codes on axes; the last one is filled up with zeros, as Zarr has it."""
    values = moved.rows(slice(None)) if axes is None else moved.project(*axes)
    whole = np.zeros((size, values.shape[1]), np.float32)
    whole[: len(values)] = values
    path.write_bytes(codec().encode(whole))


PERTURB = PredictedWhole()
