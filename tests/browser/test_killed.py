"""The server is killed while it keeps runs: what the page called kept is there when it is started again, and whole."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gen_core import runs
from tests.browser.conftest import at_rest, free_port, running
from tests.browser.test_runs import LONG

DOSES = ("0.6", "0.7", "0.8", "0.9")  # of the runs; the last two are not waited for


def test_nothing_that_was_called_kept_is_lost_with_the_server(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, only_this_machine: list[str]
) -> None:
    port, chance = free_port(), random.Random(0)
    for i, dose in enumerate(DOSES):
        with running(Path("app/main.py"), tmp_path, port) as server:
            page.goto(f"http://127.0.0.1:{port}/cells?operation=cells.perturb&data=simulated&target=B&dose={dose}")
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
            at_rest(page)
            page.get_by_role("button", name="Keep this run").click()
            if i < 2:
                expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)
            else:  # in the midst of it
                page.wait_for_timeout(chance.uniform(50, 1500))
            server.kill()
            server.wait()
            page.goto("about:blank")
    only_this_machine.clear()  # the browser notes that nobody answers

    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    kept = {str(run.recipe.fields()["dose"]): run for run in runs.listed() if run.recipe is not None}
    assert set(DOSES[:2]) <= set(kept)
    assert all(run.problem is None for run in runs.listed())
    with running(Path("app/main.py"), tmp_path, port):
        page.goto(f"http://127.0.0.1:{port}/runs")
        at_rest(page)
        expect(page.get_by_role("button", name="Reopen")).to_have_count(len(kept))
        page.get_by_role("button", name="Reopen").last.click()  # the oldest
        page.wait_for_url("**/cells?*")
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
        at_rest(page)
        expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible()
