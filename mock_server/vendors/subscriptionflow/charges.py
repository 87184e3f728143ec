"""SubscriptionFlow's charges: what each price in a subscription costs for which days, exactly.

A charge knows up to which day it has been billed and when it is billed next. A part of a period costs what it adds to the cost of the period so
far, rounded half up to the minor unit: however a period is cut, its parts add up to the whole.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from mock_server import money
from mock_server.durations import Duration
from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.subscriptionflow import pricing, terms

Charge = Mapping[str, Any]
Item = Mapping[str, Any]
PLAIN = ("flat_fee", "per_unit", None)
"""How a price is reckoned that needs no more than the charge itself."""


class Line(NamedTuple):
    """What an invoice says of a charge: the days it is for (`ends` is the day after), how many, how much in minor units, and the usages billed."""

    item: Item
    charge: Charge
    starts: datetime
    ends: datetime | None
    quantity: int | float
    amount: int
    usages: Sequence[StoredRecord] = ()


def length(charge: Charge, record: StoredRecord) -> Duration:
    """How long a period of the charge is: as its price says, else the subscription's term, else a month."""
    return pricing.period(charge) or terms.first_term(record) or terms.MONTH


def is_in_arrears(charge: Charge) -> bool:
    """Whether a period is billed when it is over."""
    return charge.get("billing_timming") == "in_arrears" or charge.get("category") == "usage"


def cost(space: Space, charge: Charge, currency: str, quantity: Any = None) -> int:
    """What one period of a charge costs, or so many."""
    many, model = charge.get("default_quantity") if quantity is None else quantity, charge.get("charge_model")
    if model in PLAIN and charge.get("category") != "usage":
        return _plain_cost(charge.get("list_price"), many, currency)
    price = space.find("PlanPrice", charge["plan_price_id"])
    return pricing.cost(pricing.number(charge.get("list_price")), pricing.number(many), price, model, currency)


@functools.lru_cache(maxsize=1024)
def _plain_cost(unit: Any, quantity: Any, currency: str) -> int:
    return pricing.cost(pricing.number(unit), pricing.number(quantity), None, None, currency)


def part(whole: int, starts: datetime, ends: datetime | None, since: datetime, until: datetime | None) -> int:
    """What the days from `since` to `until` of a period cost."""
    if ends is None or until is None:
        return whole
    days = (ends - starts).days
    upto, before = (until - starts).days, (since - starts).days
    if not before and upto == days:
        return whole
    return money.prorated(whole, upto, days) - money.prorated(whole, before, days)


def started(record: StoredRecord, today: datetime, *, whole: bool) -> list[dict[str, Any]]:
    """The items of a subscription that is billed from today: with the `whole` of the period that holds today, or with the rest of it."""
    anchor = terms.day(record["billed_from"]) or today
    return [
        {**item, "charges": [_started(charge, record, anchor, today, whole) for charge in item["charges"]]}
        for item in record["items"]
    ]


def _started(charge: Charge, record: StoredRecord, anchor: datetime, today: datetime, whole: bool) -> dict[str, Any]:
    if charge.get("category") == "onetime":
        pending = charge.get("billed_through") is None
        return {**charge, "bill_date": terms.written(max(anchor, today)) if pending else None}
    period = length(charge, record)
    number = terms.index(period, anchor, today)
    begins = terms.nth(period, anchor, number)
    first = begins if whole or begins is None or begins > today else today
    bill = terms.nth(period, anchor, number + 1) if is_in_arrears(charge) else first
    return {**charge, "billed_through": terms.written(first), "bill_date": terms.written(bill)}


def next_bill(items: Iterable[Item], limit: datetime | None) -> str | None:
    """The day on which something is billed next; None where nothing is before the limit."""
    days = [charge["bill_date"] for item in items for charge in item["charges"] if charge.get("bill_date")]
    found = min(days, default=None)
    last = terms.day(found)
    return None if last is None or (limit is not None and last >= limit) else found


def run_up(
    space: Space, record: StoredRecord, today: datetime, limit: datetime | None, currency: str
) -> tuple[list[Line], list[dict[str, Any]]]:
    """What is to be billed by today, and the items with what they are billed next; nothing is from the limit on."""
    lines: list[Line] = []
    items = []
    for item in record["items"]:
        charges = []
        for charge in item["charges"]:
            at = terms.day(charge.get("bill_date"))
            if at is None or at > today or (limit is not None and at >= limit):
                charges.append(charge)
                continue
            line, after = _billed(space, record, item, charge, at, limit, currency)
            lines.extend(line)
            charges.append(after)
        items.append({**item, "charges": charges})
    return lines, items


def _billed(
    space: Space,
    record: StoredRecord,
    item: Item,
    charge: Charge,
    at: datetime,
    limit: datetime | None,
    currency: str,
) -> tuple[list[Line], Charge]:
    """A charge on the day that it is billed: its line, and the charge as it is then."""
    if charge.get("category") == "onetime":
        line = Line(item, charge, at, None, charge["default_quantity"], cost(space, charge, currency))
        return [line], {**charge, "bill_date": None, "billed_through": terms.written(at)}
    starts, ends = _period(charge, record, at if not is_in_arrears(charge) else _through(charge, at))
    if is_in_arrears(charge):
        following = None if ends is None else _period(charge, record, ends)[1]
        after = {**charge, "bill_date": terms.written(following), "billed_through": terms.written(at)}
        return list(_past(space, record, item, charge, at, currency)), after
    until = ends if limit is None or ends is None else min(ends, limit)
    whole = cost(space, charge, currency)
    line = Line(item, charge, at, until, charge["default_quantity"], part(whole, starts, ends, at, until))
    return [line], {**charge, "bill_date": terms.written(until), "billed_through": terms.written(until)}


def settled(
    space: Space, record: StoredRecord, items: Iterable[Item], today: datetime, currency: str
) -> Iterator[Line]:
    """The lines that settle items which end today: what was billed for later days goes back, what was not yet billed of earlier days comes due."""
    for item in items:
        for charge in item["charges"]:
            through = terms.day(charge.get("billed_through"))
            if charge.get("category") == "onetime" or through is None:
                continue
            if is_in_arrears(charge):
                yield from _past(space, record, item, charge, today, currency)
                continue
            starts, ends = _period(charge, record, today)
            since = max(today, starts)
            if through > since:
                back = part(cost(space, charge, currency), starts, ends, since, through)
                yield Line(item, charge, since, through, charge["default_quantity"], -back)


def _past(
    space: Space, record: StoredRecord, item: Item, charge: Charge, until: datetime, currency: str
) -> Iterator[Line]:
    """The lines for the days of a charge that are over and not yet billed."""
    since = _through(charge, until)
    if charge.get("category") == "usage":
        used = list(_used(space, record, charge, until))
        quantity = sum(pricing.number(usage.get("quantity")) or 0 for usage in used)
        if used:
            shown = int(quantity) if quantity == int(quantity) else float(quantity)
            yield Line(item, charge, since, until, shown, cost(space, charge, currency, quantity), used)
    elif since < until:
        starts, ends = _period(charge, record, since)
        whole = cost(space, charge, currency)
        yield Line(item, charge, since, until, charge["default_quantity"], part(whole, starts, ends, since, until))


def _used(space: Space, record: StoredRecord, charge: Charge, until: datetime) -> Iterator[StoredRecord]:
    """What was used of a charge before a day and is not yet billed."""
    for usage in space.scan("Usage", {"subscription_id": record["id"], "status": "Pending"}):
        begins, about = terms.day(usage.get("start_date")), (usage.get("charge_id"), usage.get("plan_price_id"))
        if (charge["id"] in about or charge["plan_price_id"] in about) and (begins is None or begins < until):
            yield usage


def _through(charge: Charge, otherwise: datetime) -> datetime:
    return terms.day(charge.get("billed_through")) or otherwise


def _period(charge: Charge, record: StoredRecord, today: datetime) -> tuple[datetime, datetime | None]:
    """The period of a charge that holds a day: its first day, and the day after its last."""
    period = length(charge, record)
    anchor = terms.day(record["billed_from"]) or today
    number = terms.index(period, anchor, today)
    return terms.nth(period, anchor, number) or anchor, terms.nth(period, anchor, number + 1)


def kept(before: Sequence[Item], after: Sequence[Item]) -> tuple[list[Item], list[dict[str, Any]]]:
    """When items are replaced: the old ones with the charges that end, and the new ones where a charge that stays the same goes on."""
    same = {_face(item, charge): charge for item in before for charge in item["charges"]}
    new, going_on = [], set()
    for item in after:
        charges = []
        for charge in item["charges"]:
            old = same.pop(_face(item, charge), None)
            if old is not None:
                going_on.add(old["id"])
            charges.append(charge if old is None else dict(old))
        new.append({**item, "charges": charges})
    ended = [{**item, "charges": [c for c in item["charges"] if c["id"] not in going_on]} for item in before]
    return [item for item in ended if item["charges"]], new


def _face(item: Item, charge: Charge) -> tuple[Any, ...]:
    """What must be the same for a charge to be the same."""
    return (
        item["plan_id"],
        item["product_id"],
        charge["plan_price_id"],
        charge.get("list_price"),
        charge["default_quantity"],
    )
