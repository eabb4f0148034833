"""The controls of the images page: which pictures, and what is done with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app.instruments import images_own, images_plane
from app.instruments.images_own import PAGE
from app.parts import figure, map, session
from gen_core.errors import RecipeError
from gen_core.images import map_plots, plots, question
from gen_core.images.atlas import atlas_of, thinned
from gen_core.images.modelfile import open_space
from gen_core.images.recipe import GROUPS, Decode, Edit, Grid, Images, Interpolate, Invert, Map, Mix, Plane, Sample, Stylize
from gen_core.images.render import FACTORS, NAMES
from gen_core.recipe import Recipe

VERBS: dict[str, type[Images]] = {
    "Walk": Interpolate,
    "Mix": Mix,
    "Edit": Edit,
    "Invert": Invert,
    "Grid": Grid,
    "Blend styles": Stylize,
    "Sample": Sample,
    "Map": Map,
    "Plane": Plane,
    "Decode": Decode,
}
HIDDEN = {"Decode"}  # shown where a link or a file asks for it
UNLABELLED = {"All": [f"pc{i}" for i in range(1, 5)]} | {g.capitalize(): [f"{g}{i}" for i in range(1, 5)] for g in GROUPS}
AXES = "Where the styles of the training pictures vary most (PCA). What an axis means, its picture says."
CLOSED = "What changes the decoder most, read off its weights alone (SeFa, Shen & Zhou 2021)."
CORNERS = ("top left", "top right", "bottom left", "bottom right")


def verb_of(recipe: Images) -> str:
    """What the page calls a recipe's operation."""
    return next(name for name, kind in VERBS.items() if isinstance(recipe, kind))


def verbs(recipe: Images) -> list[str]:
    """What can be chosen: of what is seldom asked for only what this recipe asks."""
    return [name for name in VERBS if name not in HIDDEN or name == verb_of(recipe)]


def widgets(recipe: Recipe) -> dict[str, Any]:
    """A recipe as the values of the widgets: a picture is a seed and, beside it, one of the user's own or none."""
    if not isinstance(recipe, Images):  # a training, which has a panel of its own
        return widgets(Interpolate())
    fields, verb = recipe.fields(), verb_of(recipe)
    values: dict[str, Any] = {"verb": verb, **{k: v for k, v in fields.items() if not isinstance(v, list | dict)}}
    for name, seed in _pictures(recipe).items():
        values |= {name: seed if isinstance(seed, int) else 0, f"{name}_own": None if isinstance(seed, int) else seed}
    for name in ("content_seeds", "style_seeds", "styles"):
        if name in fields:
            values[name] = ", ".join(str(s) for s in fields[name] if isinstance(s, int))
            values[f"{name}_own"] = [s for s in fields[name] if not isinstance(s, int)]
    if isinstance(recipe, Stylize):
        values["weights"] = ", ".join(f"{w:g}" for w in recipe.weights or ())
    if "layers" in fields:
        values["layers"] = list(fields["layers"])
    if isinstance(recipe, Sample):
        values["near"] = recipe.around is not None
    if isinstance(recipe, Map):
        values |= {"spot": fields["spot"], "region": fields["region"], "showing": recipe.show is not None}
    if isinstance(recipe, Plane):
        values |= images_plane.widgets(recipe)
    if isinstance(recipe, Edit):
        names = [factor.name for factor in FACTORS] + [name for names in UNLABELLED.values() for name in names]
        values |= {f"by_{name}": float(recipe.directions.get(name, 0.0)) for name in names}
    return values


def controls(now: Images) -> Images:
    """The controls of a verb; the recipe they make."""
    verb = verb_of(now)
    made = MAKERS[verb](now)
    if not isinstance(now, Sample | Plane):
        images_own.one_picture()
    same = {"model": now.model, "model_sha256": now.model_sha256, "seed": now.fields().get("seed", 0)}
    return VERBS[verb].read(same | made)


def picture(name: str, label: str) -> int | str:
    """A choice of one picture: a seed, or one of the user's own, which is then shown as it was read."""
    own = _own(session.value(PAGE, f"{name}_own"))
    if own:
        key, rendered = session.settle(PAGE, f"{name}_own", [None, *own], None), "a rendered one"
        st.selectbox(
            label.removesuffix(" (seed)"), [None, *own], key=key, format_func=lambda d: own.get(d, rendered), placeholder=rendered
        )
        if (chosen := session.value(PAGE, f"{name}_own")) is not None:
            st.image(plots.large(question.as_read(chosen), 2), caption="Your picture", width=96)
            return str(chosen)
    told = "The number of a rendered micrograph: the same number, the same picture."
    return int(st.number_input(label, 0, 2**32 - 1, key=session.key(PAGE, name), help=told))


def pictures(name: str, label: str, now: Images, most: int = 16) -> list[int | str]:
    """A list of pictures: the user's own, and seeds separated by commas; in the order of the recipe where they are the same."""
    told = f"Numbers of rendered micrographs, at most {most}, with commas."
    text = st.text_input(label, key=session.key(PAGE, name), help=told)
    own = _own(*(session.value(PAGE, f"{name}_own") or []))
    chosen: list[str] = []
    if own:
        key = session.key(PAGE, f"{name}_own")
        chosen = st.multiselect(f"{label}: yours", list(own), key=key, format_func=own.__getitem__)
    made = [*chosen, *(_whole(part) for part in text.split(",") if part.strip())]
    before = list(getattr(now, name))
    return before if sorted(str(p) for p in made) == sorted(str(p) for p in before) else made


def layers() -> list[str]:
    """Which groups of styles are switched."""
    told = "Coarse: size and stretch of the grains. Middle: boundaries, particles, lamellae. Fine: colour, contrast, light."
    chosen = st.pills(
        "Styles that are switched",
        GROUPS,
        selection_mode="multi",
        key=session.key(PAGE, "layers"),
        format_func=str.capitalize,
        help=told,
    )
    return list(chosen)


def walk(now: Images) -> dict[str, Any]:
    """From one picture to another."""
    seeds = [picture("a", "From (seed)"), picture("b", "To (seed)")]
    told = "Content and styles, or the styles alone on the structure of the first."
    names = {"z": "Structure and styles", "w": "Styles only"}
    space = st.radio("What moves", list(names), key=session.key(PAGE, "space"), format_func=names.__getitem__, help=told)
    steps = st.slider(
        "Pictures on the way", *session.reach(PAGE, "steps", 4, 64), key=session.key(PAGE, "steps"), help="Both ends included."
    )
    told = "Chooses the points so that every step changes the picture equally."
    even = st.toggle("Constant speed", key=session.key(PAGE, "constant_speed"), help=told)
    return {"seeds": seeds, "space": space, "steps": steps, "constant_speed": even, "path": session.value(PAGE, "path", "slerp")}


def mix(now: Images) -> dict[str, Any]:
    """Structures down, styles across."""
    return {
        "content_seeds": pictures("content_seeds", "Structures (seeds)", now),
        "style_seeds": pictures("style_seeds", "Styles (seeds)", now),
        "layers": layers(),
        "strength": strength(),
    }


def strength() -> float:
    """How far the style moves."""
    told = "0 leaves the style as it is, 1 takes the other's, more goes beyond it."
    return float(st.slider("Strength", -1.0, 2.0, step=0.05, key=session.key(PAGE, "strength"), help=told))


def edit(now: Images) -> dict[str, Any]:
    """One picture, and an amount for each direction that the model knows."""
    made: dict[str, Any] = {"seed": picture("picture", "Picture (seed)"), "directions": {}}
    known = open_space(now.model, now.model_sha256).directions
    for group in GROUPS:
        factors = [factor for factor in FACTORS if factor.group == group and factor.name in known]
        if factors:
            with st.expander(group.capitalize(), expanded=group == "coarse"):
                for factor in factors:
                    unit = f" ({factor.unit})" if factor.unit else ""
                    told = f"Change of: {factor.text}. R² {known[factor.name].r2:.2f}."
                    amount(made, factor.name, unit, float(factor.high - factor.low), told)
    with st.expander("Found without labels", expanded=not any(factor.name in known for factor in FACTORS)):
        for tab, (title, names) in zip(st.tabs(list(UNLABELLED)), UNLABELLED.items(), strict=True):
            with tab:
                st.caption(AXES if title == "All" else CLOSED)
                for name in names:
                    label = name.replace("pc", "Axis ") if title == "All" else f"{title} {name[-1]}"
                    amount(
                        made, name, " (deviations)", 3.0, "One deviation is how far the training pictures spread on it.", label
                    )
    return made


def amount(made: dict[str, Any], name: str, unit: str, reach: float, told: str, title: str = "") -> None:
    """One direction's slider; its amount goes into the recipe unless it is zero."""
    label = f"{title or name.replace('_', ' ').capitalize()}{unit}"
    step = reach / 40 if name in NAMES else reach / 30
    moved = st.slider(label, -reach, reach, step=step, key=session.key(PAGE, f"by_{name}"), help=told)
    if moved:
        made["directions"][name] = float(moved)


def invert(now: Images) -> dict[str, Any]:
    """One picture to be put into the latent space."""
    told = "Of refinement after the encoder's first guess; each takes about 20 ms."
    image = picture("picture", "Picture (seed)")
    low, high = session.reach(PAGE, "steps", 0, 200)
    return {"image": image, "steps": st.slider("Steps of refinement", low, high, key=session.key(PAGE, "steps"), help=told)}


def grid(now: Images) -> dict[str, Any]:
    """Four corners."""
    seeds = [picture(f"corner_{i}", f"{name.capitalize()} (seed)") for i, name in enumerate(CORNERS)]
    rows = st.slider("Rows", 2, 16, key=session.key(PAGE, "rows"), help="Pictures from top to bottom.")
    columns = st.slider("Columns", 2, 16, key=session.key(PAGE, "columns"), help="Pictures from left to right.")
    return {"seeds": seeds, "rows": rows, "columns": columns}


def stylize(now: Images) -> dict[str, Any]:
    """One structure, a blend of styles."""
    return {
        "content": picture("picture", "Structure (seed)"),
        "styles": pictures("styles", "Styles (seeds)", now),
        "layers": layers(),
        "strength": strength(),
        "weights": shares(now),
    }


def shares(now: Images) -> list[float] | None:
    """How much each style counts, as numbers separated by commas; None where all count alike."""
    told = "One number a style, in the order of the styles, with commas; empty where all count alike."
    text = st.text_input("Weights of the styles", key=session.key(PAGE, "weights"), placeholder="all alike", help=told)
    parts = [part for part in text.split(",") if part.strip()]
    try:
        return [float(part) for part in parts] or None
    except ValueError:
        raise RecipeError(f"Weights of the styles: {text[:40]!r} is no list of numbers with commas, such as 2, 1.") from None


def sample(now: Images) -> dict[str, Any]:
    """New pictures."""
    n = st.slider("Pictures", *session.reach(PAGE, "n", 1, 64), key=session.key(PAGE, "n"), help="How many are drawn.")
    told = "Width of what they are drawn from: 0 is its middle, 1 what the model learned."
    temperature = st.slider("Temperature", 0.0, 3.0, step=0.05, key=session.key(PAGE, "temperature"), help=told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other pictures.")
    made = {"n": n, "temperature": temperature, "seed": int(seed)}
    told = "New pictures that stay near one, instead of any that the model may draw."
    if not st.toggle("Around a picture", key=session.key(PAGE, "near"), help=told):
        return made
    told = "How far they may lie from it: 1 is as far as any two pictures."
    radius = st.slider("Radius", *session.reach(PAGE, "radius", 0.0, 1.0), step=0.05, key=session.key(PAGE, "radius"), help=told)
    return made | {"around": picture("picture", "Picture (seed)"), "radius": radius}


def decode(now: Images) -> dict[str, Any]:
    """Latent vectors, which come from elsewhere: only the structure can be chosen, where they hold none."""
    assert isinstance(now, Decode)
    count, length = len(now.z), len(now.z[0])
    st.caption(f"{count:,} latent vector{'s' * (count != 1)} of {length:,} number{'s' * (length != 1)}.")
    return {"z": now.z, "content": picture("picture", "Structure (seed)")}


def atlas(now: Images) -> dict[str, Any]:
    """The spot and the region that were clicked and drawn on the map; how that is coloured is no part of the recipe."""
    event = figure.picked("images.map")
    if (spot := map.snapped(event)) is not None:
        session.seed(PAGE, spot=[round(v, 3) for v in spot])
    if (region := map.region(event)) is not None:
        session.seed(PAGE, region=thinned(region))
    colours = map_plots.colours(atlas_of(open_space(session.current(PAGE).fields()["model"])))
    if colours:
        told = "A known factor of the training pictures."
        st.selectbox("Colour by", colours, key=session.settle(PAGE, "colour", colours), format_func=map_plots.spoken, help=told)
    key, told = session.settle(PAGE, "thumbnails", [True, False]), "In each cell of a lattice the picture nearest to its middle."
    st.toggle("Thumbnails", key=key, help=told)
    shown = None
    if st.toggle("Show a picture on it", key=session.key(PAGE, "showing"), help="Where a picture would lie: one of yours, too."):
        shown = picture("shown", "Picture (seed)")
    told = "New pictures drawn from the region that you lasso."
    n = st.slider("Samples of a region", 1, 64, key=session.key(PAGE, "n"), help=told)
    seed = st.number_input("Seed", 0, 2**32 - 1, key=session.key(PAGE, "seed"), help="Another seed, other samples.")
    spot, region = session.value(PAGE, "spot"), session.value(PAGE, "region")
    return {"spot": spot, "region": region, "n": n, "seed": int(seed), "show": shown}


def forget_on_map(field: str) -> None:
    """In a callback: the map without its spot, or without its region."""
    figure.forget("images.map")
    session.seed(PAGE, **{field: None})


MAKERS: dict[str, Callable[[Images], dict[str, Any]]] = {
    "Walk": walk,
    "Mix": mix,
    "Edit": edit,
    "Invert": invert,
    "Grid": grid,
    "Blend styles": stylize,
    "Sample": sample,
    "Map": atlas,
    "Plane": lambda now: images_plane.controls(),
    "Decode": decode,
}


def _pictures(recipe: Images) -> dict[str, int | str]:
    """The single pictures of a recipe by the name of their widget."""
    if isinstance(recipe, Interpolate):
        return dict(zip(("a", "b"), recipe.seeds, strict=True))
    if isinstance(recipe, Grid):
        return {f"corner_{i}": seed for i, seed in enumerate(recipe.seeds)}
    if isinstance(recipe, Edit):
        return {"picture": recipe.seed}
    if isinstance(recipe, Invert):
        return {"picture": recipe.image}
    if isinstance(recipe, Sample):
        return {"picture": 0 if recipe.around is None else recipe.around}
    if isinstance(recipe, Map):
        return {} if recipe.show is None else {"shown": recipe.show}
    return {"picture": recipe.content} if isinstance(recipe, Stylize | Decode) else {}


def _own(*needed: str | None) -> dict[str, str]:
    """The pictures this session added, by digest, and those the recipe names."""
    known: dict[str, str] = session.get(PAGE, "own", {})
    return known | {d: f"your picture {d[7:15]}" for d in needed if d and d not in known}


def _whole(text: str) -> int | str:
    return int(text) if text.strip().isdigit() else text.strip()
