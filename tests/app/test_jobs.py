"""Who sees which job and which run, and how a time left is told."""

from __future__ import annotations

import pytest

from app.parts import jobs as panel
from gen_core import jobs, runs
from gen_core.cells.recipe import Perturb
from gen_core.result import Result
from tests.app.running import app


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "the time left is not known yet"),
        (0.2, "nearly done"),
        (12.4, "about 12 s left"),
        (89, "about 89 s left"),
        (91, "about 2 min left"),
        (5390, "about 90 min left"),
        (5400, "about 2 h left"),
    ],
)
def test_a_time_left_is_told_as_exactly_as_it_is_known(seconds: float | None, text: str) -> None:
    assert panel.in_words(seconds) == text


def test_a_curve_needs_two_points_and_leaves_out_what_was_not_measured() -> None:
    points = [{"done": 1.0, "train_loss": 3.0}, {"done": 2.0, "train_loss": 2.0, "valid_loss": 2.5}]
    assert panel.curve(points[:1], "Epoch", dark=False) is None
    drawn = panel.curve(points, "Epoch", dark=True)
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in drawn.data] == [("Training", [1, 2], [3, 2])]


def listing() -> None:
    from app.parts import jobs, session

    session.visit("runs")
    jobs.sidebar()
    import app.runs  # noqa: F401


@pytest.mark.parametrize("hosted", [False, True])
def test_on_a_server_one_sees_only_the_runs_of_ones_own_session(hosted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    id = runs.keep(Result(Perturb(dose=1.25), None, {}, {"r2": 0.5}), name="Not yours")
    if hosted:
        monkeypatch.setenv("LATENT_HOSTED", "1")
    else:
        monkeypatch.delenv("LATENT_HOSTED", raising=False)
    at = app(listing)
    sys.modules.pop("app.runs", None)
    # the page links to others, which a script on its own does not have
    monkeypatch.setattr("streamlit.page_link", lambda *args, **kwargs: None)
    at.run()
    assert not at.exception
    assert any("Not yours" in text.value for text in at.markdown) is not hosted
    sys.modules.pop("app.runs", None)
    at = app(listing)
    at.session_state["store/added"] = [id]
    at.run()
    assert any("Not yours" in text.value for text in at.markdown)
    runs.delete(id)


def test_only_who_started_a_job_or_has_its_file_may_end_it_on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.parts.people.may_see", lambda name: name == "mine")

    def job(id: str, recipe: Perturb) -> jobs.Job:
        return jobs.Job(id, recipe, recipe, "running", 1, 2, {}, "", None, 0.0, 0.0, None, None, None)

    assert panel._may_end(job("mine", Perturb()))
    assert not panel._may_end(job("another's", Perturb()))
    assert panel._may_end(job("another's", Perturb(data="sha256:" + "0" * 64)))
