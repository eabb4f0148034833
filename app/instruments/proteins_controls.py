"""The controls of the proteins page: where is sampled, how much, what stays, and what a sample must be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments import proteins_single
from app.instruments.proteins_labels import labels, reference
from app.instruments.proteins_order import order
from app.instruments.proteins_verbs import PAGE, TYPES, VERBS, Asked, verb_of
from app.parts import figure, map, people, session
from app.parts.file_field import file_field
from gen_core.proteins import question
from gen_core.proteins.atlas import atlas_of, thinned
from gen_core.proteins.modelfile import open_model
from gen_core.proteins.recipe import Decode

WHERE = {
    "prior": "The whole family (prior)",
    "naturals": "Around the naturals",
    "spot": "A spot of the map",
    "region": "A region of the map",
    "sequences": "Around sequences",
    "path": "A path between two",
}
COUNTS = [100, 200, 500, 1_000, 2_000, 5_000, 10_000]


def controls(now: Asked, below: Any) -> tuple[Asked, Any]:
    """The controls of a verb, its filters and the order in the container `below`; the recipe they make, and the place of the
    plate where one is ordered."""
    verb = verb_of(now)
    last = session.current(PAGE)  # the fragment's own, newer than what the page was called with
    base = last if type(last) is type(now) and last.model == now.model else now  # type: ignore[attr-defined]
    if verb == "Sample":
        take_click(now)
    made = MAKERS[verb](now)
    fields = base.fields()
    if "filters" in fields:
        with below:
            made["filters"] = fields["filters"] | filters(made["labels"] is not None)
    plate = None
    if verb == "Sample":
        with below:
            made["order"], plate = order(made["reference"])
    return VERBS[verb].read(fields | made), plate


def take_click(now: Asked) -> None:
    """What was clicked or drawn on the map since the last run, as the values of the controls: before these are drawn."""
    event = figure.picked("proteins.map")
    if event is None:
        return
    figure.forget("proteins.map")  # once: or the controls could not be moved away from it
    if (spot := map.snapped(event)) is not None:
        z = atlas_of(open_model(str(now.model))).latent([list(spot)])[0].tolist()
        if session.value(PAGE, "where") == "path":
            end = "a" if session.value(PAGE, "click_sets") == "start" else "b"
            session.seed(PAGE, **{f"path_{end}": "", f"path_{end}_z": z})
        else:
            session.seed(PAGE, where="spot", spot=z)
    if (region := map.region(event)) is not None:
        session.seed(PAGE, where="region", region=[list(corner) for corner in thinned(region)])


def sample(now: Asked) -> dict[str, Any]:
    """New members: where they are drawn, how many, how freely, what stays, and what they must be."""
    key, told = session.settle(PAGE, "where", list(WHERE)), "Click the map for a spot, drag around naturals for a region."
    where = st.selectbox("Sample from", list(WHERE), key=key, format_func=WHERE.__getitem__, help=told)
    made = PLACES[where](now)
    counts = sorted({*COUNTS, int(session.value(PAGE, "n") or 0) or COUNTS[3]})
    told = "How many are drawn, before the filters."
    made["n"] = st.select_slider("Sequences", counts, key=session.settle(PAGE, "n", counts), help=told, format_func=_thousands)
    told = "Below 1 the likeliest residues are taken more often: safer and less varied. 1 is what the model learned."
    made["temperature"] = temperature(told)
    with st.expander("Residues that stay"):
        made |= reference()
        told = "Positions of the reference, or of the one sequence that is sampled around: 11, 28, 30-35."
        locks = st.text_input("Positions kept", key=session.key(PAGE, "locks"), placeholder="none", help=told)
        made["locks"] = question.positions(locks)
    made |= labels()
    known(now, made)
    made |= beside_structures()
    told = "Another seed, other samples."
    made["seed"] = int(st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help=told))
    return made


def temperature(told: str) -> float:
    """How freely residues are drawn."""
    low, high = session.reach(PAGE, "temperature", 0.1, 2.0)
    return st.slider("Temperature", low, high, step=0.05, key=session.key(PAGE, "temperature"), help=told)


def beside_structures() -> dict[str, Any]:
    """What is chosen beside the structures, whose widgets are drawn after the result."""
    names = ("b_factor", "template", "template_chain", "structure_format")
    made = {name: session.value(PAGE, name) for name in names} | {"structure": session.value(PAGE, "save_structures")}
    chain = made.pop("template_chain") if made["template"] else None
    return {name: value for name, value in made.items() if value is not None} | {
        "template": made["template"],
        "template_chain": chain or None,
    }


def nowhere(now: Asked) -> dict[str, Any]:
    """The prior needs no place."""
    return {"around": None, "path": None}


def spread(label: str = "Distance") -> float:
    """How far from sequences is sampled."""
    told = "In standard deviations of what the model does not know of a sequence's place: 1 is as far as that, 0 its centre."
    low, high = session.reach(PAGE, "radius", 0.0, 5.0)
    return float(st.slider(label, low, high, step=0.1, key=session.key(PAGE, "radius"), help=told))


def around_naturals(now: Asked) -> dict[str, Any]:
    """Around every natural alike."""
    return {"around": "naturals", "path": None, "radius": spread()}


def around_spot(now: Asked) -> dict[str, Any]:
    """Around the clicked spot, or the middle of the map where none was clicked."""
    z = session.value(PAGE, "spot") or atlas_of(open_model(str(now.model))).latent([[0.0, 0.0]])[0].tolist()
    told = "Of the ball around the spot, in units of the latent space, in which naturals spread by about 1."
    low, high = session.reach(PAGE, "spot_radius", 0.0, 4.0)
    radius = st.slider("Radius", low, high, step=0.05, key=session.key(PAGE, "spot_radius"), help=told)
    return {"around": {"z": z, "radius": radius}, "path": None}


def around_region(now: Asked) -> dict[str, Any]:
    """Around the naturals inside what was drawn on the map; until then around all."""
    region, radius = session.value(PAGE, "region"), spread()
    if region is None:
        st.caption(":material/lasso_select: Drag around some naturals on the map. Until then: all of them.")
    return {"around": {"region": region} if region else "naturals", "path": None, "radius": radius}


def around_sequences(now: Asked) -> dict[str, Any]:
    """Around one or more sequences."""
    told = "One on each line, or FASTA; whole sequences or rows of the alignment."
    text = st.text_area("Sequences to start from", key=session.key(PAGE, "around"), help=told, height=110)
    found = question.sequences_in(text)
    radius = spread()
    if not found:
        st.caption("Give a sequence. Until then: around all naturals.")
        return {"around": "naturals", "path": None, "radius": radius}
    return {"around": found[0] if len(found) == 1 else list(found), "path": None, "radius": radius}


def along_path(now: Asked) -> dict[str, Any]:
    """From one sequence or spot to another."""
    atlas = atlas_of(open_model(str(now.model)))
    path = []
    for name, label, spare in zip("ab", ("From", "To"), question.ends(atlas), strict=True):
        told = "A sequence. Empty: the end that was clicked on the map (● start, ◆ end)."
        text = st.text_input(label, key=session.key(PAGE, f"path_{name}"), placeholder="the spot on the map", help=told)
        found = question.one_sequence(text)
        path.append(found or session.value(PAGE, f"path_{name}_z") or spare)
    key = session.settle(PAGE, "click_sets", ["start", "end"])
    st.radio("A click sets the", ["start", "end"], key=key, horizontal=True, help="Of the path on the map.")
    told = "Places on the way; the sequences are shared out evenly over them."
    low, high = session.reach(PAGE, "steps", 2, 50)
    steps = st.slider("Steps", low, high, key=session.key(PAGE, "steps"), help=told)
    return {"around": None, "path": path, "steps": steps}


def filters(labelled: bool) -> dict[str, Any]:
    """A switch and a bound for each filter, read off the recipe's own fields; viability only where there are labels."""
    chosen: dict[str, Any] = {} if labelled else dict.fromkeys(question.NEEDS_LABELS)
    with st.expander("Filters", icon=":material/filter_alt:"):  # no popover: what is drawn in one when it opens starts at zero
        for row in question.in_rows(3, labelled):
            for column, bound in zip(st.columns(3, gap="medium"), row, strict=False):
                with column:
                    one_filter(bound, chosen)
    return chosen


def one_filter(bound: question.Bound, chosen: dict[str, Any]) -> None:
    """One filter's switch, and its bound where it is on."""
    on = st.toggle(bound.title, key=session.key(PAGE, f"on_{bound.name}"), help=bound.help)
    if bound.kind == "switch":
        chosen[bound.name] = on
    elif not on:
        chosen[bound.name] = question.off(bound)
    elif bound.kind == "number":
        key = session.key(PAGE, f"to_{bound.name}")
        low, high = session.reach(PAGE, f"to_{bound.name}", bound.low, bound.high)
        shown = "%.0f" if bound.step >= 1 else None
        args = {"step": bound.step, "key": key, "label_visibility": "collapsed", "format": shown}
        chosen[bound.name] = st.slider(bound.title, low, high, **args)
    else:
        key = session.key(PAGE, f"to_{bound.name}")
        text = st.text_area(bound.title, key=key, label_visibility="collapsed", height=100)
        chosen[bound.name] = [line.strip() for line in text.splitlines() if line.strip()]


def known(now: Asked, made: dict[str, Any]) -> None:
    """The sequences that novelty is measured against."""
    with st.expander("Known sequences"):
        told = "What novelty is measured against: an alignment or sequences of the same family."
        names = {question.family_of(str(now.model)): "those of the model"}
        family = file_field(PAGE, "family", "Novelty against", names, told, TYPES, question.check_sequences)
        made["family"] = family


def score(now: Asked) -> dict[str, Any]:
    """Given sequences."""
    made: dict[str, Any] = {}
    told = "FASTA, aligned as the family or not at all."
    spare = question.examples(str(now.model))
    names = {spare: "Examples (synthetic)" if spare == question.EXAMPLES else "The family itself"}
    chosen = file_field(PAGE, "sequences", "Sequences to score", names, told, TYPES, question.check_sequences)
    made["sequences"] = chosen or spare
    st.caption(f":material/lock: {people.promise()}")
    made |= labels()
    if made["labels"]:
        with st.expander("Reference"):
            made |= reference()
    known(now, made)
    return made


def decode(now: Asked) -> dict[str, Any]:
    """Latent points, which come from elsewhere: only the temperature can be chosen."""
    assert isinstance(now, Decode)
    count, length = len(now.z), len(now.z[0])
    st.caption(f"{count:,} latent point{'s' * (count != 1)} of {length:,} coordinates.")
    told = "Sharpens (below 1) or flattens what each site may hold."
    return {"temperature": temperature(told)}


def _thousands(n: int) -> str:
    return f"{n:,}"


PLACES: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "prior": nowhere,
    "naturals": around_naturals,
    "spot": around_spot,
    "region": around_region,
    "sequences": around_sequences,
    "path": along_path,
}
MAKERS: dict[str, Callable[[Asked], dict[str, Any]]] = {
    "Sample": sample,
    "Score": score,
    "Single changes": proteins_single.controls,
    "Decode": decode,
}
