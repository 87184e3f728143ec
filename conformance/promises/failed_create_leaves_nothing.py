"""A create that is refused leaves nothing behind.

A create is refused for each reason that the document states; what can be seen before and after must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, freshen, make, resolve_path, unique_fields
from conformance.schemas import drop, put
from conformance.scope import Scope
from conformance.sights import present, see
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("create") if operation.body)


def _probe(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, subject.operation.action.resource
    kept = _kept(client, operation)
    if kept is None:
        raise NotTested(f"nothing in scope lists every {resource}")
    refused = 0
    for what, media, body in _bad(client, operation):
        before = kept(body)
        answer = client.call(operation, body=body, media=media)
        if answer.ok:
            continue
        refused += 1
        extra = kept(body) - before
        if extra:
            raise Broken(f"nothing new after {answer.status} for {what}", f"{sorted(map(str, extra))} is there")
    if not refused:
        raise NotTested(f"{operation.id} refuses nothing that was tried")


def _kept(client: Client, operation: Operation) -> Callable[[Any], set[Any]] | None:
    """How to see what is there: all keys of a list, or the one key that a body chooses; None where there is no way."""
    resource = client.scope.resource(operation)
    sights = client.scope.sights(resource.name)
    if any(sight.how == "list" or sight.operation.action.by == ("credential", "subject") for sight in sights):
        return lambda body: present(client, resource.name, client.caller)
    if resource.key in resource.mint or not any(sight.how == "key" for sight in sights):
        return None
    made = make(client, resource.name, operation=operation)

    def chosen(body: Any) -> set[Any]:
        key = body.get(resource.key)
        return set() if key is None or see(client, made, key=key)[1] is None else {key}

    return chosen


def _bad(client: Client, operation: Operation) -> Iterator[tuple[str, str, Any]]:
    """Bodies that are wrong in one way, from the first check a server makes to the last."""
    assert operation.body is not None, "a subject has one"
    media, whole = base_body(client, operation)
    schemas = client.scope.schemas
    for name in schemas.required(operation.body.schema)[:2]:
        if name in whole:
            yield f"a missing {name}", media, drop(freshen(client, operation, whole), (name,))
    for path, resource, schema in list(schemas.references(operation.body.schema, whole)):
        key = client.absent_key(schema, resolve_path(whole, path))
        yield f"an unknown {resource}", media, put(freshen(client, operation, whole), path, key)
    unique = [name for name in unique_fields(client, operation) if name in whole]
    if unique and "duplicate" in operation.statuses and len(client.scope.listings(operation.action.resource)):
        known = [
            r
            for r in client.caller.records(operation.action.resource)
            if all(r.get(name) is not None for name in unique)
        ]
        if known:
            yield "a duplicate", media, {**whole, **{name: known[0][name] for name in unique}}


PROMISE = Promise(
    "failed_create_leaves_nothing",
    "A create that is refused leaves nothing behind.",
    ("x-action",),
    _subjects,
    _probe,
)
