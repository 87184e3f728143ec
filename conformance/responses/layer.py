"""Runs Schemathesis' engine and reads what it says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import schemathesis
from schemathesis.engine import Status, events, from_schema

from conformance.finding import Broken, Finding, Unreachable
from conformance.responses.configuration import Layer, configuration, document
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
}


def execute(run: Run, layer: Layer = "responses") -> list[Outcome]:
    """Every operation through the phases of a layer; an outcome for each operation."""
    logging.getLogger("schemathesis").setLevel(logging.CRITICAL)
    failures: list[_Failure] = []
    with run.client(layer) as client:
        config = schemathesis.Config.from_dict(configuration(run, client, layer))
        schema = schemathesis.openapi.from_dict(document(run), config=config)
        with installed(Hook.on(client)), direct():
            for event in from_schema(schema).execute():
                if isinstance(event, events.ScenarioFinished):
                    failures += _failures(event)
                elif isinstance(event, events.NonFatalError):
                    _doubt(run, layer, event)
                elif isinstance(event, events.FatalError):
                    run.doubts.append(f"{layer}: {event.exception}")
                elif isinstance(event, events.Interrupted):
                    raise KeyboardInterrupt
    return [run.record(outcome) for outcome in _outcomes(run, layer, failures)]


@dataclass(frozen=True)
class _Failure:
    check: str
    operation: str
    title: str
    message: str
    status: int | None
    steps: tuple[str, ...]


def _failures(event: Any) -> Iterator[_Failure]:
    for case_id, nodes in event.recorder.checks.items():
        for node in nodes:
            if node.status is not Status.FAILURE or node.failure_info is None:
                continue
            failure, interaction = node.failure_info.failure, event.recorder.interactions.get(case_id)
            steps = tuple(step.curl for step in node.failure_info.steps) or (node.failure_info.code_sample,)
            answered = interaction.response.status_code if interaction and interaction.response else None
            yield _Failure(
                node.name, failure.operation or event.label or "", failure.title, failure.message, answered, steps
            )


def _doubt(run: Run, layer: Layer, event: Any) -> None:
    message = f"{event.label}: {event.value}".strip()
    if "Network" in type(event.value).__name__ or "Connection" in type(event.value).__name__:
        raise Unreachable(f"{run.target.base_url} stopped answering: {event.value}")
    run.doubts.append(f"{layer}: {message[:300]}")


def _outcomes(run: Run, layer: Layer, failures: list[_Failure]) -> Iterator[Outcome]:
    secrets = {
        caller.token: f"$TOKEN{n or ''}"
        for n, caller in enumerate((run.target.caller, *run.target.others))
        if caller.token
    }
    found: dict[str, dict[tuple[str, str], Finding]] = {}
    by_label = {operation.label: operation for operation in run.scope.operations}
    for failure in failures:
        operation = by_label.get(failure.operation) or next(iter(run.scope.operations))
        kept = found.setdefault(operation.id, {})
        if (failure.check, failure.title) in kept:
            continue
        requests = [_masked(step, secrets) for step in failure.steps]
        broken = Broken(
            _SENTENCES.get(failure.check, failure.check), _observed(failure), status=_due(operation, failure)
        )
        sentence = _SENTENCES.get(failure.check, failure.check)
        kept[failure.check, failure.title] = run.finding(
            layer, failure.check, sentence, operation.id, operation, operation.pointer, broken, requests
        )
    for operation in run.scope.operations:
        findings = tuple(found.get(operation.id, {}).values())
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


def _observed(failure: _Failure) -> str:
    text = " ".join(failure.message.partition("Schema at")[0].split())
    return f"{failure.status or 'no answer'}: {failure.title}. {text}"[:600]


def _masked(step: str, secrets: Mapping[str, str]) -> str:
    for secret, variable in secrets.items():
        step = step.replace(secret, variable)
    return step.replace("[Filtered]", "$TOKEN")
