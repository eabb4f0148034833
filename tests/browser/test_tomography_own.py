"""What a user brings to the tomography page beside a slice: slices to learn from, a sinogram of unknown axis; and long work."""

from __future__ import annotations

import io
import re

import numpy as np
from playwright.sync_api import Page, expect

from gen_core.tomography import measure, phantoms
from gen_core.tomography.geometry import scanner
from tests.browser.conftest import click_in, until
from tests.browser.test_tomography import LONG, Rest, add, finished, opened, state

PLAIN = "size=64&methods=[%22fbp%22]"


def test_the_error_over_ranges_is_measured_and_own_slices_are_learned_from(page: Page, app_url: str, rest: Rest) -> None:
    opened(page, f"{app_url}/tomography?operation=tomography.ranges&{PLAIN}&ranges=[120,60]&repeats=2")
    rest(page)
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("Its table and drawing are under Runs")).to_be_visible(timeout=LONG)
    rest(page)
    figure = page.get_by_role("figure", name="PSNR of each method against the range of angles covered, with intervals")
    expect(figure).to_contain_text("Angles covered (degrees)")

    values = np.stack(
        [np.roll(phantoms.hounsfield(phantoms.image(phantoms.phantom("thorax", 1), 64)), k // 6) for k in range(36)]
    )
    out = io.BytesIO()
    np.save(out, values.astype(np.float32))
    page.get_by_text("A prior of your own slices").click()
    rest(page)
    file = {"name": "few.npy", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
    page.locator("input[type=file]").last.set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("36 slices out of few.npy")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Train").click()
    page.get_by_role("button", name="Cancel").click(timeout=LONG)
    expect(page.get_by_text("This was cancelled")).to_be_visible(timeout=LONG)
    rest(page)  # its buttons come after its words, and the panel above has such buttons too
    page.get_by_role("button", name="Delete").last.click()
    expect(page.get_by_text("This was cancelled")).to_have_count(0, timeout=LONG)
    rest(page)


def test_a_click_on_a_picture_sets_the_axis_and_the_way_round(page: Page, app_url: str, rest: Rest) -> None:
    geometry = scanner(64, 60, 180, rotation_centre=4.0)
    data = measure.measured(measure.clean(phantoms.phantom("thorax", 3), geometry), 0.01).sinogram
    out = io.BytesIO()
    np.savez(out, sinogram=data[:, ::-1].astype(np.float32), angles=np.array(geometry.angles))
    opened(page, f"{app_url}/tomography?{PLAIN}")
    add(page, 1, {"name": "scan.npz", "mimeType": "application/octet-stream", "buffer": out.getvalue()})
    expect(page.get_by_text("Back to images")).to_be_visible(timeout=LONG)
    rest(page)
    finished(page)
    page.get_by_role("tab", name="Axis and turn").click()
    expect(page.get_by_text("Click the right one.")).to_contain_text("is −4.", timeout=LONG)
    rest(page)
    figure = page.get_by_role("figure", name="Small reconstructions for each way round")
    click_in(page, figure.locator(".nsewdrag").first, 0.5, 0.375)  # second row, the middle one
    expect(page).to_have_url(re.compile("detector_flipped=true"), timeout=LONG)
    rest(page)
    finished(page)
    until(page, lambda: state(page)["clockwise"] == ["false"])
    until(page, lambda: abs(float(state(page)["rotation_centre"][0]) + 4) < 0.7)


def test_a_slice_arrives_while_a_job_is_under_way(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B")
    expect(page.get_by_text("Train a latent space on these cells")).to_be_visible(timeout=LONG)
    rest(page)
    page.get_by_text("Train a latent space on these cells").click()
    page.get_by_role("button", name="Train", exact=True).click(timeout=LONG)
    expect(page.get_by_role("button", name="Cancel")).to_be_visible(timeout=LONG)
    page.goto(f"{app_url}/tomography?{PLAIN}")
    expect(page.get_by_text("Evidence", exact=True)).to_be_visible(timeout=LONG)
    for seed in (1, 2):  # the line in the sidebar, which runs by itself, tells of the uploader once more
        out = io.BytesIO()
        np.save(out, phantoms.hounsfield(phantoms.image(phantoms.phantom("thorax", seed), 64)).astype(np.float32))
        add(page, 0, {"name": f"slice{seed}.npy", "mimeType": "application/octet-stream", "buffer": out.getvalue()})
        page.wait_for_timeout(6000)  # more than the time between two lines
        expect(page).to_have_url(re.compile("image=sha256"), timeout=LONG)
        assert not page.get_by_test_id("stException").count()
    page.goto(f"{app_url}/cells?operation=cells.perturb&data=simulated&target=B")
    page.get_by_role("button", name="Cancel").or_(page.get_by_role("button", name="Delete")).first.click(timeout=LONG)
