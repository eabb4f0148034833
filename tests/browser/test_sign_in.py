"""Two people sign in at an identity provider of the test, each in a browser of their own: neither sees what is the other's."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from gen_core import jobs, owner
from gen_core.cells.recipe import Perturb
from tests.browser.conftest import at_rest, free_port, serving, watching
from tests.identity import CLIENT, SECRET, provider

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("authlib") is None or importlib.util.find_spec("joserfc") is None,
    reason="sign-in needs streamlit[auth], which is not installed",
)
LONG = 60_000


@dataclass
class Hosted:
    """The hosted app with its identity provider, to be started more than once."""

    home: Path
    issuer: str
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        (self.home / "secrets.toml").write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{self.port}/oauth2callback"\ncookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.issuer}/.well-known/openid-configuration"\n'
        )

    def started(self) -> Any:
        files = str(self.home / "secrets.toml")
        return serving(Path("app/serve.py"), self.home, self.port, LATENT_WARM="0", STREAMLIT_SECRETS_FILES=files)

    def owner(self, name: str) -> str:
        return owner.named(self.issuer, f"subject of {name}")

    def folder(self, name: str) -> Path:
        return self.home / "people" / self.owner(name)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with provider() as issuer:
        yield Hosted(tmp_path_factory.mktemp("hosted"), issuer)


def sign_in(page: Page, url: str, name: str) -> None:
    """From any page of the app, as a person does."""
    page.goto(url)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_test_id("stSidebar").get_by_text(name)).to_be_visible(timeout=LONG)
    at_rest(page)


def test_two_people_who_signed_in_see_nothing_of_each_other(
    browser: Browser, browser_context_args: dict[str, Any], hosted: Hosted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "charges of ada.npy"
    np.save(file, np.outer(np.sin(np.linspace(0, 3, 32)), np.sin(np.linspace(0, 6, 32))))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setenv("LATENT_HOME", str(hosted.home))
    hers, his = browser.new_context(**browser_context_args), browser.new_context(**browser_context_args)
    trouble = [*map(watching, (hers, his))]
    ada, bo = hers.new_page(), his.new_page()
    with hosted.started() as url:
        ada.goto(f"{url}/runs")  # a stranger sees nothing but the way in, whatever the link
        expect(ada.get_by_role("button", name="Sign in")).to_be_visible(timeout=LONG)
        at_rest(ada)
        expect(ada.get_by_test_id("stSidebar")).to_have_count(0)
        expect(ada.get_by_text("Nothing is kept yet")).to_have_count(0)
        assert not (hosted.home / "people").exists()

        for path in ("media/0123.png", "_stcore/upload_file/a/b"):
            assert hers.request.put(f"{url}/{path}", data=b"x").status == 403

        sign_in(ada, f"{url}/runs", "Ada Alder")
        expect(ada.get_by_text("Nothing is kept yet")).to_be_visible(timeout=LONG)  # where she came from
        for path in ("media/0123.png", "_stcore/upload_file/a/b"):
            assert hers.request.put(f"{url}/{path}", data=b"x").status in (400, 403, 404, 405)
            assert "Sign in" not in hers.request.put(f"{url}/{path}", data=b"x").text()
        for elsewhere in ("//id.example.org", "https://id.example.org", "/\\id.example.org", "/runs\r\nA: b", "no text \xff"):
            kept = base64.urlsafe_b64encode(elsewhere.encode("latin-1")).decode()
            hers.add_cookies([{"name": "latent_link", "value": kept, "url": url}])
            assert hers.request.get(url, headers={"Accept": "text/html"}, max_redirects=0).status == 200
        hers.clear_cookies(name="latent_link")
        ada.goto(f"{url}/poisson")
        ada.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
        at_rest(ada)
        ada.get_by_role("combobox", name="Charges").click()
        ada.get_by_role("option", name="An array of your own").click()
        ada.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(file)
        ada.wait_for_url(f"**/poisson?*{digest}*", timeout=LONG)
        at_rest(ada)
        with ada.expect_download() as arriving:  # made in a thread that runs no page
            ada.locator(".st-key-export-solution-npz button").first.click()
        with np.load(arriving.value.path()) as saved:
            assert saved["rho"].shape == (32, 32)
        link = ada.url
        ada.get_by_role("button", name="Keep this run").click()
        expect(ada.get_by_role("link", name="Kept: see Runs")).to_be_visible(timeout=LONG)
        with owner.acting_for(hosted.owner("Ada Alder")):  # long work of hers, started by a program of hers
            job = jobs.submit(Perturb(data=f"sha256:{digest}", seed=7, latent_dim=64, dose=0.5), "tests.job_steps:count")

        sign_in(bo, link, "Bo Birch")
        assert "/poisson" in bo.url  # he has her link and her file's digest, and sees as much as anybody elsewhere
        expect(bo.get_by_text("is not on this machine").first).to_be_visible(timeout=LONG)
        at_rest(bo)
        assert digest not in bo.url  # the page shows its own example instead
        assert "charges of ada" not in bo.content()
        bo.goto(f"{url}/runs")
        expect(bo.get_by_text("Nothing is kept yet")).to_be_visible(timeout=LONG)
        at_rest(bo)
        expect(bo.get_by_test_id("stSidebar").get_by_text("Cells:")).to_have_count(0)

        ada.goto(f"{url}/runs")
        expect(ada.get_by_role("button", name="Reopen")).to_be_visible(timeout=LONG)
        expect(ada.get_by_test_id("stSidebar").get_by_text("Cells:").first).to_be_visible(timeout=LONG)
        with owner.acting_for(hosted.owner("Ada Alder")):
            jobs.cancel(job)
        for page in (ada, bo):
            page.goto("about:blank")  # a page that is open while its server ends says so in the console

    assert {folder.name for folder in (hosted.home / "people").iterdir()} == {hosted.owner("Ada Alder"), hosted.owner("Bo Birch")}
    assert not list(hosted.folder("Bo Birch").glob("runs/*"))
    assert not list(hosted.folder("Bo Birch").glob("store/*"))
    assert not (hosted.home / "runs").exists()
    assert not (hosted.home / "store").exists()

    with hosted.started() as url:  # a new server, the same people
        bo.goto(f"{url}/runs")
        expect(bo.get_by_text("Nothing is kept yet")).to_be_visible(timeout=LONG)
        ada.goto(f"{url}/runs")
        expect(ada.get_by_role("button", name="Reopen")).to_be_visible(timeout=LONG)
        at_rest(ada)
        ada.get_by_role("button", name="Sign out").click()
        expect(ada.get_by_role("button", name="Sign in")).to_be_visible(timeout=LONG)
        ada.goto(link)
        expect(ada.get_by_role("button", name="Sign in")).to_be_visible(timeout=LONG)
        at_rest(ada)
        assert ada.locator(".js-plotly-plot").count() == 0
    jobs.close()
    assert trouble == [[], []]
