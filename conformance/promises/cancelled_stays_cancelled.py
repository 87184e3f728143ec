"""A state without a way out is never left: not by time, not by any operation.

A record is led into each state that nothing stated leads out of. The clock moves on by a month, a year and ten years, then every operation
on such records is tried on it, and it must be where it was.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from conformance.client import ABSENT, Client
from conformance.comparison import among
from conformance.control import advance, apart, now, standing
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.records import base_body
from conformance.routes import routes
from conformance.scope import Scope
from conformance.sights import Made, see, upon
from conformance.states import Step, bring, movers, named, targets
from mock_server.contract import Operation, Resource


def _subjects(scope: Scope) -> Iterator[Subject]:
    for resource in scope.contract.resources.values():
        for sight in scope.sights(resource.name)[:1] if resource.state else ():
            for state in _final(scope, resource):
                pointer = f"{resource.pointer}/x-resource/state"
                detail = {"resource": resource, "state": state}
                yield Subject(f"{resource.name} {state}", sight.operation, pointer, detail)


def _final(scope: Scope, resource: Resource) -> Iterator[str]:
    """The states that facts lead to and that none leads out of."""
    moving = [o for o in movers(scope, resource) if o.action.states or targets(resource, o)]
    entered = dict.fromkeys(
        [state for operation in moving for state in targets(resource, operation)]
        + [state for transition in resource.lifecycle for state in transition.to]
    )
    for state in entered:
        ways = [targets(resource, o) for o in moving if not o.action.states or among(state, o.action.states)]
        ways += [t.to for t in resource.lifecycle if not t.states or among(state, t.states)]
        if not any(set(ends) - {state} for ends in ways):
            yield state


def _probe(subject: Subject, client: Client) -> None:
    resource, state = subject.detail["resource"], subject.detail["state"]
    now(client)
    with apart(client), standing(client):
        final = list(_ended(client, resource, state))
        if not final:
            raise NotTested(f"no {resource.name} could be brought into the state {state!r}")
        for duration, passed in (("P1M", "a month"), ("P11M", "a year"), ("P9Y", "ten years")):
            advance(client, duration)
            for made in final:
                _kept(client, made, state, f"{passed} later")
        for operation in movers(client.scope, resource):
            for example in named(client.scope, operation):
                _ask(client, operation, final[0], example)
                _kept(client, final[0], state, f"after {operation.id}")


def _ended(client: Client, resource: Resource, state: str) -> Iterator[Made]:
    """New records in a final state, by every way that leads to it."""
    known = routes(client, resource).states
    ways = [known[state.casefold()][1]] if state.casefold() in known else []
    for came, route in known.values():
        for operation in movers(client.scope, resource):
            if among(state, targets(resource, operation)) and among(came, operation.action.states or (came,)):
                ways += [(*route, Step(operation, name)) for name in named(client.scope, operation)[:1]]
    for way in ways:
        with contextlib.suppress(NotTested):
            made, record = bring(client, resource, way)
            if among(record.get(resource.state or ""), (state,)):
                yield made


def _ask(client: Client, operation: Operation, made: Made, example: str | None) -> None:
    """Call an operation, but do not ask for another state by name."""
    media, body = base_body(client, operation, example) if operation.body else (None, ABSENT)
    if isinstance(body, dict):
        body = {name: value for name, value in body.items() if name != made.resource.state}
    client.call(operation, **upon(client, operation, made, body=body), media=media)


def _kept(client: Client, made: Made, state: str, when: str) -> None:
    _, record = see(client, made)
    found: Any = record.get(made.resource.state or "") if record is not None else None
    if record is not None and not among(found, (state,)):
        raise Broken(f"{state!r} for good: nothing leads out of it", f"{found!r} {when}")


PROMISE = Promise(
    "cancelled_stays_cancelled",
    "A record in a state that nothing leads out of stays in it, through ten years and whatever is called.",
    ("x-action", "x-lifecycle"),
    _subjects,
    _probe,
)
