"""What must not repeat is refused a second time, and only there.

A value is used twice, left out twice, used by another tenant, written in the other case, and put upon another record by an update.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.finding import Broken
from conformance.promise import Promise, Subject
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import Made, upon
from conformance.target import ALONE
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create"):
        resource, fields = scope.resource(operation), scope.fields(operation)
        for index, group in enumerate(resource.unique):
            writable = [name for name in group if name in fields and not fields[name].get("readOnly")]
            if len(writable) == len(group) and "duplicate" in operation.statuses:
                pointer = f"{resource.pointer}/x-resource/unique/{index}"
                yield Subject(f"{operation.id} {'+'.join(group)}", operation, pointer, {"group": group})


def _probe(subject: Subject, client: Client) -> None:
    operation, group = subject.operation, subject.detail["group"]
    resource = client.scope.resource(operation)
    values = _values(client, operation, group)
    _, body = base_body(client, operation)
    first = make(client, resource.name, body={**body, **values}, operation=operation)
    _refused(client, operation, values, "a second record with the same values")
    _other_text(client, operation, values)
    if not resource.schema.get("required") or not set(group) & set(
        client.scope.schemas.required(operation.body and operation.body.schema)
    ):
        for _ in range(2):
            _, without = base_body(client, operation)
            lacking = {name: value for name, value in without.items() if name not in group}
            make(client, resource.name, body=lacking, operation=operation)
    if len(group) > 1:
        changed = {
            **values,
            group[-1]: client.fresh.value(client.scope.fields(operation)[group[-1]], values[group[-1]]),
        }
        _, other = base_body(client, operation)
        make(client, resource.name, body={**other, **changed}, operation=operation)
    if resource.scope == "tenant" and client.target.others:
        elsewhere = client.target.others[0]
        _, theirs = base_body(client, operation, caller=elsewhere)
        answer = client.call(operation, body={**theirs, **values}, caller=elsewhere)
        if not answer.ok:
            raise Broken(f"{operation.success.status} in another tenant, where nothing has these values", str(answer))
    elif resource.scope == "tenant":
        client.lacks("in another tenant", ALONE)
    for update in client.scope.acting("update", on=resource.name):
        _by_update(client, update, group, values, first)


def _values(client: Client, operation: Operation, group: tuple[str, ...]) -> dict[str, Any]:
    _, body = base_body(client, operation)
    fields = client.scope.fields(operation)
    made = {}
    for name in group:
        reference = "x-references" in fields[name] and body.get(name) is not None
        made[name] = body[name] if reference else client.fresh.value(fields[name], body.get(name))
    return made


def _other_text(client: Client, operation: Operation, values: dict[str, Any]) -> None:
    """A text in the other case is another text, but for mail addresses, whose hosts have no case."""
    name, value = next(iter(values.items()))
    if not isinstance(value, str) or "@" in value or "x-references" in client.scope.fields(operation)[name]:
        return
    other = value.swapcase()
    if other == value or not client.scope.schemas.fits(client.scope.fields(operation)[name], other):
        return
    media, body = base_body(client, operation)
    answer = client.call(operation, body={**body, **values, name: other}, media=media)
    if answer.status == operation.statuses["duplicate"]:
        raise Broken(f"{operation.success.status} for {other!r}, which is not {value!r}", str(answer))


def _refused(client: Client, operation: Operation, values: dict[str, Any], what: str) -> None:
    due = operation.statuses["duplicate"]
    for _ in range(2):
        _, body = base_body(client, operation)
        answer = client.call(operation, body={**body, **values})
        if answer.status != due:
            raise Broken(f"{due} for {what}", str(answer), status=due)


def _by_update(client: Client, update: Operation, group: tuple[str, ...], values: dict[str, Any], owner: Made) -> None:
    due = update.statuses.get("duplicate")
    by = update.action.by
    if due not in update.responses or not set(group) <= set(client.scope.fields(update)) or not by or by[0] != "path":
        return
    if client.scope.schemas.required(update.body and update.body.schema):
        return
    other = make(client, update.action.resource)
    answer = client.call(update, **upon(client, update, other, body=values))
    if answer.status != due:
        raise Broken(
            f"{due} for changing another record to the same values", str(answer), pointer=update.pointer, status=due
        )
    kept = client.call(update, **upon(client, update, owner, body=values))
    if not kept.ok:
        raise Broken(
            f"{update.success.status} for a record that keeps its own values", str(kept), pointer=update.pointer
        )


PROMISE = Promise(
    "unique_is_refused",
    "Within its scope a unique value may be used once: again is refused, absent is free, and in another tenant it is free too.",
    ("x-resource",),
    _subjects,
    _probe,
)
