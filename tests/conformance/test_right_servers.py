"""The suite's precision: nothing is said against right servers, however they are written. `make precision` does it at length."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import httpx
import pytest
from right import CLUB, flask_acme, plain_acme, plain_club
from right.catalogue import RIGHT

from bench.precision.judging import Judged, judge
from conformance import control
from conformance.client import Client
from conformance.promise import all_promises
from conformance.run import Run, rehearse
from conformance.settings import Settings

MOVING = ("created_stamp_never_moves", "time_moves_states")
SILENT: tuple[tuple[str, ...], ...] = ((), (), ())


def said(judged: Judged) -> tuple[tuple[str, ...], ...]:
    return judged.findings, judged.doubts, judged.unexpected


@pytest.mark.parametrize(
    ("name", "seed"),
    [
        ("flask acme", 11),
        ("flask acme", 12),
        ("http.server acme", 11),
        ("http.server acme", 12),
        ("http.server club", 11),
    ],
)
def test_no_promise_is_found_broken(name: str, seed: int) -> None:
    """The Starlette ones stand beside the wrong ones that they are made of."""
    judged = judge(RIGHT[name], seed, "smoke", ["promises"])
    assert said(judged) == SILENT
    assert judged.calls["promises"] > 200


@pytest.mark.parametrize("name", ["flask acme", "http.server acme", "http.server club"])
@pytest.mark.parametrize("layer", ["lifecycle", "responses"])
def test_the_other_layers_find_nothing(name: str, layer: str) -> None:
    judged = judge(RIGHT[name], 14, "smoke", [layer])
    assert said(judged) == SILENT
    assert judged.calls[layer] > 80


def test_they_differ_where_the_document_leaves_them_free() -> None:
    """What makes them worth having: no two agree on these, and none of it is stated."""
    seen = []
    for module in (flask_acme, plain_acme):
        with module.serve() as url:
            calls = {"headers": {"Authorization": "Bearer acme-sandbox-001"}, "trust_env": False}
            body = {"name": "Zoë", "currency": "EUR"}
            made = httpx.post(f"{url}/customers", json=body, **calls)  # type: ignore[arg-type]
            head = httpx.head(f"{url}/customers", **calls)  # type: ignore[arg-type]
            seen.append(_manners(made) | {"HEAD": head.status_code})
    assert [name for name in seen[0] if seen[0][name] == seen[1][name]] == []


def _manners(answer: httpx.Response) -> dict[str, Any]:
    record = answer.json()
    return {
        "version": answer.http_version,
        "media": answer.headers["content-type"],
        "framing": answer.headers.get("transfer-encoding"),
        "alphabet": "Zoë" in answer.text,
        "key": record["id"].isdecimal(),
        "stamp": record["created_at"].endswith("Z"),
        "defaults": sorted(record),
    }


@pytest.mark.parametrize("name", ["starlette club", "http.server club"])
@pytest.mark.parametrize("frozen", [True, False])
def test_a_clock_is_left_as_it_was(name: str, frozen: bool) -> None:
    moment = "2031-05-05T10:11:12Z"
    with RIGHT[name].serve() as url:
        httpx.post(f"{url}/control/clock", json={"freeze": moment}, trust_env=False)
        if not frozen:
            httpx.post(f"{url}/control/clock", json={"resume": True}, trust_env=False)
        run = Run.begin(Settings(CLUB, url, "smoke", control="/control"))
        rehearse(run, tuple(promise for promise in all_promises() if promise.name in MOVING))
        clock = httpx.get(f"{url}/control/clock", trust_env=False).json()
    assert [outcome.status for outcome in run.outcomes if outcome.status != "kept"] == []
    assert clock["frozen"] is frozen
    if frozen and name == "starlette club":
        assert clock["now"] == moment, "this one may be set back"


def test_the_club_that_may_not_be_set_back_says_so() -> None:
    with plain_club.serve() as url:
        httpx.post(f"{url}/control/clock", json={"freeze": "2031-01-01T00:00:00Z"}, trust_env=False)
        back = httpx.post(f"{url}/control/clock", json={"freeze": "2030-01-01T00:00:00Z"}, trust_env=False)
    assert back.status_code == 409


def test_a_clock_that_is_past_the_moment_already_is_stopped_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine more than a second lies between the question and the call."""
    with plain_club.serve() as url:
        run = Run.begin(Settings(CLUB, url, "smoke", control="/control"))
        with run.client("promises") as client:
            moved, delays = control._move, [1.5]

            def late(client: Client, body: Any) -> datetime:
                time.sleep(delays.pop() if delays else 0)
                return moved(client, body)

            monkeypatch.setattr(control, "_move", late)
            with control.standing(client) as moment:
                assert moment.microsecond == 0
    assert not delays
