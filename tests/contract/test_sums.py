"""What a document says adds up: read, and reckoned without rounding."""

from __future__ import annotations

from decimal import Decimal

import pytest
from shop import fresh

from mock_server.contract import ContractError, load
from mock_server.contract.sums import Sum, amount, read_term


def a_sum(name, *terms):
    return Sum(name, tuple(read_term(term) for term in terms))


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({"total": 0.3, "lines": [{"amount": 0.1}, {"amount": 0.2}]}, ""),
        ({"total": "0.30", "lines": [{"amount": "0.1"}, {"amount": 0.2}]}, ""),
        ({"total": 0.31, "lines": [{"amount": 0.1}, {"amount": 0.2}]}, "total is 0.31, its terms come to 0.3"),
        ({"total": 9007199254740993, "lines": [{"amount": 9007199254740992}]}, "total is 9007199254740993, its terms come to 9007199254740992"),
        ({"total": 1, "lines": []}, "total is 1, its terms come to 0"),
        ({"total": 5, "lines": None}, "total is 5, its terms come to 0"),
        ({"total": 0, "lines": [{"amount": None}]}, ""),
        ({"total": None, "lines": [{"amount": 1}]}, ""),
        ({"total": 1, "lines": [{}]}, ""),
        ({"total": 1, "lines": 7}, ""),
        ({"total": 1}, ""),
    ],
)  # fmt: skip
def test_a_sum_is_judged_to_the_last_digit_where_all_of_it_is_shown(record, fault):
    assert a_sum("total", "lines[].amount").fault(record) == fault


def test_terms_are_added_and_taken_off_however_deep_they_are():
    total = a_sum("total", "lines[].parts[].net", "-discount", "tax.amount")
    record = {"lines": [{"parts": [{"net": 5}, {"net": 2}]}, {"parts": []}], "discount": 1.5, "tax": {"amount": 1}}
    assert total.due(record) == Decimal("6.5")
    assert total.due({**record, "tax": {}}) is None


@pytest.mark.parametrize("value", [True, None, "x", "NaN", float("inf"), [1]])
def test_what_is_no_amount_is_none(value):
    assert amount(value) is None


@pytest.mark.parametrize("sums", [{"price": "size"}, {"size": ["size", "-price"]}, {"size": "lines[].size"}])
def test_what_names_no_property_is_refused(sums, tmp_path):
    shop = fresh()
    shop.put("/components/schemas/Thing/x-sums", sums)
    with pytest.raises(ContractError, match=r"x-sums names (price|lines), which is no property"):
        load(shop.write(tmp_path))


def test_a_resource_has_the_sums_of_its_schema(tmp_path):
    shop = fresh()
    shop.put("/components/schemas/Thing/x-sums", {"size": ["size", "-code"]})
    assert load(shop.write(tmp_path)).resources["Thing"].sums == (a_sum("size", "size", "-code"),)
