"""Thirty at once make one.

Thirty calls begin at one moment, all with one idempotency key, or with one value that must not repeat. One record may come of them, however
the other calls are answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from conformance.client import Answer, Client
from conformance.finding import Broken, NotTested, Withheld
from conformance.promise import Promise, Subject
from conformance.promises.retry_replays import key_header, keyed_operations, shown
from conformance.records import base_body, unique_fields
from conformance.scope import Scope
from conformance.sending import LIMITED

_MANY = 30


def _subjects(scope: Scope) -> Iterator[Subject]:
    for subject in keyed_operations(scope):
        yield Subject(f"{subject.name} same key", subject.operation, subject.pointer, {"keyed": True})
    for operation in scope.acting("create"):
        resource, fields = scope.resource(operation), scope.fields(operation)
        if any(set(group) <= set(fields) for group in resource.unique) and "duplicate" in operation.statuses:
            pointer = f"{resource.pointer}/x-resource/unique"
            yield Subject(f"{operation.id} same unique values", operation, pointer, {"keyed": False})


def _probe(subject: Subject, client: Client) -> None:
    operation, keyed = subject.operation, subject.detail["keyed"]
    media, body = base_body(client, operation)
    fields = client.scope.fields(operation)
    needed = client.scope.schemas.required(operation.body and operation.body.schema)
    for name in unique_fields(client, operation):
        if keyed and name not in needed:
            body.pop(name, None)  # so that nothing but the key keeps two from being made
        elif not keyed and body.get(name) is None:
            body[name] = client.fresh.value(fields[name])
    header = key_header(client) if keyed else {}
    start = Barrier(_MANY)

    def one() -> Answer | None:
        start.wait()
        try:
            return client.call(operation, body=body, media=media, headers=header)
        except Withheld:
            return None

    with client.sending.at_once(_MANY), ThreadPoolExecutor(_MANY) as pool:
        calls = [pool.submit(one) for _ in range(_MANY)]
        answers = [answer for call in calls if (answer := call.result()) is not None]
    if len(answers) < 2:
        raise NotTested(f"{LIMITED}: of {_MANY} at once {len(answers)} were answered")
    (_one_record if keyed else _one_winner)(client, subject, answers)


def _one_record(client: Client, subject: Subject, answers: list[Answer]) -> None:
    rule = client.scope.contract.idempotency
    assert rule is not None, "a subject has one"
    odd = [answer for answer in answers if not answer.ok and answer.status != rule.in_use]
    if odd:
        raise Broken(f"the record, or {rule.in_use} while the first call runs", str(odd[0]), status=rule.in_use)
    records = [record for answer in answers if answer.ok for record in shown(client, answer)]
    if not any(answer.ok for answer in answers):
        raise Broken("one call that succeeds", f"{len(answers)} refusals")
    key = client.scope.resource(subject.operation).key
    keys = {record.get(key) for record in records}
    if len(keys) > 1:
        raise Broken("one record", f"{len(keys)}: {sorted(map(str, keys))[:4]}")


def _one_winner(client: Client, subject: Subject, answers: list[Answer]) -> None:
    due = subject.operation.statuses["duplicate"]
    won = sum(answer.ok for answer in answers)
    if won != 1:
        raise Broken(f"one success and {len(answers) - 1} refusals with {due}", f"{won} successes")
    odd = [answer for answer in answers if not answer.ok and answer.status != due]
    if odd:
        raise Broken(f"{due} for the rest", str(odd[0]), status=due)


PROMISE = Promise(
    "concurrent_retries_make_one",
    "Thirty calls at once with one key, or with one unique value, make one record.",
    ("x-vendor", "x-resource"),
    _subjects,
    _probe,
)
