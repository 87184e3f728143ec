"""Every failure has its status and wears the vendor's envelope.

Each operation meets what can go wrong with it: no credential, keys and parameters that cannot be, bodies that are broken, huge, deep, or of
another type; and each path the methods that it does not have. HEAD and OPTIONS are called for the sake of crashes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.promises.errors_wear_the_envelope.envelope import wears
from conformance.promises.errors_wear_the_envelope.failures import failures
from conformance.promises.errors_wear_the_envelope.routes import unknown_paths, wrong_methods
from conformance.scope import Scope


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        yield Subject(operation.id, operation, "/x-vendor/error")
    first = next(iter(scope.operations))
    yield Subject("unknown path", first, "/x-vendor/error", {"probe": unknown_paths})
    yield Subject("wrong method", first, "/x-vendor/error", {"probe": wrong_methods})


def _probe(subject: Subject, client: Client) -> None:
    probe: Callable[[Subject, Client], None] = subject.detail.get("probe", _operation)
    probe(subject, client)


def _operation(subject: Subject, client: Client) -> None:
    operation = subject.operation
    calls = 0
    for what, due, answer in failures(operation, client):
        calls += 1
        if due and answer.status not in due:
            raise Broken(
                f"{' or '.join(map(str, sorted(due)))} for {what}",
                str(answer),
                pointer=operation.pointer,
                status=min(due),
            )
        if answer.status >= 400:
            wears(client, operation, answer, what)
    if not calls:
        raise NotTested("it has no body, no key, no credential: nothing about it can fail")


PROMISE = Promise(
    "errors_wear_the_envelope",
    "Whatever goes wrong, the answer has the stated status and the vendor's error envelope: never a server error, never another shape.",
    ("x-vendor", "x-statuses", "x-references"),
    _subjects,
    _probe,
)
