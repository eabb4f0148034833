"""The same app for hosting: security headers, /ready for a load balancer, and sign-in where it is set up.

    python -m app.serve --port 8501 --host lab.example.org

listens on 127.0.0.1, where a proxy with TLS finds it; `--host` names what people type. `streamlit run app/serve.py` is the same
with Streamlit's own options. No page offers paths of the server's disk then. People sign in where Streamlit's secrets
(`.streamlit/secrets.toml`, or the file that STREAMLIT_SECRETS_FILES names) have a section [auth].
"""

import base64
import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import re
import secrets
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:  # Streamlit puts only this file's folder there
    sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", os.environ.get("LATENT_THREADS", "1"))  # as in main.py, before numpy is loaded

import streamlit as st
import typer
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import auth_util, config
from streamlit.runtime import exists, get_instance
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette import starlette_auth_routes

from gen_core import memo, owner, quotas, runs, settings, store
from gen_core.errors import UserError

os.environ["LATENT_HOSTED"] = "1"
LOOPBACK = ("127.0.0.1", "localhost")
PROBE = b"\0" * 4096  # a block: an empty file can be made on a full disk
NEEDED = ("redirect_uri", "cookie_secret", "client_id", "client_secret", "server_metadata_url")  # in the section [auth]
ADDRESS = re.compile(r"https?://[^\s/?#:]\S*", re.IGNORECASE)
PACKAGES = ("authlib==1.9.6", "httpx==0.28.1")  # those of pyproject.toml, sign-in


def policy() -> str:
    """The content security policy: nothing from elsewhere, and of inline scripts those of Streamlit's own page, by hash."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text()
    digests = [hashlib.sha256(script.encode()).digest() for script in re.findall(r"<script>(.*?)</script>", page, re.DOTALL)]
    inline = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return "; ".join(
        [
            "default-src 'self'",
            f"script-src 'self' blob: 'unsafe-eval' {inline}",  # components load from blobs; charts compile expressions
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        ]
    )


HEADERS = {
    "Content-Security-Policy": policy(),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Adds HEADERS to every HTTP answer and leaves websockets alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, answer if scope["type"] == "http" else send)


class Strangers:
    """Where people sign in, refuses uploads and the files of pages to who has not: only the way in is for everybody.

    The link that somebody came by is kept in a cookie, and opened once they have signed in: Streamlit leads to the first page.
    """

    GUARDED = ("/_stcore/upload_file/", "/media/")
    LINK, LONGEST, KEPT = "latent_link", 3000, 600  # the cookie's name, bytes that a browser takes, seconds
    PAGE = re.compile(r"/[a-z]*(\?[!-~]*)?")  # a page of this app and its recipe: nowhere else

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not owner.needed():
            await self.app(scope, receive, send)
            return
        request, base = Request(scope), str(config.get_option("server.baseUrlPath")).strip("/")
        root = f"/{base}" if base else ""
        path, query = scope["path"].removeprefix(root), scope["query_string"].decode("latin-1")
        asked = f"{path}?{query}" if query else path
        known = known_by(request)
        if path.startswith(self.GUARDED) and not known:
            await PlainTextResponse("Sign in first.", 403)(scope, receive, send)
        elif "text/html" not in request.headers.get("accept", ""):
            await self.app(scope, receive, send)
        elif not known and asked != "/" and len(asked) < self.LONGEST and self.PAGE.fullmatch(asked):
            kept = base64.urlsafe_b64encode(asked.encode()).decode()
            cookie = f"{self.LINK}={kept}; Path={root or '/'}; Max-Age={self.KEPT}; HttpOnly; SameSite=Lax"
            await self.app(scope, receive, adding(send, "Set-Cookie", cookie))
        elif known and asked in ("", "/") and (link := self.link(request)):
            answer = RedirectResponse(f"{root}{link}", 303)
            answer.delete_cookie(self.LINK, path=root or "/")
            await answer(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    def link(self, request: Request) -> str | None:
        """The link that somebody came by before they signed in."""
        try:
            found = base64.urlsafe_b64decode(request.cookies.get(self.LINK, "")).decode()
        except ValueError:
            return None
        return found if self.PAGE.fullmatch(found) else None


def adding(send: Send, name: str, value: str) -> Send:
    """`send` that adds a header to the answer."""

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).append(name, value)
        await send(message)

    return answer


def known_by(request: Request) -> bool:
    """Whether a request carries the signed cookie of somebody who signed in."""
    cookie = starlette_auth_routes._get_cookie_value_from_request(request, starlette_auth_routes.USER_COOKIE_NAME)
    return cookie is not None and bool(json.loads(cookie).get("is_logged_in"))


def writable() -> str:
    """`ready`, or in one word why nothing can be kept: `full` (the disk), `unwritable` (the folder)."""
    probe = store.home() / f".ready.{secrets.token_hex(4)}.partial"
    try:
        probe.parent.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as out:
            out.write(PROBE)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        return "full" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "unwritable"
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    return "ready"


async def ready(request: Request) -> Response:
    """For a load balancer: 200 as long as the app answers and what people keep can be written, else 503 and one word why."""
    running = exists() and (await get_instance().is_ready_for_browser_connection)[0]
    found = await run_in_threadpool(writable) if running else "starting"
    return PlainTextResponse(found, 200 if found == "ready" else 503, {"Cache-Control": "no-store"})


def limits() -> str | None:
    """What is wrong with the limits and numbers from the environment, if something is: said here, no page has to say it later."""
    try:
        for told in (memo.total, runs.limit, store.limit, settings.threads, quotas.jobs, quotas.upload, quotas.disk):
            told()
    except UserError as error:
        return str(error)
    return None


def sign_in() -> str | None:
    """Let people sign in where that is set up, or was asked for by LATENT_SIGN_IN=1; what is wrong with it, if something is.

    A file of secrets that was named must be there: a typo in its name would let everybody in. Where one has nothing about
    sign-in, that is printed.
    """
    files = config.get_option("secrets.files")
    if config.is_manually_set("secrets.files") and (lost := [name for name in files if not os.path.exists(name)]):
        return (
            f"The file of Streamlit's secrets {lost[0][:200]!r}, which STREAMLIT_SECRETS_FILES or a setting names, is not there."
        )
    try:
        readable = secrets_singleton.load_if_toml_exists()
        damaged = not readable and any(os.path.exists(name) for name in files)
    except (OSError, UnicodeError):  # a folder, no permission, not UTF-8
        readable, damaged = False, True
    if damaged:
        return "Streamlit's secrets cannot be read: each must be TOML in UTF-8, in a file whose name ends in .toml."
    found = secrets_singleton.to_dict() if readable else {}
    if not owner.needed() and not any(name.lower() == "auth" for name in found):
        if readable:
            print("Streamlit's secrets have no section [auth]: nobody signs in, and all share one store.", file=sys.stderr)
        return None
    os.environ["LATENT_SIGN_IN"] = "1"  # whatever else goes wrong, nobody sees anything without it from here on
    if wrong := incomplete(found):
        return wrong
    if not auth_util.is_authlib_installed() or importlib.util.find_spec("httpx") is None:
        return f"Sign-in needs two more packages: pip install {' '.join(PACKAGES)}."
    return None


def incomplete(found: Mapping[str, object]) -> str | None:
    """What the section [auth] of these secrets lacks for people to sign in, if something."""
    if misspelt := [name for name in found if name.lower() == "auth" and name != "auth"]:
        return f"The section [{misspelt[0]}] of Streamlit's secrets must be called [auth]."
    auth = found.get("auth", {})
    if not isinstance(auth, Mapping):
        return "What Streamlit's secrets call auth must be one section [auth]."
    if missing := [name for name in NEEDED if auth.get(name) in (None, "")]:
        return f"To let people sign in, the section [auth] of Streamlit's secrets must also have {', '.join(missing)}."
    if unquoted := [name for name in NEEDED if not isinstance(auth[name], str)]:
        return f"In the section [auth] of Streamlit's secrets {', '.join(unquoted)} must be text, in quotes."
    if elsewhere := [name for name in ("redirect_uri", "server_metadata_url") if not ADDRESS.fullmatch(auth[name])]:
        return f"In the section [auth] of Streamlit's secrets {', '.join(elsewhere)} must be an address: https://…."
    if len(auth["cookie_secret"]) < 32:
        return "The cookie_secret in the section [auth] of Streamlit's secrets must have 32 characters or more, by chance."
    return None


def deaf(address: str, port: int) -> str | None:
    """Why nothing can listen there, if nothing can; asked before Streamlit tells people where to look."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:  # as Streamlit does
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "not an address"
        return f"The app cannot listen on {address[:200]}, port {port} ({why})."
    return None


app = st.App(
    Path(__file__).with_name("main.py"),
    routes=[Route("/ready", ready)],
    middleware=[Middleware(SecurityHeaders), Middleware(Strangers)],
)


def main(
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8501,
    address: Annotated[str, typer.Option(help="The address to listen on; the default is for a proxy beside it.")] = "127.0.0.1",
    host: Annotated[
        list[str] | None, typer.Option(help="A name that people reach the app by; may be given several times.")
    ] = None,
) -> None:
    """Serve the app to others, until it is stopped."""
    from streamlit.web.cli import main as streamlit_cli

    if wrong := deaf(address, port):
        print(wrong, file=sys.stderr)
        raise SystemExit(2)
    os.chdir(ROOT)  # where Streamlit looks for its settings
    hosts = [f"--server.allowedHosts={name}" for name in (*LOOPBACK, *(host or []))]
    given = [f"--server.port={port}", f"--server.address={address}", *hosts, "--server.headless=true"]
    streamlit_cli(["run", str(Path(__file__).resolve()), *given], prog_name="streamlit")


if __name__ == "__main__":
    typer.run(main)
elif wrong := limits() or sign_in():
    raise SystemExit(wrong)
