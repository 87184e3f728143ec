"""Bodies that cannot be: broken, huge, deep, of another type."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import NotTested
from conformance.promises.errors_wear_the_envelope.envelope import Failure, documented
from conformance.records import base_body, ready
from conformance.sights import upon
from conformance.wire import FORM
from mock_server.contract import Operation


def bodies(operation: Operation, client: Client) -> Iterator[Failure]:
    """Each body that an operation must refuse, or at least survive."""
    malformed = documented(operation, operation.statuses.get("malformed"))
    invalid = malformed | documented(operation, operation.statuses.get("invalid"))
    media = next((name for name in operation.body.content if name != FORM), FORM) if operation.body else FORM
    try:
        _, whole = base_body(client, operation)
    except NotTested:
        whole = {}
    given = _aimed(client, operation)
    if media != FORM:
        for what, content in _broken_json(whole):
            due = malformed if what in ("half a JSON text", "text that is no JSON") else set()
            yield what, due, client.call(operation, given=given, body=content, media=media)
        if client.scope.schemas.follow(operation.body and operation.body.schema).get("type") == "object":
            others: list[Any] = [[], "text", 5, None]
            for value in others:
                answer = client.call(operation, given=given, body=value, media=media)
                if value is not None or answer.status != operation.success.status:
                    yield f"the body {json.dumps(value)}", invalid, answer
    wrong = _of_another_type(client, operation, whole) if media != FORM else None
    if wrong is not None:
        yield "a field of another type", invalid, client.call(operation, given=given, body=wrong, media=media)
    for name, body in _no_choice(client, operation, whole) if media != FORM else ():
        yield f"a {name} that is none", invalid, client.call(operation, given=given, body=body, media=media)
    if 415 in operation.responses:
        answer = client.call(operation, given=given, body=b"<a>1</a>", media="application/xml")
        yield "another media type", {415}, answer


def _aimed(client: Client, operation: Operation) -> dict[str, Any]:
    """The parameters that lead a call to a record made for it: what the fixtures name need not exist elsewhere."""
    by = operation.action.by
    if by and by[0] in ("path", "query", "header"):
        with contextlib.suppress(NotTested):
            given: dict[str, Any] = upon(client, operation, ready(client, operation))["given"]
            return given
    return {}


def _no_choice(client: Client, operation: Operation, whole: Any) -> Iterator[tuple[str, Any]]:
    """Bodies with a word that is none of those that a field has to choose from."""
    for name, schema in client.scope.fields(operation).items() if isinstance(whole, dict) else ():
        if schema.get("type") == "string" and "enum" in schema and name in whole and not schema.get("readOnly"):
            yield name, {**whole, name: "mockingbill"}


def _of_another_type(client: Client, operation: Operation, whole: Any) -> Any:
    """A body with an object in the place of a text or a number; None where there is no such field."""
    for name, schema in client.scope.fields(operation).items():
        if (
            isinstance(whole, dict)
            and schema.get("type") in ("string", "integer", "number", "boolean")
            and not schema.get("readOnly")
            and ("body", name) != operation.action.by
        ):
            return {**whole, name: {"mockingbill": [1]}}
    return None


def _broken_json(whole: Any) -> Iterator[tuple[str, bytes]]:
    text = json.dumps(whole).encode()
    yield "half a JSON text", text[: max(len(text) // 2, 1)]
    yield "text that is no JSON", b"full_name=Jane"
    yield "bytes that are not UTF-8", b'{"a": "\xff\xfe"}'
    yield "NaN", b'{"a": NaN}'
    yield "a lone surrogate", b'{"a": "\\ud800"}'
    yield "a NUL", b'{"a": "x\\u0000y"}'
    yield "a huge number", b'{"a": 1e400, "b": ' + b"9" * 400 + b"}"
    yield "deep nesting", b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}"
    yield "a repeated key", b'{"a": 1, "a": 2}'
