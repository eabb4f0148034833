"""Events as files of the field: NPZ, HDF5, Parquet with a row a hit; correlations, occupancy, scores. The recipe is in each."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gen_core.detector import measure, observables, pareto
from gen_core.recipe import Recipe
from gen_core.stamp import npz_member, stamp, write_csv

if TYPE_CHECKING:
    from gen_core.detector.condition import Conditioned
    from gen_core.detector.generate import Made
    from gen_core.detector.inpaint import Inpainted
    from gen_core.detector.recipe import Generate
    from gen_core.detector.score import Scored
    from gen_core.detector.spool import Spool

Array = np.ndarray
Writer = Callable[[Path], None]
DATE = (1980, 1, 1, 0, 0, 0)  # so that the same events are the same file


def writers(recipe: Generate, made: Made) -> dict[str, Writer]:
    """events.npz (and .h5, .parquet where asked), correlations.npz, and tables: occupancy, observables, pareto."""
    files: dict[str, Writer] = {"events.npz": lambda path: events_npz(path, recipe, made.spool)}
    if "hdf5" in recipe.formats:
        files["events.h5"] = lambda path: events_hdf5(path, recipe, made.spool)
    if "parquet" in recipe.formats:
        files["events.parquet"] = lambda path: events_parquet(path, recipe, made.spool)
    files["correlations.npz"] = lambda path: matrices(path, recipe, {"generated": made.hits, "truth": made.truth.first})
    files["occupancy.csv"] = lambda path: occupancy(path, recipe, made)
    files["observables.csv"] = lambda path: measured(path, recipe, made)
    files["pareto.csv"] = lambda path: trade(path, recipe)
    return files


def events_npz(path: Path, recipe: Recipe, spool: Spool) -> None:
    """hits (n, layers, channels) uint8, written a few thousand events at a time."""
    header = io.BytesIO()
    shape = (spool.n, spool.shape.layers, spool.shape.channels)
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(_member("hits"), "w", force_zip64=True) as out:
            out.write(header.getvalue())
            for some in spool.blocks():
                out.write(np.ascontiguousarray(some).tobytes())
        text = io.BytesIO()
        np.save(text, np.asarray(npz_member(recipe)), allow_pickle=False)
        archive.writestr(_member("recipe"), text.getvalue())


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(f"{name}.npy", DATE)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def events_hdf5(path: Path, recipe: Recipe, spool: Spool) -> None:
    """The data set hits (n, layers, channels) uint8, packed by gzip."""
    import h5py

    n, shape = spool.n, spool.shape
    with h5py.File(path, "w", libver="latest") as file:
        size = (n, shape.layers, shape.channels)
        data = file.create_dataset(
            "hits", size, "u1", chunks=(min(n, 4_096), *size[1:]), compression="gzip", compression_opts=1, track_times=False
        )
        for start, some in _counted(spool.blocks()):
            data[start : start + len(some)] = some
    stamp(path, recipe)


def events_parquet(path: Path, recipe: Recipe, spool: Spool, first: int = 0) -> None:
    """One row a hit: event (counted from `first` on), layer, channel."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("event", pa.int64()), ("layer", pa.int16()), ("channel", pa.int16())])
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for start, some in _counted(spool.blocks()):
            event, layer, channel = np.nonzero(some)
            out.write_table(
                pa.table(
                    [pa.array(first + event + start), pa.array(layer, pa.int16()), pa.array(channel, pa.int16())], schema=schema
                )
            )
    stamp(path, recipe)


def _counted(blocks: Iterator[Array]) -> Iterator[tuple[int, Array]]:
    start = 0
    for some in blocks:
        yield start, some
        start += len(some)


def matrices(path: Path, recipe: Recipe, sets: dict[str, Array], **more: Any) -> None:
    """Correlation matrices (c, c) of all channels, layer by layer, of each set of events."""
    out: dict[str, Any] = {f"correlation_{name}": measure.correlations(hits).astype(np.float32) for name, hits in sets.items()}
    np.savez_compressed(path, **out, **more, recipe=npz_member(recipe))


def occupancy(path: Path, recipe: Recipe, made: Made) -> None:
    """How often each channel fires, in the events and in the truth."""
    pairs = observables.occupancy(made.hits), observables.occupancy(made.truth.first)
    rows = [
        [layer, channel, f"{pairs[0][layer, channel]:.6g}", f"{pairs[1][layer, channel]:.6g}"]
        for layer in range(made.world.layers)
        for channel in range(made.world.channels)
    ]
    write_csv(path, recipe, ["layer", "channel", "generated", "truth"], rows)


def measured(path: Path, recipe: Recipe, made: Made) -> None:
    """What a physicist would measure, on the events and on the truth."""
    names = list(made.tracks["truth"])
    rows = [[name, *(f"{made.tracks[side].get(name, np.nan):.6g}" for side in ("generated", "truth"))] for name in names]
    write_csv(path, recipe, ["observable", "generated", "truth"], rows)


def trade(path: Path, recipe: Recipe) -> None:
    """Fidelity against speed: the bundled models as their cards say, then what was published of calorimeters."""
    rows: list[list[Any]] = [
        [p.name, f"{p.per_second:.6g}", p.auc, p.auc_low, p.auc_high, p.corr_error, "", "", p.on] for p in pareto.points()
    ]
    rows += [[p.name, "", "", "", "", "", "-".join(map(str, p.faster)), p.auc_more, p.source] for p in pareto.PUBLISHED]
    head = ["model", "events_per_second", "auc_features", "auc_low", "auc_high", "corr_error", "times_faster", "auc_more", "from"]
    write_csv(path, recipe, head, rows)


def condition_writers(recipe: Recipe, made: Conditioned) -> dict[str, Writer]:
    """correlations.npz of all four sets, and events.npz of the one code."""
    return {
        "correlations.npz": lambda path: matrices(path, recipe, made.sets, code=made.code),
        "events.npz": lambda path: np.savez_compressed(
            path, **{f"hits_{k}": v for k, v in made.sets.items()}, code=made.code, recipe=npz_member(recipe)  # type: ignore[arg-type]
        ),
    }  # fmt: skip


def inpaint_writers(recipe: Recipe, made: Inpainted) -> dict[str, Writer]:
    """inpainted.npz: the event, its region, and all events drawn."""
    return {
        "inpainted.npz": lambda path: np.savez_compressed(
            path, event=made.event, region=made.region, hits=made.hits, mean=made.hits.mean(0), recipe=npz_member(recipe)
        )
    }  # fmt: skip


def score_writers(recipe: Recipe, made: Scored) -> dict[str, Writer]:
    """scores.csv: each event's kind, log-likelihood and number of hits."""
    return {"scores.csv": lambda path: scores(path, recipe, made)}


def scores(path: Path, recipe: Recipe, made: Scored) -> None:
    """One row an event."""
    rows = [
        [k, kind, f"{value:.6f}", int(hits)]
        for kind in made.values
        for k, (value, hits) in enumerate(zip(made.values[kind], made.multiplicity[kind], strict=True))
    ]
    write_csv(path, recipe, ["event", "kind", "log_likelihood", "hits"], rows)
