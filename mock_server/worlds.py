"""Worlds: named universes of one vendor's records, each with its clock and its agenda, sown on first use."""

from __future__ import annotations

from datetime import datetime

from mock_server import seeds
from mock_server.clock import Clock
from mock_server.contract import Contract, Fixtures
from mock_server.due import Agenda
from mock_server.problems import Problem
from mock_server.store import MemoryStore, TableName, Transaction
from mock_server.vendor import SHARED

CLOCK: TableName = (SHARED, "_clock")
DEFAULT_WORLD = "default"
MOST_WORLDS = 5000
"""Worlds at the most: each takes about 90 kB with four vendors."""


class Worlds:
    """The worlds of one vendor in a store. `frozen` starts every world's clock at that moment.

    `agendas` are what the records of each wait for; like the seeds, they are there once a world has begun.
    """

    def __init__(self, contract: Contract, fixtures: Fixtures, store: MemoryStore, frozen: datetime | None) -> None:
        self._contract = contract
        self._fixtures = fixtures
        self._store = store
        self._clock = Clock(frozen)
        self.agendas: dict[str, Agenda] = {}

    def begin(self, world: str) -> Transaction:
        """A transaction in a world, which is sown on first use."""
        worlds = self._store.worlds()
        if world not in worlds and len(worlds) >= MOST_WORLDS and world != DEFAULT_WORLD:
            raise Problem(
                "world", f"There are {MOST_WORLDS} worlds, the most there may be; resetting one frees its place."
            )
        transaction = self._store.begin(world, self._contract.name)
        if transaction.get(CLOCK, "clock") is None:
            transaction.put(CLOCK, "clock", self._clock.record())
            seeds.sow(transaction, self._contract, self._fixtures)
            transaction.commit()
            self.agendas[world] = self._sown_agenda()
        return transaction

    def _sown_agenda(self) -> Agenda:
        agenda = Agenda()
        for name, records in self._fixtures.records.items():
            for record in records:
                resource = self._contract.resources[name]
                agenda.note(self._contract, record.tenant or SHARED, resource, None, record.value)
        return agenda

    def clock(self, transaction: Transaction) -> Clock:
        """The clock of the transaction's world."""
        record = transaction.get(CLOCK, "clock")
        return Clock.of(record) if record is not None else self._clock

    def set_clock(self, world: str, clock: Clock) -> None:
        """Set a world's clock, as it is now: what falls due is `happen`'s."""
        transaction = self.begin(world)
        transaction.put(CLOCK, "clock", clock.record())
        transaction.commit()

    def forget(self, world: str) -> None:
        """What is kept about a world beside the store."""
        self.agendas.pop(world, None)
