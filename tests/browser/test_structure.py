"""Structures in a real browser: drawn and not blank, in both themes, saved as a picture, and never an empty box."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app import vendor
from tests.browser.conftest import at_rest, serving_beside

CANVAS = ".latent-molecule canvas"
needs_script = pytest.mark.skipif(vendor.three_d_js() is None, reason="3Dmol.js was not fetched at set-up")


@pytest.fixture(scope="module")
def structure_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """structure_page.py as an app of its own."""
    with serving_beside(Path(__file__).with_name("structure_page.py"), tmp_path_factory.mktemp("structure")) as url:
        yield url


def pixels(page: Page, i: int = 0) -> np.ndarray:
    """What is seen of one structure, (h, w, 3)."""
    box = page.locator(CANVAS).nth(i)
    box.scroll_into_view_if_needed()
    return np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("RGB")).astype(int)


def drawn(picture: np.ndarray) -> float:
    """The share of a picture that is not its paper."""
    inside = picture[8:-8, 8:-8]
    return float((np.abs(inside - inside[0, 0]).max(2) > 24).mean())


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_selector(CANVAS, timeout=60_000)
    at_rest(page)
    page.wait_for_timeout(500)


@needs_script
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_canvas_is_not_blank(page: Page, structure_url: str, theme: str) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    open_page(page, structure_url)
    expect(page.locator(CANVAS)).to_have_count(2)
    for i in range(2):
        picture = pixels(page, i)
        assert 0.03 < drawn(picture) < 0.6
        assert len(np.unique(picture.reshape(-1, 3) // 32, axis=0)) > 10  # many colours, not one shape
        assert (picture[10, 10].mean() < 128) == (theme == "dark")
    expect(page.get_by_text("Template backbone, not a prediction").first).to_be_visible()
    expect(page.get_by_text("any residue (0 bits)")).to_be_visible()


@needs_script
def test_colours_change_and_the_view_stays(page: Page, structure_url: str) -> None:
    open_page(page, structure_url)
    box = page.locator(CANVAS).first.bounding_box()
    assert box
    before = pixels(page, 1)
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 320, box["y"] + 240, steps=6)
    page.mouse.up()
    page.wait_for_timeout(500)
    turned = pixels(page, 1)
    assert np.abs(turned - before).mean() > 1  # the other one follows
    page.get_by_text("mutation", exact=True).click()
    at_rest(page)
    page.wait_for_timeout(500)
    expect(page.get_by_text("another residue")).to_be_visible()
    expect(page.get_by_text("Coloured against synthetic stand-ins").first).to_be_visible()
    coloured = pixels(page, 1)
    shape = [np.abs(part - part[10, 10]).max(2) > 24 for part in (turned, coloured, before)]
    overlap = [(shape[1] & other).sum() / (shape[1] | other).sum() for other in (shape[0], shape[2])]
    assert overlap[0] > 0.9 > overlap[1]
    assert np.abs(coloured - turned).mean() > 1


@needs_script
def test_spin_turns_it_and_stops(page: Page, structure_url: str) -> None:
    open_page(page, structure_url)
    spin = page.get_by_test_id("moleculeSpin")
    expect(spin).to_have_attribute("aria-pressed", "false")
    still = pixels(page)
    spin.click()
    expect(spin).to_have_attribute("aria-pressed", "true")
    page.wait_for_timeout(3000)
    spin.click()
    expect(spin).to_have_attribute("aria-pressed", "false")
    page.wait_for_timeout(800)
    assert np.abs(pixels(page) - still).mean() > 1
    np.testing.assert_array_equal(pixels(page), pixels(page))
    page.get_by_test_id("moleculeReset").click()
    page.wait_for_timeout(800)
    assert np.abs(pixels(page) - still).mean() < 1


@needs_script
def test_a_picture_is_saved(page: Page, structure_url: str) -> None:
    open_page(page, structure_url)
    with page.expect_download() as waiting:
        page.get_by_test_id("moleculeSnapshot").click()
    assert waiting.value.suggested_filename == "molecules-view.png"
    picture = np.asarray(Image.open(waiting.value.path()).convert("RGB")).astype(int)
    half = picture.shape[1] // 2
    assert drawn(picture[:, :half]) > 0.02
    assert drawn(picture[:, half:]) > 0.02


def test_without_the_script_there_is_a_trace_and_one_sentence(page: Page, structure_url: str) -> None:
    page.route("**/3Dmol-min.js", lambda route: route.fulfill(status=200, content_type="text/javascript", body=""))
    page.goto(structure_url)
    page.wait_for_selector(".js-plotly-plot .gl-container canvas", timeout=60_000)
    at_rest(page)
    page.wait_for_timeout(1000)
    expect(page.get_by_text("3Dmol.js could not be loaded")).to_be_visible()
    expect(page.get_by_text("Template backbone, not a prediction").first).to_be_visible()
    box = page.locator(".js-plotly-plot").first
    picture = np.asarray(Image.open(io.BytesIO(box.screenshot())).convert("RGB")).astype(int)
    assert drawn(picture) > 0.01


@needs_script
def test_without_webgl_there_is_a_flat_trace_and_one_sentence(page: Page, structure_url: str) -> None:
    page.add_init_script(
        "const get = HTMLCanvasElement.prototype.getContext;"
        "HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {"
        " return /webgl/.test(kind) ? null : get.call(this, kind, ...rest); };"
    )
    page.goto(structure_url)
    page.wait_for_selector(".js-plotly-plot .scatterlayer .points path", timeout=60_000)
    at_rest(page)
    expect(page.get_by_text("WebGL is off")).to_be_visible()
    assert page.locator(".js-plotly-plot .scatterlayer .points path").count() > 150
    expect(page.locator(CANVAS)).to_have_count(0)
