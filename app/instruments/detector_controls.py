"""The controls of the detector page: which model, how many steps, which tracker, whose hits."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import people, session, upload
from gen_core.detector import question
from gen_core.detector.recipe import Condition, Generate, Inpaint, Score, Tracker
from gen_core.recipe import DIGEST, Recipe

PAGE = "detector"
TYPES = ["npz", "npy", "h5", "hdf5", "root"]
VERBS = ("New events", "One code", "A region again", "Unusual events")
KINDS: dict[str, type[Tracker]] = dict(zip(VERBS, (Generate, Condition, Inpaint, Score), strict=True))
ORDERS = {"spread": "Far apart first", "layers": "Layer by layer", "random": "By chance"}
SIMULATED = "simulator"
EVENTS = [100, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000]
FORMATS = {"npz": "NPZ", "hdf5": "HDF5", "parquet": "Parquet"}
Asked = Generate | Condition | Inpaint | Score


def verb_of(recipe: Asked) -> str:
    """What the page calls what a recipe asks."""
    return next(verb for verb, kind in KINDS.items() if isinstance(recipe, kind))


def titled(name: str) -> str:
    """What a model is called."""
    return question.title_of(name)


def other(verb: str, now: Recipe) -> Recipe:
    """Another question about the same tracker, of the same model where it can answer, and of the same own hits: those that were
    chosen before where the question between had none to choose."""
    asked = now if isinstance(now, Asked) else Generate()
    same = {name: getattr(asked, name) for name in (*Tracker.model_fields, "data") if hasattr(asked, name)}
    kind, shape = KINDS.get(verb, Generate), (asked.layers, asked.channels)
    if isinstance(asked, Condition):
        before, of = session.get(PAGE, "own hits", (None, None))
        same["data"] = before if of == shape else None
    else:
        session.put(PAGE, "own hits", (asked.data, shape))
    if asked.model in {*question.able(kind.operation), *question.own(kind.operation)} and question.fits(asked.model, *shape):
        same["model"] = asked.model
    elif same["data"] is not None:
        same |= question.fitting(kind, *shape)
    return kind.read({name: value for name, value in same.items() if name in kind.model_fields})


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if not isinstance(recipe, Asked):  # a training, which has a panel of its own
        return widgets(Generate())
    values: dict[str, Any] = {
        k: v for k, v in recipe.fields().items() if k not in ("n", "data", "region", "code", "multiplicity")
    }
    values |= {"verb": verb_of(recipe), "data": getattr(recipe, "data", None) or SIMULATED}
    values |= {"dead": list(recipe.dead), "tracks": tuple(recipe.tracks), "noise": 100 * recipe.noise}
    values |= {"efficiency": 100 * recipe.efficiency, "events": recipe.n}
    if isinstance(recipe, Inpaint):
        a, b, c, d = recipe.region
        values |= {"region_layers": (a, b - 1), "region_channels": (c, d - 1)}
    if isinstance(recipe, Generate):
        values |= {"formats": list(recipe.formats), "bounded": recipe.multiplicity is not None}
        values |= {"multiplicity": tuple(recipe.multiplicity or (8, 20))}
    if hasattr(recipe, "steps"):
        values["steps"] = recipe.steps or question.USUAL
    return values


def data(now: Asked) -> str:
    """Whose hits are the truth, outside the page's fragment: all of the page follows it."""
    known = {SIMULATED: "Simulated tracker (synthetic)"}
    current = getattr(now, "data", None) or SIMULATED
    return upload.data_picker(
        PAGE, "detector", current, _other_data, TYPES, question.check_hits, label="Hits", bundled=known
    )  # fmt: skip


def _other_data() -> None:
    """In a callback: other hits, of their own shape."""
    chosen, now = str(session.value(PAGE, "data")), session.current(PAGE)
    asked = now if isinstance(now, Asked) and not isinstance(now, Condition) else Generate()
    if chosen == SIMULATED:
        session.load(PAGE, type(asked)())
        return
    _, layers, channels = question.check_hits(chosen)
    session.load(PAGE, type(asked).read({"data": chosen} | question.fitting(type(asked), layers, channels)))


def controls(now: Asked) -> Asked:
    """The controls of a verb; the recipe they make."""
    chosen = str(session.value(PAGE, "data", SIMULATED))
    made: dict[str, Any] = {"seed": int(session.value(PAGE, "seed", 0))}
    if not isinstance(now, Condition):
        made["data"] = None if chosen == SIMULATED else chosen
    made |= _model(now)
    build = {Generate: _generate, Condition: _condition, Inpaint: _inpaint, Score: _score}[type(now)]
    made |= build(now, str(made["model"]))
    with st.expander("The tracker", icon=":material/tune:", key=f"{PAGE}/tracker"):
        made |= _tracker(now)
    with st.expander("Settings", icon=":material/settings:", key=f"{PAGE}/settings"):
        made |= _settings(now, str(made["model"]))
    if "region" in type(now).model_fields:
        made["region"] = _inside(made)
    made["weights"] = now.weights if now.model == made["model"] else None
    return type(now).read({name: value for name, value in made.items() if name in type(now).model_fields})


def _model(now: Asked) -> dict[str, Any]:
    """Which model, of those that can do what is asked."""
    able = question.able(now.operation)
    own = [name for name in question.own(now.operation) if not DIGEST.fullmatch(name) or people.may_see(name)]
    names = list(dict.fromkeys([*able, *own, now.model]))
    told = "What draws the events. Token by token is exact and slow; all at once is fast and blind to what hangs together."
    model = st.selectbox("Model", names, key=session.settle(PAGE, "model", names), format_func=titled, help=told)
    return {"model": model}


def _generate(now: Generate, model: str) -> dict[str, Any]:
    """How many, in how many steps."""
    made = _steps(model, now)
    told = "Events that are drawn and compared. More lower the floor."
    shown = sorted({*EVENTS, int(session.value(PAGE, "events", 2_000))})
    made["n"] = st.select_slider("Events", shown, key=session.key(PAGE, "events"), format_func=lambda v: f"{v:,}", help=told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other events.")
    return made | {"seed": int(seed)}


def _condition(now: Condition, model: str) -> dict[str, Any]:
    """Which code."""
    told = "Events drawn with the code held still."
    low, high = session.reach(PAGE, "events", 100, 5_000)
    n = st.slider("Events", int(low), int(high), step=100, key=session.key(PAGE, "events"), help=told)
    seed = st.number_input("Seed of the code", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, another code.")
    return {"n": n, "seed": int(seed), "code": now.code if int(seed) == now.seed else None}


def _inpaint(now: Inpaint, model: str) -> dict[str, Any]:
    """Which event, and which part of it."""
    made = _steps(model, now)
    told = "Which event of the hits, counted from 0."
    made["event"] = int(st.number_input("Event", 0, 99_999, key=session.key(PAGE, "event"), help=told))
    told = "Layers that are drawn anew."
    a, b = st.slider("Layers", 0, now.layers - 1, key=session.key(PAGE, "region_layers"), help=told)
    told = "Channels of them that are drawn anew."
    c, d = st.slider("Channels", 0, now.channels - 1, key=session.key(PAGE, "region_channels"), help=told)
    told = "How many times."
    low, high = session.reach(PAGE, "events", 20, 2_000)
    n = st.slider("Draws", int(low), int(high), step=20, key=session.key(PAGE, "events"), help=told)
    return made | {"n": n, "region": (a, b + 1, c, d + 1)}


def _inside(made: dict[str, Any]) -> tuple[int, int, int, int]:
    """The region within a tracker that has become smaller."""
    a, b, c, d = made["region"]
    layers, channels = int(made["layers"]), int(made["channels"])
    return min(a, layers - 1), min(b, layers), min(c, channels - 1), min(d, channels)


def _score(now: Score, model: str) -> dict[str, Any]:
    """How many events of each kind."""
    told = "Events of each kind that are scored."
    low, high = session.reach(PAGE, "events", 100, 5_000)
    n = st.slider("Events", int(low), int(high), step=100, key=session.key(PAGE, "events"), help=told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other events.")
    return {"n": n, "seed": int(seed)}


def _steps(model: str, now: Generate | Inpaint) -> dict[str, Any]:
    """K, of the models that have it."""
    shown = question.steps_of(model)
    if not shown:
        return {"steps": None}
    values = sorted({*shown, int(session.value(PAGE, "steps", question.USUAL))})
    session.settle(PAGE, "steps", values)
    told = "1: all channels at once. As many as channels: one by one. In between, some at a time, given those drawn."
    return {"steps": st.select_slider("Steps K", values, key=session.key(PAGE, "steps"), help=told)}


def _tracker(now: Asked) -> dict[str, Any]:
    """The simulator's settings. The bundled models have learned one of them."""
    if getattr(now, "data", None):
        st.caption(f"Your hits have {now.layers} layers of {now.channels} channels.")
        return {"layers": now.layers, "channels": now.channels}
    left, right = st.columns(2, gap="small")
    told = "The bundled models know 8 layers of 24 channels; for others train one."
    layers = left.number_input("Layers", 2, 16, key=session.key(PAGE, "layers"), help=told)
    channels = right.number_input("Channels", 8, 64, key=session.key(PAGE, "channels"), help="Of a layer.")
    told = "Fewest and most of an event, each number equally likely."
    tracks = st.slider("Tracks", 0, 8, key=session.key(PAGE, "tracks"), help=told)
    told = "Probability that a track leaves a hit in a layer."
    low, high = session.reach(PAGE, "efficiency", 50.0, 100.0)
    efficiency = st.slider("Efficiency (%)", low, high, step=1.0, key=session.key(PAGE, "efficiency"), help=told)
    told = "Channels from an edge within which a track fires the neighbour too."
    sharing = st.slider("Charge sharing", 0.0, 0.5, step=0.05, key=session.key(PAGE, "sharing"), help=told)
    told = "Probability that a channel fires of itself."
    low, high = session.reach(PAGE, "noise", 0.0, 5.0)
    noise = st.slider("Noise (%)", low, high, step=0.1, key=session.key(PAGE, "noise"), help=told)
    told = "Layers that say nothing, counted from 0 at the vertex."
    shown = list(range(int(layers)))
    session.seed(PAGE, dead=[one for one in session.value(PAGE, "dead") or [] if one in shown])
    dead = st.pills("Dead layers", shown, selection_mode="multi", key=session.key(PAGE, "dead"), help=told)
    world = {"layers": int(layers), "channels": int(channels), "tracks": tuple(tracks), "dead": tuple(sorted(dead or []))}
    return world | {"efficiency": efficiency / 100, "sharing": sharing, "noise": noise / 100}


def _settings(now: Asked, model: str) -> dict[str, Any]:
    """How events are drawn, and what is measured."""
    if isinstance(now, Score):
        st.caption("Nothing to set: the likelihood is exact.")
        return {}
    made: dict[str, Any] = {}
    told = "1 as learned; below 1 the likelier events, above 1 the rarer ones."
    low, high = session.reach(PAGE, "temperature", 0.2, 2.0)
    made["temperature"] = st.slider("Temperature", low, high, step=0.05, key=session.key(PAGE, "temperature"), help=told)
    if question.steps_of(model):
        key, told = session.key(PAGE, "order"), "In which order channels are drawn."
        made["order"] = st.selectbox("Order", list(ORDERS), key=key, format_func=ORDERS.__getitem__, help=told)
    told = "Events drawn at once. A simulation chain asks for 1."
    made["batch"] = int(st.number_input("Batch", 1, 100_000, key=session.key(PAGE, "batch"), help=told))
    if not isinstance(now, Generate):
        return made
    told = "Other events are drawn again until there are as many as asked."
    if st.toggle("Only some numbers of hits", key=session.key(PAGE, "bounded"), help=told):
        most = max(now.layers * now.channels, *session.value(PAGE, "multiplicity"))
        made["multiplicity"] = st.slider(
            "Hits", 0, most, key=session.key(PAGE, "multiplicity"), help="Fewest and most of an event."
        )
    told = "Two classifiers are asked to tell the events from the truth; without them the answer comes at once."
    made["classifiers"] = st.toggle("Ask classifiers", key=session.key(PAGE, "classifiers"), help=told)
    key, told = session.key(PAGE, "formats"), "Files with the events."
    formats = st.pills("Files", list(FORMATS), selection_mode="multi", key=key, format_func=FORMATS.__getitem__, help=told)
    return made | {"formats": tuple(name for name in FORMATS if name in (formats or ["npz"]))}
