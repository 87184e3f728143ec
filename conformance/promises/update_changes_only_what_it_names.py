"""An update changes what it names, to what it says, and nothing else.

Up to a dozen fields are changed one at a time: to the values of the examples, to awkward ones, to nothing (an empty text, 0, null where it
may be). The answer and the next sight of the record must show that change and no other; a record beside it stays as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.client import Client
from conformance.comparison import same, shown_as
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, make, unique_fields
from conformance.scope import Scope, Sight
from conformance.sights import Made, see, upon
from conformance.values import awkward
from mock_server.contract import Operation

_MOST = 12


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("update"):
        named = set(scope.fields(operation)) & set(scope.resource(operation).properties)
        if operation.body and not operation.action.fixed and named - {scope.resource(operation).key}:
            yield of(operation)


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    made, bystander = make(client, operation.action.resource), make(client, operation.action.resource)
    sight, before = see(client, bystander)
    tried = 0
    for name, value in _changes(client, operation, made):
        tried += _change(client, operation, made, {name: value})
    for values in _halves(client, operation, made):
        tried += _change(client, operation, made, values)
    if not tried:
        raise NotTested(f"{operation.id} refuses every change tried")
    _, after = see(client, bystander)
    if before is not None:
        wrong = _others(client, bystander, sight, before, after or {}, set())
        if wrong:
            raise Broken("another record as it was", "; ".join(wrong))


def _changes(client: Client, operation: Operation, made: Made) -> Iterator[tuple[str, Any]]:
    fields = client.scope.fields(operation)
    fresh = set(unique_fields(client, operation))
    free = [name for name, schema in fields.items() if not schema.get("readOnly") and name != made.resource.state]
    free = [name for name in free if ("body", name) != operation.action.by and name in made.resource.properties]
    step = max(len(free) / _MOST, 1)
    chosen = {free[int(n * step)] for n in range(min(_MOST, len(free)))} if free else set()
    for name in [name for name in free if name in chosen]:
        schema, old = fields[name], made.record.get(name)
        yield from ((name, value) for value in _named(client, operation, name) if value != old)
        if name in fresh:
            yield name, client.fresh.value(schema, old)
        elif "x-references" in schema:
            key = client.scope.contract.resources[schema["x-references"]].key
            yield from (
                (name, r[key]) for r in made.caller.records(schema["x-references"]) if r.get(key) not in (None, old)
            )
        elif "enum" in schema:
            yield from [(name, value) for value in schema["enum"] if value not in (None, old)][:1]
        elif values := awkward(schema):
            nothing = [value for value in values[1:-1] if value == ""]
            yield from [(name, value) for value in (values[0], *nothing, values[-1]) if value != old]
        elif schema.get("type") in ("integer", "number"):
            low, high = schema.get("minimum", 0), schema.get("maximum", 1000)
            yield name, next(value for value in (7, low, high) if low <= value <= high)
            yield from ((name, zero) for zero in (0,) if low <= zero <= high)
        elif schema.get("type") == "string" and isinstance(old, str):
            yield name, client.fresh.value(schema, old)
        if schema.get("nullable"):
            yield name, None


def _halves(client: Client, operation: Operation, made: Made) -> Iterator[dict[str, Any]]:
    """Half of the plain texts at a time, halved anew each time, so that of any two one is changed while the other is not."""
    names = []
    for name, schema in client.scope.fields(operation).items():
        plain = schema.get("type") == "string" and not {"enum", "pattern", "format", "x-references"} & set(schema)
        if (
            plain
            and not schema.get("readOnly")
            and name in made.resource.properties
            and ("body", name) != operation.action.by
        ):
            names.append(name)
    for bit in range((len(names) - 1).bit_length() if len(names) > 1 else 0):
        for side in (0, 1):
            half = [name for number, name in enumerate(names) if number >> bit & 1 == side]
            fields = client.scope.fields(operation)
            with contextlib.suppress(NotTested):
                yield {name: client.fresh.value(fields[name], made.record.get(name)) for name in half}


def _named(client: Client, operation: Operation, name: str) -> list[Any]:
    """The values that the operation's examples give a field that names no record."""
    if "x-references" in client.scope.fields(operation)[name] or name in unique_fields(client, operation):
        return []
    bodies = [body for _, _, body in client.scope.examples(operation) if isinstance(body, dict)]
    values = [body.get(name) for body in bodies]
    return [value for value in values if value is not None and not isinstance(value, bool)][:2]


def _change(client: Client, operation: Operation, made: Made, values: dict[str, Any]) -> bool:
    """Whether the change was accepted; what is then shown must be that change and no other."""
    sight, before = see(client, made)
    if before is None:
        raise Broken("the record that was just made", "it is not there")
    body = dict(values)
    if set(client.scope.schemas.required(operation.body.schema if operation.body else {})) - set(values):
        _, base = base_body(client, operation)
        body = {**base, **body}
    answer = client.call(operation, **upon(client, operation, made, body=body))
    if not answer.ok:
        if answer.status not in operation.responses:
            raise Broken(f"one of {sorted(operation.responses)}", str(answer), pointer=operation.pointer)
        return False
    shown = [
        record
        for record in answer.records(operation.view(made.resource.name))
        if record.get(made.resource.key) == made.key
    ]
    wrong = shown_as(client, operation, operation.view(made.resource.name), body, shown[0]) if shown else []
    _, after = see(client, made)
    if after is None:
        raise Broken("the record, changed", "it is gone")
    wrong += shown_as(client, sight.operation, sight.view, body, after) + _others(
        client, made, sight, before, after, set(body)
    )
    shows = client.scope.shown(sight.operation, sight.view)
    for name, value in values.items():
        if value is None and shows.get(name, {}).get("nullable") and after.get(name) is not None:
            wrong.append(f"{name} is {after[name]!r}, null was sent")
    if wrong:
        told = ", ".join(f"{name} changed to {value!r}" for name, value in list(values.items())[:3])
        raise Broken(f"{told}{', …' if len(values) > 3 else ''}, the rest as it was", "; ".join(wrong[:6]))
    return True


def _others(
    client: Client, made: Made, sight: Sight, before: Mapping[str, Any], after: Mapping[str, Any], named: set[str]
) -> list[str]:
    properties = client.scope.shown(sight.operation, sight.view)
    stamps = {made.resource.updated}
    steady = {made.resource.key, made.resource.created}
    wrong = []
    for name, schema in properties.items():
        if name in named or name in stamps or (schema.get("readOnly") and name not in steady):
            continue
        if (name in before) != (name in after) or not same(
            client.scope.schemas, schema, before.get(name), after.get(name)
        ):
            wrong.append(f"{name} was {before.get(name)!r} and is {after.get(name)!r}")
    return wrong


PROMISE = Promise(
    "update_changes_only_what_it_names",
    "An update changes the properties it names to the values it names, in its answer and in what is read next, and leaves the rest.",
    ("x-action", "x-resource"),
    _subjects,
    _probe,
)
