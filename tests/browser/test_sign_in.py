"""Two people sign in at an identity provider of the test, each in a browser of their own: neither sees what is the other's."""

from __future__ import annotations

import importlib.util
import json
import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from gen_core.recipe import Recipe
from tests.browser.conftest import at_rest, serving
from tests.identity import CLIENT, SECRET, provider

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("authlib") is None or importlib.util.find_spec("joserfc") is None,
    reason="sign-in needs streamlit[auth], which is not installed",
)
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def signing_in(home: Path, **environment: str) -> Iterator[str]:
    """The hosted app with sign-in; its settings lie beside its store."""
    with provider() as issuer, serving(Path("app/serve.py"), home, secrets_of(issuer), LATENT_WARM="0", **environment) as url:
        yield url


def secrets_of(issuer: str):
    """Streamlit's secrets for a port, as a hoster writes them."""

    def written(home: Path, port: int) -> dict[str, str]:
        path = home / "secrets.toml"
        path.write_text(
            f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n'
        )
        return {"STREAMLIT_SECRETS_FILES": str(path)}

    return written
