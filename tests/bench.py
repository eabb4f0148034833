"""Print the timings a user feels: `make bench`. Nothing is asserted, a busy machine is slower.

Cold start (the command until the first page is painted), memory of the server, and the time from a key press on the
first instrument's slider to the first changed text, over 60 presses.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

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


def main() -> None:
    """Run the benchmark."""
    home = Path(tempfile.mkdtemp(prefix="latent-bench-"))
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
            print(f"memory in use               {memory()}")
        browser.close()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
