"""The page's recipe, its link and its widgets tell the same story, whatever happens in between."""

from __future__ import annotations

import itertools
import time
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from app.parts import session
from gen_core import catalog
from gen_core.cells.recipe import Perturb
from tests.app.running import app


def page() -> None:
    import streamlit as st

    from app.parts import guard, session
    from gen_core.cells.recipe import Perturb

    with guard.guard():
        session.start(
            "cells", "cells.perturb", lambda: Perturb(dose=2.0), lambda r: r.fields() | {"sources": list(r.sources or [])}
        )
        st.button("Load", on_click=session.load, args=("cells", Perturb(dose=5.0, sources=("B",))))
        dose = st.slider("Dose", -5.0, 10.0, key=session.key("cells", "dose"))
        sources = st.multiselect("Sources", ["A", "B"], key=session.key("cells", "sources"))
        if st.toggle("More"):
            st.number_input("Components", 2, 200, key=session.key("cells", "latent_dim"))
        dims = session.value("cells", "latent_dim")
        session.write_link(session.current("cells").replace(dose=dose, sources=sources or None, latent_dim=dims))
    st.text(session.take_error("cells") or "")


def opened(**link: str) -> AppTest:
    at = app(page)
    at.query_params.update(link)
    return at.run()


def in_link(at: AppTest, field: str) -> Any:
    value = at.query_params[field]
    return value[0] if isinstance(value, list) else value


def test_without_a_link_the_page_opens_on_its_default_and_says_all_of_it_in_the_link() -> None:
    at = opened()
    assert at.slider[0].value == 2.0
    assert set(at.query_params) == {"operation", *Perturb.model_fields}


def test_a_link_sets_the_widgets_and_a_widget_the_link() -> None:
    at = opened(dose="3.5", sources='["A"]')
    assert (at.slider[0].value, at.multiselect[0].value) == (3.5, ["A"])
    at.slider[0].set_value(4.0).run()
    assert in_link(at, "dose") == "4.0"
    assert in_link(at, "sources") == '["A"]'


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ({"dose": "NaN"}, "dose"),
        ({"dose": "1e999"}, "dose"),
        ({"doses": "1"}, "did you mean 'dose'"),
        ({"seed": "-1"}, "seed"),
        ({"data": "/etc/passwd"}, "neither a bundled name nor the digest"),
        ({"operation": "cells.dance"}, "no operation"),
        ({"operation": "x" * 10_000}, "no operation"),
        ({"sources": "[" * 5000}, "sources"),
        ({"schema": "99"}, "schema 99"),
        ({"dose": "<script>alert(1)</script>"}, "dose"),
    ],
)
def test_a_nonsense_link_gives_the_default_and_one_sentence(link: dict[str, str], words: str) -> None:
    at = opened(**link)
    assert not at.exception
    assert not at.error
    assert at.slider[0].value == 2.0
    assert words in at.text[0].value
    assert in_link(at, "dose") == "2.0"
    at.slider[0].set_value(4.0).run()
    assert at.text[0].value == ""


def empty() -> None:
    import streamlit as st

    from app.parts import guard, session
    from gen_core.tomography.recipe import Reconstruct

    with guard.guard():
        session.start("tomography", "tomography.reconstruct", lambda: Reconstruct(geometry="fan"))
        st.button("Empty", on_click=lambda: session.seed("tomography", geometry=None))
        beam = st.segmented_control("Beam", ["parallel", "fan"], key=session.choice("tomography", "geometry"), required=True)
        session.write_link(session.current("tomography").replace(geometry=beam))


def test_a_choice_that_the_browser_says_is_none_is_the_recipes() -> None:
    at = app(empty).run()
    at.button[0].click().run()
    assert not at.exception
    assert not at.error
    assert in_link(at, "geometry") == "fan"


def test_a_press_that_takes_an_old_link_along_is_not_undone_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = itertools.count(0.0, 3.0)  # a busy server: seconds between any two looks
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: next(clock), time=time.time))
    at = opened(dose="3.5")
    for dose in (4.0, 4.5):
        at.query_params = {"dose": "3.5"}  # the browser has not heard of the page's own link yet
        at.slider[0].set_value(dose).run()
        assert (at.slider[0].value, in_link(at, "dose")) == (dose, str(dose))


def test_a_link_that_is_pressed_opens_again_what_the_page_has_just_left() -> None:
    at = opened(dose="3.5")
    at.slider[0].set_value(4.0).run()
    at.query_params = session.link_to(Perturb(dose=3.5))
    at.run()
    assert (at.slider[0].value, in_link(at, "dose")) == (3.5, "3.5")
    assert session.OPENED not in at.query_params  # the address bar holds the recipe and nothing else
    at.slider[0].set_value(4.5).run()
    assert at.slider[0].value == 4.5


def test_a_loaded_recipe_wins_over_what_the_widgets_held() -> None:
    at = opened(dose="3.5")
    at.button[0].click().run()
    assert (at.slider[0].value, at.multiselect[0].value) == (5.0, ["B"])
    assert in_link(at, "dose") == "5.0"


def test_a_widget_that_was_not_drawn_for_a_while_comes_back_as_it_was() -> None:
    at = opened()
    at.toggle[0].set_value(True).run()
    at.number_input[0].set_value(77).run()
    at.toggle[0].set_value(False).run()
    assert in_link(at, "latent_dim") == "77"
    at.toggle[0].set_value(True).run()
    assert at.number_input[0].value == 77


def test_a_choice_outside_the_options_becomes_one_of_them() -> None:
    def script() -> None:
        import streamlit as st

        from app.parts import session
        from gen_core.cells.recipe import Perturb

        session.start("cells", "cells.perturb", lambda: Perturb(target="Gone"))
        options = ["A", "B"]
        st.selectbox("Target", options, key=session.settle("cells", "target", options, "B"))

    at = app(script).run()
    assert at.selectbox[0].value == "B"
    at.selectbox[0].set_value("A").run()
    assert at.selectbox[0].value == "A"


@given(
    st.builds(
        Perturb,
        dose=st.floats(-10, 10),
        target=st.none() | st.text(min_size=1, max_size=30),
        sources=st.none() | st.lists(st.sampled_from(["α", "x&y=z", "", "null", "3"]), min_size=1).map(tuple),
        seed=st.integers(0, 2**32 - 1),
    ).filter(lambda recipe: recipe.target not in (recipe.sources or ()))
)
def test_query_parameters_are_the_recipe(recipe: Perturb) -> None:
    from urllib.parse import urlencode

    assert catalog.from_query(urlencode(session.link_fields(recipe)), "cells.perturb") == recipe


def hosted_script() -> None:
    import streamlit as st

    from app.parts import people

    st.text(f"{people.hosted()} {people.promise()}")


def test_a_page_on_this_machine_is_not_hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert app(hosted_script).run().text[0].value == "False Your data stays on this machine."
    monkeypatch.setenv("LATENT_HOSTED", "1")
    assert app(hosted_script).run().text[0].value.startswith("True Your data stays on the server")


@pytest.mark.parametrize(
    "headers",
    [{"Host": "cells.example.org"}, {"Host": "127.0.0.1:8501", "X-Forwarded-For": "10.0.0.1"}, {"Host": "10.1.2.3:8501"}],
)
def test_a_page_seen_through_another_name_or_a_proxy_is_hosted(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.runtime.context import ContextProxy

    monkeypatch.setattr(ContextProxy, "headers", headers)
    assert app(hosted_script).run().text[0].value.startswith("True")


def undoing() -> None:
    import streamlit as st

    from app.parts import presets, session
    from gen_core.cells.recipe import Perturb

    session.start("cells", "cells.perturb", lambda: Perturb(dose=2.0))
    presets.row("cells", {"Five": Perturb(dose=5.0)}, lambda: Perturb(dose=2.0))
    dose = st.slider("Dose", -5.0, 10.0, key=session.key("cells", "dose"))
    # as a run fills in what was left open
    session.write_link(session.current("cells").replace(dose=dose, target="B"))


def test_moves_are_taken_back_one_by_one_and_what_a_run_fills_in_is_no_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TOGETHER", 0.0)
    at = app(undoing).run()
    undo = "cells/undo"
    at.button(key=undo).click().run()
    assert "nothing to undo" in at.toast[0].value
    at.slider[0].set_value(3.0).run()
    at.slider[0].set_value(4.0).run()
    at.button(key="cells/preset/Five").click().run()
    told = []
    for _ in range(4):
        at.button(key=undo).click().run()
        told.append((at.slider[0].value, in_link(at, "dose")))
    assert told == [(4.0, "4.0"), (3.0, "3.0"), (2.0, "2.0"), (2.0, "2.0")]


def test_a_drag_is_one_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "TOGETHER", 1000.0)
    at = app(undoing).run()
    for dose in (3.0, 3.5, 4.0):
        at.slider[0].set_value(dose).run()
    at.button(key="cells/undo").click().run()
    assert at.slider[0].value == 2.0


def a_short_slider() -> None:
    import streamlit as st

    from app.parts import guard, session
    from gen_core.cells.recipe import Perturb

    with guard.guard():
        session.start("cells", "cells.perturb", Perturb, lambda r: r.fields())
        low, high = session.reach("cells", "dose", 0.0, 2.0)
        st.slider("Dose", low, high, key=session.key("cells", "dose"))


def test_a_slider_reaches_as_far_as_a_link_asks() -> None:
    for dose, ends in ((1.5, (0.0, 2.0)), (7.5, (0.0, 7.5)), (-3.0, (-3.0, 2.0))):
        at = app(a_short_slider)
        at.query_params["dose"] = str(dose)
        at.run()
        assert not at.exception
        assert not at.error
        assert at.slider[0].value == dose
        assert (at.slider[0].min, at.slider[0].max) == ends


def forgetting() -> None:
    import streamlit as st

    from app.parts import session
    from gen_core.cells.recipe import Perturb

    def forget() -> None:  # as Streamlit does with a widget that was not drawn, when it comes back in the meantime
        st.session_state["cells/page"].undrawn.add("dose")
        del st.session_state["cells.dose"]

    session.start("cells", "cells.perturb", lambda: Perturb(dose=2.0))
    st.button("Forget", on_click=forget)
    dose = st.slider("Dose", -5.0, 10.0, key=session.key("cells", "dose"))
    session.write_link(session.current("cells").replace(dose=dose))


def test_a_widget_that_streamlit_forgot_has_the_recipes_value() -> None:
    at = app(forgetting).run()
    at.slider[0].set_value(4.0).run()
    at.button[0].click().run()
    assert not at.exception
    assert at.slider[0].value == 4.0
    assert in_link(at, "dose") == "4.0"
