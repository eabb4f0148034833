"""A recipe: everything that is needed to make a result again, as a frozen, checked value.

One recipe has three spellings, and each reads back to the same value: a JSON document (files), a query string
(links) and Python keywords. Which class reads which operation is the catalogue's business, not this file's.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from gen_core import __version__
from gen_core.errors import RecipeError

SCHEMA = 1
MAX_DOCUMENT = 512 * 1024  # bytes; the longest query string that Streamlit passes on
MAX_FIELDS = 200  # of a link
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
MODEL = re.compile(r"(?!sha256)[a-z][a-z0-9_-]{0,63}")
NAME = re.compile(r"(?!sha256)[a-z][a-z0-9_]{0,63}(:[a-z0-9_]{1,64})*")


class ContentMark:
    """Marks the fields that name content, so that the command line may take a path there and store the file."""


def _is_content(text: str) -> str:
    if not DIGEST.fullmatch(text) and not NAME.fullmatch(text):
        raise ValueError(f"{shown(text)} is neither a bundled name nor the digest of a stored file (sha256: and 64 hex digits).")
    return text


Content = Annotated[str, AfterValidator(_is_content), ContentMark()]
"""A bundled name (`simulated`) or the digest of a file in the store (`sha256:` and 64 hex digits), never a path."""


class ModelMark:
    """Marks the field that names a model, so that the command line may take a folder there and keep a copy of it."""


def _is_model(text: str) -> str:
    if not DIGEST.fullmatch(text) and not MODEL.fullmatch(text):
        raise ValueError(f"{shown(text)} is neither a bundled model nor the digest of one (sha256: and 64 hex digits).")
    return text


Model = Annotated[str, AfterValidator(_is_model), ModelMark()]
"""A bundled model's name, or the digest of the weights of one that was trained here; `train` where that makes sense."""


class Recipe(BaseModel):
    """Base of all recipes. A subclass adds its fields and says which operation it is a recipe of."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)
    operation: ClassVar[str]

    seed: int = Field(0, ge=0, lt=2**32, description="Seed of every random choice: the same seed gives the same result.")

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self:
        """Check `fields`. Raises RecipeError with one sentence that names the first wrong field and what would be right."""
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            raise RecipeError(_printable(_sentence(cls, error.errors(include_url=False)[0]))) from None
        except UnicodeError:  # half of a character, as JSON may spell it (\ud800): nothing can write or show it
            raise RecipeError("This recipe holds a letter that is half of a character and cannot be read.") from None

    def fields(self) -> dict[str, Any]:
        """All fields as plain JSON values, defaults filled in."""
        return self.model_dump(mode="json")

    def replace(self, **changes: Any) -> Self:
        """The same recipe with some fields changed, checked again."""
        return self.read(self.fields() | changes)

    def document(self) -> dict[str, Any]:
        """What is written into files: the fields, the operation, the format's version and the software's."""
        return {"schema": SCHEMA, "gen_core": __version__, "operation": self.operation} | self.fields()

    def json(self, indent: int | None = None) -> str:  # type: ignore[override]  # pydantic's own `json` is long deprecated
        """The document as JSON text; without indent in the shortest spelling, which is what files carry."""
        return dumps(self.document(), indent)

    def query(self) -> str:
        """The query string that opens this recipe on its page. Every field is in it, so that a later default changes nothing."""
        pairs = {"operation": self.operation} | {name: spell(value) for name, value in self.fields().items()}
        return urlencode(pairs, quote_via=quote)

    @property
    def sha256(self) -> str:
        """Digest of the fields in canonical JSON: equal recipes have equal digests, whatever version wrote them."""
        return hashlib.sha256(dumps({"operation": self.operation} | self.fields(), sort=True).encode()).hexdigest()


def dumps(value: Any, indent: int | None = None, sort: bool = False) -> str:
    """JSON in one spelling: plain ASCII, so that it fits a FASTA header or a PDB remark as it is; NaN is refused."""
    separators = None if indent else (",", ":")
    return json.dumps(value, indent=indent, separators=separators, sort_keys=sort, allow_nan=False)


def loads(text: str | bytes) -> dict[str, Any]:
    """Parse a recipe document. Raises RecipeError where it is not one, is too long, or is of a later schema."""
    if len(text) > MAX_DOCUMENT:
        raise RecipeError(f"This recipe is longer than {MAX_DOCUMENT // 1024} KiB and was not read.")
    try:
        document = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise RecipeError("This is not a recipe: it is not valid JSON.") from None
    if not isinstance(document, dict) or not isinstance(document.get("operation"), str):
        raise RecipeError('This is not a recipe: a JSON object with an "operation" such as "cells.perturb" was expected.')
    return document


def split(document: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """A document's operation and its fields. Raises RecipeError where a later version of the software wrote it."""
    fields = dict(document)
    schema = fields.pop("schema", SCHEMA)
    if schema != SCHEMA:
        raise RecipeError(f"This recipe has schema {shown(schema)}; this version of Latent Sandbox reads schema {SCHEMA}.")
    fields.pop("gen_core", None)
    return str(fields.pop("operation")), fields


def parse_query(text: str) -> dict[str, Any]:
    """The fields in a query string (without their check: `catalog.from_query` does that)."""
    if len(text) > MAX_DOCUMENT:
        raise RecipeError(f"This link is longer than {MAX_DOCUMENT // 1024} KiB and was not read.")
    try:
        pairs = parse_qsl(text.removeprefix("?"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:  # too many of them; what is spelled wrongly is passed on as it stands
        raise RecipeError(f"This link has more than {MAX_FIELDS} fields and was not read.") from None
    return {name: unspell(value) for name, value in pairs}


def spell(value: Any) -> str:
    """A JSON value as it stands in a link or after `--set KEY=`: text as it is where that is not ambiguous, else JSON."""
    if isinstance(value, str) and unspell(value) == value:
        return value
    return dumps(value)


def unspell(text: str) -> Any:
    """The JSON value that `text` spells, or the text itself where it is no JSON."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text


def set_dotted(fields: dict[str, Any], key: str, value: Any) -> None:
    """Set `a.b.c` inside nested fields, in place. Raises RecipeError where a part of the path is no group of fields."""
    *path, last = key.split(".")
    for part in path:
        fields = fields.setdefault(part, {})
        if not isinstance(fields, dict):
            raise RecipeError(f"{key}: {part!r} is a single value and has nothing inside it to set.")
    fields[last] = value


def content_fields(cls: type[Recipe]) -> list[str]:
    """Names of the fields that name content (those annotated `Content`, also inside `Content | None`)."""
    return _marked(cls, "ContentMark")


def model_fields(cls: type[Recipe]) -> list[str]:
    """Names of the fields that name a model, which may be one of the user's own (those annotated `Model`)."""
    return _marked(cls, "ModelMark")


def _marked(cls: type[Recipe], mark: str) -> list[str]:
    return [name for name, info in cls.model_fields.items() if mark in repr(info.annotation) + repr(info.metadata)]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _sentence(cls: type[Recipe], problem: ErrorDetails) -> str:
    """One pydantic problem as a sentence in the words of the recipe."""
    where = [str(part) for part in problem["loc"]]
    name, kind, context = shortened(".".join(where)), problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(where[-1], cls.model_fields, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(cls.model_fields)}."
        return f"{cls.operation} has no field {name!r}: {hint}"
    if kind == "missing":
        return f"{name}: this field is needed and was not given ({_description(cls, where[0])})."
    if kind == "value_error":
        text = str(context.get("error", problem["msg"]))
        return f"{name}: {text}" if name else text
    rule = re.sub(
        r"^(Input|String|List|Tuple|Value|Dictionary) | after validation|, (unable to|exceeded) .*$", "", problem["msg"]
    )
    rule = rule.replace("valid tuple", "list").replace("Unable to parse input string as", "should be")
    return f"{name}: {shown(problem.get('input'))} is not allowed; it {rule[:1].lower()}{rule[1:]}."


def _printable(text: str) -> str:
    """Signs that move the cursor, turn the writing or end the line as Python spells them: a sentence may quote any value."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _description(cls: type[Recipe], name: str) -> str:
    info = cls.model_fields.get(name)
    return (info.description if info and info.description else name).rstrip(".")


def shown(value: Any) -> str:
    """A value as it stands in a sentence: of a long one the beginning."""
    return shortened(repr(value))


def shortened(text: str) -> str:
    """At most 60 characters of a text; what is longer says so."""
    return text if len(text) <= 60 else text[:57] + "…"
