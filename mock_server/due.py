"""What falls due: the moments that records wait for (`x-lifecycle`), in order, and what happens then.

The agenda is no truth of its own but an index of the records: an entry counts only while its record still waits for that very moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from heapq import heapify, heappop, heappush
from itertools import count
from typing import NamedTuple

from mock_server.clock import read
from mock_server.contract import Contract, Resource, Transition
from mock_server.store import Key, StoredRecord, Transaction
from mock_server.vendor import SHARED, Due, Space


class Entry(NamedTuple):
    """A moment that a record waits for. Entries of one moment come in the order in which they were made."""

    at: datetime
    number: int
    tenant: str
    resource: str
    key: Key
    name: str


class Happened(NamedTuple):
    """What fell due, and what became of it: the state before and after, and the events that it gave off."""

    entry: Entry
    before: str | None
    after: str | None
    events: tuple[str, ...] = ()
    failure: str | None = None


class Agenda:
    """What one vendor's records of one world wait for."""

    __slots__ = ("_most", "_numbers", "entries")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._numbers = count()
        self._most = 1000

    @property
    def is_crowded(self) -> bool:
        """Whether it has doubled since it was last tidied."""
        return len(self.entries) > self._most

    def note(
        self,
        contract: Contract,
        tenant: str,
        resource: Resource,
        before: StoredRecord | None,
        record: StoredRecord | None,
    ) -> None:
        """Note what a record waits for, where that is news."""
        for transition in resource.lifecycle:
            at = waits_for(contract, resource, transition, record)
            if at is not None and at != waits_for(contract, resource, transition, before):
                assert record is not None, "it waits"
                owner = SHARED if resource.scope == "vendor" else tenant
                entry = Entry(at, next(self._numbers), owner, resource.name, record[resource.key], transition.name)
                heappush(self.entries, entry)

    def next(self, contract: Contract, transaction: Transaction) -> Entry | None:
        """The first entry that still counts; those before it that do not are dropped."""
        while self.entries:
            entry = self.entries[0]
            record = transaction.get((entry.tenant, entry.resource), entry.key)
            resource = contract.resources[entry.resource]
            if waits_for(contract, resource, transition_of(resource, entry.name), record) == entry.at:
                return entry
            heappop(self.entries)
        return None

    def drop(self) -> None:
        """Drop the first entry."""
        heappop(self.entries)

    def tidy(self, contract: Contract, transaction: Transaction) -> None:
        """Drop every entry that counts no more."""
        kept = []
        for entry in self.entries:
            resource = contract.resources[entry.resource]
            record = transaction.get((entry.tenant, entry.resource), entry.key)
            if waits_for(contract, resource, transition_of(resource, entry.name), record) == entry.at:
                kept.append(entry)
        heapify(kept)
        self.entries = kept
        self._most = max(1000, 2 * len(kept))


def transition_of(resource: Resource, name: str) -> Transition:
    """The transition of that name."""
    return next(transition for transition in resource.lifecycle if transition.name == name)


def waits_for(
    contract: Contract, resource: Resource, transition: Transition, record: StoredRecord | None
) -> datetime | None:
    """The moment at which a transition of a record falls due; None where the record is not there, in another state, or waits for none."""
    if record is None or (resource.deleted and record.get(resource.deleted) is not None):
        return None
    if transition.states and resource.state and record.get(resource.state) not in transition.states:
        return None
    value = record.get(transition.at)
    return None if value is None else read(value, contract.timestamps)


def pass_over(space: Space, dues: Mapping[tuple[str, str], Due], entry: Entry) -> tuple[str | None, str | None]:
    """Do what falls due, in the space's transaction: the state before and after.

    Raises AssertionError where the record is left as it was, or in a state that the document does not allow.
    """
    resource = space.contract.resources[entry.resource]
    transition = transition_of(resource, entry.name)
    record = space.require(entry.resource, entry.key)
    handler = dues.get((entry.resource, entry.name))
    if handler is not None:
        handler(space, record)
    else:
        plain(resource, transition)(space, record)
    after = space.find(entry.resource, entry.key)
    what = f"{entry.name} of a {resource.name}"
    assert waits_for(space.contract, resource, transition, after) != entry.at, (
        f"{what} leaves it waiting for the same moment"
    )
    states = [None if r is None or resource.state is None else r.get(resource.state) for r in (record, after)]
    if transition.to and after is not None:
        assert states[1] in transition.to, f"{what} leads to {states[1]}, which the document does not have"
    return states[0], states[1]


def plain(resource: Resource, transition: Transition) -> Callable[[Space, StoredRecord], None]:
    """What a transition does whose document says it all."""
    assert resource.state is not None, "checked at the start"
    values = {resource.state: transition.to[0]}

    def move(space: Space, record: StoredRecord) -> None:
        space.change(resource.name, record, values)

    return move
