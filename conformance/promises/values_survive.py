"""Text, numbers and free structures come back as they were sent.

Awkward values are sent in every field that is free to hold them: spaces, other alphabets, letters and marks apart, leading zeros, long
texts, empty ones, large numbers, free structures, lists in an order of their own. Where all together are refused, each is tried alone.
"""

from __future__ import annotations

import contextlib
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
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("create") if _fields(scope, operation))


def _fields(scope: Scope, operation: Any) -> dict[str, list[Any]]:
    taken = {operation.action.by[1] if operation.action.by else "", scope.contract.tenancy.name}
    found = {name: awkward(schema) for name, schema in scope.fields(operation).items() if name not in taken}
    return {name: values for name, values in found.items() if values}


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    unique = unique_fields(client, operation)
    fields = {k: v for k, v in _fields(client.scope, operation).items() if k not in unique}
    compared = sum(_survive(client, operation, values) or 0 for values in _once_only(client, operation, unique))
    compared += sum(_survive(client, operation, values, name) or 0 for name, values in _lists(client, operation))
    rounds = max((len(values) for values in fields.values()), default=0)
    if not rounds and not compared:
        raise NotTested("every field has rules of its own")
    for number in range(rounds):
        values = {name: values[number % len(values)] for name, values in fields.items()}
        together = _survive(client, operation, values)
        if together is None:
            compared += sum(_survive(client, operation, {name: value}) or 0 for name, value in values.items())
        else:
            compared += together
    if not compared:
        raise NotTested(
            f"{operation.id} refuses every value its schema leaves free, or nothing shows them under their names"
        )


def _once_only(client: Client, operation: Operation, unique: list[str]) -> Iterator[dict[str, Any]]:
    """Awkward texts for the fields that must not repeat, each made new; and none at all, which is a text too."""
    for name, texts in _fields(client.scope, operation).items():
        longest = int(client.scope.fields(operation)[name].get("maxLength", 200))
        if name in unique and not any(key in client.scope.fields(operation)[name] for key in ("minLength",)):
            for text in texts:
                if text == "":
                    yield {name: ""}
                elif isinstance(text, str) and len(text) <= longest // 2:
                    yield {name: f"{client.fresh.token()}{text}"}


def _lists(client: Client, operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """Lists of plain values as the examples have them, in an order of their own, with a value that stands there twice."""
    for example, _, body in client.scope.examples(operation):
        for name, value in body.items() if isinstance(body, dict) else ():
            schema = client.scope.fields(operation).get(name, {})
            items = client.scope.schemas.at(schema, ("-",))
            if not isinstance(value, list) or not value or not isinstance(value[0], str) or "x-references" in items:
                continue
            with contextlib.suppress(NotTested):
                made = sorted((client.fresh.value(items, value[0]) for _ in range(3)), reverse=True)
                listed = made if schema.get("uniqueItems") else [*made, made[0]]
                if client.scope.schemas.fits(schema, listed):
                    yield example, {name: listed}


def _survive(client: Client, operation: Operation, values: dict[str, Any], example: str | None = None) -> int | None:
    """How many of these values were seen again, as they were sent; None where the body was refused."""
    media, body = base_body(client, operation, example)
    if not isinstance(body, dict):
        return None
    view = operation.view(operation.action.resource)
    before = present(client, operation.action.resource, client.caller) if view is None or view.is_list else set()
    answer = client.call(operation, body={**body, **values}, media=media)
    if not answer.ok:
        if answer.status not in operation.responses:
            raise Broken(f"one of {sorted(operation.responses)}", str(answer), pointer=operation.pointer)
        return None
    made = made_from(client, operation, answer, {**body, **values}, media, client.caller, before)
    wrong: list[str] = []
    seen: set[str] = set()
    if view and made.record.keys() - {made.resource.key}:
        wrong += shown_as(client, operation, view, values, made.record)
        seen |= set(values) & set(client.scope.shown(operation, view))
    with contextlib.suppress(NotTested):
        sight, found = see(client, made)
        if found is not None:
            wrong += shown_as(client, sight.operation, sight.view, values, found)
            seen |= set(values) & set(client.scope.shown(sight.operation, sight.view))
    if wrong:
        raise Broken("the values as they were sent", "; ".join(wrong))
    return len(seen)


PROMISE = Promise(
    "values_survive",
    "Text, numbers and free structures come back as they were sent: not trimmed, cut, rounded, or read in another alphabet.",
    ("x-action", "x-view"),
    _subjects,
    _probe,
)
