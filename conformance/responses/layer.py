"""Runs Schemathesis' engine and reads what it says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from schemathesis.engine import Status, events, from_schema

from conformance.exchange import Exchange
from conformance.finding import Broken, Finding, Unreachable
from conformance.responses.configuration import Layer, configuration, document, forget_unread
from conformance.responses.connection import direct
from conformance.responses.hook import Hook, installed
from conformance.run import Outcome, Run
from mock_server.contract import Operation

_SENTENCES = {
    "not_a_server_error": "No request makes the server fail.",
    "status_code_conformance": "Every answer has a documented status.",
    "content_type_conformance": "Every answer has a documented media type.",
    "response_headers_conformance": "Every answer carries the documented headers.",
    "response_schema_conformance": "Every answer's body is valid against its schema.",
    "negative_data_rejection": "A request that breaks its schema is refused.",
    "positive_data_acceptance": "A request that keeps its schema is accepted.",
    "missing_required_header": "A request without a required header is refused.",
    "unsupported_method": "A method that is not offered is answered with 405 and Allow.",
    "allow_header_conformance": "Allow names exactly the methods offered.",
    "use_after_free": "What was deleted is not found any more.",
    "ensure_resource_availability": "What was created is found at once.",
    "ignored_auth": "Credentials are checked.",
    "no_answer": "Every request is answered.",
}


def execute(run: Run, layer: Layer = "responses") -> list[Outcome]:
    """Every operation through the phases of a layer; an outcome for each operation."""
    logging.getLogger("schemathesis").setLevel(logging.CRITICAL)
    failures: list[_Failure] = []
    with run.client(layer) as client:
        config = schemathesis.Config.from_dict(configuration(run, client, layer))
        schema = schemathesis.openapi.from_dict(document(run), config=config)
        forget_unread(schema, layer)
        hook = Hook.on(client)
        try:
            with installed(hook), direct(hook):
                for event in from_schema(schema).execute() if len(run.excused) < len(run.scope.operations) else ():
                    if isinstance(event, events.ScenarioFinished):
                        failures += _failures(event)
                    if run.sending.gone:
                        raise Unreachable(run.sending.gone)
                    if isinstance(event, events.NonFatalError):
                        _doubt(run, layer, event, hook)
                    elif isinstance(event, events.FatalError):
                        run.doubts.append(f"{layer}: {event.exception}")
                    elif isinstance(event, events.Interrupted):
                        raise KeyboardInterrupt
        except Unreachable:
            for outcome in _outcomes(run, layer, [*failures, *_missed(hook)], hook.withheld):
                if outcome.findings:
                    run.record(outcome)
            raise
    return [run.record(outcome) for outcome in _outcomes(run, layer, [*failures, *_missed(hook)], hook.withheld)]


@dataclass(frozen=True)
class _Failure:
    check: str
    operation: str
    title: str
    message: str
    status: int | None
    exchanges: tuple[Exchange, ...]


def _failures(event: Any) -> Iterator[_Failure]:
    for case_id, nodes in event.recorder.checks.items():
        for node in nodes:
            if node.status is not Status.FAILURE or node.failure_info is None:
                continue
            failure, interaction = node.failure_info.failure, event.recorder.interactions.get(case_id)
            cases = [step.case_id for step in node.failure_info.steps] or [failure.case_id or case_id]
            found = [event.recorder.interactions[case] for case in cases if case in event.recorder.interactions]
            exchanges = tuple(_exchange(one) for one in found)
            answered = interaction.response.status_code if interaction and interaction.response else None
            yield _Failure(
                node.name, failure.operation or event.label or "", failure.title, failure.message, answered, exchanges
            )


def _missed(hook: Hook) -> Iterator[_Failure]:
    """The requests that alone had no answer."""
    for operation, broken, exchange in hook.missed:
        yield _Failure("no_answer", operation.label, "No answer", broken.observed, None, (exchange,))


def _exchange(interaction: Any) -> Exchange:
    request, response = interaction.request, interaction.response
    headers = {name: values[0] for name, values in request.headers.items()}
    answered = {name: ", ".join(values) for name, values in response.headers.items()} if response else {}
    return Exchange(
        request.method,
        request.uri,
        headers,
        request.body,
        response.status_code if response else 0,
        answered,
        response.content or b"" if response else b"",
        interaction.timestamp - (response.elapsed if response else 0),
        response.elapsed if response else 0,
    )


def _doubt(run: Run, layer: Layer, event: Any, hook: Hook) -> None:
    message = f"{event.label}: {event.value}".strip()
    if isinstance(event.value, requests.RequestException) and (hook.missed or hook.withheld):
        return  # it is told as what it is
    run.doubts.append(f"{layer}: {message[:300]}")


def _outcomes(run: Run, layer: Layer, failures: list[_Failure], withheld: Mapping[str, str]) -> Iterator[Outcome]:
    found: dict[str, dict[tuple[str, str], Finding]] = {}
    by_label = {operation.label: operation for operation in run.scope.operations}
    for failure in failures:
        operation = by_label.get(failure.operation) or next(iter(run.scope.operations))
        kept = found.setdefault(operation.id, {})
        if (failure.check, failure.title) in kept:
            continue
        broken = Broken(
            _SENTENCES.get(failure.check, failure.check), _observed(failure), status=_due(operation, failure)
        )
        sentence = _SENTENCES.get(failure.check, failure.check)
        kept[failure.check, failure.title] = run.finding(
            layer,
            failure.check,
            sentence,
            operation.id,
            operation,
            operation.pointer,
            broken,
            failure.exchanges,
            _right(operation, failure),
        )
    for operation in run.scope.operations:
        findings = tuple(found.get(operation.id, {}).values())
        untold = run.excused.get(operation.id) or withheld.get(operation.id)
        if untold and not findings:
            yield Outcome(layer, layer, operation.id, "not tested", untold)
            continue
        status: Any = "kept" if not findings else "apart" if all(finding.apart for finding in findings) else "broken"
        reason = "; ".join(f"{finding.promise}: {finding.observed}" for finding in findings)
        yield Outcome(layer, layer, operation.id, status, reason, 1, findings)


def _due(operation: Operation, failure: _Failure) -> int | None:
    """The status whose footing a failure rests on: the one that came where it is documented, else the one that was due."""
    if failure.check in ("ignored_auth", "missing_required_header"):
        return operation.statuses.get("unauthenticated")
    if failure.status in operation.responses:
        return failure.status
    return operation.success.status if failure.status and 200 <= failure.status < 300 else None


def _right(operation: Operation, failure: _Failure) -> tuple[int, ...]:
    """The statuses that would have been right, where a check is about nothing else."""
    known = [operation.statuses.get(why) for why in ("unauthenticated", "forbidden")]
    refusals = tuple(status for status in operation.responses if 400 <= status < 500)
    due: dict[str, tuple[int | None, ...]] = {
        "not_a_server_error": tuple(status for status in operation.responses if status < 500),
        "status_code_conformance": tuple(operation.responses),
        "negative_data_rejection": refusals,
        "positive_data_acceptance": tuple(status for status in operation.responses if status < 400),
        "missing_required_header": refusals,
        "unsupported_method": (405,),
        "use_after_free": (404, 410),
        "ignored_auth": tuple(known),
    }
    return tuple(status for status in due.get(failure.check, ()) if status is not None)


def _observed(failure: _Failure) -> str:
    text = " ".join(failure.message.partition("Schema at")[0].split())
    return f"{failure.status or 'no answer'}: {failure.title}. {text}"[:600]
