"""The tours and the presentation as a teacher meets them: real controls are set, a guess is asked for, a link begins it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.conftest import at_rest, until
from tests.browser.test_runs import state

LONG = 120_000


def test_a_tour_sets_the_controls_and_asks_before_it_shows(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/cells")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page)
    page.get_by_role("button", name="Tour", exact=True).click()
    tour = page.locator(".st-key-tour")
    expect(tour.get_by_text("1 of 5")).to_be_visible(timeout=LONG)
    at_rest(page)
    tour.get_by_role("button", name="Next").click()
    expect(tour.get_by_text("What will the correlation")).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: state(page)["dose"] == ["1.0"])  # not before the guess
    tour.get_by_role("button", name="Fall by half").click()
    expect(tour.get_by_text("Not “Fall by half”, but “Hardly move”.")).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: state(page)["dose"] == ["2.0"])
    tour.get_by_role("button", name="Next").click()
    expect(tour.get_by_text("3 of 5")).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: state(page)["target"] == ["Monocyte"])
    tour.get_by_role("button", name="Back").click()
    expect(tour.get_by_text("You saw it coming").or_(tour.get_by_text("Not “Fall by half”"))).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: state(page)["dose"] == ["2.0"])
    page.get_by_role("button", name="End the tour").click()
    expect(tour).to_have_count(0, timeout=LONG)


def test_a_link_begins_a_presentation_and_a_button_ends_it(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B&dose=0.7&present=1")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page)
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    until(page, lambda: state(page)["dose"] == ["0.7"])
    until(page, lambda: state(page)["present"] == ["1"])
    wide = page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert wide
    page.get_by_role("button", name="End the presentation").click()
    expect(page.get_by_test_id("stSidebar")).to_be_visible(timeout=LONG)
    at_rest(page)
    until(page, lambda: "present" not in state(page))


def test_a_dropped_connection_comes_back_to_the_same_state(page: Page, app_url: str, only_this_machine: list[str]) -> None:
    lines: list[WebSocketRoute] = []

    def through(line: WebSocketRoute) -> None:
        line.connect_to_server()
        lines.append(line)

    page.route_web_socket("**/_stcore/stream*", through)
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B&dose=0.7")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page)
    page.get_by_role("slider", name="Dose").press("ArrowRight")
    at_rest(page)
    before = state(page)
    assert before["dose"] != ["0.7"]
    lines[-1].close()
    page.wait_for_function("() => true")
    for _ in range(300):
        if len(lines) > 1:
            break
        page.wait_for_timeout(100)
    assert len(lines) > 1  # the page has connected again by itself
    at_rest(page, 1500)
    until(page, lambda: state(page) == before)
    page.get_by_role("slider", name="Dose").press("ArrowRight")
    at_rest(page)
    until(page, lambda: float(state(page)["dose"][0]) > float(before["dose"][0]))
    said = "when disconnected from server"  # by Streamlit, where a timer or a figure had something to tell in the meantime
    only_this_machine[:] = [line for line in only_this_machine if said not in line]


@pytest.mark.parametrize("system", ["cells", "images", "proteins", "tomography"])
def test_every_step_of_a_tour_is_a_state_of_its_page(system: str) -> None:
    import importlib

    from gen_core import catalog

    steps = importlib.import_module(f"app.tours.{system}").STEPS
    assert len(steps) == 5
    assert any(step.guess is not None for step in steps)
    for step in steps:
        assert step.recipe.operation.startswith(f"{system}.")
        assert catalog.from_query(step.recipe.query(), step.recipe.operation) == step.recipe
        if step.guess is not None:
            assert 0 <= step.guess.right < len(step.guess.options)
