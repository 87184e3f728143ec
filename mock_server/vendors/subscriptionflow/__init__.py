"""SubscriptionFlow: one generic shape for every module, tokens by OAuth, nested filters, statuses that move with the clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call, Space, Vendor
from mock_server.vendors.subscriptionflow import (
    catalogue,
    customers,
    events,
    filters,
    invoices,
    ledger,
    lifecycle,
    relations,
    subscriptions,
    transactions,
)
from mock_server.vendors.subscriptionflow.envelopes import answer, error, oauth_error, primary_address, single

TOKEN_LIFETIME = timedelta(hours=1)
HOLDER = r"Modules\Customers\Entities\Customer"
GONE: Mapping[str, Callable[[Space, StoredRecord], None]] = {
    "Invoice": ledger.invoice_gone,
    "Transaction": ledger.transaction_gone,
    "CreditNote": ledger.credit_note_gone,
    "Plan": catalogue.plan_gone,
    "Product": catalogue.product_gone,
}
"""What follows from a deletion, by resource."""

vendor = Vendor("subscriptionflow", error=error, answer=answer)
vendor.failure("createAccessToken")(oauth_error)
vendor.verb("filter")(filters.by_conditions)
vendor.verb("search")(filters.by_equality)
vendor.verb("related")(relations.related)
vendor.action("linkProductPlan")(catalogue.link)
vendor.action("createInvoice")(invoices.create)
vendor.action("updateInvoice")(invoices.update)
vendor.action("createTransaction")(transactions.create)
vendor.action("updateTransaction")(transactions.update)
vendor.action("refundTransaction")(transactions.refund)
vendor.action("createPaymentMethod")(customers.create_payment_method)
vendor.action("updatePaymentMethod")(customers.update_payment_method)
vendor.action("createUsage")(customers.create_usage)
vendor.action("createCreditNote")(customers.create_credit_note)
vendor.action("updateCreditNote")(customers.update_credit_note)
vendor.action("createSubscription")(subscriptions.create)
vendor.action("updateSubscription")(subscriptions.update)
vendor.action("suspendSubscription")(subscriptions.suspend)
vendor.action("resumeSubscription")(subscriptions.resume)
vendor.action("cancelSubscription")(subscriptions.cancel)
vendor.action("extendSubscriptionPeriod")(subscriptions.extend_period)
for name, move in lifecycle.DUES.items():
    vendor.due("Subscription", name)(move)
vendor.event(*events.NAMES)(events.payload)


@vendor.action("createAccessToken")
def create_access_token(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A token of the client's site, for an hour of the sandbox's time."""
    client = call.find("Client", call.body["client_id"])
    if client is None or client["client_secret"] != call.body["client_secret"]:
        words = "Client authentication failed"
        return Answer(401, {"error": "invalid_client", "error_description": words, "message": words})
    expires = call.stamp(call.now + TOKEN_LIFETIME)
    credential = call.create("Credential", {"tenant": client["tenant"], "expires_at": expires})
    seconds = int(TOKEN_LIFETIME.total_seconds())
    return Answer(200, {"token_type": "Bearer", "expires_in": seconds, "access_token": credential["token"]})


@vendor.verb("create")
def create(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A record in the answer's words, with what the server works out."""
    resource, record = call.resource.name, _completed(call, proceed(call))
    if resource != "Customer":
        return catalogue.price(call, record) if resource == "PlanPrice" else record
    about = {"email": record["email"], "primary": 1, "invalid": 0, "opt_out": 0}
    address = call.create("EmailAddress", {**about, "emailable_id": record["id"], "emailable_type": HOLDER})
    return Answer(call.operation.success.status, {"data": single(call, resource, record, address)})


@vendor.verb("update")
def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The record changed; a customer's new mail address is their primary record's too."""
    resource, record = call.resource.name, proceed(call)
    if resource == "Plan":
        catalogue.follow(call, record)
    address = primary_address(call, record["id"]) if resource == "Customer" else None
    if address is not None and address.get("email") != record.get("email"):
        call.change("EmailAddress", address, {"email": record.get("email")})
    return _completed(call, record)


@vendor.verb("delete")
def delete(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """One record, or each of those that `ids` names."""
    resource = call.resource.name
    if not call.operation.action.many:
        record = call.require(resource, call.key())
        answered = proceed(call)
        _follow_deletion(call, record)
        return answered
    keys = dict.fromkeys(key for text in call.key() for key in filters.values(text))
    found = [record for record in (call.find(resource, key) for key in keys) if record is not None]
    removed = [call.remove(resource, record) for record in found]
    for record in removed:
        _follow_deletion(call, record)
    return removed


def _follow_deletion(call: Call, record: StoredRecord) -> None:
    gone = GONE.get(call.resource.name)
    if gone is not None:
        gone(call, record)


def _completed(call: Call, record: StoredRecord) -> StoredRecord:
    """A record that was just written, with what the server sets on it; written again only where it lacks that."""
    found = dict(subscriptions.in_title_case(call, record))
    if call.resource.name == "Customer":
        found |= {"balance": record.get("balance", 0), "unapplied_amount": record.get("unapplied_amount", 0)}
    elif call.resource.name == "EmailAddress":
        found["emailable_type"] = HOLDER if record.get("emailable_id") is not None else None
    return record if found.items() <= record.items() else call.change(call.resource.name, record, found)
