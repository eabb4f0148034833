"""What axe-core finds on every page, in both themes; and the keyboard alone reaches and moves the controls."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import at_rest, until
from tests.browser.test_runs import state

LONG = 120_000
INSTRUMENTS = ("images", "cells", "proteins", "tomography", "defects", "poisson", "symmetry", "detector")
AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
# Streamlit's own: the list of pages has a div between list and items; the box to drop files on says its role twice;
# of a list that is typed into only the drawn options exist.
NOT_OURS = ["[data-testid='stSidebarNavItems']", "[data-testid='stFileUploaderDropzone']"]
FOCUSED = """() => {
    let at = document.activeElement;
    while (at.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    const slides = at.type === "range" || at.getAttribute("role") === "slider";
    return [(at.getAttribute("aria-label") || at.innerText || "").trim(), slides];
}"""


def violations(page: Page) -> list[str]:
    """Each rule that is broken, with the first place where."""
    page.evaluate(AXE)
    found: dict[str, Any] = page.evaluate(
        "without => axe.run({exclude: without.map(one => [one])}, {resultTypes: ['violations']})", NOT_OURS
    )
    return [
        f"{one['id']} ({one['impact']}, {len(one['nodes'])}): {one['nodes'][0]['target']} {one['nodes'][0]['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("moderate", "serious", "critical")
    ]


@pytest.mark.parametrize("path", ["", "runs", *INSTRUMENTS])
def test_axe_finds_nothing_that_keeps_anyone_out(page: Page, app_url: str, path: str) -> None:
    page.goto(f"{app_url}/{path}")
    if path not in ("", "runs"):
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page, 1500)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.reload()
    if path not in ("", "runs"):
        page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page, 1500)
    assert violations(page) == []


def test_the_keyboard_alone_drives_a_page(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B&dose=0.7")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page)
    reached: list[str] = []
    dose = False
    for _ in range(60):
        page.keyboard.press("Tab")
        name, slides = page.evaluate(FOCUSED)
        reached.append(name)
        if slides:
            dose = True
            page.keyboard.press("ArrowRight")
            break
    assert dose, reached
    assert any("Tour" in one for one in reached)
    at_rest(page)
    expect(page.get_by_role("heading", name="Cells")).to_be_visible()
    until(page, lambda: float(state(page)["dose"][0]) > 0.7)

    for _ in range(12):  # on to the map, where the arrows move a ring and Enter picks the place below it
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.classList.contains('latent-figure')"):
            break
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_function("location.search.includes('spot=%5B')", timeout=LONG)


@pytest.mark.parametrize("path", ["", *INSTRUMENTS])
def test_a_tablet_is_wide_enough(page: Page, app_url: str, path: str) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    page.goto(f"{app_url}/{path}")
    at_rest(page, 1500)
    if path:
        expect(page.get_by_role("heading", name="Evidence")).to_be_visible(timeout=LONG)
    cut = """() => [...document.querySelectorAll('[data-testid="stMain"], [data-testid="stButtonGroup"] > div')]
        .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText.slice(0, 80))"""
    assert page.evaluate(cut) == []
