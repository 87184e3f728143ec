"""SubscriptionFlow's webhooks: one event for each change that has one, as form parameters, and none for what was refused."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import parse_qsl

import pytest

TODAY = "2026-04-13"
ADA = "c0000000-0000-4000-8000-000000000001"
TERMED = {
    "customer_id": ADA,
    "type": "Termed",
    "order_date": TODAY,
    "trigger_dates": TODAY,
    "termed_start_date": TODAY,
    "termed_initial_period": 1,
    "termed_initial_period_type": "month",
    "renewal_type": "Renew with Specific Term",
    "items": [
        {"plan_id": "d0000000-0000-4000-8000-000000000001", "product_id": "b0000000-0000-4000-8000-000000000001"}
    ],
}


@pytest.fixture
def flow(sandbox):
    found = sandbox("subscriptionflow")
    found.control.post("/webhooks/endpoints", json={"vendor": "subscriptionflow", "url": "sink:"})
    return found


def subscribed(flow, **fields: Any) -> str:
    answer = flow.api.post("/api/v1/subscriptions", json={**TERMED, **fields})
    assert answer.status_code == 201, answer.text
    key: str = answer.json()["data"]["id"]
    return key


def advance(flow, duration: str) -> None:
    assert flow.control.post("/clock", json={"advance": duration}).status_code == 200


def told(flow) -> list[Any]:
    """What was told since it was last asked."""
    found: list[Any] = flow.control.get("/webhooks/sink").json()["received"]
    flow.control.delete("/webhooks/sink")
    return found


def names(flow) -> list[str]:
    return sorted(found["event"] for found in told(flow))


def test_an_event_is_a_form_of_the_records_columns(flow):
    key = subscribed(flow, name="Dora & co", is_auto_renew=1)
    (created,) = [found for found in told(flow) if found["event"] == "subscription.created"]
    form = dict(parse_qsl(created["body"], strict_parsing=True))
    assert created["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    assert {
        "event": "created",
        "method": "POST",
        "id": key,
        "name": "Dora & co",
        "status": "Active",
    }.items() <= form.items()
    assert not {"items", "begins_at", "term_ends_at", "billed_from", "deleted_at"} & form.keys()


def test_a_subscription_tells_of_each_state_that_it_comes_to(flow):
    key = subscribed(flow, order_date="2026-04-20", trial_period=5, is_auto_renew=1)
    assert names(flow) == ["subscription.created"]
    advance(flow, "P12D")
    assert names(flow) == ["invoice.created", "subscription.activated"]
    flow.api.post(f"/api/v1/subscriptions/{key}/suspend", data={"suspension_option": "Today"})
    assert names(flow) == ["invoice.paid", "subscription.suspended"], "what it had cost is credited"
    flow.api.post(f"/api/v1/subscriptions/{key}/resume", data={"resume_option": "Today"})
    assert names(flow) == ["invoice.created", "invoice.paid", "subscription.activated"]
    advance(flow, "P18D")
    assert names(flow) == ["subscription.renewed"]
    flow.api.post(f"/api/v1/cancel-subscription/{key}", data={"cancellation_option": "Today"})
    assert names(flow) == ["subscription.cancelled"]


def test_a_term_that_runs_out_is_told_of_once(flow):
    subscribed(flow)
    told(flow)
    advance(flow, "P1Y")
    assert names(flow) == ["subscription.expired"]


def test_each_renewal_is_told_of_once_and_each_invoice(flow):
    subscribed(flow, is_auto_renew=1)
    told(flow)
    advance(flow, "P6M")
    assert Counter(names(flow)) == {"subscription.renewed": 6, "invoice.created": 6, "invoice.paid": 6}


def test_a_payment_that_fails_and_one_that_goes_through_are_told_of(flow):
    body = {"name": "Dora Example", "email": "dora@example.com", "auto_charge": 1, "terms": "Net 3"}
    owner = flow.api.post("/api/v1/customers", json=body).json()["data"]["id"]
    method = {
        "parent_id": owner,
        "parent_type": "Customer",
        "last_name": "Example",
        "gateway_name": "stripe",
        "payment_method_id": "pm_sandbox_declined_card",
        "customer_profile_id": "cus_sandbox",
    }
    assert flow.api.post("/api/v1/payment-methods", json=method).status_code == 201
    told(flow)
    subscribed(flow, customer_id=owner, pay_invoice=True)
    assert names(flow) == ["invoice.created", "subscription.created", "transaction.failed"]
    advance(flow, "P4D")
    assert names(flow) == ["invoice.overdue"]
    (invoice,) = flow.api.get(f"/api/v1/customers/{owner}/link/invoices").json()["data"]
    payment = {
        "customer_id": owner,
        "invoice_id": invoice["id"],
        "amount": 10,
        "status": "paid",
        "cash_or_card": "Cash",
    }
    assert flow.api.post("/api/v1/transactions", json=payment).status_code == 201
    assert names(flow) == ["invoice.paid"]


def test_a_customer_is_told_of_when_new_and_when_changed(flow):
    body = {"name": "Dora Example", "email": "dora@example.com"}
    key = flow.api.post("/api/v1/customers", json=body).json()["data"]["id"]
    flow.api.put(f"/api/v1/customers/{key}", json={"phone_number": "+1 555 0142"})
    events = told(flow)
    assert [found["event"] for found in events] == ["customer.created", "customer.updated"]
    assert dict(parse_qsl(events[1]["body"]))["phone_number"] == "+1 555 0142"


def test_what_is_refused_is_not_told_of(flow):
    key = subscribed(flow, status="cancelled")
    told(flow)
    for path, body in (
        (f"subscriptions/{key}/suspend", {"suspension_option": "Today"}),
        (f"subscriptions/{key}/resume", {"resume_option": "Today"}),
        (f"cancel-subscription/{key}", {"cancellation_option": "Today"}),
    ):
        assert flow.api.post(f"/api/v1/{path}", data=body).status_code == 400
    assert flow.api.post("/api/v1/subscriptions", json={**TERMED, "customer_id": "nobody"}).status_code == 422
    assert names(flow) == []


def test_without_inferred_events_only_the_published_are_told_of(sandbox):
    flow = sandbox("subscriptionflow", inferred=False)
    flow.control.post("/webhooks/endpoints", json={"vendor": "subscriptionflow", "url": "sink:"})
    key = subscribed(flow, is_auto_renew=1)
    flow.api.post(f"/api/v1/subscriptions/{key}/suspend", data={"suspension_option": "Today"})
    assert "invoice.created" in (found := names(flow))
    assert not {"subscription.created", "subscription.suspended"} & set(found)
