"""What only a caller may know is never shown.

A value never used before is sent in each write-only field, so that it succeeds and so that it is refused. Then it is looked for in every
answer since.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import Made, see, upon


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create", "update", "none"):
        secret = [name for name, schema in scope.fields(operation).items() if schema.get("writeOnly")]
        if secret and operation.body:
            yield Subject(operation.id, operation, operation.body.pointer, {"secret": secret})


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    media, body = base_body(client, operation)
    fields = client.scope.fields(operation)
    secrets = {name: client.fresh.value(fields[name], body.get(name)) for name in subject.detail["secret"]}
    secrets = {name: value for name, value in secrets.items() if isinstance(value, str) and len(value) > 5}
    if not secrets:
        raise NotTested("no secret is long enough to be looked for")
    start = len(client.transcript)
    if operation.action.verb == "create":
        made: Made | None = make(
            client, operation.action.resource, body={**body, **secrets}, media=media, operation=operation
        )
        client.call(operation, body={**body, **secrets}, media=media)
    elif operation.action.verb == "update":
        made = make(client, operation.action.resource)
        client.call(operation, **upon(client, operation, made, body={**body, **secrets}), media=media)
    else:
        client.call(operation, body={**body, **secrets}, media=media)
        made = None
    with contextlib.suppress(NotTested):
        if made is not None:
            see(client, made)
    for answer in client.transcript[start:]:
        for name, value in secrets.items():
            if value.encode() in answer.content:
                raise Broken(f"{name} in no answer", str(answer))


PROMISE = Promise(
    "secrets_stay_out",
    "What is write-only (a password) stands in no answer, of success or of failure.",
    ("x-resource",),
    _subjects,
    _probe,
)
