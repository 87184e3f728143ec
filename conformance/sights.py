"""Finds records again: by key, in lists over all their pages, inside the records that hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.scope import Sight
from conformance.target import Caller
from mock_server.contract import Json, Operation, Resource, resolve


@dataclass(frozen=True)
class Made:
    """A record that was made: by which operation, from which body, as its answer shows it.

    `context` holds the keys of the records around it, by resource: the one it stands inside, those it refers to.
    """

    operation: Operation
    resource: Resource
    caller: Caller
    key: Any
    sent: Json
    media: str
    record: Mapping[str, Any]
    answer: Answer
    context: Mapping[str, Any] = field(default_factory=dict)


def present(client: Client, resource: str, caller: Caller) -> set[Any]:
    """The keys of the records that can be seen."""
    key = client.scope.contract.resources[resource].key
    return {record.get(key) for record in visible(client, resource, caller)}


def visible(client: Client, resource: str, caller: Caller) -> list[Mapping[str, Any]]:
    """The records a list shows, or those inside the caller's own record; none where neither is offered."""
    for sight in client.scope.sights(resource):
        if sight.how == "list":
            return walk(client, sight, caller)
        if sight.how == "owner" and _own(sight):
            return client.call(sight.operation, caller=caller).records(sight.view)
    return []


def _own(sight: Sight) -> bool:
    return sight.operation.action.by == ("credential", "subject")


def upon(client: Client, operation: Operation, *made: Made, body: Json = ABSENT) -> dict[str, Any]:
    """The arguments of a call that leads an operation to records: their keys and those of what is around them, wherever it wants them."""
    given: dict[str, Any] = {}
    many, by, tenancy = operation.action.many, operation.action.by, client.scope.contract.tenancy
    value: Any = [one.key for one in made] if many else made[0].key
    for parameter in operation.parameters:
        if by == (parameter.where, parameter.name):
            as_text = many and client.scope.schemas.follow(parameter.schema).get("type") == "string"
            given[parameter.name] = json.dumps(value) if as_text else value
        elif (parameter.where, parameter.name) == (tenancy.where, tenancy.name) or parameter.where != "path":
            continue
        elif parameter.references and parameter.references in made[0].context:
            given[parameter.name] = made[0].context[parameter.references]
    if by and by[0] == "body":
        body = {**(body if isinstance(body, Mapping) else {}), by[1]: value}
    return {"given": given} if body is ABSENT else {"given": given, "body": body}


def see(
    client: Client, made: Made, *, caller: Caller | None = None, key: Any = ABSENT
) -> tuple[Sight, Mapping[str, Any] | None]:
    """The record as the most direct sight shows it, and which sight that was; None where it is gone.

    Raises NotTested where nothing in scope shows such records.
    """
    caller = caller or made.caller
    key = made.key if key is ABSENT else key
    for sight in client.scope.sights(made.resource.name):
        found = look(client, sight, made, key, caller)
        if found is not ABSENT:
            return sight, found
    raise NotTested(f"nothing in scope shows a {made.resource.name} again")


def look(client: Client, sight: Sight, made: Made, key: Any, caller: Caller) -> Any:
    """The record through one sight: None where it is not there, ABSENT where this sight cannot be used."""
    operation = sight.operation
    if sight.how == "key" and _own(sight):
        return ABSENT
    if sight.how == "key":
        answer = client.call(operation, **upon(client, operation, replace(made, key=key)), caller=caller)
        if answer.ok:
            records = answer.records(sight.view)
            if not records:
                raise Broken(
                    f"the {made.resource.name} at /{'/'.join(sight.view.path)}", str(answer), pointer=operation.pointer
                )
            return records[0]
        hidden = {operation.statuses.get("unknown")}
        if caller.tenant != made.caller.tenant:
            hidden |= {operation.statuses.get("unauthenticated"), operation.statuses.get("forbidden")}
        if answer.status in hidden:
            return None
        due = f"{operation.success.status} or {operation.statuses.get('unknown')}"
        raise Broken(due, str(answer), pointer=operation.pointer)
    if sight.how == "list":
        return next((r for r in walk(client, sight, caller) if r.get(made.resource.key) == key), None)
    given = owner_key(sight, made)
    if given is None:
        return ABSENT
    answer = client.call(operation, given=given, caller=caller)
    return next((r for r in answer.records(sight.view) if r.get(made.resource.key) == key), None)


def owner_key(sight: Sight, made: Made) -> dict[str, Any] | None:
    """The parameters that reach the record in which a made one stands; None where they are not known."""
    if _own(sight):
        return {}
    owner, by = sight.operation.action.resource, sight.operation.action.by
    return {by[1]: made.context[owner]} if by and made.context.get(owner) is not None else None


def pages(
    client: Client, sight: Sight, caller: Caller | None = None, given: Mapping[str, Any] | None = None, limit: int = 60
) -> Iterator[Answer]:
    """The answers of a list, page by page, as long as there is a next link, or a page is full, and it is not the same page again."""
    operation = sight.operation
    paging = client.scope.contract.pagination if paged(client, sight.operation) else None
    shown: list[Json] = []
    for number in range(1, limit + 1):
        page = {paging.parameter: number} if paging else {}
        answer = client.call(operation, given={**(given or {}), **page}, caller=caller)
        if not answer.ok:
            raise Broken(f"{operation.success.status} for {operation.label}", str(answer), pointer=operation.pointer)
        yield answer
        records = answer.records(sight.view)
        if not paging or (number > 1 and records == shown) or (number > 1 and not records):
            return
        shown = records
        if not at(answer, paging.next) if paging.next else len(records) < paging.size:
            return
    raise NotTested(f"{operation.id} has more than {limit} pages")


def paged(client: Client, operation: Operation) -> bool:
    """Whether a list is shown page by page."""
    paging = client.scope.contract.pagination
    return paging is not None and any((p.where, p.name) == ("query", paging.parameter) for p in operation.parameters)


def at(answer: Answer, pointer: str) -> Any:
    """What an answer says at a place; None where it says nothing there."""
    try:
        return resolve(answer.body, pointer)
    except KeyError:
        return None


def walk(client: Client, sight: Sight, caller: Caller | None = None) -> list[Mapping[str, Any]]:
    """Every record of a list, over all its pages."""
    return [record for answer in pages(client, sight, caller) for record in answer.records(sight.view)]
