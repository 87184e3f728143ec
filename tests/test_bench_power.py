"""The matrix of faults by promises: worked out side by side, told in order, and compared fairly with the stock tool."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.power import judging, stock
from bench.power.__main__ import main
from bench.power.crew import each
from bench.power.stock import Bounds
from bench.seeds import numbers
from mock_server.faulty import Fault
from mock_server.faulty.fault import before
from mock_server.faulty.wire import Call


def test_what_processes_give_comes_in_the_order_that_was_asked() -> None:
    assert list(each(round, [(number + 0.25, 1) for number in range(6)], 2)) == [
        round(number + 0.25, 1) for number in range(6)
    ]


def test_whoever_stops_listening_has_no_processes_left() -> None:
    given = each(time.sleep, [(0,), (600,), (600,)], 2)
    next(given)
    given.close()
    assert multiprocessing.active_children() == []


def test_a_fault_that_is_caught_is_told_as_caught(tmp_path: Path) -> None:
    file = tmp_path / "power.json"
    asked = ["--only", "created-is-200", "--meant", "--seeds", "1-2", "--workers", "1", "--json", str(file)]
    done = CliRunner().invoke(main, asked)
    assert done.exit_code == 0
    assert "1 of 1 caught by the promise meant for them, on every seed of 1, 2." in done.stdout
    assert json.loads(file.read_text())["faults"][0]["broken"] == {
        "1": ["answers_match_their_schema"],
        "2": ["answers_match_their_schema"],
    }


def test_a_fault_that_stumbles_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(call: Call) -> None:
        raise KeyError("no such field")

    fault = Fault("stumbles", "wispgate", "field", "credentials_matter", "It stumbles.", before(stumble))
    monkeypatch.setattr(judging, "catalogue", lambda: {"stumbles": fault})
    broken, stumbled = judging.judge("stumbles", 1, meant=True)
    assert (broken, stumbled) == (("credentials_matter",), ("the fault itself (seed 1): KeyError: 'no such field'",))


@pytest.mark.parametrize(("said", "meant"), [("3", [3]), ("1-3", [1, 2, 3]), ("1,4,7-8", [1, 4, 7, 8])])
def test_seeds_are_numbers_and_ranges(said: str, meant: list[int]) -> None:
    assert numbers(said) == meant


def test_what_is_no_seed_is_refused() -> None:
    done = CliRunner().invoke(main, ["--seeds", "1,two"])
    assert (done.exit_code, "'1,two' is no list of seeds" in done.output) == (2, True)


def test_the_stock_tool_is_counted_by_what_it_says_beyond_the_right_server() -> None:
    asked = ["--only", "success-is-text", "--meant", "--seeds", "1", "--workers", "1"]
    done = CliRunner().invoke(main, [*asked, "--stock", "--stock-examples", "1", "--stock-seconds", "60"])
    assert "The stock Schemathesis sees 1 of them (seed 1; 1 examples an operation, 60 s a run):" in done.stdout


def test_a_run_of_the_stock_tool_that_is_cut_for_time_counts_what_it_had_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = {"name": "not_a_server_error", "status": "failure", "failure_info": {"failure": {"operation": "GET /a"}}}
    event = {"ScenarioFinished": {"recorder": {"checks": {"x": [failed, {"name": "other", "status": "success"}]}}}}
    (tmp_path / "report.ndjson").write_text(json.dumps(event) + '\n{"ScenarioFini')

    def never_ends(*arguments: object, **options: object) -> None:
        raise stock.subprocess.TimeoutExpired("schemathesis", 1)

    monkeypatch.setattr(stock.subprocess, "run", never_ends)
    seen = stock._run({}, "http://127.0.0.1:9", "token", 1, Bounds(seconds=1), tmp_path)
    assert not seen.finished
    assert seen.complaints == {("not_a_server_error", "GET /a")}
