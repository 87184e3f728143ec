"""A record moves from where an operation may start, to where it may end, and from nowhere else.

A record is led into each state that can be reached, and every operation tried from each: it ends in one of the stated states, in the very
one that a value of the body moves it to at once, or is refused and changes nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.client import Answer, Client
from conformance.comparison import among
from conformance.control import apart, standing, timed
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.routes import routes
from conformance.scope import Scope
from conformance.sights import Made, see
from conformance.states import Route, act, around, bring_to, movers, named, targets
from mock_server.contract import Operation, escape


def _subjects(scope: Scope) -> Iterator[Subject]:
    for resource in scope.contract.resources.values():
        for operation in movers(scope, resource) if resource.state else ():
            if operation.action.states or targets(resource, operation):
                yield of(operation)


def _probe(subject: Subject, client: Client) -> None:
    resource = client.scope.resource(subject.operation)
    known = routes(client, resource).states
    if not known:
        raise NotTested(f"no {resource.name} could be made whose {resource.state} is shown")
    tried = 0
    with apart(client), contextlib.ExitStack() as stack:
        if timed(client):
            stack.enter_context(standing(client))
        for state, route in known.values():
            legal = not subject.operation.action.states or among(state, subject.operation.action.states)
            with contextlib.suppress(NotTested):
                tried += (_moves if legal else _refuses)(subject, client, state, route)
    if not tried:
        raise NotTested(f"{subject.operation.id} was refused from {', '.join(state for state, _ in known.values())}")


def _refuses(subject: Subject, client: Client, state: str, route: Route) -> int:
    """From a state it does not start from: the stated refusal, and everything as it was."""
    operation, due = subject.operation, subject.operation.statuses.get("state")
    if due is None:
        return 0
    resource = client.scope.resource(operation)
    made, before = bring_to(client, resource, state, route)
    beside = around(client, made)
    for example in named(client.scope, operation):
        answer = act(client, operation, made, example)
        if answer.status != due:
            raise Broken(f"{due} from the state {state!r}", str(answer), status=due)
        _, after = see(client, made)
        if after != before:
            raise Broken("a refused call to leave the record as it was", _difference(before, after), status=due)
    if around(client, made) != beside:
        raise Broken("a refused call to leave nothing behind", "other records than before", status=due)
    return 1


def _difference(before: Mapping[str, Any], after: Mapping[str, Any] | None) -> str:
    if after is None:
        return "it is gone"
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return "; ".join(f"{name} was {before.get(name)!r} and is {after.get(name)!r}" for name in changed[:4])


def _moves(subject: Subject, client: Client, state: str, route: Route) -> int:
    """From a state it starts from: into one of the states it may end in."""
    operation, resource = subject.operation, client.scope.resource(subject.operation)
    ends = targets(resource, operation)
    moved = _at_once(operation, client, state, route)
    for example in named(client.scope, operation) if ends else ():
        made, _ = bring_to(client, resource, state, route)
        answer = act(client, operation, made, example)
        if not answer.ok:
            continue
        moved += 1
        _, after = see(client, made)
        for shown in [after, *_answered(answer, made)]:
            end = shown.get(resource.state) if shown and resource.state else None
            if end is not None and not among(end, ends):
                raise Broken(f"{' or '.join(ends)} afterwards, from {state!r}", f"{end!r}")
    return moved


def _at_once(operation: Operation, client: Client, state: str, route: Route) -> int:
    """Values of the body that move a record at once: it is in the stated state then."""
    resource, moved = client.scope.resource(operation), 0
    for name, moves in operation.action.moves.items():
        for value, end in moves.items():
            made, _ = bring_to(client, resource, state, route)
            if not act(client, operation, made, named(client.scope, operation)[0], {name: value}).ok:
                continue
            moved += 1
            after = see(client, made)[1] or {}
            if not among(after.get(resource.state or ""), (end,)):
                raise Broken(
                    f"{end} at once for {name} {value!r}, from {state!r}",
                    repr(after.get(resource.state or "")),
                    pointer=f"{operation.pointer}/x-action/moves/{escape(name)}",
                )
    return moved


def _answered(answer: Answer, made: Made) -> list[Mapping[str, Any]]:
    if answer.operation is None:
        return []
    records = answer.records(answer.operation.view(made.resource.name))
    return [record for record in records if record.get(made.resource.key) == made.key]


PROMISE = Promise(
    "transitions_are_legal",
    "An operation moves a record, and only from the states it may start in to those it may end in; elsewhere it is refused, and leaves nothing.",
    ("x-action", "x-resource"),
    _subjects,
    _probe,
)
