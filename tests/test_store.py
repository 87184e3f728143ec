"""The store against a plain model: lists of rows, copied for a transaction and put back by its commit."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

import jsonschema_rs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from mock_server.store import (
    FrozenDict,
    FrozenList,
    Key,
    MemoryStore,
    MemoryTransaction,
    StoredRecord,
    TableName,
    freeze,
    sweep,
)

TABLES: list[TableName] = [("first", "Thing"), ("", "Owner")]
TABLE: TableName = ("t", "Thing")
WORLDS = ["default", "other"]
NESTED: list[Any] = [["red"], [1], [True], {"a": 1}, {"a": [None, {"b": 1.0}]}, {"a": [None, {"b": True}]}, [], {}]
SCALARS: list[Any] = ["red", "blue", "", "1", 0, 1, 1.0, 2, True, False, None, 1.5, -0.0, 2**63]
VALUES = st.sampled_from(SCALARS) | st.sampled_from(NESTED).map(copy.deepcopy)
COLORS = st.sampled_from(["red", "blue"])
FIELDS = ("color", "size", "note")
FEW = st.sampled_from([1, True, None])
RECORDS = st.fixed_dictionaries({"color": COLORS, "size": FEW}) | st.fixed_dictionaries(
    {}, optional=dict.fromkeys(FIELDS, VALUES)
)


def kind_of_size(record: StoredRecord) -> str:
    """A field that is worked out."""
    return type(record.get("size")).__name__


WHERE = (
    st.none()
    | st.fixed_dictionaries({"color": COLORS})
    | st.fixed_dictionaries({"color": COLORS, "size": FEW})
    | st.fixed_dictionaries(
        {}, optional={**dict.fromkeys(FIELDS, VALUES), kind_of_size: st.sampled_from(["int", "bool", "NoneType"])}
    )
)
KEYS = st.sampled_from(["a", "b", "c", "d", "e", "f", "1", 1, 0])
Rows = dict[Key, StoredRecord]
Asked = Mapping[Any, Any] | None


def same(held: Any, value: Any) -> bool:
    """Equality of JSON: true is not 1, and 1 is 1.0."""
    return told_apart(held) == told_apart(value)


def told_apart(value: Any) -> Any:
    """The value with its truth values made texts that nothing else holds."""
    if isinstance(value, list):
        return [told_apart(item) for item in value]
    if isinstance(value, dict):
        return {name: told_apart(item) for name, item in value.items()}
    return f"truth value {value}" if isinstance(value, bool) else value


def matching(rows: Rows, where: Asked) -> list[StoredRecord]:
    return [
        record
        for record in rows.values()
        if all(
            same(field(record) if callable(field) else record.get(field), value)
            for field, value in (where or {}).items()
        )
    ]


class StoreMachine(RuleBasedStateMachine):
    """One transaction at a time over two worlds, as the engine does it."""

    def __init__(self) -> None:
        super().__init__()
        self.store = MemoryStore()
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
        self.seen[table][key] = copy.deepcopy(record)
        self.transaction.put(table, key, record)
        self.spoil(record)

    def spoil(self, record: Any) -> None:
        """What a caller does to its own record afterwards must reach nobody."""
        for item in record.values():
            if type(item) is list:
                item.append("spoilt")
            elif type(item) is dict:
                item["spoilt"] = True
        record["color"] = "spoilt"

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
            assert self.transaction.get(table, key) == self.seen[table][key]

    @rule(writes=st.lists(st.tuples(KEYS, RECORDS | st.none()), min_size=2, max_size=8))
    def write_and_commit(self, writes: list[tuple[Key, StoredRecord | None]]) -> None:
        for key, record in writes:
            if record is None:
                self.delete(TABLES[0], key)
            else:
                self.put(TABLES[0], key, record)
        self.commit_and_go_on()

    @rule(table=st.sampled_from(TABLES), where=WHERE)
    def scan(self, table: TableName, where: Asked) -> None:
        expected = matching(self.seen[table], where)
        assert list(self.transaction.scan(table, where)) == expected
        assert self.transaction.count(table, where) == len(expected)

    @rule(table=st.sampled_from(TABLES), where=WHERE, offset=st.integers(0, 4), limit=st.none() | st.integers(0, 4))
    def page(self, table: TableName, where: Asked, offset: int, limit: int | None) -> None:
        expected = matching(self.seen[table], where)[offset:][:limit]
        assert list(self.transaction.scan(table, where, offset=offset, limit=limit)) == expected

    @rule(table=st.sampled_from(TABLES), where=WHERE, record=RECORDS)
    def write_while_scanning(self, table: TableName, where: Asked, record: StoredRecord) -> None:
        expected = matching(self.seen[table], where)
        found = []
        for seen in self.transaction.scan(table, where):
            found.append(seen)
            self.put(table, f"new-{len(found)}", copy.deepcopy(record))
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
    table = ("t", "Thing")
    assert list(store.begin("default", "shop").scan(table, {"color": "red"})) == []
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


@given(records=st.lists(RECORDS, max_size=12), where=WHERE, deleted=st.sets(st.integers(0, 11)))
def test_an_index_made_late_finds_what_one_made_early_finds(
    records: list[StoredRecord], where: Asked, deleted: set[int]
) -> None:
    def ask(early: bool) -> list[StoredRecord]:
        transaction = MemoryStore().begin("default", "shop")
        for number, record in enumerate(records):
            transaction.put(TABLE, number, record)
            transaction.commit()
            if early:
                transaction.count(TABLE, where)
        for number in deleted:
            transaction.delete(TABLE, number)
        transaction.commit()
        return list(transaction.scan(TABLE, where))

    kept = {number: record for number, record in enumerate(records) if number not in deleted}
    assert ask(early=True) == ask(early=False) == matching(kept, where)


def test_every_condition_holds_whichever_index_is_the_smallest() -> None:
    transaction = filled([{"color": "red", "size": True}, {"color": "blue", "size": 1}, {"color": "red", "size": 1}])
    for where in ({"color": "red", "size": 1}, {"size": 1, "color": "red"}):
        assert list(transaction.scan(TABLE, where)) == [{"color": "red", "size": 1}]
        assert transaction.count(TABLE, where) == 1
    assert list(transaction.scan(TABLE, {"color": "blue", "size": True})) == []


def test_what_is_no_number_equals_nothing_with_an_index_and_without() -> None:
    transaction = filled(({"size": float("nan"), "color": "red"},))
    for size in (float("nan"), transaction.get(TABLE, 0)["size"]):  # type: ignore[index]
        assert list(transaction.scan(TABLE, {"size": size})) == []
        assert list(transaction.scan(TABLE, {"color": "red", "size": size})) == []


def test_a_transaction_begun_before_its_world_was_cleared_brings_nothing_back() -> None:
    store = MemoryStore()
    before = store.begin("default", "shop")
    before.put(TABLE, "a", {"id": "a"})
    before.commit()
    before.put(TABLE, "b", {"id": "b"})
    store.clear("default")
    before.commit()
    assert "default" not in store.worlds()
    after = store.begin("default", "shop")
    assert (after.get(TABLE, "a"), after.get(TABLE, "b"), after.count(TABLE)) == (None, None, 0)
    before.put(TABLE, "c", {"id": "c"})
    before.commit()
    assert list(after.scan(TABLE)) == []


def test_a_sweep_drops_outdated_entries_from_the_old_end_only() -> None:
    transaction = filled([{"id": number, "old": number not in (3, 4)} for number in range(6)])
    sweep(transaction, TABLE, lambda entry: bool(entry["old"]))
    assert [entry["id"] for entry in transaction.scan(TABLE)] == [3, 4, 5]


# What it costs --------------------------------------------------------------------------------------------------------


def test_an_index_asks_each_record_once() -> None:
    asked = []

    def half(record: StoredRecord) -> int:
        asked.append(record["id"])
        return int(record["id"]) // 2

    transaction = filled([{"id": number} for number in range(20)])
    assert [record["id"] for record in transaction.scan(TABLE, {half: 3})] == [6, 7]
    assert asked == list(range(20))
    assert [record["id"] for record in transaction.scan(TABLE, {half: 9})] == [18, 19]
    assert transaction.count(TABLE, {half: 4}) == 2
    assert len(asked) == 20


@pytest.mark.parametrize("where", [None, {"color": "red"}, {"color": "red", "deleted_at": None}, {"deleted_at": None}])
def test_a_page_costs_the_same_wherever_it_is(where: Asked) -> None:
    def costs(size: int, offset: int) -> int:
        transaction = filled([{"id": n, "color": "red" if n % 2 else "blue"} for n in range(size)])
        for number in range(0, size, 7):
            transaction.delete(TABLE, number)
        transaction.commit()
        assert len(list(transaction.scan(TABLE, where, offset=offset, limit=20))) == 20
        assert transaction.count(TABLE, where) > size // 3
        return steps(lambda: list(transaction.scan(TABLE, where, offset=offset, limit=20))) + steps(
            lambda: transaction.count(TABLE, where)
        )

    assert costs(2000, 0) == costs(2000, 700) == costs(100, 0)


def test_the_smallest_index_decides_how_many_records_are_looked_at() -> None:
    where = {"color": "red", "note": 1, "size": 78}

    def cost(size: int) -> int:
        transaction = filled(
            [{"color": "red" if n % 2 else "blue", "size": n // 2, "note": n % 3} for n in range(size)]
        )
        assert list(transaction.scan(TABLE, where)) == [{"color": "red", "size": 78, "note": 1}]
        return steps(lambda: list(transaction.scan(TABLE, where)))

    assert cost(200) == cost(2000)


def steps(action: Callable[[], object]) -> int:
    """How many instructions of the interpreter an action takes."""
    taken = 0

    def count(frame: FrameType, what: str, _: Any) -> Any:
        nonlocal taken
        frame.f_trace_opcodes = True
        taken += what == "opcode"
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        action()
    finally:
        sys.settrace(before)
    return taken


def filled(records: Any) -> MemoryTransaction:
    """A transaction over records that are committed, by their number."""
    transaction = MemoryStore().begin("default", "shop")
    for number, record in enumerate(records):
        transaction.put(TABLE, number, record)
    transaction.commit()
    return transaction


# Frozen values --------------------------------------------------------------------------------------------------------

JSON_VALUES = st.recursive(
    st.sampled_from(SCALARS), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
)
ADDRESS = {"city": "Springfield", "lines": ["1 Main Street"], "none": None}


@given(JSON_VALUES)
def test_a_frozen_value_equals_what_it_was_made_of_everywhere(value: Any) -> None:
    frozen = freeze(value)
    assert frozen == value and value == frozen
    assert json.dumps(frozen) == json.dumps(value)
    assert json.loads(orjson.dumps(frozen)) == json.loads(json.dumps(value))
    assert jsonschema_rs.validator_for({"const": value}).is_valid(frozen)
    assert freeze(frozen) is frozen


@given(JSON_VALUES)
def test_a_copy_of_a_frozen_value_is_plain_throughout(value: Any) -> None:
    frozen = freeze(value)
    for copied in (copy.deepcopy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert copied == value
        assert plain(copied)


def plain(value: Any) -> bool:
    if isinstance(value, dict):
        return type(value) is dict and all(map(plain, value.values()))
    return type(value) is list and all(map(plain, value)) if isinstance(value, list) else True


def test_the_outermost_copy_of_a_frozen_value_is_plain() -> None:
    record, lines = freeze(ADDRESS), freeze(ADDRESS)["lines"]
    for copied in ({**record}, dict(record), record.copy(), copy.copy(record), record | {}):
        assert type(copied) is dict and copied == ADDRESS
    for listed in ([*lines], list(lines), lines.copy(), copy.copy(lines), lines * 1, lines[:]):
        assert type(listed) is list and listed == ADDRESS["lines"]


def _set_item(value: Any) -> None:
    value[0] = 1


def _delete_item(value: Any) -> None:
    del value[0]


def _or(value: Any) -> None:
    value |= {"a": 1}


def _add(value: Any) -> None:
    value += [1]


def _multiply(value: Any) -> None:
    value *= 2


@pytest.mark.parametrize(
    "change",
    [
        _set_item,
        _delete_item,
        _or,
        lambda value: value.clear(),
        lambda value: value.pop(0),
        lambda value: value.popitem(),
        lambda value: value.setdefault(1, 1),
        lambda value: value.update(a=1),
    ],
)
def test_a_frozen_object_refuses_every_change(change: Callable[[Any], None]) -> None:
    value = freeze({0: 0})
    with pytest.raises(TypeError, match="cannot be changed"):
        change(value)
    assert value == {0: 0} and type(value) is FrozenDict


@pytest.mark.parametrize(
    "change",
    [
        _set_item,
        _delete_item,
        _add,
        _multiply,
        lambda value: value.append(1),
        lambda value: value.clear(),
        lambda value: value.extend([1]),
        lambda value: value.insert(0, 1),
        lambda value: value.pop(),
        lambda value: value.remove(0),
        lambda value: value.reverse(),
        lambda value: value.sort(),
    ],
)
def test_a_frozen_array_refuses_every_change(change: Callable[[Any], None]) -> None:
    value = freeze([0])
    with pytest.raises(TypeError, match="cannot be changed"):
        change(value)
    assert value == [0] and type(value) is FrozenList


def test_every_method_of_dict_and_list_that_changes_it_is_refused() -> None:
    """What a copy does not have beyond a tuple or a mapping view is what changes it."""
    reading = {"copy", "get", "items", "keys", "values", "fromkeys", "count", "index"}
    for plain_type, kind in ((dict, FrozenDict), (list, FrozenList)):
        changing = {name for name in vars(plain_type) if not name.startswith("_")} - reading
        changing |= {"__setitem__", "__delitem__", "__ior__", "__iadd__", "__imul__"} & set(vars(plain_type))
        assert changing <= set(vars(kind))


def test_what_a_transaction_gives_is_frozen_before_the_commit_and_after() -> None:
    transaction = MemoryStore().begin("default", "shop")
    given = {"id": 1, "address": ADDRESS}
    transaction.put(TABLE, 1, given)
    for _ in range(2):
        for found in (transaction.get(TABLE, 1), *transaction.scan(TABLE), *transaction.scan(TABLE, {"id": 1})):
            assert (type(found), type(found["address"]), type(found["address"]["lines"])) == (
                FrozenDict,
                FrozenDict,
                FrozenList,
            )
        transaction.commit()
    changed = {**transaction.get(TABLE, 1), "id": 2}  # type: ignore[dict-item]
    transaction.put(TABLE, 2, changed)
    assert transaction.get(TABLE, 2)["address"] is transaction.get(TABLE, 1)["address"]  # type: ignore[index]
