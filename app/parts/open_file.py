"""Drop any exported file and land on its page in exactly the state that made it."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import streamlit as st

from app.parts import cache, guard, session
from gen_core import catalog
from gen_core.errors import InputError, UserError
from gen_core.recipe import Recipe


def drop(place: str, label: str = "Open an exported file") -> None:
    """An area to drop an exported file on; `place` tells two areas on one page apart."""
    key = session.turn("open", place)
    st.file_uploader(
        label,
        key=key,
        on_change=_arrived,
        args=(place, key),
        label_visibility="collapsed",
        help="Any file this app exported (.h5ad, .csv, .png, .html, recipe.json, …): the recipe inside it opens its page.",
    )
    if error := session.get("open", f"{place}/error"):
        st.error(guard.plain(error), icon=":material/error:")
    recipe = session.get("open", f"{place}/recipe")
    if recipe is not None:
        session.put("open", f"{place}/recipe", None)
        st.switch_page(page_of(recipe), query_params=session.link_fields(recipe))


def page_of(recipe: Recipe) -> str:
    """The page that shows this recipe, as st.switch_page takes it. Raises InputError where there is none."""
    name = session.page_of(recipe)
    if name not in [system.name for system in cache.instruments()]:
        raise InputError(
            f"This file is a result of {recipe.operation}, which has no page here; `python -m gen_core run` makes it again."
        )
    return f"instruments/{name}.py"


def _arrived(place: str, key: str) -> None:
    """The uploader's callback: read the recipe, then empty the uploader, so that the same file can be dropped again."""
    file = session.held(key)
    if file is None:
        return
    session.put("open", f"{place}/error", None)
    try:
        recipe = _read(file)
        page_of(recipe)
        session.put("open", f"{place}/recipe", recipe)
    except UserError as error:
        session.put("open", f"{place}/error", str(error))
    session.turn_over("open", place)


def _read(file: object) -> Recipe:
    """The recipe in an uploaded file. Of its name only a plain ending is used, never a path."""
    ending = re.search(r"(\.(nii|ome))?\.[A-Za-z0-9]{1,8}$", str(getattr(file, "name", "")))
    with tempfile.TemporaryDirectory(prefix="latent-") as folder:
        path = Path(folder) / f"file{ending[0].lower() if ending else ''}"
        with path.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)  # type: ignore[arg-type]
        return catalog.from_file(path)
