"""Makes request bodies that must succeed, and records, through the contract's own operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.comparison import among
from conformance.dates import ahead
from conformance.finding import Broken, NotTested
from conformance.marks import mark
from conformance.schemas import drop, put
from conformance.sights import Made, present, see, upon, visible
from conformance.target import Caller
from conformance.values import sample
from conformance.wire import FORM
from mock_server.contract import Json, Operation


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
    filled = fill(client, operation, value, caller or client.caller)
    return media, mark(client, operation, freshen(client, operation, ahead(client, operation, filled)))


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
    caller = caller or client.caller
    creates = [operation] if operation else list(client.scope.creates(resource))
    if not creates:
        return _inside(client, resource, caller)
    if body is not ABSENT or creates[0].body is None:
        return _make(client, creates[0], body, media, caller, headers)
    examples = client.populated.setdefault(("example", creates[0].id), _by_size(client, creates[0]))
    while True:
        media, body = base_body(client, creates[0], examples[0], caller)
        try:
            return _make(client, creates[0], body, media, caller, headers)
        except NotTested:
            if len(examples) < 2:
                raise
            examples.pop(0)


def ready(client: Client, operation: Operation, example: str | None = None) -> Made:
    """A new record in a state that the operation starts from: led there by another operation, where a new one is not.

    `example` names the request that it is made with. Raises NotTested where nothing leads there.
    """
    made = _as_named(client, operation.action.resource, example) if example else make(client, operation.action.resource)
    state = made.record.get(made.resource.state or "") if operation.action.states else None
    if state is None and operation.action.states:  # what makes it does not show it
        state = _state(client, made)
    if state is None or among(state, operation.action.states):
        return made
    for other in client.scope.acting("update", on=operation.action.resource):
        action = other.action
        leads = {*action.to, action.fixed.get(made.resource.state or "")} & {*operation.action.states}
        if other.id == operation.id or not among(state, action.states) or not leads:
            continue
        names: list[str | None] = [name for name, _, _ in client.scope.examples(other)] or [None]
        for name in names:
            media, body = base_body(client, other, name) if other.body else (None, ABSENT)
            client.call(other, **upon(client, other, made, body=body), media=media)
            if among(_state(client, made), operation.action.states):
                return made
    raise NotTested(
        f"a new {made.resource.name} is {state!r}; the operation starts from {', '.join(operation.action.states)}"
    )


def makers(client: Client, operation: Operation) -> list[str | None]:
    """The examples that make what an operation is about, the usual one (None) first: what a record allows depends on what it is."""
    creates = client.scope.creates(operation.action.resource) if operation.action.by else ()
    named = client.scope.examples(creates[0]) if creates else ()
    return [None, *(name for name, media, _ in named if media != FORM)]


def _as_named(client: Client, resource: str, example: str) -> Made:
    """A record made with a named request example of the first operation that makes such."""
    create = client.scope.creates(resource)[0]
    media, body = base_body(client, create, example)
    return make(client, resource, body=body, media=media, operation=create)


def _state(client: Client, made: Made) -> Any:
    """The state that a record is seen in; None where it is not."""
    found = see(client, made)[1] or {}
    return found.get(made.resource.state) if made.resource.state else None


def _by_size(client: Client, operation: Operation) -> list[str | None]:
    """The names of an operation's request examples, JSON first, the fullest first."""
    examples = sorted(client.scope.examples(operation), key=lambda example: (example[1] == FORM, -_size(example[2])))
    return [name for name, _, _ in examples] or [None]


def _make(
    client: Client,
    operation: Operation,
    body: Json,
    media: str | None,
    caller: Caller,
    headers: Mapping[str, str] | None,
) -> Made:
    resource = operation.action.resource
    view = operation.view(resource)
    before = present(client, resource, caller) if view is None or view.is_list else set()
    answer = client.call(operation, body=body, media=media, caller=caller, headers=headers)
    if not answer.ok:
        raise Broken(
            f"{operation.success.status} for a valid {operation.label}", str(answer), pointer=operation.pointer
        )
    return made_from(client, operation, answer, body, media or "application/json", caller, before)


def _inside(client: Client, resource: str, caller: Caller) -> Made:
    """A record that comes with another one: made by making that, and found inside it."""
    for sight in client.scope.sights(resource):
        owner = sight.operation.action.resource
        if sight.how != "owner" or not client.scope.creates(owner):
            continue
        holder = make(client, owner, caller=caller)
        answer = client.call(sight.operation, **upon(client, sight.operation, holder), caller=caller)
        key = client.scope.contract.resources[resource].key
        for record in answer.records(sight.view):
            if key in record:
                known = client.scope.contract.resources[resource]
                context = {**holder.context, resource: record[key]}
                return Made(sight.operation, known, caller, record[key], {}, holder.media, record, answer, context)
    raise NotTested(f"no operation in scope creates a {resource}, nor anything it comes with")


def made_from(
    client: Client, operation: Operation, answer: Answer, body: Json, media: str, caller: Caller, before: set[Any]
) -> Made:
    """The record a successful answer shows, or one that can be seen now and could not before."""
    resource = client.scope.resource(operation)
    key, record = resource.key, dict[str, Any]()
    shown = [item for item in answer.records(operation.view(resource.name)) if item.get(key) not in before]
    if shown:
        record = dict(shown[-1])
    elif isinstance(body, Mapping) and key in body and key not in resource.mint:
        record = {key: body[key]}
    elif client.scope.sights(resource.name):
        found = [item for item in visible(client, resource.name, caller) if item.get(key) not in before]
        record = dict(found[-1]) if found else {}
    if key not in record and isinstance(body, Mapping) and key in body and key not in resource.mint:
        record = {**record, key: body[key]}
    if key not in record:
        raise NotTested(f"{operation.id} does not show the {resource.name} it makes")
    context = {resource.name: record[key]}
    for name, target in resource.references.items():
        for place in (record, body):
            if isinstance(place, Mapping) and place.get(name) is not None:
                context.setdefault(target, place[name])
    return Made(operation, resource, caller, record[key], body, media, record, answer, context)
