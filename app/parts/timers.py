"""What runs by itself (the lines of jobs in the sidebar, a job's panel) says nothing of the widgets.

With every run that a timer asks for, the browser sends what it believes its widgets to hold. While the server is busy, that
is older than what a callback has set in the meantime, and Streamlit takes it for a move of the user: an upload, a preset or
an Undo was undone whenever a timer ran out before its result had reached the browser. The user's own moves are sent as they
are made, so a timer has nothing to add to them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

_asked: Any = ScriptRequests.request_rerun


def quiet() -> None:
    """From now on, for all sessions of this server; a second call changes nothing."""
    ScriptRequests.request_rerun = _request_rerun  # type: ignore[method-assign]


def _request_rerun(self: ScriptRequests, new_data: RerunData) -> bool:
    return bool(_asked(self, replace(new_data, widget_states=None) if new_data.is_auto_rerun else new_data))
