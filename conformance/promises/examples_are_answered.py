"""Every named request example succeeds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, keyed, make
from conformance.schemas import put
from conformance.scope import Scope


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        for name, media, _ in scope.examples(operation):
            pointer = f"{operation.pointer}/requestBody"
            yield Subject(f"{operation.id} {name}", operation, pointer, {"example": name, "media": media})


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    media, body = base_body(client, operation, subject.detail["example"])
    given: dict[str, Any] = {}
    by = operation.action.by
    if (
        by
        and operation.action.verb in ("update", "delete", "retrieve")
        and client.scope.creates(operation.action.resource)
    ):
        try:
            key = make(client, operation.action.resource).key
        except NotTested:
            key = None
        if key is not None and by[0] == "body":
            body = put(body, (by[1],), [key] if operation.action.many else key)
        elif key is not None:
            given = keyed(operation, [key] if operation.action.many else key)
    answer = client.call(operation, given=given, body=body, media=media)
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
