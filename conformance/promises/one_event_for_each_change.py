"""Every change gives off the events that the document asks for: none is missing, none is extra, none comes twice.

Each operation and each thing that time does is done with the sink listening. What must come is reckoned from the record before and after;
so it is over a whole year, for records that do not show what they wait for. What reads or is refused must give off nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from conformance.client import ABSENT, Client
from conformance.comparison import among
from conformance.control import Endpoint, empty, received
from conformance.events import compare
from conformance.finding import Broken, NotTested
from conformance.observation import changing, listening, observe, observe_a_year
from conformance.promise import Promise, Subject
from conformance.records import base_body
from conformance.routes import routes
from conformance.scope import Scope
from conformance.sights import upon
from conformance.states import act, bring, movers, named
from mock_server.contract import Resource


def _subjects(scope: Scope) -> Iterator[Subject]:
    yield from changing(scope)
    for resource in scope.contract.resources.values():
        for sight in scope.sights(resource.name)[:1] if resource.emissions else ():
            detail = {"resource": resource, "quiet": True}
            yield Subject(f"{resource.name} unchanged", sight.operation, f"{resource.pointer}/x-emits", detail)
            if resource.lifecycle:
                detail = {"resource": resource, "year": True}
                yield Subject(f"{resource.name} in a year", sight.operation, f"{resource.pointer}/x-emits", detail)


def _probe(subject: Subject, client: Client) -> None:
    if subject.detail.get("quiet"):
        _quiet(subject.detail["resource"], client)
        return
    if subject.detail.get("year"):
        compare(client, *observe_a_year(client, subject.detail["resource"]))
        return
    observed = observe(subject, client)
    compare(client, observed.due, observed.deliveries)


def _quiet(resource: Resource, client: Client) -> None:
    """What reads, and what is refused, gives off nothing."""
    with listening(client) as endpoint:
        made = None
        for state, route in routes(client, resource).states.values():
            made, _ = bring(client, resource, route)
            empty(client)
            for operation in movers(client.scope, resource):
                if operation.action.states and not among(state, operation.action.states):
                    answer = act(client, operation, made, named(client.scope, operation)[0])
                    if not answer.ok:
                        _silent(client, endpoint, f"{operation.id}, refused from {state!r}")
        begun = len(client.transcript)
        for operation in client.scope.acting("retrieve", "list", "search", "related", on=resource.name):
            media, body = base_body(client, operation) if operation.body else (None, ABSENT)
            aimed = upon(client, operation, made, body=body) if made is not None else {"body": body}
            client.call(operation, **aimed, media=media)
        for operation in client.scope.creates(resource.name):
            client.call(operation, body={})
        if made is None and len(client.transcript) == begun:
            raise NotTested(f"nothing reads a {resource.name}, and none could be made")
        _silent(client, endpoint, "calls that read, and creates without what is required")


def _silent(client: Client, endpoint: Endpoint, after: str) -> None:
    deliveries = received(client, endpoint, lambda got: True)
    if deliveries:
        raise Broken(f"no event after {after}", ", ".join(delivery.event for delivery in deliveries[:4]))


PROMISE = Promise(
    "one_event_for_each_change",
    "Each change of a record gives off exactly the events that the document asks for, once each; what reads or is refused gives off none.",
    ("x-emits",),
    _subjects,
    _probe,
)
