"""The user's own slices on the tomography page: a prior learned from them, and the choice among the priors there are."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments import tomography_evidence as trusting
from app.instruments.tomography_own import PAGE, TYPES
from app.parts import jobs, people, session
from app.parts.guard import guard, plain
from gen_core import checkpoint, store
from gen_core.errors import UserError
from gen_core.inputs.archive import pack
from gen_core.recipe import DIGEST, Recipe
from gen_core.tomography import question_own as question
from gen_core.tomography.recipe import Reconstruct, Train

KINDS = {"gaussian": "Gaussian", "vae": "Autoencoder", "diffusion": "Diffusion"}
BUNDLED = "bundled"


def take_next() -> None:
    """Before any widget is drawn: the page's recipe, with the prior that was trained meanwhile."""
    following = session.get(PAGE, "train/next")
    now = session.current(PAGE)
    if following is None or not isinstance(now, Reconstruct):
        return
    session.put(PAGE, "train/next", None)
    session.load(PAGE, question.with_prior(now, str(following)))


def choose_prior(now: Recipe) -> dict[str, Any]:
    """A choice among the bundled priors and those learned here; no choice is shown where there are none. Its recipe's fields."""
    model = now.model if isinstance(now, Reconstruct) else None
    names = {name: card for name, card in checkpoint.known(PAGE).items() if DIGEST.fullmatch(name) and people.may_see(name)}
    titles = {BUNDLED: "The bundled ones"} | {name: question.titled(card) for name, card in names.items()}
    if model is not None and model not in titles:
        titles[model] = "Another trained prior" if DIGEST.fullmatch(model) else model
    if len(titles) == 1:
        return {}
    key = session.settle(PAGE, "prior", list(titles), model or BUNDLED)
    told = "One of your own is used by the methods of its kind; the others keep the bundled one."
    chosen = str(st.selectbox("Prior", list(titles), key=key, format_func=titles.__getitem__, help=told, on_change=_turned))
    return {"model": None if chosen == BUNDLED else chosen}


def _turned() -> None:
    """In a callback: another prior, with its method and its size."""
    now, chosen = session.current(PAGE), str(session.value(PAGE, "prior"))
    if isinstance(now, Reconstruct):
        session.load(PAGE, question.with_prior(now, None if chosen == BUNDLED else chosen))


def training(asked: Train | None) -> None:
    """The panel that learns a prior from the user's slices, away from the page; `asked` is a link's or a file's."""
    now = session.current(PAGE)
    asked = asked if asked is not None and question.is_own(asked) else None  # the bundled priors are made by the command line
    wanted, opened = jobs.wanted(PAGE, "learn", "tomography.train", asked)
    with st.expander("A prior of your own slices", icon=":material/model_training:", expanded=opened), guard():
        st.caption(
            "A volume (NIfTI, or a NumPy stack of slices × rows × columns), or a zip, or all files of one or more DICOM series "
            "at once. Some hundreds of slices of many bodies make a prior; those of one body make a prior of that body."
        )
        key = session.turn(PAGE, "learn/file")
        st.file_uploader("Slices to learn from", TYPES, key=key, accept_multiple_files=True, on_change=_arrived, args=(key,))
        if error := session.get(PAGE, "learn/error"):
            st.error(plain(error), icon=":material/error:")
        st.caption(f":material/lock: {people.promise()}")
        if wanted is not None:
            recipe, job = _panel(now, wanted)
            if (model := jobs.just_done(PAGE, recipe, job)) is not None:
                session.put(PAGE, "train/next", model)
                st.rerun()
            if job is not None and job.model is not None:
                _card(job.model)


def _panel(now: Recipe, wanted: Train) -> tuple[Train, Any]:
    """What the slices are, what is learned from them and how, and its job."""
    st.markdown(f"**{plain(question.described(wanted))}**")
    notes = st.container(gap="xsmall")
    key = f"{PAGE}/learn/{wanted.data}/{wanted.seed}"
    left, middle, right = st.columns([3, 2, 2])
    told = "Gaussian: exact and fast, blurs. Autoencoder: a few numbers draw a slice. Diffusion: the sharpest, and hours slower."
    names = list(KINDS)
    kind = left.segmented_control(
        "Kind", names, default=wanted.prior, key=f"{key}/kind", format_func=KINDS.__getitem__, required=True, help=told
    )
    told = "Pixels along a side: what the prior knows, and the page then shows."
    size = middle.segmented_control("Pixels", [64, 128], default=wanted.size, key=f"{key}/size", required=True, help=told)
    recipe = wanted.replace(prior=kind, size=size, **question.settings(str(kind)))
    if kind != "gaussian":
        told = "Times that every slice is learned from."
        spare = wanted.epochs or question.EPOCHS
        epochs = right.number_input("Epochs", 1, 1_000, spare, key=f"{key}/epochs", help=told)
        recipe = recipe.replace(epochs=int(epochs))
    for sentence in question.notes(recipe):
        notes.caption(f":material/info: {plain(sentence)}")
    about = f"About {jobs.rounded(question.seconds(recipe))} on one core, with its scores on slices that were left out."
    return recipe, jobs.panel(PAGE, recipe, about=about, opens=now)


def _card(model: str) -> None:
    """What the trained prior says of itself: its numbers on the slices left out, and how these were chosen."""
    card = checkpoint.known(PAGE).get(model)
    if card is None:
        return
    trusting.one(model, card)
    for sentence in card.get("notes", []):
        st.caption(f":material/info: {plain(str(sentence))}")


def _arrived(key: str) -> None:
    """In a callback: one file as it is, several packed into one; or what is wrong with them is said."""
    files = session.held(key) or []
    if not files:
        return
    session.put(PAGE, "learn/error", None)
    try:
        if len(files) == 1:
            source, name = files[0], files[0].name
        else:
            names = [f"{i:05d}.{file.name.rpartition('.')[2].lower()}" for i, file in enumerate(files)]
            source = pack((name, file.getvalue()) for name, file in zip(names, files, strict=True))
            name = f"{len(files)} files"
        digest = store.add_checked(source, name, question.check_slices)
        people.own(digest)
        session.put(PAGE, "learn", Train(data=digest, size=64, **question.settings("gaussian")))
    except UserError as error:
        session.put(PAGE, "learn/error", str(error))
    session.turn_over(PAGE, "learn/file")
