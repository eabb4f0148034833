"""The parts in a real browser: clicks anywhere, pictures that stay, state that survives, files that come."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from gen_core import catalog
from tests.browser.conftest import asked, at_rest, click_in, serving_beside, until

PLOT = ".js-plotly-plot"
SLIDER = '[data-testid="stSlider"] input'


@pytest.fixture(scope="module")
def parts_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """parts_page.py as an app of its own."""
    with serving_beside(Path(__file__).with_name("parts_page.py"), tmp_path_factory.mktemp("parts")) as url:
        yield url


@pytest.fixture
def parts(page: Page, parts_url: str) -> Page:
    page.goto(parts_url)
    page.wait_for_selector(f"{PLOT} .main-svg")
    at_rest(page)
    return page


def field(page: Page, name: str) -> str:
    return parse_qs(urlparse(page.url).query)[name][0]


def click_in_plot(page: Page, across: float, down: float) -> None:
    click_in(page, page.locator(f"{PLOT} .nsewdrag").first, across, down)


def clicked(page: Page) -> tuple[tuple[float, float] | None, str]:
    text = page.get_by_text(re.compile("^clicked")).inner_text()
    place, point = re.fullmatch(r"clicked (.+) point (.+)", text).groups()  # type: ignore[union-attr]
    return (None if place == "None" else tuple(float(v) for v in place[1:-1].split(","))), point  # type: ignore[return-value]


def test_a_click_on_an_empty_spot_reports_its_place(parts: Page) -> None:
    assert clicked(parts)[0] is None
    for across, down in ((0.75, 0.25), (0.11, 0.4), (0.5, 0.05)):
        click_in_plot(parts, across, down)
        place = pytest.approx((-10 + 20 * across, 4 - 8 * down), abs=0.06)
        until(parts, lambda place=place: clicked(parts) == (place, "None"))


def test_a_click_on_a_point_names_it_and_a_preset_forgets_it(parts: Page) -> None:
    parts.get_by_role("button", name="Strong").click()
    until(parts, lambda: float(asked(parts).get("dose", ["0"])[0]) == 3)
    at_rest(parts)
    click_in_plot(parts, 0.65, 0.75)  # the middle of the cloud, at (3, -2)
    until(parts, lambda: re.fullmatch(r"\(0, \d+\)", clicked(parts)[1]) is not None)
    parts.get_by_role("button", name="Reset", exact=True).click()
    until(parts, lambda: clicked(parts) == (None, "None"))


def test_a_plot_is_changed_in_place_and_keeps_its_zoom(parts: Page) -> None:
    parts.evaluate(f"document.querySelector('{PLOT}').dataset.mark = 'same'")
    box = parts.locator(f"{PLOT} .nsewdrag").bounding_box()
    assert box
    parts.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3)
    parts.mouse.down()
    parts.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.9, steps=5)
    parts.mouse.up()
    zoomed = parts.evaluate(f"document.querySelector('{PLOT}')._fullLayout.xaxis.range")
    assert zoomed == pytest.approx([-2, 4], abs=0.1)
    before = parts.evaluate(f"document.querySelector('{PLOT}')._fullData[0].x[0]")
    parts.locator(SLIDER).focus()
    parts.keyboard.press("ArrowRight")
    at_rest(parts)
    plot = f"document.querySelector('{PLOT}')"
    assert parts.evaluate(f"{plot}._fullData[0].x[0]") != before
    assert parts.evaluate(f"{plot}.dataset.mark") == "same"
    assert parts.evaluate(f"{plot}._fullLayout.xaxis.range") == zoomed


def test_quick_presses_are_all_counted(parts: Page) -> None:
    parts.locator(SLIDER).focus()
    for _ in range(25):
        parts.keyboard.press("ArrowRight", delay=30)
    at_rest(parts)
    expect(parts.locator(SLIDER)).to_have_value("1.25")
    assert field(parts, "dose") == "1.25"


def test_no_button_sends_a_figure_away(parts: Page) -> None:
    titles = parts.locator(".modebar-btn").evaluate_all("buttons => buttons.map(b => b.dataset.title)")
    assert "Full screen" in titles
    assert not [title for title in titles if re.search("share|cloud|edit", title, re.IGNORECASE)]


def test_the_link_is_read_written_and_undone_by_back(parts: Page, parts_url: str) -> None:
    parts.goto(f"{parts_url}/?dose=2.5&target=T%20cell")
    at_rest(parts)
    expect(parts.locator(SLIDER)).to_have_value("2.5")
    assert field(parts, "target") == "T cell"
    assert field(parts, "operation") == "cells.perturb"
    parts.locator(SLIDER).focus()
    parts.keyboard.press("ArrowRight")
    at_rest(parts)
    assert field(parts, "dose") == "2.51"
    parts.go_back()
    at_rest(parts)
    expect(parts.locator(SLIDER)).to_have_value("2.5")
    assert field(parts, "dose") == "2.5"
    parts.go_forward()
    at_rest(parts)
    expect(parts.locator(SLIDER)).to_have_value("2.51")


def test_a_wrong_link_is_one_sentence_and_the_page_goes_on(parts: Page, parts_url: str) -> None:
    parts.goto(f"{parts_url}/?dose=lots")
    at_rest(parts)
    expect(parts.get_by_test_id("stAlert")).to_contain_text("The link could not be opened")
    expect(parts.locator(SLIDER)).to_have_value("1")
    parts.get_by_role("button", name="Strong").click()
    at_rest(parts)
    expect(parts.get_by_test_id("stAlert")).to_have_count(0)


def test_a_page_comes_back_as_it_was_left(parts: Page) -> None:
    parts.locator(SLIDER).focus()
    parts.keyboard.press("ArrowRight")
    at_rest(parts)
    parts.get_by_text("More").click()
    at_rest(parts)
    parts.get_by_label("Components").fill("77")
    parts.keyboard.press("Enter")
    at_rest(parts)
    for _ in range(2):  # a widget that is not drawn for a while keeps its value too
        parts.get_by_text("More").click()
        at_rest(parts)
    expect(parts.get_by_label("Components")).to_have_value("77")
    parts.get_by_role("link", name="Other").click()
    at_rest(parts)
    parts.get_by_role("link", name="cells").click()
    at_rest(parts)
    expect(parts.locator(SLIDER)).to_have_value("1.01")
    assert field(parts, "latent_dim") == "77"


def test_an_error_is_one_sentence_with_a_reference(parts: Page) -> None:
    parts.get_by_role("button", name="Fail").click()
    at_rest(parts)
    alert = parts.get_by_test_id("stAlert").inner_text()
    assert re.search(r"under [0-9a-f]{6}\.", alert)
    assert "secret" not in parts.content()
    parts.get_by_role("button", name="Strong").click()
    at_rest(parts)
    expect(parts.locator(PLOT)).to_be_visible()


def test_figures_follow_the_theme(parts: Page) -> None:
    colour = f"document.querySelector('{PLOT}')._fullLayout.font.color"
    light = parts.evaluate(colour)
    parts.emulate_media(color_scheme="dark")
    parts.wait_for_function(f"{colour} !== '{light}'")


def test_every_file_comes_with_its_recipe(parts: Page, tmp_path: Path) -> None:
    parts.get_by_role("button", name="Strong").click()
    at_rest(parts)
    saved = {}
    for row in parts.get_by_test_id("stDownloadButton").all():
        with parts.expect_download() as coming:
            row.click()
        path = tmp_path / coming.value.suggested_filename
        coming.value.save_as(path)
        saved[path.name] = path
    assert sorted(saved) == ["cells-perturb.zip", "genes.csv", "map.html", "recipe.json"]
    for path in saved.values():
        assert catalog.from_file(path).fields()["dose"] == 3.0, path.name
    with zipfile.ZipFile(saved["cells-perturb.zip"]) as archive:
        assert sorted(archive.namelist()) == ["genes.csv", "map.html", "recipe.json", "result.json"]
        assert archive.read("genes.csv") == saved["genes.csv"].read_bytes()
        assert json.loads(archive.read("result.json"))["metrics"] == {"r2": 0.5}
    with parts.expect_download() as again:
        parts.get_by_test_id("stDownloadButton").last.click()
    assert (
        hashlib.sha256(Path(again.value.path()).read_bytes()).digest()
        == hashlib.sha256(saved["cells-perturb.zip"].read_bytes()).digest()
    )


def test_a_saved_figure_stands_alone(parts: Page, tmp_path: Path) -> None:
    with parts.expect_download() as coming:
        parts.get_by_test_id("stDownloadButton").nth(1).click()
    coming.value.save_as(tmp_path / "map.html")
    parts.goto((tmp_path / "map.html").as_uri())
    parts.wait_for_selector(f"{PLOT} .main-svg")


def test_frames_play_and_are_scrubbed_without_the_server(page: Page, parts_url: str) -> None:
    page.goto(f"{parts_url}/moving")
    expect(page.get_by_test_id("playerText")).to_have_text("t = 0.00", timeout=60_000)
    at_rest(page)
    canvas = page.get_by_test_id("latentPlayer").locator("canvas")
    pixel = "canvas => canvas.getContext('2d').getImageData(4, 4, 1, 1).data.join()"
    assert canvas.nth(1).evaluate(pixel) == "255,0,0,255"
    runs = page.get_by_text(re.compile("^runs")).inner_text()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_test_id("playerText")).to_have_text(re.compile(r"0\.[2-9]"))
    page.get_by_role("button", name="Pause").click()
    at_rest(page)
    page.get_by_role("slider", name="Frame").fill("5")
    at_rest(page)
    assert page.get_by_text(re.compile("^runs")).inner_text() == runs  # all of it in the browser
    expect(page.get_by_test_id("playerText")).to_have_text("t = 0.33")
    assert canvas.first.evaluate(pixel) == "0,80,0,255"
