"""The hosted server: what it tells a load balancer, and that it does not start with half a sign-in."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AUTH = {
    "redirect_uri": "https://lab.example.org/oauth2callback",
    "cookie_secret": "0123456789abcdef0123456789abcdef",
    "client_id": "latent-sandbox",
    "client_secret": "of this test",
    "server_metadata_url": "https://id.example.org/.well-known/openid-configuration",
}
# In a process of its own: it sets the environment of the server it would become.
CASES = """
import json, sys
from pathlib import Path
from streamlit import config
from streamlit.runtime.secrets import secrets_singleton
from app import serve
from gen_core import owner

said = [[None, serve.sign_in(), owner.needed()]]
for name in sys.argv[1:]:
    config.set_option("secrets.files", [name])
    secrets_singleton._reset()
    serve.os.environ.pop("LATENT_SIGN_IN", None)
    said.append([Path(name).stem, serve.sign_in(), owner.needed()])
print(json.dumps(said))
"""


def toml(values: dict[str, str]) -> str:
    return "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def test_with_half_a_sign_in_it_does_not_start_and_nobody_sees_anything(tmp_path: Path) -> None:
    files = {
        "whole": toml(AUTH),
        "other": '[database]\nname = "of another app"\n',
        "short": toml(AUTH | {"cookie_secret": "secret"}),
        "half": toml({name: value for name, value in AUTH.items() if "client" not in name}),
        "damaged": "[auth",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.toml").write_text(text)
    paths = [str(tmp_path / f"{name}.toml") for name in files]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "LATENT_SIGN"))}
    environment = inherited | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CASES, *paths]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = {name: (wrong, needed) for name, wrong, needed in json.loads(done.stdout.splitlines()[-1])}
    assert told[None] == told["other"] == (None, False)
    wrong, needed = told["whole"]
    assert wrong is None or "streamlit[auth]" in wrong  # where that extra is not installed
    assert needed
    assert "must have 32 characters" in told["short"][0]
    assert "client_id, client_secret" in told["half"][0]
    assert told["short"][1]
    assert told["half"][1]
    assert "must be TOML" in told["damaged"][0]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, Path]]:
    """`python -m app.serve` on a free port, its address and its store."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = tmp_path / "home"
    environment = os.environ | {"LATENT_HOME": str(home), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app.serve", "--port", str(port)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=quiet, stderr=quiet)
    try:
        until(lambda: answer(f"http://127.0.0.1:{port}/ready") == (200, "ready"))
        yield process, f"http://127.0.0.1:{port}/ready", home
    finally:
        process.terminate()
        process.wait(30)


def answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=30) as found:
            return found.status, found.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def until(true: Callable[[], object]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_ready_says_in_a_word_why_nothing_can_be_kept(server: tuple[subprocess.Popen[bytes], str, Path]) -> None:
    process, url, home = server
    assert list(home.iterdir()) == []  # asking leaves nothing behind
    shutil.rmtree(home)
    home.write_text("a file where the folder should be")
    assert answer(url) == (503, "unwritable")
    home.unlink()
    assert answer(url) == (200, "ready")
    if sys.platform != "linux":
        pytest.skip("a full disk is played with prlimit, which only Linux has")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
    assert answer(url) == (503, "full")
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert answer(url) == (200, "ready")
