"""A latent space trained from the page on real cells: through a reload, a cancel and a killed worker, to a kept run."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import asked, click_in, until

KANG = "cells/kang2018_harmony_counts_2000x9015.h5ad"
Rest = Callable[[Page], None]
PATIENCE = 600_000  # ms: only a bound, a busy machine is slow


def until_epoch(page: Page, least: int) -> None:
    page.wait_for_function(
        """least => {
            const bar = document.querySelector('[data-testid="stProgress"]');
            const found = bar && /epoch (\\d+)/i.exec(bar.innerText);
            return found && Number(found[1]) >= least;
        }""",
        arg=least,
        timeout=PATIENCE,
    )


def workers(home: Path) -> list[int]:
    """Processes of the app with this store that hold torch and are not the server: those that train."""
    found = []
    for path in Path("/proc").glob("[0-9]*/maps"):
        try:
            mine = f"LATENT_HOME={home}".encode() in (path.parent / "environ").read_bytes().split(b"\0")
            command = (path.parent / "cmdline").read_bytes()
            if mine and b"streamlit" not in command and b"libtorch" in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_training_from_the_page(page: Page, app_url: str, app_home: Path, rest: Rest, data_folder: Path) -> None:
    page.goto(f"{app_url}/cells")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    page.get_by_role("button", name="add", exact=False).first.click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").first.set_input_files(data_folder / KANG)
    page.wait_for_timeout(500)
    rest(page)
    page.keyboard.press("Escape")
    page.get_by_text("Train a latent space on these cells").click()
    page.get_by_role("spinbutton", name="Epochs").fill("20")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    rest(page)
    page.get_by_role("button", name="Train", exact=True).click()
    until_epoch(page, 1)
    page.reload()  # in mid-training: the same job, still under way
    until_epoch(page, 2)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE)
    expect(page.get_by_text("This was cancelled")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    until_epoch(page, 3)
    for _ in range(600):
        if killed := workers(app_home):
            break
        page.wait_for_timeout(100)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    assert killed
    expect(page.get_by_text("The trained latent space").first).to_be_visible(timeout=PATIENCE)
    rest(page)

    # the leave-one-out table holds the model, the baselines and the ceiling
    table = page.get_by_test_id("stTable").first
    for name in ("Latent shift", "No change", "Balanced mean", "Nearest type", "Similarity-weighted", "Ceiling"):
        expect(table.get_by_text(name).first).to_be_visible()
    choice = page.get_by_test_id("stSelectbox").filter(has_text="Latent space")
    if "Trained" not in choice.inner_text():
        choice.locator("input").click()
        page.get_by_role("option", name="Trained").click()
        rest(page)
    expect(page.get_by_text("How alike the types respond")).to_be_visible()

    rest(page)
    figures = page.get_by_test_id("latentFigure").all()
    narrow = next(figure for figure in figures if (box := figure.bounding_box()) and box["width"] < 500)
    click_in(page, narrow, 0.9, 0.25)
    expect(page.get_by_text("The clicked spot")).to_be_visible()
    state = asked(page)
    assert state["model"][0].startswith("sha256:")
    assert state["spot"][0] != "null"

    page.get_by_role("button", name="Keep this run").click()
    page.get_by_role("link", name="Kept: see Runs").click(timeout=60_000)
    page.wait_for_selector("text=Reopen", timeout=60_000)
    rest(page)
    page.get_by_role("button", name="Reopen").first.click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    until(page, lambda: asked(page) == state)
    expect(page.get_by_text("The clicked spot")).to_be_visible()
    page.get_by_role("link", name="Runs", exact=True).click()
    rest(page)
    expect(page.get_by_text("Trained models")).to_be_visible()
    page.get_by_role("link", name="Use it").first.click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    used = asked(page)
    assert {name: used[name] for name in ("model", "target", "predictor")} == {
        "model": state["model"],
        "target": state["target"],
        "predictor": ["latent"],
    }


def test_the_arrow_on_the_map_is_dragged_to_another_dose(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/cells?target=T+helper&model=cells-simulated-2d&predictor=latent")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=90_000)
    rest(page)
    dot = page.get_by_test_id("latentFigure").filter(visible=True).first.locator(".annotation-text-g").filter(has_text="⬤").first
    box = dot.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 15, steps=3)
    page.mouse.move(x, y - 35, steps=4)  # back towards the control cells
    page.mouse.up()
    page.wait_for_timeout(500)
    rest(page)
    state = asked(page)
    assert 0 < float(state["dose"][0]) < 0.9
    assert state["spot"] == ["null"]  # a drag is no click
    expect(page.get_by_test_id("stSlider").first.get_by_text(f"{float(state['dose'][0]):.2f}")).to_be_visible()
