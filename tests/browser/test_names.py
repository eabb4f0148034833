"""Names that a stranger chose are shown as they are spelled: nothing in them runs, loads, or leads anywhere, on any page."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import anndata as ad
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from gen_core import runs
from gen_core.cells import simulate
from gen_core.cells.recipe import Perturb
from gen_core.images.recipe import Sample
from gen_core.result import Result
from tests.browser.conftest import at_rest

Rest = Callable[[Page], None]
LONG = 60_000
IMAGE = '<img src=x onerror="window.harmed=1">'
LINK = "[here](javascript:window.harmed=2)"
PICTURE = "![here](https://evil.example/x.png)"  # asked for, it would leave the machine, which fails every browser test
ALL = f"{IMAGE} {LINK} {PICTURE} <svg onload=window.harmed=3> :red[y] $x$"
HARM = 'img[src="x"], img[src*="evil"], svg[onload], a[href*="evil"], a[href^="javascript"], [onerror]'


def harmless(page: Page) -> None:
    """Nothing of a name has become a picture, a link or a formula, and none of it has run."""
    at_rest(page)
    assert page.evaluate("window.harmed") is None
    assert page.locator(HARM).evaluate_all("found => found.map(one => one.outerHTML)") == []
    assert "x" not in page.locator(".katex-mathml mi:only-child").all_inner_texts()
    assert page.get_by_test_id("stException").count() == 0


def shown(page: Page, text: str) -> None:
    """The text stands on the page, letter for letter, but for the sign without width that keeps addresses from being links."""
    told = "text => document.body.innerText.replaceAll('\\u2060', '').includes(text)"
    page.wait_for_function(told, arg=text, timeout=LONG)


@pytest.fixture
def evil_cells(tmp_path: Path) -> Path:
    """Cells whose types, columns, donors, conditions and genes have such names, in a file of such a name."""
    adata = ad.read_h5ad(simulate.single_dose())
    adata.obs["cell_type"] = adata.obs["cell_type"].cat.rename_categories({"B": f"B {IMAGE}", "NK": f"NK {LINK}"})
    adata.obs["donor"] = adata.obs["donor"].cat.rename_categories(lambda donor: f"{donor} {IMAGE}")
    adata.obs["condition"] = adata.obs["condition"].cat.rename_categories({"stimulated": f"stimulated {PICTURE}"})
    adata.obs[f"batch {IMAGE}".replace("/", "")] = pd.Categorical(adata.obs["donor"].astype(str))
    adata.var_names = [f"{gene} {ALL}" for gene in adata.var_names]
    adata.uns, adata.varm, adata.obsm = {}, {}, {}
    path = tmp_path / f"{IMAGE}{LINK}.h5ad".replace("/", "")
    adata.write_h5ad(path)
    return path


def test_cells_genes_columns_and_the_file(page: Page, app_url: str, rest: Rest, evil_cells: Path) -> None:
    page.goto(f"{app_url}/cells")
    page.wait_for_selector('[data-testid="stMetric"]', timeout=LONG)
    rest(page)
    page.get_by_role("button", name="add", exact=False).first.click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").first.set_input_files(evil_cells)
    page.wait_for_timeout(500)
    harmless(page)
    page.keyboard.press("Escape")
    page.get_by_test_id("stSelectbox").filter(has_text="Cell type to predict").locator("input").click()
    page.get_by_role("option", name=f"B {IMAGE}").click()
    page.wait_for_selector('[data-testid="stMetric"]', timeout=LONG)
    harmless(page)
    for name in ("Table", "Violins"):
        page.get_by_role("radio", name=name, exact=True).click()
        harmless(page)
    page.get_by_role("button", name="Question").click()
    harmless(page)
    page.keyboard.press("Escape")
    page.get_by_role("radio", name="Map", exact=True).click()
    harmless(page)


def test_what_a_run_is_called(page: Page, app_url: str, app_home: Path, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_HOME", str(app_home))
    kept = [runs.keep(Result(recipe, None, {}, {"psnr": float(i)}), None) for i, recipe in enumerate((Perturb(), Sample()))]
    try:
        names = (f"{IMAGE} {LINK}", f"{PICTURE} :red[y] $x$")
        for id, name in zip(kept, names, strict=True):
            runs.rename(id, name)
        page.goto(f"{app_url}/runs")
        rest(page)
        for name in names:
            shown(page, name)
        harmless(page)
        for i in range(2):
            page.get_by_role("checkbox").nth(i).press("Space")
            rest(page)
        for i, name in enumerate(reversed(names), 1):
            shown(page, f"{i}. {name}")
        harmless(page)
    finally:
        for id in kept:
            runs.delete(id)


def test_folders_and_files_inside_a_zip(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    path = tmp_path / "runs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i, name in enumerate((IMAGE, LINK)):
            archive.writestr(f"{name}/recipe.json", Sample(seed=i).json())
            archive.writestr(f"{name}/{IMAGE}", "x")
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(path)
    page.wait_for_timeout(500)
    rest(page)
    page.get_by_role("combobox", name="This file holds 2 results").click()
    expect(page.get_by_role("option", name=IMAGE)).to_be_visible(timeout=LONG)
    harmless(page)


def test_sequences_to_score(page: Page, app_url: str, rest: Rest) -> None:
    row = "TSENPLLALREKISALDEKLLALLAERRELAVEVGKAKLLSHRPVRDIDRERDLLERLITLGKAHHLDAHYITRLFQLIIEDSVLTQQALLQQH"
    names = [IMAGE.replace(" ", "/"), LINK, PICTURE, "<svg/onload=window.harmed=3>", "=HYPERLINK(1)"]
    text = "".join(f">{name} {ALL}\n{row[:i]}A{row[i + 1 :]}\n" for i, name in enumerate(names))
    page.goto(f"{app_url}/proteins?operation=proteins.score&sequences=chorismate_mutase_designs")
    expect(page.get_by_text("of 48 pass all filters")).to_be_visible(timeout=LONG)
    rest(page)
    file = {"name": f"{IMAGE}.fasta", "mimeType": "text/plain", "buffer": text.encode()}
    page.get_by_test_id("stFileUploader").filter(visible=True).first.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("of 5 pass all filters")).to_be_visible(timeout=LONG)
    harmless(page)
    for tab in page.get_by_role("tab").all():
        tab.click()
        harmless(page)


@pytest.mark.parametrize(
    "instrument", ["images", "cells", "proteins", "tomography", "defects", "poisson", "symmetry", "detector"]
)
def test_a_link(page: Page, app_url: str, rest: Rest, instrument: str) -> None:
    page.goto(f"{app_url}/{instrument}?{quote(IMAGE)}={quote(ALL)}&operation={instrument}.{quote(ALL)}")
    expect(page.get_by_test_id("stAlert").filter(has_text="The link could not be opened")).to_be_visible(timeout=LONG)
    harmless(page)
    page.goto(f"{app_url}/{instrument}?{quote(ALL)}={quote(ALL)}")
    expect(page.get_by_test_id("stAlert").filter(has_text="The link could not be opened")).to_be_visible(timeout=LONG)
    harmless(page)
    page.goto(f"{app_url}/{instrument}?" + "&".join(f"a{i}=1" for i in range(300)))
    expect(page.get_by_test_id("stAlert").filter(has_text="more than 200 fields")).to_be_visible(timeout=LONG)
