"""A small synthetic family whose rules are known, and a model of it, trained once for all tests of a worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from gen_core import store
from gen_core.proteins import evaluate, train
from gen_core.proteins.alphabet import GAP, decode
from gen_core.proteins.modelfile import FamilyModel, read_model
from gen_core.proteins.recipe import Train

LENGTH, NUMBER = 30, 400
TIED = ((2, 20), (5, 14))  # columns that always hold the same residue


def family_codes(seed: int = 0, n: int = NUMBER, clans: int = 2) -> np.ndarray:
    """Sequences (n, LENGTH) of some clans with conserved sites, tied columns, and gaps in one column."""
    rng = np.random.default_rng(seed)
    founders = np.random.default_rng(99).integers(0, 20, (2, LENGTH))
    codes = founders[rng.integers(0, clans, n)]
    noise = rng.random(codes.shape) < np.linspace(0.05, 0.6, LENGTH)
    codes = np.where(noise, rng.integers(0, 20, codes.shape), codes)
    for i, j in TIED:
        codes[:, i] = codes[:, j] = rng.integers(0, 20, n)
    codes[rng.random(n) < 0.3, 10] = GAP
    return codes.astype(np.uint8)


def write_fasta(path: Path, rows: list[str], prefix: str = "s") -> Path:
    path.write_text("".join(f">{prefix}{i}\n{row}\n" for i, row in enumerate(rows)))
    return path


@pytest.fixture(scope="session", autouse=True)
def small_cards() -> Iterator[None]:
    """Cards of fewer draws: what they say is tested, not how sure it is."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (
            ("DRAWN", 2_000),
            ("CHAINS", 100),
            ("SWEEPS", 20),
            ("IMPORTANCE", 50),
            ("MOST_HELD_OUT", 20),
            ("SETS", 20),
        ):
            patch.setattr(evaluate, name, value)
        yield


@pytest.fixture(scope="session")
def rows() -> list[str]:
    """The family's rows."""
    return decode(family_codes())


@pytest.fixture(scope="session")
def family_digest(rows: list[str], tmp_path_factory: pytest.TempPathFactory, latent_home: Path) -> str:
    """The family as a file in the store."""
    return store.add(write_fasta(tmp_path_factory.mktemp("family") / "family.fasta", rows))


@pytest.fixture(scope="session")
def short(family_digest: str) -> Train:
    """A training of a few epochs."""
    return Train(family=family_digest, latent_dim=4, epochs=30)


@pytest.fixture(scope="session")
def model_folder(short: Train, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the family."""
    folder = tmp_path_factory.mktemp("model") / "m"
    for _ in train.steps(short, folder, "cpu"):
        pass
    return folder


@pytest.fixture(scope="session")
def model(model_folder: Path) -> FamilyModel:
    return read_model(model_folder)


@pytest.fixture(scope="session")
def model_digest(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same model as the store keeps it."""
    import shutil

    copy = shutil.copytree(model_folder, tmp_path_factory.mktemp("copy") / "m")
    return store.add_model(copy)
