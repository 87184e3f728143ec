"""Makes records of a resource through the contract's own operations, and finds them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformance.client import ABSENT, FORM, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.schemas import Schemas, drop, put
from conformance.scope import Sight
from conformance.target import Caller
from conformance.values import sample
from mock_server.contract import Json, Operation, Resource, View, resolve


@dataclass(frozen=True)
class Made:
    """A record that was made: by which operation, from which body, as its answer shows it."""

    operation: Operation
    resource: Resource
    caller: Caller
    key: Any
    sent: Json
    media: str
    record: Mapping[str, Any]
    answer: Answer


def base_body(
    client: Client, operation: Operation, name: str | None = None, caller: Caller | None = None
) -> tuple[str, Json]:
    """Media type and body of a request that must succeed: a named example, or the least the schema asks for; fresh and filled."""
    examples = client.scope.examples(operation)
    wanted = [example for example in examples if name in (None, example[0])]
    assert operation.body is not None, "callers ask for operations with a body"
    if wanted:
        _, media, value = (
            max(wanted, key=lambda example: example[1] != FORM and _size(example[2])) if name is None else wanted[0]
        )
    else:
        media, value = next(iter(operation.body.content)), sample(client.scope.schemas, operation.body.schema)
    return media, freshen(client, operation, fill(client, operation, value, caller or client.caller))


def _size(value: Json) -> int:
    return len(value) if isinstance(value, Mapping | list) else 0


def fill(client: Client, operation: Operation, value: Json, caller: Caller) -> Json:
    """The body with every reference naming a record this caller knows; one that cannot be filled is left out."""
    assert operation.body is not None, "callers ask for operations with a body"
    schemas, contract = client.scope.schemas, client.scope.contract
    for path, resource, _ in list(schemas.references(operation.body.schema, value)):
        current = resolve_path(value, path)
        if current is None:
            continue
        key = contract.resources[resource].key
        records = {name: record for name, record in caller.known.get(resource, {}).items() if key in record}
        if any(record[key] == current for record in records.values()):
            continue
        name = client.target.names.get(resource, {}).get(current if not isinstance(current, list | dict) else None, "")
        if name in records:
            value = put(value, path, records[name][key])
        elif records:
            value = put(value, path, next(iter(records.values()))[key])
        elif client.scope.creates(resource):
            value = put(value, path, dependency(client, resource, caller))
        elif path[-1] in schemas.required(_holder(client, operation, path)):
            raise NotTested(f"no {resource} is known to this caller, and {operation.id} needs one")
        else:
            value = drop(value, path)
    return value


def dependency(client: Client, resource: str, caller: Caller) -> Any:
    """The key of a record others may refer to, made once for each caller."""
    kept = client.populated.setdefault((f"dependency {resource}", caller.name), [])
    if not kept:
        kept.append(make(client, resource, caller=caller).key)
    return kept[0]


def _holder(client: Client, operation: Operation, path: tuple[str | int, ...]) -> Any:
    assert operation.body is not None, "callers ask for operations with a body"
    return client.scope.schemas.at(operation.body.schema, tuple("-" if isinstance(s, int) else s for s in path[:-1]))


def resolve_path(value: Json, path: tuple[str | int, ...]) -> Json:
    """What stands at a path of a body."""
    for step in path:
        value = value[step]
    return value


def unique_fields(client: Client, operation: Operation) -> list[str]:
    """The fields of a body that must not repeat: members of unique sets, and a key the client chooses."""
    resource = client.scope.resource(operation)
    fields = client.scope.fields(operation)
    names = [name for group in resource.unique for name in group]
    if operation.action.verb == "create" and resource.key not in resource.mint:
        names.append(resource.key)
    return [name for name in dict.fromkeys(names) if name in fields and not fields[name].get("readOnly")]


def freshen(client: Client, operation: Operation, body: Json) -> Json:
    """The body with new values in every field that must not repeat and that it has."""
    if not isinstance(body, Mapping):
        return body
    fields = client.scope.fields(operation)
    fresh = dict(body)
    for name in unique_fields(client, operation):
        if fresh.get(name) is not None and "x-references" not in fields[name]:
            fresh[name] = client.fresh.value(fields[name], fresh[name])
    return fresh


def make(
    client: Client,
    resource: str,
    *,
    body: Json = ABSENT,
    media: str | None = None,
    caller: Caller | None = None,
    headers: Mapping[str, str] | None = None,
    operation: Operation | None = None,
) -> Made:
    """Create a record. Raises NotTested where the contract has no way, Broken where a valid request is refused."""
    creates = [operation] if operation else client.scope.creates(resource)
    if not creates:
        raise NotTested(f"no operation in scope creates a {resource}")
    caller = caller or client.caller
    operation = creates[0]
    if body is ABSENT and operation.body is not None:
        media, body = base_body(client, operation, caller=caller)
    view = operation.view(resource)
    before = present(client, resource, caller) if view is None or view.is_list else set()
    answer = client.call(operation, body=body, media=media, caller=caller, headers=headers)
    if not answer.ok:
        raise Broken(
            f"{operation.success.status} for a valid {operation.label}", str(answer), pointer=operation.pointer
        )
    return made_from(client, operation, answer, body, media or "application/json", caller, before)


def made_from(
    client: Client, operation: Operation, answer: Answer, body: Json, media: str, caller: Caller, before: set[Any]
) -> Made:
    """The record a successful answer shows, or one that can be seen now and could not before."""
    resource = client.scope.resource(operation)
    key, record = resource.key, dict[str, Any]()
    shown = [item for item in answer.records(operation.view(resource.name)) if item.get(key) not in before]
    if shown:
        record = dict(shown[-1])
    elif isinstance(body, Mapping) and key in body:
        record = {key: body[key]}
    elif client.scope.sights(resource.name):
        found = [item for item in visible(client, resource.name, caller) if item.get(key) not in before]
        record = dict(found[-1]) if found else {}
    if key not in record and isinstance(body, Mapping) and key in body:
        record = {**record, key: body[key]}
    if key not in record:
        raise NotTested(f"{operation.id} does not show the {resource.name} it makes")
    return Made(operation, resource, caller, record[key], body, media, record, answer)


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


def keyed(operation: Operation, key: Any) -> dict[str, Any]:
    """The parameters that name a record, where the key stands in a parameter."""
    by = operation.action.by
    return {by[1]: key} if by and by[0] in ("path", "query", "header") else {}


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
    if sight.how == "key":
        answer = client.call(operation, given=keyed(operation, key), caller=caller)
        if answer.ok:
            records = answer.records(sight.view)
            if not records:
                raise Broken(
                    f"the {made.resource.name} at /{'/'.join(sight.view.path)}", str(answer), pointer=operation.pointer
                )
            return records[0]
        if answer.status == operation.statuses.get("unknown"):
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
    owner = sight.operation.action.resource
    for place in (made.sent, made.record):
        for name, target in made.resource.references.items():
            if target == owner and isinstance(place, Mapping) and place.get(name) is not None:
                return keyed(sight.operation, place[name])
    return None


def pages(
    client: Client, sight: Sight, caller: Caller | None = None, given: Mapping[str, Any] | None = None, limit: int = 60
) -> Iterator[Answer]:
    """The answers of a list, page by page, as long as there is a next link, or a page is full."""
    paging = client.scope.contract.pagination
    operation = sight.operation
    paged = paging is not None and any((p.where, p.name) == ("query", paging.parameter) for p in operation.parameters)
    for number in range(1, limit + 1):
        page = {paging.parameter: number} if paged and paging else {}
        answer = client.call(operation, given={**(given or {}), **page}, caller=caller)
        if not answer.ok:
            raise Broken(f"{operation.success.status} for {operation.label}", str(answer), pointer=operation.pointer)
        yield answer
        if not paged or not paging:
            return
        if not _next(answer, paging.next) if paging.next else len(answer.records(sight.view)) < paging.size:
            return


def _next(answer: Answer, pointer: str | None) -> bool:
    if pointer is None:
        return False
    try:
        return bool(resolve(answer.body, pointer))
    except KeyError:
        return False


def walk(client: Client, sight: Sight, caller: Caller | None = None) -> list[Mapping[str, Any]]:
    """Every record of a list, over all its pages."""
    return [record for answer in pages(client, sight, caller) for record in answer.records(sight.view)]


def shown_as(
    client: Client, operation: Operation, view: View | None, sent: Mapping[str, Any], record: Mapping[str, Any]
) -> list[str]:
    """Where a shown record differs from what was sent, property by property."""
    if view is None:
        return []
    schemas, wrong = client.scope.schemas, []
    properties = client.scope.shown(operation, view)
    for name, value in sent.items():
        schema = properties.get(name)
        if schema is None or schema.get("readOnly") or value is None:
            continue
        if name not in record:
            wrong.append(f"{name} is missing, {value!r} was sent")
        elif not same(schemas, schema, value, record[name]):
            wrong.append(f"{name} is {record[name]!r}, {value!r} was sent")
    return wrong


def same(schemas: Schemas, schema: Json, sent: Json, shown: Json) -> bool:
    """Whether a shown value is the one that was sent, as far as its schema can hold it.

    A scalar the shown schema cannot hold (a number shown as text, another case of a word) is compared as text; a structure
    it cannot hold is shown in another form on purpose. What the server adds must be declared.
    """
    if not schemas.fits(schema, sent, "response"):
        return isinstance(sent, Mapping | list) or str(sent).casefold() == str(shown).casefold()
    if isinstance(sent, Mapping):
        properties = schemas.properties(schema)
        return (
            isinstance(shown, Mapping)
            and all(name in sent or name in properties for name in shown)
            and all(
                value is None or (name in shown and same(schemas, properties.get(name, {}), value, shown[name]))
                for name, value in sent.items()
                if not properties.get(name, {}).get("readOnly") and not properties.get(name, {}).get("writeOnly")
            )
        )
    if isinstance(sent, list):
        items = schemas.at(schema, ("-",))
        return (
            isinstance(shown, list)
            and len(sent) == len(shown)
            and all(same(schemas, items, one, other) for one, other in zip(sent, shown, strict=True))
        )
    return bool(sent == shown) or (_moment(sent) is not None and _moment(sent) == _moment(shown))


def _moment(text: Json) -> float | None:
    if not isinstance(text, str) or len(text) < 19 or text[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None
