"""SubscriptionFlow's subscriptions: what one needs, what its items come to, and the calls that move it from state to state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from mock_server import money
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call, Space
from mock_server.vendors.subscriptionflow import billing, catalogue, charges, lifecycle, pricing, terms

TERM = ("termed_start_date", "termed_initial_period", "termed_initial_period_type", "renewal_type")
"""What a termed subscription needs beside the rest."""
MOVES = {
    "Draft": ("Pending", "Trial", "Active", "Cancelled"),
    "Pending": ("Draft", "Trial", "Active", "Cancelled"),
    "Trial": ("Active", "Suspended", "Cancelled"),
    "Active": ("Suspended", "Cancelled"),
    "Suspended": ("Trial", "Active", "Cancelled"),
}
"""Where an update may move a subscription; one that has ended stays ended."""
_STAMPS = {"Suspended": "suspended_at", "Cancelled": "cancelled_at"}
_STARTS = ("Pending", "Trial", "Active")


def create(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A subscription with its items priced, its term complete, where it stands today."""
    body = call.body
    if body["type"].title() == "Termed":
        lacking = tuple(
            Violation("body", f"/{name}", "required", "is required") for name in TERM if body.get(name) is None
        )
        if lacking:
            raise Problem("missing", violations=lacking)
    items = _items(call, body["customer_id"])
    record = proceed(call)
    values: dict[str, Any] = {
        "items": items,
        **in_title_case(call, record),
        "pay_invoice": bool(body.get("pay_invoice")),
    }
    if record.get("payment_status") is None:
        values["payment_status"] = "Pending"
    record = {**record, **values}
    values |= _reckoned(call, record)
    status = record.get("status") or "Pending"
    if status in _STARTS:
        return lifecycle.enter(call, record, {**values, "status": status})
    stamps = {_STAMPS[status]: call.stamp()} if status in _STAMPS else {}
    return call.change("Subscription", record, {**values, **stamps})


def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The subscription changed; items that are sent replace all items, and a status that is sent moves it."""
    before = call.require("Subscription", call.key())
    items = _items(call, before.get("customer_id")) if "items" in (call.body or {}) else None
    changed = proceed(call)
    wanted = {**changed, **in_title_case(call, changed)}["status"]
    if wanted != before["status"] and wanted not in MOVES.get(before["status"], ()):
        raise Problem("state", f"The Subscription is {before['status']}; it cannot become {wanted}.")
    record = {**changed, **in_title_case(call, changed), "status": before["status"], "items": before["items"]}
    if items is not None:
        record |= lifecycle.replace_items(call, record, items)
    record |= _reckoned(call, record)
    return _moved(call, call.change("Subscription", record, record), wanted)


def _moved(call: Call, record: StoredRecord, wanted: str) -> StoredRecord:
    """The subscription in the state that an update asks for; in the same one, where its days now say."""
    status = record["status"]
    if wanted != status and wanted in ("Suspended", "Cancelled"):
        return (lifecycle.suspend if wanted == "Suspended" else lifecycle.cancel)(call, record)
    if status == "Suspended" and wanted != status:
        return lifecycle.resume(call, record)
    if wanted not in _STARTS:
        return (
            record if wanted == status else call.change("Subscription", record, {"status": wanted, "begins_at": None})
        )
    if wanted != status or status != "Active":
        return lifecycle.enter(call, record, {"status": wanted})
    return lifecycle.stand(call, record)


def suspend(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A pause, now or on its day."""
    record = proceed(call)
    at = _day(call, record, "suspension_option")
    return lifecycle.suspend(call, record) if at is None else _wait(call, record, {"suspends_at": terms.stamp(at)})


def resume(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The end of a pause, now or on its day."""
    record = proceed(call)
    at = _day(call, record, "resume_option")
    if at is None:
        return lifecycle.resume(call, record)
    return call.change("Subscription", record, {"resume_suspended_at": terms.stamp(at)})


def cancel(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The end, now or on its day."""
    record = proceed(call)
    at = _day(call, record, "cancellation_option")
    return lifecycle.cancel(call, record) if at is None else _wait(call, record, {"cancels_at": terms.stamp(at)})


def _wait(call: Call, record: StoredRecord, values: Mapping[str, Any]) -> StoredRecord:
    """A subscription that waits for a day on which something ends: nothing is billed for later days."""
    if record["status"] not in _STARTS:
        return call.change("Subscription", record, values)
    changes = {**values, **terms.standing({**record, **values}, call.now)}
    bill = (
        charges.next_bill(record["items"], terms.limit({**record, **changes}))
        if changes["status"] == "Active"
        else None
    )
    return call.change("Subscription", record, {**changes, "next_bill_date": bill})


def _day(call: Call, record: StoredRecord, option: str) -> datetime | None:
    """The day that an option names; None for today. Raises Problem for one that the subscription does not have, or that is past."""
    chosen, today = call.body[option], terms.midnight(call.now)
    if chosen == "Today":
        return None
    if chosen == "Specific Date":
        if call.body.get("date") is None:
            raise Problem("missing", violations=(Violation("body", "/date", "required", "is required"),))
        at = terms.day(call.body["date"])
        if at is None or at < today:
            raise Problem("invalid", violations=(Violation("body", "/date", "minimum", "must be today or later"),))
        return at if at > today else None
    if chosen == "End of Current Term":
        days = [terms.term_end(record, call.now)]
    else:
        days = [terms.day(charge.get("bill_date")) for item in record["items"] for charge in item["charges"]]
    at = min((found for found in days if found is not None and found > today), default=None)
    if at is None:
        words = f"names a day that the subscription does not have: {chosen}"
        raise Problem("invalid", violations=(Violation("body", f"/{option}", "day", words),))
    return at


def extend_period(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The time that is left to pay what is overdue first: seen, or brought to its end."""
    record = call.require("Subscription", call.key())
    owed = [
        invoice
        for status in ("Due", "Partially Paid")
        for invoice in call.scan("Invoice", {"subscription_id": record["id"], "status": status})
        if terms.day(invoice.get("due_date")) is not None
    ]
    if not owed:
        raise Problem("state", "The Subscription has no grace period: no invoice of it is due.")
    invoice = min(owed, key=lambda found: found["due_date"])
    answer = {"subscription_id": record["id"], "action": call.input.query["action"]}
    if answer["action"] == "expire_period":
        call.change("Invoice", invoice, {"status": "Overdue", "overdue_at": None})
        return Answer(200, {**answer, "status": "Grace period expired successfully"})
    ends = terms.day(invoice["due_date"])
    assert ends is not None, "or it is not owed"
    left = max((ends - terms.midnight(call.now)).days, 0)
    return Answer(200, {**answer, "grace_period_end": f"{invoice['due_date']}T23:59:59Z", "remaining_days": left})


def in_title_case(call: Call, record: StoredRecord) -> Mapping[str, Any]:
    """Values of a choice that were sent in another case than answers carry: `active` is `Active`."""
    found = {}
    for name, choices in call.resource.choices.items():
        value = record.get(name)
        for choice in choices if value is not None and value not in choices else ():
            if str(value).casefold() == choice.casefold():
                found[name] = choice
    return found


def _reckoned(space: Space, record: StoredRecord) -> Mapping[str, Any]:
    """What follows from the fields: what it is called, and what the items come to."""
    code = billing.currency(space.find("Customer", record.get("customer_id")))
    total = sum(charges.cost(space, charge, code) for item in record["items"] for charge in item["charges"])
    return {
        "display_name": record.get("name"),
        "total_amount": 0 if record.get("type") == "Evergreen" else money.major(total, code),
    }


def _items(call: Call, customer_id: Any) -> list[dict[str, Any]]:
    """The items of the body as answers show them. Raises what `catalogue.ordered` raises."""
    currency = (call.find("Customer", customer_id) or {}).get("currency")
    return [_item(call, item, currency) for item in catalogue.ordered(call)]


def _item(call: Call, item: catalogue.Ordered, currency: str | None) -> dict[str, Any]:
    sent = item.sent.get("charges") or {}
    return {
        "id": call.mint_id("{uuid}"),
        "plan_id": item.plan["id"],
        "product_id": item.product["id"],
        "coupon_id": item.sent.get("coupon_id"),
        "plan_name": item.plan.get("name"),
        "plan_description": item.plan.get("description"),
        "product_name": item.product.get("name"),
        "product_description": item.product.get("description"),
        "charges": [_charge(call, price, sent.get(key, {}), currency) for key, price in item.prices.items()],
    }


def _charge(call: Call, price: Mapping[str, Any], sent: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    """One price of a plan in a subscription: what was sent, else the plan's own price in the customer's currency."""
    names = ("name", "category", "charge_model", "uom", "included_units")
    periods = ("billing_period_id", "billing_period_months_weeks", "billing_timming")
    own, many = pricing.listed(price.get("list_price"), currency), pricing.number(price.get("default_quantity"))
    return {
        "id": call.mint_id("{uuid}"),
        "plan_price_id": price["id"],
        **{name: price.get(name) for name in (*names, *periods)},
        "list_price": sent.get("price", _plain(own)),
        "default_quantity": sent.get("quantity", 1 if many is None else _plain(many)),
        "bill_date": None,
        "billed_through": None,
    }


def _plain(number: Decimal | None) -> int | float | None:
    """A number as JSON has it: whole where it is."""
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)
