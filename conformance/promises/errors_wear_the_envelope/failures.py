"""What can go wrong with an operation: no credential, keys and parameters that cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from conformance.client import ABSENT, Client
from conformance.finding import NotTested
from conformance.promises.errors_wear_the_envelope.bodies import bodies
from conformance.promises.errors_wear_the_envelope.envelope import Failure, documented
from conformance.records import base_body
from mock_server.contract import Operation


def failures(operation: Operation, client: Client) -> Iterator[Failure]:
    """Each thing that can go wrong with an operation, tried out."""
    statuses = operation.statuses
    if operation.secured:
        yield (
            "no credential",
            documented(operation, statuses.get("unauthenticated")),
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
        due = set() if operation.action.many else documented(operation, statuses.get("unknown"))
        yield "a key that names nothing", due, answer
    if by and by[0] == "path":
        yield from _strange_keys(operation, client, by[1])
    for parameter in operation.parameters:
        if parameter.required and parameter.where in ("query", "header"):
            due = documented(operation, statuses.get("parameter"))
            yield f"no {parameter.name}", due, client.call(operation, given={parameter.name: ABSENT})
    yield from _strange_parameters(operation, client)
    if operation.body:
        yield from bodies(operation, client)


def _strange_parameters(operation: Operation, client: Client) -> Iterator[Failure]:
    """Values that a parameter cannot have, and a tenant that does not exist."""
    due, tenancy = documented(operation, operation.statuses.get("parameter")), client.scope.contract.tenancy
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
            yield (
                f"the {parameter.name} mockingbill",
                due | documented(operation, operation.statuses.get("unknown")),
                answer,
            )
        elif parameter.where != "query" or schema.get("nullable") or parameter.references:
            continue
        elif schema.get("type") in ("integer", "number", "boolean") or "enum" in schema:
            answer = client.call(operation, given={parameter.name: "mockingbill"}, **arguments)
            yield f"the {parameter.name} mockingbill", due, answer
        if schema.get("type") == "integer" and "minimum" in schema and due and not parameter.references:
            low = schema["minimum"] - 1
            yield f"the {parameter.name} {low}", due, client.call(operation, given={parameter.name: low}, **arguments)


def _strange_keys(operation: Operation, client: Client, name: str) -> Iterator[Failure]:
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
