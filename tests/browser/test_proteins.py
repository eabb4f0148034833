"""The proteins page as its user: a spot clicked and sampled, filters, an export reopened; a family of one's own."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import asked, click_in, until

Rest = Callable[[Page], None]
LONG = 120_000


def state(page: Page) -> dict[str, list[str]]:
    return asked(page)


def settle(page: Page, rest: Rest) -> None:
    page.wait_for_timeout(300)
    rest(page)
    assert not page.get_by_test_id("stException").count()
    assert not page.get_by_text("Something went wrong").count()


def family_map(page: Page) -> Locator:
    drag = page.get_by_test_id("latentFigure").filter(visible=True).first.locator(".nsewdrag").first
    drag.wait_for(timeout=LONG)
    page.wait_for_function(
        "() => [...document.querySelectorAll('[data-testid=latentFigure]')].some((one) => one.watched)", timeout=LONG
    )
    return drag


def at(drag: Locator, x: float, y: float) -> tuple[float, float]:
    box = drag.bounding_box()
    assert box
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_click_sample_filter_export_and_reopen(page: Page, app_url: str, rest: Rest, tmp_path: Path) -> None:
    page.goto(f"{app_url}/proteins")
    drag = family_map(page)
    settle(page, rest)
    expect(page.get_by_text("of 1,000 pass all filters")).to_be_visible()
    expect(page.get_by_text("synthetic stand-ins").first).to_be_visible()
    until(page, lambda: state(page)["around"] == ["null"])

    click_in(page, drag, 0.03, 0.97)  # an empty spot
    expect(page.get_by_text("The likeliest sequence there")).to_be_visible(timeout=LONG)
    settle(page, rest)
    until(page, lambda: '"radius":0.5' in state(page)["around"][0].replace(" ", ""))
    expect(page.get_by_role("combobox", name="Sample from")).to_have_value("A spot of the map")
    slider = page.get_by_role("slider", name="Radius")
    slider.focus()
    slider.press("ArrowRight")
    settle(page, rest)
    until(page, lambda: "0.55" in state(page)["around"][0])

    page.get_by_text("Filters", exact=True).click()
    page.get_by_test_id("stExpanderDetails").get_by_text("Profile score (percentile)").first.click()
    settle(page, rest)
    until(page, lambda: '"min_profile_percentile":null' in state(page)["filters"][0].replace(" ", ""))
    until(page, lambda: '"max_identity":0.9' in state(page)["filters"][0].replace(" ", ""))  # the others are as they were

    page.get_by_role("tab", name="Logo").click()
    expect(page.get_by_role("figure", name="Sequence logos of the samples and of the naturals")).to_be_visible(timeout=LONG)
    was = state(page)
    with page.expect_download() as arriving:
        page.locator(".st-key-export-sequences-csv button").first.click()
    arriving.value.save_as(tmp_path / "sequences.csv")
    head, *rows = (tmp_path / "sequences.csv").read_text().splitlines()
    assert head.startswith("id,sequence,aligned,")
    assert len(rows) == 1_000
    page.goto(app_url)
    rest(page)
    page.get_by_role("button", name="Open a file").click()
    page.get_by_test_id("stPopoverBody").locator("input[type=file]").set_input_files(tmp_path / "sequences.csv")
    page.wait_for_url("**/proteins?*", timeout=LONG)
    settle(page, rest)
    until(page, lambda: state(page) == was)


def test_a_region_outlives_a_reload_and_a_wrong_lock_is_one_sentence(page: Page, app_url: str, rest: Rest) -> None:
    page.goto(f"{app_url}/proteins?n=200")
    drag = family_map(page)
    settle(page, rest)
    page.mouse.move(*at(drag, 0.3, 0.3))
    page.mouse.down()
    for x, y in ((0.6, 0.3), (0.6, 0.7), (0.3, 0.7)):
        page.mouse.move(*at(drag, x, y), steps=5)
    page.mouse.up()
    page.wait_for_url("**region**", timeout=LONG)
    settle(page, rest)
    was = state(page)
    page.reload()
    family_map(page)
    settle(page, rest)
    until(page, lambda: state(page) == was)
    page.get_by_text("Residues that stay").click()
    locks = page.get_by_role("textbox", name="Positions kept")
    locks.fill("11, twelve")
    locks.press("Enter")
    settle(page, rest)
    expect(page.get_by_test_id("stAlert").get_by_text("'twelve' is no position")).to_be_visible(timeout=LONG)
    locks.fill("")
    locks.press("Enter")
    settle(page, rest)
    expect(page.get_by_text("of 200 pass all filters")).to_be_visible(timeout=LONG)


def test_links_of_every_operation_open(page: Page, app_url: str, rest: Rest) -> None:
    for query, shown in (
        ("operation=proteins.score&sequences=chorismate_mutase_designs", "of 48 pass all filters"),
        (f"operation=proteins.decode&z=[{[0.0] * 16},{[0.5] * 16}]".replace(" ", ""), "2 latent points of 16 coordinates."),
        ("n=20&temperature=0.05&around=naturals&radius=9", "of 20 pass all filters"),  # beyond the ends of the sliders
        (f'n=20&temperature=4&around={{"z":{[0.0] * 16},"radius":6}}'.replace(" ", ""), "of 20 pass all filters"),
        (f"n=120&path=[{[0.0] * 16},{[0.5] * 16}]&steps=60".replace(" ", ""), "of 120 pass all filters"),
        ('n=20&filters={"max_length":2000,"max_charge":90}&order={"wells":2,"min_codon_share":0.6}', "pass all filters"),
        ("operation=proteins.train&epochs=3", "Start it below"),
    ):
        page.goto(f"{app_url}/proteins?{query}")
        expect(page.get_by_text(shown, exact=False).first).to_be_visible(timeout=LONG)
        settle(page, rest)
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("3", timeout=LONG)
    for number in range(4):  # each trap shows itself
        page.goto(f"{app_url}/proteins?n=100")
        page.get_by_text("What can mislead you here").click(timeout=LONG)
        page.locator(f".st-key-proteins-mislead-{number} button").click()
        settle(page, rest)
        expect(page.get_by_text("pass all filters").first).to_be_visible(timeout=LONG)


def test_a_family_of_ones_own(page: Page, app_url: str, rest: Rest, data_folder: Path) -> None:
    page.goto(f"{app_url}/proteins?n=200")
    page.get_by_text("Your own family").click(timeout=LONG)
    settle(page, rest)
    panel = page.get_by_test_id("stExpanderDetails")
    dna = b"".join(b">g%d\nACGTTGCAACGTACGTACGATCGATCAG\n" % i for i in range(30))
    panel.locator("input[type=file]").last.set_input_files({"name": "x.fasta", "mimeType": "text/plain", "buffer": dna})
    expect(panel.get_by_text("These are DNA or RNA sequences")).to_be_visible(timeout=LONG)
    settle(page, rest)
    text = (data_folder / "proteins" / "PF00014_kunitz.fasta").read_text()
    part = "".join(f">{record}" for record in text.split(">")[1:401])  # a part: what it does, not how well
    family = {"name": "kunitz.fasta", "mimeType": "text/plain", "buffer": part.encode()}
    panel.locator("input[type=file]").last.set_input_files(family)
    expect(panel.get_by_text("400 sequences in 53 columns")).to_be_visible(timeout=LONG)
    settle(page, rest)
    page.get_by_role("spinbutton", name="Epochs").fill("3")
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    settle(page, rest)
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_url("**model=sha256*", timeout=4 * LONG)  # trained, and taken up
    settle(page, rest)
    assert "kunitz.fasta" in page.get_by_role("combobox", name="Family").input_value()
    expect(page.get_by_text("of 200 pass all filters")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("textbox", name="Find a natural")).to_be_visible()  # real names are known now
    page.get_by_role("radio", name="Score", exact=True).click()
    settle(page, rest)
    expect(page.get_by_text("of 400 pass all filters")).to_be_visible(timeout=LONG)


def panel_of(page: Page, title: str) -> Locator:
    """The expander of this title."""
    return page.get_by_test_id("stExpander").filter(has=page.locator("summary").get_by_text(title, exact=True))


def label_file(data_folder: Path) -> dict[str, str | bytes]:
    """The assayed naturals as their user would upload them."""
    table = pd.read_csv(data_folder / "proteins" / "chorismate_mutase_natural_assayed.csv", encoding="utf-8-sig")
    table.columns = [name.strip() for name in table.columns]
    text = table.rename(columns={"norm r.e.": "value"})[["Sequence", "value"]].to_csv(index=False)
    return {"name": "assay.csv", "mimeType": "text/csv", "buffer": text.encode()}


def test_labels_make_viability_a_filter(page: Page, app_url: str, rest: Rest, data_folder: Path) -> None:
    page.goto(f"{app_url}/proteins?n=200")
    family_map(page)
    settle(page, rest)
    expect(page.get_by_role("tab", name="Viability")).to_have_count(0)
    expect(page.get_by_text("Viability at least")).to_have_count(0)
    panel = panel_of(page, "Assay labels")
    panel.locator("summary").click()
    page.wait_for_timeout(300)
    wrong = {"name": "wrong.csv", "mimeType": "text/csv", "buffer": b"sequence,value\nMKVLA,high\n"}
    panel.locator("input[type=file]").set_input_files(wrong)
    expect(panel.get_by_text("Row 2: the value 'high' is not a number")).to_be_visible(timeout=LONG)
    settle(page, rest)
    panel.locator("input[type=file]").set_input_files(label_file(data_folder))
    threshold = page.get_by_role("spinbutton", name="Functional from")
    expect(threshold).to_be_visible(timeout=LONG)
    settle(page, rest)
    threshold.fill("0.42")
    threshold.press("Enter")
    page.wait_for_url("**label_threshold=0.42*", timeout=LONG)
    settle(page, rest)
    page.get_by_role("tab", name="Viability").click()
    expect(page.get_by_text("of 96 wells functional")).to_be_visible(timeout=LONG)
    expect(page.get_by_text("an extrapolation").first).to_be_visible()
    expect(page.get_by_role("figure", name="Learning curve")).to_be_visible(timeout=LONG)
    expect(page.get_by_role("cell", name="0.90 (0.87 to 0.92)")).to_be_visible()
    page.get_by_text("Filters", exact=True).click()
    page.get_by_test_id("stExpanderDetails").get_by_text("Viability at least").first.click()
    settle(page, rest)
    until(page, lambda: '"min_viability":0.5' in state(page)["filters"][0].replace(" ", ""))
    was = state(page)
    page.get_by_role("radio", name="Score", exact=True).click()  # the labels go along
    settle(page, rest)
    until(page, lambda: state(page)["labels"] == was["labels"])
    expect(page.get_by_role("heading", name="Viability")).to_be_visible(timeout=LONG)
    page.get_by_role("radio", name="Sample", exact=True).click()
    settle(page, rest)
    panel.get_by_role("combobox", name="Labels").click()
    page.get_by_role("option", name="none").click()
    settle(page, rest)
    until(page, lambda: state(page)["labels"] == ["null"])  # and the filter that needs them is off
    until(page, lambda: '"min_viability":null' in state(page)["filters"][0].replace(" ", ""))
    expect(page.get_by_role("tab", name="Viability")).to_have_count(0)
