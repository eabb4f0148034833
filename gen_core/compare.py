"""Recipes, and the numbers that they gave, beside each other: which fields differ, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gen_core import scores
from gen_core.recipe import Recipe


@dataclass(frozen=True)
class Row:
    """One field of all recipes, or one number of all results as it is read; None where one has no such field."""

    name: str
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        """Whether they are not all the same."""
        return any(value != self.values[0] for value in self.values[1:])


def recipes(asked: Sequence[Recipe]) -> list[Row]:
    """The operation and every field, nested ones dotted ("filters.charge"), in the order of the first recipe that has it."""
    return _rows([{"operation": recipe.operation} | flat(recipe.fields()) for recipe in asked])


def numbers(found: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Every metric that is a number in one of the results, under the name that is read, those that matter first in front."""
    return [Row(scores.title(name), tuple(scores.text(name, one) for one in found)) for name in scores.names(found)]


def flat(fields: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Nested fields by their dotted names, as the command line's --set takes them; lists stay whole."""
    out: dict[str, Any] = {}
    for name, value in fields.items():
        out |= flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return out


def _rows(found: Sequence[Mapping[str, Any]]) -> list[Row]:
    names = dict.fromkeys(name for one in found for name in one)
    return [Row(name, tuple(one.get(name) for one in found)) for name in names]
