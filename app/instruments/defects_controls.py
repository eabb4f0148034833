"""The controls of the defects page: which snapshots, which forces are tried, and by what."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import people, session, upload
from gen_core.defects import question
from gen_core.defects.recipe import BUNDLED, Infer, Sample
from gen_core.recipe import DIGEST, Recipe

PAGE = "defects"
TYPES = ["csv", "tsv", "parquet", "npz"]
VERBS = ("Forces", "New configurations")
LIBRARIES = {"gradient": "A potential", "full": "Any drift", "pair": "Trap and pairs", "additive": "A rough potential"}
LAWS = {"radial": "Any law of distance", "soft_log": "Vortices: g r / (r² + a²)"}
FIRST = {"weak": "Weak form", "propagated": "Propagated weak form"}
ESTIMATORS = {"strong": "Strong form, on the score", "transport": "Transport between snapshots"}
SIZES = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000]
Asked = Infer | Sample


def verb_of(recipe: Asked) -> str:
    """What the page calls what a recipe asks."""
    return VERBS[isinstance(recipe, Sample)]


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if not isinstance(recipe, Asked):  # a training or a power curve, which have panels of their own
        return widgets(Infer())
    same = ("data", "snapshots", "data_seed", "model", "seed", "followed", "length_unit", "time_unit")
    values: dict[str, Any] = {name: getattr(recipe, name) for name in same} | {"verb": verb_of(recipe)}
    values |= {"box": ", ".join(f"{side:g}" for side in recipe.box or ())}
    if isinstance(recipe, Sample):
        return values | {"configurations": recipe.n or 500, "time": recipe.time, "steps": recipe.steps}
    values |= {name: getattr(recipe, name) for name in ("degree", "pair_law", "soft_length", "test_functions", "bootstrap")}
    return values | {
        "n": recipe.n or 1_000,
        "library": recipe.library or "gradient",
        "first": recipe.estimators[0],
        "estimators": list(recipe.estimators[1:]),
        "held_out": recipe.held_out,
    }


def data(now: Asked) -> str:
    """The choice of the snapshots, outside the page's fragment: all of the page follows it."""
    return upload.data_picker(PAGE, "defects", now.data, _other_data, TYPES, question.check_data, label="Snapshots")


def _other_data() -> None:
    """In a callback: other snapshots, with what is usual for them."""
    chosen, now = str(session.value(PAGE, "data")), session.current(PAGE)
    if isinstance(now, Sample) and question.networks(Sample(data=chosen)):
        session.load(PAGE, Sample(data=chosen))
    else:
        session.load(PAGE, Infer(data=chosen))


def controls(now: Asked) -> Asked:
    """The controls of a verb; the recipe they make."""
    name = str(session.value(PAGE, "data", now.data))
    made: dict[str, Any] = {"data": name, "seed": int(session.value(PAGE, "seed", 0))}
    if now.data == name:  # what no control here says of the same snapshots
        made |= {field: getattr(now, field) for field in question.SHARED}
    if isinstance(now, Sample):
        made |= _sample(Sample.read(made))
        return Sample.read(made | _score(Sample.read(made), now))
    forces = st.container()
    size = _simulated(name) if name in BUNDLED else _own()
    made |= size
    with forces:
        made |= _forces(Infer.read(made))
    with st.expander("Settings", icon=":material/settings:", key=f"{PAGE}/settings"):
        made |= _settings(str(made["library"]))
        made |= _score(Infer.read(made), now)
    return Infer.read(made)


def _forces(now: Infer) -> dict[str, Any]:
    """Which forces are tried."""
    names = list(question.libraries(now))
    several = names[0] == "pair"
    key = session.settle(PAGE, "library", names)
    told = (
        "Forces that are tried: those of a trap and of pairs, or of a trap alone."
        if several
        else "Forces that are tried: those of a potential, any drift (turning ones too), or a potential with fine waves."
    )
    library = st.selectbox("Forces", names, key=key, format_func=LIBRARIES.__getitem__, help=told)
    made: dict[str, Any] = {"library": library}
    if library == "pair":
        key = session.key(PAGE, "pair_law")
        told = "Any law in splines, or a law of physics with one number, which needs fewer snapshots."
        made["pair_law"] = st.selectbox("Law of the pairs", list(LAWS), key=key, format_func=LAWS.__getitem__, help=told)
        if made["pair_law"] == "soft_log":
            told = "a: below it the force no longer grows."
            made["soft_length"] = st.number_input(
                "Soft length a", 0.0, 1e6, step=0.05, format="%.4g", key=session.key(PAGE, "soft_length"), help=told
            )
    return made


def _simulated(name: str) -> dict[str, Any]:
    """How many snapshots the simulator makes."""
    told = "Replicas in each snapshot: particles, or groups of them, each seen once and then lost."
    shown = sorted({*SIZES, int(session.value(PAGE, "n", 1_000))})
    n = st.select_slider("Replicas", shown, key=session.key(PAGE, "n"), format_func=lambda v: f"{v:,}", help=told)
    told = "Times that are looked at, evenly over the same span."
    low, high = session.reach(PAGE, "snapshots", 3, 31)
    count = st.slider("Snapshots", low, high, key=session.key(PAGE, "snapshots"), help=told)
    told = "Another seed, other particles of the same law."
    seed = st.number_input("Seed of the simulator", 0, 2**32 - 1, key=session.key(PAGE, "data_seed"), help=told)
    return {"n": n, "snapshots": count, "data_seed": int(seed)}


def _own() -> dict[str, Any]:
    """What a file does not say: the box, and the units."""
    told = "Lengths of a periodic box, one for each coordinate, such as 10, 10. Empty: the particles move in free space."
    text = st.text_input("Periodic box", key=session.key(PAGE, "box"), placeholder="none", help=told)
    left, right = st.columns(2, gap="small")
    told = "For axes and tables; nothing is converted."
    length = left.text_input("Unit of length", max_chars=12, key=session.key(PAGE, "length_unit"), placeholder="nm", help=told)
    time = right.text_input("Unit of time", max_chars=12, key=session.key(PAGE, "time_unit"), placeholder="s", help=told)
    told = "The same replicas, in the same order, at every time: one population that is looked at again and again."
    followed = st.toggle("Same replicas", key=session.key(PAGE, "followed"), help=told)
    box = question.box(str(text or ""))
    return {"box": box, "length_unit": length or "", "time_unit": time or "", "followed": followed}


def _settings(library: str) -> dict[str, Any]:
    """How it is estimated."""
    told = "Other ways to the same number. Where they disagree the snapshots may not tell it."
    key = session.key(PAGE, "estimators")
    more = st.pills(
        "Second opinions", list(ESTIMATORS), selection_mode="multi", key=key, format_func=ESTIMATORS.__getitem__, help=told
    )
    told = "What gives the numbers. The propagated one moves the particles on in between: for few times that are far apart."
    ways = ["propagated"] if library == "additive" else list(FIRST)
    key = session.settle(PAGE, "first", ways)
    first = st.selectbox("Numbers from", ways, key=key, format_func=FIRST.__getitem__, help=told)
    made: dict[str, Any] = {"estimators": [first, *[name for name in ESTIMATORS if name in (more or [])]]}
    if library != "pair":
        told = "Degree of the potential; any drift has one less."
        made["degree"] = st.slider("Degree", 2, 8, key=session.key(PAGE, "degree"), help=told)
    told = "Random waves that the law is tested on. More see more, and need more particles."
    made["test_functions"] = st.slider("Test functions", 10, 200, step=10, key=session.key(PAGE, "test_functions"), help=told)
    told = "Draws that the intervals are made of."
    low, high = session.reach(PAGE, "bootstrap", 50, 1_000)
    made["bootstrap"] = st.slider("Bootstrap draws", low, high, step=50, key=session.key(PAGE, "bootstrap"), help=told)
    told = "The last snapshot is left out and predicted from the others."
    made["held_out"] = st.toggle("Predict the last snapshot", key=session.key(PAGE, "held_out"), help=told)
    told = "Another seed, other test functions and other draws."
    made["seed"] = int(st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told))
    return made


def _score(asked: Asked, now: Asked) -> dict[str, Any]:
    """Where the score comes from: for a fit a formula, or a network that learned these snapshots; for new configurations that."""
    found: dict[str | None, str] = {None: "In closed form"} if isinstance(asked, Infer) else {}
    for name, title in question.networks(asked).items():
        if not DIGEST.fullmatch(name) or people.may_see(name):
            found[name] = f"Network: {title}"
    if len(found) < 2:
        return {"model": next(iter(found), None), "weights": now.weights if now.data == asked.data else None}
    key = session.settle(PAGE, "model", list(found))
    told = (
        "What the second opinion, the films and the flow are made from. The numbers of the weak form do not depend on it."
        if isinstance(asked, Infer)
        else "The network that draws: bundled, or learned here from these snapshots."
    )
    model = st.selectbox("Score", list(found), key=key, format_func=found.__getitem__, help=told)
    return {"model": model, "weights": now.weights if now.model == model and now.data == asked.data else None}


def _sample(now: Sample) -> dict[str, Any]:
    """What is drawn, and when."""
    first, last = question.span(now)
    low, high = session.reach(PAGE, "time", first, last)
    told = "The time of the configurations: also one that was never looked at."
    time = st.slider("Time", float(low), float(high), step=(last - first) / 100, key=session.key(PAGE, "time"), help=told)
    told = "Configurations that are drawn."
    low, high = session.reach(PAGE, "configurations", 50, 4_000)
    n = st.slider("Configurations", int(low), int(high), step=50, key=session.key(PAGE, "configurations"), help=told)
    told = "Steps of the sampler: more are finer."
    low, high = session.reach(PAGE, "steps", 10, 200)
    steps = st.slider("Steps", int(low), int(high), step=10, key=session.key(PAGE, "steps"), help=told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other configurations.")
    return {"time": time, "n": n, "steps": steps, "seed": int(seed)}
