"""Kept runs as one zip: each in a folder of its own with all its files, and a report on all of them."""

from __future__ import annotations

import datetime
import io
import re
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path

from gen_core.report import Entry, page
from gen_core.runs import Run

REPORT = "report.html"
PACKED = {".h5ad", ".npz", ".png", ".gif", ".gz", ".zip", ".parquet"}  # compressed already: packing them again only costs time
OWN = {"picture.json", "run.json"}  # what the list of runs keeps beside a result


def packed(chosen: Sequence[tuple[Run, str]]) -> bytes:
    """Runs, each with its title, as a zip. Raises OSError where one was deleted meanwhile."""
    entries, out = [], io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, (run, title) in enumerate(chosen, 1):
            folder = f"{number}-{_slug(title)}"
            names = sorted(f.relative_to(run.folder).as_posix() for f in run.folder.rglob("*") if f.is_file())
            names = [name for name in names if name not in OWN and not Path(name).name.startswith(".")]
            for name in names:
                packing = zipfile.ZIP_STORED if Path(name).suffix in PACKED else zipfile.ZIP_DEFLATED
                archive.write(run.folder / name, f"{folder}/{name}", packing)
            entries.append(entry(run, title, folder, names))
        archive.writestr(REPORT, page(entries), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def entry(run: Run, title: str, folder: str = "", files: Sequence[str] = ()) -> Entry:
    """A run as the report tells of it."""
    told = run.summary()
    warnings = [str(w.get("text", "")) for w in _list(told.get("warnings")) if isinstance(w, dict)]
    baselines = told.get("baselines")
    return Entry(
        title=title,
        recipe=run.recipe,
        when=datetime.datetime.fromtimestamp(run.when).strftime("%-d %B %Y, %H:%M"),
        picture=run.picture(),
        metrics=run.metrics,
        baselines={k: v for k, v in baselines.items() if isinstance(v, dict)} if isinstance(baselines, dict) else {},
        warnings=[*([run.problem] if run.problem else []), *warnings],
        folder=folder,
        files=files,
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _slug(title: str) -> str:
    """A title as the name of a folder that every system accepts."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-") or "run"
