"""Invoices and charges: what is owed, how it is paid, and what comes of an attempt. Nothing is charged: the fixtures say what a payment comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Space
from mock_server.vendors.pelcro import periods
from mock_server.vendors.pelcro.prices import Price

Outcome = Literal["succeeded", "failed", "requires_action"]
DECLINED = "The payment was declined"
PENDING = "This subscription has a payment that is pending"


@dataclass(frozen=True, slots=True)
class Means:
    """What pays: a gateway token, a payment method on file, or the customer, by an invoice that is sent. None of them pays for what is free."""

    token: StoredRecord | None = None
    source: StoredRecord | None = None
    by_invoice: bool = False

    @property
    def stored(self) -> dict[str, Any]:
        """What a subscription keeps of it for its renewals."""
        return {
            "gateway_token": self.token["token"] if self.token is not None else None,
            "source_id": self.source["id"] if self.source is not None else None,
            "pay_via_send_invoice": self.by_invoice,
        }


def asked(call: Call) -> Mapping[str, Any]:
    """What the body says of what the operation declares; whatever else it holds is ignored."""
    declared = call.operation.body.properties if call.operation.body else frozenset()
    return {name: value for name, value in call.body.items() if name in declared}


def own(call: Call, customer: StoredRecord, resource: str) -> StoredRecord | None:
    """The customer's address or payment method that the body names. Raises Problem `dangling` for somebody else's."""
    name = f"{resource.lower()}_id"
    record = call.find(resource, call.body.get(name))
    if record is not None and record["customer_id"] != customer["id"]:
        raise call.dangling(f"/{name}", resource)
    return record


def chosen(call: Call, customer: StoredRecord, subscription: StoredRecord | None = None) -> Means:
    """What the body names, or else what the subscription is paid with, or else the default payment method. Raises Problem `invalid` without any."""
    body = asked(call)
    token, source = call.find("PaymentToken", body.get("gateway_token")), own(call, customer, "Source")
    if token is not None:
        return Means(token=token)
    if source is not None:
        return Means(source=source)
    if body.get("pay_via_send_invoice"):
        return Means(by_invoice=True)
    means = kept(call, subscription, customer) if subscription is not None else default(call, customer)
    if means is None:
        raise Problem("invalid", "A payment method is required")
    return means


def kept(space: Space, subscription: StoredRecord, customer: StoredRecord) -> Means | None:
    """What a subscription is paid with."""
    if subscription["pay_via_send_invoice"]:
        return Means(by_invoice=True)
    token = space.find("PaymentToken", subscription["gateway_token"])
    if token is not None:
        return Means(token=token)
    source = space.find("Source", subscription["source_id"])
    return default(space, customer) if source is None else Means(source=source)


def default(space: Space, customer: StoredRecord) -> Means | None:
    """The customer's default payment method."""
    source = space.find("Source", customer["default_source_id"])
    return None if source is None else Means(source=source)


def attempted(means: Means | None, *, renewal: bool = False, earlier: int = 0) -> Outcome:
    """What an attempt to be paid comes to, after so many earlier ones for the same renewal."""
    if means is None:
        return "failed"
    if means.token is not None:
        word = means.token["renewals" if renewal else "outcome"]
        if word == "requires_action":
            return "requires_action"
        return "succeeded" if word == "succeed" or (word == "recover" and earlier) else "failed"
    return "succeeded" if means.source is None or means.source["status"] == "chargeable" else "failed"


def balance_of(customer: StoredRecord, price: Price) -> int:
    """How much of a price the customer's credit pays; below zero, what is credited."""
    total = price.total
    if total <= 0:
        return total
    credit: int = customer["balance"] if customer["currency"] == price.currency else 0
    return min(credit, total)


def issue(
    space: Space,
    customer: StoredRecord,
    subscription_id: int,
    price: Price,
    reason: str,
    period: tuple[int | None, int | None],
    means: Means | None,
    *,
    renewal: bool = False,
) -> StoredRecord:
    """An invoice, and the first attempt to be paid, where it is not sent to the customer and something is due."""
    applied = balance_of(customer, price)
    if applied:
        values = {"balance": customer["balance"] - applied, "currency": price.currency}
        space.change("Customer", customer, values)
    subtotal, tax = price.subtotal, price.tax
    total = subtotal - price.discount + tax
    due = total - applied
    sent = means is not None and means.by_invoice
    outcome = None if not due or sent else attempted(means, renewal=renewal)
    paid = not due or outcome == "succeeded"
    now = int(space.stamp())
    invoice = space.create(
        "Invoice",
        {
            "customer_id": customer["id"],
            "subscription_id": subscription_id,
            "status": "paid" if paid else "open",
            "billing_reason": reason,
            "collection_method": "send_invoice" if sent else "charge_automatically",
            "currency": price.currency,
            "lines": [line._asdict() for line in price.lines],
            "subtotal": subtotal,
            "discount": price.discount,
            "tax": tax,
            "tax_lines": [tax._asdict() for tax in price.taxes],
            "total": total,
            "balance_applied": applied,
            "amount_due": due,
            "amount_paid": due if paid else 0,
            "amount_remaining": 0 if paid else due,
            "attempt_count": int(outcome in ("succeeded", "failed")),
            "last_attempt": outcome,
            "period_start": period[0],
            "period_end": period[1],
            "due_date": periods.ahead(_site(space)["invoice_due_days"], now, period[1]) if sent and due else None,
        },
    )
    _charge(space, invoice, means, outcome)
    return invoice


def again(space: Space, invoice: StoredRecord, means: Means | None, *, renewal: bool) -> StoredRecord:
    """Another attempt to be paid. A token that asked for 3-D Secure before is taken as confirmed."""
    outcome = attempted(means, renewal=renewal, earlier=invoice["attempt_count"])
    if outcome == "requires_action" and invoice["last_attempt"] == "requires_action":
        outcome = "succeeded"
    paid = outcome == "succeeded"
    values = {
        "status": "paid" if paid else "open",
        "amount_paid": invoice["amount_due"] if paid else 0,
        "amount_remaining": 0 if paid else invoice["amount_due"],
        "attempt_count": invoice["attempt_count"] + int(outcome != "requires_action"),
        "last_attempt": outcome,
    }
    changed = space.change("Invoice", invoice, values)
    _charge(space, changed, means, outcome)
    return changed


def give_up(space: Space, subscription: StoredRecord, status: str) -> None:
    """What a subscription that ends still owes is owed no more: `void`, or `uncollectible`."""
    invoice = space.find("Invoice", subscription["open_invoice_id"])
    if invoice is not None and invoice["status"] == "open":
        space.change("Invoice", invoice, {"status": status})


def rates(space: Space, address_id: int | None) -> list[StoredRecord]:
    """The taxes at an address; none where the site has tax off."""
    if not _site(space)["taxes_enabled"]:
        return []
    address = space.find("Address", address_id)
    if address is None:
        return []
    found = space.scan("TaxRate", {"country": address["country"]})
    return [rate for rate in found if rate["state"] in (None, address.get("state"))]


def retry_days(space: Space, attempts: int) -> int | None:
    """In how many days a renewal is tried again after so many attempts; None after the last."""
    days = _site(space)["payment_retry_days"]
    return days[attempts - 1] if attempts <= len(days) else None


def grace(space: Space) -> int:
    """For how many days a declined renewal is tried again in all."""
    return sum(_site(space)["payment_retry_days"])


def trial_notice(space: Space) -> int:
    """How many days ahead of its end a trial is announced."""
    days: int = _site(space)["trial_notice_days"]
    return days


def _site(space: Space) -> Mapping[str, Any]:
    return space.require("Site", int(space.tenant))


def _charge(space: Space, invoice: StoredRecord, means: Means | None, outcome: Outcome | None) -> None:
    if outcome not in ("succeeded", "failed"):
        return
    source = means.source if means is not None else None
    space.create(
        "Charge",
        {
            "customer_id": invoice["customer_id"],
            "invoice_id": invoice["id"],
            "amount": invoice["amount_due"],
            "currency": invoice["currency"],
            "status": outcome,
            "source_id": source["id"] if source is not None else None,
            "failure_message": DECLINED if outcome == "failed" else None,
        },
    )
