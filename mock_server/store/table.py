"""The rows of one table in order of insertion, and an index for each field that was ever asked for.

A row is found by its key, by its position, and by what a field holds, each at the same cost however many there are. An index is made by the first
question about its field: nobody need declare what will be asked.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from operator import attrgetter, methodcaller
from typing import Any

StoredRecord = Mapping[str, Any]
Key = str | int
TableName = tuple[str, str]
"""Scope and resource."""
Field = str | Callable[[StoredRecord], Any]
"""A field's name, or a pure function of the record, always the same object, whose result can be hashed."""
Where = Mapping[Any, Any]
"""Values by `Field`, equal as JSON: true is not 1, and a field that is absent is null."""
Conditions = Sequence[tuple[Field, Any]]

_NESTED = (dict, list)
_TRUE, _FALSE = object(), object()


class Row:
    """A record with its key and its place in the order of insertion. A changed record keeps its row."""

    __slots__ = ("key", "place", "record")

    def __init__(self, place: int, key: Key, record: StoredRecord) -> None:
        self.place = place
        self.key = key
        self.record = record


place_of = attrgetter("place")


class Table:
    """Rows by key, in order, and by what is in their fields."""

    __slots__ = ("_indexes", "_last", "_order", "rows")

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self._order: list[Row] = []
        self._indexes: dict[Field, Index] = {}
        self._last = 0

    def put(self, key: Key, record: StoredRecord) -> None:
        """Insert at the end, or replace in place."""
        row = self.rows.get(key)
        if row is not None:
            for index in self._indexes.values():
                index.move(row, record)
            row.record = record
            return
        self._last += 1
        row = self.rows[key] = Row(self._last, key, record)
        self._order.append(row)
        for index in self._indexes.values():
            index.add(row)

    def delete(self, key: Key) -> None:
        """Remove; nothing happens where there is none."""
        row = self.rows.pop(key, None)
        if row is None:
            return
        del self._order[bisect_left(self._order, row.place, key=place_of)]
        for index in self._indexes.values():
            index.remove(row)

    def scan(self, where: Where | None, offset: int, limit: int | None) -> list[StoredRecord]:
        """A stretch of the records that `where` describes."""
        rows, rest = self.select(where)
        stop = len(rows) if limit is None else min(offset + limit, len(rows))
        if not rest:
            return [row.record for row in rows[offset:stop]]
        found = (row.record for row in rows if holds(row.record, rest))
        return list(islice(found, min(offset, stop), stop))

    def count(self, where: Where | None) -> int:
        """How many records `where` describes."""
        if where and len(where) == 1:
            [condition] = where.items()
            found = self._bucket(*condition)
            if found is not None:
                return len(found)
        rows, rest = self.select(where)
        return sum(1 for row in rows if holds(row.record, rest)) if rest else len(rows)

    def select(self, where: Where | None) -> tuple[Sequence[Row], Conditions]:
        """The fewest rows that an index gives, in order, and what must be tested on each of them."""
        best: Sequence[Row] = self._order
        if not where:
            return best, ()
        answered: tuple[Field, Any] | None = None
        rest = []
        for condition in where.items():
            found = self._bucket(*condition)
            if found is None:
                rest.append(condition)
            elif len(found) < len(best):
                rest += [answered] if answered else []
                best, answered = found, condition
            elif len(found) < len(self._order):
                rest.append(condition)
        return best, rest

    def _bucket(self, field: Field, value: Any) -> Sequence[Row] | None:
        """The rows whose field equals a value; None where only comparing tells."""
        if isinstance(value, _NESTED):
            return None
        index = self._indexes.get(field)
        if index is None:
            index = self._indexes[field] = Index(field, self._order)
        return index.find(value)


class Index:
    """Rows by what a field of theirs holds, in order. Most values of most fields are held once: that row then needs no list."""

    __slots__ = ("_buckets", "_read")

    def __init__(self, field: Field, rows: Iterable[Row]) -> None:
        self._read = field if callable(field) else methodcaller("get", field)
        self._buckets: dict[Any, Row | list[Row]] = {}
        for row in rows:
            self.add(row)

    def find(self, value: Any) -> Sequence[Row]:
        """The rows that hold the value."""
        if value != value:
            return ()
        held = self._buckets.get(_hashed(value), ())
        return (held,) if isinstance(held, Row) else held

    def add(self, row: Row) -> None:
        """A row that is new."""
        self._add(row, _hashed(self._read(row.record)))

    def remove(self, row: Row) -> None:
        """A row that goes."""
        self._remove(row, _hashed(self._read(row.record)))

    def move(self, row: Row, record: StoredRecord) -> None:
        """A row whose record is about to be another."""
        before, after = _hashed(self._read(row.record)), _hashed(self._read(record))
        if before is not after and before != after:
            self._remove(row, before)
            self._add(row, after)

    def _add(self, row: Row, value: Any) -> None:
        if isinstance(value, _NESTED):
            return
        held = self._buckets.get(value)
        if held is None:
            self._buckets[value] = row
        elif isinstance(held, Row):
            self._buckets[value] = [held, row] if held.place < row.place else [row, held]
        elif held[-1].place < row.place:
            held.append(row)
        else:
            insort(held, row, key=place_of)

    def _remove(self, row: Row, value: Any) -> None:
        if isinstance(value, _NESTED):
            return
        held = self._buckets[value]
        if isinstance(held, Row):
            del self._buckets[value]
            return
        del held[bisect_left(held, row.place, key=place_of)]
        if len(held) == 1:
            self._buckets[value] = held[0]


def _hashed(value: Any) -> Any:
    """What stands for a value in an index, where true and 1 would be the same."""
    return (_TRUE if value else _FALSE) if value is True or value is False else value


def holds(record: StoredRecord, conditions: Iterable[tuple[Field, Any]]) -> bool:
    """Whether every field has its value."""
    return all(
        equal(record.get(field) if isinstance(field, str) else field(record), value) for field, value in conditions
    )


def equal(held: Any, value: Any) -> bool:
    """Whether two values are the same in JSON: true is not 1, 1 is 1.0."""
    if isinstance(held, bool) or isinstance(value, bool):
        return held is value
    if isinstance(held, list) and isinstance(value, list):
        return len(held) == len(value) and all(map(equal, held, value))
    if isinstance(held, dict) and isinstance(value, dict):
        return held.keys() == value.keys() and all(equal(item, value[name]) for name, item in held.items())
    return bool(held == value)
