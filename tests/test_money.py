"""Money: exact minor units inside, JSON numbers at the edge, shares that add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.money import digits, major, minor, percent, prorated, split, times

AMOUNTS = st.integers(-(10**13), 10**13)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY", "KWD", "CLF", None])


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [(19.99, "USD", 1999), ("19.995", "USD", 2000), (-0.005, "EUR", -1), (500, "JPY", 500), (1.2345, "KWD", 1235), (0.1 + 0.2, None, 30)],
)  # fmt: skip
def test_an_amount_is_rounded_half_up_to_the_minor_unit(amount, currency, units):
    assert minor(amount, currency) == units


@pytest.mark.parametrize("nonsense", [float("nan"), float("inf"), "twelve", ""])
def test_what_is_no_amount_is_refused(nonsense):
    with pytest.raises(ValueError, match="is no amount"):
        minor(nonsense)


@given(amount=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_some_amount(amount):
    assert abs(Decimal(minor(amount)) - 100 * Decimal(str(amount))) <= Decimal("0.5")


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_minor_units_survive_the_way_out_and_in(amount, currency):
    assert minor(major(amount, currency), currency) == amount


def test_a_whole_amount_is_written_without_a_fraction():
    assert (major(2000), major(1999), major(500, "jpy"), digits("bhd")) == (20, 19.99, 500, 3)
    assert isinstance(major(2000), int)


@given(amount=AMOUNTS, weights=st.lists(st.integers(0, 10**6), min_size=1).filter(any))
def test_shares_add_up_and_none_is_a_unit_off(amount, weights):
    shares = split(amount, weights)
    assert sum(shares) == amount
    assert all(
        abs(share * sum(weights) - amount * weight) < sum(weights)
        for share, weight in zip(shares, weights, strict=True)
    )


@given(amount=AMOUNTS, whole=st.integers(1, 10**9), data=st.data())
def test_the_two_parts_of_a_period_add_up_to_within_a_unit(amount, whole, data):
    part = data.draw(st.integers(0, whole))
    assert abs(prorated(amount, part, whole) + prorated(amount, whole - part, whole) - amount) <= 1
    assert (prorated(amount, whole, whole), prorated(amount, 0, whole)) == (amount, 0)


def test_a_percentage_and_a_quantity_are_rounded_once():
    assert (percent(1999, 12.5), percent(-1999, "12.5"), percent(100, 0)) == (250, -250, 0)
    assert (times(1999, 3), times(1999, 0.5), times(-1, "0.5")) == (5997, 1000, -1)
