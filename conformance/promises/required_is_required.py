"""A request without a required field is refused.

A body that must succeed is sent without each of its required fields in turn, and with null in its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Promise, Subject
from conformance.records import base_body, freshen
from conformance.schemas import drop, put
from conformance.scope import Scope


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        if (
            operation.body
            and operation.action.verb in ("create", "update", "none")
            and scope.schemas.required(operation.body.schema)
        ):
            yield Subject(operation.id, operation, operation.body.pointer)


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    assert operation.body is not None, "a subject has one"
    media, whole = base_body(client, operation)
    due = operation.statuses.get("missing", 400)
    kinds = ("missing", "invalid", "malformed")
    unenforced, wrong = [], []
    for path in _required(client, operation.body.schema, whole):
        fresh = freshen(client, operation, whole)
        answer = client.call(operation, body=drop(fresh, path), media=media)
        name = ".".join(map(str, path))
        if answer.ok:
            unenforced.append(name)
        elif answer.status != due:
            wrong.append(f"{answer.status} without {name}")
        if len(path) > 1 or media != "application/json":
            continue
        schema = client.scope.fields(operation).get(str(path[0]), {})
        if not schema.get("nullable"):
            answer = client.call(operation, body=put(fresh, path, None), media=media)
            if answer.ok:
                unenforced.append(f"{name} (null)")
            elif answer.status not in {operation.statuses.get(kind) for kind in kinds}:
                wrong.append(f"{answer.status} with {name}: null")
    if media == "application/json":
        empty = client.call(operation, body={}, media=media)
        if empty.status != due:
            wrong.append(f"{empty.status} for an empty object")
    if unenforced:
        raise Broken(f"{due} without a required field", f"accepted without: {', '.join(unenforced)}", status=due)
    if wrong:
        raise Broken(f"{due} without a required field", "; ".join(wrong), status=due)


def _required(
    client: Client, schema: Any, value: Any, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[str | int, ...]]:
    """The paths of required properties that a body has, those inside structures included."""
    schemas = client.scope.schemas
    if isinstance(value, dict):
        for name in schemas.required(schema):
            if name in value:
                yield (*at, name)
        for name, item in schemas.properties(schema).items():
            if name in value:
                yield from _required(client, item, value[name], (*at, name))
    elif isinstance(value, list) and value:
        yield from _required(client, schemas.at(schema, ("-",)), value[0], (*at, 0))


PROMISE = Promise(
    "required_is_required",
    "A request without a required field, or with null in its place, is refused with the stated status; nothing is filled in quietly.",
    ("x-vendor", "x-statuses"),
    _subjects,
    _probe,
)
