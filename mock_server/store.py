"""Where records are kept: tables of a vendor in a world, read and written in transactions.

A table is named by scope (a tenant, or the empty text for what all tenants share) and resource. Records are frozen by agreement: a change
is a new record. A transaction's writes stand in an overlay until it commits; one that does not commit leaves no trace.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Protocol

StoredRecord = Mapping[str, Any]
Key = str | int
TableName = tuple[str, str]
"""Scope and resource."""


class Transaction(Protocol):
    """All-or-nothing access to one vendor's tables in one world."""

    def get(self, table: TableName, key: Key) -> StoredRecord | None:
        """The record with that key."""

    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        """Insert or replace. A replaced record keeps its place in the order."""

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

    def candidates(self, where: Mapping[str, Any]) -> Iterator[tuple[Key, StoredRecord]]:
        """Rows that may match, by the most selective index there is, in order of insertion."""
        buckets = [
            self.indexes[field].get(value, {})
            for field, value in where.items()
            if field in self.indexes and _is_scalar(value)
        ]
        if not buckets:
            return ((key, record) for key, (_, record) in self.rows.items())
        smallest = min(buckets, key=len)
        return iter([(key, self.rows[key][1]) for key in sorted(smallest, key=lambda key: self.rows[key][0])])


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _matches(record: StoredRecord, where: Mapping[str, Any]) -> bool:
    return all(record.get(field) == value for field, value in where.items())


class MemoryTransaction:
    """An overlay over the tables of one space."""

    def __init__(self, tables: dict[TableName, _Table], indexed: Mapping[str, frozenset[str]]) -> None:
        self._tables = tables
        self._indexed = indexed
        self._writes: dict[TableName, dict[Key, StoredRecord | None]] = {}

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
        self._writes.setdefault(table, {})[key] = record

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
        written = self._writes.get(table, {})
        if stored is not None:
            for key, record in stored.candidates(where):
                if key not in written and _matches(record, where):
                    yield record
                elif (changed := written.get(key)) is not None and _matches(changed, where):
                    yield changed
        for key, new in written.items():
            if new is None or not _matches(new, where):
                continue
            if stored is None or key not in stored.rows or not _matches(stored.rows[key][1], where):
                yield new

    def commit(self) -> None:
        """See Transaction."""
        for table, written in self._writes.items():
            target = self._tables.get(table)
            if target is None:
                target = self._tables[table] = _Table(self._indexed.get(table[1], frozenset()))
            for key, record in written.items():
                if record is None:
                    target.delete(key)
                else:
                    target.put(key, record)
        self._writes.clear()


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
