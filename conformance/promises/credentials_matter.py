"""Without a valid credential nothing works.

Every operation that needs a credential is called without one, with one that nobody has, with a known one cut short or made longer, and with
those that the target is known to have revoked or let expire.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import present, upon
from mock_server.contract import Operation

_TOLD = (("expired", "expires_at"), ("revoked", "revoked"))
"""Which property of a credential says that there are such ones."""


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.operations:
        if operation.secured:
            yield Subject(operation.id, operation, operation.pointer)
        secret = [name for name, schema in scope.fields(operation).items() if schema.get("writeOnly")]
        if operation.action.resource == "Credential" and operation.action.verb == "none" and secret and operation.body:
            yield Subject(f"{operation.id} secrets", operation, operation.body.pointer, {"secret": secret})


def _probe(subject: Subject, client: Client) -> None:
    operation, token = subject.operation, client.caller.token
    if "secret" in subject.detail:
        _guessed(operation, client, subject.detail["secret"])
        return
    if token is None:
        raise NotTested("no credential is known")
    media, body = None, ABSENT
    if operation.body:
        try:
            media, body = base_body(client, operation)
        except NotTested:
            media, body = next(iter(operation.body.content)), {}
    arguments: dict[str, Any] = {**_aimed(client, operation, body), "media": media}
    creates = operation.action.verb == "create" and bool(client.scope.listings(operation.action.resource))
    before = present(client, operation.action.resource, client.caller) if creates else set()
    for what, headers in _wrong(client, operation, token):
        answer = client.call(operation, **arguments, credentials=False, headers=headers)
        _refused(subject, client, answer, what, "unauthenticated")
    for why, refused in client.target.refused.items():
        _, headers = client.credentials(operation, refused)
        answer = client.call(operation, **arguments, credentials=False, headers=headers)
        _refused(subject, client, answer, why, "forbidden" if why == "revoked" else "unauthenticated")
    _unknown(client, operation)
    if creates and present(client, operation.action.resource, client.caller) != before:
        raise Broken("nothing to be made by a refused call", "a new record")


def _guessed(operation: Operation, client: Client, secret: list[str]) -> None:
    """Who asks for a credential gets one for the right secret, and for none that is nearly right."""
    media, body = base_body(client, operation)
    if not client.call(operation, body=body, media=media).ok:
        raise NotTested(f"no secret is known with which {operation.id} succeeds")
    for name in secret:
        value = body.get(name)
        for guess in (value.swapcase(), value[:-1], f"{value}x", "") if isinstance(value, str) and value else ():
            answer = client.call(operation, body={**body, name: guess}, media=media)
            if answer.ok:
                raise Broken(f"a refusal for a {name} that is nearly right", str(answer))


def _aimed(client: Client, operation: Operation, body: Any) -> dict[str, Any]:
    """The arguments of a call on a record made for the purpose, so that one that wrongly succeeds harms no known record."""
    if operation.action.verb in ("update", "delete"):
        with contextlib.suppress(NotTested):
            return upon(client, operation, make(client, operation.action.resource), body=body)
    return {"body": body}


def _wrong(client: Client, operation: Operation, token: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "no credential", {}
    unknown = f"{token[:-3]}zzz" if len(token) > 3 else f"{token}zzz"
    for what, value in (
        ("an unknown token", unknown),
        ("a token cut short", token[:-1]),
        ("a longer token", f"{token}x"),
    ):
        query, headers = client.credentials(operation, value)
        if not query:
            yield what, headers
    _, right = client.credentials(operation, token)
    if "Authorization" in right:
        yield "another scheme", {"Authorization": f"Basic {token}"}
        yield "a scheme without a token", {"Authorization": "Bearer"}
        yield "a token without a scheme", {"Authorization": token}


def _unknown(client: Client, operation: Operation) -> None:
    """Say once which credentials the document tells of that are not known."""
    resource = client.scope.contract.resources.get("Credential")
    told = {why for why, shown in _TOLD if resource is not None and shown in resource.properties}
    for why in sorted(told - set(client.target.refused)):
        if client.found.setdefault(f"no {why}", operation.id) == operation.id:
            client.lacks(why, f"no {why} credential is known")


def _refused(subject: Subject, client: Client, answer: Answer, what: str, kind: str) -> None:
    operation = subject.operation
    due = operation.statuses.get(kind, operation.statuses.get("unauthenticated", 401))
    if answer.status != due:
        raise Broken(f"{due} for {what}", str(answer), status=due)
    token = client.caller.token
    if token and token.encode() in answer.content:
        raise Broken(f"no valid token in the answer to {what}", str(answer), status=due)


PROMISE = Promise(
    "credentials_matter",
    "No credential, or one that is unknown, malformed, expired or revoked, opens nothing.",
    ("x-vendor",),
    _subjects,
    _probe,
)
