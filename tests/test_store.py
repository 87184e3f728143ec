"""The store against a plain model: lists of rows, copied for a transaction and put back by its commit."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mock_server.store import Key, MemoryStore, MemoryTransaction, StoredRecord, TableName

INDEXED = frozenset({"color", "size"})
TABLES: list[TableName] = [("first", "Thing"), ("", "Owner")]
WORLDS = ["default", "other"]
VALUES = (
    st.sampled_from(["red", "blue", "", "1", 0, 1, 1.0, 2, True, False, None, 1.5])
    | st.just(["red"])
    | st.just({"a": 1})
)
COLORS = st.sampled_from(["red", "blue"])
RECORDS = st.fixed_dictionaries({"color": COLORS}) | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("color", "size", "note"), VALUES)
)
WHERE = (
    st.none()
    | st.fixed_dictionaries({"color": COLORS})
    | st.fixed_dictionaries({}, optional=dict.fromkeys(("color", "size", "note"), VALUES))
)
KEYS = st.sampled_from(["a", "b", "1", 1])
Rows = dict[Key, StoredRecord]


def same(held: Any, value: Any) -> bool:
    """Equality of JSON: true is not 1, and 1 is 1.0."""
    return held == value and isinstance(held, bool) == isinstance(value, bool)


def matching(rows: Rows, where: Mapping[str, Any] | None) -> list[StoredRecord]:
    return [
        record
        for record in rows.values()
        if all(same(record.get(field), value) for field, value in (where or {}).items())
    ]


class StoreMachine(RuleBasedStateMachine):
    """One transaction at a time over two worlds, as the engine does it."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
        self.store.index("shop", {"Thing": INDEXED})
        self.kept: dict[str, dict[TableName, Rows]] = {world: {table: {} for table in TABLES} for world in WORLDS}
        self.open()

    def agree(self) -> None:
        """What is committed is what everyone sees, and every index agrees with a full scan."""
        for world in WORLDS:
            other = self.store.begin(world, "shop")
            for table, rows in self.kept[world].items():
                assert list(other.scan(table)) == list(rows.values())
                assert other.count(table) == len(rows)
                for key in rows:
                    assert other.get(table, key) == rows[key]
        other = self.store.begin(self.world, "shop")
        for value in ("red", "blue", 1, True, None, 1.5):
            for field in ("color", "size"):
                assert list(other.scan(TABLES[0], {field: value})) == matching(
                    self.kept[self.world][TABLES[0]], {field: value}
                )

    @initialize(world=st.sampled_from(WORLDS))
    def begin(self, world: str) -> None:
        self.open(world)

    def open(self, world: str = "default") -> None:
        self.world = world
        self.transaction: MemoryTransaction = self.store.begin(world, "shop")
        self.seen = copy.deepcopy(self.kept[world])

    @rule(table=st.sampled_from(TABLES), key=KEYS, record=RECORDS)
    def put(self, table: TableName, key: Key, record: StoredRecord) -> None:
        self.transaction.put(table, key, record)
        self.seen[table][key] = record

    @rule(table=st.sampled_from(TABLES), key=KEYS)
    def delete(self, table: TableName, key: Key) -> None:
        self.transaction.delete(table, key)
        self.seen[table].pop(key, None)

    @rule(table=st.sampled_from(TABLES), key=KEYS, change=RECORDS)
    def change(self, table: TableName, key: Key, change: StoredRecord) -> None:
        record = self.transaction.get(table, key)
        assert record == self.seen[table].get(key)
        if record is not None:
            self.put(table, key, {**record, **change})

    @rule(writes=st.lists(st.tuples(KEYS, RECORDS | st.none()), min_size=2, max_size=8))
    def write_and_commit(self, writes: list[tuple[Key, StoredRecord | None]]) -> None:
        for key, record in writes:
            if record is None:
                self.delete(TABLES[0], key)
            else:
                self.put(TABLES[0], key, record)
        self.commit_and_go_on()

    @rule(table=st.sampled_from(TABLES), where=WHERE)
    def scan(self, table: TableName, where: Mapping[str, Any] | None) -> None:
        expected = matching(self.seen[table], where)
        assert list(self.transaction.scan(table, where)) == expected
        assert self.transaction.count(table, where) == len(expected)

    @rule(table=st.sampled_from(TABLES), where=WHERE, offset=st.integers(0, 4), limit=st.none() | st.integers(0, 4))
    def page(self, table: TableName, where: Mapping[str, Any] | None, offset: int, limit: int | None) -> None:
        expected = matching(self.seen[table], where)[offset:][:limit]
        assert list(self.transaction.scan(table, where, offset=offset, limit=limit)) == expected

    @rule(table=st.sampled_from(TABLES), where=WHERE, record=RECORDS)
    def write_while_scanning(self, table: TableName, where: Mapping[str, Any] | None, record: StoredRecord) -> None:
        expected = matching(self.seen[table], where)
        found = []
        for seen in self.transaction.scan(table, where):
            found.append(seen)
            self.put(table, f"new-{len(found)}", record)
        assert found == expected

    @rule(world=st.sampled_from(WORLDS))
    def commit(self, world: str) -> None:
        self.transaction.commit()
        self.kept[self.world] = self.seen
        self.open(world)
        self.agree()

    @rule(world=st.sampled_from(WORLDS))
    def roll_back(self, world: str) -> None:
        self.open(world)
        self.agree()

    @rule()
    def commit_and_go_on(self) -> None:
        self.transaction.commit()
        self.kept[self.world] = copy.deepcopy(self.seen)
        self.agree()

    @rule(world=st.sampled_from(WORLDS))
    def clear(self, world: str) -> None:
        self.store.clear(world)
        self.kept[world] = {table: {} for table in TABLES}
        self.open(self.world)
        self.agree()

    @precondition(lambda self: any(any(rows.values()) for rows in self.kept["other"].values()))
    @rule()
    def a_world_that_holds_something_is_named(self) -> None:
        assert "other" in self.store.worlds()


StoreMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestStore = StoreMachine.TestCase


def test_vendors_of_a_world_do_not_see_each_others_records() -> None:
    store = MemoryStore()
    transaction = store.begin("default", "shop")
    transaction.put(("t", "Thing"), "a", {"id": "a"})
    transaction.commit()
    assert store.begin("default", "shop").get(("t", "Thing"), "a") == {"id": "a"}
    assert store.begin("default", "market").get(("t", "Thing"), "a") is None


def test_a_world_that_was_cleared_is_forgotten() -> None:
    store = MemoryStore()
    transaction = store.begin("mine", "shop")
    transaction.put(("t", "Thing"), "a", {})
    transaction.commit()
    assert "mine" in store.worlds()
    store.clear("mine")
    assert "mine" not in store.worlds()
    store.clear("never-there")


def test_a_transaction_that_was_committed_writes_nothing_twice() -> None:
    store = MemoryStore()
    first, second = store.begin("default", "shop"), store.begin("default", "shop")
    first.put(("t", "Thing"), "a", {"id": 1})
    first.commit()
    second.put(("t", "Thing"), "a", {"id": 2})
    second.commit()
    first.put(("t", "Thing"), "b", {"id": 3})
    first.commit()
    assert list(store.begin("default", "shop").scan(("t", "Thing"))) == [{"id": 2}, {"id": 3}]


def test_an_index_keeps_the_order_of_insertion_and_forgets_what_changed() -> None:
    store = MemoryStore()
    store.index("shop", {"Thing": INDEXED})
    table = ("t", "Thing")
    first = store.begin("default", "shop")
    for name, color in (("a", "red"), ("b", "red"), ("c", "red")):
        first.put(table, name, {"id": name, "color": color})
    first.commit()
    second = store.begin("default", "shop")
    second.put(table, "a", {"id": "a", "color": "red", "size": 1})
    second.put(table, "b", {"id": "b", "color": "blue"})
    second.commit()
    third = store.begin("default", "shop")
    assert [record["id"] for record in third.scan(table, {"color": "red"})] == ["a", "c"]
    assert [record["id"] for record in third.scan(table, {"color": "blue"})] == ["b"]
    third.put(table, "b", {"id": "b", "color": "red"})
    assert [record["id"] for record in third.scan(table, {"color": "red"})] == ["a", "b", "c"]
    third.delete(table, "b")
    third.commit()
    assert [record["id"] for record in store.begin("default", "shop").scan(table, {"color": "blue"})] == []


def test_a_record_deleted_and_put_again_is_new_in_the_order() -> None:
    store = MemoryStore()
    table = ("t", "Thing")
    first = store.begin("default", "shop")
    for name in ("a", "b", "c"):
        first.put(table, name, {"id": name})
    first.commit()
    second = store.begin("default", "shop")
    second.delete(table, "a")
    second.put(table, "a", {"id": "a2"})
    second.put(table, "b", {"id": "b2"})
    expected = [{"id": "b2"}, {"id": "c"}, {"id": "a2"}]
    assert list(second.scan(table)) == expected
    second.commit()
    assert list(store.begin("default", "shop").scan(table)) == expected


@given(records=st.lists(RECORDS, max_size=8), where=WHERE)
def test_an_index_made_late_changes_nothing(records: list[StoredRecord], where: Mapping[str, Any] | None) -> None:
    store = MemoryStore()
    transaction = store.begin("default", "shop")
    for number, record in enumerate(records[:4]):
        transaction.put(("t", "Thing"), number, record)
    transaction.commit()
    store.index("shop", {"Thing": INDEXED})
    later = store.begin("default", "shop")
    for number, record in enumerate(records[4:], 4):
        later.put(("t", "Thing"), number, record)
    later.commit()
    found = store.begin("default", "shop").scan(("t", "Thing"), where)
    assert list(found) == matching(dict(enumerate(records)), where)
