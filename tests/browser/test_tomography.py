"""The tomography page as its user: the range is moved and FBP follows, real slices are brought, what is invented is looked at, an
export comes back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.conftest import asked, click_in, until

Rest = Callable[[Page], None]
LONG = 120_000
SMALL = "size=64&methods=[%22fbp%22,%22sirt%22,%22gaussian%22]&posterior_samples=2"  # all of it in few seconds


def state(page: Page) -> dict[str, list[str]]:
    return asked(page)


def opened(page: Page, url: str) -> None:
    """The page in a state, until its whole result is there."""
    page.goto(url)
    finished(page)


def finished(page: Page) -> None:
    expect(page.get_by_text("Evidence", exact=True)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stProgress")).to_have_count(0, timeout=LONG)
    assert not page.get_by_test_id("stException").count()


def add(page: Page, which: int, file: Path | dict[str, object]) -> None:
    """Give a file to one of the uploaders beside the choice of slices: 0 for images, 1 for sinograms."""
    page.get_by_test_id("stMain").get_by_test_id("stPopoverButton").first.click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").nth(which).set_input_files(file)  # type: ignore[arg-type]


def choose(page: Page, name: str, rest: Rest) -> None:
    page.get_by_role("radio", name=name, exact=True).click()
    page.wait_for_timeout(300)
    rest(page)
    finished(page)


def test_the_range_is_followed_and_an_export_comes_back(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    opened(page, f"{app_url}/tomography?{SMALL}")
    rest(page)
    pictures = page.get_by_test_id("latentFigure").filter(visible=True).first
    expect(pictures).to_contain_text("90 views, 90°")
    slider = page.get_by_role("slider", name="Angles covered")
    slider.focus()
    for _ in range(5):
        slider.press("ArrowLeft")
    expect(pictures).to_contain_text("85 views, 85°", timeout=LONG)
    rest(page)
    finished(page)
    until(page, lambda: state(page)["angle_range"] == ["85.0"])
    until(page, lambda: state(page)["views"] == ["85"])

    choose(page, "Invented", rest)
    expect(pictures).to_contain_text("of its energy")
    choose(page, "Uncertainty", rest)
    expect(pictures).to_contain_text("90 % intervals hold")
    choose(page, "Image", rest)
    page.get_by_text("Put a lesion in").click()
    page.wait_for_timeout(300)
    rest(page)
    finished(page)
    before = state(page)["lesion"]
    click_in(page, pictures.locator(".nsewdrag").first, 0.6, 0.5)
    page.wait_for_function("before => !new URL(location).searchParams.getAll('lesion').includes(before)", arg=before[0])
    rest(page)
    finished(page)
    page.get_by_role("tab", name="Lesion").click()
    expect(page.get_by_text("Share of it that no view has measured")).to_be_visible(timeout=LONG)
    rest(page)

    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-gaussian-dcm button").first.click()
    arriving.value.save_as(tmp_path / "gaussian.dcm")
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "gaussian.dcm")
    page.wait_for_url("**/tomography?*", timeout=LONG)
    rest(page)
    finished(page)
    until(page, lambda: state(page) == was)


def test_real_slices_are_told_from_what_the_prior_knows(
    page: Page, app_url: str, app_home: Path, rest: Rest, data_folder: Path
) -> None:
    opened(page, f"{app_url}/tomography?{SMALL}")
    rest(page)
    add(page, 0, data_folder / "tomography/lungmask_thorax.dcm")
    expect(page.get_by_text("unlike those that the prior learned from")).to_be_visible(timeout=LONG)
    rest(page)
    expect(page.get_by_text("They never saw a patient").first).to_be_visible()
    expect(page.get_by_text("Not a medical device").first).to_be_visible()
    assert "lungmask" not in page.content()  # a DICOM file's name may be a patient's
    assert "lungmask" not in "".join(path.read_text() for path in (app_home / "store").glob("*.json"))
    until(page, lambda: state(page)["image"][0].startswith("sha256:"))
    add(page, 0, data_folder / "tomography/totalsegmentator_trunk_3mm.nii.gz")
    expect(page.get_by_role("slider", name="Slice")).to_be_visible(timeout=LONG)
    rest(page)
    finished(page)
    until(page, lambda: state(page)["slice"] == ["56"])  # of 112, the middle one
    page.get_by_role("slider", name="Slice").press("ArrowRight")
    page.wait_for_timeout(300)
    rest(page)
    finished(page)
    until(page, lambda: state(page)["slice"] == ["57"])


def test_a_measured_sinogram_has_no_truth_and_may_lack_its_angles(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/tomography?{SMALL}")
    rest(page)
    out = io.BytesIO()
    step = np.linspace(-1, 1, 92)
    np.savez(out, sinogram=np.tile(np.sqrt(np.maximum(0, 0.4 - step**2)), (40, 1)).astype(np.float32))
    add(page, 1, {"name": "mine.npz", "mimeType": "application/zip", "buffer": out.getvalue()})
    expect(page.get_by_text("There are no angles in this file")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_role("textbox", name="Angles of the views").fill("0:117:3")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No truth is known")).to_be_visible(timeout=LONG)
    rest(page)
    finished(page)
    assert page.get_by_role("radio", name="Error", exact=True).count() == 0
    until(page, lambda: state(page)["image"] == ["null"])
    page.get_by_role("button", name="Back to images").click()
    page.wait_for_timeout(300)
    rest(page)
    finished(page)
    expect(page.get_by_test_id("latentFigure").filter(visible=True).first).to_contain_text("Truth")
