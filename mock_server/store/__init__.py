"""Where records are kept: tables of a vendor in a world, read and written in transactions.

A table is named by scope (a tenant, or the empty text for what all tenants share) and resource. Records are frozen: a change is a new record.
A transaction's writes stand in an overlay until it commits; one that does not commit leaves no trace.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Protocol

from mock_server.store.frozen import FrozenDict, FrozenList, freeze
from mock_server.store.memory import MemoryStore, MemoryTransaction
from mock_server.store.table import Field, Key, StoredRecord, TableName, Where


class Transaction(Protocol):
    """All-or-nothing access to one vendor's tables in one world."""

    def get(self, table: TableName, key: Key) -> StoredRecord | None:
        """The record with that key."""

    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        """Insert or replace, as a frozen copy. A replaced record keeps its place in the order; one deleted before is new, at the end."""

    def delete(self, table: TableName, key: Key) -> None:
        """Remove; nothing happens where there is none."""

    def scan(
        self, table: TableName, where: Where | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """The records as they are now, in order of insertion, whose fields equal `where`."""

    def count(self, table: TableName, where: Where | None = None) -> int:
        """How many records `scan` gives."""

    def commit(self) -> None:
        """Make every write lasting, at once. What is written afterwards waits for the next commit."""


class Store(Protocol):
    """Hands out transactions. Calls in one space are serial."""

    def begin(self, world: str, vendor: str) -> Transaction:
        """A transaction over a vendor's tables in a world."""

    def worlds(self) -> Collection[str]:
        """The worlds that hold anything, as they are now."""

    def clear(self, world: str) -> None:
        """Forget everything of a world, and what transactions begun before still write to it."""


SWEPT = 10
"""Outdated entries that a new one drops at the most: more than one, so that they never pile up."""


def sweep(transaction: Transaction, table: TableName, is_outdated: Callable[[StoredRecord], bool]) -> None:
    """Drop outdated entries from the old end of a table, which is in order of insertion; entries are keyed by their `id`."""
    for entry in transaction.scan(table, limit=SWEPT):
        if not is_outdated(entry):
            return
        transaction.delete(table, entry["id"])


__all__ = [
    "Field",
    "FrozenDict",
    "FrozenList",
    "Key",
    "MemoryStore",
    "MemoryTransaction",
    "Store",
    "StoredRecord",
    "TableName",
    "Transaction",
    "Where",
    "freeze",
    "sweep",
]
