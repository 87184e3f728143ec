"""SubscriptionFlow's transactions: payments as they are recorded or charged, and refunds of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server import money
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.subscriptionflow import billing, ledger, payments

_DECLINE = {"decline_reason": "The payment method was declined.", "reason_code": "declined"}


def create(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A payment, charged where it names a payment method; a paid one counts for its invoice."""
    body = call.body
    invoice, method = ledger.invoice_to_pay(call), _method(call)
    customer = call.find("Customer", body["customer_id"])
    code = (invoice or {}).get("currency") or billing.currency(customer)
    amount = ledger.amount_of(body["amount"], "amount", code)
    status = (body.get("status") or "Paid").title()
    values: dict[str, Any] = {"type": "Payment", "currency": code, "date": body.get("date") or call.stamp()}
    if method is not None:
        declined = str(method.get("payment_method_id") or "").startswith(payments.DECLINED)
        status = "Declined" if declined else "Paid"
        values |= {"cash_or_card": "Card", **(_DECLINE if declined else {})}
    if status == "Paid":
        _check_room(invoice, amount)
    made = proceed(call)
    if made.get("transaction_category") is None:
        values["transaction_category"] = "Payment"
    record = call.change("Transaction", made, {**values, "amount": money.major(amount, code), "status": status})
    record = ledger.weigh(call, record)
    ledger.settle(call, record.get("invoice_id"))
    return record


def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The transaction changed; one that is paid now, or no longer, counts or not."""
    before = call.require("Transaction", call.key())
    status = ((call.body or {}).get("status") or before["status"]).title()
    if status == before["status"]:
        return call.change("Transaction", proceed(call), {"status": status})
    payment = call.find("Transaction", before.get("reference_transaction_id"))
    if before.get("refunded_amount"):
        raise Problem("state", "The Transaction was refunded; it stays Paid.")
    amount = money.minor(before["amount"], before["currency"])
    if status == "Paid" and payment is None:
        _check_room(call.find("Invoice", before.get("invoice_id")), amount, "status")
    elif status == "Paid" and payment is not None and amount > money.minor(payment["balance"], payment["currency"]):
        raise Problem("state", "Not as much is left of the payment.")
    record = ledger.weigh(call, call.change("Transaction", proceed(call), {"status": status}))
    if payment is not None:
        ledger.weigh(call, payment)
    ledger.settle(call, record.get("invoice_id"))
    return record


def refund(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Money of a payment that goes back: a transaction of its own, and the payment and its invoice reckoned anew."""
    payment, body = call.require("Transaction", call.key()), call.body
    if payment.get("type") != "Payment" or payment.get("status") != "Paid":
        what = "a refund" if payment.get("type") == "Refund" else payment.get("status")
        raise Problem("state", f"The Transaction is {what}; this needs a payment that is Paid.")
    code, electronic = payment["currency"], body.get("refund_type") == "electronic"
    amount = ledger.amount_of(body["amount"], "amount", code)
    if amount > money.minor(payment["balance"], code):
        raise Problem("state", f"Of the Transaction {payment['balance']} is left to refund.")
    made = call.create(
        "Transaction",
        {
            **{name: payment.get(name) for name in ("customer_id", "invoice_id", "currency", "transaction_category")},
            "date": call.stamp(),
            "type": "Refund",
            "status": "Paid",
            "amount": money.major(amount, code),
            "refunded_amount": 0,
            "balance": 0,
            "unapplied_amount": 0,
            "cash_or_card": body.get("payment_method") or ("Card" if electronic else payment.get("cash_or_card")),
            "payment_method_id": payment.get("payment_method_id") if electronic else None,
            "reference_transaction_id": payment["id"],
            "reference": body.get("reference"),
            "description": body.get("description"),
            "data_source": "SubscriptionFlow",
        },
    )
    ledger.weigh(call, payment)
    ledger.settle(call, payment.get("invoice_id"))
    return made


def _method(call: Call) -> StoredRecord | None:
    """The payment method that the body names. Raises Problem for one that is off, or somebody else's."""
    method = call.find("PaymentMethod", call.body.get("payment_method_id"))
    if method is not None and method.get("parent_id") != call.body["customer_id"]:
        raise ledger.refused("payment_method_id", "is another customer's")
    if method is not None and method.get("status") == "Inactive":
        raise ledger.refused("payment_method_id", "is Inactive")
    return method


def _check_room(invoice: StoredRecord | None, amount: int, name: str = "amount") -> None:
    if invoice is not None and amount > ledger.left(invoice):
        raise ledger.refused(name, f"must be at most {invoice['closing_balance']}, what is left of the invoice")
