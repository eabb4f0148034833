"""The defects page as its user meets it: a verdict, snapshots that tell nothing, own files, new configurations, a power curve."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from playwright.sync_api import Page, expect

from tests.browser.conftest import until
from tests.browser.test_runs import state

Rest = Callable[[Page], None]
LONG = 180_000
FEW = "n=1000&bootstrap=50&held_out=false"


def opened(page: Page, url: str, rest: Rest) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=LONG)
    rest(page)


def snapshots(times: int, n: int = 400) -> bytes:
    """A trap that particles fall into, as a table."""
    rng, rows = np.random.default_rng(0), []
    for k in range(times):
        t = 0.1 * k
        place = np.exp(-t) * np.array([1.5, 0.0]) + rng.normal(size=(n, 2)) * np.sqrt(0.25 * (1 - np.exp(-2 * t)) + 0.04)
        rows.append(pd.DataFrame({"time": t, "replica": range(n), "particle": 0, "x": place[:, 0], "y": place[:, 1]}))
    out = io.StringIO()
    pd.concat(rows).to_csv(out, index=False)
    return out.getvalue().encode()


def add(page: Page, name: str, content: bytes) -> None:
    page.get_by_test_id("stMain").get_by_test_id("stPopoverButton").first.click()
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]


def test_the_verdict_comes_first_and_an_export_comes_back(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/defects?operation=defects.infer&{FEW}", rest)
    metric = page.get_by_test_id("stMetric")
    for name in ("Snapshots change", "Forces explain them", "Ways agree", "Diffusion constant D"):
        expect(metric.filter(has_text=name)).to_be_visible()
    shown = metric.filter(has_text="Diffusion constant D").get_by_test_id("stMetricValue").inner_text()
    assert 0.15 < float(shown) < 0.35  # the truth is .25
    film = page.get_by_role("figure", name="The particles at each time")
    expect(film).to_contain_text("t = 0")
    film.locator(".updatemenu-button").first.click()
    page.wait_for_timeout(1500)
    expect(film.locator(".slider-label").first).not_to_contain_text("t = 0 ", timeout=LONG)
    page.get_by_role("tab", name="Fokker-Planck").click()
    expect(page.get_by_text("what the equation expects")).to_be_visible(timeout=LONG)
    rest(page)

    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-drift-npz button").first.click()
    arriving.value.save_as(tmp_path / "drift.npz")
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "drift.npz")
    page.wait_for_url("**/defects?*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)
    assert not page.get_by_test_id("stException").count()


def test_snapshots_at_rest_and_a_force_that_turns_are_called_so(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/defects?operation=defects.infer&data=stationary&{FEW}", rest)
    expect(page.get_by_text("change no more than noise does")).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stMetric").filter(has_text="Diffusion constant D")).to_contain_text("not known")
    opened(page, f"{app_url}/defects?operation=defects.infer&data=rotating&library=gradient&bootstrap=50&held_out=false", rest)
    expect(page.get_by_text("No forces of this library explain the snapshots")).to_be_visible(timeout=LONG)


def test_numbers_of_the_propagated_form_have_an_interval(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/defects?operation=defects.infer&data=appex_poly&n=500&bootstrap=50", rest)
    column = page.get_by_test_id("stColumn").filter(has=page.get_by_test_id("stMetric").filter(has_text="Diffusion constant D"))
    expect(column.last).to_contain_text("95 %: 0.")
    assert not page.get_by_test_id("stException").count()


def test_own_snapshots_are_read_and_wrong_ones_said(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/defects?operation=defects.infer&{FEW}", rest)
    add(page, "two.csv", snapshots(2))
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert")).to_contain_text("time", timeout=LONG)
    page.keyboard.press("Escape")
    rest(page)
    add(page, "mine.csv", snapshots(7))
    page.wait_for_url("**data=sha256*", timeout=LONG)
    rest(page)
    expect(page.get_by_text("The truth of your snapshots is not known")).to_be_visible(timeout=LONG)
    page.get_by_role("textbox", name="Periodic box").fill("ten")
    page.get_by_role("textbox", name="Periodic box").press("Enter")
    expect(page.get_by_text("The box is one to three lengths above zero")).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()


def test_new_configurations_at_another_time(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/defects?operation=defects.sample&n=300&steps=20", rest)
    figure = page.get_by_role("figure", name="Drawn configurations beside the nearest snapshot")
    expect(figure).to_be_visible()
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowRight")
    page.wait_for_function("() => Number(new URL(location).searchParams.get('time')) > 0.52", timeout=LONG)
    rest(page)
    expect(page.get_by_text("two halves of these")).to_be_visible(timeout=LONG)


def test_how_many_snapshots_one_needs_is_a_job(page: Page, app_url: str, rest: Rest) -> None:
    fields = f"operation=defects.power&{FEW}&counts=[200,400]&times=[5]&repeats=1&estimators=[%22weak%22]"
    opened(page, f"{app_url}/defects?{fields}", rest)
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("figure", name="Errors of D and of the drift against the number of replicas")).to_be_visible(
        timeout=LONG
    )
    rest(page)


def test_a_link_keeps_what_no_control_shows_and_a_network_of_own_snapshots_draws(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/defects?operation=defects.infer&{FEW}&duration=0.8&length_unit=nm", rest)
    until(page, lambda: state(page)["duration"] == ["0.8"])
    until(page, lambda: state(page)["length_unit"] == ["nm"])
    add(page, "mine.csv", snapshots(6))
    page.wait_for_url("**data=sha256*", timeout=LONG)
    rest(page)
    page.get_by_test_id("stCheckbox").get_by_text("Same replicas").click()
    page.wait_for_function("() => new URL(location).searchParams.get('followed') === 'true'", timeout=LONG)
    rest(page)
    expect(page.get_by_text("of the same particles")).to_be_visible(timeout=LONG)
    page.get_by_text("Learn a score network of these snapshots").click()
    slider = page.get_by_role("slider", name="Epochs")
    slider.focus()
    slider.press("Home")
    rest(page)
    expect(page.get_by_text("mine.csv; 5 passes")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Draw from it").click(timeout=LONG)
    page.wait_for_url("**operation=defects.sample*", timeout=LONG)
    expect(page.get_by_text("two halves of the snapshot")).to_be_visible(timeout=LONG)
    until(page, lambda: state(page)["followed"] == ["true"])
