"""A browser's half of Streamlit's conversation, without the browser: open a page, move a widget, wait for what is drawn.

Only what the server does is measured: nothing is painted. Protocol: Streamlit's own protobuf messages over one websocket.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlparse

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

PICTURES = ("plotly_chart", "bidi_component", "imgs")
PATIENCE = 120.0  # seconds after which an answer counts as lost


@dataclass
class Answer:
    """What one press brought: seconds to the first changed picture, to the last one, and to the end of the run."""

    picture: float | None = None
    last: float | None = None
    done: float = 0.0
    pictures: int = 0
    errors: list[str] = field(default_factory=list)


@dataclass
class Client:
    """One session on one page; widgets are found by the end of their key."""

    url: str
    page: str
    query: str = ""
    widgets: dict[str, Delta] = field(default_factory=dict)
    states: dict[str, WidgetState] = field(default_factory=dict)
    known: dict[str, ForwardMsg] = field(default_factory=dict)
    shown: dict[tuple[int, ...], str] = field(default_factory=dict)  # what stands at each place of the page
    socket: Any = None

    async def open(self) -> Answer:
        """Connect and run the page once."""
        place = urlparse(self.url)
        self.socket = await websockets.connect(
            f"ws://{place.netloc}/_stcore/stream", subprotocols=["streamlit"], max_size=None, open_timeout=PATIENCE
        )
        return await self._run(BackMsg())

    async def close(self) -> None:
        """Leave; the server forgets the session a while later."""
        await self.socket.close()

    async def move(self, key: str, value: Any, patience: float = PATIENCE) -> Answer:
        """Set the widget whose key ends so, as a user's hand would. After `patience` seconds the answer is what came until then,
        and nothing more can be asked in this session."""
        found = next(id for id in self.widgets if id.endswith(key))
        kind = self.widgets[found].new_element.WhichOneof("type")
        state = WidgetState(id=found)
        if kind == "slider":
            state.double_array_value.data.append(value)
        elif kind == "number_input":
            state.double_value = value
        elif kind == "bidi_component":
            state.json_value = json.dumps(value)
        else:
            raise ValueError(f"{key} is a {kind}")
        self.states[found] = state
        ask = BackMsg()
        ask.rerun_script.fragment_id = self.widgets[found].fragment_id
        return await self._run(ask, patience)

    async def _run(self, ask: BackMsg, patience: float = PATIENCE) -> Answer:
        ask.rerun_script.query_string = self.query
        ask.rerun_script.page_name = self.page
        ask.rerun_script.widget_states.widgets.extend(self.states.values())
        ask.rerun_script.cached_message_hashes.extend(self.known)
        began, answer = time.monotonic(), Answer()
        await self.socket.send(ask.SerializeToString())
        while True:
            message = ForwardMsg()
            try:
                message.ParseFromString(await asyncio.wait_for(self.socket.recv(), began + patience - time.monotonic()))
            except TimeoutError:
                answer.done = patience
                return answer
            now = time.monotonic() - began
            kind = message.WhichOneof("type")
            if kind == "ref_hash":
                message = self.known[message.ref_hash]
                kind = message.WhichOneof("type")
            elif message.metadata.cacheable:
                self.known[message.hash] = message
            if kind == "delta":
                self._drawn(message, answer, now)
            elif kind == "page_info_changed":
                self.query = message.page_info_changed.query_string
            elif kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                answer.done = now
                return answer

    def _drawn(self, message: ForwardMsg, answer: Answer, now: float) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind is None:
            return
        part = getattr(element, kind)
        if kind == "exception":
            answer.errors.append(element.exception.message)
        if getattr(part, "id", ""):
            self.widgets[part.id] = message.delta
        where = tuple(message.metadata.delta_path)
        changed = self.shown.get(where) != message.hash
        self.shown[where] = message.hash
        if changed and kind in PICTURES:
            answer.picture = now if answer.picture is None else answer.picture
            answer.last, answer.pictures = now, answer.pictures + 1
