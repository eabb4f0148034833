"""The cells page as its user: from the first look to the reopened export, and through a bad day."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlparse

import anndata as ad
import pytest
from playwright.sync_api import Page, expect

from gen_core import catalog
from gen_core.cells import simulate
from tests.browser.conftest import asked, click_in, until

KANG = "cells/kang2018_harmony_counts_2000x9015.h5ad"
Rest = Callable[[Page], None]


def state(page: Page) -> dict[str, str]:
    """The recipe in the link, without the fields that name the software."""
    return {name: values[0] for name, values in asked(page).items()}


def metric(page: Page) -> str:
    return page.get_by_test_id("stMetricValue").first.inner_text()


def upload(page: Page, file: Path | dict, rest: Rest) -> None:
    page.get_by_role("button", name="add", exact=False).first.click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").first.set_input_files(file)
    page.wait_for_timeout(500)
    rest(page)
    page.keyboard.press("Escape")


def open_exported(page: Page, file: Path, rest: Rest) -> None:
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(file)
    page.wait_for_timeout(500)
    rest(page)


def save(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as arriving:
        page.locator(f".st-key-export-{name.replace('.', '-')} button").first.click()
    arriving.value.save_as(folder / name)
    return folder / name


def click_map(page: Page, x: float, y: float, rest: Rest) -> None:
    click_in(page, page.get_by_test_id("latentFigure").filter(visible=True).first, x, y)
    rest(page)


def test_first_minute_to_the_reopened_export(page: Page, app_url: str, rest: Rest, data_folder: Path, tmp_path: Path) -> None:
    page.goto(app_url)
    rest(page)
    page.get_by_role("link", name="Cells", exact=True).first.click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    # a result and its controls are seen without scrolling, and the page says that these cells are synthetic
    picture = page.get_by_test_id("latentFigure").filter(visible=True).first.bounding_box()
    assert picture
    assert picture["y"] + picture["height"] < 900
    expect(page.get_by_test_id("stSlider").first).to_be_in_viewport()
    expect(page.get_by_text("synthetic: made by a simulator")).to_be_visible()

    upload(page, data_folder / KANG, rest)
    expect(page.get_by_text("Your data stays on this machine.").first).to_be_attached()
    asked = state(page)
    assert asked["data"].startswith("sha256:")
    assert (asked["condition_key"], asked["control"], asked["perturbed"]) == ("condition", "control", "stimulated")
    assert asked["cell_type_key"] == "cell_type_transferred"

    before = metric(page)
    page.get_by_role("slider").first.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(500)
    rest(page)
    until(page, lambda: state(page)["dose"] == "0.6")
    assert metric(page) != before
    expect(page.get_by_text("Similarity-weighted").first).to_be_attached()
    expect(page.get_by_role("heading", name="Evidence")).to_be_attached()

    click_map(page, 0.8, 0.4, rest)
    expect(page.get_by_text("The clicked spot")).to_be_visible(timeout=60_000)
    until(page, lambda: state(page)["spot"] != "null")

    was, number = state(page), metric(page)
    exported = {name: save(page, name, tmp_path) for name in ("predicted.h5ad", "genes.csv", "recipe.json", "map.html")}
    adata = ad.read_h5ad(exported["predicted.h5ad"])
    assert adata.obs["dose"].eq(0.6).all()
    assert KANG.rpartition("/")[2] not in exported["recipe.json"].read_text()

    page.get_by_role("button", name="Reset", exact=True).click()
    rest(page)
    until(page, lambda: state(page)["data"] == "simulated")
    for file in exported.values():
        page.goto(app_url)
        rest(page)
        open_exported(page, file, rest)
        page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
        rest(page)
        until(page, lambda: state(page) == was)
        assert metric(page) == number
        expect(page.get_by_text("The clicked spot")).to_be_visible(timeout=60_000)
    assert catalog.from_query(urlparse(page.url).query, "cells.perturb") == catalog.from_file(exported["genes.csv"])


def test_presets_traps_and_the_genes(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/cells")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    for name, told in (
        ("A dose that was never given", "5.5"),
        ("Pathways", "Dendritic"),
        ("A type with a near relative", "T cytotoxic"),
    ):
        page.get_by_role("button", name=name).click()
        where = re.compile(f"(dose|target)={told.replace(' ', '(%20|[+])')}")
        page.wait_for_url(where)
        rest(page)
        assert told in (state(page)["dose"], state(page)["target"])
        assert not page.get_by_test_id("stException").count()
    page.get_by_role("button", name="A dose that was never given").click()
    rest(page)
    page.get_by_role("button", name="Question").click()
    page.get_by_test_id("stPopoverBody").get_by_test_id("stSelectbox").filter(has_text="Dose column").get_by_label(
        "Clear"
    ).click()
    rest(page)
    page.keyboard.press("Escape")
    until(
        page, lambda: (state(page)["dose_key"], state(page)["dose"]) == ("null", "1.0")
    )  # a concentration does not become a multiple
    page.get_by_role("button", name="Pathways").click()
    rest(page)
    page.get_by_text("Gene sets", exact=True).first.click()
    rest(page)
    expect(page.get_by_text("Mean change of the set's genes")).to_be_visible()
    for view, told in (("Table", "The magnifier at the corner"), ("Violins", "keep their own noise")):
        page.get_by_text(view, exact=True).first.click()
        rest(page)
        expect(page.get_by_text(told)).to_be_visible()
    page.get_by_text("What can mislead you here").click()
    page.get_by_role("button", name="Show me").first.click()
    rest(page)
    until(page, lambda: (state(page)["target"], state(page)["predictor"]) == ("Monocyte", "gene_shift"))


def test_the_map_of_all_cells_and_back_to_the_question(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/cells?target=B&dose=0.5")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    before = state(page)
    page.get_by_role("radio", name="Map", exact=True).click()
    rest(page)
    expect(page.get_by_text("Colour by")).to_be_visible()
    click_map(page, 0.5, 0.5, rest)
    link = page.url
    until(page, lambda: state(page)["operation"] == "cells.decode")
    page.get_by_role("radio", name="Response", exact=True).click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    until(page, lambda: state(page) == before)
    page.goto(link)
    rest(page)
    expect(page.get_by_text("The clicked spot")).to_be_visible(timeout=60_000)
    assert page.url == link


def test_cells_without_a_treatment_are_a_map(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/cells?operation=cells.decode&data=pbmc68k_reduced")
    rest(page)
    expect(page.get_by_text("Colour by")).to_be_visible()
    click_map(page, 0.5, 0.5, rest)
    expect(page.get_by_text("The clicked spot")).to_be_visible(timeout=60_000)
    until(page, lambda: state(page)["operation"] == "cells.decode")
    profile = save(page, "profiles.csv", tmp_path)
    assert catalog.from_file(profile).z == catalog.from_query(urlparse(page.url).query, "cells.decode").z
    page.goto(page.url)
    rest(page)
    expect(page.get_by_text("The clicked spot")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Forget the spot").click()
    rest(page)
    expect(page.get_by_text("The clicked spot")).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("dose=lots", "dose: 'lots' is not allowed"),
        ("does=1", "did you mean 'dose'"),
        ("operation=cells.pertub", "did you mean 'cells.perturb'"),
        ("data=..%2F..%2Fetc%2Fpasswd", "neither a bundled name nor the digest"),
        ("data=<script>alert(1)</script>", "neither a bundled name nor the digest"),
        ("operation=cells.nothing", "There is no operation"),
    ],
)
def test_a_link_with_nonsense_is_one_sentence_and_the_page_goes_on(
    page: Page, app_url: str, rest: Rest, query: str, sentence: str
) -> None:
    page.goto(f"{app_url}/cells?{query}")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    alert = page.get_by_test_id("stAlert").filter(has_text="The link could not be opened")
    expect(alert).to_have_count(1)
    expect(alert).to_contain_text(sentence)


def test_a_link_to_a_file_that_is_not_here_asks_for_it(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    (tmp_path / "cells").mkdir()
    adata[adata.obs.donor != "donor 1"].write_h5ad(tmp_path / "cells/three.h5ad")
    import hashlib

    digest = hashlib.sha256((tmp_path / "cells/three.h5ad").read_bytes()).hexdigest()
    page.goto(f"{app_url}/cells?data=sha256:{digest}&target=B&dose=0.75")
    rest(page)
    expect(page.get_by_text("is not on this machine").first).to_be_visible()
    missing = page.locator("[data-testid=stMain] input[type=file]").first
    missing.set_input_files({"name": "other.h5ad", "mimeType": "application/octet-stream", "buffer": b"something else"})
    rest(page)
    expect(page.get_by_text("This is another file")).to_be_visible()
    page.locator("[data-testid=stMain] input[type=file]").first.set_input_files(tmp_path / "cells/three.h5ad")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    until(page, lambda: state(page)["target"] == "B")
    until(page, lambda: state(page)["dose"] == "0.75")


def bad_files(folder: Path) -> dict[str, tuple[Path, str]]:
    """Files of a bad day, each with a word of the sentence it must give."""
    whole = simulate.single_dose().read_bytes()
    adata = ad.read_h5ad(simulate.single_dose())
    adata[:5].write_h5ad(folder / "five.h5ad")
    one = adata[adata.obs.condition == "control"].copy()
    one.write_h5ad(folder / "one_condition.h5ad")
    scaled = adata.copy()
    scaled.X = scaled.X.toarray() - scaled.X.toarray().mean(0)
    scaled.write_h5ad(folder / "scaled.h5ad")
    (folder / "text.h5ad").write_text("gene,cell\n")
    (folder / "cut.h5ad").write_bytes(whole[: len(whole) // 2])
    told = {"text": "", "cut": "", "five": "at least 10", "one_condition": "one condition only", "scaled": "negative"}
    return {name: (folder / f"{name}.h5ad", sentence) for name, sentence in told.items()}


def test_a_bad_day(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/cells")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    for name, (file, told) in bad_files(tmp_path).items():
        before, number = state(page), metric(page)
        page.get_by_role("button", name="add", exact=False).first.click()
        popover = page.get_by_test_id("stPopoverBody")
        popover.locator("input[type=file]").first.set_input_files(file)
        page.wait_for_timeout(500)
        rest(page)
        alerts = page.get_by_test_id("stAlert")
        expect(alerts.first).to_be_visible()
        said = " ".join(alerts.all_inner_texts())
        assert told in said, (name, said)
        assert not re.search(r"Traceback|Error:|\bNone\b|_key", said), said
        assert not page.get_by_test_id("stException").count()
        if name != "one_condition":  # no cells that can be used: what was there before stays
            expect(popover.get_by_text(f"{name}.h5ad")).to_have_count(0)
            page.keyboard.press("Escape")
            rest(page)
            assert (state(page), metric(page)) == (before, number)
        else:  # cells, but not of this question: they are here, with one sentence
            until(page, lambda: state(page)["data"].startswith("sha256:"))
            page.get_by_role("button", name="Reset", exact=True).click()
            page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
            rest(page)
        until(page, lambda: state(page)["data"] == "simulated")


def test_after_an_error_the_dose_is_what_it_was(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    adata = ad.read_h5ad(simulate.single_dose())
    adata[~((adata.obs.cell_type == "NK") & (adata.obs.condition == "control"))].write_h5ad(tmp_path / "no_control.h5ad")
    page.goto(f"{app_url}/cells")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    upload(page, tmp_path / "no_control.h5ad", rest)
    data = state(page)["data"]
    page.goto(f"{app_url}/cells?data={data}&target=NK&dose=0.6")
    rest(page)
    expect(page.get_by_text("to start from")).to_be_visible()
    until(page, lambda: (state(page)["target"], state(page)["dose"]) == ("NK", "0.6"))
    page.get_by_test_id("stSelectbox").filter(has_text="Cell type to predict").locator("input").click()
    page.get_by_role("option", name="B", exact=True).click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=60_000)
    rest(page)
    until(page, lambda: (state(page)["target"], state(page)["dose"]) == ("B", "0.6"))
    expect(page.get_by_test_id("stSlider").first.get_by_text("0.60")).to_be_visible()


def test_a_file_without_a_recipe_is_told_so(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    page.goto(app_url)
    rest(page)
    open_exported(page, tmp_path / "table.csv", rest)
    expect(page.get_by_text("no recipe").first).to_be_visible()
