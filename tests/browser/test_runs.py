"""Kept runs as their user meets them: kept on a page, named, reopened in the same state, deleted."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import at_rest, until

LONG = 60_000


def state(page: Page) -> dict[str, list[str]]:
    """The recipe in the link, without the word that says when a pressed link was drawn."""
    return {k: v for k, v in parse_qs(urlparse(page.url).query, keep_blank_values=True).items() if k != "opened"}


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
    expect(page.get_by_text("B cells, a little *less*", exact=True)).to_be_visible(timeout=LONG)

    page.get_by_role("button", name="Reopen").click()
    page.wait_for_url("**/cells?*")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    until(page, lambda: state(page) == kept)
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible()  # known to be kept, so not kept twice
    page.reload()
    at_rest(page)
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)

    page.get_by_role("link", name="Runs", exact=True).first.click()
    at_rest(page)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("Nothing is kept yet")).to_be_visible(timeout=LONG)


def keep(page: Page, app_url: str, link: str) -> None:
    page.goto(f"{app_url}/{link}")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    page.get_by_role("button", name="Keep this run").click()
    expect(page.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)


def doses(place: Page | Locator) -> list[str]:
    """The row of the first table there that tells the dose."""
    rows = place.locator("tbody tr").filter(has_text=re.compile(r"^\s*dose"))
    return [text.strip() for text in rows.first.locator("td").all_inner_texts()[1:]]


def test_runs_are_found_compared_and_saved_with_a_report(page: Page, app_url: str, app_home: Path, tmp_path: Path) -> None:
    shutil.rmtree(app_home / "runs", ignore_errors=True)
    for dose in ("0.5", "1.5"):
        keep(page, app_url, f"cells?operation=cells.perturb&data=simulated&target=B&dose={dose}")
    page.goto(f"{app_url}/runs")
    at_rest(page)
    page.get_by_role("textbox", name="Search").fill("dose 0.5")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(page.get_by_role("checkbox")).to_have_count(1, timeout=LONG)
    page.get_by_role("textbox", name="Search").fill("nothing like it")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(page.get_by_text("No run matches this search.")).to_be_visible(timeout=LONG)
    page.get_by_role("textbox", name="Search").fill("")
    page.get_by_role("textbox", name="Search").press("Enter")
    expect(page.get_by_role("checkbox")).to_have_count(2, timeout=LONG)
    at_rest(page)
    for i in range(2):
        page.get_by_role("checkbox").nth(i).press("Space")
        expect(page.get_by_text(f"{i + 1} picked")).to_be_visible(timeout=LONG)
        at_rest(page)
    beside = page.locator(".st-key-runs_picked")
    expect(beside.locator(".js-plotly-plot .main-svg").nth(1)).to_be_attached(timeout=LONG)
    expect(beside.get_by_role("cell", name="1.5", exact=True)).to_be_visible()
    assert beside.get_by_role("cell", name="seed").count() == 0  # the same in both
    order = beside.get_by_role("table").first.get_by_role("columnheader").all_inner_texts()[1:]
    assert [text.partition(".")[0] for text in order] == ["1", "2"]
    assert doses(beside) == ["1.5", "0.5"]  # the newest first, as they are listed

    ranges = "plots => plots.map(plot => plot.layout.xaxis.range.map(x => Math.round(x * 1000)))"
    page.evaluate(
        """plot => {
            const [a, b] = plot.layout.xaxis.range;
            return window.Plotly.relayout(plot, {'xaxis.range': [a, (a + b) / 2]});
        }""",
        beside.locator(".js-plotly-plot").first.element_handle(),
    )
    page.wait_for_timeout(300)
    first, second = beside.locator(".js-plotly-plot").evaluate_all(ranges)[:2]
    assert first == second

    with page.expect_download() as saving:
        beside.get_by_role("button", name="Save with a report").click()
    with zipfile.ZipFile(saving.value.path()) as archive:
        archive.extract("report.html", tmp_path)
        recipes = sorted(name for name in archive.namelist() if name.endswith("recipe.json"))
        assert [json.loads(archive.read(name))["dose"] for name in recipes] == [1.5, 0.5]
    page.goto(f"file://{tmp_path / 'report.html'}")
    expect(page.locator(".js-plotly-plot .main-svg").nth(1)).to_be_attached(timeout=LONG)
    expect(page.get_by_text("What was asked differently")).to_be_visible()
    assert doses(page) == ["1.5", "0.5"]
    page.emulate_media(media="print")
    page.pdf(path=tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_a_pinned_picture_stands_beside_the_next_and_undo_brings_the_old_one_back(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B&dose=0.7")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    page.get_by_role("button", name="Pin as A").click()
    expect(page.get_by_text("A is pinned. Move a control")).to_be_visible(timeout=LONG)
    at_rest(page)
    page.get_by_role("button", name="Reset", exact=True).click()
    expect(page.get_by_text("B, on the page now").first).to_be_visible(timeout=LONG)
    expect(page.get_by_role("cell", name="0.7", exact=True)).to_be_visible()
    at_rest(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("A is pinned. Move a control")).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: state(page)["dose"] == ["0.7"])
    page.get_by_role("button", name="Unpin").click()
    expect(page.get_by_role("button", name="Pin as A")).to_be_visible(timeout=LONG)
