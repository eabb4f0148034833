"""The detector page's way between its questions: nothing of the user's is lost, and every recipe of a link can be shown."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.app.running import app


def verbs() -> None:
    import streamlit as st

    from app.instruments import detector_controls as controls
    from app.parts import session
    from gen_core.detector.recipe import Generate

    own = "sha256:" + "0" * 64
    session.start("detector", "detector.generate", Generate, controls.widgets)
    first = Generate(data=own, layers=6, channels=16, model="independent")
    away = controls.other("One code", first)
    back = controls.other("New events", away)
    st.text(f"{back.data == own} {back.model} {back.layers}")
    st.text(controls.other("A region again", Generate(model="middle")).model)
    st.text(controls.other("One code", Generate(model="ar")).model)
    simulated = controls.other("One code", Generate())
    st.text(str(controls.other("New events", simulated).data))


def test_own_hits_and_the_model_stay_where_a_question_can_use_them() -> None:
    at = app(verbs).run()
    assert not at.exception
    assert [one.value for one in at.text] == ["True independent 6", "middle", "vae", "None"]


def bounds() -> None:
    import streamlit as st

    from app.instruments import detector_controls as controls
    from app.parts import guard, session
    from gen_core.detector.recipe import Generate

    with guard.guard():
        asked = session.start("detector", "detector.generate", Generate, controls.widgets)
        recipe = controls.controls(asked)
        st.text(str(recipe.multiplicity))


def test_numbers_of_hits_beyond_the_tracker_are_shown_as_asked() -> None:
    for asked in ((90, 100), (150, 180), (500, 900)):
        at: AppTest = app(bounds)
        at.query_params["multiplicity"] = str(list(asked))
        at.run()
        assert not at.exception
        assert not at.error
        assert at.text[0].value == str(asked)
