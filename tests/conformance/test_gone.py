"""A target that goes away half-way: exit 2, soon, with what was found until then in every layer and in every report."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import acme_server
import httpx
import pytest
from acme import DOCUMENT
from limited_servers import behind, mortal
from rich.console import Console
from starlette.requests import Request
from starlette.responses import Response

from conformance import lifecycle, responses
from conformance.aftermath import Aftermath
from conformance.check import check
from conformance.finding import Unreachable
from conformance.limits import Limits
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.report import UNTOLD
from conformance.result import Result
from conformance.run import Run, rehearse
from conformance.sending import Sending
from conformance.settings import Settings
from conformance.target import serve

PROMISES = {promise.name: promise for promise in all_promises()}
WAYS = ("refused", "silent", "503")


def lived_through(layer: str, how: str, calls: int, fault: str | None = None) -> tuple[Run, float]:
    """A run of one layer at a server that goes away in it, and how long it took from its first call."""
    with mortal(how, calls, acme_server.create_app(fault)) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke", limits=Limits(timeout=1)))
        run.scope.__dict__["operations"] = tuple(o for o in run.scope.operations if o.action.verb not in ("filter",))
        began = time.monotonic()
        with pytest.raises(Unreachable, match="stopped answering"):
            live_through(layer, run)
        return run, time.monotonic() - began


def live_through(layer: Any, run: Run) -> None:
    if layer == "promises":
        rehearse(run, tuple(PROMISES.values()))
    elif layer == "lifecycle":
        lifecycle.execute(run, "Customer")
    else:
        responses.execute(run, layer)


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize(("layer", "calls"), [("promises", 30), ("lifecycle", 40), ("responses", 60), ("fuzzing", 50)])
def test_each_layer_ends_soon_and_asks_no_more(layer: str, calls: int, how: str) -> None:
    run, seconds = lived_through(layer, how, calls)
    assert seconds < 12
    assert run.sending.calls < calls + 40, "thirty calls may have been under way at once"
    asked = run.sending.calls
    with pytest.raises(Unreachable):
        preflight(run)
    assert run.sending.calls == asked
    assert [outcome.reason for outcome in run.outcomes if outcome.status == "broken"] == []


@pytest.mark.parametrize(
    ("layer", "calls", "fault"),
    [
        ("promises", 90, "missing-field"),
        ("lifecycle", 60, "stale-read"),
        ("responses", 60, "missing-field"),
        ("fuzzing", 40, "missing-field"),
    ],
)
def test_what_was_found_until_then_is_kept(layer: str, calls: int, fault: str) -> None:
    run, _ = lived_through(layer, "503", calls, fault)
    assert {outcome.layer for outcome in run.outcomes if outcome.findings} == {layer}


def test_a_run_that_ends_early_is_exit_2_with_its_findings_in_every_report(tmp_path: Path) -> None:
    stream = io.StringIO()
    known = tmp_path / "known.yaml"
    known.write_text(
        "- {vendor: acme, promise: unique_is_refused, subject: createCustomer external_id, reason: old, expires: 2099-01-01}\n"
    )
    formats = ("json", "junit", "jsonl", "html", "har", "markdown", "badge")
    aftermath = Aftermath(tmp_path / "reports", formats, known, reproducers=tmp_path / "again")
    with mortal("503", 700, acme_server.create_app("missing-field")) as url:
        console = Console(file=stream, width=200, highlight=False)
        code = check((DOCUMENT,), url, "smoke", console=console, aftermath=aftermath)
    said = stream.getvalue()
    assert code == UNTOLD
    assert "exit 2: could not tell" in said.splitlines()
    assert "stopped answering: 503" in said
    assert "broken  acme" in said
    assert "stale" not in said, "what was not put to the test may still occur"
    told = json.loads((tmp_path / "reports" / "report.json").read_text())
    (finding, *_) = told["vendors"]["acme"]["findings"]
    assert told["code"] == UNTOLD
    written = [path for path in (tmp_path / "reports").iterdir() if path.suffix != ".svg"]
    assert len(written) == 6
    assert [path.name for path in written if finding["promise"] not in path.read_text()] == []
    assert list((tmp_path / "again").iterdir())


def test_a_target_that_is_gone_leaves_the_verdict_open_whatever_was_found() -> None:
    broken: dict[str, Any] = {"status": "broken", "findings": []}
    assert Result("acme", outcomes=[broken], finished=True, gone=True).code == UNTOLD


def test_a_call_that_a_proxy_answers_for_a_server_that_is_there_is_a_finding() -> None:
    async def answering(request: Request, proceed: Any) -> Response:
        answer: Response = await proceed()
        return Response("bad gateway", 502) if request.method == "PATCH" else answer

    with serve(behind(answering)) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke"))
        rehearse(run, (PROMISES["update_changes_only_what_it_names"], PROMISES["states_are_kept"]))
    assert {outcome.status for outcome in run.outcomes} == {"broken", "kept"}


def test_a_target_that_is_gone_for_a_moment_is_no_finding() -> None:
    away = iter([False] * 4 + [True] * 2 + [False] * 1000)

    async def answering(request: Request, proceed: Any) -> Response:
        return Response("", 502) if next(away) else await proceed()

    with serve(behind(answering)) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke"))
        rehearse(run, (PROMISES["states_are_kept"], PROMISES["created_is_retrievable"]))
    outcomes = {outcome.status: outcome.reason for outcome in run.outcomes}
    assert outcomes == {"not tested": "the target was gone for a moment", "kept": ""}


def test_a_connection_that_was_closed_during_a_wait_is_opened_again() -> None:
    answers: Iterator[Any] = iter(
        [httpx.Response(429, headers={"retry-after": "0"}), httpx.ReadError("reset"), httpx.Response(200)]
    )

    def attempt(seconds: float) -> httpx.Response:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, httpx.Response)
        return answer

    with serve(acme_server.create_app()) as url:
        assert Sending(url, Limits()).deliver(attempt, "GET /", changes=False).status_code == 200


def test_a_server_that_a_proxy_says_to_come_back_to_is_gone_once_it_does_not_come_back() -> None:
    left = iter(range(4))

    async def answering(request: Request, proceed: Any) -> Response:
        return await proceed() if next(left, None) is not None else Response("", 503, {"Retry-After": "0"})

    with serve(behind(answering)) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke"))
        with pytest.raises(Unreachable, match="503 again and again"):
            rehearse(run, (PROMISES["states_are_kept"], PROMISES["created_is_retrievable"]))


def test_what_is_said_of_a_target_that_is_gone_holds_no_query() -> None:
    with mortal("503", 0) as url:
        run = Run.begin(Settings(DOCUMENT, url, "smoke"))
        with run.client("promises") as client, pytest.raises(Unreachable) as said:
            client.send("GET", "/customers", [("api_key", "acme-sandbox-001")])
    assert "acme-sandbox-001" not in str(said.value)
