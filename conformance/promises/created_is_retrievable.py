"""What was created can be read, at once, as it was created.

A record is made, and looked for at once in every way that the document has: by its key, in lists over all their pages, inside the record
that holds it. What was sent is compared with what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.client import Client
from conformance.comparison import shown_as
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import look


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("create"))


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    names: list[str | None] = [name for name, _, _ in client.scope.examples(operation)] or [None]
    sights = client.scope.sights(operation.action.resource)
    if not sights:
        raise NotTested(f"nothing in scope shows a {operation.action.resource} again")
    looked = False
    for name in names:
        media, body = base_body(client, operation, name) if operation.body else (None, {})
        try:
            made = make(client, operation.action.resource, body=body, media=media, operation=operation)
        except NotTested:
            continue
        for sight in sights:
            found = look(client, sight, made, made.key, made.caller)
            if found is None:
                raise Broken(
                    f"{sight.operation.id} shows {made.key!r}", "it is not there", pointer=sight.operation.pointer
                )
            if not isinstance(found, dict):
                continue
            looked = True
            wrong = shown_as(client, sight.operation, sight.view, made.sent, found) if sight.how == "key" else []
            wrong += _moved(made.record, found, made.resource.key, made.resource.created)
            if wrong:
                raise Broken("the record as it was created", "; ".join(wrong), pointer=sight.operation.pointer)
    if not looked:
        raise NotTested(f"nothing in scope shows a {operation.action.resource} that was made, to the one who made it")


def _moved(made: Mapping[str, object], found: Mapping[str, object], *names: str | None) -> list[str]:
    return [
        f"{name} is {found[name]!r}, creating answered {made[name]!r}"
        for name in names
        if name and name in made and name in found and made[name] != found[name]
    ]


PROMISE = Promise(
    "created_is_retrievable",
    "What was created can be read at once, wherever such records are shown, as it was created.",
    ("x-action", "x-resource", "x-view"),
    _subjects,
    _probe,
)
