"""Every failure has its status and wears the vendor's envelope.

Each operation meets what can go wrong with it: no credential, keys and parameters that cannot be, bodies that are broken, huge, deep, or of
another type; and each path the methods that it does not have. HEAD and OPTIONS are called for the sake of crashes alone.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, ready
from conformance.scope import Scope
from conformance.sights import upon
from conformance.wire import FORM
from mock_server.contract import Operation

_METHODS = ("GET", "PUT", "POST", "DELETE", "PATCH")


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        yield Subject(operation.id, operation, "/x-vendor/error")
    first = next(iter(scope.operations))
    yield Subject("unknown path", first, "/x-vendor/error", {"probe": _unknown_paths})
    yield Subject("wrong method", first, "/x-vendor/error", {"probe": _wrong_methods})


def _probe(subject: Subject, client: Client) -> None:
    probe: Callable[[Subject, Client], None] = subject.detail.get("probe", _operation)
    probe(subject, client)


def _operation(subject: Subject, client: Client) -> None:
    operation = subject.operation
    calls = 0
    for what, due, answer in _failures(operation, client):
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


def _failures(operation: Operation, client: Client) -> Iterator[tuple[str, set[int], Answer]]:
    statuses = operation.statuses
    if operation.secured:
        yield (
            "no credential",
            _due(operation, statuses.get("unauthenticated")),
            client.call(operation, credentials=False),
        )
    by = operation.action.by
    if by and by[0] in ("path", "query", "header"):
        parameter = next(p for p in operation.parameters if (p.where, p.name) == by)
        records = client.caller.records(operation.action.resource)
        like = records[0].get(client.scope.resource(operation).key) if records else "unknown"
        schema = client.scope.schemas.follow(parameter.schema)
        is_list = schema.get("type") == "array"
        key: Any = client.absent_key(client.scope.schemas.at(schema, ("-",)) if is_list else schema, like)
        key = [key] if is_list else key
        media, body = base_body(client, operation) if operation.body else (None, ABSENT)
        answer = client.call(operation, given={by[1]: key}, media=media, body=body)
        due = set() if operation.action.many else _due(operation, statuses.get("unknown"))
        yield "a key that names nothing", due, answer
    if by and by[0] == "path":
        yield from _strange_keys(operation, client, by[1])
    for parameter in operation.parameters:
        if parameter.required and parameter.where in ("query", "header"):
            due = _due(operation, statuses.get("parameter"))
            yield f"no {parameter.name}", due, client.call(operation, given={parameter.name: ABSENT})
    yield from _strange_parameters(operation, client)
    if operation.body:
        yield from _bodies(operation, client)


def _strange_parameters(operation: Operation, client: Client) -> Iterator[tuple[str, set[int], Answer]]:
    """Values that a parameter cannot have, and a tenant that does not exist."""
    due, tenancy = _due(operation, operation.statuses.get("parameter")), client.scope.contract.tenancy
    arguments: dict[str, Any] = {}
    if operation.body:
        try:
            arguments = dict(zip(("media", "body"), base_body(client, operation), strict=True))
        except NotTested:
            return
    for parameter in operation.parameters:
        schema = client.scope.schemas.follow(parameter.schema)
        if (parameter.where, parameter.name) == (tenancy.where, tenancy.name):
            nobody = client.absent_key(schema, client.caller.tenant)
            answer = client.call(operation, given={parameter.name: nobody}, **arguments)
            yield f"the {parameter.name} {nobody}", set(), answer
        elif parameter.where == "path" and "enum" in schema:
            answer = client.call(operation, given={parameter.name: "mockingbill"}, **arguments)
            yield f"the {parameter.name} mockingbill", due | _due(operation, operation.statuses.get("unknown")), answer
        elif parameter.where != "query" or schema.get("nullable") or parameter.references:
            continue
        elif schema.get("type") in ("integer", "number", "boolean") or "enum" in schema:
            answer = client.call(operation, given={parameter.name: "mockingbill"}, **arguments)
            yield f"the {parameter.name} mockingbill", due, answer
        if schema.get("type") == "integer" and "minimum" in schema and due and not parameter.references:
            low = schema["minimum"] - 1
            yield f"the {parameter.name} {low}", due, client.call(operation, given={parameter.name: low}, **arguments)


def _strange_keys(operation: Operation, client: Client, name: str) -> Iterator[tuple[str, set[int], Answer]]:
    for strange in ("%ff", "%00", "%zz", quote("é" * 300), "..%2f..%2f", "%F0%9F%8E%88"):
        path, query, headers = client.parameters(operation, {name: "~strange~"}, client.caller)
        extra, authority = client.credentials(operation, client.caller.token) if operation.secured else ([], {})
        sent = {**client.caller.headers, **headers, **authority}
        path = path.replace("~strange~", strange)
        yield (
            f"the key {strange}",
            set(),
            client.send(operation.method.upper(), path, query + extra, sent, None, operation),
        )


def _bodies(operation: Operation, client: Client) -> Iterator[tuple[str, set[int], Answer]]:
    malformed = _due(operation, operation.statuses.get("malformed"))
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
                    yield (
                        f"the body {json.dumps(value)}",
                        malformed | _due(operation, operation.statuses.get("invalid")),
                        answer,
                    )
    wrong = _of_another_type(client, operation, whole) if media != FORM else None
    if wrong is not None:
        invalid = malformed | _due(operation, operation.statuses.get("invalid"))
        yield "a field of another type", invalid, client.call(operation, given=given, body=wrong, media=media)
    for name, body in _no_choice(client, operation, whole) if media != FORM else ():
        invalid = malformed | _due(operation, operation.statuses.get("invalid"))
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


def _due(operation: Operation, status: int | None) -> set[int]:
    return {status} if status in operation.responses and status is not None else set()


def _unknown_paths(subject: Subject, client: Client) -> None:
    _, headers = client.credentials(subject.operation, client.caller.token)
    for path in ("/mockingbill-no-such-path", "/%00", "/%ff", "/mockingbill//x", "/..%2f"):
        answer = client.send("GET", path, "", {**client.caller.headers, **headers})
        if answer.ok:
            raise Broken(f"404 for {path}", str(answer), status=404)
        wears(client, None, answer, f"the path {path}")
    answer = client.send("GET", "/mockingbill-no-such-path", "", {**client.caller.headers, **headers})
    if answer.status != 404:
        raise Broken("404 for a path that is not there", str(answer), status=404)


def _wrong_methods(subject: Subject, client: Client) -> None:
    contract = client.scope.contract
    offered: dict[str, set[str]] = {}
    for operation in contract.operations.values():
        offered.setdefault(operation.path, set()).add(operation.method.upper())
    for operation in {operation.path: operation for operation in client.scope.operations}.values():
        path, query, headers = client.parameters(operation, {}, client.caller)
        extra, authority = client.credentials(operation, client.caller.token) if operation.secured else ([], {})
        for name in ("HEAD", "OPTIONS"):
            _answered(client, name, path, query + extra, {**client.caller.headers, **headers, **authority})
        method = next((name for name in reversed(_METHODS) if name not in _reachable(offered, operation.path)), None)
        if method is None:
            continue
        answer = client.send(method, path, query + extra, {**client.caller.headers, **headers, **authority})
        if answer.status != 405:
            raise Broken(f"405 for {method} {operation.path}", str(answer), pointer=operation.pointer)
        allow = {name.strip().upper() for name in answer.headers.get("allow", "").split(",") if name.strip()}
        stated = {o.method.upper() for o in client.scope.operations if o.path == operation.path}
        if not stated <= allow or allow - offered[operation.path] - {"HEAD", "OPTIONS"}:
            raise Broken(
                f"Allow: {', '.join(sorted(stated))} for {operation.path}",
                f"Allow: {answer.headers.get('allow')}",
                pointer=operation.pointer,
            )
        wears(client, None, answer, f"{method} {operation.path}")


def _answered(client: Client, method: str, path: str, query: list[tuple[str, str]], headers: dict[str, str]) -> None:
    """What HEAD and OPTIONS answer is HTTP's business, and 501 is an answer; a crash is ours."""
    try:
        client.send(method, path, query, headers)
    except Broken:
        if client.transcript[-1].status != 501:
            raise


def _reachable(offered: Mapping[str, set[str]], path: str) -> set[str]:
    """The methods of every path template that the same request could mean."""
    shape = path.split("/")

    def alike(other: str) -> bool:
        parts = other.split("/")
        pairs = zip(shape, parts, strict=True) if len(parts) == len(shape) else iter([("a", "b")])
        return all(one == two or "{" in one or "{" in two for one, two in pairs)

    return {method for other, methods in offered.items() if alike(other) for method in methods}


def wears(client: Client, operation: Operation | None, answer: Answer, what: str) -> None:
    """Hold a failed answer against the envelope: the schema its operation documents for the status, or the vendor's own."""
    if answer.status >= 500:
        raise Broken("no server error", str(answer))
    contract, schemas = client.scope.contract, client.scope.schemas
    response = operation.responses.get(answer.status) if operation else None
    schema: Any = next(iter(response.content.values()), None) if response else None
    schema = schema or {"$ref": f"#/components/schemas/{contract.error}"}
    if "json" not in answer.headers.get("content-type", "").lower():
        raise Broken(
            f"the error envelope as JSON for {what}",
            f"{answer.status} as {answer.headers.get('content-type')}",
            status=answer.status,
        )
    faults = schemas.faults(_kept(client, schema), answer.body)
    if answer.body is None or faults:
        raise Broken(f"the error envelope for {what}", f"{answer}; {'; '.join(faults[:3])}", status=answer.status)


def _kept(client: Client, schema: Any) -> Any:
    """The same schema object each time, so that its validator is made once."""
    name = schema.get("$ref", "")
    return client.scope.schemas.follow(schema) if name else schema


PROMISE = Promise(
    "errors_wear_the_envelope",
    "Whatever goes wrong, the answer has the stated status and the vendor's error envelope: never a server error, never another shape.",
    ("x-vendor", "x-statuses", "x-references"),
    _subjects,
    _probe,
)
