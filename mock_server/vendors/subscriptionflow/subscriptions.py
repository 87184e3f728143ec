"""SubscriptionFlow's subscriptions: what one needs, what its items come to, and where it stands at a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mock_server.clock import later, parsed
from mock_server.contract import escape
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call

TERM = ("termed_start_date", "termed_initial_period", "termed_initial_period_type", "renewal_type")
"""What a termed subscription needs beside the rest."""
_UNITS = {"day": {"days": 1}, "week": {"days": 7}, "month": {"months": 1}, "year": {"months": 12}}
_STAMPS = {"Suspended": "suspended_at", "Cancelled": "cancelled_at"}


def create(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A subscription with its items priced, its term complete and its first status."""
    body = call.body
    if body["type"].title() == "Termed":
        lacking = tuple(
            Violation("body", f"/{name}", "required", "is required") for name in TERM if body.get(name) is None
        )
        if lacking:
            raise Problem("missing", violations=lacking)
    items = _items(call, body["customer_id"])
    record = {**proceed(call), "items": items}
    return _settle(call, record, {"payment_status": record.get("payment_status", "Pending"), "items": items})


def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The subscription changed; items that are sent replace all items."""
    before = call.require("Subscription", call.key())
    items = _items(call, before.get("customer_id")) if "items" in (call.body or {}) else before["items"]
    record = {**proceed(call), "items": items}
    return _settle(call, record, {"items": items}, before)


def current(record: StoredRecord, now: datetime) -> StoredRecord:
    """The subscription as it stands at a moment: begun, past its trial, run out."""
    status = record.get("status")
    begun = _moment(record.get("order_date"))
    if status == "Pending" and begun is not None and begun <= now:
        status = "Trial" if record.get("trial_period") else "Active"
    unit = str(record.get("trial_period_unit") or "days")
    if status == "Trial" and _passed(begun, record.get("trial_period"), unit.removesuffix("s"), now):
        status = "Active"
    if status == "Active" and record.get("type") == "Termed" and not record.get("is_auto_renew"):
        start, unit = _moment(record.get("termed_start_date")), str(record.get("termed_initial_period_type") or "")
        if _passed(start, record.get("termed_initial_period"), unit.lower(), now):
            status = "Expired"
    return {**record, "status": status, "display_name": record.get("name")}


def in_title_case(call: Call, record: StoredRecord) -> Mapping[str, Any]:
    """Values of a choice that were sent in another case than answers carry: `active` is `Active`."""
    found = {}
    for name, choices in call.resource.choices.items():
        value = record.get(name)
        for choice in choices if value is not None and value not in choices else ():
            if str(value).casefold() == choice.casefold():
                found[name] = choice
    return found


def _settle(
    call: Call, record: StoredRecord, changes: Mapping[str, Any], before: StoredRecord | None = None
) -> StoredRecord:
    """Store what follows from the fields: the status, when it was reached, what the items come to."""
    record = {**record, **changes, **in_title_case(call, record)}
    status = record.get("status") or _first_status(record, call.now)
    stamps = {}
    if status in _STAMPS and (before is None or before.get("status") != status):
        stamps[_STAMPS[status]] = call.stamp()
    prices = [charge for item in record["items"] for charge in item["charges"]]
    total = sum((charge["list_price"] or 0) * charge["default_quantity"] for charge in prices)
    amount = 0 if record.get("type") == "Evergreen" else round(total, 2)
    return call.change("Subscription", record, {"status": status, "total_amount": amount, **stamps})


def _first_status(record: StoredRecord, now: datetime) -> str:
    begins = _moment(record.get("order_date"))
    if begins is not None and begins > now:
        return "Pending"
    return "Trial" if record.get("trial_period") else "Active"


def _items(call: Call, customer_id: Any) -> list[dict[str, Any]]:
    """The items of the body as answers show them. Raises Problem `dangling` for every plan, product and price that is none."""
    currency = (call.find("Customer", customer_id) or {}).get("currency")
    found, wrong = [], []
    for index, item in enumerate(call.body["items"]):
        plan, product = call.find("Plan", item["plan_id"]), call.find("Product", item["product_id"])
        sent = item.get("charges") or {}
        wrong += [
            Violation("body", f"/items/{index}/{name}", "dangling", f"names no {resource}")
            for name, resource, record in (("plan_id", "Plan", plan), ("product_id", "Product", product))
            if record is None
        ]
        if plan is None or product is None:
            continue
        prices = {price["id"]: price for price in call.scan("PlanPrice", {"plan_id": plan["id"]})}
        wrong += [
            Violation("body", f"/items/{index}/charges/{escape(key)}", "dangling", "names no price of the plan")
            for key in sent
            if key not in prices
        ]
        found.append(
            {
                "id": call.mint_id("{uuid}"),
                "plan_id": plan["id"],
                "product_id": product["id"],
                "coupon_id": item.get("coupon_id"),
                "plan_name": plan.get("name"),
                "plan_description": plan.get("description"),
                "product_name": product.get("name"),
                "product_description": product.get("description"),
                "charges": [_charge(call, price, sent.get(key, {}), currency) for key, price in prices.items()],
            }
        )
    if wrong:
        raise Problem("dangling", violations=tuple(wrong))
    return found


def _charge(call: Call, price: Mapping[str, Any], sent: Mapping[str, Any], currency: str | None) -> dict[str, Any]:
    """One price of a plan in a subscription: what was sent, else the plan's own price in the customer's currency."""
    listed = price.get("list_price") or {}
    own = listed.get(currency, next(iter(listed.values()), None))
    return {
        "id": call.mint_id("{uuid}"),
        "plan_price_id": price["id"],
        "name": price["name"],
        "category": price.get("category"),
        "charge_model": price.get("charge_model"),
        "list_price": sent.get("price", None if own is None else float(own)),
        "default_quantity": sent.get("quantity", 1),
    }


def _moment(day: Any) -> datetime | None:
    """The start of a day; None where there is none, or none that a calendar has."""
    try:
        return parsed(day) if isinstance(day, str) else None
    except ValueError:
        return None


def _passed(start: datetime | None, period: int | None, unit: str, now: datetime) -> bool:
    """Whether so many units after the start are over; what lies beyond the calendar never is."""
    if start is None or not period or unit not in _UNITS:
        return False
    try:
        return later(start, **{name: size * period for name, size in _UNITS[unit].items()}) <= now
    except (ValueError, OverflowError):
        return False
