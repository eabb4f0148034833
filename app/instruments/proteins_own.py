"""The user's own family on the proteins page: the choice among models, and a training on an alignment they bring."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.instruments.proteins_verbs import PAGE, TYPES, Asked
from app.parts import jobs, people, session
from app.parts.guard import guard, plain
from gen_core import checkpoint, store
from gen_core.errors import UserError
from gen_core.proteins import question
from gen_core.proteins.recipe import BUNDLED, Sample, Train
from gen_core.recipe import Recipe


def take_next(asked: Recipe) -> Recipe:
    """Before any widget is drawn: the page's recipe, with the model that was trained meanwhile."""
    following = session.get(PAGE, "train/next")
    if following is None:
        return asked
    session.put(PAGE, "train/next", None)
    _take(following)
    return session.current(PAGE)


def choose_model(now: Asked) -> None:
    """A choice among the models there are; another one starts afresh on it, since its latent space is another."""
    titles = {
        name: _title(name, card) for name, card in checkpoint.known("proteins").items() if name == BUNDLED or people.may_see(name)
    }
    model = str(now.model)
    titles.setdefault(model, "Another trained model")
    if len(titles) == 1:
        return
    key = session.settle(PAGE, "model", list(titles), model)
    told = "Which family, and the model that learned it."
    st.selectbox("Family", list(titles), key=key, format_func=titles.__getitem__, help=told, on_change=_turned)


def _title(name: str, card: dict[str, Any]) -> str:
    """What a model is called: by its family's file, on this machine."""
    if name == BUNDLED:
        return "Chorismate mutase"
    names = {entry.digest: entry.name for entry in store.recent(1000) if people.may_see(entry.digest)}
    return f"{names.get(str(card.get('data')), 'A family')}, {card.get('latent_dim')} dimensions"


def _turned() -> None:
    _take(str(session.value(PAGE, "model")))


def _take(model: str) -> None:
    """Go on with the same question and another model."""
    now = session.current(PAGE)
    if not isinstance(now, Asked):
        now = Sample()
    try:
        session.load(PAGE, question.for_model(now, model))
    except UserError as error:
        session.put(PAGE, "family/error", str(error))


def training(now: Asked, asked: Train | None) -> None:
    """The panel that learns a family of the user's, away from the page; `asked` is a link's or a file's."""
    wanted, opened = jobs.wanted(PAGE, "set", "proteins.train", asked)
    with st.expander("Your own family", icon=":material/model_training:", expanded=opened), guard():
        st.caption(
            "An alignment (FASTA, A2M, A3M or Stockholm, gzip too), or unaligned sequences in FASTA, which are then put into "
            "columns here. From a hundred unlike sequences on it learns something; at least 20 are needed."
        )
        key = session.turn(PAGE, "set")
        st.file_uploader("Alignment or sequences", type=TYPES, key=key, on_change=_arrived, args=(key,))
        if error := session.get(PAGE, "family/error"):
            st.error(plain(error), icon=":material/error:")
        st.caption(f":material/lock: {people.promise()}")
        if wanted is None:
            return
        recipe, job = _panel(now, wanted)
        if (model := jobs.just_done(PAGE, recipe, job)) is not None:
            session.put(PAGE, "train/next", model)
            st.rerun()


def _panel(now: Asked, wanted: Train) -> tuple[Train, Any]:
    """What is known of the family, how it is learned, and its job."""
    st.markdown(f"**{question.described(wanted)}**")
    for sentence in question.notices(wanted):
        st.caption(f":material/info: {plain(sentence)}")
    left, right = st.columns(2)
    key = f"{PAGE}/train/{wanted.sha256}"
    told = "2 can be drawn as it is; 16 holds what most families have to say."
    dim = left.slider("Latent dimensions", 2, 32, wanted.latent_dim, key=f"{key}/dim", help=told)
    told = "Passes over the family; by its size where nothing else is asked for."
    spare = wanted.epochs or question.automatic_epochs(wanted)
    epochs = int(right.number_input("Epochs", 1, 10_000, spare, key=f"{key}/epochs", help=told))
    chosen = wanted.epochs if epochs == spare else epochs
    recipe = wanted.replace(latent_dim=dim, epochs=chosen)
    about = (
        f"About {jobs.rounded(question.seconds(recipe))} on one core: network, couplings, and the scores beside the baselines."
    )
    return recipe, jobs.panel(PAGE, recipe, about=about, unit="Pass", opens=now)


def _arrived(key: str) -> None:
    """In a callback: the family's file is kept, or what is wrong with it is said."""
    file = session.held(key)
    if file is None:
        return
    session.put(PAGE, "family/error", None)
    try:
        digest = store.add_checked(file, file.name, question.check_family)
        people.own(digest)
        session.put(PAGE, "set", Train(family=digest))
    except UserError as error:
        session.put(PAGE, "family/error", str(error))
    session.turn_over(PAGE, "set")
