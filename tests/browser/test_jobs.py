"""A job as its user meets it: seen to move, there after a reload and in a second tab, cancelled, resumed, deleted."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ROOT, at_rest, serving

COUNTED = re.compile(r"Epoch (\d+) of 200")
LONG = 60_000


@pytest.fixture
def jobs_url(tmp_path: Path) -> Iterator[str]:
    """jobs_page.py as an app of its own; static files lie beside the script that Streamlit runs."""
    script = Path(shutil.copy(Path(__file__).with_name("jobs_page.py"), tmp_path))
    (tmp_path / "static").symlink_to(ROOT / "app" / "static")
    with serving(script, tmp_path, PYTHONPATH=str(ROOT)) as url:
        yield url


def done(page: Page) -> int:
    """How many steps the page says are done."""
    found = COUNTED.search(page.get_by_test_id("stProgress").first.inner_text(timeout=LONG))
    return int(found[1]) if found else 0


def wait_for_more(page: Page, than: int) -> int:
    """Wait until the bar has moved on."""
    page.wait_for_function(
        """than => {
            const told = document.querySelector('[data-testid="stProgress"]')?.innerText.match(/Epoch (\\d+) of/);
            return told && Number(told[1]) > than;
        }""",
        arg=than,
        timeout=LONG,
    )
    return done(page)


def test_a_job_is_seen_to_move_and_can_be_left_cancelled_and_resumed(page: Page, context: BrowserContext, jobs_url: str) -> None:
    page.goto(jobs_url)
    at_rest(page)
    page.get_by_role("button", name="Count").click()
    before = wait_for_more(page, 0)
    before = wait_for_more(page, before + 5)
    expect(page.get_by_text(re.compile(r"about \d+ (s|min) left"))).to_be_visible(timeout=LONG)
    expect(page.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(2, timeout=LONG)  # training and validation
    assert "job" not in page.url  # the link is the recipe's alone

    page.reload()
    wait_for_more(page, before)
    second = context.new_page()
    second.goto(page.url)
    seen = wait_for_more(second, before)
    wait_for_more(page, seen)

    second.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=LONG)  # the first tab sees it too
    expect(page.get_by_text("the page sees cancelled")).to_be_visible(timeout=LONG)
    stopped = done(page)
    assert seen <= stopped < 200
    page.get_by_role("button", name="Resume").click()
    wait_for_more(page, stopped)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete").click(timeout=LONG)
    expect(page.get_by_role("button", name="Count")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("the page sees no job")).to_be_visible(timeout=LONG)


def test_a_job_that_ends_is_told_to_the_page(page: Page, jobs_url: str) -> None:
    page.goto(jobs_url)
    at_rest(page)
    page.get_by_label("Seconds a step").fill("0.01")
    page.get_by_label("Seconds a step").press("Enter")
    page.wait_for_timeout(500)
    at_rest(page)
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("the page sees done")).to_be_visible(timeout=LONG)  # a part of the page outside the panel
    expect(page.get_by_text("Done · Epoch 200 of 200")).to_be_visible()
