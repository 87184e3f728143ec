"""A key that comes again with another body is refused.

A key comes again with another body and must be refused with the stated status; then once more with the first body, which still gets the
first answer.
"""

from __future__ import annotations

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Promise, Subject
from conformance.promises.retry_replays import key_header, keyed_operations, shown
from conformance.records import base_body, freshen
from conformance.values import awkward


def _probe(subject: Subject, client: Client) -> None:
    operation, rule = subject.operation, client.scope.contract.idempotency
    assert rule is not None, "a subject has one"
    media, body = base_body(client, operation)
    header = key_header(client)
    first = client.call(operation, body=body, media=media, headers=header)
    if not first.ok:
        raise Broken(f"{operation.success.status} for a key used for the first time", str(first))
    for other in _others(client, operation, body):
        answer = client.call(operation, body=other, media=media, headers=header)
        if answer.status != rule.conflict:
            raise Broken(f"{rule.conflict} for the same key with another body", str(answer), status=rule.conflict)
    again = client.call(operation, body=body, media=media, headers=header)
    if again.status != first.status or shown(client, again) != shown(client, first):
        raise Broken(f"the first body still to get the first answer: {first}", str(again))


def _others(client: Client, operation: object, body: dict[str, object]) -> list[dict[str, object]]:
    """Bodies that differ in what must not repeat, and in one plain text."""
    subject = client.scope.contract.operations[operation.id]  # type: ignore[attr-defined]
    bodies = [freshen(client, subject, body)]
    for name, schema in client.scope.fields(subject).items():
        texts = [value for value in awkward(schema) if isinstance(value, str)]
        if texts and name in body:
            bodies.append({**body, name: texts[0]})
            break
    return [other for other in bodies if other != body]


PROMISE = Promise(
    "reused_key_is_refused",
    "A key that comes again with another body is refused, and the first call's answer stands.",
    ("x-vendor",),
    keyed_operations,
    _probe,
)
