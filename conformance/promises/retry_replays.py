"""A repeated call with the same key gives the first answer again and changes nothing.

A call is repeated with its key: the answer is compared, status and record. Then come another key, one that differs in case alone, one whose
first call was refused, one of another tenant; and, where the clock can be moved, one a minute before and after the end of its life.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from conformance.client import Answer, Client
from conformance.control import apart, standing, until
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body, freshen
from conformance.schemas import drop
from conformance.scope import Scope
from conformance.target import ALONE
from mock_server.contract import Operation

_MINUTE = 60


def keyed_operations(scope: Scope) -> Iterator[Subject]:
    """The creates that take an idempotency key."""
    rule = scope.contract.idempotency
    for operation in scope.acting("create") if rule else ():
        if rule and any(p.where == "header" and p.name.lower() == rule.header.lower() for p in operation.parameters):
            yield Subject(operation.id, operation, "/x-vendor/idempotency")


def key_header(client: Client) -> dict[str, str]:
    """A header with a key that was never used."""
    rule = client.scope.contract.idempotency
    assert rule is not None, "a subject has one"
    return {rule.header: client.fresh.token()}


def shown(client: Client, answer: Answer) -> list[Mapping[str, Any]]:
    """The records an answer shows."""
    assert answer.operation is not None, "the call was of an operation"
    return answer.records(answer.operation.view(answer.operation.action.resource))


def _probe(subject: Subject, client: Client) -> None:
    operation = subject.operation
    media, body = base_body(client, operation)
    header = key_header(client)
    first = _accepted(client.call(operation, body=body, media=media, headers=header), operation)
    for _ in range(2):
        again = client.call(operation, body=body, media=media, headers=header)
        if again.status != first.status or shown(client, again) != shown(client, first):
            raise Broken(f"the first answer again: {first}", str(again))
    other = freshen(client, operation, body)
    second = _accepted(client.call(operation, body=other, media=media, headers=key_header(client)), operation)
    if shown(client, first) and shown(client, second) == shown(client, first):
        raise Broken("another record for another key", str(second))
    _other_case(client, operation, media, body)
    _not_remembered(client, operation, media, body)
    _lives(client, operation)
    _elsewhere(client, operation, media, header, first)


def _accepted(answer: Answer, operation: Operation) -> Answer:
    if not answer.ok:
        raise Broken(f"{operation.success.status} for a key used for the first time", str(answer))
    return answer


def _other_case(client: Client, operation: Operation, media: str, body: Any) -> None:
    """A key that differs in case alone is another key."""
    [(name, key)] = key_header(client).items()
    for spelled in (key.lower(), key.upper()):
        answer = client.call(operation, body=freshen(client, operation, body), media=media, headers={name: spelled})
        if not answer.ok:
            raise Broken(f"{operation.success.status} for a key that differs in case alone", str(answer))


def _lives(client: Client, operation: Operation) -> None:
    """A key is remembered for as long as the document says, and free again afterwards. Where no clock can be moved, nothing is learned."""
    rule = client.scope.contract.idempotency
    assert rule is not None, "a subject has one"
    with contextlib.suppress(NotTested), apart(client), standing(client) as begun:
        media, body = base_body(client, operation)
        header = key_header(client)
        first = _accepted(client.call(operation, body=body, media=media, headers=header), operation)
        until(client, begun + timedelta(seconds=rule.lifetime - _MINUTE))
        again = client.call(operation, body=body, media=media, headers=header)
        if again.status != first.status or shown(client, again) != shown(client, first):
            raise Broken(f"the first answer again, within {rule.lifetime} seconds: {first}", str(again))
        until(client, begun + timedelta(seconds=rule.lifetime + _MINUTE))
        other = freshen(client, operation, body)
        late = client.call(operation, body=other, media=media, headers=header)
        if not late.ok or (shown(client, first) and shown(client, late) == shown(client, first)):
            raise Broken(f"a record of its own, after more than {rule.lifetime} seconds", str(late))


def _not_remembered(client: Client, operation: Operation, media: str, body: Any) -> None:
    """A call that failed validation leaves its key free."""
    required = client.scope.schemas.required(operation.body.schema if operation.body else {})
    if not required or not isinstance(body, dict):
        return
    header, whole = key_header(client), freshen(client, operation, body)
    client.call(operation, body=drop(whole, (required[0],)), media=media, headers=header)
    answer = client.call(operation, body=whole, media=media, headers=header)
    if not answer.ok:
        raise Broken(f"{operation.success.status} for a key whose first call failed validation", str(answer))


def _elsewhere(client: Client, operation: Operation, media: str, header: dict[str, str], first: Answer) -> None:
    """A key belongs to a tenant: another tenant's call with it is a call of its own."""
    part = "in another tenant"
    if not client.target.others:
        client.lacks(part, ALONE)
        return
    other = client.target.others[0]
    try:
        _, body = base_body(client, operation, caller=other)
    except NotTested as reason:
        client.lacks(part, str(reason))
        return
    answer = client.call(operation, body=body, media=media, headers=header, caller=other)
    if not answer.ok:
        raise Broken(f"{operation.success.status} for another tenant's call with the same key", str(answer))
    if shown(client, first) and shown(client, answer) == shown(client, first):
        raise Broken("a record of the other tenant's own", f"the first tenant's: {answer}")


PROMISE = Promise(
    "retry_replays",
    "The same key with the same body gives the first answer again, for as long as is stated; a key is one tenant's, and a failed call frees it.",
    ("x-vendor",),
    keyed_operations,
    _probe,
)
