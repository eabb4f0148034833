"""The symmetry page as its user meets it: the dial turned, pictures recovered, an export reopened, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import until
from tests.browser.test_poisson import LONG, choose, opened
from tests.browser.test_runs import state
from tests.symmetry.test_train import packed

Rest = Callable[[Page], None]
FEW = "operation=symmetry.recover&images=8&starts=64"


def metric(page: Page, name: str) -> str:
    return page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue").inner_text()


def test_the_dial_is_turned_and_an_export_comes_back(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/symmetry", rest)
    expect(page.get_by_role("figure", name="What the turned code draws")).to_be_visible(timeout=LONG)
    choose(page, "Network", "C4: quarter turns", rest)
    slider = page.get_by_role("slider", name="Angle")
    slider.focus()
    slider.press("Home")
    page.wait_for_function("() => new URL(location).searchParams.get('angle') === '0.0'", timeout=LONG)
    for _ in range(2):
        slider.press("PageUp")
    page.wait_for_function("() => Number(new URL(location).searchParams.get('angle')) > 0", timeout=LONG)
    page.get_by_role("button", name="A quarter, exactly").click()
    page.wait_for_function("() => new URL(location).searchParams.get('angle') === '90.0'", timeout=LONG)
    rest(page)
    assert float(metric(page, "Equivariance").removesuffix(" dB")) > 100
    choose(page, "Network", "Plain, turned examples", rest)
    assert 20 < float(metric(page, "Equivariance").removesuffix(" dB")) < 60
    expect(page.get_by_text("has no way to turn a code")).to_be_visible()

    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-rotate-npz button").first.click()
    arriving.value.save_as(tmp_path / "rotate.npz")
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "rotate.npz")
    page.wait_for_url("**/symmetry?*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)


def test_pictures_are_recovered_from_few_measurements(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/symmetry?{FEW}&measurements=[20,105]", rest)
    expect(page.get_by_role("figure", name="The truth above what each recovers from 105 measurements")).to_be_visible(
        timeout=LONG
    )
    expect(page.get_by_role("figure", name="Error against the number of measurements, with intervals")).to_be_visible()
    expect(page.get_by_text("Sparse cosines (Lasso)").first).to_be_visible()
    expect(page.get_by_text("With 105 measurements a Gaussian prior")).to_be_visible()
    expect(page.get_by_text("Only 8 pictures: the intervals are wide.")).to_be_visible()
    page.get_by_test_id("stMain").get_by_role("button", name="500", exact=True).click()
    page.wait_for_function("() => new URL(location).searchParams.get('measurements').includes('500')", timeout=LONG)
    rest(page)
    page.get_by_role("tab", name="One picture").click()
    expect(page.get_by_role("figure", name="The best it can draw")).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()


def test_own_pictures_are_measured_on_beside_a_gaussian_prior_of_them(
    page: Page, app_url: str, rest: Rest, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    shapes = [np.kron(rng.integers(0, 2, (4, 4)), np.ones((10, 10))) * 200 for _ in range(24)]
    own = packed(tmp_path / "own.zip", [shape.astype(np.uint8) for shape in shapes])
    opened(page, f"{app_url}/symmetry?{FEW}&models=[%22c8%22]&measurements=[20]", rest)
    page.get_by_test_id("stMain").locator("[data-testid=stPopover] button").first.click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(own)
    page.wait_for_function("() => new URL(location).searchParams.get('data').startsWith('sha256:')", timeout=LONG)
    rest(page)
    expect(page.get_by_text("Only 4 different pictures were kept aside")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("learned from other pictures than these")).to_be_visible()
    expect(page.get_by_role("cell", name="Gaussian prior").first).to_be_visible()
    assert not any("sha256" in text for text in page.get_by_test_id("stAlert").all_inner_texts())
    assert not page.get_by_test_id("stException").count()


def test_nonsense_is_one_sentence_and_the_page_goes_on(page: Page, app_url: str, rest: Rest) -> None:
    for query, said in (
        ("angle=round", "is no angle"),
        (f"{FEW}&measurements=[0]", "is no number of measurements"),
        (f"{FEW}&models=[%22c7%22]", "is no model here"),
    ):
        opened(page, f"{app_url}/symmetry?{query}", rest)
        expect(page.get_by_text(said)).to_be_visible(timeout=LONG)
        assert not page.get_by_test_id("stException").count()
    page.get_by_role("radio", name="Measurements needed").click()
    page.get_by_role("textbox", name="Errors").fill("many")
    page.get_by_role("textbox", name="Errors").press("Enter")
    expect(page.get_by_text("Write errors between 0 and 1")).to_be_visible(timeout=LONG)
