"""What was deleted is not shown any more, and nothing else went with it.

Three records are made and one, or of a bulk deletion two, deleted. These must be gone from every way to see them, filters and searches too,
refuse to be changed, and not be deleted again; the rest must be there, and so must what refers to another record.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from conformance.client import ABSENT, Client
from conformance.filters import sought
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import make
from conformance.scope import Scope
from conformance.sights import Made, look, see, upon


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("delete"))


def _probe(subject: Subject, client: Client) -> None:
    operation, resource = subject.operation, subject.operation.action.resource
    doomed, other, spared = (make(client, resource) for _ in range(3))
    gone = [doomed, other] if operation.action.many else [doomed]
    elsewhere = list(_referring(client, resource))
    answer = client.call(operation, **upon(client, operation, *gone))
    if not answer.ok:
        raise Broken(
            f"{operation.success.status} for deleting what was just made", str(answer), pointer=operation.pointer
        )
    looked = sum(_hidden(client, made) for made in gone)
    if not looked:
        raise NotTested(f"nothing in scope shows a {resource} again")
    for kept in (spared,) if operation.action.many else (other, spared):
        for sight in client.scope.sights(resource):
            if look(client, sight, kept, kept.key, kept.caller) is None:
                raise Broken("the record that was not named is still there", f"{kept.key!r} is gone too")
    for made in elsewhere:
        if see(client, made)[1] is None:
            observed = f"{made.resource.name} {made.key!r}, which refers to another {resource}, is gone too"
            raise Broken("what refers to another record is still there", observed)
    if not operation.action.many:
        _again(client, operation, doomed)
    for update in client.scope.acting("update", on=resource):
        if update.action.by and update.action.by[0] == "path":
            late = client.call(update, **upon(client, update, doomed, body={} if update.body else ABSENT))
            if late.ok:
                raise Broken(
                    f"{update.statuses.get('unknown')} for changing what was deleted", str(late), pointer=update.pointer
                )


def _referring(client: Client, resource: str) -> Iterator[Made]:
    """New records of other resources that refer to a record of this one: never to one that was just made."""
    for other in client.scope.contract.resources.values():
        if resource in other.references.values() and other.name != resource and client.scope.creates(other.name):
            with contextlib.suppress(NotTested, Broken):
                made = make(client, other.name)
                if see(client, made)[1] is not None:
                    yield made


def _hidden(client: Client, made: Made) -> int:
    looked = 0
    for operation, found in sought(client, made.resource.name, made.key, made.caller):
        looked += 1
        if found:
            raise Broken(f"{operation.id} no longer finds {made.key!r}", f"it finds {found[0]!r}")
    for sight in client.scope.sights(made.resource.name):
        found = look(client, sight, made, made.key, made.caller)
        if found is ABSENT:
            continue
        looked += 1
        if found is not None:
            raise Broken(f"{sight.operation.id} no longer shows {made.key!r}", f"it shows {found!r}")
    return looked


def _again(client: Client, operation: Any, made: Made) -> None:
    due = operation.statuses.get("unknown")
    answer = client.call(operation, **upon(client, operation, made))
    if due in operation.responses and answer.status != due:
        raise Broken(f"{due} for deleting it twice", str(answer), status=due)


PROMISE = Promise(
    "deleted_is_gone",
    "What was deleted is shown nowhere, cannot be changed or deleted again, and nothing else went with it.",
    ("x-action", "x-resource"),
    _subjects,
    _probe,
)
