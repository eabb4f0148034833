"""The hosted app: every kind of page works under its headers, and through a real nginx with the example of the project."""

from __future__ import annotations

import datetime
import http.client
import io
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import at_rest, free_port, serving, watching

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "assets" / "hosting" / "nginx.conf"
NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
LONG = 60_000


@pytest.fixture(scope="module")
def hosted_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(Path("app/serve.py"), tmp_path_factory.mktemp("hosted"), LATENT_WARM="0") as url:
        yield url


def test_every_kind_of_page_works_under_the_policy(page: Page, hosted_url: str) -> None:
    """What the policy blocked would be an error in the console, which fails the test (conftest.py)."""
    page.goto(hosted_url)
    expect(page.get_by_role("button", name="Open Cells")).to_be_visible(timeout=LONG)
    at_rest(page)
    assert page.locator("[data-testid=stMain] img").first.evaluate("one => one.complete && one.naturalWidth > 0")

    page.goto(f"{hosted_url}/images")  # a player of frames on a canvas
    page.get_by_test_id("latentPlayer").locator("canvas").first.wait_for(timeout=LONG)
    at_rest(page)

    page.goto(f"{hosted_url}/poisson")  # plots, and an upload
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)
    at_rest(page)
    x = np.linspace(0, 3, 32)
    bring(page, np.outer(np.sin(x), np.sin(x)))

    page.goto(f"{hosted_url}/proteins")  # WebGL: a map of many points, and 3Dmol
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=120_000)
    at_rest(page)
    page.get_by_role("tab", name="3-D").click()
    page.locator(".latent-molecule canvas").first.wait_for(timeout=LONG)
    at_rest(page)


def bring(page: Page, charges: np.ndarray) -> None:
    """Upload an array of charges on the page of Poisson, and wait until the page shows it."""
    page.get_by_role("combobox", name="Charges").click()
    page.get_by_role("option", name="An array of your own").click()
    out = io.BytesIO()
    np.save(out, charges)
    file: Any = {"name": "mine.npy", "mimeType": "application/octet-stream", "buffer": out.getvalue()}
    page.get_by_test_id("stMain").locator("input[type=file]").first.set_input_files(file)
    page.wait_for_url(re.compile("rho=sha256"), timeout=LONG)
    at_rest(page)
    assert not page.get_by_test_id("stAlert").filter(has_text="went wrong").count()


@pytest.fixture(scope="module")
def proxy(hosted_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A real nginx with the example of the project before the hosted app; its port."""
    if NGINX is None:
        pytest.skip("there is no nginx on this machine")
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    certificate(folder)
    changed: list[tuple[str, str]] = [
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("listen 80", f"listen 127.0.0.1:{free_port()}"),
        ("/etc/ssl/certs/lab.example.org.pem", str(folder / "cert.pem")),
        ("/etc/ssl/private/lab.example.org.key", str(folder / "key.pem")),
        ("http://127.0.0.1:8501", hosted_url),
        ("lab.example.org", "127.0.0.1"),
    ]
    site = EXAMPLE.read_text()
    for was, now in changed:
        assert was in site
        site = site.replace(was, now)
    (folder / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log stderr;\nevents {{}}\n"
        f"http {{ access_log off;\n{temporary}include {folder / 'site.conf'};\n}}\n"
    )
    log = (folder / "log").open("w")
    server = subprocess.Popen([NGINX, "-p", folder, "-e", "stderr", "-c", folder / "nginx.conf"], stdout=log, stderr=log)
    try:
        until(lambda: asked(port, "GET", "/ready") == 200, server, folder / "log")
        yield port
    finally:
        server.terminate()
        server.wait(30)
        log.close()


def certificate(folder: Path) -> None:
    """A key and a certificate of its own for 127.0.0.1."""
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
    (folder / "cert.pem").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))


def until(true: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(100):
        try:
            if true():
                return
        except OSError:
            pass
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def asked(port: int, method: str, path: str, **headers: str) -> int:
    """The status of an answer through the proxy; of a body only its announced length is sent."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    try:
        connection.putrequest(method, path)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.mark.parametrize("path", ["metrics", "metrics/", "metrics?all", "%6detrics", "/metrics", "./metrics", "x/../metrics"])
def test_nobody_reads_the_servers_metrics_through_the_proxy(proxy: int, path: str) -> None:
    assert asked(proxy, "GET", f"/_stcore/{path}") == 404
    assert asked(proxy, "GET", "/_stcore/health") == 200


def test_what_is_too_large_is_refused_before_it_is_sent(proxy: int) -> None:
    assert asked(proxy, "PUT", "/_stcore/upload_file/a/b", Content_Length=str(1100 * 1024**2)) == 413
    settings = (ROOT / ".streamlit" / "config.toml").read_text()
    most, proxied = re.search(r"maxUploadSize = (\d+)", settings), re.search(r"client_max_body_size (\d+)m;", EXAMPLE.read_text())
    assert most
    assert proxied
    assert int(most[1]) < int(proxied[1]) < int(most[1]) + 10


def test_a_page_works_through_the_proxy(browser: Browser, proxy: int) -> None:
    with_tls = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 900})
    trouble, page = watching(with_tls), with_tls.new_page()
    answer = page.goto(f"https://127.0.0.1:{proxy}/poisson")
    assert answer
    assert answer.headers["strict-transport-security"].startswith("max-age")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=LONG)  # drawn through a websocket
    at_rest(page)
    bring(page, np.random.default_rng(1).normal(size=(256, 256)))
    with_tls.close()
    assert not trouble
