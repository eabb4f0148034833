"""Print what a user waits for: `make bench`. Nothing is asserted, a busy machine is slower.

Items a second of batches by one worker and by two; time and memory of a prediction from 200,000 cells by 20,000 genes at 5 %
density; training a latent space on 1,600 cells of 7,000 genes, cells moved in it a second, a new dose with its picture; cold
start (the command until the first page is painted); memory of the server; from a key press on the first instrument's slider to
the first changed text; of each instrument its first picture, the same again, and from a key press to the changed picture; a
class of 30 that opens one link within 10 s and then moves a slider.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.browser.conftest import FLAGS, at_rest, serving  # noqa: E402

WATCH = """
window.waits = [];
document.addEventListener("keydown", () => { window.pressed = performance.now(); }, true);
const outside = change => {
  const element = change.target.closest ? change.target : change.target.parentElement;
  return !element?.closest('[data-testid="stSlider"]') && (change.type === "characterData" || change.addedNodes.length);
};
new MutationObserver(changes => {
  if (window.pressed && changes.some(outside)) {
    window.waits.push(performance.now() - window.pressed);
    window.pressed = null;
  }
}).observe(document.querySelector('[data-testid="stMain"]'), { subtree: true, childList: true, characterData: true });
"""


def memory() -> str:
    """Resident memory of the server started last."""
    found = subprocess.run(
        ["pgrep", "-n", "-f", "streamlit run app/main.py"], capture_output=True, text=True, check=False
    ).stdout.strip()
    status = Path(f"/proc/{found}/status")
    lines = status.read_text().splitlines() if found and status.is_file() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("VmRSS")), "unknown")


def press(page: Page, times: int) -> list[float]:
    """Milliseconds from each key press to the first changed text outside the slider."""
    page.evaluate(WATCH)
    page.locator('[data-testid="stSlider"] input').first.focus()
    for number in range(times):
        page.keyboard.press("ArrowRight" if number % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(100)
        at_rest(page, quiet=200)
    waits: list[float] = page.evaluate("window.waits")
    return waits


DRAWN = """
window.drawn = [];
for (const plot of document.querySelectorAll(".js-plotly-plot"))
  plot.on("plotly_afterplot", () => {
    if (window.since) { window.drawn.push(performance.now() - window.since); window.since = null; }
  });
document.addEventListener("keydown", () => { window.since = performance.now(); }, true);
"""
PICTURE = ".js-plotly-plot .main-svg"
CLASS = 30
LINK = "cells?operation=cells.perturb&data=simulated&target=B&dose=0.7"


def instrument(page: Page, url: str, name: str) -> None:
    """The first picture of an instrument, the picture again, and what a move of its first slider takes to change it."""
    told = []
    for _ in range(2):
        opened = time.monotonic()
        page.goto(f"{url}/{name}")
        page.wait_for_selector(PICTURE, timeout=240_000)
        told.append(time.monotonic() - opened)
        at_rest(page, quiet=3000)
    page.evaluate(DRAWN)
    slider = page.locator("[role=slider], input[type=range]").first
    slider.focus()
    for number in range(12):
        page.keyboard.press("ArrowRight" if number % 12 < 6 else "ArrowLeft")
        page.wait_for_timeout(300)
        at_rest(page, quiet=300)
    waits = sorted(page.evaluate("window.drawn"))
    moved = (
        f"{statistics.median(waits):6.0f} ms median, {waits[-1]:.0f} ms at most of {len(waits)}"
        if waits
        else "no picture changed"
    )
    print(f"{name:12} first picture {told[0]:5.1f} s, again {told[1]:5.1f} s, move to picture {moved}", flush=True)


def classroom(browser: Browser, url: str) -> None:
    """30 windows open the same link within 10 s, then all move the slider: seconds to the picture, then to the changed text."""
    pages = [browser.new_page(viewport={"width": 1280, "height": 900}) for _ in range(CLASS)]
    began = []
    for page in pages:
        began.append(time.monotonic())
        page.goto(f"{url}/{LINK}", wait_until="commit")
        time.sleep(max(0.0, 10 / CLASS - (time.monotonic() - began[-1])))
    waits = []
    for page, start in zip(pages, began, strict=True):
        page.wait_for_selector(PICTURE, timeout=240_000)
        waits.append(time.monotonic() - start)
    print(f"a class of {CLASS}: link to picture {statistics.median(waits):6.1f} s median, {max(waits):.1f} s at most")
    for page in pages:
        at_rest(page)
        page.evaluate(WATCH)
        page.locator('[data-testid="stSlider"] input, input[type=range]').first.focus()
    for page in pages:
        page.keyboard.press("ArrowRight")
    texts = []
    for page in pages:
        page.wait_for_function("window.waits.length > 0", timeout=240_000)
        texts.append(page.evaluate("window.waits[0]"))
    late = sorted(texts)[int(0.95 * len(texts))]
    print(f"all of them move at once:   {statistics.median(texts):6.0f} ms median, {late:.0f} ms p95", flush=True)
    for page in pages:
        page.close()


def large_file(path: Path, cells: int = 200_000, genes: int = 20_000, per_cell: int = 1_000, most: int = 0) -> None:
    """Synthetic counts of eight types in two conditions, written in pieces: the matrix never lies in memory.

    With `most` more than half of the cells are of one type, so that a thousand are there to be moved.
    """
    import anndata
    import h5py
    import numpy as np
    import pandas as pd
    from scipy import sparse

    rng = np.random.default_rng(0)
    types, treated = rng.integers(0, 8, cells), rng.random(cells) < (0.25 if most else 0.5)
    types[rng.random(cells) < (0.7 if most else 0)] = 0
    obs = pd.DataFrame({"condition": np.where(treated, "treated", "control"), "cell_type": [f"type {t}" for t in types]})
    obs.index = [f"cell{i}" for i in range(cells)]
    var = pd.DataFrame(index=[f"gene{i}" for i in range(genes)])
    anndata.AnnData(sparse.csr_matrix((cells, genes), dtype=np.float32), obs.astype("category"), var).write_h5ad(path)
    with h5py.File(path, "a") as file:
        for name in ("data", "indices", "indptr"):
            del file["X"][name]
        size = cells * per_cell
        data = file["X"].create_dataset("data", (size,), "f4", chunks=(min(size, 1_000_000),), compression="lzf")
        indices = file["X"].create_dataset("indices", (size,), "i4", chunks=(min(size, 1_000_000),), compression="lzf")
        file["X"].create_dataset("indptr", data=np.arange(cells + 1, dtype=np.int64) * per_cell)
        for first in range(0, cells, 5_000):
            rows = slice(first, first + 5_000)
            index = np.sort(np.cumsum(rng.integers(1, 2 * genes // per_cell - 3, (len(types[rows]), per_cell)), 1) % genes, 1)
            count = rng.integers(1, 4, index.shape) + 2 * (index % 8 == types[rows, None])
            count += treated[rows, None] * (index < 1_000) * (3 + types[rows, None] % 2)
            place = slice(first * per_cell, (first + len(index)) * per_cell)
            data[place], indices[place] = count.ravel(), index.ravel()


def large(home: Path) -> None:
    """Predict from the large file by the command line, and print seconds and peak memory of that process."""
    large_file(home / "large.h5ad")
    code = (
        "import resource, sys; from gen_core.__main__ import main; code = main(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
    )
    arguments = ["run", "cells.perturb", "--set", f"data={home / 'large.h5ad'}", "--out", str(home / "out")]
    started = time.monotonic()
    environment = os.environ | {"LATENT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, *arguments], env=environment, capture_output=True, text=True, check=True)
    peak = int(done.stdout.split()[-1]) / 1024**2
    print(f"200,000 x 20,000 cells      {time.monotonic() - started:6.1f} s, {peak:.2f} GiB at most")


LATENT = """
import sys, time
from pathlib import Path
import numpy as np, torch
from gen_core import catalog, device, store
from gen_core.cells import maps, plots, train
from gen_core.cells.recipe import Perturb, Train
torch.set_num_threads(1)
data = store.add(Path(sys.argv[1]))
for check in (False, True):
    began = time.perf_counter()
    for _ in train.steps(Train(data=data, epochs=20, check=check), Path(sys.argv[2]) / str(check), "cpu"):
        pass
    print(f"training, 20 epochs{', checked' if check else '         '}{time.perf_counter() - began:7.1f} s")
model = store.add_model(Path(sys.argv[2]) / "True")
asked = Perturb(data=data, model=model, predictor="latent")
made = catalog.run(asked).content
asked = made.recipe  # filled in, as the page has it
X = made.study.X[np.resize(made.study.asked, 4000)]
began = time.perf_counter()
made.shift.move(X)
print(f"encode, shift, decode       {len(np.resize(made.study.asked, 4000)) / (time.perf_counter() - began):6.0f} cells/s")
waits = []
for dose in np.linspace(0.5, 0.9, 9):
    began = time.perf_counter()
    made = catalog.run(asked.replace(dose=float(dose))).content
    for figure in (maps.cell_map(made), plots.changes(made)):
        figure.to_json()
    waits.append(time.perf_counter() - began)
ms = sorted(1000 * wait for wait in waits)
print(f"dose to new pictures        {ms[4]:6.0f} ms median, {ms[-1]:.0f} ms at most, {len(made.moved):,} cells")
"""


def latent(home: Path) -> None:
    """Train on synthetic cells, half of one type, and move them, on one thread."""
    large_file(home / "some.h5ad", 1_600, 7_000, 400, 1)
    environment = os.environ | {"LATENT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", LATENT, str(home / "some.h5ad"), str(home / "models-made")]
    print(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout, end="", flush=True)


BATCHES = {
    "proteins": ("proteins.sample", "--n", "40000"),
    "events (ar)": ("detector.generate", "--n", "20000", "--set", "model=ar"),
    "pictures": ("images.sample", "--n", "2048"),
}


def batches(home: Path) -> None:
    """Items a second of batches by one and by two workers, from the command to its end; and how many times faster two are."""
    environment = os.environ | {"LATENT_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    for name, asked in BATCHES.items():
        took = {}
        for workers in (1, 2):
            out = home / f"batch-{asked[0]}-{workers}"
            command = [sys.executable, "-m", "gen_core", "batch", *asked, "--out", str(out), "--workers", str(workers)]
            began = time.monotonic()
            subprocess.run(command, env=environment, capture_output=True, check=True)
            took[workers] = time.monotonic() - began
        one, two = (int(asked[2]) / seconds for seconds in took.values())
        print(f"batch, {name:12} {one:9.0f}/s by 1 worker, {two:.0f}/s by 2: {two / one:.2f} times", flush=True)


def main() -> None:
    """Run the benchmark."""
    home = Path(tempfile.mkdtemp(prefix="latent-bench-"))
    batches(home)
    latent(home)
    large(home)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        started = time.monotonic()
        with serving(Path("app/main.py"), home, LATENT_WARM="1") as url:
            page.goto(url)
            page.wait_for_selector("h1")
            print(f"cold start to first paint   {time.monotonic() - started:6.1f} s")
            print(f"memory at the first page    {memory()}")
            opened = time.monotonic()
            page.goto(f"{url}/cells")
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
            print(f"first instrument, first time{time.monotonic() - opened:6.1f} s")
            at_rest(page, quiet=3000)
            opened = time.monotonic()
            page.goto(f"{url}/cells")
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
            print(f"first instrument, again     {time.monotonic() - opened:6.1f} s")
            at_rest(page, quiet=2000)
            waits = sorted(press(page, 60))
            late = waits[int(0.95 * len(waits))]
            print(f"key press to changed text   {statistics.median(waits):6.0f} ms median, {late:.0f} ms p95 of {len(waits)}")
            print(f"memory in use               {memory()}", flush=True)
            for name in ("images", "cells", "proteins", "tomography", "defects", "poisson", "symmetry", "detector"):
                instrument(page, url, name)
            page.close()
            classroom(browser, url)
            print(f"memory after the class      {memory()}", flush=True)
        browser.close()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
