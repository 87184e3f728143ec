"""What the document says adds up does, to the last digit, in every answer that shows it.

Records are made in every way and led through two months. Each answer that showed one with all of the terms of a sum is added up in
decimals.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from conformance.client import Client
from conformance.control import advance, apart, standing, timed
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.scope import Scope
from conformance.sights import Made, look, visible
from conformance.states import Step, beginnings, bring
from mock_server.contract import Resource

_MOST = 8


def _subjects(scope: Scope) -> Iterator[Subject]:
    for resource in scope.contract.resources.values():
        for sight in scope.sights(resource.name)[:1] if resource.sums else ():
            detail = {"resource": resource}
            yield Subject(resource.name, sight.operation, f"{resource.pointer}/x-sums", detail)


def _probe(subject: Subject, client: Client) -> None:
    resource: Resource = subject.detail["resource"]
    with apart(client), contextlib.ExitStack() as stack:
        begun = len(client.transcript)
        if timed(client):
            stack.enter_context(standing(client))
        for source, step in _sources(client, resource):
            with contextlib.suppress(NotTested):
                bring(client, source, (step,))
        if timed(client):
            advance(client, "P2M")
        _read(client, resource)
        judged = _judge(client, resource, begun)
    if not judged:
        raise NotTested(f"no answer showed a {resource.name} with all that adds up")


def _sources(client: Client, resource: Resource) -> Iterator[tuple[Resource, Step]]:
    """The ways to make a record, or one that it may come of: one that it refers to, and that lives in time."""
    resources = client.scope.contract.resources
    for name in dict.fromkeys((resource.name, *resource.references.values())):
        if name == resource.name or resources[name].lifecycle:
            for step in list(beginnings(client.scope, resources[name]))[:_MOST]:
                yield resources[name], step


def _read(client: Client, resource: Resource) -> None:
    """Have every record shown in every way."""
    caller = client.caller
    for record in visible(client, resource.name, caller)[-_MOST:]:
        for sight in client.scope.sights(resource.name):
            if sight.how == "key" and resource.key in record:
                key = record[resource.key]
                context = {resource.name: key}
                made = Made(sight.operation, resource, caller, key, {}, "", record, client.transcript[-1], context)
                look(client, sight, made, key, caller)


def _judge(client: Client, resource: Resource, begun: int) -> int:
    """How many sums were shown since, all of them right."""
    judged = 0
    for answer in client.transcript[begun:]:
        if answer.operation is None or not answer.ok:
            continue
        for view in answer.operation.success.views:
            for record in view.records(answer.body) if view.resource == resource.name else ():
                for total in resource.sums:
                    judged += total.due(record) is not None and record.get(total.name) is not None
                    if fault := total.fault(record):
                        pointer = f"{resource.pointer}/x-sums/{total.name}"
                        raise Broken(f"{total.name} to be what its terms come to", fault, pointer=pointer)
    return judged


PROMISE = Promise(
    "sums_add_up",
    "What the document says adds up (the lines of an invoice, its tax, its total) does in every answer, to the last digit.",
    ("x-sums",),
    _subjects,
    _probe,
)
