"""Mutated files, 300 a reader, are read or refused with a sentence; `make fuzz` tries 20,000. And faults are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz import campaign
from tests.fuzz.broken import BROKEN
from tests.fuzz.campaign import Tally
from tests.fuzz.mutate import mutated
from tests.fuzz.readers import READERS
from tests.fuzz.samples import SAMPLES

COUNT = 300


@pytest.mark.parametrize("name", READERS)
def test_mutated_files_are_read_or_refused(name: str) -> None:
    tally = Tally()
    campaign.run(name, 0, COUNT, tally)
    assert not tally.findings, tally.findings[:3]
    assert tally.tried == tally.read + tally.refused == COUNT
    assert tally.read > 0
    assert tally.refused > 0 or name == "kind of file"  # whatever it is, it is of some kind


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_found(name: str) -> None:
    tally = Tally()
    campaign.run(name, 0, 2, tally, hang=2 if name == "a hang" else campaign.HANG)
    assert [finding["case"] for finding in tally.findings] == [0, 1]
    assert all(BROKEN[name][1] in str(finding["why"]) for finding in tally.findings)


@pytest.mark.parametrize("name", ["zip of pictures", "hits", "recipe and link"])
def test_the_same_number_is_the_same_file(name: str) -> None:
    first, second = SAMPLES[name](), SAMPLES[name]()
    assert first == second
    contents = list(first.values())
    for case in range(40):
        content = contents[case % len(contents)]
        assert mutated(content, f"{name} {case}", contents) == mutated(content, f"{name} {case}", contents)
    changed = [mutated(contents[0], str(case), contents) != contents[0] for case in range(40)]
    assert sum(changed) > 30


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "BATCH", 50)
    for count, told in ((20, 20), (50, 50), (50, 50)):
        assert campaign.main(["gene sets", "--count", str(count), "--results", str(tmp_path)]) == 0
        assert campaign._state(tmp_path, [])["gene sets"].tried == told
    once = Tally()
    campaign.run("gene sets", 0, 50, once)
    kept = campaign._state(tmp_path, [])["gene sets"]
    assert (once.read, once.refused) == (kept.read, kept.refused)
