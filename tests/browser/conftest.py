"""A real Chromium against the app as its user starts it. Whatever a page asks of another machine fails the test."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import BrowserContext, BrowserType, ConsoleMessage, Locator, Page, expect

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",  # WebGL without a graphics card
    "--enable-unsafe-swiftshader",
    "--disable-gpu-compositing",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing leaves the machine, not even to an address in digits
]
# Streamlit asks for these beside the page it is on before it asks at the root; the 404s mean nothing.
BENIGN = ("/_stcore/health", "/_stcore/host-config")
PATIENCE = 60_000  # milliseconds; two browsers, two servers and a training share the cores
expect.set_options(timeout=PATIENCE)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(script: Path, home: Path, port: int = 0, **environment: str) -> Iterator[str]:
    """The plain command, on a free port of this machine where none is named, until it answers."""
    port = port or free_port()
    with running(script, home, port, **environment):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running(script: Path, home: Path, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process behind `serving`, once it answers; it may be killed."""
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port), "--server.headless", "true"]
    # PYTHONPATH is left out: the app must find its own packages.
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    log = home / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            command, cwd=ROOT, env=inherited | {"LATENT_HOME": str(home)} | environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health", server, log)
        yield server
    finally:
        server.terminate()
        server.wait(30)


@contextmanager
def serving_beside(script: Path, folder: Path) -> Iterator[str]:
    """A script of the tests as an app of its own; static files lie beside the script that Streamlit runs."""
    copy = Path(shutil.copy(script, folder))
    (folder / "static").symlink_to(ROOT / "app" / "static")
    with serving(copy, folder, PYTHONPATH=str(ROOT)) as url:
        yield url


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"the server did not answer: {log.read_text()}")


@pytest.fixture(scope="session")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store of the app, once per worker."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_url(app_home: Path) -> Iterator[str]:
    """The app, once per worker, with a store of its own."""
    with serving(Path("app/main.py"), app_home, LATENT_WARM="1") as url:
        yield url


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's Chromium where there is one, else Playwright's own."""
    return browser_type_launch_args | {"executable_path": shutil.which("chromium"), "args": FLAGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    """The smallest window the app is designed for."""
    return browser_context_args | {"viewport": {"width": 1280, "height": 900}}


@dataclass
class Profile:
    """A browser that keeps what it compiled of Streamlit's scripts, which is half the work of opening a page."""

    context: BrowserContext
    trouble: list[str]
    origins: set[str] = field(default_factory=set)

    def forget(self) -> None:
        """As new for the next test, but for what was compiled."""
        for page in self.context.pages[1:]:
            page.close()
        self.context.clear_cookies()
        self.context.clear_permissions()
        devtools = self.context.new_cdp_session(self.context.pages[0])  # the blank one that it started with
        for origin in self.origins:
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage,indexeddb"})
        devtools.detach()
        self.origins.clear()


@pytest.fixture(scope="session")
def profile(
    browser_type: BrowserType,
    browser_type_launch_args: dict[str, Any],
    browser_context_args: dict[str, Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Profile]:
    """One profile a worker. A context of a test's own (`browser.new_context`) starts from nothing, and takes twice as long."""
    arguments = browser_type_launch_args | browser_context_args
    context = browser_type.launch_persistent_context(tmp_path_factory.mktemp("profile"), **arguments)
    found = Profile(context, watching(context))
    context.on("request", lambda request: found.origins.add("/".join(request.url.split("/")[:3])))
    yield found
    context.close()


@pytest.fixture
def context(profile: Profile) -> Iterator[BrowserContext]:
    """In place of Playwright's, which is a new one for each test."""
    yield profile.context
    profile.forget()


@pytest.fixture(autouse=True)
def only_this_machine(context: BrowserContext, profile: Profile) -> Iterator[list[str]]:
    """Refuse and report every request that leaves the machine, and every error in the console."""
    context.set_default_timeout(PATIENCE)
    profile.trouble.clear()
    yield profile.trouble
    assert not profile.trouble, "\n".join(profile.trouble)


def watching(context: BrowserContext) -> list[str]:
    """What goes wrong in a browser from now on: requests that leave the machine (refused: FLAGS), and errors in the console."""
    trouble: list[str] = []

    def check(address: str) -> None:
        url = urlparse(address)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname != "127.0.0.1":
            trouble.append(f"left the machine: {address}")

    def listen(message: ConsoleMessage) -> None:
        place = message.location.get("url", "")
        if message.type == "error" and not place.endswith(BENIGN):
            trouble.append(f"console: {message.text} ({place})")

    # Not by a route: where one stands, Chromium keeps no script.
    context.on("request", lambda request: check(request.url))
    context.on("page", lambda page: page.on("websocket", lambda socket: check(socket.url)))
    context.on("console", listen)
    context.on("weberror", lambda error: trouble.append(f"script: {error.error}"))
    return trouble


@pytest.fixture
def rest() -> Callable[[Page], None]:
    """Wait until the page's script has run and nothing is being drawn any more."""
    return at_rest


def at_rest(page: Page, quiet: int = 500) -> None:
    """Wait until no run of the script is under way, no figure in sight waits to be drawn, and so it stays for `quiet` ms.

    Only time in which the browser could have seen otherwise counts: of a stretch in which it drew nothing, one frame.
    """
    page.wait_for_selector('[data-testid="stApp"]')
    page.evaluate("delete window.quietFor")
    page.wait_for_function(
        """quiet => {
            const app = document.querySelector('[data-testid="stApp"]').dataset;
            const busy = app.testScriptState !== "notRunning" || app.testConnectionState !== "CONNECTED"
                || document.querySelector('[data-testid="stSkeleton"], [data-stale="true"]')
                || [...document.querySelectorAll('.latent-figure')].some((plot) => plot.near && (plot.waiting || !plot.watched));
            const now = performance.now();
            if (busy || window.quietFor === undefined) window.quietFor = 0;
            else window.quietFor += Math.min(now - window.lookedAt, 50);
            window.lookedAt = now;
            return window.quietFor > quiet;
        }""",
        arg=quiet,
        timeout=120_000,
    )


def asked(page: Page) -> dict[str, list[str]]:
    """The recipe in the address bar, without the word that tells when a link was drawn."""
    return {name: values for name, values in parse_qs(urlparse(page.url).query).items() if name != "opened"}


def until(page: Page, so: Callable[[], bool]) -> None:
    """Wait until it is so: what the server still has to answer shows nowhere on the page."""
    for _ in range(PATIENCE // 100):
        if so():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it never came to be so; the address bar holds {asked(page)}")


def click_in(page: Page, target: Locator, across: float, down: float) -> None:
    """Click at a fraction of the width and height of `target`, once it stands still: a page that is being drawn moves."""
    target.wait_for(timeout=60_000)
    target.scroll_into_view_if_needed()
    box = None
    for _ in range(40):
        at_rest(page, quiet=300)
        was, box = box, target.bounding_box()
        if box is not None and box == was:
            break
    else:
        raise AssertionError("what is to be clicked never stood still")
    x, y = box["x"] + across * box["width"], box["y"] + down * box["height"]
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.wait_for_timeout(600)  # Plotly tells a click once it knows that no second one follows
    at_rest(page)
