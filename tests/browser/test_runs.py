"""Kept runs as their user meets them: kept on a page, named, reopened in the same state, deleted."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

from tests.browser.conftest import at_rest

LONG = 60_000


def state(page: Page) -> dict[str, list[str]]:
    """The recipe in the link."""
    return parse_qs(urlparse(page.url).query, keep_blank_values=True)


def test_a_run_is_kept_named_reopened_and_deleted(page: Page, app_url: str, app_home: Path) -> None:
    for folder in ("runs", "models"):  # what other tests of this worker kept
        shutil.rmtree(app_home / folder, ignore_errors=True)
    page.goto(f"{app_url}/runs")
    at_rest(page)
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible()

    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B&dose=0.7")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    kept = state(page)
    page.get_by_role("button", name="Keep this run").click()
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="Kept: see Runs").click()
    page.wait_for_url("**/runs")
    at_rest(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")
    expect(page.get_by_text("Simulated response (synthetic)")).to_be_visible()
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)

    page.get_by_role("button", name="Rename").click()
    page.get_by_role("textbox", name="Name").fill("B cells, a little *less*")
    page.get_by_role("textbox", name="Name").press("Enter")
    expect(page.get_by_text("B cells, a little *less*")).to_be_visible(timeout=LONG)

    page.get_by_role("button", name="Reopen").click()
    page.wait_for_url("**/cells?*")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    assert state(page) == kept
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible()  # known to be kept, so not kept twice
    page.reload()
    at_rest(page)
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)

    page.get_by_role("link", name="Runs", exact=True).first.click()
    at_rest(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible(timeout=LONG)
