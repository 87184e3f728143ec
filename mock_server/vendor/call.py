"""One call under way, as actions see it: what was asked, by whom, when, and the records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mock_server.clock import mint, written
from mock_server.contract import Contract, Operation, Resource, View, escape
from mock_server.problems import Problem, Violation, violated
from mock_server.store import FrozenDict, StoredRecord, TableName, Transaction
from mock_server.vendor.messages import NOTHING, Caller, Claim, Input, Request

COUNTERS: TableName = ("", "_counters")
SHARED = ""


@dataclass(slots=True)
class Call:
    """One call under way: what was asked, by whom, when, and the transaction that its effects belong to."""

    contract: Contract
    operation: Operation
    request: Request
    caller: Caller
    transaction: Transaction
    now: datetime
    seed: str
    input: Input = NOTHING
    claim: Claim | None = None
    delay: float = 0.0
    """Seconds that a planned fault makes the call wait."""

    # What was asked -------------------------------------------------------------------------------------------------

    @property
    def body(self) -> Any:
        """The decoded body."""
        return self.input.body

    @property
    def resource(self) -> Resource:
        """The resource the operation's `x-action` names."""
        return self.contract.resources[self.operation.action.resource]

    def key(self) -> Any:
        """The value at the place that `x-action.by` names; None where the request has none."""
        if self.operation.action.by is None:
            return None
        where, name = self.operation.action.by
        if where == "credential":
            return (self.caller.credential or {}).get(name)
        return self.input.at(where, name)

    # Records --------------------------------------------------------------------------------------------------------

    def table(self, resource: str, tenant: str | None = None) -> TableName:
        """The table of a resource that this call sees."""
        if self.contract.resources[resource].scope == "vendor":
            return (SHARED, resource)
        return (self.caller.tenant if tenant is None else tenant, resource)

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
        by = self.operation.action.by
        if by is None or by[0] == "credential":
            return Problem("unknown", f"There is no such {resource}.")
        where, name = by
        violation = Violation(where, f"/{escape(name)}", "unknown", f"names no {resource}")  # type: ignore[arg-type]
        return Problem("unknown", f"There is no such {resource}.", (violation,))

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
        self.transaction.put(self.table(resource), key, record)
        return record

    def change(self, resource: str, record: StoredRecord, values: Mapping[str, Any]) -> StoredRecord:
        """Store the record with those values put over its own. Raises Problem `duplicate`."""
        facts = self.contract.resources[resource]
        changed = {**record, **_declared(facts, values)}
        if facts.updated:
            changed[facts.updated] = self.stamp()
        self.check_unique(resource, changed)
        self.transaction.put(self.table(resource), record[facts.key], changed)
        return changed

    def remove(self, resource: str, record: StoredRecord) -> StoredRecord:
        """Delete the record: stamped and hidden where the contract has a deletion stamp, else gone. Gives what it was."""
        facts = self.contract.resources[resource]
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

    # Time, ids, answers ---------------------------------------------------------------------------------------------

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

    def view(self, resource: str | None = None) -> View | None:
        """Where the success answer shows records of a resource (the action's, if none is named)."""
        return self.operation.view(resource or self.operation.action.resource)

    def shown(self, record: StoredRecord, resource: str | None = None) -> StoredRecord:
        """What an answer of this operation shows of a record: the view's properties that it has, write-only ones left out.

        Where that is all of it, the record itself: no copy.
        """
        columns = self._columns(resource or self.operation.action.resource)
        return record if columns is None else {column: record[column] for column in columns if column in record}

    def listed(self, records: Iterable[StoredRecord], resource: str | None = None) -> list[StoredRecord]:
        """What an answer of this operation shows of each record: see `shown`."""
        columns = self._columns(resource or self.operation.action.resource)
        if columns is None:
            return list(records)
        return [{column: record[column] for column in columns if column in record} for record in records]

    def _columns(self, resource: str) -> tuple[str, ...] | None:
        """The properties that an answer of this operation shows; None where that is every one there is."""
        known = self.operation.columns
        if resource not in known:
            facts, view = self.contract.resources[resource], self.view(resource)
            names = view.properties if view else tuple(facts.properties)
            shown = tuple(name for name in names if name in facts.properties and name not in facts.write_only)
            known[resource] = None if shown == tuple(facts.properties) else shown
        return known[resource]

    def dangling(self, pointer: str, resource: str) -> Problem:
        """The problem of a body's field that names no record."""
        return violated("dangling", pointer, f"names no {resource}")


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
