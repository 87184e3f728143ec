"""What happens in the worlds of one vendor as time goes on, and what follows from every change: moments to wait for, events to tell."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from mock_server import due
from mock_server.contract import Contract
from mock_server.due import Happened
from mock_server.events import Audience, Teller, Told
from mock_server.store import StoredRecord
from mock_server.vendor import SHARED, Space, Vendor
from mock_server.worlds import Worlds

logger = logging.getLogger(__name__)
T = TypeVar("T")


class Timeline:
    """The time of one vendor's worlds. `audience`, where there is one, is told of what happens."""

    def __init__(self, contract: Contract, vendor: Vendor, worlds: Worlds, seed: str, *, inferred: bool) -> None:
        self._contract = contract
        self._dues = vendor.dues
        self._worlds = worlds
        self._seed = seed
        self._teller = Teller(contract, vendor.events, inferred=inferred)
        self.audience: Audience | None = None

    def next_due(self, world: str) -> datetime | None:
        """The moment at which something falls due next in a world."""
        agenda = self._worlds.agendas.get(world)
        if agenda is None or not agenda.entries:
            return None
        entry = agenda.next(self._contract, self._worlds.begin(world))
        return entry.at if entry else None

    def happen(self, world: str) -> Happened:
        """Let the next thing that falls due happen, at its own time: all of it, or nothing where the vendor's module fails."""
        agenda, transaction = self._worlds.agendas[world], self._worlds.begin(world)
        entry = agenda.next(self._contract, transaction)
        assert entry is not None, "something is due"
        space = Space(self._contract, transaction, entry.at, self._seed, entry.tenant)
        try:
            before, after = due.pass_over(space, self._dues, entry)
            events, told = self.follow(space, world)
        except Exception as error:
            logger.exception("%s of %s %s failed", entry.name, entry.resource, entry.key)
            agenda.drop()
            return Happened(entry, None, None, (), f"{type(error).__name__}: {error}")
        transaction.commit()
        self.after(world, told)
        return Happened(entry, before, after, tuple(events))

    def catch_up(self, world: str, now: datetime) -> None:
        """Let everything happen that has fallen due by now."""
        agenda = self._worlds.agendas.get(world)
        if agenda is None or not agenda.entries or agenda.entries[0].at > now:
            return
        while (at := self.next_due(world)) is not None and at <= now:
            self.happen(world)

    def step(self, world: str, at: datetime, work: Callable[[Space], T]) -> T:
        """Do something to the records of all tenants that is nobody's call, in one transaction."""
        space = Space(self._contract, self._worlds.begin(world), at, self._seed, SHARED)
        result = work(space)
        _, told = self.follow(space, world)
        space.transaction.commit()
        self.after(world, told)
        return result

    def follow(self, space: Space, world: str) -> tuple[list[str], list[Told]]:
        """What follows from a step: what its records wait for now, the names of its events, and these with a body where anyone listens."""
        names: list[str] = []
        told: list[Told] = []
        listening = self._listens(world)
        for (name, key), before in (space.touched or {}).items():
            resource = self._contract.resources[name]
            after = space.transaction.get(space.table(name), key)
            if resource.lifecycle:
                self._worlds.agendas[world].note(self._contract, space.tenant, resource, before, after)
            for event, record in self._teller.events(resource, before, after) if resource.emissions else ():
                names.append(event)
                if listening:
                    told.append(self._teller.tell(space, resource, event, before, record))
        return names, told

    def follow_call(self, call: Space, world: str) -> Sequence[Told] | None:
        """The same of a call, of whose events nobody asks the names; None where nothing comes `after` it."""
        if self._listens(world):
            return self.follow(call, world)[1]
        agenda = None
        for (name, key), before in (call.touched or {}).items():
            resource = self._contract.resources[name]
            if resource.lifecycle:
                agenda = self._worlds.agendas[world]
                agenda.note(self._contract, call.tenant, resource, before, call.transaction.get(call.table(name), key))
        return None if agenda is None else ()

    def _listens(self, world: str) -> bool:
        return self.audience is not None and self.audience.listens(world, self._contract.name)

    def after(self, world: str, told: Sequence[Told]) -> None:
        """What comes after a step that is stored."""
        agenda = self._worlds.agendas[world]
        if agenda.is_crowded:
            agenda.tidy(self._contract, self._worlds.begin(world))
        if self.audience is not None:
            self.audience.hear(world, self._contract.name, told)

    def rewrite(self, world: str, tenant: str, resource: str, before: StoredRecord, record: StoredRecord) -> None:
        """Store a record over the one there was, as nobody's call: no event, but what it waits for may be another moment."""
        transaction = self._worlds.begin(world)
        facts = self._contract.resources[resource]
        transaction.put((tenant, resource), record[facts.key], record)
        self._worlds.agendas[world].note(self._contract, tenant, facts, before, record)
        transaction.commit()
        self.after(world, ())
