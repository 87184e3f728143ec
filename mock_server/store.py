"""Where records are kept: tables of a vendor in a world, read and written in transactions.

A table is named by scope (a tenant, or the empty text for what all tenants share) and resource. Records are frozen by agreement: a change
is a new record. A transaction's writes stand in an overlay until it commits; one that does not commit leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from heapq import merge
from itertools import chain, islice
from operator import itemgetter
from typing import Any, Protocol

StoredRecord = Mapping[str, Any]
Key = str | int
TableName = tuple[str, str]
"""Scope and resource."""
Row = tuple[int, Key, StoredRecord]
"""A record with its place in the order of insertion and its key."""
_place = itemgetter(0)


class Transaction(Protocol):
    """All-or-nothing access to one vendor's tables in one world."""

    def get(self, table: TableName, key: Key) -> StoredRecord | None:
        """The record with that key."""

    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        """Insert or replace. A replaced record keeps its place in the order; one deleted before is new, at the end."""

    def delete(self, table: TableName, key: Key) -> None:
        """Remove; nothing happens where there is none."""

    def scan(
        self, table: TableName, where: Mapping[str, Any] | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """The records in order of insertion whose fields equal `where`."""

    def count(self, table: TableName, where: Mapping[str, Any] | None = None) -> int:
        """How many records `scan` gives."""

    def commit(self) -> None:
        """Make every write lasting, at once."""


class Store(Protocol):
    """Hands out transactions. Calls in one space are serial."""

    def begin(self, world: str, vendor: str) -> Transaction:
        """A transaction over a vendor's tables in a world."""

    def worlds(self) -> Collection[str]:
        """The worlds that hold anything, as they are now."""

    def clear(self, world: str) -> None:
        """Forget everything of a world."""


class _Table:
    """Rows in insertion order, with equality indexes on the fields that are asked for."""

    def __init__(self, indexed: frozenset[str]) -> None:
        self.rows: dict[Key, tuple[int, StoredRecord]] = {}
        self.indexes: dict[str, dict[Any, dict[Key, None]]] = {field: {} for field in indexed}
        self.sequence = 0

    def put(self, key: Key, record: StoredRecord) -> None:
        old = self.rows.get(key)
        if old is None:
            self.sequence += 1
            place = self.sequence
        else:
            place = old[0]
            self._unindex(key, old[1])
        self.rows[key] = (place, record)
        for field, index in self.indexes.items():
            value = record.get(field)
            if _is_scalar(value):
                index.setdefault(value, {})[key] = None

    def delete(self, key: Key) -> None:
        old = self.rows.pop(key, None)
        if old is not None:
            self._unindex(key, old[1])

    def _unindex(self, key: Key, record: StoredRecord) -> None:
        for field, index in self.indexes.items():
            value = record.get(field)
            if _is_scalar(value) and value in index:
                index[value].pop(key, None)
                if not index[value]:
                    del index[value]

    def candidates(self, where: Mapping[str, Any]) -> Iterator[Row]:
        """Rows that may match, by the most selective index there is, in order of insertion."""
        buckets = [
            self.indexes[field].get(value, {})
            for field, value in where.items()
            if field in self.indexes and _is_scalar(value)
        ]
        if not buckets:
            return ((place, key, record) for key, (place, record) in self.rows.items())
        smallest = min(buckets, key=len)
        return iter(sorted([(self.rows[key][0], key, self.rows[key][1]) for key in smallest], key=_place))


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _matches(record: StoredRecord, where: Mapping[str, Any]) -> bool:
    """Whether the fields are equal as JSON: true is not 1, and a field that is absent is null."""
    for field, value in where.items():
        held = record.get(field)
        if held != value or isinstance(held, bool) is not isinstance(value, bool):
            return False
    return True


class MemoryTransaction:
    """An overlay over the tables of one space."""

    def __init__(self, tables: dict[TableName, _Table], indexed: Mapping[str, frozenset[str]]) -> None:
        self._tables = tables
        self._indexed = indexed
        self._writes: dict[TableName, dict[Key, StoredRecord | None]] = {}
        self._again: dict[TableName, set[Key]] = {}
        """Keys that were deleted and then put again: their records are new ones, at the end of the order."""

    def get(self, table: TableName, key: Key) -> StoredRecord | None:
        """See Transaction."""
        written = self._writes.get(table)
        if written is not None and key in written:
            return written[key]
        rows = self._tables.get(table)
        row = rows.rows.get(key) if rows is not None else None
        return row[1] if row is not None else None

    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        """See Transaction."""
        written = self._writes.setdefault(table, {})
        if key in written and written[key] is None:
            del written[key]
            self._again.setdefault(table, set()).add(key)
        written[key] = record

    def delete(self, table: TableName, key: Key) -> None:
        """See Transaction."""
        self._writes.setdefault(table, {})[key] = None

    def scan(
        self, table: TableName, where: Mapping[str, Any] | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """See Transaction."""
        stop = None if limit is None else offset + limit
        return islice(self._matching(table, where or {}), offset, stop)

    def count(self, table: TableName, where: Mapping[str, Any] | None = None) -> int:
        """See Transaction."""
        if not where and not self._writes.get(table):
            rows = self._tables.get(table)
            return len(rows.rows) if rows is not None else 0
        return sum(1 for _ in self._matching(table, where or {}))

    def _matching(self, table: TableName, where: Mapping[str, Any]) -> Iterator[StoredRecord]:
        stored = self._tables.get(table)
        written = self._writes.get(table)
        kept = stored.candidates(where) if stored is not None else iter(())
        if not written:
            return (record for _, _, record in kept if _matches(record, where))
        changed, new = self._overlay(table, stored, where)
        overlaid = frozenset(written)
        rest = (row for row in kept if row[1] not in overlaid and _matches(row[2], where))
        return (row[2] for row in chain(merge(rest, changed, key=_place), new))

    def _overlay(
        self, table: TableName, stored: _Table | None, where: Mapping[str, Any]
    ) -> tuple[list[Row], list[Row]]:
        """The matching writes as they are now: those that keep the place of a stored row, in order of place, and the new ones."""
        changed: list[Row] = []
        new: list[Row] = []
        rows = stored.rows if stored is not None else {}
        again = self._again.get(table, ())
        for key, record in self._writes[table].items():
            if record is None or not _matches(record, where):
                continue
            if key in rows and key not in again:
                changed.append((rows[key][0], key, record))
            else:
                new.append((0, key, record))
        return sorted(changed, key=_place), new

    def commit(self) -> None:
        """See Transaction."""
        for table, written in self._writes.items():
            target = self._tables.get(table)
            if target is None:
                target = self._tables[table] = _Table(self._indexed.get(table[1], frozenset()))
            again = self._again.get(table, ())
            for key, record in written.items():
                if record is None or key in again:
                    target.delete(key)
                if record is not None:
                    target.put(key, record)
        self._writes.clear()
        self._again.clear()


SWEPT = 10
"""Outdated entries that a new one drops at the most: more than one, so that they never pile up."""


def sweep(transaction: Transaction, table: TableName, is_outdated: Callable[[StoredRecord], bool]) -> None:
    """Drop outdated entries from the old end of a table, which is in order of insertion; entries are keyed by their `id`."""
    for entry in list(transaction.scan(table, limit=SWEPT)):
        if not is_outdated(entry):
            return
        transaction.delete(table, entry["id"])


class MemoryStore:
    """Keeps everything in this process; gone when it ends."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[str, dict[TableName, _Table]]] = {}
        self._indexed: dict[str, Mapping[str, frozenset[str]]] = {}

    def index(self, vendor: str, fields: Mapping[str, frozenset[str]]) -> None:
        """Keep equality indexes on these fields of a vendor's resources."""
        self._indexed[vendor] = fields

    def begin(self, world: str, vendor: str) -> MemoryTransaction:
        """See Store."""
        space = self._spaces.setdefault(world, {}).setdefault(vendor, {})
        return MemoryTransaction(space, self._indexed.get(vendor, {}))

    def worlds(self) -> Collection[str]:
        """See Store."""
        return self._spaces.keys()

    def clear(self, world: str) -> None:
        """See Store."""
        self._spaces.pop(world, None)
