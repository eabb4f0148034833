"""The controls of the Poisson page: what is asked, the square to draw in, the solver and the steps that correct it."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.parts import canvas, figure, map, session, slider
from app.parts.file_field import file_field
from gen_core.errors import RecipeError
from gen_core.poisson import drawn, plots, question
from gen_core.poisson.recipe import Green, Solve
from gen_core.recipe import DIGEST, Recipe

PAGE = "poisson"
TYPES = ["npy", "npz", "csv", "png", "tif", "tiff"]
VERBS = ("Solve", "Point charge", "From sensors")
SOURCES = {
    "drawn": "Drawn by hand",
    "synthetic": "Random charges",
    "random_field": "A random field",
    "array": "An array of your own",
}
SOLVERS = {
    "flow": "Flow: samples",
    "regression": "Regression: one answer",
    "fno": "Fourier operator",
    "exact": "Exact: sine transform",
}
EDGES = {"dirichlet": "Potential given", "neumann": "Slope given", "periodic": "Periodic"}
CORRECTIONS = {"cg": "Conjugate gradients", "two_grid": "Two-grid cycles"}
PRIORS = {"fields": "Random fields", "charges": "A few charges"}
FEW = [[0.3, 0.3], [0.7, 0.4], [0.5, 0.7]]  # sensors that one begins with: fewer tell nothing of the field's size
BLANK = [[0.0] * drawn.PLACES for _ in range(4)]
Asked = Solve | Green


def verb_of(recipe: Asked) -> str:
    """What the page calls what a recipe asks."""
    return "Point charge" if isinstance(recipe, Green) else "Solve" if recipe.sensors is None else "From sensors"


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets."""
    if not isinstance(recipe, Asked):  # a training, which this page does not show
        return widgets(Solve())
    same = ("solver", "steps", "correction", "correction_method", "seed")
    values: dict[str, Any] = {name: getattr(recipe, name) for name in same}
    values |= {"verb": verb_of(recipe), "size": recipe.size or 32, "samples": recipe.samples or 1}
    if isinstance(recipe, Green):
        return values | {
            "source_at": list(recipe.source),
            "probe_at": list(recipe.probe),
            "width": recipe.width,
            "sets": "charge",
        }
    name, _, number = (recipe.rho or "").partition(":")
    array = recipe.rho if recipe.rho and DIGEST.fullmatch(recipe.rho) else None
    by_hand = recipe.edges is not None or recipe.charges
    values |= {
        "from": "array" if array else "drawn" if recipe.rho is None or (name == "synthetic" and by_hand) else name,
        "scene": int(number) if number.isdigit() else 0,
        "array": array,
        "boundary": recipe.boundary,
        "background": recipe.background,
        "tool": "charge",
        "charge": 1.0,
        "charge_width": 0.06,
        "edge_value": 0.2,
        "sensor_noise": 100 * recipe.sensor_noise,
        "prior": recipe.prior,
    }
    found = question.scene(recipe)
    values |= {"charges": found.charges, "edges": found.edges if recipe.boundary != "periodic" else BLANK}
    many, places = 12, list[list[float]]()
    if isinstance(recipe.sensors, int):
        many = recipe.sensors
    elif recipe.sensors is not None:
        places = [list(one) for one in recipe.sensors]
    read = [one for one in places if len(one) == 3]
    values |= {
        "many": many,
        "places": [one[:2] for one in places] if not read else [],
        "readings": "\n".join(", ".join(f"{v:g}" for v in one) for one in read),
        "where": "readings" if read else "places" if places else "random",
    }
    return values


def controls(now: Asked) -> Asked:
    """The controls of a verb; the recipe they make."""
    kept: dict[str, Any] = {"seed": int(session.value(PAGE, "seed", 0))}
    if verb_of(now) == "Point charge":
        made = kept | _point() | _solver(True)
        return _read(Green, made, now)
    measured = verb_of(now) == "From sensors"
    made = kept | (_sensors() if measured else {})
    made |= _scene(measured)
    made |= {"solver": "flow"} | _steps(measured) if measured else _solver(made["boundary"] == "dirichlet")
    if made.get("sensors") and isinstance(made["sensors"], list) and len(made["sensors"][0]) == 3:
        made |= {"rho": None, "charges": (), "edges": made["edges"] if any(any(one) for one in made["edges"] or ()) else None}
    return _read(Solve, made, now)


def _read(kind: type[Solve] | type[Green], made: dict[str, Any], now: Asked) -> Asked:
    """The recipe; of the one before it keeps the model and its weights, where it asks for the same solver."""
    if isinstance(now, kind) and now.solver == made["solver"]:
        made = made | {"model": now.model, "weights": now.weights}
    return kind.read({name: value for name, value in made.items() if value is not None})


def _scene(measured: bool) -> dict[str, Any]:
    """The square: where its charges come from, and what is drawn in it."""
    made: dict[str, Any] = {
        "boundary": session.value(PAGE, "boundary", "dirichlet"),
        "size": int(session.value(PAGE, "size", 32)),
    }
    random = session.value(PAGE, "from") in ("synthetic", "random_field")
    left, right = st.columns([3, 2], gap="small") if random else (st.container(), st.container())
    told = "What lies in the square. Draw in it, and the charges are yours."
    key = session.key(PAGE, "from")
    source = left.selectbox("Charges", list(SOURCES), key=key, format_func=SOURCES.__getitem__, help=told)
    seed, array = 0, None
    if random:
        told = "Another seed, another scene."
        seed = int(right.number_input("Scene", 0, 2**31 - 1, key=session.key(PAGE, "scene"), help=told))
    elif source == "array":
        array = _array()
        if array is None:
            raise RecipeError("Bring an array of charge densities, or choose other charges.")
    charges, edges = session.value(PAGE, "charges") or [], session.value(PAGE, "edges") or BLANK
    periodic = made["boundary"] == "periodic"
    if source == "synthetic":
        made |= {"rho": f"synthetic:{seed}"}
    elif source == "random_field":
        made |= {"rho": f"random_field:{seed}", "charges": charges}
    elif source == "array":
        made |= {"rho": array, "charges": charges}
    else:
        made |= drawn.as_fields(charges, edges)
    if not periodic and source != "synthetic" and any(any(one) for one in edges):
        made["edges"] = edges
    elif source != "drawn" or periodic:
        made["edges"] = None
    if made["boundary"] != "dirichlet":
        made["background"] = bool(session.value(PAGE, "background", False))
    _square(made, measured)
    return made


def _square(made: dict[str, Any], measured: bool) -> None:
    """The canvas with its tools."""
    shown = question.scene(Solve.read({k: v for k, v in made.items() if v is not None and k != "background"}))
    tools = {"charge": ":material/add_circle: Put", "erase": ":material/ink_eraser: Erase"}
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        key = session.settle(PAGE, "tool", list(tools))
        tool = st.segmented_control(
            "Tool", list(tools), key=key, format_func=tools.__getitem__, required=True, label_visibility="collapsed",
            help="Put or move charges, or take them away. A stroke along an edge gives it the value set below.",
        )  # fmt: skip
        st.button(
            "Clear", key=f"{PAGE}/clear", icon=":material/delete_sweep:", type="tertiary", on_click=_drawn, args=([], BLANK)
        )
    canvas.show(
        f"{PAGE}.canvas",
        shown.charges,
        shown.edges,
        "The square with its charges and the values along its edges",
        _drawn,
        tool=str(tool or "charge"),
        charge=float(session.value(PAGE, "charge", 1.0)),
        width=float(session.value(PAGE, "charge_width", 0.06)),
        value=float(session.value(PAGE, "edge_value", 0.2)),
        fixed=made["boundary"] == "periodic",
        field=shown.field,
        side=320,
    )
    with st.expander("Charge, edges, grid", icon=":material/tune:", key=f"{PAGE}/brush"):
        left, right = st.columns(2, gap="small")
        told = "The total charge that a click puts down; below zero it is negative."
        left.number_input("Charge", -100.0, 100.0, step=0.5, format="%.2f", key=session.key(PAGE, "charge"), help=told)
        told = "Its width (one deviation) in lengths of the square; 0 is a point charge. The models learned .04 to .12."
        right.number_input("Width", 0.0, 0.5, step=0.01, format="%.2f", key=session.key(PAGE, "charge_width"), help=told)
        told = "What a stroke along an edge gives it: the potential, or its outward slope."
        left.number_input("Edge value", -100.0, 100.0, step=0.1, format="%.2f", key=session.key(PAGE, "edge_value"), help=told)
        told = "Nodes along a side, edges included. The bundled models learned 32."
        right.select_slider("Nodes", sorted({32, 64, 128, made["size"]}), key=session.key(PAGE, "size"), help=told)
        if not measured:
            told = "On the edges the potential is given, or its slope, or the square goes on on the other side."
            st.selectbox("Edges", list(EDGES), key=session.key(PAGE, "boundary"), format_func=EDGES.__getitem__, help=told)
            if made["boundary"] != "dirichlet":
                told = "Without a given potential there is a solution only if nothing is left over: this spreads the rest evenly."
                st.toggle("Balance the charge", key=session.key(PAGE, "background"), help=told)


def _array() -> str | None:
    """The user's own array."""
    told = "A square array of charge densities, rows from the bottom: NPY, NPZ, CSV; of a picture its brightness."
    return file_field(PAGE, "array", "Your array", {}, told, TYPES, question.check_array, nothing="none yet")


def _drawn(charges: list[list[float]], edges: list[list[float]]) -> None:
    """In a callback: what is in the square now. Of random charges it makes the user's own."""
    session.seed(PAGE, charges=charges, edges=edges)
    if session.value(PAGE, "from") == "synthetic" or not (charges or any(any(one) for one in edges)):
        session.seed(PAGE, **{"from": "drawn"})


def _point() -> dict[str, Any]:
    """Where the charge lies, and where its potential is read."""
    sets = {"charge": "Charge", "probe": "Probe"}
    told = "What a click on the map moves: the charge, or the place where its potential is read."
    chosen = st.segmented_control(
        "A click moves", list(sets), key=session.choice(PAGE, "sets"), format_func=sets.__getitem__, required=True, help=told
    )
    spot = map.clicked(figure.picked(f"{PAGE}.response"))
    if spot is not None and spot != session.get(PAGE, "response/taken"):
        session.put(PAGE, "response/taken", spot)
        inside = [round(min(max(v, 0.05), 0.95), 3) for v in spot]
        session.seed(PAGE, **{"source_at" if chosen == "charge" else "probe_at": inside})
    source, probe = session.value(PAGE, "source_at"), session.value(PAGE, "probe_at")
    st.caption(f"Charge at {source[0]:.2f}, {source[1]:.2f}; probe at {probe[0]:.2f}, {probe[1]:.2f} (lengths of the square).")
    told = "One deviation, in lengths of the square. 0 is a point, which no model has met: they learned .04 to .12."
    low, high = session.reach(PAGE, "width", 0.0, 0.15)
    width = st.slider("Width of the charge", low, high, step=0.01, format="%.2f", key=session.key(PAGE, "width"), help=told)
    return {"source": source, "probe": probe, "width": width, "size": int(session.value(PAGE, "size", 32))}


def _solver(learned: bool) -> dict[str, Any]:
    """Which solver, and the steps of its own and towards the law."""
    known = [name for name in SOLVERS if name in question.known()] if learned else ["exact"]
    key = session.settle(PAGE, "solver", known, "exact" if not learned else None)
    told = "Flow draws samples, the others say one answer. The exact one inverts the law: it is what all are measured by."
    solver = str(st.selectbox("Solver", known, key=key, format_func=SOLVERS.__getitem__, help=told))
    made: dict[str, Any] = {"solver": solver}
    if not learned:
        st.caption("The learned solvers know squares whose potential is given on the edges.")
    if solver == "exact":
        return made
    told = "Steps towards the law after the model's answer. Enough of them solve the problem without any model."
    made["correction"] = int(slider.drag(PAGE, "correction", "Correction steps k", 0, 40, 1, "", told))
    return made | _steps(False) if solver == "flow" else made | _kind()


def _steps(measured: bool) -> dict[str, Any]:
    """What a flow is told."""
    with st.expander("Settings of the solver", icon=":material/settings:", key=f"{PAGE}/settings"):
        told = "Steps from noise to a sample: more are finer and cost more."
        steps = st.slider("Flow steps", 1, 25, key=session.key(PAGE, "steps"), help=told)
        told = "Samples drawn; the answer shown is their mean."
        low, high = session.reach(PAGE, "samples", 2 if measured else 1, 128 if measured else 32)
        samples = st.slider("Samples", low, high, key=session.key(PAGE, "samples"), help=told)
        seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other samples.")
        made: dict[str, Any] = {"steps": steps, "samples": samples, "seed": int(seed)}
        return made if measured else made | _method()


def _kind() -> dict[str, Any]:
    with st.expander("Settings of the solver", icon=":material/settings:", key=f"{PAGE}/settings"):
        return _method()


def _method() -> dict[str, Any]:
    key = session.key(PAGE, "correction_method")
    told = "How the answer is brought towards the law: one step of conjugate gradients, or one cycle over two grids."
    return {
        "correction_method": st.selectbox(
            "Correction by", list(CORRECTIONS), key=key, format_func=CORRECTIONS.__getitem__, help=told
        )
    }


def _sensors() -> dict[str, Any]:
    """Where the potential is measured; the charges then count as unknown."""
    ways = {"random": "At random", "places": "Where I click", "readings": "My readings"}
    told = "The charges are hidden from the model: it sees the potential at these places only."
    where = st.segmented_control(
        "Sensors", list(ways), key=session.choice(PAGE, "where"), format_func=ways.__getitem__, required=True, help=told
    )
    made: dict[str, Any] = {}
    if where == "random":
        low, high = session.reach(PAGE, "many", 3, 64)
        made["sensors"] = int(st.slider("Number", low, high, key=session.key(PAGE, "many"), help="At random nodes."))
    elif where == "places":
        places = session.value(PAGE, "places") or FEW
        spot = map.clicked(figure.picked(f"{PAGE}.sensed"))
        if spot is not None and spot != session.get(PAGE, "sensed/taken"):
            session.put(PAGE, "sensed/taken", spot)
            places = [*places, [round(min(max(v, 0.0), 1.0), 3) for v in spot]][:256]
            session.seed(PAGE, places=places)
        st.caption(f"{len(places)} placed. Click the first map to add one.")
        st.button("Begin again", key=f"{PAGE}/places/clear", type="tertiary", on_click=_no_places)
        made["sensors"] = places
    else:
        told = "One sensor a line: x, y (0 to 1, from the lower left corner), potential."
        text = st.text_area("x, y, potential", key=session.key(PAGE, "readings"), placeholder="0.25, 0.5, 0.031", help=told)
        made["sensors"] = question.readings(str(text or ""))
    told = "Deviation of the noise, in percent of the readings' root mean square."
    low, high = session.reach(PAGE, "sensor_noise", 0.1, 20.0)
    noise = st.slider("Noise (%)", low, high, step=0.1, format="%.1f", key=session.key(PAGE, "sensor_noise"), help=told)
    told = "What is believed of the hidden charges. For random fields the exact answer is known, to compare with."
    prior = st.selectbox("Prior", list(PRIORS), key=session.key(PAGE, "prior"), format_func=PRIORS.__getitem__, help=told)
    return made | {"sensor_noise": noise / 100, "prior": prior}


def _no_places() -> None:
    session.seed(PAGE, places=FEW)
    figure.forget(f"{PAGE}.sensed")


def titled(name: str) -> str:
    """A solver or baseline in the page's words."""
    return SOLVERS.get(name, "").partition(":")[0] or plots.titled(name)
