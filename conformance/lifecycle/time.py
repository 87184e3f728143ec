"""Where time may lead a record, as far as it shows what it waits for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from conformance.comparison import among
from conformance.moments import due
from mock_server.contract import Contract, Resource, Transition


def moves(contract: Contract, resource: Resource, record: Mapping[str, Any], moment: datetime) -> list[Transition]:
    """What may have fallen due for a record by a moment: what it waited for until then, or what it does not show."""
    state = record.get(resource.state or "")
    found = []
    for transition in resource.lifecycle:
        if transition.states and state is not None and not among(state, transition.states):
            continue
        at = due(contract, transition, record)
        if transition.at not in record or (at is not None and at <= moment):
            found.append(transition)
    return found


def led_to(contract: Contract, resource: Resource, record: Mapping[str, Any], moment: datetime) -> set[str]:
    """The states in which a record may be then: those that what fell due leads to, and wherever time leads from there."""
    first = moves(contract, resource, record, moment)
    state = str(record.get(resource.state or ""))
    surely = any(transition.at in record and transition.to for transition in first)
    found = {end for transition in first for end in transition.to} | (set() if surely else {state})
    while True:
        further = {
            end
            for transition in resource.lifecycle
            for end in transition.to
            if not transition.states or any(among(name, transition.states) for name in found)
        }
        if further <= found:
            return found
        found |= further
