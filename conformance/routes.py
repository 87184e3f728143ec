"""Finds the routes to the states of a resource, and to the moments that its records wait for, by trying what the document says moves a record:
its creation, the operations on it, and time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.client import Client
from conformance.comparison import among
from conformance.control import apart, now, standing, timed
from conformance.finding import Broken, NotTested
from conformance.states import Route, Step, beginnings, bring, movers, named, targets, waits
from mock_server.contract import Resource, Transition

_LONGEST = 5
_TRIES = 60


@dataclass(frozen=True)
class Routes:
    """The routes of one resource: to each state, by its name in lower case, and to where a record waits for a transition, by its name."""

    states: dict[str, tuple[str, Route]] = field(default_factory=dict)
    waits: dict[str, Route] = field(default_factory=dict)
    tried: list[Route] = field(default_factory=list)


def routes(client: Client, resource: Resource) -> Routes:
    """The routes of a resource, found out once."""
    kept = client.found.setdefault("routes", {})
    if resource.name not in kept:
        with apart(client), contextlib.ExitStack() as stack:
            if timed(client):
                stack.enter_context(standing(client))
            kept[resource.name] = _explore(client, resource)
    found: Routes = kept[resource.name]
    return found


def route_to(client: Client, resource: Resource, transition: Transition) -> Route:
    """The route to where a record waits for a transition. Raises NotTested where there is no clock, or none leads there."""
    now(client)
    route = routes(client, resource).waits.get(transition.name)
    if route is None:
        raise NotTested(f"no {resource.name} could be made that shows a {transition.at} to wait for")
    return route


def _explore(client: Client, resource: Resource) -> Routes:
    """Try what may lead on, from every state that was reached."""
    found = Routes()
    ahead: list[Route] = []
    for step in beginnings(client.scope, resource):
        _try(client, resource, found, ahead, (step,))
    while ahead:
        route = ahead.pop(0)
        state = next(name for name, (_, known) in found.states.items() if known == route)
        for step in _steps(client, resource, found, state):
            if len(route) < _LONGEST and len(found.tried) < _TRIES:
                _try(client, resource, found, ahead, (*route, step))
                _wait(client, resource, found, ahead, (*route, step))
    return found


def _wait(client: Client, resource: Resource, found: Routes, ahead: list[Route], route: Route) -> None:
    """After an operation that left the state as it was: what it asked for may come with time."""
    operation = route[-1].operation
    if operation is None or not timed(client):
        return
    for transition in resource.lifecycle:
        news = any(str(state).casefold() not in found.states for state in transition.to)
        if news and any(transition.states == () or among(s, operation.action.to) for s in transition.states or ("",)):
            _try(client, resource, found, ahead, (*route, Step(transition=transition)))


def _steps(client: Client, resource: Resource, found: Routes, state: str) -> Iterator[Step]:
    """What may lead a record from a state to where none has been."""
    for operation in movers(client.scope, resource):
        if operation.action.states and not among(state, operation.action.states):
            continue
        for example in named(client.scope, operation):
            if _is_news(client, resource, found, targets(resource, operation)):
                yield Step(operation, example)
    for transition in resource.lifecycle if timed(client) else ():
        if (not transition.states or among(state, transition.states)) and _is_news(
            client, resource, found, transition.to
        ):
            yield Step(transition=transition)


def _is_news(client: Client, resource: Resource, found: Routes, states: tuple[str, ...]) -> bool:
    """Whether there is a state among these, or a moment that answers show, that no route leads to yet."""
    if any(str(state).casefold() not in found.states for state in states):
        return True
    sight = client.scope.sights(resource.name)[0]
    shown = client.scope.shown(sight.operation, sight.view)
    return any(transition.name not in found.waits and transition.at in shown for transition in resource.lifecycle)


@contextlib.contextmanager
def _ahead(client: Client) -> Iterator[None]:
    """Where time passes for no other record, and nothing was done to one that was there before."""
    with apart(client), contextlib.ExitStack() as stack:
        if timed(client):
            stack.enter_context(standing(client))
        yield


def _try(client: Client, resource: Resource, found: Routes, ahead: list[Route], route: Route) -> None:
    """Walk a route, and keep it where it leads to a state or a moment that no other did."""
    found.tried.append(route)
    begins = route[0].operation
    alone = any(step.transition for step in route) or (begins and begins.action.resource != resource.name)
    try:
        with _ahead(client) if alone else contextlib.nullcontext():
            _, record = bring(client, resource, route)
    except (Broken, NotTested):
        return
    state = record.get(resource.state) if resource.state else None
    for transition in resource.lifecycle:
        if waits(client, resource, transition, record) is not None:
            found.waits.setdefault(transition.name, route)
    if state is not None and str(state).casefold() not in found.states:
        found.states[str(state).casefold()] = (str(state), route)
        ahead.append(route)
