"""The tomography page's parts on Bayes' rule as their user: the weight is dragged, a sampler checked, a chain watched, two pixels
measured."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

Rest = Callable[[Page], None]
LONG = 120_000
SMALL = "size=64&methods=[%22fbp%22,%22gaussian%22]&posterior_samples=2&sampler_steps=8"


def opened(page: Page, url: str, rest: Rest) -> None:
    page.goto(url)
    expect(page.get_by_text("Evidence", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    rest(page)


def tab(page: Page, name: str, rest: Rest) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_timeout(300)
    rest(page)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)


def test_prior_data_and_posterior_and_a_sampler_that_is_checked(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/tomography?{SMALL}", rest)
    tab(page, "Bayes", rest)
    row = page.locator(".latent-figure[aria-label^='Two draws from the prior']")
    expect(row).to_contain_text("Drawn from the posterior", timeout=LONG)
    weight = page.get_by_role("slider", name="Weight of the data").last
    weight.focus()
    weight.press("Home")
    expect(page.locator(".latent-figure[aria-label$='at weight 0.00']")).to_be_visible(timeout=LONG)
    rest(page)
    assert parse_qs(urlparse(page.url).query)["data_weight"] == ["0.0"]

    tab(page, "Chains", rest)
    page.get_by_role("button", name="Langevin with the Gaussian prior").click()
    frame = page.get_by_role("slider", name="Frame")
    expect(frame).to_be_visible(timeout=LONG)
    rest(page)
    expect(page.get_by_text("Split R-hat")).to_be_visible()
    curves = page.locator(".latent-figure[aria-label^='log p(y|x)']")
    expect(curves).to_contain_text("log p(x) of the Gaussian prior", timeout=LONG)
    mark = "plot => plot.layout.shapes[0].x0"
    assert curves.evaluate(mark) == 1
    frame.press("End")
    expect(page.get_by_test_id("playerText")).to_contain_text("step 8 of 8")
    assert curves.evaluate(mark) == 8  # the mark in the curves follows the film

    tab(page, "Uncertainty", rest)
    page.get_by_role("button", name="Check the samplers here").click()
    table = page.get_by_test_id("stTable").filter(has_text="the yardstick")
    expect(table).to_contain_text("DPS", timeout=LONG)
    expect(table).to_contain_text("Langevin")
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_test_id("stAlert").filter(has_text="went wrong").count()


def test_two_pixels_are_measured_and_taken_home(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/tomography?{SMALL}", rest)
    tab(page, "Two pixels", rest)
    expect(page.get_by_text("Two modes.")).to_be_visible(timeout=LONG)
    plane = page.locator(".latent-figure[aria-label^='The plane of two pixels']")
    expect(plane).to_contain_text("Langevin particles", timeout=LONG)
    curvature = page.get_by_role("slider", name="Curvature of the prior")
    curvature.press("Home")
    expect(page.get_by_text("The posterior has one mode.")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("radio", name="Measured", exact=True).click()  # the rest of the page, and with it the export, is drawn anew
    page.wait_for_timeout(300)
    rest(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-two_pixels-csv button").first.click()
    arriving.value.save_as(tmp_path / "two_pixels.csv")
    lines = [line for line in (tmp_path / "two_pixels.csv").read_text().splitlines() if not line.startswith("#")]
    rows = {row["quantity"]: row["value"] for row in csv.DictReader(lines)}
    assert float(rows["curvature"]) == 0
    assert "exact_right" not in rows
