"""Text, numbers and free structures come back as they were sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.comparison import shown_as
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, made_from, unique_fields
from conformance.scope import Scope
from conformance.sights import present, see
from conformance.values import awkward


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("create") if _fields(scope, operation))


def _fields(scope: Scope, operation: Any) -> dict[str, list[Any]]:
    taken = {operation.action.by[1] if operation.action.by else "", scope.contract.tenancy.name}
    found = {name: awkward(schema) for name, schema in scope.fields(operation).items() if name not in taken}
    return {name: values for name, values in found.items() if values}


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    fields = {k: v for k, v in _fields(client.scope, operation).items() if k not in unique_fields(client, operation)}
    rounds = max((len(values) for values in fields.values()), default=0)
    if not rounds:
        raise NotTested("every field has rules of its own")
    compared = 0
    for number in range(rounds):
        values = {name: values[number % len(values)] for name, values in fields.items()}
        if not _survive(client, operation, values):
            compared += sum(_survive(client, operation, {name: value}) for name, value in values.items())
        else:
            compared += 1
    if not compared:
        raise NotTested(f"{operation.id} refuses every value its schema leaves free, or shows none of them")


def _survive(client: Client, operation: Any, values: dict[str, Any]) -> bool:
    """Whether a body with these values was accepted; what is then shown must be what was sent."""
    media, body = base_body(client, operation)
    if not isinstance(body, dict):
        return False
    view = operation.view(operation.action.resource)
    before = present(client, operation.action.resource, client.caller) if view is None or view.is_list else set()
    answer = client.call(operation, body={**body, **values}, media=media)
    if not answer.ok:
        if answer.status not in operation.responses:
            raise Broken(f"one of {sorted(operation.responses)}", str(answer), pointer=operation.pointer)
        return False
    made = made_from(client, operation, answer, {**body, **values}, media, client.caller, before)
    wrong = (
        shown_as(client, operation, view, values, made.record)
        if view and made.record.keys() - {made.resource.key}
        else []
    )
    try:
        sight, found = see(client, made)
    except NotTested:
        sight, found = None, None
    if sight and found is not None:
        wrong += shown_as(client, sight.operation, sight.view, values, dict(found))
    if wrong:
        raise Broken("the values as they were sent", "; ".join(wrong))
    return True


PROMISE = Promise(
    "values_survive",
    "Text, numbers and free structures come back as they were sent: not trimmed, cut, rounded, or read in another alphabet.",
    ("x-action", "x-view"),
    _subjects,
    _probe,
)
