"""SubscriptionFlow's ledger: what payments, refunds and credit notes leave of an invoice, reckoned anew from the records themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server import money
from mock_server.clock import parsed
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Space

PAYABLE = ("Due", "Partially Paid", "Overdue")
"""The states in which an invoice can be paid."""
_FIXED = ("Draft", "Void", "Projected")


def amount_of(value: Any, name: str, code: str) -> int:
    """An amount that was sent, in minor units. Raises Problem for one that is less than the currency's smallest coin."""
    found = money.minor(value, code)
    if not found:
        raise refused(name, f"is less than the smallest coin of {code}")
    return found


def refused(name: str, why: str) -> Problem:
    """The problem of a field that the records forbid."""
    return Problem("invalid", violations=(Violation("body", f"/{name}", "records", why),))


def invoice_to_pay(call: Call) -> StoredRecord | None:
    """The invoice that the body names. Raises Problem for one that is not to be paid, or somebody else's."""
    invoice = call.find("Invoice", call.body.get("invoice_id"))
    if invoice is not None and invoice.get("customer_id") != call.body["customer_id"]:
        raise refused("invoice_id", "is another customer's")
    if invoice is not None and invoice.get("status") not in PAYABLE:
        raise refused("invoice_id", f"is {invoice.get('status')}, not to be paid")
    return invoice


def left(invoice: StoredRecord) -> int:
    """What is left to pay of an invoice, in minor units."""
    return money.minor(invoice.get("closing_balance") or 0, invoice.get("currency"))


def settle(space: Space, key: Any) -> None:
    """Reckon an invoice anew, if there is one: what was received for it, what credit notes take off, what is left, how it stands."""
    invoice = space.find("Invoice", key)
    if invoice is None:
        return
    code = invoice.get("currency")
    total = money.minor(invoice.get("total_amount") or 0, code)
    paid = sum(_counted(payment, code) for payment in space.scan("Transaction", {"invoice_id": key}))
    credited = sum(allocated(note) for note in space.scan("CreditNote", {"invoice_id": key}))
    rest = total - paid - credited
    sums = {"received_payment": paid, "sum_of_credit_notes": credited, "closing_balance": rest}
    changes: dict[str, Any] = {name: money.major(value, code) for name, value in sums.items()}
    changes["status"] = _standing(space, invoice, total, rest)
    if not changes.items() <= invoice.items():
        space.change("Invoice", invoice, changes)
    subscription = space.find("Subscription", invoice.get("subscription_id"))
    if subscription is not None and changes["status"] == "Paid" and subscription.get("payment_status") != "Paid":
        space.change("Subscription", subscription, {"payment_status": "Paid"})


def _counted(payment: StoredRecord, code: str | None) -> int:
    """What a transaction brings in: nothing unless it is paid, less than nothing for a refund."""
    if payment.get("status") != "Paid":
        return 0
    amount = money.minor(payment["amount"], code)
    return -amount if payment.get("type") == "Refund" else amount


def allocated(note: StoredRecord) -> int:
    """What a credit note takes off its invoice, in minor units."""
    if note.get("status") == "Cancelled":
        return 0
    code = note.get("currency")
    return money.minor(note["amount"], code) - money.minor(note.get("balance") or 0, code)


def _standing(space: Space, invoice: StoredRecord, total: int, rest: int) -> Any:
    """The status of an invoice of which so much is left."""
    status = invoice.get("status")
    if status in _FIXED or (not total and not rest):
        return status
    if rest <= 0:
        return "Paid"
    at = invoice.get("overdue_at")
    if status == "Overdue" or (at is not None and parsed(at) <= space.now):
        return "Overdue"
    return "Partially Paid" if rest < total else "Due"


def weigh(space: Space, payment: StoredRecord) -> StoredRecord:
    """Reckon a payment anew: what of it went back, what is left, what of that pays no invoice."""
    code, counts = payment.get("currency"), payment.get("status") == "Paid"
    amount = money.minor(payment["amount"], code)
    refunds = space.scan("Transaction", {"reference_transaction_id": payment["id"]})
    back = -sum(_counted(refund, code) for refund in refunds)
    rest = amount - back if counts and payment.get("type") == "Payment" else 0
    sums = {"refunded_amount": back, "balance": rest, "unapplied_amount": 0 if payment.get("invoice_id") else rest}
    changes: Mapping[str, Any] = {name: money.major(value, code) for name, value in sums.items()}
    return payment if changes.items() <= payment.items() else space.change("Transaction", payment, changes)


def transaction_gone(space: Space, record: StoredRecord) -> None:
    """A transaction was deleted: a payment's refunds go with it, a refund's payment has more left, its invoice is reckoned anew."""
    for refund in list(space.scan("Transaction", {"reference_transaction_id": record["id"]})):
        space.remove("Transaction", refund)
    payment = space.find("Transaction", record.get("reference_transaction_id"))
    if payment is not None:
        weigh(space, payment)
    settle(space, record.get("invoice_id"))


def invoice_gone(space: Space, record: StoredRecord) -> None:
    """An invoice was deleted: what paid it and what was credited for it is free again, what it billed may be billed anew."""
    for payment in list(space.scan("Transaction", {"invoice_id": record["id"]})):
        weigh(space, space.change("Transaction", payment, {"invoice_id": None}))
    for note in list(space.scan("CreditNote", {"invoice_id": record["id"]})):
        free = {} if note.get("status") == "Cancelled" else {"balance": note["amount"], "status": "Unallocated"}
        space.change("CreditNote", note, {"invoice_id": None, **free})
    for usage in list(space.scan("Usage", {"invoice_id": record["id"]})):
        space.change("Usage", usage, {"invoice_id": None, "status": "Pending"})


def credit_note_gone(space: Space, record: StoredRecord) -> None:
    """A credit note was deleted: its invoice is reckoned anew."""
    settle(space, record.get("invoice_id"))
