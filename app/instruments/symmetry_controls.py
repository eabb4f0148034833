"""The controls of the symmetry page: which network, which angle, how many measurements."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import people, session, slider, upload
from gen_core.recipe import Recipe
from gen_core.symmetry import question
from gen_core.symmetry.recipe import DIMS, KINDS, Needed, Recover, Rotate

PAGE = "symmetry"
VERBS = ("Turn the dial", "Measure less", "Measurements needed")
TITLES = {
    "plain": "Plain",
    "augmented": "Plain, turned examples",
    "c4": "C4: quarter turns",
    "c8": "C8: eighth turns",
    "c16": "C16: sixteenths",
    "orbit": "Orbit: any angle",
    "gaussian": "Gaussian prior",
    "lasso": "Sparse cosines (Lasso)",
}
SCENES = {"galaxies": "Galaxies (synthetic)", "glyphs": "Glyphs (synthetic)"}
TESTS = {"turned": "Turned at random", "upright": "Upright"}
BETWEEN = {"nearest": "By the nearest element", "fourier": "By its Fourier parts"}
COUNTS = [5, 10, 15, 20, 30, 45, 70, 105, 160, 240, 500, 1_024]
IMAGES = [8, 20, 40, 80, 160, 320, 1_000]
STARTS = [64, 128, 256, 512, 1_024, 4_096]
Asked = Rotate | Recover | Needed


def verb_of(recipe: Asked) -> str:
    """What the page calls what a recipe asks."""
    return VERBS[[Rotate, Recover, Needed].index(type(recipe))]


def titled(name: str) -> str:
    """What a model is called."""
    return TITLES.get(name) or question.title_of(name)


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if isinstance(recipe, Rotate):
        return recipe.fields() | {"verb": VERBS[0]}
    if not isinstance(recipe, Recover | Needed):  # a training, or examples, which have panels of their own
        return widgets(Rotate())
    same = ("images", "test", "starts", "seed")
    values: dict[str, Any] = {name: getattr(recipe, name) for name in same} | {"verb": verb_of(recipe), "data": recipe.data}
    values |= {"models": list(recipe.models), "measurements": list(recipe.measurements), "noise": 100 * recipe.noise}
    if isinstance(recipe, Needed):
        return values | {"dims": list(recipe.dims), "targets": ", ".join(f"{target:g}" for target in recipe.targets)}
    return values | {"dim": recipe.dim}


def controls(now: Asked) -> Asked:
    """The controls of a verb; the recipe they make."""
    if isinstance(now, Rotate):
        return _rotate(now)
    return _needed(now) if isinstance(now, Needed) else _recover(now)


def models(dim: int | None) -> list[str]:
    """The bundled models by their kind, of this size or of all, and those that this person trained, of any size."""
    bundled = list(KINDS) if dim is None else question.known(dim)
    return [*bundled, *(name for name in question.own() if people.may_see(name))]


def of_own(now: Asked) -> dict[str, Any]:
    """The networks of one's own in a recipe, and the pictures that it is asked of: what another question goes on with."""
    models = (now.model,) if isinstance(now, Rotate) else now.models
    mine = [name for name in models if name not in KINDS]
    if not mine:
        return {}
    data = question.learned_from(mine, 20) if isinstance(now, Rotate) else now.data
    return {"models": mine, "data": data or "galaxies"}


def _rotate(now: Rotate) -> Rotate:
    """Which network, and by how much."""
    names = list(dict.fromkeys([*models(int(session.value(PAGE, "dim", 20))), now.model]))
    told = "What is built in: nothing; turns by quarters, eighths, sixteenths (group convolutions); or any angle."
    model = st.selectbox("Network", names, key=session.settle(PAGE, "model", names), format_func=titled, help=told)
    told = "How far the picture is turned, and the code. Groups know their own steps: 90°, 45° or 22.5°."
    angle = slider.drag(PAGE, "angle", "Angle", 0, 360, 0.5, "°", told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other codes.")
    made: dict[str, Any] = {"model": model, "angle": angle, "seed": int(seed)}
    with st.expander("Settings", icon=":material/settings:", key=f"{PAGE}/settings/turn"):
        made |= _size()
        told = "At an angle between the group's own: the code is turned by the nearest one, or by parts of it."
        key = session.key(PAGE, "between")
        made["between"] = st.selectbox("Between the steps", list(BETWEEN), key=key, format_func=BETWEEN.__getitem__, help=told)
        told = "Codes that the numbers are means of. The pictures are of the first."
        low, high = session.reach(PAGE, "codes", 2, 64)
        made["codes"] = st.slider("Codes", low, high, key=session.key(PAGE, "codes"), help=told)
    return Rotate.read(made | _weights(now, made))


def _recover(now: Recover) -> Recover:
    """Which priors, and from how much."""
    made: dict[str, Any] = {"models": _models(now.models, int(session.value(PAGE, "dim", 20)))}
    m = _counts(now.measurements, "The picture has 1,024 pixels; each measurement is a random sum of all of them.")
    made["measurements"] = m
    made |= _pictures(now.data) | _tested()
    with st.expander("Settings", icon=":material/settings:", key=f"{PAGE}/settings/recover"):
        made |= _size() | _settings()
    return Recover.read(made | _weights(now, made))


def _needed(now: Needed) -> Needed:
    """For which errors and sizes."""
    made: dict[str, Any] = {"models": _models(now.models, None)}
    told = "Errors to be reached: squared, over the energy of the pictures."
    text = str(st.text_input("Errors", key=session.key(PAGE, "targets"), help=told) or "")
    made["targets"] = question.targets(text)
    key, told = session.key(PAGE, "dims"), "Numbers in a code: each has networks of its own."
    chosen = st.pills("Numbers in a code", list(DIMS), selection_mode="multi", key=key, help=told)
    made["dims"] = tuple(sorted(chosen or now.dims))
    made |= _pictures(now.data) | _tested()
    with st.expander("Settings", icon=":material/settings:", key=f"{PAGE}/settings/needed"):
        made["measurements"] = _counts(now.measurements, "Where the error is measured; between them it is read off a line.")
        made |= _settings()
    return Needed.read(made)


def _models(last: tuple[str, ...], dim: int | None) -> tuple[str, ...]:
    """Which models; where none is left, the last ones stay."""
    if not session.value(PAGE, "models"):
        session.seed(PAGE, models=list(last))
    known = list(dict.fromkeys([*models(dim), *last]))
    told = (
        "Each is a prior: only pictures that it can draw are looked for. Beside them stand a Gaussian prior and sparse cosines."
    )
    key = session.key(PAGE, "models")
    chosen = st.pills(
        "Networks", known, selection_mode="multi", key=key, format_func=titled, help=told, on_change=_follow, args=(dim,)
    )  # fmt: skip
    return tuple(name for name in known if name in (chosen or last))


def _counts(last: tuple[int, ...], told: str) -> tuple[int, ...]:
    """Numbers of measurements."""
    if not session.value(PAGE, "measurements"):
        session.seed(PAGE, measurements=list(last))
    shown = sorted({*COUNTS, *last, *session.value(PAGE, "measurements")})
    key = session.key(PAGE, "measurements")
    chosen = st.pills("Measurements m", shown, selection_mode="multi", key=key, format_func=lambda m: f"{m:,}", help=told)
    return tuple(sorted(chosen or last))


def _follow(dim: int | None) -> None:
    """In a callback: where all chosen networks learned from the same pictures, these are measured on."""
    learned = question.learned_from(session.value(PAGE, "models") or [], dim or 20)
    if learned is not None:
        session.seed(PAGE, data=learned)


def _pictures(now: str) -> dict[str, Any]:
    """Of what: drawn pictures or one's own, of which nothing learned from those that are measured on."""
    data = upload.data_picker(
        PAGE, PAGE, now, None, ["zip"], question.check_pictures, "data", "Pictures", bundled=SCENES
    )  # fmt: skip
    return {"data": data}


def _tested() -> dict[str, Any]:
    """Turned or upright."""
    told = "The plain network learned upright pictures: on turned ones it is no fair control, the one with turned examples is."
    key = session.key(PAGE, "test")
    test = st.selectbox("Shown", list(TESTS), key=key, format_func=TESTS.__getitem__, help=told)
    return {"test": test}


def _size() -> dict[str, Any]:
    told = "Numbers in a code, of the bundled networks."
    return {"dim": st.select_slider("Numbers in a code", list(DIMS), key=session.key(PAGE, "dim"), help=told)}


def _settings() -> dict[str, Any]:
    """How it is measured and searched."""
    told = "Pictures that are recovered; the intervals are over them."
    shown = sorted({*IMAGES, int(session.value(PAGE, "images", 80))})
    images = st.select_slider("How many pictures", shown, key=session.key(PAGE, "images"), help=told)
    told = "Deviation of the noise, in percent of the root mean square of the measurements."
    low, high = session.reach(PAGE, "noise", 0.0, 20.0)
    noise = st.slider("Noise (%)", low, high, step=0.5, format="%.1f", key=session.key(PAGE, "noise"), help=told)
    told = "Codes that the search begins from; the best two are followed, chosen by the measurements alone."
    shown = sorted({*STARTS, int(session.value(PAGE, "starts", 512))})
    starts = st.select_slider("Starts", shown, key=session.key(PAGE, "starts"), help=told)
    told = "Another seed, other measurements and other pictures."
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told)
    return {"images": images, "noise": noise / 100, "starts": starts, "seed": int(seed)}


def _weights(now: Any, made: dict[str, Any]) -> dict[str, Any]:
    """The weights that a link names stay with its models."""
    alike = all(getattr(now, name, None) == made.get(name) for name in ("model", "models", "dim") if name in made)
    return {"weights": now.weights if alike else None}
