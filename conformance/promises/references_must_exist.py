"""A reference that names nothing is refused.

Each reference in the body of an example is led to a key that names nothing, and to a record that only another tenant is known to have. Both
are refused with the stated status.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, freshen, resolve_path
from conformance.schemas import put
from conformance.scope import Scope


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        if (
            operation.body is None
            or "dangling" not in operation.statuses
            or operation.action.verb not in ("create", "update", "none")
        ):
            continue
        bodies = [value for _, _, value in scope.examples(operation)]
        if any(True for value in bodies for _ in scope.schemas.references(operation.body.schema, value)):
            yield Subject(operation.id, operation, operation.body.pointer)


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    assert operation.body is not None, "a subject has one"
    seen = set()
    for name, _, _ in client.scope.examples(operation):
        media, whole = base_body(client, operation, name)
        for path, resource, schema in list(client.scope.schemas.references(operation.body.schema, whole)):
            place = tuple("-" if isinstance(step, int) else step for step in path)
            if place in seen or resolve_path(whole, path) is None:
                continue
            seen.add(place)
            due = {operation.statuses.get("dangling")}
            if operation.action.by == ("body", path[0]):
                due = {operation.statuses.get("unknown")}
            fresh = freshen(client, operation, whole)
            absent = client.absent_key(schema, resolve_path(whole, path))
            for value, what in ((absent, f"no {resource}"), *_foreign(client, resource)):
                answer = client.call(operation, body=put(fresh, path, value), media=media)
                if answer.status not in due:
                    what = f"{'.'.join(map(str, path))} naming {what}"
                    raise Broken(f"{min(filter(None, due))} for {what}", str(answer), status=min(filter(None, due)))
    if not seen:
        raise NotTested("no example refers to a record this caller knows")


def _foreign(client: Client, resource: str) -> Iterator[tuple[Any, str]]:
    """The key of a record that only another tenant has."""
    facts = client.scope.contract.resources[resource]
    own = {record.get(facts.key) for record in client.caller.records(resource)}
    for other in client.target.others if facts.scope == "tenant" and facts.known else ():
        for record in other.records(resource):
            if record.get(facts.key) not in own and other.tenant != client.caller.tenant:
                yield record[facts.key], f"another tenant's {resource}"
                return


PROMISE = Promise(
    "references_must_exist",
    "A reference in a body must name a record that exists.",
    ("x-references",),
    _subjects,
    _probe,
)
