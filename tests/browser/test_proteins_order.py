"""The proteins page as its user: a plate as DNA, single changes, a template of one's own, an assay table as it came."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pandas as pd
from playwright.sync_api import Locator, Page, TimeoutError, expect

from tests.browser.conftest import asked, click_in, until

Rest = Callable[[Page], None]
LONG = 120_000
COLI = "MTSENPLLALREKISALDEKLLALLAERRELAVEVGKAKLLSHRPVRDIDRERDLLERLITLGKAHHLDAHYITRLFQLIIEDSVLTQQALLQQH"


def state(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in asked(page).items()}


def settle(page: Page, rest: Rest) -> None:
    page.wait_for_timeout(300)
    rest(page)
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_text("Something went wrong").count()


def panel_of(page: Page, title: str) -> Locator:
    return page.get_by_test_id("stExpander").filter(has=page.locator("summary").get_by_text(title, exact=True))


def choose(page: Page, box: Locator, name: str) -> None:
    """An option of a list, which closes where the page moves beneath it while structures are drawn: then once more."""
    for _ in range(3):
        box.click()
        try:
            page.get_by_role("option", name=name).click(timeout=5_000)
            return
        except TimeoutError:
            page.keyboard.press("Escape")
    raise AssertionError(name)


def saved(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as arriving:
        page.locator(f".st-key-export-{name.replace('.', '-')} button").first.click()
    arriving.value.save_as(folder / name)
    return folder / name


def test_a_plate_is_ordered_as_dna(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/proteins?n=200&reference={COLI}")
    expect(page.get_by_text("of 200 pass all filters")).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page)["order"] == "null")
    panel = panel_of(page, "Order")
    panel.locator("summary").click()
    page.wait_for_timeout(300)
    panel.get_by_text("Order the kept sequences as DNA").click()
    expect(panel.get_by_text("wells, domain only:")).to_be_visible(timeout=LONG)
    expect(panel.get_by_text("The domain only, as it stands")).to_be_visible()
    settle(page, rest)
    panel.get_by_role("spinbutton", name="Wells").fill("5")
    panel.get_by_role("spinbutton", name="Wells").press("Enter")
    expect(panel.get_by_text("5 wells, domain only:")).to_be_visible(timeout=LONG)
    settle(page, rest)
    panel.locator(".st-key-proteins-order_full_length label").first.click()
    expect(panel.get_by_text("5 wells, full length:")).to_be_visible(timeout=LONG)
    settle(page, rest)
    panel.get_by_role("textbox", name="Tag").fill("HHHHHH")
    panel.get_by_role("textbox", name="Tag").press("Enter")
    settle(page, rest)
    order = json.loads(state(page)["order"])
    assert (order["wells"], order["full_length"], order["tag"], order["avoid"]) == (5, True, "HHHHHH", ["BsaI", "BsmBI"])
    was = state(page)
    path = saved(page, "plate.csv", tmp_path)
    plate = pd.read_csv(path)
    assert plate.well.tolist() == ["A1", "A2", "A3", "A4", "A5"]
    assert plate.sequence.str.startswith("MHHHHHH").all()
    expect(panel.locator("code").get_by_text(plate.dna[0])).to_be_visible()
    panel.get_by_role("textbox", name="Tag").fill("HHH1")  # a wrong tag is one sentence, and the page goes on
    panel.get_by_role("textbox", name="Tag").press("Enter")
    expect(page.get_by_test_id("stAlert").get_by_text("'HHH1' is no tag")).to_be_visible(timeout=LONG)
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(path)
    page.wait_for_url("**/proteins?*", timeout=LONG)
    expect(panel.get_by_text("5 wells, full length:")).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page) == was)


def test_dna_that_cannot_be_made_is_one_sentence(page: Page, app_url: str, rest: Rest) -> None:
    order = quote(json.dumps({"wells": 2, "min_gc": 0.49, "max_gc": 0.5, "gc_window": 20}))
    page.goto(f"{app_url}/proteins?n=50&order={order}")
    expect(page.get_by_test_id("stAlert").get_by_text("no DNA for")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("of 50 pass all filters")).to_be_visible()
    settle(page, rest)
    until(page, lambda: json.loads(state(page)["order"])["gc_window"] == 20)  # still asked for


def test_single_changes_are_seen_and_taken(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/proteins?operation=proteins.mutate&reference={COLI}&reference_offset=100")
    figure = page.get_by_test_id("latentFigure").filter(visible=True).first
    drag = figure.locator(".nsewdrag").first
    drag.wait_for(timeout=LONG)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=latentFigure]')].some((one) => one.watched)", timeout=LONG
    )
    settle(page, rest)
    expect(page.get_by_role("radio", name="Single changes", exact=True)).to_be_checked()
    until(page, lambda: state(page)["reference_offset"] == "100")
    click_in(page, drag, 10.5 / 95, 8.5 / 20)  # residue 11, the ninth from the top
    expect(page.get_by_role("heading", name="R111W")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("At this site of the family: R ")).to_be_visible()
    settle(page, rest)
    page.get_by_role("button", name="Take this change").click()
    settle(page, rest)
    until(page, lambda: state(page)["reference"] == COLI[:10] + "W" + COLI[11:])
    path = saved(page, "single_changes.csv", tmp_path)
    table = pd.read_csv(path)
    assert len(table) == 95 * 20
    assert set(table[table.position == 111].wild_type) == {"W"}
    page.get_by_role("button", name="Take it back").click()
    settle(page, rest)
    until(page, lambda: state(page)["reference"] == COLI)
    page.get_by_role("radio", name="Sample", exact=True).click()  # the reference goes along
    expect(page.get_by_text("of 1,000 pass all filters")).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page)["reference"] == COLI)


def test_a_template_of_ones_own(page: Page, app_url: str, rest: Rest, tmp_path: Path, data_folder: Path) -> None:
    page.goto(f"{app_url}/proteins?n=100")
    expect(page.get_by_text("of 100 pass all filters")).to_be_visible(timeout=LONG)
    settle(page, rest)
    page.get_by_role("tab", name="3-D").click()
    tab = page.get_by_role("tabpanel").filter(has=page.get_by_text("Save as structures"))
    tab.locator("input[type=file]").set_input_files(data_folder / "proteins" / "1BPI.pdb")
    expect(tab.get_by_text("this structure is not of the family")).to_be_visible(timeout=LONG)
    settle(page, rest)
    tab.locator("input[type=file]").set_input_files(data_folder / "proteins" / "1ECM.pdb")
    expect(tab.get_by_text("a structure of the user's own, chain A").first).to_be_visible(timeout=LONG)
    settle(page, rest)
    choose(page, tab.get_by_role("combobox", name="Chain"), "Chain B")
    expect(tab.get_by_text("a structure of the user's own, chain B").first).to_be_visible(timeout=LONG)
    tab.get_by_text("Save as structures").click()
    expect(page.get_by_text("structures.zip")).to_be_visible(timeout=LONG)
    settle(page, rest)
    was = state(page)
    assert was["template_chain"] == "B"
    assert was["structure"] == "true"
    with zipfile.ZipFile(saved(page, "structures.zip", tmp_path)) as archive:
        first, *rest_of = [name for name in archive.namelist() if name.endswith(".pdb")]
        assert rest_of
        assert b"Template backbone, not a prediction" in archive.read(first)
    choose(page, tab.get_by_role("combobox", name="Template"), "PDB entry 1ECM")
    expect(tab.get_by_text("PDB entry 1ECM, chain A").first).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page)["template_chain"] == "null")


def test_an_assay_table_as_it_came(page: Page, app_url: str, rest: Rest, data_folder: Path) -> None:
    page.goto(f"{app_url}/proteins?n=100")
    expect(page.get_by_text("of 100 pass all filters")).to_be_visible(timeout=LONG)
    settle(page, rest)
    panel = panel_of(page, "Assay labels")
    panel.locator("summary").click()
    page.wait_for_timeout(300)
    whole = (data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv").read_bytes()
    part = b"\n".join(whole.split(b"\n")[:250])  # what it does, not how well
    panel.locator("input[type=file]").set_input_files({"name": "assay.csv", "mimeType": "text/csv", "buffer": part})
    expect(panel.get_by_text("Choose the column that holds the values")).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page)["labels"] == "null")
    choose(page, panel.get_by_role("combobox", name="Column of values"), "norm r.e.")
    page.wait_for_url("**label_column=norm*", timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page)["label_column"] == "norm r.e.")
    expect(page.get_by_role("tab", name="Viability")).to_be_visible()
    choose(page, page.get_by_role("combobox", name="Colour of the naturals"), "Assay value")
    expect(page.get_by_test_id("latentFigure").filter(visible=True).first.get_by_text("labelled", exact=True)).to_be_visible(
        timeout=LONG
    )
    settle(page, rest)
    was = state(page)
    page.reload()
    expect(panel.get_by_role("combobox", name="Column of values")).to_have_value("norm r.e.", timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page) == was)
