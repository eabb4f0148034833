"""The plane as its user: a click on an empty spot draws it, another beta is another plane, the last one says nothing."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import asked, click_in, until

Rest = Callable[[Page], None]
LONG = 90_000


def state(page: Page) -> dict[str, list[str]]:
    return asked(page)


def test_click_turn_and_collapse(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/images?operation=images.plane&beta=30")
    plot = page.get_by_test_id("latentFigure").filter(visible=True).first
    plot.locator(".plotly").first.wait_for(timeout=LONG)
    rest(page)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=latentFigure]')].some((one) => one.watched)", timeout=LONG
    )
    expect(page.get_by_text("evidence bound").first).to_be_visible()
    click_in(page, plot.locator(".nsewdrag").first, 0.75, 0.25)
    z = [float(part) for part in state(page)["z"][0].strip("[]").split(",")]
    assert min(z) > 0.5  # to the right and above the middle
    expect(page.get_by_role("spinbutton", name="z₁").first).to_have_value(f"{z[0]:.2f}")

    slider = page.get_by_role("slider", name="β").first
    slider.focus()
    slider.press("End")
    page.wait_for_timeout(500)
    rest(page)
    until(page, lambda: state(page)["beta"] == ["3000.0"])
    expect(page.get_by_text("posterior collapse").first).to_be_visible(timeout=LONG)
    assert not page.get_by_test_id("stException").count()
