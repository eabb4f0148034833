"""The images page as its user: a walk that plays, a mix beside its truth, an edit, an own picture, an export reopened."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import asked, click_in, until

Rest = Callable[[Page], None]
LONG = 90_000


def state(page: Page) -> dict[str, list[str]]:
    return asked(page)


def turn(page: Page, verb: str, rest: Rest) -> None:
    page.get_by_role("radio", name=verb, exact=True).click()
    page.wait_for_timeout(300)
    rest(page)
    assert not page.get_by_test_id("stException").count()


def test_through_the_verbs(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/images")
    page.get_by_test_id("latentPlayer").wait_for(timeout=LONG)
    rest(page)
    expect(page.get_by_text("synthetic: rendered").first).to_be_visible()
    expect(page.get_by_test_id("latentPlayer").locator("canvas")).to_have_count(2)  # straight, and along the sphere

    page.get_by_text("Styles only").click()
    expect(page.get_by_test_id("latentPlayer").locator("canvas")).to_have_count(3, timeout=LONG)  # and a plain autoencoder
    rest(page)

    turn(page, "Mix", rest)
    expect(page.get_by_text("Rendered", exact=False).first).to_be_visible(timeout=LONG)
    page.get_by_text("What AdaIN does here").click()
    expect(page.get_by_text("Coarse: kept")).to_be_visible()
    page.get_by_test_id("stButtonGroup").get_by_text("Coarse").click()
    rest(page)
    expect(page.get_by_text("Coarse: switched")).to_be_visible()
    page.get_by_text("How good this model is").click()
    expect(page.get_by_text("at least 26.0")).to_be_visible()
    expect(page.get_by_text("Swap score S").first).to_be_visible()
    until(page, lambda: state(page)["operation"] == ["images.mix"])

    turn(page, "Edit", rest)
    slider = page.get_by_role("slider", name="Grain size").first
    slider.focus()
    slider.press("ArrowRight")
    page.wait_for_timeout(300)
    rest(page)
    until(page, lambda: "grain_size" in state(page)["directions"][0])
    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-grid-png button").first.click()
    arriving.value.save_as(tmp_path / "grid.png")
    with Image.open(tmp_path / "grid.png") as sheet:
        assert sheet.size[0] > 64

    turn(page, "Sample", rest)
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "grid.png")
    page.wait_for_url("**/images?*", timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_walk_plays_once_by_itself_where_motion_is_welcome(page: Page, app_url: str, rest: Rest, motion: str) -> None:
    page.emulate_media(reduced_motion=motion)
    page.goto(f"{app_url}/images")
    page.get_by_test_id("latentPlayer").wait_for(timeout=LONG)
    rest(page)
    expect(page.get_by_test_id("playerText")).to_have_text("16 of 16" if motion == "no-preference" else "1 of 16", timeout=10_000)
    expect(page.get_by_test_id("playerPlay")).to_have_attribute("aria-label", "Play")


def test_an_own_picture_and_one_that_is_none(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/images?operation=images.invert&image=3&steps=0")
    expect(page.get_by_text("What is left").first).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("button", name="Use your own picture").click()
    files = page.get_by_test_id("stPopoverBody").locator("input[type=file]")
    files.set_input_files({"name": "cut.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\nrubbish"})
    page.wait_for_timeout(500)
    rest(page)
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert").first).to_be_visible()
    until(page, lambda: state(page)["image"] == ["3"])  # what was there stays
    files.set_input_files({"name": "mine.png", "mimeType": "image/png", "buffer": noise(0, 80, 120)})
    page.wait_for_timeout(500)
    rest(page)
    until(page, lambda: state(page)["image"][0].startswith("sha256:"))
    expect(page.get_by_text("not of the kind the model learned").first).to_be_visible(timeout=LONG)
    page.keyboard.press("Escape")
    expect(page.get_by_text("Your picture", exact=True)).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Picture (seed)")).to_have_count(0)  # it is no seed that is shown
    turn(page, "Walk", rest)
    expect(page.get_by_text("The micrograph beside your own is synthetic")).to_be_visible(timeout=LONG)
    turn(page, "Map", rest)  # which looks at no picture
    turn(page, "Edit", rest)
    until(page, lambda: state(page)["seed"][0].startswith("sha256:"))
    turn(page, "Mix", rest)
    until(page, lambda: "sha256:" in state(page)["content_seeds"][0])  # it goes along


def test_a_model_of_ones_own_pictures(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/images?operation=images.sample&n=4")
    page.get_by_text("Learn from your own pictures").click(timeout=LONG)
    rest(page)
    pictures = [{"name": f"{i}.png", "mimeType": "image/png", "buffer": noise(i, 70, 64)} for i in range(24)]
    files = page.get_by_test_id("stExpanderDetails").locator("input[type=file]")
    files.set_input_files(pictures[:1])
    page.wait_for_timeout(500)
    rest(page)
    expect(page.get_by_text("at least 20 pictures are needed").first).to_be_visible(timeout=LONG)
    files.set_input_files(pictures)
    page.wait_for_timeout(500)
    rest(page)
    page.get_by_role("spinbutton", name="Epochs").fill("2")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**model=sha256*", timeout=2 * LONG)  # trained, and taken up
    rest(page)
    assert "Your pictures" in page.get_by_role("combobox", name="Model").input_value()
    turn(page, "Edit", rest)
    expect(page.get_by_text("Found without labels")).to_be_visible()
    expect(page.get_by_role("slider", name="Grain size")).to_have_count(0)


def noise(seed: int, high: int, wide: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 255, (high, wide, 3), np.uint8)).save(out, "png")
    return out.getvalue()


def test_the_map_draws_an_empty_spot_and_sums_up_a_lasso_that_outlives_a_reload(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/images?operation=images.map")
    drag = page.get_by_test_id("latentFigure").locator(".nsewdrag")
    drag.wait_for(timeout=LONG)
    rest(page)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=latentFigure]')].some((one) => one.watched)", timeout=LONG
    )
    before = state(page)["spot"]
    click_in(page, drag, 0.02, 0.03)
    expect(page.get_by_text("hardly any picture lies here")).to_be_visible(timeout=LONG)
    rest(page)
    until(page, lambda: state(page)["spot"] != before)
    box = drag.bounding_box()
    assert box
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])  # noqa: E731
    page.mouse.move(*at(0.3, 0.3))
    page.mouse.down()
    for corner in ((0.6, 0.3), (0.6, 0.7), (0.3, 0.7)):
        page.mouse.move(*at(*corner), steps=5)
    page.mouse.up()
    expect(page.get_by_text("The region:")).to_be_visible(timeout=LONG)
    rest(page)
    was = state(page)
    assert was["region"] != ["null"]
    page.reload()
    expect(page.get_by_text("The region:")).to_be_visible(timeout=LONG)
    rest(page)
    until(page, lambda: state(page) == was)
    page.get_by_role("button", name="Forget the region").click()
    expect(page.get_by_text("The region:")).to_have_count(0, timeout=LONG)
    rest(page)
    until(page, lambda: state(page)["region"] == ["null"])
    until(page, lambda: state(page)["spot"] == was["spot"])


def test_links_of_what_has_no_verb(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/images?operation=images.decode&z=[[0.5,-1],[0,0]]")
    expect(page.get_by_text("2 latent vectors of 2 numbers.")).to_be_visible(timeout=LONG)
    rest(page)
    until(page, lambda: state(page)["operation"] == ["images.decode"])
    page.goto(f"{app_url}/images?operation=images.train&epochs=3")
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("3", timeout=LONG)
    rest(page)
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_role("radio", name="Decode", exact=True).count()
