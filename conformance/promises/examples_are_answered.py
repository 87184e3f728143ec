"""Every named request example succeeds.

Each named request example is sent, with fresh values where they must not repeat and references that this target knows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, ready
from conformance.scope import Scope
from conformance.sights import upon


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        for name, media, _ in scope.examples(operation):
            pointer = f"{operation.pointer}/requestBody"
            yield Subject(f"{operation.id} {name}", operation, pointer, {"example": name, "media": media})


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    media, body = base_body(client, operation, subject.detail["example"])
    arguments: dict[str, Any] = {"body": body}
    if operation.action.by and operation.action.verb in ("update", "delete"):
        with contextlib.suppress(NotTested):
            arguments = upon(client, operation, ready(client, operation), body=body)
    answer = client.call(operation, **arguments, media=media, caller=client.caller_for(operation))
    if answer.status != operation.success.status:
        raise Broken(
            f"{operation.success.status} for the example {subject.detail['example']}",
            str(answer),
            status=operation.success.status,
        )


PROMISE = Promise(
    "examples_are_answered",
    "Every named request example in the document succeeds.",
    ("x-action",),
    _subjects,
    _probe,
)
