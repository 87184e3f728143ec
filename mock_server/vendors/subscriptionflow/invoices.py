"""SubscriptionFlow's one-off invoices: what a customer is billed by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server import money
from mock_server.durations import Duration
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.subscriptionflow import billing, catalogue, pricing, terms

_DAY = Duration(days=1)
_OPEN = ("Draft", "Due", "Overdue")


def create(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """An invoice with its items priced and its sums reckoned."""
    body = call.body
    code = billing.currency(call.find("Customer", body["customer_id"]))
    discount = money.minor(body.get("discount_value") or 0, code)
    tax = money.minor(body.get("tax_amount") or 0, code)
    items, subtotal = _items(call, code)
    discount = min(discount, subtotal)
    total = subtotal - discount + tax
    sums = {
        **{
            name: amount
            for name, amount in (("discount_value", discount), ("tax_amount", tax))
            if body.get(name) is not None
        },
        "sub_total": subtotal,
        "total_amount": total,
        "received_payment": 0,
        "sum_of_credit_notes": 0,
        "opening_balance": total,
        "closing_balance": total,
    }
    today = terms.written(call.now)
    values = {
        **{name: money.major(amount, code) for name, amount in sums.items()},
        "currency": code,
        "status": body["status"].title(),
        "invoice_date": body.get("invoice_date") or today,
        "overdue_at": _overdue_at(call),
        "is_oneoff": 1,
        "items": items,
    }
    return call.change("Invoice", proceed(call), values)


def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The invoice changed; a draft is issued, or an invoice taken back on which nothing was paid."""
    before = call.require("Invoice", call.key())
    status = ((call.body or {}).get("status") or before["status"]).title()
    if status != before["status"] and (before["status"] not in _OPEN or _is_touched(before)):
        raise Problem("state", f"The Invoice is {before['status']}; it cannot become {status}.")
    changes = {"overdue_at": _overdue_at(call)} if "due_date" in (call.body or {}) else {}
    record = proceed(call)
    changes |= {"status": status} if record["status"] != status else {}
    return call.change("Invoice", record, changes) if changes else record


def _overdue_at(call: Call) -> str | None:
    """When the day is over that the body has for the invoice's due date; None where it has none, or one that is over."""
    due = terms.day(call.body.get("due_date"))
    over = None if due is None else terms.nth(_DAY, due, 1)
    return terms.stamp(over) if over is not None and over > call.now else None


def _is_touched(invoice: StoredRecord) -> bool:
    return bool(invoice.get("received_payment") or invoice.get("sum_of_credit_notes"))


def _items(call: Call, code: str) -> tuple[list[dict[str, Any]], int]:
    """The items of the body as answers show them, and what they come to. Raises what `catalogue.ordered` raises."""
    found, total = [], 0
    for item in catalogue.ordered(call):
        sent = item.sent.get("charges")
        charges = [_charge(call, item.prices[key], (sent or {}).get(key, {}), code) for key in sent or item.prices]
        total += sum(amount for _, amount in charges)
        found.append(_item(call, item.plan, item.product, item.sent, [charge for charge, _ in charges]))
    return found, total


def _item(
    call: Call, plan: StoredRecord, product: StoredRecord, sent: Mapping[str, Any], charges: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": call.mint_id("{uuid}"),
        "subscription_id": None,
        "plan_id": plan["id"],
        "product_id": product["id"],
        "coupon_id": sent.get("coupon_id"),
        "plan_name": plan.get("name"),
        "plan_description": plan.get("description"),
        "product_name": product.get("name"),
        "product_description": product.get("description"),
        "product_sku": product.get("sku"),
        "charges": charges,
    }


def _charge(call: Call, price: StoredRecord, sent: Mapping[str, Any], code: str) -> tuple[dict[str, Any], int]:
    """One price of a plan on an invoice, and what it comes to: what was sent, else the plan's own price in the customer's currency."""
    own, quantity = sent.get("cost_price"), sent.get("quantity", pricing.number(price.get("default_quantity")))
    unit = pricing.listed(price.get("list_price"), code) if own is None else pricing.number(own)
    many = pricing.number(1 if quantity is None else quantity)
    model = price.get("charge_model") if own is None else "per_unit"
    amount = pricing.cost(unit, many, price if own is None else None, model, code)
    shown = money.major(amount, code)
    return {
        "id": call.mint_id("{uuid}"),
        "plan_price_id": price["id"],
        "name": price.get("name"),
        "quantity": sent.get("quantity", 1 if many is None else float(many) if many % 1 else int(many)),
        "service_from": None,
        "service_to": None,
        "discount": 0,
        "tax": 0,
        "sub_total": shown,
        "total_amount": shown,
        "accounting_account_code": price.get("accounting_account_code"),
    }, amount
