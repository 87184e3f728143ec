"""A key names one record for ever.

Records are made, some are deleted, more are made: no key comes twice. A key without its last sign, or in the other case, must not lead to
the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Promise, Subject
from conformance.records import make
from conformance.scope import Scope
from conformance.sights import Made, upon


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
    if isinstance(made[0].key, str):
        for nearly in (made[0].key[:-1], made[0].key.swapcase()):
            _is_itself(client, made[0], nearly)


def _is_itself(client: Client, made: Made, nearly: str) -> None:
    """Whoever asks for a key that is nearly a record's does not get that record."""
    for sight in client.scope.sights(made.resource.name):
        by = sight.operation.action.by
        if sight.how != "key" or not by or by[0] == "credential" or nearly == made.key:
            continue
        answer = client.call(sight.operation, **upon(client, sight.operation, replace(made, key=nearly)))
        for record in answer.records(sight.view) if answer.ok else ():
            if record.get(made.resource.key) != nearly:
                raise Broken(f"nothing but a record of the key {nearly!r}", f"{record.get(made.resource.key)!r}")


PROMISE = Promise(
    "ids_are_never_reused",
    "A key names one record: no two have the same, that of a deleted one is not given again, and what is nearly a key names none.",
    ("x-resource",),
    _subjects,
    _probe,
)
