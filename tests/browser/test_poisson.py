"""The Poisson page as its user meets it: charges drawn, a law broken and mended, a point charge, sensors, and what goes wrong."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import click_in, until
from tests.browser.test_canvas import at
from tests.browser.test_runs import state

Rest = Callable[[Page], None]
LONG = 120_000


def opened(page: Page, url: str, rest: Rest) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=LONG)
    rest(page)


def number(page: Page, name: str) -> float:
    shown = page.get_by_test_id("stMetric").filter(has_text=name).get_by_test_id("stMetricValue").inner_text()
    return float(shown.removesuffix("%"))


def choose(page: Page, label: str, option: str, rest: Rest) -> None:
    choice = page.get_by_role("combobox", name=label, exact=True)
    choice.scroll_into_view_if_needed()
    page.wait_for_timeout(300)  # a list that opens while the page is scrolled closes again
    choice.click()
    page.get_by_role("option", name=option, exact=True).click()
    page.wait_for_timeout(300)
    rest(page)


def test_charges_are_drawn_corrected_saved_and_reopened(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/poisson", rest)
    until(page, lambda: state(page)["charges"] == ["[]"])  # of a seed
    page.mouse.click(*at(page, 0.3, 0.35))
    page.wait_for_function("() => !new URL(location).searchParams.get('rho').includes('synthetic')", timeout=LONG)
    rest(page)
    charges = json.loads(state(page)["charges"][0])
    assert len(charges) > 2  # the scene's own, now the user's, and the new one
    assert abs(charges[-1][0] - 0.3) + abs(charges[-1][1] - 0.35) < 0.03
    page.mouse.move(*at(page, -0.03, 0.1))
    page.mouse.down()
    page.mouse.move(*at(page, -0.03, 0.9), steps=6)
    page.mouse.up()
    page.wait_for_function("() => (new URL(location).searchParams.get('edges') || '').includes('0.2')", timeout=LONG)
    rest(page)

    wrong = number(page, "Error")
    assert number(page, "Law broken") > wrong
    assert number(page, "Edges missed") == 0
    slider = page.get_by_role("slider", name="Correction steps k")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    page.wait_for_function("() => new URL(location).searchParams.get('correction') === '10'", timeout=LONG)
    rest(page)
    assert number(page, "Error") < wrong
    expect(page.get_by_text("from zero").first).to_be_visible()

    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-solution-npz button").first.click()
    arriving.value.save_as(tmp_path / "solution.npz")
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "solution.npz")
    page.wait_for_url("**/poisson?*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)


def test_a_point_charge_is_moved_by_a_click(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/poisson", rest)
    page.get_by_role("radio", name="Point charge").click()
    expect(page.get_by_text("Reciprocity broken")).to_be_visible(timeout=LONG)
    rest(page)
    before = state(page)["source"]
    expect(page.get_by_text("narrow").first).to_be_visible(timeout=LONG)  # unlike what was learned, and the page says so
    click_in(page, page.get_by_role("figure", name="Response of the solver to the charge").locator(".nsewdrag").first, 0.5, 0.25)
    page.wait_for_function("was => new URL(location).searchParams.get('source') !== was", arg=before[0], timeout=LONG)
    x, y = json.loads(state(page)["source"][0])
    assert abs(x - 0.5) < 0.1
    assert y > 0.6


def test_sensors_are_placed_and_readings_typed(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/poisson?operation=poisson.solve&sensors=8", rest)
    expect(page.get_by_text("90 % intervals hold")).to_be_visible()
    page.get_by_role("radio", name="Where I click").click()
    page.wait_for_function("() => (new URL(location).searchParams.get('sensors') || '').startsWith('[[')", timeout=LONG)
    rest(page)
    click_in(page, page.get_by_role("figure", name="Samples: mean").locator(".nsewdrag").first, 0.3, 0.3)
    page.wait_for_function("() => JSON.parse(new URL(location).searchParams.get('sensors')).length === 4", timeout=LONG)
    rest(page)
    page.get_by_role("radio", name="My readings").click()
    expect(page.get_by_text("Write down what the sensors read")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("textbox", name="x, y, potential").fill("0.25, 0.5, 0.031\n0.7, 0.7, nonsense")
    page.get_by_role("textbox", name="x, y, potential").press("Control+Enter")
    expect(page.get_by_text("Line 2 of the readings is not")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("textbox", name="x, y, potential").fill("0.25, 0.5, 0.031\n0.7, 0.7, -0.02\n0.5, 0.2, 0.01")
    page.get_by_role("textbox", name="x, y, potential").press("Control+Enter")
    expect(page.get_by_text("charges are not known")).to_be_visible(timeout=LONG)
    rest(page)
    assert not page.get_by_test_id("stException").count()


def test_what_has_no_solution_and_what_is_no_array_is_said(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/poisson", rest)
    page.get_by_text("Charge, edges, grid").click()
    rest(page)
    choose(page, "Edges", "Periodic", rest)
    expect(page.get_by_text("unless").first).to_be_visible(timeout=LONG)
    page.get_by_test_id("stCheckbox").get_by_text("Balance the charge").click()
    page.wait_for_timeout(300)
    rest(page)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=LONG)
    choose(page, "Edges", "Potential given", rest)

    choose(page, "Charges", "An array of your own", rest)
    expect(page.get_by_text("Bring an array of charge densities")).to_be_visible(timeout=LONG)
    for values, said in ((np.zeros((8, 20)), "square"), (np.full((32, 32), np.nan), "number")):
        out = io.BytesIO()
        np.save(out, values)
        file = {"name": "mine.npy", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
        page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
        expect(page.get_by_test_id("stAlert").filter(has_text=said).first).to_be_visible(timeout=LONG)
        rest(page)
    out = io.BytesIO()
    np.save(out, np.outer(np.sin(np.linspace(0, 3, 32)), np.sin(np.linspace(0, 3, 32))))
    file = {"name": "mine.npy", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
    page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(file)  # type: ignore[arg-type]
    page.wait_for_function("() => (new URL(location).searchParams.get('rho') || '').startsWith('sha256')", timeout=LONG)
    rest(page)
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()


def test_a_model_goes_with_its_solver(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/poisson?operation=poisson.solve&solver=fno&model=poisson-fno-32", rest)
    until(page, lambda: state(page)["model"] == ["poisson-fno-32"])
    choose(page, "Solver", "Regression: one answer", rest)
    page.wait_for_function("() => new URL(location).searchParams.get('solver') === 'regression'", timeout=LONG)
    rest(page)
    until(page, lambda: state(page)["model"] == ["null"])
    expect(page.get_by_role("heading", name="Evidence")).to_be_visible()


def test_a_link_is_shown_as_it_is(page: Page, app_url: str, rest: Rest) -> None:
    """Digits beyond those of the canvas, and edges of one value, are not changed by looking at them."""
    opened(page, f"{app_url}/poisson?charges=[[0.123456,0.5,1,0.061234]]&edges=[[0],[0.1],[0,0.05,0.1],[0]]", rest)
    until(page, lambda: json.loads(state(page)["charges"][0]) == [[0.123456, 0.5, 1.0, 0.061234]])
    until(page, lambda: [len(one) for one in json.loads(state(page)["edges"][0])] == [1, 1, 3, 1])
    page.mouse.move(*at(page, -0.03, 0.0))
    page.mouse.down()
    page.mouse.move(*at(page, -0.03, 0.5), steps=5)
    page.mouse.up()
    page.wait_for_function("() => JSON.parse(new URL(location).searchParams.get('edges'))[0].length === 9", timeout=LONG)
    rest(page)
    until(page, lambda: json.loads(state(page)["edges"][0])[0] == [0.2] * 5 + [0.0] * 4)
