"""The same app for hosting: `streamlit run app/serve.py`, with security headers and /ready for a load balancer.

Set STREAMLIT_SERVER_ADDRESS and STREAMLIT_SERVER_ALLOWED_HOSTS. No page offers paths of the server's disk then.
"""

import base64
import hashlib
import os
import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

os.environ["LATENT_HOSTED"] = "1"


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


async def ready(request: Request) -> Response:
    """For a load balancer: the server answers."""
    return PlainTextResponse("ready")


app = st.App(Path(__file__).with_name("main.py"), routes=[Route("/ready", ready)], middleware=[Middleware(SecurityHeaders)])
