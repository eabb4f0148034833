"""The user's own pictures on the images page: one to look at, or a whole set to learn from; and the choice among models."""

from __future__ import annotations

import io
from typing import Any

import streamlit as st

from app.parts import jobs, people, session
from app.parts.guard import guard, plain
from gen_core import checkpoint, store
from gen_core.errors import InputError, UserError
from gen_core.images import question
from gen_core.images.recipe import BUNDLED, Images, Train
from gen_core.inputs.archive import pack

PAGE = "images"
TYPES = ["png", "jpg", "jpeg", "tif", "tiff"]
CUTS = {"resize": "Whole pictures, made smaller", "tiles": "Tiles of 64 x 64 pixels"}
SEEN = 20_000  # pictures that a training should see at least


def choose_model(now: Images) -> str:
    """A choice among the models there are; where there is one only, no choice is shown."""
    titles = {
        name: str(card.get("title") or card.get("summary"))
        for name, card in checkpoint.known("images").items()
        if question.fits(card) and (name == BUNDLED or people.may_see(name))
    }
    following = session.get(PAGE, "train/next")
    if following is not None:
        session.put(PAGE, "train/next", None)
        session.seed(PAGE, model=following)
    if now.model not in titles:
        titles[now.model] = "Another trained model"
    if len(titles) == 1:
        return now.model
    told = "What the pictures are encoded and drawn with. A seed is a rendered micrograph only where a model learned from these."
    key = session.settle(PAGE, "model", list(titles), now.model)
    return str(st.selectbox("Model", list(titles), key=key, format_func=titles.__getitem__, help=told))


def one_picture() -> None:
    """Add a picture to choose from, known by its digest from then on; it becomes the first picture of what is shown."""
    key = session.turn(PAGE, "own")
    with st.popover("Use your own picture", icon=":material/add_photo_alternate:", width="stretch"):
        st.file_uploader("A picture", type=TYPES, key=key, on_change=_arrived, args=(key,))
        if error := session.get(PAGE, "own/error"):
            st.error(plain(error), icon=":material/error:")
        st.caption(f":material/lock: {people.promise()} Its middle square is brought to 64 x 64 pixels.")


def _arrived(key: str) -> None:
    file = session.held(key)
    if file is None:
        return
    session.put(PAGE, "own/error", None)
    now = session.current(PAGE)
    try:
        digest = store.add_checked(file, file.name, question.check_picture)
        people.own(digest)
        session.put(PAGE, "own", {**session.get(PAGE, "own", {}), digest: store.name_of(digest)})
        if isinstance(now, Images):
            session.load(PAGE, question.with_first(now, digest))
    except UserError as error:
        session.put(PAGE, "own/error", str(error))
    session.turn_over(PAGE, "own")


def training(now: Images, asked: Train | None) -> None:
    """The panel that learns a model from a set of the user's pictures, away from the page; `asked` is a link's or a file's."""
    wanted, opened = jobs.wanted(PAGE, "set", "images.train", asked)
    with st.expander("Learn from your own pictures", icon=":material/model_training:", expanded=opened), guard():
        st.caption(
            "A zip with pictures, or many pictures at once (PNG, JPEG or TIFF, 8 or 16 bit, grey or colour, of any size). "
            "Nothing else is known of them, so structure and style come apart less cleanly than where mixes can be rendered."
        )
        key = session.turn(PAGE, "set")
        st.file_uploader(
            "Pictures", type=["zip", *TYPES], key=key, accept_multiple_files=True, on_change=_set_arrived, args=(key,)
        )
        if error := session.get(PAGE, "set/error"):
            st.error(plain(error), icon=":material/error:")
        st.caption(f":material/lock: {people.promise()}")
        if wanted is None:
            return
        name = store.name_of(wanted.data) if people.may_see(wanted.data) else "the pictures of the link"
        recipe, job = _panel(now, wanted, name)
        model = jobs.just_done(PAGE, recipe, job)
        if model is not None and recipe.kind == "styles":  # what the verbs need
            session.put(PAGE, "train/next", model)
            st.rerun()


def _panel(now: Images, wanted: Train, name: str) -> tuple[Train, Any]:
    """How it is cut and how long it is learned from, and its job."""
    left, right = st.columns([3, 2])
    told = "Where details matter more than the whole, tiles; a picture smaller than a tile is made larger."
    names, key = list(CUTS), f"{PAGE}/train/{wanted.sha256}"
    cut = left.radio("Cut", names, names.index(wanted.cut), key=f"{key}/cut", format_func=CUTS.__getitem__, help=told)
    count = question.count(wanted.replace(cut=cut))
    told = "Times that every picture is learned from."
    epochs = right.number_input("Epochs", 1, 10_000, wanted.epochs, key=f"{key}/epochs", help=told)
    recipe = wanted.replace(cut=cut, epochs=epochs)
    about = f"{count:,} pictures out of {name}. About {jobs.rounded(5 + 0.03 * count * epochs)} on one core."
    return recipe, jobs.panel(PAGE, recipe, about=plain(about), opens=now)


def _set_arrived(key: str) -> None:
    """In a callback: one zip as it is, anything else packed into one."""
    files = session.held(key) or []
    if not files:
        return
    session.put(PAGE, "set/error", None)
    try:
        if len(files) == 1 and files[0].name.lower().endswith(".zip"):
            source, name = files[0], files[0].name
        else:
            source, name = _packed(files), f"{len(files)} pictures"
        digest = store.add_checked(source, name, question.check_pictures)
        people.own(digest)
        wanted = Train(data=digest)
        wanted = wanted.replace(epochs=max(4, SEEN // question.count(wanted)))
        session.put(PAGE, "set", wanted)
    except UserError as error:
        session.put(PAGE, "set/error", str(error))
    session.turn_over(PAGE, "set")


def _packed(files: Any) -> io.BytesIO:
    """Uploaded pictures as one zip; the names only keep their order."""
    if any(file.name.lower().endswith(".zip") for file in files):
        raise InputError("Give one zip, or pictures, not both.")
    return pack((f"{i:05d}.{file.name.rpartition('.')[2].lower()}", file.getvalue()) for i, file in enumerate(files))
