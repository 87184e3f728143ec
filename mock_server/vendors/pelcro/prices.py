"""What things cost, to the smallest unit of a currency: periods, the rest of a period, coupons, taxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

from mock_server.durations import Duration
from mock_server.money import percent, prorated
from mock_server.store import StoredRecord


class Line(NamedTuple):
    """One thing that is charged, or, below zero, given back."""

    description: str
    plan_id: int
    quantity: int
    amount: int
    proration: bool = False


class Tax(NamedTuple):
    """What one tax makes of a price."""

    name: str
    percentage: float
    amount: int


@dataclass(frozen=True, slots=True)
class Price:
    """Lines, what a coupon takes off their sum, and the taxes on what is left."""

    currency: str
    lines: tuple[Line, ...] = ()
    discount: int = 0
    taxes: tuple[Tax, ...] = ()

    @property
    def subtotal(self) -> int:
        """What the lines add up to."""
        return sum(line.amount for line in self.lines)

    @property
    def net(self) -> int:
        """What is left of it after the coupon, before tax."""
        return self.subtotal - self.discount

    @property
    def tax(self) -> int:
        """What the taxes add up to."""
        return sum(tax.amount for tax in self.taxes)

    @property
    def total(self) -> int:
        """What is to be paid; below zero, what is given back."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Rest:
    """The part of a period that is yet to come, in seconds, and what the whole of it cost on the plan it was bought on."""

    plan: StoredRecord
    quantity: int
    cost: int
    part: int
    whole: int


Rates = Sequence[StoredRecord]


def of_period(plan: StoredRecord, quantity: int, coupon: StoredRecord | None = None, rates: Rates = ()) -> Price:
    """A whole period of a plan."""
    line = Line(plan["nickname"], plan["id"], quantity, plan["amount"] * quantity)
    return _price(plan["currency"], (line,), _discount(coupon, line.amount), rates)


def given(plan: StoredRecord, quantity: int) -> Price:
    """A whole period of a plan that is a gift: its price, and all of it off."""
    line = Line(plan["nickname"], plan["id"], quantity, plan["amount"] * quantity)
    return Price(plan["currency"], (line,), line.amount)


def of_change(
    rest: Rest | None,
    plan: StoredRecord,
    quantity: int,
    coupon: StoredRecord | None,
    rates: Rates,
    *,
    whole_period: bool,
) -> Price:
    """A change of plan: the rest of the old period given back, and the rest of it, or a whole new period, charged."""
    lines = []
    if rest is not None:
        back = prorated(rest.cost, rest.part, rest.whole)
        lines.append(Line(f"Unused time of {rest.plan['nickname']}", rest.plan["id"], rest.quantity, -back, True))
    amount = plan["amount"] * quantity
    discount = _discount(coupon, amount)
    if whole_period or rest is None:
        lines.append(Line(plan["nickname"], plan["id"], quantity, amount))
    else:
        net = prorated(amount - discount, rest.part, rest.whole)
        amount = prorated(amount, rest.part, rest.whole)
        discount = amount - net
        lines.append(Line(f"Remaining time of {plan['nickname']}", plan["id"], quantity, amount, True))
    return _price(plan["currency"], tuple(lines), discount, rates)


def in_force(coupon: StoredRecord | None, since: int | None, start: int) -> StoredRecord | None:
    """The coupon, where it lowers the price of a period that starts then; `since` is the start of the first one that it was for."""
    if coupon is None or since is None or coupon["duration"] == "forever":
        return coupon
    if coupon["duration"] == "once":
        return coupon if start <= since else None
    ends = Duration(months=coupon["duration_in_months"] or 1).after(datetime.fromtimestamp(since, UTC))
    return coupon if start < ends.timestamp() else None


def _discount(coupon: StoredRecord | None, amount: int) -> int:
    if coupon is None:
        return 0
    if coupon["percent_off"] is not None:
        return percent(amount, coupon["percent_off"])
    return min(coupon["amount_off"] or 0, amount)


def _price(currency: str, lines: tuple[Line, ...], discount: int, rates: Rates) -> Price:
    if not rates:
        return Price(currency, lines, discount)
    net = sum(line.amount for line in lines) - discount
    taxes = tuple(Tax(rate["name"], rate["percentage"], percent(net, rate["percentage"])) for rate in rates)
    return Price(currency, lines, discount, taxes)
