"""What is written about other people's mocks: by the program that judges them, of the versions it installs, of every promise."""

from __future__ import annotations

import re

from bench.outsiders import INTRODUCTION, OUTSIDERS, PAGE, page
from bench.peers import MOCKOON, PRISM
from conformance.promise import all_promises
from mock_server.contract import vendors

TEXT = PAGE.read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| ([\w ]+) \|$", TEXT, flags=re.MULTILINE)
REMEMBERED = {"deleted_is_gone", "filters_match_exactly", "pages_partition", "retry_replays", "tenants_never_meet"}


def test_the_page_is_the_programs_and_tells_day_and_versions() -> None:
    assert TEXT.startswith(INTRODUCTION)
    assert re.search(rf"^\d{{4}}-\d\d-\d\d: Prism {PRISM}, Mockoon {MOCKOON}, Node.js v", TEXT, flags=re.MULTILINE)
    assert re.findall(r"^## (\w+)$", TEXT, flags=re.MULTILINE) == list(vendors())


def test_every_promise_has_its_line() -> None:
    assert {name for name, *_ in ROWS} - {"lifecycle", "responses", "fuzzing"} == {p.name for p in all_promises()}


def test_no_server_without_memory_keeps_what_needs_one() -> None:
    assert {state for name, *states in ROWS if name in REMEMBERED for state in states} == {"broken"}


def test_both_answer_every_named_example() -> None:
    assert {state for name, *states in ROWS if name == "examples_are_answered" for state in states} == {"kept"}


def test_a_table_counts_what_it_shows() -> None:
    entries = {
        name: {"promises": {"a": {"state": state}, "b": {"state": "kept"}}}
        for name, state in zip(OUTSIDERS, ("kept", "broken"), strict=True)
    }
    text = page({"acme": entries}, 1)
    assert "| `a` | kept | broken |" in text
    assert "| **kept** | 2 | 1 |" in text
    assert "| **broken** | 0 | 1 |" in text
