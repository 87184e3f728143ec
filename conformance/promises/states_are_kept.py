"""An operation that moves a record's state does so, and only from where it may.

A new record is moved by each operation that states from where and to where, in the way of each of its examples, and then a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.client import Client
from conformance.comparison import among, same
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import make
from conformance.scope import Scope
from conformance.sights import Made, see
from conformance.states import act
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    return (of(operation) for operation in scope.acting("update") if operation.action.fixed or operation.action.states)


def _probe(subject: Subject, client: Client) -> None:
    names: list[str | None] = [name for name, _, _ in client.scope.examples(subject.operation)] or [None]
    for name in names:
        _move(subject.operation, client, name)


def _move(operation: Operation, client: Client, example: str | None) -> None:
    """Move a new record's state in the way an example asks for."""
    resource, action = client.scope.resource(operation), operation.action
    made = make(client, resource.name)
    sight, before = see(client, made)
    if before is None:
        raise Broken("the record that was just made", "it is not there")
    state = before.get(resource.state) if resource.state else None
    answer = act(client, operation, made, example)
    if action.states and state is not None and not among(state, action.states):
        due = operation.statuses.get("state")
        if answer.status != due:
            raise Broken(f"{due} from the state {state!r}", str(answer), status=due)
        raise NotTested(f"a new {resource.name} is {state!r}; the operation starts from {', '.join(action.states)}")
    if not answer.ok:
        raise Broken(f"{operation.success.status} from the state {state!r}", str(answer))
    _, after = see(client, made)
    shown = client.scope.shown(sight.operation, sight.view)
    for name, value in action.fixed.items():
        if after is not None and name in shown and not same(client.scope.schemas, shown[name], value, after.get(name)):
            raise Broken(f"{name} to be {value!r} afterwards", f"{after.get(name)!r}")
    _again(client, operation, made, after, example)


def _again(client: Client, operation: Operation, made: Made, after: Any, example: str | None) -> None:
    """A second time, the record may no longer be in a state that allows it; either way it is no server error."""
    states, due = operation.action.states, operation.statuses.get("state")
    answer = act(client, operation, made, example)
    state = after.get(made.resource.state) if after and made.resource.state else None
    if states and due and state is not None and not among(state, states) and answer.status != due:
        raise Broken(f"{due} a second time, from the state {state!r}", str(answer), status=due)


PROMISE = Promise(
    "states_are_kept",
    "An operation that moves a record's state leaves it in the stated one, and is refused from a state it does not start from.",
    ("x-action", "x-resource"),
    _subjects,
    _probe,
)
