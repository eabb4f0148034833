"""The hosted server: what it tells a load balancer, and that it does not start with half a sign-in."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

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
    print(Path(name).stem, file=sys.stderr)
    said.append([Path(name).stem, serve.sign_in(), owner.needed()])
print(json.dumps(said))
"""


def toml(values: dict[str, str], section: str = "[auth]") -> str:
    return f"{section}\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def test_with_half_a_sign_in_it_does_not_start_and_nobody_sees_anything(tmp_path: Path) -> None:
    files: dict[str, str | bytes | None] = {
        "whole": toml(AUTH),
        "empty": "",
        "other": '[database]\nname = "of another app"\n',
        "short": toml(AUTH | {"cookie_secret": "secret"}),
        "half": toml({name: value for name, value in AUTH.items() if "client" not in name}),
        "keyless": "[auth]\n",
        "capital": toml(AUTH, "[Auth]"),
        "word": 'auth = "x"\n',
        "number": "auth = 5\n",
        "several": toml(AUTH, "[[auth]]"),
        "damaged": "[auth",
        "latin": '[auth]\nclient_id = "Zürich"\n'.encode("latin-1"),
        "folder": None,
    }
    paths = {name: tmp_path / f"{name}.toml" for name in (*files, "missing")}
    for name, text in files.items():
        if text is None:
            paths[name].mkdir()
        else:
            paths[name].write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "named.txt").write_text(toml(AUTH))
    given = [*map(str, paths.values()), str(tmp_path / "named.txt")]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("STREAMLIT_", "LATENT_SIGN"))}
    environment = inherited | {"HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", CASES, *given]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    told = {name: (wrong, needed) for name, wrong, needed in json.loads(done.stdout.splitlines()[-1])}
    assert told[None] == told["empty"] == told["other"] == (None, False)
    lines = done.stderr.splitlines()
    said = [before for before, line in itertools.pairwise(lines) if "nobody signs in, and all share one store." in line]
    assert said == ["empty", "other"]
    wrong, needed = told["whole"]
    assert wrong is None or "authlib" in wrong  # where that extra is not installed
    assert needed
    expected = {
        "short": "must have 32 characters",
        "half": "client_id, client_secret",
        "keyless": ", ".join(AUTH),
        "capital": "[Auth] of Streamlit's secrets must be called [auth]",
        **dict.fromkeys(("word", "number", "several"), "must be one section [auth]"),
        **dict.fromkeys(("damaged", "latin", "folder", "named"), "must be TOML"),
        "missing": f"{str(paths['missing'])!r}, which",
    }
    for name, part in expected.items():
        assert part in told[name][0], name
        assert told[name][0].endswith("."), name
        assert told[name][1] or part in ("must be TOML", expected["missing"]), name
    assert expected.keys() | {None, "whole", "empty", "other"} == told.keys()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module, for what of it needs no server; it marks its process as hosted, which ends with the test."""
    for name in ("LATENT_HOSTED", "LATENT_SIGN_IN"):
        monkeypatch.setenv(name, "")
    return importlib.import_module("app.serve")


def test_each_key_of_a_sign_in_must_be_what_it_should_be(serve: ModuleType) -> None:
    assert serve.incomplete({"auth": AUTH, "authors": {}}) is None
    assert tuple(AUTH) == serve.NEEDED
    assert serve.incomplete({}).endswith(f"must also have {', '.join(AUTH)}.")  # asked for by LATENT_SIGN_IN=1
    assert serve.incomplete({"auth": AUTH | {"redirect_uri": "http://localhost:{port}/oauth2callback"}}) is None
    for name in AUTH:
        for wrong in (7, 10**40, 1.5, True, ["x" * 40], {"x": "y"}):
            assert f"{name} must be text, in quotes." in serve.incomplete({"auth": AUTH | {name: wrong}})
        for nothing in ("", None):
            assert serve.incomplete({"auth": AUTH | {name: nothing}}).endswith(f"must also have {name}.")
    for name in ("redirect_uri", "server_metadata_url"):
        for elsewhere in ("nonsense", "lab.example.org", "ftp://a", "https://", "https:///a", "data:,a", "https://a b"):
            assert f"{name} must be an address" in serve.incomplete({"auth": AUTH | {name: elsewhere}})
    for other in ("Auth", "AUTH", "auTh"):
        assert f"[{other}]" in serve.incomplete({other: AUTH})
        assert f"[{other}]" in serve.incomplete({"auth": AUTH, other: {}})


def test_the_packages_it_asks_for_are_those_of_the_project(serve: ModuleType) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert list(serve.PACKAGES) == project["optional-dependencies"]["sign-in"]
    assert f"pip install {' '.join(serve.PACKAGES)}" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    "limit", ["CACHE_GIB", "RUNS_GIB", "STORE_GIB", "THREADS", "USER_JOBS", "USER_UPLOAD_GIB", "USER_DISK_GIB"]
)
def test_a_limit_that_is_nonsense_is_said_at_the_start(monkeypatch: pytest.MonkeyPatch, serve: ModuleType, limit: str) -> None:
    for fine in ("", "2"):
        monkeypatch.setenv(f"LATENT_{limit}", fine)
        assert serve.limits() is None
    for nonsense in ("much", "-1", "nan", "inf"):
        monkeypatch.setenv(f"LATENT_{limit}", nonsense)
        assert serve.limits().startswith(f"LATENT_{limit}")
    monkeypatch.setenv(f"LATENT_{limit}", "none")
    assert (serve.limits() is None) == limit.startswith("USER_")


def test_where_nothing_can_listen_it_says_so_before_it_starts(serve: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        assert serve.deaf("127.0.0.1", port) is not None
        taken.listen()
        for address, where in (
            ("127.0.0.1", port),
            ("999.1.1.1", 8501),
            ("nonsense::", 8501),
            ("a..b", 8501),
            ("192.0.2.1", 8501),
        ):
            with pytest.raises(SystemExit) as ended:
                serve.main(where, address)
            assert ended.value.code == 2
            told = capsys.readouterr().err
            assert told.startswith(f"The app cannot listen on {address}, port {where} (")
            assert told.count("\n") == 1
    assert serve.deaf("127.0.0.1", port) is None


@pytest.mark.parametrize("port", ["0", "-1", "65536", "99999999", "x"])
def test_a_port_that_there_cannot_be_is_refused(serve: ModuleType, port: str) -> None:
    command = typer.Typer()
    command.command()(serve.main)
    done = CliRunner().invoke(command, ["--port", port])
    assert done.exit_code == 2
    assert "--port" in done.output


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
