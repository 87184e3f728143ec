"""A key names one record for ever."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Promise, Subject
from conformance.records import make
from conformance.scope import Scope
from conformance.sights import upon


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create"):
        resource = scope.resource(operation)
        if resource.key in resource.mint:
            yield Subject(operation.id, operation, f"{resource.pointer}/x-resource/mint")


def _probe(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, subject.operation.action.resource
    made = [make(client, resource, operation=operation) for _ in range(4)]
    for one in made[-2:]:
        for delete in client.scope.acting("delete", on=resource)[:1]:
            answer = client.call(delete, **upon(client, delete, one))
            if not answer.ok:
                raise Broken(
                    f"{delete.success.status} for deleting what was just made", str(answer), pointer=delete.pointer
                )
    keys = [one.key for one in made] + [make(client, resource, operation=operation).key for _ in range(3)]
    again = [key for key in keys if keys.count(key) > 1]
    if again:
        raise Broken("a new key for every record", f"{again[0]!r} for {keys.count(again[0])} of {len(keys)}")


PROMISE = Promise(
    "ids_are_never_reused",
    "A key names one record: no two have the same, and that of a deleted one is not given again.",
    ("x-resource",),
    _subjects,
    _probe,
)
