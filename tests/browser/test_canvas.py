"""The square to draw in: charges are put, moved and erased, edges painted, with a mouse, a finger and the keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import at_rest, serving_beside

BAND = 20  # pixels of the edges


@pytest.fixture(scope="module")
def canvas_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving_beside(Path(__file__).with_name("canvas_page.py"), tmp_path_factory.mktemp("canvas")) as url:
        yield url


@pytest.fixture
def square(page: Page, canvas_url: str) -> Page:
    page.goto(canvas_url)
    page.locator(".latent-canvas canvas").wait_for()
    at_rest(page)
    return page


def told(page: Page) -> tuple[Any, Any]:
    charges, edges = json.loads(page.get_by_text(re.compile("^drawn")).inner_text().removeprefix("drawn "))
    return charges, edges


def at(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the square lies on the screen."""
    box = page.locator(".latent-canvas canvas").bounding_box()
    assert box
    inner = box["width"] - 2 * BAND
    return box["x"] + BAND + x * inner, box["y"] + BAND + (1 - y) * inner


def drag(page: Page, begin: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *begin))
    page.mouse.down()
    page.mouse.move(*at(page, *end), steps=8)
    page.mouse.up()
    page.wait_for_timeout(300)
    at_rest(page)


def test_charges_are_put_moved_and_erased(square: Page) -> None:
    square.mouse.click(*at(square, 0.25, 0.75))
    expect(square.get_by_text(re.compile(r"^drawn \[\[\[0\.2"))).to_be_visible()
    at_rest(square)
    [[x, y, charge, width]], edges = told(square)
    assert x == pytest.approx(0.25, abs=0.01)
    assert y == pytest.approx(0.75, abs=0.01)
    assert (charge, width) == (1.0, 0.05)
    assert edges == [[0.0] * 9] * 4

    drag(square, (0.25, 0.75), (0.6, 0.3))
    [[x, y, *_]], _ = told(square)
    assert (x, y) == (pytest.approx(0.6, abs=0.01), pytest.approx(0.3, abs=0.01))

    square.get_by_role("spinbutton", name="Charge").fill("-3")
    square.get_by_role("spinbutton", name="Charge").press("Enter")
    at_rest(square)
    square.mouse.click(*at(square, 0.8, 0.8))
    square.wait_for_timeout(300)
    at_rest(square)
    assert [one[2] for one in told(square)[0]] == [1.0, -3.0]

    square.get_by_text("erase", exact=True).click()
    at_rest(square)
    square.mouse.click(*at(square, 0.6, 0.3))
    square.wait_for_timeout(300)
    at_rest(square)
    assert [one[2] for one in told(square)[0]] == [-3.0]
    square.get_by_role("button", name="Clear").click()
    at_rest(square)
    assert told(square)[0] == []


def test_a_stroke_along_an_edge_paints_its_values(square: Page) -> None:
    drag(square, (-0.02, 0.0), (-0.02, 0.5))  # the lower half of the left edge
    left, right, bottom, top = told(square)[1]
    assert left == [2.0] * 5 + [0.0] * 4
    assert right == bottom == top == [0.0] * 9
    drag(square, (0.5, 1.03), (1.0, 1.03))
    assert told(square)[1][3] == [0.0] * 4 + [2.0] * 5


def test_the_keys_draw_as_well(square: Page) -> None:
    square.locator(".latent-canvas canvas").focus()
    square.keyboard.press("Shift+ArrowLeft")
    square.keyboard.press("ArrowUp")
    square.keyboard.press("Enter")
    square.wait_for_timeout(300)
    at_rest(square)
    [[x, y, *_]], _ = told(square)
    assert (x, y) == (0.4, 0.52)
    square.locator(".latent-canvas canvas").focus()
    square.keyboard.press("Shift+ArrowUp")
    square.keyboard.press("Enter")
    square.wait_for_timeout(300)
    at_rest(square)
    assert len(told(square)[0]) == 2
    square.keyboard.press("Delete")
    square.wait_for_timeout(300)
    at_rest(square)
    assert len(told(square)[0]) == 1


def test_a_finger_draws_and_does_not_scroll(browser: Browser, canvas_url: str) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 768, "height": 1024})
    page = context.new_page()
    page.goto(canvas_url)
    page.locator(".latent-canvas canvas").wait_for()
    at_rest(page)
    page.touchscreen.tap(*at(page, 0.5, 0.5))
    page.wait_for_timeout(300)
    at_rest(page)
    assert len(told(page)[0]) == 1
    assert page.locator(".latent-canvas canvas").evaluate("one => getComputedStyle(one).touchAction") == "none"
    context.close()
