"""Recipes: three spellings of one value, and one sentence for whatever is wrong."""

import json
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from gen_core import catalog
from gen_core import recipe as recipes
from gen_core.cells.recipe import Decode, Perturb
from gen_core.errors import RecipeError
from gen_core.recipe import Content, Recipe

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
perturbs = st.builds(
    Perturb,
    seed=st.integers(0, 2**32 - 1),
    data=st.sampled_from(["simulated", "sha256:" + "a1" * 32]),
    target=st.none() | text,
    control=st.just("c") | text.filter(lambda t: t != "p"),
    perturbed=st.just("p"),
    sources=st.none() | st.lists(text.map(lambda t: "s" + t), min_size=1, max_size=4).map(tuple),
    dose=st.floats(-10, 10),
    reverse=st.booleans(),
    layer=st.none() | text,
).filter(lambda r: r.target not in (r.sources or ()))


@settings(deadline=None)
@given(made=perturbs)
def test_three_spellings_read_back_to_the_same_recipe(made: Perturb) -> None:
    assert catalog.from_document(recipes.loads(made.json())) == made
    assert catalog.from_document(recipes.loads(made.json(indent=1))) == made
    assert catalog.from_query(made.query(), "cells.decode") == made
    assert catalog.recipe_class(made.operation).read(made.fields()) == made
    assert catalog.from_query(made.query(), "cells.perturb").sha256 == made.sha256


@settings(deadline=None)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
        lambda s: st.lists(s) | st.dictionaries(text, s),
        max_leaves=8,
    )
)
def test_a_value_survives_its_spelling(value: Any) -> None:
    assert recipes.unspell(recipes.spell(value)) == value


@settings(deadline=None)
@given(junk=st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_nonsense_links_and_documents_are_one_sentence(junk: str) -> None:
    for read in (lambda: catalog.from_query(junk, "cells.perturb"), lambda: catalog.from_document(recipes.loads(junk))):
        try:
            read()
        except RecipeError as error:
            assert "\n" not in str(error).replace(repr(junk), "")  # noqa: PT017  # an empty link is a valid recipe


def test_digest_does_not_depend_on_order_or_version(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Perturb(dose=0.5)
    before = made.sha256
    monkeypatch.setattr(recipes, "__version__", "9.9.9")
    assert made.sha256 == before
    assert Perturb.read(dict(reversed(made.fields().items()))).sha256 == before


def test_a_recipe_cannot_be_changed() -> None:
    with pytest.raises(Exception, match="frozen"):
        Perturb().dose = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"does": 1}, "cells.perturb has no field 'does': did you mean 'dose'?"),
        ({"zzz": 1}, "it has"),
        ({"dose": "much"}, "dose: 'much' is not allowed; it should be a valid number"),
        ({"dose": float("nan")}, "dose: nan is not allowed"),
        ({"seed": -1}, "seed: -1 is not allowed; it should be greater than or equal to 0."),
        ({"data": "../../etc/passwd"}, "neither a bundled name nor the digest"),
        ({"data": "sha256:12"}, "neither a bundled name nor the digest"),
        ({"sources": []}, "sources is empty"),
        ({"predictor": ["auto"]}, "predictor"),
        ({"target": "x" * 300}, "target"),
    ],
)
def test_wrong_values(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RecipeError) as caught:
        Perturb.read(fields)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 500


def test_later_schema_long_documents_and_deep_nesting_are_refused() -> None:
    with pytest.raises(RecipeError, match="schema 2"):
        catalog.from_document({"schema": 2, "operation": "cells.perturb"})
    with pytest.raises(RecipeError, match="longer than"):
        recipes.loads("[" * (recipes.MAX_DOCUMENT + 1))
    for text in ("[" * 100_000, '{"operation": 3}', "[]", '{"operation": "cells.perturb", "dose": NaN}', b"\xff\xfe"):
        with pytest.raises(RecipeError):
            recipes.loads(text)


def test_endless_names_are_told_by_their_beginning_and_too_many_fields_are_refused() -> None:
    endless = "<g>" * 60_000
    known = {"operation": "cells.perturb"}
    for document in ({"operation": endless}, known | {endless: 1}, known | {"schema": endless}):
        with pytest.raises(RecipeError) as caught:
            catalog.from_document(document)
        assert "<g><g>" in str(caught.value)
        assert len(str(caught.value)) < 1000
    for operation in ("symmetry.recover", "cells.perturb", "images.mix"):
        for field in ("data", "model", "models", "target", "\ud800"):
            for value in ("\ud800", ["\ud800"], {"\ud800": 1}):
                with pytest.raises(RecipeError) as caught:
                    catalog.from_document({"operation": operation, field: value})
                assert str(caught.value).isprintable()
    for sign in ("\x1b[31m", "\u2028", "\u202e"):
        with pytest.raises(RecipeError, match="no number of measurements") as caught:
            catalog.from_document({"operation": "symmetry.needed", "measurements": sign})
        assert str(caught.value).isprintable()
    with pytest.raises(RecipeError, match="more than 200 fields"):
        catalog.from_query("&".join(f"a{i}=1" for i in range(300)), "cells.perturb")


def test_dotted_settings() -> None:
    fields: dict[str, Any] = {"filters": {"max": 1}, "n": 3}
    recipes.set_dotted(fields, "filters.min", 0)
    recipes.set_dotted(fields, "a.b.c", 1)
    assert fields == {"filters": {"max": 1, "min": 0}, "n": 3, "a": {"b": {"c": 1}}}
    with pytest.raises(RecipeError, match="single value"):
        recipes.set_dotted(fields, "n.x", 1)


def test_content_fields_are_found_also_where_they_may_be_null() -> None:
    class Two(Recipe):
        operation: ClassVar[str] = "x.two"
        image: Content = Field("phantom")
        mask: Content | None = None
        name: str = "n"

    assert recipes.content_fields(Two) == ["image", "mask"]
    assert recipes.content_fields(Decode) == ["data"]


def test_documents_are_plain_ascii_json() -> None:
    made = Perturb(target="T ½ — 細胞")
    assert made.json().isascii()
    assert json.loads(made.json())["target"] == "T ½ — 細胞"
