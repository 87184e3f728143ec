"""Rules about what time does to a record, and what its changes give off."""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.contract import Contract, Resource, Transition, escape
from mock_server.lint.finding import Finding
from mock_server.lint.subject import Subject
from mock_server.lint.validation import Unusable


def transitions(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """lifecycle-fact."""
    for resource in contract.resources.values():
        for transition in resource.lifecycle:
            for key, message in _flaws(contract, resource, transition):
                at = f"{resource.pointer}/x-lifecycle/{transition.name}/{key}"
                yield subject.find(at, "lifecycle-fact", message)


def _flaws(contract: Contract, resource: Resource, transition: Transition) -> Iterator[tuple[str, str]]:
    moment = resource.properties[transition.at]
    if not (moment.get("format") in ("date", "date-time") or moment.get("type") in ("integer", "number")):
        yield "at", f"{transition.at} is no moment"
    if moment.get("type") in ("integer", "number") and contract.timestamps == "date-time":
        yield "at", f"{transition.at} is a number, and moments here are texts"
    choices = resource.choices.get(resource.state or "")
    for key, states in (("from", transition.states), ("to", transition.to)):
        if states and resource.state is None:
            yield key, f"{resource.name} has no state"
        for index, state in enumerate(states):
            if choices is not None and state not in choices:
                yield f"{key}/{index}", f"{resource.state} is never {state}"


def emissions(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """emission-fact."""
    for resource in contract.resources.values():
        for emission in resource.emissions:
            at = f"{resource.pointer}/x-emits/{escape(emission.event)}"
            if "moved" in emission.on and resource.state is None:
                yield subject.find(f"{at}/on", "emission-fact", f"{resource.name} has no state that could move")
            for name, values in emission.where.items():
                for value in values:
                    try:
                        faults = list(subject.validators.faults(resource.properties[name], value, "stored"))
                    except Unusable:
                        continue  # said by schema-unusable
                    for _, message in faults:
                        yield subject.find(f"{at}/where/{escape(name)}", "emission-fact", message)
