"""A plain valid call of every operation is answered as the document says: status, media type, headers, body.

Each operation is called once with what must succeed: a named example, with every reference led to a record that exists. Status, media type,
headers and body are then held against what is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, ready
from conformance.scope import Scope
from conformance.sights import upon
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (Subject(operation.id, operation, operation.success.pointer) for operation in scope.operations)


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    media, body = base_body(client, operation) if operation.body else (None, ABSENT)
    arguments: dict[str, Any] = {"body": body}
    if operation.action.by and operation.action.by[0] != "credential":
        try:
            arguments = upon(client, operation, ready(client, operation), body=body)
        except NotTested:
            arguments = {"body": body}
    answer = client.call(operation, **arguments, media=media, caller=client.caller_for(operation))
    due = operation.success.status
    if answer.status != due:
        raise Broken(f"{due} for a valid {operation.label}", str(answer), status=due)
    faults = _faults(client, operation, answer)
    if faults:
        raise Broken("the documented answer", f"{'; '.join(faults[:3])} in {answer}", status=due)


def _faults(client: Client, operation: Operation, answer: Answer) -> list[str]:
    response = operation.success
    missing = [
        f"no header {name}"
        for name, header in response.headers.items()
        if header.get("required") and name not in answer.headers
    ]
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not response.content:
        return missing + ([f"a body of type {media}"] if answer.content.strip() else [])
    if media not in response.content:
        return [*missing, f"the media type {media or 'none'}"]
    schema = response.content[media]
    return missing + (client.scope.schemas.faults(schema, answer.body) if schema else [])


PROMISE = Promise(
    "answers_match_their_schema",
    "A valid call of every operation is answered with the documented status, media type and headers, and a body valid against its schema.",
    ("x-action",),
    _subjects,
    _probe,
)
