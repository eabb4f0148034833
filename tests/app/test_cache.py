"""What the app keeps between runs, and what the garbage collector is kept from."""

from __future__ import annotations

import gc
import sys
import types

import pytest

from app.parts import cache


def test_newly_loaded_libraries_are_frozen_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_seen", [len(sys.modules)])
    try:
        gc.unfreeze()
        cache.settle()
        assert not gc.get_freeze_count()  # nothing new was loaded
        for i in range(cache.MANY + 1):
            monkeypatch.setitem(sys.modules, f"library_{i}", types.ModuleType(f"library_{i}"))
        library = [[i] for i in range(1000)]
        cache.settle()
        frozen = gc.get_freeze_count()
        assert frozen > len(library)
        assert not any(found is library for found in gc.get_objects())
        cache.settle()
        assert gc.get_freeze_count() <= frozen
    finally:
        gc.unfreeze()
