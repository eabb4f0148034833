"""Errors, evidence and the data picker, as a page uses them."""

from __future__ import annotations

import io
import logging
import math
import urllib.error

import pytest
from streamlit.testing.v1 import AppTest

from app.parts import evidence, guard
from gen_core import datasets, store
from gen_core.errors import InputError, MissingContent
from tests.app.running import app


def failing() -> None:
    import streamlit as st

    from app.parts import guard

    with guard.guard():
        raise st.session_state["error"]
    st.text("went on")


def shown(error: Exception) -> AppTest:
    at = app(failing)
    at.session_state["error"] = error
    return at.run()


def test_a_users_error_is_its_sentence_and_the_page_goes_on() -> None:
    at = shown(InputError("There is no column *dose_[x]*."))
    assert at.error[0].value == r"There is no column \*dose\_\[x\]\*."
    assert at.text[0].value == "went on"


def test_any_other_error_is_a_reference_and_the_log_has_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "latent_sandbox"):
        at = shown(ZeroDivisionError("the inside"))
    assert "the inside" not in at.error[0].value
    reference = at.error[0].value.split("**")[1]
    assert f"Error {reference}" in caplog.text
    assert "ZeroDivisionError: the inside" in caplog.text


def test_stop_and_rerun_pass_through() -> None:
    def script() -> None:
        import streamlit as st

        from app.parts import guard

        with guard.guard():
            if not st.session_state.get("again"):
                st.session_state["again"] = True
                st.rerun()
            st.stop()
        st.text("never")

    at = app(script).run()
    assert at.session_state["again"]
    assert not at.error
    assert not at.text


def test_missing_content_asks_for_exactly_this_file() -> None:
    wanted = store.add(io.BytesIO(b"the very file"), "a.h5ad")
    store.delete(wanted)
    at = shown(MissingContent(wanted))
    before = store.recent()
    at.file_uploader[0].upload("b.h5ad", b"another file", "").run()
    assert "another file" in at.error[0].value
    assert store.recent() == before
    at.file_uploader[0].upload("renamed.h5ad", b"the very file", "").run()
    assert store.find(wanted).read_bytes() == b"the very file"
    store.delete(wanted)


def test_what_a_file_is_called_cannot_become_markup() -> None:
    apart = "\N{WORD JOINER}"
    assert guard.plain("[a](http://b) :red[c] $d$ <e>") == rf"\[a\](http\:{apart}//b) \:red\[c\] \$d\$ \<e\>"
    assert guard.plain("www.a.b c@d.e @f 1:2") == rf"www{apart}.a.b c@{apart}d.e @f 1\:2"  # these would be links, too
    assert [guard.plain(text) for text in ("1. A", "2) B", "- C", "-0.5 to 1.2")] == [r"1\. A", r"2\) B", r"\- C", "-0.5 to 1.2"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (-1.5, "−1.500"), (None, "–"), (math.nan, "–"), (True, "–"), ("x", "–"), (2, "2.000")]
)
def test_numbers_are_written_for_reading(value: object, text: str) -> None:
    assert evidence.number(value) == text


def table() -> None:
    from app.parts import evidence
    from gen_core.result import Notice

    scores = [evidence.Score("r", "r"), evidence.Score("e", "Error", "low", digits=2)]
    scores.append(evidence.Score("m", "Misfit", "one", digits=1))
    rows = {
        "mine_*": {"r": 0.9001, "e": 0.5, "m": 1.1},
        "plain": {"r": 0.9004, "e": None, "m": 0.7},
        "ceiling": {"r": 0.99, "e": 0.1, "m": 1.0},
    }
    evidence.score_table(scores, rows, {"mine_*": {"r": (0.8, 0.95)}}, highlight="mine_*", reference=["ceiling"])
    evidence.notices([Notice("synthetic_data", "calm"), Notice("adds_nothing", "serious")])


def test_the_best_is_bold_equal_values_are_equally_good_and_a_ceiling_never_wins() -> None:
    at = app(table).run()
    found = at.table[0].value
    assert found["r\u00a0↑"].tolist() == ["**0.900** (0.800 to 0.950)", "**0.900**", "0.990"]
    assert found["Error\u00a0↓"].tolist() == ["**0.50**", "–", "0.10"]
    assert found["Misfit"].tolist() == ["**1.1**", "0.7", "1.0"]  # the nearest to 1, not the least
    assert found["Method"].tolist()[0].startswith(r"**mine\_\***")
    assert [e.value for e in at.error] == ["serious"]
    assert any("calm" in c.value for c in at.caption)


def picker() -> None:
    import streamlit as st

    from app.parts import session, upload
    from gen_core.cells.recipe import Perturb

    session.start("cells", "cells.perturb", Perturb)
    recipe = session.current("cells")
    name = upload.data_picker("cells", "cells", recipe.data, on_change=lambda: session.put("cells", "changed", "reset"))
    session.write_link(recipe.replace(data=name))
    st.text(f"{name} {session.get('cells', 'changed')}")


@pytest.fixture
def empty_store() -> None:
    for entry in store.recent(1000):
        store.delete(entry.digest)


@pytest.mark.usefixtures("empty_store")
class TestDataPicker:
    def test_an_upload_is_stored_chosen_and_resets_the_page(self) -> None:
        at = app(picker).run()
        assert at.text[0].value == "simulated None"
        first = at.file_uploader[0].key
        at.file_uploader[0].upload("mine.h5ad", b"cells of mine", "").run()
        (entry,) = store.recent()
        assert at.text[0].value == f"{entry.digest} reset"
        assert any("mine.h5ad" in option for option in at.selectbox[0].options)
        assert at.file_uploader[0].key != first  # a new, empty one: the old one's memory is freed
        assert at.file_uploader[0].value is None
        assert any("Your data stays on this machine." in caption.value for caption in at.caption)
        at.selectbox[0].set_value("pbmc68k_reduced").run()
        assert at.text[0].value == "pbmc68k_reduced reset"
        next(b for b in at.button if "delete" in str(b.key)).click().run()
        assert store.recent() == []

    def test_the_memory_of_an_upload_is_given_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

        gone: list[str] = []
        monkeypatch.setattr(MemoryUploadedFileManager, "remove_file", lambda _, session_id, file_id: gone.append(file_id))
        at = app(picker).run()
        at.file_uploader[0].upload("mine.h5ad", b"cells of mine", "").run()
        assert len(gone) == 1

    def test_a_path_is_taken_on_this_machine_only(self, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "big.h5ad").write_bytes(b"big cells")
        at = app(picker).run()
        at.text_input[0].set_value(str(tmp_path / "none.h5ad")).run()
        assert at.error[0].value.startswith("There is no file")
        at.text_input[0].set_value(f'"{tmp_path / "big.h5ad"}"').run()
        assert at.text[0].value.startswith(store.recent()[0].digest)
        assert not at.error
        monkeypatch.setenv("LATENT_HOSTED", "1")
        other = app(picker).run()
        assert not other.text_input
        assert not any("big.h5ad" in option for option in other.selectbox[0].options)

    def test_a_file_that_is_gone_stays_named_by_its_digest(self) -> None:
        at = app(picker)
        at.query_params["data"] = "sha256:" + "ab" * 32
        at.run()
        assert at.text[0].value.startswith("sha256:abab")
        assert any("not on this machine" in option for option in at.selectbox[0].options)

    def test_public_data_without_a_network_is_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def offline(*_: object, **__: object) -> None:
            raise urllib.error.URLError("no route")

        monkeypatch.setattr("urllib.request.urlopen", offline)
        at = app(picker).run()
        next(b for b in at.button if "fetch" in str(b.key)).click().run()
        assert "there is no network" in at.error[0].value
        assert at.text[0].value == "simulated None"

    def test_fetched_public_data_is_chosen_by_its_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(datasets, "fetch", lambda *_, **__: "sha256:…")
        at = app(picker).run()
        next(b for b in at.button if "fetch" in str(b.key)).click().run()
        assert at.text[0].value == "kang2018 reset"
