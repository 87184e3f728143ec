"""SubscriptionFlow's filters: an index finds what asking every record finds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from mock_server.contract import Contract, load
from mock_server.store import MemoryStore
from mock_server.vendor import Call, Caller, Input, Request
from mock_server.vendors.subscriptionflow.filters import Condition, by_conditions, by_equality, holds, looked_up

NOW = datetime(2026, 4, 13, tzinfo=UTC)
NUMBERS = [0, 1, 5, -0.0, 5.0, 5.5, 2**53, 2**53 + 1, -(2**53) - 1, 1e300, 10**400]
MOMENTS = ["2026-01-02T00:00:00Z", "2026-01-02T01:00:00+01:00", "2026-01-02T00:00:00.5Z", "2026-01-03T00:00:00Z"]
TEXTS = ["", "5", "5.0", " 5", "true", "Ada", "ada", "null", "2026-01-02T00:00:00Z"]
HELD: dict[str, list[Any]] = {
    "name": TEXTS,
    "email": TEXTS,
    "auto_charge": [number for number in NUMBERS if isinstance(number, int)],
    "balance": NUMBERS,
    "created_at": MOMENTS,
    "last_successful_login": MOMENTS,
}
ASKED = [*TEXTS, *MOMENTS, "5e0", "-0", "nan", "1e999", "9007199254740993", "2026-01-02", "0001-01-01T00:00:00+23:59"]
OPERATORS = ["$equals", "$is_null", "$not_null", "$not_equals", "$in", "$starts", "$gt", "$lte"]

OPERANDS = st.sampled_from(ASKED)


@st.composite
def worlds(draw: st.DrawFn, operators: list[str]) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Records that hold few values each, and conditions on them that name mostly such values."""
    columns = draw(st.lists(st.sampled_from(list(HELD)), min_size=1, max_size=2, unique=True))
    pools = {column: draw(st.lists(st.sampled_from(HELD[column]), min_size=1, max_size=3)) for column in columns}
    records = st.fixed_dictionaries({name: st.sampled_from([*pool, *pool, None]) for name, pool in pools.items()})
    conditions = {}
    for column, pool in pools.items():
        texts = [item if isinstance(item, str) else json.dumps(item) for item in pool]
        operand = st.sampled_from([*texts, *texts, *texts, draw(OPERANDS)])
        either = st.dictionaries(st.sampled_from(operators), operand, max_size=2)
        conditions[column] = st.fixed_dictionaries({"$equals": operand}) | either
    return draw(st.lists(records | st.just({}), min_size=2, max_size=8)), draw(st.fixed_dictionaries(conditions))


@cache
def contract() -> Contract:
    return load("subscriptionflow")


def call(operation: str, records: list[dict[str, Any]], committed: int, **input_: Any) -> Call:
    """A call over those records, the first of them committed; every fifth is deleted."""
    transaction = MemoryStore().begin("default", "subscriptionflow")
    table = ("site", "Customer")
    for number, record in enumerate(records):
        deleted = MOMENTS[0] if number % 5 == 4 else None
        transaction.put(table, f"c{number}", {"id": f"c{number}", **record, "deleted_at": deleted})
        if number + 1 == committed:
            transaction.commit()
            transaction.count(table, {"name": "5"})
    request = Request("POST", "/", "http://x", [], {}, "default")
    facts = contract().operations[operation]
    return Call(contract(), facts, request, Caller(None, "site"), transaction, NOW, "0", Input(**input_))


def as_moments(column: str) -> bool:
    return HELD[column] is MOMENTS


def expected(records: list[dict[str, Any]], asked: dict[str, dict[str, Any]]) -> list[str]:
    """What asking every record finds."""
    conditions = [
        Condition(column, operator, operand, as_moments(column))
        for column, operators in asked.items()
        for operator, operand in operators.items()
    ]
    return [
        f"c{number}"
        for number, record in enumerate(records)
        if number % 5 != 4 and conditions and all(holds(record, condition) for condition in conditions)
    ]


@settings(max_examples=300, deadline=None)
@given(worlds(OPERATORS), st.integers(0, 12))
def test_an_index_finds_what_asking_every_record_finds(world, committed):
    records, asked = world
    found = by_conditions(call("filterCustomers", records, committed, body={"filter": asked}), lambda call: None)
    assert [record["id"] for record in found] == expected(records, asked)
    event(f"finds {'some' if found else 'none'}")


@given(worlds(["$equals"]))
def test_a_search_by_fields_is_a_filter_by_equality(world):
    records, asked = world
    fields = {column: condition["$equals"] for column, condition in asked.items() if condition}
    found = by_equality(call("filterCustomers", records, len(records), query={"fields": fields}), lambda call: None)
    assert [record["id"] for record in found] == expected(records, asked)


@pytest.mark.parametrize(
    ("column", "operand", "held"),
    [
        ("name", "5", ["5"]),
        ("balance", "5", [5, 5.0]),
        ("balance", "5e0", [5, 5.0]),
        ("auto_charge", "true", [1]),
        ("auto_charge", "9007199254740993", [2**53, 2**53 + 1]),
        ("created_at", "2026-01-02T02:00:00+02:00", MOMENTS[:2]),
        ("created_at", "5", []),
        ("balance", "much", []),
    ],
)
def test_equality_compares_as_the_column_does(column, operand, held):
    records = [record for value in HELD[column] for record in ({column: value}, {}, {}, {}, {})]
    body = {"filter": {column: {"$equals": operand}}}
    found = by_conditions(call("filterCustomers", records, len(records), body=body), lambda call: None)
    assert [record[column] for record in found] == held


@pytest.mark.parametrize("column", ["name", "balance", "created_at"])
def test_no_column_equals_something_and_is_null(column):
    records: list[dict[str, Any]] = [{column: HELD[column][1]}, {column: None}, {}]
    equal, null = ("$equals", json.dumps(HELD[column][1]).strip('"')), ("$is_null", "true")
    for asked in ({column: dict([equal, null])}, {column: dict([null, equal])}):
        assert by_conditions(call("filterCustomers", records, 3, body={"filter": asked}), lambda call: None) == []
    for condition, found in ((equal, ["c0"]), (null, ["c1", "c2"])):
        body = {"filter": {column: dict([condition])}}
        records_found = by_conditions(call("filterCustomers", records, 3, body=body), lambda call: None)
        assert [record["id"] for record in records_found] == found


@pytest.mark.parametrize("column", HELD)
def test_equality_of_every_kind_of_column_is_looked_up(column):
    kind = contract().resources["Customer"].properties[column]
    operand = MOMENTS[0] if as_moments(column) else "1"
    assert looked_up(Condition(column, "$equals", operand, as_moments(column)), kind["type"]) is not None
    assert looked_up(Condition(column, "$is_null", "true", as_moments(column)), kind["type"]) == (column, None)
