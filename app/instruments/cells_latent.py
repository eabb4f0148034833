"""The latent space of the cells page: which one, and training one on the cells that are asked about."""

from __future__ import annotations

import streamlit as st

from app.instruments.cells_question import PAGE, forget_spot
from app.parts import jobs, session
from app.parts.guard import guard, plain
from gen_core.cells import plots, question
from gen_core.cells.perturb import predict
from gen_core.cells.recipe import Decode, Perturb, Train, training_of

COMPONENTS = Perturb.model_fields["latent_dim"].default
LIKELIHOODS = {"auto": "Automatic", "gaussian": "log1p (Gaussian)", "negative_binomial": "Counts (negative binomial)"}
DIMENSIONS = Train.model_fields["latent_dim"].default


def choose_space(asked: Perturb) -> Perturb:
    """A choice among the spaces that fit these cells; the question with it."""
    found = question.spaces(asked)
    if asked.model not in found:  # a link's, trained on other cells
        found[asked.model] = "Another trained model"
    if len(found) == 1:
        return asked
    told = "Where the latent predictor averages and moves, and what the map shows. Components: fitted at once, linear."
    key = session.settle(PAGE, "model", list(found), asked.model)
    model = st.selectbox("Latent space", list(found), key=key, format_func=found.__getitem__, help=told, on_change=_turned)
    return asked if model == asked.model else asked.replace(model=model, weights=None, latent_dim=COMPONENTS)


def choose_map(recipe: Decode) -> None:
    """The same choice for the map of all cells."""
    found = question.spaces(recipe)
    if recipe.model not in found:
        found[recipe.model] = "Another trained model"
    if len(found) > 1:
        told = "What the map shows. A trained space of two dimensions is the plane itself."
        key = session.settle(PAGE, "model", list(found), recipe.model)
        st.selectbox("Latent space", list(found), key=key, format_func=found.__getitem__, help=told, on_change=_remapped)


def training(asked: Perturb) -> None:
    """The panel that trains a latent space on these cells, away from the page, and takes it over if it wins."""
    recipe = training_of(asked, latent_dim=DIMENSIONS)
    last = jobs.latest(recipe, ("latent_dim", "epochs", "likelihood"))
    settings = (last.recipe if last else recipe).fields()  # after a reload those of the job
    opened, job = last is not None and last.state != "done", None
    with st.expander("Train a latent space on these cells", icon=":material/model_training:", expanded=opened), guard():
        st.caption(
            "A variational autoencoder learns these cells without the response of the cell type to predict. It works beside the "
            "page, which stays as it is. A second training without one more type tells how it does on what it has not seen: it "
            "takes over only if it leads there too."
        )
        left, middle, right, _ = st.columns([2, 2, 3, 2])
        told = "2 can be drawn as it is: the plane is then the latent space. More hold more of the cells."
        key = f"{PAGE}/train/{recipe.sha256}"  # another question, other settings
        dims = left.number_input("Latent dimensions (2 to 64)", 2, 64, settings["latent_dim"], key=f"{key}/dims", help=told)
        told = "Times that every cell is learned from."
        epochs = middle.number_input("Epochs", 1, 1000, settings["epochs"], key=f"{key}/epochs", help=told)
        told = "Counts need a file that holds them, as such or behind their log1p. Automatic is log1p, which measured no worse."
        names, key = list(LIKELIHOODS), f"{key}/likelihood"
        at = names.index(settings["likelihood"])
        likelihood = right.selectbox("Learned from", names, at, key=key, format_func=LIKELIHOODS.__getitem__, help=told)
        recipe = training_of(asked, latent_dim=dims, epochs=epochs, likelihood=likelihood)
        cells, genes = question.size(asked)
        seconds = 2 + epochs * cells * (genes + 2000) / (6e6 if likelihood == "negative_binomial" else 9e6)
        job = jobs.panel(PAGE, recipe, about=f"About {jobs.rounded(seconds)} on one core.", opens=asked)
    done = jobs.just_done(PAGE, recipe, job)
    if job is not None and job.model is not None:
        with guard():
            took_over(asked, job.model, job.model == done)


def took_over(asked: Perturb, model: str, now: bool) -> None:
    """A trained model: what it is worth; where it was waited for and is ready `now`, and predicts best, the page uses it."""
    made = predict(asked.replace(model=model, weights=None, latent_dim=COMPONENTS, predictor="auto"))
    check = made.study.check
    if check is None:
        said = ":material/balance: A latent space is trained. With so few types nothing tells whether it is better."
    else:
        there = (
            f"Trained without {plain(check.type)} too, it predicts these at r = {check.left_out:.3f}; "
            f"“{plots.NAMES[made.folds.rival]}” reaches {check.baselines[made.folds.rival]:.3f}."
        )
        said = (
            f":material/check: The trained latent space predicts what it has not seen best. {there}"
            if made.predictor == "latent"
            else f":material/balance: The trained latent space adds nothing here, so a simpler way stays. {there} "
            "Choose it below to walk on its map."
        )
    st.caption(said)
    if now and made.predictor == "latent" and session.value(PAGE, "model") == "pca":
        session.put(PAGE, "train/next", model)
        st.rerun()


def take_next() -> None:
    """Before the widgets are drawn: the model that was trained a moment ago becomes the page's."""
    model = session.get(PAGE, "train/next")
    if model is not None:
        session.put(PAGE, "train/next", None)
        session.seed(PAGE, model=model, weights=None, latent_dim=COMPONENTS, predictor="auto")
        forget_spot()


def _remapped() -> None:
    """In a callback: the map of the same cells in another latent space."""
    now = session.current(PAGE)
    if isinstance(now, Decode):
        session.load(PAGE, Decode(data=now.data, layer=now.layer, model=session.value(PAGE, "model")))
    forget_spot()


def _turned() -> None:
    """In a callback: another latent space has other weights, and its map other places."""
    session.seed(PAGE, weights=None, latent_dim=COMPONENTS)
    forget_spot()
