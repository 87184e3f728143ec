"""SubscriptionFlow's money in and out: an invoice that a customer's payment method is charged for, and credit notes."""

from __future__ import annotations

from mock_server import money
from mock_server.store import StoredRecord
from mock_server.vendor import Space

DECLINED = "pm_sandbox_declined"
"""How the payment methods begin that the sandbox's gateway declines."""


def collect(space: Space, customer: StoredRecord | None, invoice: StoredRecord) -> StoredRecord:
    """Charge an invoice to the payment method of a customer who is charged by themselves: the invoice as it is then.

    Without that, or without a payment method, it stays to be paid.
    """
    if customer is None or not customer.get("auto_charge"):
        return invoice
    method = method_of(space, customer)
    if method is None:
        return invoice
    declined = str(method.get("payment_method_id") or "").startswith(DECLINED)
    code, left = invoice["currency"], invoice["closing_balance"]
    space.create(
        "Transaction",
        {
            "customer_id": customer["id"],
            "invoice_id": invoice["id"],
            "date": space.stamp(),
            "type": "Payment",
            "transaction_category": "Payment",
            "status": "Declined" if declined else "Paid",
            "amount": left,
            "refunded_amount": 0,
            "balance": 0 if declined else left,
            "unapplied_amount": 0,
            "currency": code,
            "cash_or_card": "Card",
            "payment_method_id": method["id"],
            "decline_reason": "The payment method was declined." if declined else None,
            "reason_code": "declined" if declined else None,
            "data_source": "SubscriptionFlow",
        },
    )
    if declined:
        return invoice
    return space.change("Invoice", invoice, {"received_payment": left, "closing_balance": 0, "status": "Paid"})


def method_of(space: Space, customer: StoredRecord) -> StoredRecord | None:
    """The payment method that a customer is charged by: the default one, else the first that is active."""
    first = None
    for method in space.scan("PaymentMethod", {"parent_id": customer["id"]}):
        if method.get("status") == "Inactive":
            continue
        if method.get("default") == 1:
            return method
        first = first or method
    return first


def credit(space: Space, record: StoredRecord, amount: int, code: str) -> StoredRecord:
    """Credit a subscriber: against the subscription's last invoice as far as that is unpaid, the rest is kept for the customer."""
    invoices = list(space.scan("Invoice", {"subscription_id": record["id"]}))
    invoice = invoices[-1] if invoices else None
    left = 0 if invoice is None else money.minor(invoice.get("closing_balance") or 0, code)
    used = max(min(left, amount), 0)
    if invoice is not None and used:
        given = money.minor(invoice.get("sum_of_credit_notes") or 0, code) + used
        status = "Paid" if used == left else invoice["status"]
        values = {"sum_of_credit_notes": money.major(given, code), "closing_balance": money.major(left - used, code)}
        space.change("Invoice", invoice, {**values, "status": status})
    return space.create(
        "CreditNote",
        {
            "customer_id": record.get("customer_id"),
            "invoice_id": invoice["id"] if invoice is not None and used else None,
            "amount": money.major(amount, code),
            "balance": money.major(amount - used, code),
            "currency": code,
            "status": "Allocated" if used == amount else "Partially Allocated" if used else "Unallocated",
            "data_source": "SubscriptionFlow",
        },
    )
