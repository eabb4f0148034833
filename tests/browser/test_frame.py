"""The frame as its user meets it: the first page, the theme, the keyboard, a dropped file, the hosted app."""

from __future__ import annotations

import re
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gen_core.cells.recipe import Perturb
from tests.browser.conftest import ROOT, at_rest, serving

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]


@pytest.fixture
def home(page: Page, app_url: str) -> Page:
    page.goto(app_url)
    at_rest(page)
    return page


def background(page: Page) -> str:
    rgb = page.evaluate("getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor")
    return "#" + "".join(f"{int(part):02X}" for part in re.findall(r"\d+", rgb)[:3])


def test_the_first_page_says_what_this_is_and_leads_on(home: Page) -> None:
    expect(home.get_by_role("heading", level=1)).to_have_count(1)
    expect(home.get_by_role("button", name="Open Cells")).to_be_in_viewport()
    expect(home.get_by_text("Your data stays on this machine.").first).to_be_visible()
    expect(home.get_by_test_id("stException")).to_have_count(0)
    expect(home).to_have_title("Latent Sandbox")
    assert home.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_theme_is_the_designed_one(home: Page, scheme: str) -> None:
    home.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    home.wait_for_function(
        "colour => getComputedStyle(document.querySelector('[data-testid=\"stApp\"]')).backgroundColor === colour",
        arg="rgb({}, {}, {})".format(*bytes.fromhex(THEME[scheme]["backgroundColor"][1:])),
    )
    at_rest(home)
    assert background(home) == THEME[scheme]["backgroundColor"].upper()
    logo = (
        home.get_by_test_id("stSidebar").locator("img").first.evaluate("image => fetch(image.src).then(answer => answer.text())")
    )
    assert THEME[scheme]["textColor"] in logo  # the logo was exchanged too


def test_the_keyboard_reaches_an_instrument(home: Page) -> None:
    reached = []
    for _ in range(40):
        home.keyboard.press("Tab")
        reached.append(home.evaluate("document.activeElement.innerText || document.activeElement.ariaLabel || ''").strip())
        if reached[-1].startswith("Open Cells"):
            break
    assert any("Cells" in text for text in reached[:-1]), reached  # the navigation comes first
    home.keyboard.press("Enter")
    home.wait_for_url("**/cells*")
    at_rest(home)
    expect(home.get_by_role("heading", level=1)).to_contain_text("Cells")


def test_a_dropped_file_opens_its_page_in_its_state(home: Page, tmp_path: Path) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(Perturb(dose=1.7, target="B", data="simulated").json())
    home.get_by_test_id("stMain").locator('input[type="file"]').set_input_files(path)
    home.wait_for_url("**/cells?*dose=1.7*")
    at_rest(home)
    assert "target=B&" in home.url


def test_a_wrong_file_is_one_sentence_and_stays_here(home: Page, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing of ours")
    home.get_by_test_id("stMain").locator('input[type="file"]').set_input_files(path)
    expect(home.get_by_test_id("stAlert").first).to_contain_text("There is no recipe in this file")
    assert home.url.rstrip("/").count("/") == 2


def test_an_unknown_address_does_not_break_the_app(page: Page, app_url: str, only_this_machine: list[str]) -> None:
    page.goto(f"{app_url}/nowhere")
    at_rest(page)
    expect(page.get_by_role("button", name="Open Cells")).to_be_visible()
    only_this_machine.clear()  # the browser notes the 404s of what lies beside a page that is not there


@pytest.fixture(scope="module")
def hosted_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Path("app/serve.py"), tmp_path_factory.mktemp("hosted"), LATENT_WARM="0") as url:
        yield url


def test_the_hosted_app_has_its_headers_and_works_under_them(page: Page, hosted_url: str) -> None:
    with urllib.request.urlopen(f"{hosted_url}/ready", timeout=30) as answer:
        assert answer.read() == b"ready"
    with urllib.request.urlopen(hosted_url, timeout=30) as answer:
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
    page.goto(f"{hosted_url}/cells")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)  # a blocked script is an error in the console
    at_rest(page)
    expect(page.get_by_text("Your data stays on the server that runs this page.").first).to_be_visible()
    expect(page.get_by_text("Or a path on this machine")).to_have_count(0)


def test_a_foreign_name_for_this_machine_is_refused(app_url: str) -> None:
    import http.client

    server = http.client.HTTPConnection(app_url.removeprefix("http://"), timeout=30)
    asking = {"Host": "evil.example", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    server.request("GET", "/_stcore/stream", headers=asking | {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="})
    assert server.getresponse().status in (400, 403)


def test_what_leaves_the_machine_is_refused_and_reported(page: Page, app_url: str, only_this_machine: list[str]) -> None:
    page.goto(f"{app_url}/_stcore/health")
    places = ["http://192.0.2.1/digits", "https://example.org/name", "http://localhost:9000/another-name"]
    asked = "url => fetch(url, {mode: 'no-cors'}).then(() => 'came', () => 'refused')"
    assert [page.evaluate(asked, place) for place in places] == ["refused"] * 3
    socket = "new Promise(done => { const s = new WebSocket('ws://192.0.2.2/s'); s.onerror = done; s.onopen = done; })"
    page.evaluate(f"{socket}.then(event => event.type)")
    left = [line.removeprefix("left the machine: ") for line in only_this_machine if line.startswith("left the machine: ")]
    assert left == [*places, "ws://192.0.2.2/s"]
    assert [line.count("ERR_NAME_NOT_RESOLVED") for line in only_this_machine if line.startswith("console: ")] == [1] * 4
    only_this_machine.clear()
