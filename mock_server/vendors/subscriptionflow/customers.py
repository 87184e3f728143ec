"""What SubscriptionFlow keeps for a customer's account: credit notes, payment methods, usages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server import money
from mock_server.problems import Problem, Violation
from mock_server.vendor import Call
from mock_server.vendors.subscriptionflow import billing, ledger


def create_credit_note(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A credit note that waits for an invoice."""
    code = billing.currency(call.find("Customer", call.body["customer_id"]))
    amount = money.major(ledger.amount_of(call.body["amount"], "amount", code), code)
    values = {"currency": code, "amount": amount, "balance": amount, "status": "Unallocated"}
    return call.change("CreditNote", proceed(call), values)


def update_credit_note(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The credit note changed, or taken back: then its invoice is reckoned anew."""
    before = call.require("CreditNote", call.key())
    record = proceed(call)
    if (call.body or {}).get("status") is None:
        return record
    record = call.change("CreditNote", {**record, "status": before["status"]}, {"status": "Cancelled", "balance": 0})
    ledger.settle(call, record.get("invoice_id"))
    return record


def create_payment_method(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A payment method; a new default takes the others' place."""
    default, status = call.body.get("default") or 0, call.body.get("status") or "Active"
    return _kept(call, proceed, default, status)


def update_payment_method(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A payment method made the default or no longer, switched on or off."""
    before, body = call.require("PaymentMethod", call.key()), call.body
    if body.get("default") is None and body.get("status") is None:
        raise Problem("missing", violations=(Violation("body", "/default", "required", "is required"),))
    status = body.get("status") or before.get("status")
    default = body.get("default")
    if default is None:
        default = before.get("default") if status == "Active" else 0
    return _kept(call, proceed, int(default or 0), status)


def _kept(call: Call, proceed: Callable[[Call], Any], default: int, status: Any) -> Any:
    if default and status != "Active":
        raise ledger.refused("default", "needs a payment method that is Active")
    record = call.change("PaymentMethod", proceed(call), {"default": default, "status": status})
    for other in list(call.scan("PaymentMethod", {"parent_id": record.get("parent_id")})) if default else ():
        if other["id"] != record["id"] and other.get("default"):
            call.change("PaymentMethod", other, {"default": 0})
    return record


def create_usage(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A usage of one of a subscription's charges, to be billed."""
    body = call.body
    subscription = call.find("Subscription", body["subscription_id"]) or {}
    prices = {charge["plan_price_id"] for item in subscription.get("items", ()) for charge in item["charges"]}
    if body["charge_id"] not in prices:
        raise ledger.refused("charge_id", "is no charge of the subscription")
    customer = subscription.get("customer_id")
    if body.get("customer_id") not in (None, customer):
        raise ledger.refused("customer_id", "is not the subscription's")
    return call.change("Usage", proceed(call), {"customer_id": customer, "status": "Pending"})
