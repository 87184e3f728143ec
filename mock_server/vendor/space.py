"""One tenant's part of a world at a moment: the records, the time and the ids that a step may use, be it a call or something that falls due."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from mock_server.clock import mint, written
from mock_server.contract import Contract, Resource, escape
from mock_server.problems import Problem, Violation
from mock_server.store import FrozenDict, Key, StoredRecord, TableName, Transaction

COUNTERS: TableName = ("", "_counters")
SHARED = ""


class Space:
    """The records of a vendor in a world as one tenant sees them, in a transaction, at a moment: `now`.

    `touched` holds, by resource and key, what each record that this step changes was before it; None for one that is new.
    """

    __slots__ = ("contract", "now", "seed", "tenant", "touched", "transaction")

    def __init__(self, contract: Contract, transaction: Transaction, now: datetime, seed: str, tenant: str) -> None:
        self.contract = contract
        self.transaction = transaction
        self.now = now
        self.seed = seed
        self.tenant = tenant
        self.touched: dict[tuple[str, Key], StoredRecord | None] | None = None

    # Records --------------------------------------------------------------------------------------------------------

    def table(self, resource: str, tenant: str | None = None) -> TableName:
        """The table of a resource that this call sees."""
        if self.contract.resources[resource].scope == "vendor":
            return (SHARED, resource)
        return (self.tenant if tenant is None else tenant, resource)

    def find(self, resource: str, key: Any) -> StoredRecord | None:
        """The record with that key, or None; deleted ones are not found."""
        if type(key) is not str and type(key) is not int:
            return None
        record = self.transaction.get(self.table(resource), key)
        if record is None:
            return None
        deleted = self.contract.resources[resource].deleted
        return None if deleted and record.get(deleted) is not None else record

    def require(self, resource: str, key: Any) -> StoredRecord:
        """The record with that key. Raises Problem `unknown`."""
        record = self.find(resource, key)
        if record is None:
            raise self.unknown(resource)
        return record

    def unknown(self, resource: str) -> Problem:
        """The problem of a key that names nothing."""
        return Problem("unknown", f"There is no such {resource}.")

    def scan(
        self, resource: str, where: Mapping[str, Any] | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """The records of a resource in order of creation, whose fields equal `where`; deleted ones are left out."""
        return self.transaction.scan(self.table(resource), self._living(resource, where), offset=offset, limit=limit)

    def count(self, resource: str, where: Mapping[str, Any] | None = None) -> int:
        """How many records `scan` would give."""
        return self.transaction.count(self.table(resource), self._living(resource, where))

    def _living(self, resource: str, where: Mapping[str, Any] | None) -> Mapping[str, Any]:
        deleted = self.contract.resources[resource].deleted
        return {**(where or {}), deleted: None} if deleted else where or {}

    def create(self, resource: str, values: Mapping[str, Any]) -> StoredRecord:
        """Store a new record of those values: ids minted, stamps set, key and unique fields checked. Values given win over minted ones.

        Raises Problem `duplicate`.
        """
        facts = self.contract.resources[resource]
        record = {**facts.blank, **_declared(facts, values)}
        for name, template in facts.mint.items():
            if record[name] is None:
                record[name] = self.mint(resource, name, template)
        if facts.stamps:
            stamp = self.stamp()
            for name in facts.stamps:
                record[name] = stamp
        if facts.deleted:
            record[facts.deleted] = None
        key = record[facts.key]
        if facts.key in values and self.find(resource, key) is not None:
            raise _taken(resource, (facts.key,))
        self.check_unique(resource, record)
        if facts.watched:
            self._touch(resource, key, None)
        self.transaction.put(self.table(resource), key, record)
        return record

    def change(self, resource: str, record: StoredRecord, values: Mapping[str, Any]) -> StoredRecord:
        """Store the record with those values put over its own. Raises Problem `duplicate`."""
        facts = self.contract.resources[resource]
        changed = {**record, **_declared(facts, values)}
        if facts.updated:
            changed[facts.updated] = self.stamp()
        self.check_unique(resource, changed)
        if facts.watched:
            self._touch(resource, record[facts.key], record)
        self.transaction.put(self.table(resource), record[facts.key], changed)
        return changed

    def remove(self, resource: str, record: StoredRecord) -> StoredRecord:
        """Delete the record: stamped and hidden where the contract has a deletion stamp, else gone. Gives what it was."""
        facts = self.contract.resources[resource]
        if facts.watched:
            self._touch(resource, record[facts.key], record)
        if facts.deleted:
            stamped = {**record, facts.deleted: self.stamp()}
            self.transaction.put(self.table(resource), record[facts.key], stamped)
            return stamped
        self.transaction.delete(self.table(resource), record[facts.key])
        return record

    def check_unique(self, resource: str, record: StoredRecord) -> None:
        """Raise Problem `duplicate` where another record of the tenant shares a unique field set."""
        facts = self.contract.resources[resource]
        for group in facts.unique:
            where = {name: record.get(name) for name in group}
            if None in where.values() or not self.transaction.count(self.table(resource), where):
                continue
            for other in self.scan(resource, where):
                if other[facts.key] != record[facts.key]:
                    raise _taken(resource, group)

    def _touch(self, resource: str, key: Key, before: StoredRecord | None) -> None:
        """Note what a record was when the step began."""
        if self.touched is None:
            self.touched = {}
        if (resource, key) not in self.touched:
            # A caller may hold a record that it has changed already: what counts is what is stored.
            stored = None if before is None else self.transaction.get(self.table(resource), key)
            self.touched[resource, key] = stored

    # Time, ids ------------------------------------------------------------------------------------------------------

    def stamp(self, moment: datetime | None = None) -> str | int:
        """A moment (now, if none is given) as this vendor writes it."""
        return written(moment or self.now, self.contract.timestamps)

    def mint(self, resource: str, name: str, template: str) -> str | int:
        """The next unused value of a minted property."""
        facts = self.contract.resources[resource]
        while True:
            number = next_number(self.transaction, counter(resource, name))
            made: str | int = mint(template, f"{self.seed}|{resource}", number)
            if facts.properties[name].get("type") == "integer":
                made = int(made)
            if name != facts.key or self.transaction.get(self.table(resource), made) is None:
                return made

    def mint_id(self, template: str) -> str:
        """The next id of a template that belongs to no resource, such as a request's."""
        return mint(template, self.seed, next_number(self.transaction, template))


def _declared(facts: Resource, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values of properties that the resource has."""
    if facts.properties.keys() >= values.keys():
        return values
    return {name: value for name, value in values.items() if name in facts.properties}


def _taken(resource: str, fields: Sequence[str]) -> Problem:
    return Problem(
        "duplicate",
        f"Another {resource} has this {' and '.join(fields)}.",
        tuple(Violation("body", f"/{escape(name)}", "unique", "is taken") for name in fields),
    )


def counter(resource: str, name: str) -> str:
    """The name of the counter that a minted property is numbered by."""
    return f"{resource}.{name}"


def next_number(transaction: Transaction, name: str) -> int:
    """Count up a counter of the world."""
    held = transaction.get(COUNTERS, name)
    n: int = held["n"] + 1 if held is not None else 1
    transaction.put(COUNTERS, name, FrozenDict(n=n))
    return n
