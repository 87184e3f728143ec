"""When a record's moment comes, its state moves: not before, and not back.

A record is led to where it waits for a moment that it shows. The clock stands a second before it, then at it, then is set back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from conformance.client import Client
from conformance.comparison import among
from conformance.control import apart, freeze, standing, until
from conformance.finding import Broken, NotTested
from conformance.moments import iso
from conformance.promise import Promise, Subject
from conformance.routes import route_to
from conformance.scope import Scope
from conformance.sights import Made
from conformance.states import bring, next_wait, shown, waits
from mock_server.contract import Resource, Transition

_SECOND = timedelta(seconds=1)


def timed_subjects(scope: Scope) -> Iterator[Subject]:
    """What time does, wherever the records it does it to are shown."""
    for resource in scope.contract.resources.values():
        for sight in scope.sights(resource.name)[:1]:
            for transition in resource.lifecycle:
                pointer = f"{resource.pointer}/x-lifecycle/{transition.name}"
                detail = {"resource": resource, "transition": transition}
                yield Subject(f"{resource.name} {transition.name}", sight.operation, pointer, detail)


def _probe(subject: Subject, client: Client) -> None:
    resource, transition = subject.detail["resource"], subject.detail["transition"]
    route = route_to(client, resource, transition)
    with apart(client), standing(client):
        made, record = bring(client, resource, route)
        record, moment = next_wait(client, made, transition, record)
        if until(client, moment - _SECOND) < moment:
            _still(client, made, transition, record, moment)
        until(client, moment)
        after = shown(client, made)
        _moved(client, made, transition, record, after, moment)
        _stays(client, made, after, moment)


def _still(client: Client, made: Made, transition: Transition, before: Mapping[str, Any], moment: datetime) -> None:
    """A second earlier nothing has happened, as far as the record shows what it waits for."""
    record, state = shown(client, made), made.resource.state
    names = [name for name in (state, transition.at) if name and record.get(name) != before.get(name)]
    if names and not _hidden(made.resource, before):
        changed = ", ".join(f"{name} {record.get(name)!r}" for name in names)
        raise Broken(
            f"nothing before {iso(moment)}, its {transition.at}",
            f"{changed} a second earlier, not {_of(before, names)}",
        )
    if names:
        raise NotTested(f"the {made.resource.name} waits for something else, which is not shown")


def _of(record: Mapping[str, Any], names: list[str]) -> str:
    return ", ".join(repr(record.get(name)) for name in names)


def _hidden(resource: Resource, record: Mapping[str, Any]) -> list[Transition]:
    """What a record may wait for that it does not show."""
    state = record.get(resource.state or "")
    return [t for t in resource.lifecycle if t.at not in record and (not t.states or among(state, t.states))]


def _moved(
    client: Client,
    made: Made,
    transition: Transition,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    moment: datetime,
) -> None:
    """At the moment the record is in a state that the transition leads to, or that something of the same moment leads on to."""
    resource = made.resource
    if resource.state and after.get(resource.state) is not None:
        allowed = _reachable(client, resource, transition, before, after, moment)
        if not among(after[resource.state], allowed):
            raise Broken(f"{' or '.join(allowed)} at {iso(moment)}, its {transition.at}", repr(after[resource.state]))
    if waits(client, resource, transition, after) == moment:
        raise Broken(
            f"another {transition.at} or another state after {iso(moment)}", f"it waits for {iso(moment)} still"
        )


def _reachable(
    client: Client,
    resource: Resource,
    transition: Transition,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    moment: datetime,
) -> tuple[str, ...]:
    states = dict.fromkeys(transition.to or (str(before.get(resource.state or "")),))
    for _ in resource.lifecycle:
        for other in resource.lifecycle:
            if other is transition or not (not other.states or any(among(state, other.states) for state in states)):
                continue
            ats = [waits(client, resource, other, record) for record in (before, after)]
            if other.at not in after or any(at is not None and at <= moment for at in ats):
                states.update(dict.fromkeys(other.to))
    return tuple(states)


def _stays(client: Client, made: Made, after: Mapping[str, Any], moment: datetime) -> None:
    """What time did is not undone: not by setting the clock back, nor by letting it go on."""
    state, waiting = made.resource.state, {transition.at for transition in made.resource.lifecycle}
    names = [name for name in after if name == state or name in waiting]
    try:
        freeze(client, moment - _SECOND)
    except NotTested:
        return
    for step, what in ((None, "the clock was set back"), (moment, "its moment came again")):
        if step is not None:
            until(client, step)
        record = shown(client, made)
        changed = [f"{name} {record.get(name)!r}" for name in names if record.get(name) != after[name]]
        if changed:
            raise Broken(f"what time did at {iso(moment)} to stay", f"{', '.join(changed)} after {what}")


PROMISE = Promise(
    "time_moves_states",
    "When the moment that a record waits for comes, its state is the stated one: not a moment earlier, and it is not undone.",
    ("x-lifecycle",),
    timed_subjects,
    _probe,
)
