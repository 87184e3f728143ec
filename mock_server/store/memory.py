"""The store that keeps everything in this process; gone when it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from heapq import merge
from itertools import chain, islice

from mock_server.store.frozen import FrozenDict, frozen
from mock_server.store.table import Key, Row, StoredRecord, Table, TableName, Where, holds, place_of

Written = dict[Key, FrozenDict | None]
"""What a transaction made of the records of a table, in the order of its writes; None for those deleted."""


class MemoryTransaction:
    """An overlay over the tables of one space."""

    __slots__ = ("_again", "_tables", "_writes")

    def __init__(self, tables: dict[TableName, Table]) -> None:
        self._tables = tables
        self._writes: dict[TableName, Written] | None = None
        self._again: set[tuple[TableName, Key]] | None = None
        """Keys that were deleted and then put again: their records are new ones, at the end of the order."""

    def get(self, table: TableName, key: Key) -> StoredRecord | None:
        """See Transaction."""
        if self._writes is not None:
            written = self._writes.get(table)
            if written is not None and key in written:
                return written[key]
        stored = self._tables.get(table)
        if stored is None:
            return None
        row = stored.rows.get(key)
        return None if row is None else row.record

    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        """See Transaction."""
        written = self._written(table)
        if key in written and written[key] is None:
            del written[key]
            self._again = self._again or set()
            self._again.add((table, key))
        written[key] = frozen(record)

    def delete(self, table: TableName, key: Key) -> None:
        """See Transaction."""
        self._written(table)[key] = None

    def _written(self, table: TableName) -> Written:
        if self._writes is None:
            self._writes = {}
        written = self._writes.get(table)
        if written is None:
            written = self._writes[table] = {}
        return written

    def scan(
        self, table: TableName, where: Where | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """See Transaction."""
        stored = self._tables.get(table)
        written = self._writes.get(table) if self._writes is not None else None
        if written:
            return iter(self._overlaid(table, stored or Table(), written, where or {}, offset, limit))
        return iter(()) if stored is None else iter(stored.scan(where, offset, limit))

    def count(self, table: TableName, where: Where | None = None) -> int:
        """See Transaction."""
        stored = self._tables.get(table)
        total = 0 if stored is None else stored.count(where)
        written = self._writes.get(table) if self._writes is not None else None
        if written:
            conditions = tuple((where or {}).items())
            for key, record in written.items():
                row = stored.rows.get(key) if stored is not None else None
                total += record is not None and holds(record, conditions)
                total -= row is not None and holds(row.record, conditions)
        return total

    def _overlaid(
        self, table: TableName, stored: Table, written: Written, where: Where, offset: int, limit: int | None
    ) -> list[StoredRecord]:
        """A stretch of the matching records: those stored before, each as it is now and in its place, then the new ones."""
        changed: list[Row] = []
        new: list[Row] = []
        conditions = tuple(where.items())
        for key, record in written.items():
            if record is None or not holds(record, conditions):
                continue
            row = stored.rows.get(key)
            if row is None or (self._again and (table, key) in self._again):
                new.append(Row(0, key, record))
            else:
                changed.append(Row(row.place, key, record))
        rows, rest = stored.select(where)
        kept = (row for row in rows if row.key not in written and holds(row.record, rest))
        found = chain(merge(kept, sorted(changed, key=place_of), key=place_of), new)
        most = len(rows) + len(written)
        stop = most if limit is None else min(offset + limit, most)
        return [row.record for row in islice(found, min(offset, stop), stop)]

    def commit(self) -> None:
        """See Transaction."""
        if self._writes is None:
            return
        writes, again = self._writes, self._again or ()
        self._writes = self._again = None
        for name, written in writes.items():
            table = self._tables.get(name)
            if table is None:
                table = self._tables[name] = Table()
            for key, record in written.items():
                if record is None:
                    table.delete(key)
                    continue
                if again and (name, key) in again:
                    table.delete(key)
                table.put(key, record)


class MemoryStore:
    """Keeps everything in this process; gone when it ends."""

    def __init__(self) -> None:
        self._spaces: dict[str, dict[str, dict[TableName, Table]]] = {}

    def begin(self, world: str, vendor: str) -> MemoryTransaction:
        """See Store."""
        try:
            return MemoryTransaction(self._spaces[world][vendor])
        except KeyError:
            return MemoryTransaction(self._spaces.setdefault(world, {}).setdefault(vendor, {}))

    def worlds(self) -> Collection[str]:
        """See Store."""
        return self._spaces.keys()

    def clear(self, world: str) -> None:
        """See Store."""
        self._spaces.pop(world, None)
