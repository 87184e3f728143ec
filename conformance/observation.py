"""Does what changes records whose changes give off events, and sees what came of it: the record, and the webhooks."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from conformance.client import ABSENT, Client
from conformance.comparison import among
from conformance.control import Delivery, Endpoint, advance, apart, empty, listen, received, standing, timed, until
from conformance.events import Expected, Records, expected, snapshot
from conformance.finding import NotTested
from conformance.promise import Subject
from conformance.records import base_body, made_from
from conformance.routes import routes
from conformance.scope import Scope
from conformance.sights import Made, present, see
from conformance.states import act, beginnings, bring, movers, named, next_wait, shown, waits
from mock_server.contract import Operation, Resource, Transition

_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Observed:
    """What came of one thing that was done: the record before and after it, the events that were due, and those that came."""

    endpoint: Endpoint
    made: Made
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    due: Expected
    deliveries: list[Delivery]
    is_one_step: bool


def changing(scope: Scope) -> Iterator[Subject]:
    """The operations, and the doings of time, that change records whose changes give off events."""
    for resource in scope.contract.resources.values():
        if not resource.emissions or not scope.sights(resource.name):
            continue
        detail: dict[str, Any] = {"resource": resource}
        operations = (
            *scope.creates(resource.name),
            *movers(scope, resource),
            *scope.acting("delete", on=resource.name),
        )
        for operation in operations:
            yield Subject(operation.id, operation, f"{resource.pointer}/x-emits", detail)
        for transition in resource.lifecycle:
            sight = scope.sights(resource.name)[0]
            name = f"{resource.name} {transition.name}"
            yield Subject(name, sight.operation, f"{resource.pointer}/x-emits", {**detail, "transition": transition})


def observe(subject: Subject, client: Client) -> Observed:
    """Do what a subject is about, with the sink listening."""
    resource, transition = subject.detail["resource"], subject.detail.get("transition")
    with listening(client) as endpoint:
        if transition is not None:
            return _wait(client, endpoint, resource, transition)
        if subject.operation.action.verb == "create":
            return _create(client, endpoint, resource, subject.operation)
        return _change(client, endpoint, resource, subject.operation)


@contextlib.contextmanager
def listening(client: Client) -> Iterator[Endpoint]:
    """A world of its own, its clock standing still where it has one, its webhooks sent to the sink."""
    with apart(client), contextlib.ExitStack() as stack:
        endpoint = listen(client)
        if timed(client):
            stack.enter_context(standing(client))
        yield endpoint


def _create(client: Client, endpoint: Endpoint, resource: Resource, operation: Operation) -> Observed:
    media, body = base_body(client, operation) if operation.body else (None, ABSENT)
    before = snapshot(client)
    there = present(client, resource.name, client.caller)
    empty(client)
    answer = client.call(operation, body=body, media=media)
    if not answer.ok:
        raise NotTested(f"{operation.id} was refused: {answer}")
    made = made_from(client, operation, answer, body, media or "", client.caller, there)
    try:
        _, record = see(client, made)
    except NotTested:
        record = made.record
    return _result(client, endpoint, made, before, None, record)


def _change(client: Client, endpoint: Endpoint, resource: Resource, operation: Operation) -> Observed:
    known = routes(client, resource)
    legal = [r for s, r in known.states.values() if not operation.action.states or among(s, operation.action.states)]
    plain = [(step,) for step in beginnings(client.scope, resource)] if not resource.state else []
    for route in [*legal, *plain]:
        for example in named(client.scope, operation):
            made, record = bring(client, resource, route)
            before = snapshot(client)
            empty(client)
            answer = act(client, operation, made, example)
            if answer.ok:
                _, after = see(client, made)
                return _result(client, endpoint, made, before, record, after)
    raise NotTested(f"{operation.id} was refused from every state that a {resource.name} could be brought into")


def observe_a_year(client: Client, resource: Resource) -> tuple[Expected, list[Delivery]]:
    """What a year brings to records begun in every way: the events that are due by what is shown then, and those that came.

    Where a record does not show the moments that it waits for, this is what can be seen of them.
    """
    with listening(client) as endpoint:
        made = []
        for step in beginnings(client.scope, resource):
            with contextlib.suppress(NotTested):
                made.append(bring(client, resource, (step,)))
        if not made or not timed(client):
            raise NotTested(f"no {resource.name} could be made, or the target has no clock that can be moved")
        before = snapshot(client)
        empty(client)
        advance(client, "P400D")
        after = {one.key: record for one, _ in made if (record := see(client, one)[1]) is not None}
        was = {**before, resource.name: {**before.get(resource.name, {}), **{one.key: record for one, record in made}}}
        now = snapshot(client)
        now = {**now, resource.name: {**now.get(resource.name, {}), **after}}
        due = expected(client, was, now, of=(resource.name, None), own=math.inf, others=math.inf)
        least = due.least()
        return due, received(client, endpoint, lambda got: all(_count(got, e) >= low for e, low in least.items()))


def _wait(client: Client, endpoint: Endpoint, resource: Resource, transition: Transition) -> Observed:
    route = routes(client, resource).waits.get(transition.name)
    if not timed(client) or route is None:
        raise NotTested(f"no {resource.name} could be made that shows a {transition.at} to wait for")
    made, record = bring(client, resource, route)
    record, moment = next_wait(client, made, transition, record)
    until(client, moment - _SECOND)
    record = shown(client, made)
    alone = all(
        other is transition or (other.at in record and waits(client, resource, other, record) != moment)
        for other in resource.lifecycle
    )
    before = snapshot(client)
    empty(client)
    until(client, moment)
    _, after = see(client, made)
    return _result(client, endpoint, made, before, record, after, own=1 if alone else math.inf, others=math.inf)


def _result(
    client: Client,
    endpoint: Endpoint,
    made: Made,
    before: Mapping[str, Records],
    was: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    own: float = 1,
    others: float = 1,
) -> Observed:
    """What came of it; the record went through so many steps at the most, and so did the others."""
    name, key = made.resource.name, made.key
    sights = [
        {**records, name: {**records.get(name, {}), key: record}}
        if record is not None
        else {**records, name: {k: r for k, r in records.get(name, {}).items() if k != key}}
        for records, record in ((before, was), (snapshot(client), now))
    ]
    due = expected(client, sights[0], sights[1], of=(name, key), own=own, others=others)
    least = due.least()
    deliveries = received(client, endpoint, lambda got: all(_count(got, event) >= low for event, low in least.items()))
    return Observed(endpoint, made, was, now, due, deliveries, own == 1)


def _count(deliveries: list[Delivery], event: str) -> int:
    return sum(delivery.event == event for delivery in deliveries)
