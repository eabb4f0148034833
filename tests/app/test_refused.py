"""What the disk or a person's share refuses is one sentence on the page, and the page goes on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.parts import people
from gen_core import jobs, owner, runs, store
from gen_core.cells.recipe import Perturb
from gen_core.errors import OutputError
from gen_core.result import Result
from tests.app.running import app


def listing() -> None:
    from app.parts import session

    session.visit("runs")
    import app.runs  # noqa: F401


def full(*args: object) -> None:
    raise OutputError("The disk is full: nothing was written to 'the name'. Free some space and try again.")


@pytest.mark.parametrize("act", ["delete", "rename"])
def test_a_run_that_cannot_be_changed_says_why(act: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    monkeypatch.setattr("streamlit.page_link", lambda *args, **kwargs: None)  # a script on its own has no other pages
    monkeypatch.setattr(runs, act, full)
    id = runs.keep(Result(Perturb(dose=1.25), None, {}), name="Here")
    sys.modules.pop("app.runs", None)
    at = app(listing).run()
    sys.modules.pop("app.runs", None)
    if act == "delete":
        at.button(key=f"runs/delete/{id}").click().run()
    else:
        (box,) = [box for box in at.text_input if str(box.key).startswith("runs/rename/")]
        box.input("Another name").run()
    sys.modules.pop("app.runs", None)
    assert not at.exception
    assert [error.value.replace("\\", "") for error in at.error] == [str(catch(full))]
    assert any("Here" in text.value for text in at.markdown)
    assert not at.run().error  # said once


def catch(act: object) -> OutputError:
    try:
        act()  # type: ignore[operator]
    except OutputError as error:
        return error
    raise AssertionError


def training() -> None:
    from app.parts import jobs
    from gen_core.cells.recipe import Perturb

    jobs.panel("cells", Perturb(seed=3), steps="tests.job_steps:count")


def test_a_share_that_is_used_up_is_said_in_the_panel_of_long_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    monkeypatch.setenv("LATENT_USER_JOBS", "0")
    at = app(training).run()
    at.button(key="cells/job/start").click().run()
    assert not at.exception
    assert [error.value.replace("\\", "") for error in at.error] == [
        "You may have 0 jobs at a time here: wait until one of them ends, or cancel one."
    ]
    assert jobs.listed() == []


def who() -> None:
    import streamlit as st

    from app.parts import people
    from gen_core import owner

    st.text(f"{people.must_sign_in()} {owner.current()} {people.may_see('a')}")


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ({}, False),
        ({"is_logged_in": False, "iss": "i", "sub": "s"}, False),
        ({"is_logged_in": True}, False),
        ({"is_logged_in": True, "iss": "i"}, False),
        ({"is_logged_in": True, "iss": "", "sub": "s"}, False),
        ({"is_logged_in": True, "iss": "i", "sub": "s"}, True),
    ],
)
def test_only_who_a_provider_names_is_somebody(said: dict[str, object], known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATENT_SIGN_IN", "1")
    monkeypatch.setenv("LATENT_HOSTED", "1")

    class Context:
        user_info = said

    monkeypatch.setattr(people, "get_script_run_ctx", lambda **options: Context() if options else get_script_run_ctx())
    at = app(who).run()
    assert at.text[0].value == (f"False {owner.named('i', 's')} True" if known else "True None False")


def test_a_stored_file_that_cannot_be_deleted_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LATENT_HOME", str(tmp_path))
    (tmp_path / "notes.txt").write_text("mine")
    digest = store.add(tmp_path / "notes.txt")

    def refuse(path: Path, missing_ok: bool = False) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputError, match="permission denied"):
        store.delete(digest)
