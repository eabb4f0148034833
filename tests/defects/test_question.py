"""What a page asks before it makes a recipe."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gen_core import catalog
from gen_core.defects import question
from gen_core.defects.recipe import Infer
from gen_core.errors import InputError


def test_snapshots_are_told() -> None:
    told = question.told(Infer(data="pairs_signed", n=50, snapshots=3))
    assert (told.times, told.replicas, told.particles, told.dimensions, told.signed) == (3, 50, 10, 2, True)
    assert question.libraries(Infer(data="pairs", n=50, snapshots=3))[0] == "pair"
    assert question.libraries(Infer(n=300))[0] == "gradient"
    assert question.seconds(Infer()) < 10


def test_networks_are_those_of_the_data() -> None:
    assert list(question.networks(Infer()))[:1] == ["defects-double-well"]
    assert "defects-double-well" not in question.networks(Infer(data="pairs"))


def test_files_are_checked(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", times=np.arange(2.0), positions=np.random.default_rng(0).normal(size=(2, 300, 2)))
    with pytest.raises(InputError, match="at least 3"):
        question.check_data(catalog.adopt(str(tmp_path / "a.npz")))
