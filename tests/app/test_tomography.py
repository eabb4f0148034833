"""The tomography page's pieces that need no browser: what its controls make of a recipe, and what a control is told of work."""

from __future__ import annotations

import io
import json
import threading
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

from app.instruments.tomography_controls import widgets
from app.instruments.tomography_own import angles_of
from app.parts import background
from gen_core import store
from gen_core.errors import RecipeError
from gen_core.tomography.recipe import Lesion, Reconstruct, Train
from tests.app.running import app


def page() -> None:
    import streamlit as st

    from app.instruments.tomography_controls import controls, widgets
    from app.parts import session
    from gen_core.tomography.recipe import Reconstruct

    session.start("tomography", "tomography.reconstruct", Reconstruct, widgets)
    recipe = controls()
    session.write_link(recipe)
    st.text(recipe.json())


@pytest.mark.parametrize(
    "recipe",
    [
        Reconstruct(),
        Reconstruct(image="synthetic:shepp_logan:0", methods=("tv",), tv_weight=2.5),
        Reconstruct(image="ct_small", angle_range=60.0, start_angle=-30.0, views=20, noise=0.02, noise_model="poisson"),
        Reconstruct(geometry="fan", angle_range=200.0, source_origin=800.0, ring=0.05, size=64, posterior_samples=9),
        Reconstruct(methods=("fbp", "posterior"), sampler="dps", sampler_steps=40, data_weight=0.5),
        Reconstruct(lesion=Lesion(x=10.0, y=-20.0, diameter=12.0, contrast=80.0), seed=4, fbp_filter="hann", sirt_iterations=50),
        # as far as a recipe goes, beyond what the sliders offer
        Reconstruct(image="synthetic:thorax:100000000", start_angle=300.0, noise=0.33, posterior_samples=64, ring=0.3),
        Reconstruct(methods=("tv",), tv_weight=1e-5, lesion=Lesion(x=0.0, y=0.0, diameter=0.5), detector_spacing=1e-4),
    ],
)
def test_a_link_survives_the_controls(recipe: Reconstruct) -> None:
    at = app(page)
    for name, value in parse_qsl(recipe.query(), keep_blank_values=True):
        at.query_params[name] = value
    at.run()
    assert not at.exception
    assert at.text[0].value == recipe.json()


def test_controls_change_the_recipe() -> None:
    at = app(page).run()
    next(slider for slider in at.slider if "First angle" in slider.label).set_value(30.0)
    next(toggle for toggle in at.toggle if "each degree" in toggle.label).set_value(False)
    at.run()
    next(number for number in at.number_input if number.label == "Views").set_value(12)
    at.run()
    made = json.loads(at.text[0].value)
    assert (made["start_angle"], made["views"]) == (30.0, 12)


def test_the_range_of_a_client_that_lies_is_not_taken() -> None:
    def script() -> None:
        import streamlit as st

        from app.parts import session, slider
        from gen_core.tomography.recipe import Reconstruct

        session.start("tomography", "tomography.reconstruct", Reconstruct)
        name = "told"
        for value in (5_000.0, "90", None, 70.0, -1.0):
            st.session_state[name] = {"moved": value}
            slider._moved("tomography", "angle_range", name, 10, 180)
        st.text(str(st.session_state["tomography.angle_range"]))

    assert app(script).run().text[0].value == "70.0"


def test_a_training_opens_the_page_on_its_default() -> None:
    assert widgets(Train()) == widgets(Reconstruct())


@pytest.mark.parametrize(
    ("text", "angles"), [("", None), ("0, 10,20", [0, 10, 20]), ("0:4:2", [0, 2, 4]), ("9:0:-3", [9, 6, 3, 0])]
)
def test_angles_are_typed_as_a_list_or_a_range(text: str, angles: list[float] | None) -> None:
    assert angles_of(text) == angles


@pytest.mark.parametrize("text", ["a, b", "1:2", "0:10:0", "0:nan:1", "0:inf:1"])
def test_other_angles_are_one_sentence(text: str) -> None:
    with pytest.raises(RecipeError, match="Angles of the views"):
        angles_of(text)


class Bar:
    """Stands where `st.progress` is: notes what it is told, and ends the run of the page when asked to."""

    def __init__(self, end: bool = False) -> None:
        self.told: list[str] = []
        self.end = end

    def progress(self, share: float, text: str) -> None:
        assert 0 <= share <= 1
        self.told.append(text)
        if self.end and text:
            raise KeyboardInterrupt


def test_work_tells_how_far_it_is_and_passes_its_errors_on() -> None:
    def work(progress: Any) -> int:
        progress(0.5, "half way")
        shown.wait(10)
        return 7

    shown, bar = threading.Event(), Bar()

    class Waiting(Bar):
        def progress(self, share: float, text: str) -> None:
            bar.progress(share, text)
            if "half way" in text:
                shown.set()

    assert background.follow(work, Waiting(), "TV") == 7
    assert "TV: half way" in bar.told

    def fails(progress: Any) -> int:
        raise RecipeError("no such thing")

    with pytest.raises(RecipeError, match="no such thing"):
        background.follow(fails, Bar())


def test_work_that_nobody_waits_for_ends() -> None:
    ended = threading.Event()

    def work(progress: Any) -> None:
        try:
            while True:
                progress(0.1, "on and on")
        except background.Ended:
            ended.set()
            raise

    with pytest.raises(KeyboardInterrupt):
        background.follow(work, Bar(end=True))
    assert ended.wait(20)


def test_own_slices_are_described_and_can_be_learned_from() -> None:
    out = io.BytesIO()
    np.save(out, np.stack([np.roll(disc(), k, axis=1) for k in range(30)]))
    out.seek(0)
    recipe = Train(data=store.add(out, "my slices.npy"), size=64, slices=100, components=20)

    def script() -> None:
        import streamlit as st

        from app.instruments import tomography_learn as learn
        from app.instruments.tomography_controls import widgets
        from app.parts import session
        from gen_core.tomography.recipe import Reconstruct, Train

        asked = session.start("tomography", "tomography.reconstruct", Reconstruct, widgets)
        learn.training(asked if isinstance(asked, Train) else None)
        st.text(str(session.get("tomography", "learn")))

    at = app(script)
    for name, value in parse_qsl(recipe.query(), keep_blank_values=True):
        at.query_params[name] = value
    at.run()
    assert not at.exception
    assert "30 slices out of my slices.npy" in str([m.value for m in at.markdown])
    told = " ".join(c.value for c in at.caption)
    assert "blocks of neighbours" in told
    assert "These are few slices" in told
    assert any(button.label == "Train" for button in at.button)


def disc() -> np.ndarray:
    step = np.arange(64) - 31.5
    return np.where(np.hypot(step[:, None], step[None]) < 20, 40.0, -1000.0).astype(np.float32)


def test_no_choice_of_a_prior_without_own_ones_and_other_weights_where_the_size_changes() -> None:
    at = app(page)
    for name, value in parse_qsl(Reconstruct(weights={"gaussian": "0" * 64}).query(), keep_blank_values=True):
        at.query_params[name] = value
    at.run()
    assert not any(box.label == "Prior" for box in at.selectbox)
    assert json.loads(at.text[0].value)["weights"] == {"gaussian": "0" * 64}
    next(s for s in at.select_slider if "Size" in s.label).set_value(64)
    at.run()
    assert json.loads(at.text[0].value)["weights"] is None
