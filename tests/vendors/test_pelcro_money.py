"""Pelcro's money and calendar, held to sums and months reckoned apart: what was previewed is charged, and everything adds up."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pelcro_reader import FREE, HERALD, HERALDS, MEMBERSHIP, MOMENT, MONTHLY, PAYS, SUMMER, TRIAL, YEARLY, Reader
from sandboxes import Sandbox, fresh_world

PLANS = {MONTHLY: (900, 1), YEARLY: (9000, 12), TRIAL: (1200, 1), SUMMER: (2000, 3), MEMBERSHIP: (120000, 12)}
"""What each plan costs, and for how many months."""
COUPONS = {None: 0, "WELCOME10": 10, "QUARTER33": 33, "TEACHERS20": 20}
"""Percent off the first payment."""
TAXES = {305011: [("Sales tax", "6.25")], 305012: [("GST", "5"), ("QST", "9.975")]}


@pytest.fixture(scope="module")
def reader(applications: Callable[..., Any]) -> Callable[..., Reader]:
    """Somebody in a new world."""
    app, transport = applications("pelcro", frozen=MOMENT, inferred=True)

    def open_world(token: str = "pelcro-sandbox-alice", site: int = 1101) -> Reader:
        return Reader(Sandbox(app, "pelcro", fresh_world(), transport).client(""), token, site)

    return open_world


def rounded(exact: Fraction) -> int:
    """To the smallest unit, half up, away from zero."""
    size = int(abs(exact) + Fraction(1, 2))
    return -size if exact < 0 else size


def month_later(start: datetime, months: int) -> datetime:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))


def adds_up(customer: Any) -> None:
    """Everything that is owed and paid adds up, in each invoice and over all of them."""
    paid: Counter[int] = Counter()
    for charge in customer["charges"]:
        paid[charge["invoice_id"]] += charge["amount"] if charge["status"] == "succeeded" else 0
    applied = 0
    for invoice in customer["invoices"]:
        assert invoice["subtotal"] == sum(line["amount"] for line in invoice["lines"])
        assert invoice["tax"] == sum(tax["amount"] for tax in invoice["tax_lines"])
        assert invoice["total"] == invoice["subtotal"] - invoice["discount"] + invoice["tax"]
        assert invoice["amount_due"] == invoice["total"] - invoice["balance_applied"] >= 0
        assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
        assert (invoice["status"] == "paid") == (invoice["amount_remaining"] == 0)
        assert invoice["amount_paid"] == paid[invoice["id"]]
        applied += invoice["balance_applied"]
    assert customer["balance"] == -applied >= 0


moments = st.datetimes(datetime(2023, 1, 1), datetime(2032, 12, 31)).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
ends_of_months = st.tuples(st.integers(2023, 2032), st.integers(1, 12), st.integers(0, 86399)).map(
    lambda at: datetime(at[0], at[1], calendar.monthrange(at[0], at[1])[1], tzinfo=UTC) + timedelta(seconds=at[2])
)


@given(st.sampled_from(sorted(PLANS)), st.sampled_from([*COUPONS, "LOYAL250"]), st.integers(1, 10**6))
@settings(max_examples=60, deadline=None)
def test_what_was_previewed_is_charged(
    reader: Callable[..., Reader], plan: int, coupon: str | None, quantity: int
) -> None:
    alice = reader()
    body = {"quantity": quantity, **({"coupon_code": coupon} if coupon else {})}
    order = alice.preview(plan, **body)
    off = min(250, order["subtotal"]) if coupon == "LOYAL250" else None
    assert order["subtotal"] == PLANS[plan][0] * quantity
    assert order["discount"] == (rounded(Fraction(order["subtotal"] * COUPONS[coupon], 100)) if off is None else off)
    assert alice.preview(plan, **body) == order, "looking changes nothing"
    alice.subscribed(plan, **body)
    if plan == TRIAL:
        assert alice.new("invoices") == []
        alice.move(advance="P14D")
    (invoice,) = alice.new("invoices")
    names = {
        "subtotal": "subtotal",
        "discount": "discount",
        "taxes": "tax",
        "total": "total",
        "amount_due": "amount_due",
    }
    assert {name: order[name] for name in names} == {name: invoice[other] for name, other in names.items()}
    assert alice.new("charges")[0]["amount"] == order["amount_due"]


@given(st.sampled_from(sorted(TAXES)), st.integers(1, 10**6))
@settings(max_examples=30, deadline=None)
def test_each_tax_is_rounded_by_itself(reader: Callable[..., Reader], address: int, quantity: int) -> None:
    bob = reader("pelcro-sandbox-bob", HERALD)
    order = bob.preview(HERALDS, address_id=address, quantity=quantity, coupon_code="HERALD5")
    net = order["subtotal"] - order["discount"]
    assert [(tax["name"], tax["amount"]) for tax in order["tax_lines"]] == [
        (name, rounded(net * Fraction(rate) / 100)) for name, rate in TAXES[address]
    ]
    bob.subscribed(HERALDS, address_id=address, quantity=quantity, coupon_code="HERALD5")
    adds_up(bob.customer())
    assert bob.customer()["invoices"][-1]["total"] == order["total"]


@given(moments | ends_of_months, st.sampled_from([MONTHLY, YEARLY, SUMMER]), st.integers(1, 30))
@settings(max_examples=40, deadline=None)
def test_renewals_keep_to_the_day_they_began_on(
    reader: Callable[..., Reader], start: datetime, plan: int, periods: int
) -> None:
    alice = reader()
    alice.move(freeze=start.isoformat())
    subscription = alice.subscribed(plan)
    months = PLANS[plan][1]
    last = month_later(start, months * periods)
    happened = alice.move(to=last.isoformat())
    due = [month_later(start, months * n) for n in range(1, 2 if plan == SUMMER else periods + 1)]
    assert [datetime.fromisoformat(thing["at"]) for thing in happened] == due
    now = alice.again(subscription)
    if plan == SUMMER:
        assert now["status"] == "expired"
    else:
        assert now["current_period_end"] == int(month_later(start, months * (periods + 1)).timestamp())
        assert now["renewals"] == periods
    adds_up(alice.customer())


changes = st.tuples(
    st.sampled_from([MONTHLY, YEARLY, TRIAL, FREE, MEMBERSHIP]), st.integers(1, 50), st.integers(1, 40 * 86400)
)


def off(coupon: str | None, amount: int) -> int:
    """What a coupon that lasts takes off an amount."""
    return {None: 0, "TEACHERS20": rounded(Fraction(amount, 5)), "LOYAL250": min(250, amount)}[coupon]


@given(
    moments | ends_of_months,
    st.sampled_from([None, "TEACHERS20", "LOYAL250"]),
    st.lists(changes, min_size=1, max_size=6),
)
@settings(max_examples=40, deadline=None)
def test_changes_are_prorated_by_the_second_and_add_up(
    reader: Callable[..., Reader], start: datetime, coupon: str | None, steps: list[tuple[int, int, int]]
) -> None:
    alice = reader()
    alice.move(freeze=start.isoformat())
    subscription = alice.subscribed(MONTHLY, gateway_token=PAYS, **({"coupon_code": coupon} if coupon else {}))
    cost = 900 - off(coupon, 900)
    for plan, quantity, seconds in steps:
        alice.move(advance=f"PT{seconds}S")
        before = alice.again(subscription)
        if before["renewals"]:
            break
        order = alice.preview(plan, subscription_id=subscription["id"], quantity=quantity)
        after = alice.acted("change", subscription, plan_id=plan, quantity=quantity)
        invoice = alice.new("invoices")[-1]
        assert (invoice["total"], invoice["amount_due"]) == (order["total"], order["amount_due"])
        back, charged = invoice["lines"]
        now = int(datetime.fromisoformat(alice.http.get("/_mock/clock").json()["now"]).timestamp())
        part = before["current_period_end"] - now
        whole = before["current_period_end"] - before["current_period_start"]
        assert back["amount"] == -rounded(Fraction(cost * part, whole))
        full = after["plan"]["amount"] * quantity
        cost = full - off(coupon, full)
        if after["current_period_start"] == before["current_period_start"]:
            assert charged["amount"] == rounded(Fraction(full * part, whole))
            assert invoice["discount"] == charged["amount"] - rounded(Fraction(cost * part, whole))
        else:
            assert (charged["amount"], invoice["discount"]) == (full, full - cost)
    adds_up(alice.customer())
