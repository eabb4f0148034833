"""A timer's run does not speak for the user, whatever came before or comes after it."""

from __future__ import annotations

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from app.parts import timers


def states(value: str) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id="data", string_value=value)])


TIMER = RerunData(fragment_id="lines", widget_states=states("old"), is_auto_rerun=True)
PRESS = RerunData(fragment_id="page", widget_states=states("new"))
GO_ON = RerunData(fragment_id_queue=["page"], is_fragment_scoped_rerun=True)  # st.rerun(scope="fragment")


@pytest.mark.parametrize(
    ("asked", "held"),
    [([TIMER], None), ([TIMER, GO_ON], None), ([TIMER, PRESS], "new"), ([PRESS, TIMER], "new"), ([PRESS, TIMER, GO_ON], "new")],
)
def test_a_timer_brings_no_values(asked: list[RerunData], held: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScriptRequests, "request_rerun", ScriptRequests.request_rerun)  # put back afterwards
    timers.quiet()
    timers.quiet()
    requests = ScriptRequests()
    for one in asked:
        assert requests.request_rerun(one)
    found = requests.on_scriptrunner_ready().rerun_data
    assert set(found.fragment_id_queue) == {one.fragment_id or one.fragment_id_queue[0] for one in asked}
    assert (found.widget_states and found.widget_states.widgets[0].string_value) == held
