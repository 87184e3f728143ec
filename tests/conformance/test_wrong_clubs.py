"""Each server that goes wrong in time is caught by the promise meant for it; the right one breaks none, on any seed."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import club_server
import httpx
import pytest
from club import DOCUMENT, club
from rich.console import Console

from conformance import lifecycle
from conformance.check import check
from conformance.control import Endpoint, received
from conformance.finding import NotTested
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.report import BREAKS
from conformance.run import Outcome, Run, rehearse
from conformance.settings import Settings
from conformance.target import BadTarget, serve
from mock_server import create_app

CAUGHT_BY = {
    "trial-never-ends": "time_moves_states",
    "trial-ends-early": "time_moves_states",
    "trial-ends-late": "time_moves_states",
    "trial-ends-membership": "time_moves_states",
    "clock-goes-back": "time_moves_states",
    "renewal-drifts": "renewals_do_not_drift",
    "renewal-skipped": "renewals_do_not_drift",
    "renewal-twice-in-one-leap": "renewals_do_not_drift",
    "leap-renews-once": "renewals_do_not_drift",
    "leap-forgets-bills": "renewals_do_not_drift",
    "cancelled-revives": "cancelled_stays_cancelled",
    "illegal-transition-accepted": "transitions_are_legal",
    "illegal-transition-half-done": "transitions_are_legal",
    "illegal-transition-leaves-bill": "transitions_are_legal",
    "illegal-transition-wrong-status": "transitions_are_legal",
    "cancel-does-nothing": "transitions_are_legal",
    "event-missing": "one_event_for_each_change",
    "event-twice": "one_event_for_each_change",
    "event-on-refusal": "one_event_for_each_change",
    "event-on-read": "one_event_for_each_change",
    "event-unheard-of": "one_event_for_each_change",
    "event-of-another": "one_event_for_each_change",
    "event-with-old-state": "events_say_what_is",
    "event-body-wrong": "events_say_what_is",
    "signature-wrong": "events_say_what_is",
    "signature-of-other-bytes": "events_say_what_is",
    "secret-missing": "events_say_what_is",
    "sum-off-by-one-cent": "sums_add_up",
    "sum-in-floats": "sums_add_up",
    "stamp-in-local-time": "stamps_tell_the_time",
}
IN_TIME = tuple(promise for promise in all_promises() if promise.name in CAUGHT_BY.values())
SETTINGS = Settings(str(DOCUMENT), "", control="/control")


@contextmanager
def a_run(fault: str | None, seed: int = 1, **changes: str) -> Iterator[Run]:
    with serve(club_server.create_app(fault)) as url:
        yield Run.begin(replace(SETTINGS, target=url, seed=seed, **changes))  # type: ignore[arg-type]


def outcomes(fault: str | None, name: str) -> list[Outcome]:
    with a_run(fault) as run:
        preflight(run)
        rehearse(run, tuple(promise for promise in IN_TIME if promise.name == name))
        return run.outcomes


@pytest.mark.parametrize("fault", club_server.FAULTS)
def test_each_wrong_server_is_caught_by_the_promise_meant_for_it(fault: str) -> None:
    broken = [outcome for outcome in outcomes(fault, CAUGHT_BY[fault]) if outcome.status == "broken"]
    assert broken
    for finding in (finding for outcome in broken for finding in outcome.findings):
        assert finding.place.rpartition(":")[2].isdigit()
        assert "club.yaml" in finding.place
        assert finding.requests
        assert all(line.startswith("curl -X ") for line in finding.requests)
        assert "club-one" not in str(finding)
        assert "--mockingbill-control /control" in finding.replay


def test_every_fault_is_in_the_table() -> None:
    assert set(CAUGHT_BY) == set(club_server.FAULTS)


@pytest.mark.parametrize("fault", [None, "renewal-drifts", "cancelled-revives", "event-unheard-of", "sum-in-floats"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_fault_breaks_no_other_promise_in_time(fault: str | None, seed: int) -> None:
    with a_run(fault, seed) as run:
        rehearse(run, IN_TIME)
    due = {CAUGHT_BY[fault]} if fault else set()
    due |= {"events_say_what_is"} if fault == "event-unheard-of" else set()
    assert {finding.promise for finding in run.findings()} == due
    assert run.doubts == []


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_right_server_breaks_no_promise(seed: int) -> None:
    with a_run(None, seed) as run:
        preflight(run)
        rehearse(run, all_promises())
    not_kept = [(o.promise, o.subject) for o in run.outcomes if o.status != "kept"]
    assert not_kept == [("list_holds_each_once", "listBills")], "nobody makes a bill by hand"
    assert run.unreached() == []
    assert run.doubts == []


@pytest.mark.parametrize("seed", range(1, 4))
def test_our_engine_breaks_no_promise(seed: int) -> None:
    with serve(create_app(extra=[club()])) as url:
        run = Run.begin(replace(SETTINGS, target=f"{url}/club", seed=seed, world=f"club-{seed}", control=""))
        rehearse(run, all_promises())
    not_kept = [(o.promise, o.subject) for o in run.outcomes if o.status != "kept"]
    assert not_kept == [("list_holds_each_once", "listBills")]
    assert run.doubts == []


def test_without_a_clock_and_a_sink_what_needs_them_is_not_tested() -> None:
    with a_run(None, control="") as run:
        rehearse(run, IN_TIME)
    told = {(outcome.promise, outcome.status) for outcome in run.outcomes}
    assert told == {
        ("cancelled_stays_cancelled", "not tested"),
        ("events_say_what_is", "not tested"),
        ("one_event_for_each_change", "not tested"),
        ("renewals_do_not_drift", "not tested"),
        ("stamps_tell_the_time", "not tested"),
        ("sums_add_up", "kept"),
        ("time_moves_states", "not tested"),
        ("transitions_are_legal", "kept"),
    }
    reasons = {outcome.reason for outcome in run.outcomes if outcome.status == "not tested"}
    assert reasons == {"the target has no control address: no clock to move, no sink for its webhooks"}
    assert run.doubts == []


def test_a_control_address_that_answers_otherwise_is_no_clock() -> None:
    with a_run(None, control="/memberships") as run:
        rehearse(run, IN_TIME)
    reasons = {outcome.reason[:40] for outcome in run.outcomes if outcome.status == "not tested"}
    assert reasons == {"the target has no clock that can be move", "the target has no sink for its webhooks:"}
    assert run.findings() == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {"received": 7},
        {"received": ["x"]},
        {"received": [{"endpoint": "e0"}]},
        {"received": [{"endpoint": "e0", "delivery": 1, "event": "x", "headers": [], "body": ""}]},
        {"received": [{"endpoint": "e0", "delivery": 1, "event": "x", "headers": {}, "body": 7}]},
    ],
)
def test_a_sink_that_makes_no_sense_is_no_sink(body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_run(None) as run, run.client("promises") as client:
        monkeypatch.setattr(client.link, "ask", lambda *call: httpx.Response(200, json=body))
        with pytest.raises(NotTested, match="the sink cannot be read: 200"):
            received(client, Endpoint("e0", ""), lambda got: True)


def test_the_worlds_of_a_run_are_given_back() -> None:
    app = create_app(extra=[club()])
    with serve(app) as url:
        run = Run.begin(replace(SETTINGS, target=f"{url}/club", world="lent", control=""))
        rehearse(run, IN_TIME)
        worlds = httpx.get(f"{url}/_mock/health", trust_env=False).json()["worlds"]
    assert [world for world in worlds if world.startswith("lent-promises-")] == []


def lived(fault: str | None, seed: int) -> Outcome:
    with a_run(fault, seed) as run:
        return lifecycle.execute(run, "Membership")


@pytest.mark.parametrize("seed", range(1, 4))
def test_random_lives_in_time_find_nothing_on_the_right_server(seed: int) -> None:
    assert lived(None, seed).status == "kept"


@pytest.mark.parametrize("fault", ["trial-never-ends", "trial-ends-membership"])
def test_random_lives_in_time_catch_what_time_does_wrong(fault: str) -> None:
    outcome = lived(fault, 1)
    assert outcome.status == "broken"
    assert any("/control/clock" in line for line in outcome.findings[0].requests)


@pytest.mark.parametrize("told", ["option", "target file"])
def test_the_control_address_is_an_option_of_check_or_stands_in_the_target_file(told: str, tmp_path: Path) -> None:
    where: dict[str, Any] = {"control": "/control"}
    if told == "target file":
        where = {"target_file": tmp_path / "target.yaml"}
        content = "{token: club-one, tenant: one, control: /control, second: {token: club-two, tenant: two}}"
        where["target_file"].write_text(content)
    with serve(club_server.create_app("trial-never-ends")) as url:
        stream = io.StringIO()
        code = check([str(DOCUMENT)], url, "smoke", console=Console(file=stream, width=300), **where)
    assert code == BREAKS, stream.getvalue()
    assert "broken  club time_moves_states Membership trial-end" in stream.getvalue()


def test_a_control_address_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("{token: club-one, control: 7}")
    with pytest.raises(BadTarget, match="control is a URL"):
        Run.begin(replace(SETTINGS, target="http://127.0.0.1:9", target_file=tmp_path / "target.yaml"))
