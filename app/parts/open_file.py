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
    several(place)
    recipe = session.get("open", f"{place}/recipe")
    if recipe is not None:
        session.put("open", f"{place}/recipe", None)
        st.switch_page(page_of(recipe), query_params=session.link_to(recipe))


def several(place: str) -> None:
    """Of a zip of several runs one is chosen."""
    found: dict[str, Recipe] | None = session.get("open", f"{place}/several")
    if found is None:
        return
    key = session.turn("open", f"{place}/run")
    st.selectbox(
        f"This file holds {len(found)} results. Open",
        list(found),
        index=None,
        key=key,
        placeholder="Choose one",
        on_change=_chosen,
        args=(place, key),
    )


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
    session.put("open", f"{place}/several", None)
    try:
        found = _read(file)
        if len(found) > 1:
            session.put("open", f"{place}/several", found)
        else:
            _open(place, next(iter(found.values())))
    except UserError as error:
        session.put("open", f"{place}/error", str(error))
    session.turn_over("open", place)


def _chosen(place: str, key: str) -> None:
    """In a callback: one of several."""
    recipe = (session.get("open", f"{place}/several") or {}).get(session.held(key))
    session.turn_over("open", f"{place}/run")
    if recipe is None:
        return
    try:
        _open(place, recipe)
    except UserError as error:
        session.put("open", f"{place}/error", str(error))


def _open(place: str, recipe: Recipe) -> None:
    """In a callback: the page opens when it is drawn. Raises InputError where there is none."""
    page_of(recipe)
    session.put("open", f"{place}/recipe", recipe)


def _read(file: object) -> dict[str, Recipe]:
    """The recipes in an uploaded file, by folder. Of its name only a plain ending is used, never a path."""
    ending = re.search(r"(\.(nii|ome))?\.[A-Za-z0-9]{1,8}$", str(getattr(file, "name", "")))
    with tempfile.TemporaryDirectory(prefix="latent-") as folder:
        path = Path(folder) / f"file{ending[0].lower() if ending else ''}"
        with path.open("wb") as out:
            shutil.copyfileobj(file, out, 1 << 20)  # type: ignore[arg-type]
        return catalog.all_from_file(path)
