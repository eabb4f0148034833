"""Recipes in text files: FASTA, PDB, mmCIF, SVG, HTML and recipe.json itself (tables are in `table.py`)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape

from gen_core.errors import InputError, OutputError
from gen_core.inputs import markup_root, opened, read_limited
from gen_core.inputs.archive import gunzip_limited
from gen_core.recipe import MAX_DOCUMENT, Recipe
from gen_core.stamp.common import (
    LIMIT,
    STEPS,
    Edit,
    damaged,
    decode,
    encode,
    line_end,
    lines_of,
    plain,
    splice,
    start_of,
    text_of,
)

# ---- FASTA: `>id recipe=BASE64URL`, in the first record only

_TOKEN = re.compile(rb"\srecipe=(\S*)")


def fasta_header(identifier: str, recipe: Recipe) -> str:
    """The description line of a FASTA file's first record, without its `>`: the id, then the recipe in base64url."""
    return f"{identifier} recipe={encode(text_of(recipe))}"


def write_fasta(path: Path, recipe: Recipe) -> None:
    """Add the recipe to the first record's description. A file without records has no place for it and stays as it is."""
    if found := _first_record(start_of(path)):
        start, line = found
        new = fasta_header(_TOKEN.sub(b"", line).decode("latin-1"), recipe)
        splice(path, [(start, start + len(line), new.encode("latin-1"))])


def read_fasta(path: Path) -> str | None:
    start = start_of(path)
    if start.startswith(b"\x1f\x8b"):  # packed by gzip
        start = gunzip_limited(path, LIMIT, cut=True)
    found = _first_record(start)
    token = _TOKEN.search(found[1]) if found else None
    return decode(token[1]) if token else None


def _first_record(data: bytes) -> tuple[int, bytes] | None:
    return next(((start, line) for start, _, line in lines_of(data) if line.startswith(b">")), None)


# ---- PDB: REMARK 999, lines of 80 columns as the format wants them, the first one of the remark blank

_REMARK = b"REMARK 999"
_MARK = b"REMARK 999 RECIPE "
_TITLE_SECTION = {b"HEADER", b"OBSLTE", b"TITLE", b"SPLIT", b"CAVEAT", b"COMPND", b"SOURCE", b"KEYWDS", b"EXPDTA", b"NUMMDL",
                  b"MDLTYP", b"AUTHOR", b"REVDAT", b"SPRSDE", b"JRNL", b"REMARK"}  # fmt: skip


def write_pdb(path: Path, recipe: Recipe) -> None:
    """Add the recipe after the file's other remarks, which is where the format has remark 999."""
    data = start_of(path)
    edits: list[Edit] = []
    at, blank, end = 0, None, line_end(data)
    for start, stop, line in lines_of(data):
        if line[:6].rstrip() not in _TITLE_SECTION:
            break
        at = stop
        if line.startswith(_MARK):
            edits.append((blank if blank is not None else start, stop, b""))
        blank = start if line.rstrip() == _REMARK else None
    lines = [_REMARK, *(_MARK + part for part in _wrapped(recipe, 80 - len(_MARK)))]
    splice(path, [*edits, (at, at, b"".join(line.ljust(80) + end for line in lines))])


def read_pdb(path: Path) -> str | None:
    lines = (line for _, _, line in lines_of(start_of(path)))
    return _joined(lines, _MARK)


# ---- mmCIF: comment lines after the first `data_` line, where the archive's own files have comments, too

_COMMENT = b"# recipe "


def write_mmcif(path: Path, recipe: Recipe) -> None:
    data = start_of(path)
    block = next((stop for _, stop, line in lines_of(data) if line[:5].lower() == b"data_"), None)
    if block is None:
        raise OutputError("This mmCIF file has no data block, so no recipe can be written into it.")
    edits: list[Edit] = [(start, stop, b"") for start, stop, line in lines_of(data) if line.startswith(_COMMENT)]
    new = b"".join(_COMMENT + part + line_end(data) for part in _wrapped(recipe, 70))
    splice(path, [*edits, (block, block, new)])


def read_mmcif(path: Path) -> str | None:
    return _joined((line for _, _, line in lines_of(start_of(path))), _COMMENT)


def _wrapped(recipe: Recipe, width: int) -> Iterator[bytes]:
    code = encode(text_of(recipe)).encode("ascii")
    return (code[at : at + width] for at in range(0, len(code), width))


def _joined(lines: Iterator[bytes], mark: bytes) -> str | None:
    """The text in the first run of lines that begin with `mark`."""
    parts: list[bytes] = []
    for line in lines:
        if line.startswith(mark):
            parts.append(line[len(mark) :].strip())
        elif parts:
            break
    return decode(b"".join(parts)) if parts else None


# ---- SVG: a `<metadata id="recipe">` element, the root's first child

_SVG_ROOT = re.compile(rb"<([\w.-]+:)?svg(?:[^>\"']|\"[^\"]*+\"|'[^']*+')*+>")
_SVG_STAMP = re.compile(rb"<(?:[\w.-]+:)?metadata id=\"recipe\">[^<]*+</(?:[\w.-]+:)?metadata>")


def write_svg(path: Path, recipe: Recipe) -> None:
    data = start_of(path)
    root = _SVG_ROOT.match(data, markup_root(data))
    if root is None or root[0].endswith(b"/>"):
        raise OutputError("This SVG file has no drawing in it (or is not in UTF-8), so no recipe can be written into it.")
    old = _SVG_STAMP.match(data, root.end())
    tag = (root[1] or b"").decode("ascii") + "metadata"
    new = f'<{tag} id="recipe">{escape(text_of(recipe))}</{tag}>'
    splice(path, [(root.end(), old.end() if old else root.end(), new.encode("ascii"))])


class _Metadata:
    """Listens to an XML parser until the recipe has passed. Entities are refused: a few lines of them can fill any memory."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.parts: list[str] = []
        self.found: str | None = None
        self.seen = 0  # elements
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.text
        self.parser.EntityDeclHandler = self.entity

    def start(self, name: str, attributes: dict[str, str]) -> None:
        here = name.rpartition(":")[2] == "metadata" and attributes.get("id") == "recipe" and len(self.path) == 1
        self.path.append("recipe" if here else "")
        self.seen += 1

    def end(self, _name: str) -> None:
        if self.path.pop() == "recipe" and self.found is None:
            self.found = "".join(self.parts)

    def text(self, text: str) -> None:
        if self.path[-1] == "recipe":
            self.parts.append(text)

    def entity(self, *_declaration: object) -> None:
        raise InputError("This SVG file declares entities of its own, which are not read here; export it again without them.")


def read_svg(path: Path) -> str | None:
    listener = _Metadata()
    with opened(path) as stream:
        for _ in range(LIMIT >> 16):
            block = stream.read(1 << 16)
            try:
                listener.parser.Parse(block, not block)
            except (expat.ExpatError, ValueError, LookupError):
                if listener.found is None:
                    raise damaged("SVG file") from None
            if listener.found is not None or not block or listener.seen > STEPS:
                break
    return listener.found


# ---- HTML: `<meta name="recipe">` in the head, behind the one that names the character set

_META = b'<meta name="recipe" content="'
_META_STAMP = re.compile(re.escape(_META) + rb"[^\"]*+\">")
_CHARSET = re.compile(rb"<meta(?! name=\"recipe\")[^>]*charset[^>]*>", re.IGNORECASE)
_HEAD = re.compile(rb"<head(?:\s[^>]*)?>", re.IGNORECASE)
_HTML = re.compile(rb"<html(?:\s[^>]*)?>", re.IGNORECASE)


def html_meta(recipe: Recipe) -> str:
    """The tag that carries the recipe in the head of a page."""
    return f'{_META.decode()}{html.escape(text_of(recipe))}">'


def write_html(path: Path, recipe: Recipe) -> None:
    """Add the tag. Browsers look for the character set in the first 1,024 bytes only, so a long recipe stands behind it."""
    data = start_of(path)
    found = next((match for pattern in (_CHARSET, _HEAD, _HTML) if (match := pattern.search(data, 0, 4096))), None)
    at = found.end() if found else markup_root(data)
    old = _META_STAMP.match(data, at)
    splice(path, [(at, old.end() if old else at, html_meta(recipe).encode("ascii"))])


def read_html(path: Path) -> str | None:
    data = start_of(path)
    start = data.find(_META)
    if start < 0:
        return None
    start += len(_META)
    stop = data.find(b'"', start)
    if stop < 0:
        raise damaged("HTML file")
    return html.unescape(plain(data[start:stop]))


# ---- recipe.json is the recipe


def write_json(path: Path, recipe: Recipe) -> None:
    """Write `recipe.json`. Any other JSON file is left alone: there is no place in it that all its readers would skip."""
    if path.name != "recipe.json":
        raise OutputError("A recipe is written beside a JSON file, as recipe.json, not into it.")
    text_of(recipe)  # too long a recipe is refused here as everywhere
    path.write_text(recipe.json(indent=1) + "\n", encoding="ascii")


def read_json(path: Path) -> str:
    # Indented, a document may take more room than on one line.
    return re.sub(r"\n\s*", " ", read_limited(path, 8 * MAX_DOCUMENT).decode("utf-8-sig", "replace"))
