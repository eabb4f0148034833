"""What every test may rely on: a store of its own worker, no network, and the real data where it is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples each time, so that a commit passes or does not; HYPOTHESIS_PROFILE=searching looks for new ones.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("searching", derandomize=False)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# For the workers, which this process starts: as many threads each as a page or a command has, or they wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def latent_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the content store that is no user's, one per worker."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LATENT_HOME", str(home))
        patch.setenv("LATENT_WARM", "0")
        yield home


@pytest.fixture(autouse=True)
def seeds() -> None:
    """Where a test builds a network by chance it is the same one each time, whatever ran before in this worker."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real data ($LATENT_DATA, default ../shared/data). Without it the test is skipped, and fails where CI=true."""
    folder = Path(os.environ.get("LATENT_DATA") or ROOT / "../shared/data").resolve()
    if not folder.is_dir():
        message = f"real data missing: there is no folder {folder}; set LATENT_DATA"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return folder
