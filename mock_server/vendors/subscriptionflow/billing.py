"""SubscriptionFlow's billing: what becomes of a subscription's lines, an invoice that may be paid at once, or a credit note."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from mock_server import money
from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.subscriptionflow import charges, payments, terms
from mock_server.vendors.subscriptionflow.charges import Line

CURRENCY = "USD"
"""The currency of a customer who has none."""
_NET = re.compile(r"\s*net\s*(\d{1,3})\s*", re.IGNORECASE | re.ASCII)
_DAY = timedelta(days=1)


def currency(customer: StoredRecord | None) -> str:
    """The currency that a customer is billed in."""
    return (customer or {}).get("currency") or CURRENCY


def bill(space: Space, record: StoredRecord, lines: Sequence[Line] = ()) -> Mapping[str, Any]:
    """Bill what is to be billed by now, with other lines: what changes about the subscription."""
    customer = space.find("Customer", record.get("customer_id"))
    limit = terms.limit(record)
    due, items = charges.run_up(space, record, terms.midnight(space.now), limit, currency(customer))
    changes = {"items": items, "next_bill_date": charges.next_bill(items, limit)}
    if not due and not lines:
        return changes
    # The first invoice is charged only where that was asked for; the further ones wherever the customer is charged by themselves.
    asked = record.get("pay_invoice")
    return {**changes, "pay_invoice": None, **write(space, record, customer, [*lines, *due], charge=asked is not False)}


def stop(space: Space, record: StoredRecord, items: Sequence[Mapping[str, Any]] | None = None) -> list[Line]:
    """The lines that settle a subscription that is billed no more from today, or those items of it."""
    ended = record["items"] if items is None else items
    customer = space.find("Customer", record.get("customer_id"))
    return list(charges.settled(space, record, ended, terms.midnight(space.now), currency(customer)))


def write(
    space: Space, record: StoredRecord, customer: StoredRecord | None, lines: Sequence[Line], *, charge: bool = True
) -> Mapping[str, Any]:
    """An invoice of lines, or a credit note where they come to less than nothing: what changes about the subscription."""
    total = sum(line.amount for line in lines)
    if not lines or (not total and any(line.amount for line in lines)):
        return {}
    invoice = _invoice(space, record, customer, lines, total) if total >= 0 else None
    for line in lines:
        for usage in line.usages:
            space.change("Usage", usage, {"status": "Processed", "invoice_id": invoice["id"] if invoice else None})
    if invoice is None:
        payments.credit(space, record, -total, currency(customer))
        return {}
    if charge and total:
        invoice = payments.collect(space, customer, invoice)
    if invoice["status"] == "Paid":
        return {"payment_status": "Paid"}
    return {"payment_status": "Pending"} if record.get("payment_status") == "Paid" else {}


def _invoice(
    space: Space, record: StoredRecord, customer: StoredRecord | None, lines: Sequence[Line], total: int
) -> StoredRecord:
    code, today = currency(customer), terms.midnight(space.now)
    amount, promise = money.major(total, code), (customer or {}).get("terms")
    due = _due(today, promise)
    return space.create(
        "Invoice",
        {
            "customer_id": record.get("customer_id"),
            "subscription_id": record["id"],
            "invoice_date": terms.written(today),
            "due_date": terms.written(due or today),
            "overdue_at": terms.stamp(due + _DAY) if due else None,
            "terms": promise,
            "status": "Due" if total else "Paid",
            "currency": code,
            "sub_total": amount,
            "discount_value": 0,
            "tax_amount": 0,
            "total_amount": amount,
            "received_payment": 0,
            "sum_of_credit_notes": 0,
            "opening_balance": amount,
            "closing_balance": amount,
            "is_oneoff": 0,
            "data_source": "SubscriptionFlow",
            "items": _items(space, record, lines, code),
        },
    )


def _due(today: datetime, promise: str | None) -> datetime | None:
    """The day by which an invoice is to be paid: so many days later as the customer's terms say (`Net 30`); None without such terms."""
    found = _NET.fullmatch(promise) if promise else None
    return today + timedelta(days=int(found[1])) if found and today.year < 9999 else None


def _items(space: Space, record: StoredRecord, lines: Sequence[Line], code: str) -> list[dict[str, Any]]:
    """The lines by item, as an invoice shows them."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        item = line.item
        shown = found.get(item["id"])
        if shown is None:
            names = (
                "plan_id",
                "product_id",
                "coupon_id",
                "plan_name",
                "plan_description",
                "product_name",
                "product_description",
            )
            shown = {
                "id": space.mint_id("{uuid}"),
                "subscription_id": record["id"],
                **{name: item.get(name) for name in names},
            }
            found[item["id"]] = {**shown, "charges": []}
            shown = found[item["id"]]
        amount = money.major(line.amount, code)
        shown["charges"].append(
            {
                "id": line.charge["id"],
                "plan_price_id": line.charge["plan_price_id"],
                "name": line.charge.get("name"),
                "quantity": line.quantity,
                "service_from": terms.written(line.starts),
                "service_to": terms.written(line.ends - _DAY if line.ends else None),
                "discount": 0,
                "tax": 0,
                "sub_total": amount,
                "total_amount": amount,
            }
        )
    return list(found.values())
