"""A small identity provider on this machine (OpenID Connect, authorization code), for the tests of signing in.

Whoever is asked to sign in types a name and nothing else: who they say they are is not what is tested. All else is as it is
outside: discovery, authorize, token (the code once, the client's secret, the nonce), keys, and ID tokens signed with RS256.
"""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT, SECRET = "latent-sandbox", "secret-of-this-test"


@contextmanager
def provider() -> Iterator[str]:
    """The issuer's address while it runs."""
    from joserfc.jwk import RSAKey

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.key = RSAKey.generate_key(2048, {"kid": "test", "use": "sig"})  # type: ignore[attr-defined]
    server.codes = {}  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/.well-known/openid-configuration":
            self._json(self._configuration())
        elif url.path == "/jwks":
            self._json({"keys": [self.server.key.as_dict(private=False)]})  # type: ignore[attr-defined]
        elif url.path == "/authorize" and "name" not in asked:
            fields = "".join(f'<input type="hidden" name="{escape(n)}" value="{escape(v)}">' for n, v in asked.items())
            page = (
                '<link rel="icon" href="data:,">'  # or the browser asks for one
                f'<title>Who are you?</title><form>{fields}<label>Name <input name="name"></label><button>Go on</button></form>'
            )
            self._send(200, page.encode(), "text/html; charset=utf-8")
        elif url.path == "/authorize" and asked.get("client_id") == CLIENT and asked.get("response_type") == "code":
            code = secrets.token_urlsafe(24)
            self.server.codes[code] = asked  # type: ignore[attr-defined]
            self._redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")
        elif url.path == "/end":
            self._redirect(asked["post_logout_redirect_uri"])
        else:
            self._send(404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        asked = self.server.codes.pop(given.get("code", ""), None)  # type: ignore[attr-defined]
        basic = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        known = given.get("client_secret") == SECRET or self.headers.get("Authorization") == basic
        if self.path != "/token" or asked is None or not known or given.get("redirect_uri") != asked["redirect_uri"]:
            self._json({"error": "invalid_grant"}, 400)
            return
        self._json({"access_token": secrets.token_urlsafe(), "token_type": "Bearer", "id_token": self._token(asked)})

    def _token(self, asked: dict[str, str]) -> str:
        from joserfc import jwt

        now = int(time.time())
        claims: dict[str, Any] = {"iss": self._issuer(), "sub": f"subject of {asked['name']}", "aud": CLIENT, "iat": now}
        claims |= {"exp": now + 300, "name": asked["name"]} | ({"nonce": asked["nonce"]} if "nonce" in asked else {})
        return jwt.encode({"alg": "RS256", "kid": "test"}, claims, self.server.key)  # type: ignore[attr-defined]

    def _issuer(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"  # type: ignore[attr-defined]

    def _configuration(self) -> dict[str, Any]:
        at = self._issuer()
        return {
            "issuer": at,
            "authorization_endpoint": f"{at}/authorize",
            "token_endpoint": f"{at}/token",
            "jwks_uri": f"{at}/jwks",
            "end_session_endpoint": f"{at}/end",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def _json(self, values: dict[str, Any], status: int = 200) -> None:
        self._send(status, json.dumps(values).encode(), "application/json")

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""
