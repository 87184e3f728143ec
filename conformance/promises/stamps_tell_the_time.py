"""The server's own stamps are moments of its own clock: the creation's, and the last change's; reading is no change.

The clock stands still while a record is made, so that its stamps have one right value, and is moved before it is read, and changed, and read again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from conformance.client import ABSENT, Client
from conformance.control import advance, apart, standing
from conformance.finding import Broken, NotTested
from conformance.moments import iso, moment_of
from conformance.promise import Promise, Subject
from conformance.promises.created_stamp_never_moves import changes_of
from conformance.records import make
from conformance.scope import Scope
from conformance.sights import Made, see, upon

_GRAIN = timedelta(seconds=1)


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create"):
        resource = scope.resource(operation)
        for sight in scope.sights(resource.name)[:1]:
            shown = scope.shown(sight.operation, sight.view)
            for name in ("created", "updated"):
                if (field := getattr(resource, name)) in shown:
                    pointer = f"{resource.pointer}/x-resource/{name}"
                    yield Subject(f"{operation.id} {field}", operation, pointer, {"field": field, "kind": name})


def _probe(subject: Subject, client: Client) -> None:
    field = subject.detail["field"]
    with apart(client), standing(client) as begun:
        made = make(client, subject.operation.action.resource, operation=subject.operation)
        first = _record(client, made)
        _is(client, field, first, begun, "the moment at which it was made")
        advance(client, "PT1H")
        again = _record(client, made)
        if again.get(field) != first[field]:
            raise Broken(
                f"{field} to stay {first[field]!r} while nothing is changed", f"{again.get(field)!r} when read"
            )
        if subject.detail["kind"] == "updated":
            _moved(client, made, again, field, begun + timedelta(hours=1))


def _record(client: Client, made: Made) -> Mapping[str, Any]:
    record = see(client, made)[1]
    if record is None:
        raise Broken("the record that was just made", "it is not there")
    return record


def _is(client: Client, field: str, record: Mapping[str, Any], due: datetime, what: str) -> None:
    """The stamp is a moment; a second's difference is that of a stamp without fractions."""
    shown = moment_of(client.scope.contract, record.get(field))
    if record.get(field) is None:
        raise NotTested(f"{field} is not shown")
    if shown is None or abs(shown - due) > _GRAIN:
        raise Broken(f"{field} to be {iso(due)}, {what}", f"{record[field]!r}")


def _moved(client: Client, made: Made, before: Mapping[str, Any], field: str, now: datetime) -> None:
    """A change that shows moves the stamp to its own moment."""
    for operation in client.scope.acting("update", on=made.resource.name):
        with contextlib.suppress(NotTested):
            for body in changes_of(client, operation, before):
                sent = body if operation.body else ABSENT
                answer = client.call(operation, **upon(client, operation, made, body=sent))
                after = _record(client, made) if answer.ok else before
                if any(after.get(name) != before.get(name) for name in {*before, *after} - {field}):
                    _is(client, field, after, now, "the moment of its last change")
                    return


PROMISE = Promise(
    "stamps_tell_the_time",
    "The moment of creation is that at which a record was made, the moment of change that of its last change; reading moves neither.",
    ("x-resource",),
    _subjects,
    _probe,
)
