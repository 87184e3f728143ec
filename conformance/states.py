"""The states of records, what moves them, and records brought into them along a route.

A route holds no keys, so it can be walked again in any world.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.comparison import among
from conformance.control import now, until
from conformance.finding import NotTested
from conformance.moments import due
from conformance.records import base_body, made_from, make
from conformance.scope import Scope
from conformance.sights import Made, present, see, upon, walk
from mock_server.contract import Operation, Resource, Transition

_EXAMPLES = 3
_MOST = 15
_FARTHEST = timedelta(days=1200)


@dataclass(frozen=True)
class Step:
    """A thing that is done to a record: an operation with one of its examples, or waiting for a transition."""

    operation: Operation | None = None
    example: str | None = None
    transition: Transition | None = None


Route = tuple[Step, ...]


def waits(client: Client, resource: Resource, transition: Transition, record: Mapping[str, Any]) -> datetime | None:
    """The moment at which a transition of a shown record falls due; None where it does not, or the record does not show it."""
    if transition.states and resource.state and not among(record.get(resource.state), transition.states):
        return None
    return due(client.scope.contract, transition, record)


def movers(scope: Scope, resource: Resource) -> list[Operation]:
    """The operations on a record of a resource that may move its state, those that say so first."""
    found = [o for o in scope.acting("update", "none", on=resource.name) if o.action.by and not o.action.many]
    return sorted(found, key=lambda o: not (o.action.states or o.action.to or resource.state in o.action.fixed))


def targets(resource: Resource, operation: Operation) -> tuple[str, ...]:
    """The states that an operation may leave a record in, where the facts say so."""
    fixed = operation.action.fixed.get(resource.state or "")
    return (str(fixed),) if fixed is not None else operation.action.to


def beginnings(scope: Scope, resource: Resource) -> Iterator[Step]:
    """The ways to make a record: the operations that create one, or one that it stands in."""
    owners = [sight.operation.action.resource for sight in scope.sights(resource.name) if sight.how == "owner"]
    for name in (resource.name, *owners):
        for operation in scope.creates(name):
            yield from (Step(operation, name) for name, _, _ in scope.examples(operation) or ((None, "", None),))
        if scope.creates(name):
            return


def named(scope: Scope, operation: Operation) -> list[str | None]:
    """The names of the first request examples of an operation."""
    found: list[str | None] = [name for name, _, _ in scope.examples(operation)]
    return found[:_EXAMPLES] or [None]


def act(
    client: Client, operation: Operation, made: Made, example: str | None, said: Mapping[str, Any] | None = None
) -> Answer:
    """Do to a record what one of an operation's examples asks for, with what else is `said` put over it."""
    media, body = base_body(client, operation, example) if operation.body else (None, ABSENT)
    if said:
        body = {**body, **said}
    return client.call(operation, **upon(client, operation, made, body=body), media=media)


def bring(client: Client, resource: Resource, route: Route) -> tuple[Made, Mapping[str, Any]]:
    """A new record, led along a route, and how it is shown then. Raises NotTested where the route is closed."""
    made = _begin(client, resource, route[0])
    for step in route[1:]:
        if step.operation is not None:
            answer = act(client, step.operation, made, step.example)
            if not answer.ok:
                raise NotTested(f"{step.operation.id} was refused on the way: {answer}")
        elif step.transition is not None:
            moment = waits(client, resource, step.transition, shown(client, made))
            if moment is None:
                raise NotTested(f"the record does not wait for {step.transition.name} any more")
            if moment - now(client) > _FARTHEST:
                raise NotTested(f"{step.transition.name} is further away than {_FARTHEST.days} days")
            until(client, moment)
    return made, shown(client, made)


def bring_to(client: Client, resource: Resource, state: str, route: Route) -> tuple[Made, Mapping[str, Any]]:
    """The same, where the route leads to that state as before. Raises NotTested where it does not any more."""
    made, record = bring(client, resource, route)
    if not among(record.get(resource.state or ""), (state,)):
        raise NotTested(f"the {resource.name} is {record.get(resource.state or '')!r}, not {state!r}")
    return made, record


def shown(client: Client, made: Made) -> Mapping[str, Any]:
    """How a record is shown now. Raises NotTested where it is gone."""
    _, record = see(client, made)
    if record is None:
        raise NotTested(f"the {made.resource.name} is not shown any more")
    return record


def next_wait(
    client: Client, made: Made, transition: Transition, record: Mapping[str, Any]
) -> tuple[Mapping[str, Any], datetime]:
    """The record when the transition is the next thing it waits for; other things are let pass."""
    resource = made.resource
    for _ in range(_MOST):
        moment = waits(client, resource, transition, record)
        if moment is None:
            break
        others = [at for other in resource.lifecycle if (at := waits(client, resource, other, record)) is not None]
        if min(others) == moment and moment - now(client) <= _FARTHEST:
            return record, moment
        if min(others) - now(client) > _FARTHEST:
            break
        until(client, min(others))
        record = shown(client, made)
    raise NotTested(f"{transition.name} is far away, or something else always comes before it")


def around(client: Client, made: Made) -> dict[str, set[Any]]:
    """The keys of the records that refer to a record, as far as lists show them."""
    found = {}
    for name, resource in client.scope.contract.resources.items():
        columns = [column for column, target in resource.references.items() if target == made.resource.name]
        for sight in client.scope.listings(name)[:1] if columns else ():
            records = walk(client, sight, made.caller)
            found[name] = {r.get(resource.key) for r in records if any(r.get(c) == made.key for c in columns)}
    return found


def _begin(client: Client, resource: Resource, step: Step) -> Made:
    operation = step.operation
    assert operation is not None, "a route begins with a create"
    if operation.action.resource != resource.name:
        holder = _begin(client, client.scope.resource(operation), step)
        return _held(client, resource, holder)
    media, body = base_body(client, operation, step.example) if operation.body else (None, ABSENT)
    if media is None:
        return make(client, resource.name, operation=operation)
    view = operation.view(resource.name)
    before = present(client, resource.name, client.caller) if view is None or view.is_list else set()
    answer = client.call(operation, body=body, media=media)
    if not answer.ok:
        raise NotTested(f"{operation.id} was refused: {answer}")
    return made_from(client, operation, answer, body, media, client.caller, before)


def _held(client: Client, resource: Resource, holder: Made) -> Made:
    for sight in client.scope.sights(resource.name):
        if sight.how != "owner" or sight.operation.action.resource != holder.resource.name:
            continue
        answer = client.call(sight.operation, **upon(client, sight.operation, holder))
        for record in answer.records(sight.view):
            if resource.key in record:
                context = {**holder.context, resource.name: record[resource.key]}
                return Made(
                    sight.operation, resource, client.caller, record[resource.key], {}, "", record, answer, context
                )
    raise NotTested(f"no {resource.name} came with the {holder.resource.name}")
