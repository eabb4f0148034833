"""What the environment sets, and what it is told where that is nonsense."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gen_core import memo, runs, settings, store
from gen_core.errors import InputError


@pytest.mark.parametrize(
    ("name", "limit"), [("LATENT_CACHE_GIB", memo.total), ("LATENT_RUNS_GIB", runs.limit), ("LATENT_STORE_GIB", store.limit)]
)
def test_limits_in_gib(monkeypatch: pytest.MonkeyPatch, name: str, limit: Callable[[], int]) -> None:
    monkeypatch.delenv(name, raising=False)
    usual = limit()
    monkeypatch.setenv(name, "")
    assert limit() == usual >= 1 << 30
    monkeypatch.setenv(name, "0.5")
    assert limit() == 1 << 29
    for nonsense in ("much", "-1", "nan", "inf", "-inf", "1e400", "-1e-12", "1e13"):
        monkeypatch.setenv(name, nonsense)
        with pytest.raises(InputError, match=f"{name}: '{nonsense}' is no number of GiB"):
            limit()


def test_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATENT_THREADS", raising=False)
    assert settings.threads() == 1
    for told, threads in (("", 1), ("1", 1), ("16", 16)):
        monkeypatch.setenv("LATENT_THREADS", told)
        assert settings.threads() == threads
    for nonsense in ("x", "0", "-2", "1.5", "²"):
        monkeypatch.setenv("LATENT_THREADS", nonsense)
        with pytest.raises(InputError, match=r"LATENT_THREADS: .* is no number of threads"):
            settings.threads()
