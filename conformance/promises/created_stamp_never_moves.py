"""When a record was created never changes; when it was changed only moves forward.

A record is made, time passes, and it is changed in every way that the examples show. The stamps are compared before and after.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from conformance.client import ABSENT, Client
from conformance.control import advance, apart, standing, timed
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import see, upon
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("update"):
        if scope.resource(operation).created:
            yield of(operation)


def _probe(subject: Subject, client: Client) -> None:
    with apart(client), contextlib.ExitStack() as stack:
        if timed(client):
            stack.enter_context(standing(client))
        _hold(subject, client)


def _hold(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, client.scope.resource(subject.operation)
    created = resource.created or ""
    made = make(client, resource.name)
    _, before = see(client, made)
    if before is None or created not in before:
        raise NotTested(f"{created} is not shown")
    if timed(client):
        advance(client, "PT2H")  # a stamp that moves with the time is seen only when time has passed
    changed = 0
    for body in changes_of(client, operation, before):
        sent = body if operation.body else ABSENT
        answer = client.call(operation, **upon(client, operation, made, body=sent))
        if not answer.ok:
            continue
        changed += 1
        _, after = see(client, made)
        for record in [r for r in (after, *answer.records(operation.view(resource.name))) if r]:
            if record.get(resource.key) == made.key and record.get(created) != before[created]:
                raise Broken(f"{created} to stay {before[created]!r}", f"{record.get(created)!r}")
        _forward(resource.updated, before, after)
    if not changed:
        raise NotTested(f"{operation.id} refused every change tried")


def _forward(name: str | None, before: Mapping[str, Any], after: Mapping[str, Any] | None) -> None:
    if (
        name
        and after
        and before.get(name) is not None
        and after.get(name) is not None
        and _order(after[name]) < _order(before[name])
    ):
        raise Broken(f"{name} not before {before[name]!r}", f"{after[name]!r}")


def _order(stamp: Any) -> Any:
    return datetime.fromisoformat(stamp).timestamp() if isinstance(stamp, str) else stamp


def changes_of(client: Client, operation: Operation, record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Bodies that change a record, as far as the document tells: those of its examples, and another text."""
    if operation.body is None:
        yield {}
    if client.scope.examples(operation):
        for name, _, _ in client.scope.examples(operation)[:2]:
            _, body = base_body(client, operation, name)
            yield body
    for name, schema in client.scope.fields(operation).items():
        if (
            schema.get("type") == "string"
            and not {"enum", "format", "pattern", "x-references", "readOnly"} & set(schema)
            and name in record
        ):
            yield {name: f"{record[name]} again"[: schema.get("maxLength", 200)]}
            return


PROMISE = Promise(
    "created_stamp_never_moves",
    "The moment of creation never moves, whatever is changed; the moment of change never moves back.",
    ("x-resource",),
    _subjects,
    _probe,
)
