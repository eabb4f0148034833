"""The detector page as its user meets it: models beside the truth, the dial K, a code held still, own hits, what goes wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from gen_core.detector.simulate import World, simulate
from tests.browser.conftest import until
from tests.browser.test_poisson import LONG, choose, opened
from tests.browser.test_runs import state
from tests.browser.test_symmetry import metric

Rest = Callable[[Page], None]
FAST = "operation=detector.generate&n=300&classifiers=false"


def add(page: Page, name: str, content: bytes) -> None:
    page.get_by_test_id("stMain").get_by_test_id("stPopoverButton").first.click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]


def test_models_stand_beside_the_truth_and_an_export_comes_back(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/detector?operation=detector.generate&n=500", rest)
    told = float(metric(page, "Told by features"))
    choose(page, "Model", "No correlations", rest)
    assert float(metric(page, "Told by features")) > max(told, 0.95)
    choose(page, "Model", "Masked, K steps", rest)
    slow = float(metric(page, "Events a second").replace(",", ""))
    slider = page.get_by_role("slider", name="Steps K")
    slider.focus()
    slider.press("Home")
    page.wait_for_function("() => new URL(location).searchParams.get('steps') === '1'", timeout=LONG)
    rest(page)
    assert float(metric(page, "Events a second").replace(",", "")) > slow
    page.get_by_role("tab", name="Steps K").click()
    expect(page.get_by_role("figure", name="Errors and speed against the number of steps K")).to_be_visible(timeout=LONG)
    rest(page)

    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-events-npz button").first.click()
    arriving.value.save_as(tmp_path / "events.npz")
    with np.load(tmp_path / "events.npz") as arrays:
        assert arrays["hits"].shape == (500, 8, 24)
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "events.npz")
    page.wait_for_url("**/detector?*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)


def test_a_code_held_still_a_region_again_and_unusual_events(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/detector?operation=detector.condition&n=300", rest)
    assert float(metric(page, "One code")) < float(metric(page, "Truth"))
    page.get_by_role("radio", name="A region again").click()
    expect(page.get_by_role("figure", name="Six of the draws")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("radio", name="Unusual events").click()
    figure = page.get_by_role("figure", name="Log-likelihoods of usual and of unusual events")
    expect(figure).to_be_visible(timeout=LONG)
    rest(page)
    expect(page.get_by_text("Number of hits", exact=True)).to_be_visible()
    assert not page.get_by_test_id("stException").count()


def test_own_hits_are_the_truth_and_wrong_ones_are_said(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/detector?{FAST}", rest)
    out = io.BytesIO()
    np.savez(out, hits=simulate(World(5, 16, 1, 2, 0.95, 0.2, 0.006, ()), 600, 3).hits)
    add(page, "mine.npz", out.getvalue())
    page.wait_for_url("**data=sha256*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page)["channels"] == ["16"])
    expect(page.get_by_role("figure", name="Twelve events: Truth")).to_be_visible(timeout=LONG)
    wrong = io.BytesIO()
    np.savez(wrong, hits=np.full((30, 5, 16), 7))
    add(page, "wrong.npz", wrong.getvalue())
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert")).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()


def test_nonsense_is_one_sentence_and_the_page_goes_on(page: Page, app_url: str, rest: Rest) -> None:
    for query, said in (
        (f"{FAST}&model=masked&steps=500", "more than the 192 channels"),
        (f"{FAST}&temperature=nan", "temperature"),
    ):
        opened(page, f"{app_url}/detector?{query}", rest)
        expect(page.get_by_text(said).first).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()
