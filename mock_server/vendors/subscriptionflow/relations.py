"""SubscriptionFlow's relations: which records of another module belong to a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mock_server.vendor import Answer, Call
from mock_server.vendors.subscriptionflow.envelopes import flat


class Relation(NamedTuple):
    """Records of `resource` whose `theirs` equals the record's `ours`."""

    resource: str
    theirs: str
    ours: str = "id"


_CUSTOMER = Relation("Customer", "id", "customer_id")
_INVOICE = Relation("Invoice", "id", "invoice_id")
RELATIONS: Mapping[str, Mapping[str, Relation]] = {
    "Customer": {
        "contacts": Relation("Contact", "customer_id"),
        "email-addresses": Relation("EmailAddress", "emailable_id"),
        "subscriptions": Relation("Subscription", "customer_id"),
        "invoices": Relation("Invoice", "customer_id"),
        "transactions": Relation("Transaction", "customer_id"),
        "payment-methods": Relation("PaymentMethod", "parent_id"),
        "usages": Relation("Usage", "customer_id"),
        "credit-notes": Relation("CreditNote", "customer_id"),
    },
    "Contact": {"customers": _CUSTOMER},
    "EmailAddress": {"customers": Relation("Customer", "id", "emailable_id")},
    "Subscription": {
        "customers": _CUSTOMER,
        "invoices": Relation("Invoice", "subscription_id"),
        "usages": Relation("Usage", "subscription_id"),
    },
    "Product": {"plans": Relation("Plan", "product_id"), "plan-prices": Relation("PlanPrice", "product_id")},
    "Plan": {"plan-prices": Relation("PlanPrice", "plan_id"), "products": Relation("Product", "id", "product_id")},
    "PlanPrice": {
        "plans": Relation("Plan", "id", "plan_id"),
        "products": Relation("Product", "id", "product_id"),
        "usages": Relation("Usage", "charge_id"),
    },
    "Invoice": {
        "transactions": Relation("Transaction", "invoice_id"),
        "credit-notes": Relation("CreditNote", "invoice_id"),
        "usages": Relation("Usage", "invoice_id"),
        "customers": _CUSTOMER,
    },
    "Transaction": {
        "invoices": _INVOICE,
        "customers": _CUSTOMER,
        "transactions": Relation("Transaction", "reference_transaction_id"),
    },
    "Usage": {
        "subscriptions": Relation("Subscription", "id", "subscription_id"),
        "customers": _CUSTOMER,
        "plan-prices": Relation("PlanPrice", "id", "charge_id"),
        "invoices": _INVOICE,
    },
    "CreditNote": {"customers": _CUSTOMER, "invoices": _INVOICE},
    "User": {
        "customers": Relation("Customer", "assigned_to"),
        "contacts": Relation("Contact", "assigned_to"),
        "subscriptions": Relation("Subscription", "assigned_to"),
    },
}


def related(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The records of the module that the path names."""
    record = call.require(call.resource.name, call.key())
    relation = RELATIONS[call.resource.name][call.input.path["related"]]
    value = record.get(relation.ours)
    if relation.theirs == "id":
        one = call.find(relation.resource, value)
        found = [one] if one is not None else []
    else:
        found = list(call.scan(relation.resource, {relation.theirs: value}))
    return Answer(call.operation.success.status, {"data": [flat(call, relation.resource, item) for item in found]})
