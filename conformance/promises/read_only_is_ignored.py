"""What only the server sets is not the caller's to set.

What the document calls read-only is sent along with creates and updates, with values of the right type. It must not be what is shown then.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.comparison import same
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, make, ready
from conformance.scope import Scope
from conformance.sights import Made, see, upon
from conformance.values import sample
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create", "update"):
        if operation.body and _server_set(scope, operation):
            resource = scope.resource(operation)
            yield Subject(operation.id, operation, f"{resource.pointer}/properties")


def _server_set(scope: Scope, operation: Operation) -> dict[str, Any]:
    """The stored properties that a body cannot set: read-only ones and stamps that no request declares as writable."""
    resource, fields = scope.resource(operation), scope.fields(operation)
    names = (
        set(resource.read_only)
        | ({resource.key} & set(resource.mint))
        | ({resource.created, resource.updated} - {None})
    )
    return {
        name: schema
        for name, schema in resource.properties.items()
        if name in names
        and (name not in fields or fields[name].get("readOnly"))
        and ("body", name) != operation.action.by
    }


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    forged = {name: _forged(client, name, schema) for name, schema in _server_set(client.scope, operation).items()}
    forged = {name: value for name, value in forged.items() if value is not None}
    resource = client.scope.resource(operation)
    if operation.action.verb == "create":
        media, body = base_body(client, operation)
        made = make(client, resource.name, body={**body, **forged}, media=media, operation=operation)
    else:
        made = ready(client, operation)
        _update(client, operation, made, forged)
    try:
        sight, record = see(client, made)
        shown = client.scope.shown(sight.operation, sight.view)
    except NotTested:
        record, shown = made.record, dict(resource.properties)
    if record is None:
        raise Broken(f"the record under its own key {made.key!r}", "it is not there")
    taken = [
        name
        for name, value in forged.items()
        if name in record and same(client.scope.schemas, shown.get(name, {}), value, record[name])
    ]
    if taken:
        raise Broken(
            f"{', '.join(taken)} to be the server's own",
            f"what the caller sent: { {name: record[name] for name in taken} }",
        )
    if not set(forged) & set(record):
        raise NotTested("nothing the server sets is shown")


def _update(client: Client, operation: Operation, made: Made, forged: dict[str, Any]) -> None:
    body: dict[str, Any] = {}
    if client.scope.examples(operation) or client.scope.schemas.required(operation.body and operation.body.schema):
        _, body = base_body(client, operation)
    answer = client.call(operation, **upon(client, operation, made, body={**body, **forged}))
    if not answer.ok:
        raise Broken(f"{operation.success.status}, what only the server sets being ignored", str(answer))


def _forged(client: Client, name: str, schema: Any) -> Any:
    """A value that is valid, and that no server would choose."""
    formats = {"date-time": "1999-12-31T23:59:59Z", "date": "1999-12-31"}
    kind = schema.get("type")
    if schema.get("format") in formats:
        return formats[schema["format"]]
    if kind in ("integer", "number"):
        return next(
            (value for value in (987_654_321, 987, 7) if client.scope.schemas.fits(schema, value, "stored")), None
        )
    if kind == "string" and "enum" not in schema:
        value = client.fresh.token()
        return value if client.scope.schemas.fits(schema, value, "stored") else sample(client.scope.schemas, schema)
    return None


PROMISE = Promise(
    "read_only_is_ignored",
    "What only the server sets (keys, stamps) is ignored when a caller sends it.",
    ("x-resource",),
    _subjects,
    _probe,
)
