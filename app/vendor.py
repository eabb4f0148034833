"""JavaScript that pages load, in app/static/vendor (not in the repository). `python app/vendor.py` fetches it at set-up.

plotly.js is inside the installed package and only copied. 3Dmol.js is in no package: it comes from npm, or without npm
from the address that py3Dmol has as its own default, and its digest is checked. While the app runs nothing is fetched.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
from pathlib import Path

VENDOR = Path(__file__).resolve().parent / "static" / "vendor"
THREED = VENDOR / "3Dmol-min.js"
VERSION = "2.5.5"  # of 3Dmol.js; the same as py3Dmol's in requirements.txt
SHA256 = "f7cc78921ae72e7623e89cdd111434f58c2efddd2ffda1cd212644b406fb8016"
LICENCE = "3Dmol-min.js.LICENSE.txt"


def plotly_js() -> str | None:
    """The address, relative to a page, of the installed plotly.js, copied where it is not yet; None where it cannot be."""
    found = importlib.util.find_spec("plotly")
    if found is None or found.origin is None:
        return None
    source = Path(found.origin).with_name("package_data") / "plotly.min.js"
    try:
        copy = VENDOR / f"plotly-{source.stat().st_size}.min.js"  # its size tells versions apart without reading 5 MB
        if not copy.is_file() or copy.stat().st_size != source.stat().st_size:
            _put(copy, source.read_bytes())
    except OSError:
        return None
    return f"app/static/vendor/{copy.name}"


def three_d_js() -> str | None:
    """The same for 3Dmol.js; None where it was not fetched at set-up."""
    return f"app/static/vendor/{THREED.name}" if THREED.is_file() else None


def fetch_3dmol() -> None:
    """Fetch 3Dmol.js and its licence where they are not here yet. Raises OSError or ValueError where that fails."""
    if THREED.is_file() and _sha256(THREED.read_bytes()) == SHA256:
        return
    script, licence = _from_npm() if shutil.which("npm") else _from_default_address()
    if _sha256(script) != SHA256:
        raise ValueError("its digest is not the expected one")
    _put(VENDOR / "3Dmol-LICENSE.txt", licence)
    _put(THREED, script)


def _from_npm() -> tuple[bytes, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        npm = str(shutil.which("npm"))  # npm.cmd on Windows, which only its full name starts
        done = subprocess.run(
            [npm, "pack", f"3dmol@{VERSION}", "--silent"], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        if done.returncode:
            raise OSError(f"npm: {done.stderr.strip().splitlines()[-1:] or done.returncode}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as package:
            names = ("package/build/3Dmol-min.js", "package/LICENSE", f"package/build/{LICENCE}")
            script, *licences = (package.extractfile(name).read() for name in names)  # type: ignore[union-attr]
    return script, b"\n".join(licences)


def _from_default_address() -> tuple[bytes, bytes]:
    import py3Dmol

    address: str = inspect.signature(py3Dmol.view.__init__).parameters["js"].default
    with (
        urllib.request.urlopen(address, timeout=60) as script,
        urllib.request.urlopen(f"{address}.LICENSE.txt", timeout=60) as licence,
    ):
        return script.read(), licence.read()


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.write_bytes(content)
    os.replace(partial, path)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    plotly_js()
    try:
        fetch_3dmol()
    except Exception as error:  # a missing viewer must not keep anyone from the other instruments
        print(f"warning: 3Dmol.js was not fetched ({error}); structures will be shown as plain traces", file=sys.stderr)
