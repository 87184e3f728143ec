"""How a subscription goes on once something is paid, and how it ends."""

from __future__ import annotations

from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.pelcro import memberships, payments, subscribing

SETTLED: dict[str, Any] = dict.fromkeys(("open_invoice_id", "next_payment_attempt", "payment_due_at", "confirm_by"))
"""Of a subscription that owes nothing."""


def settle(space: Space, subscription: StoredRecord, **kept: Any) -> StoredRecord:
    """The subscription whose open invoice was paid: active at last, or again, or as it was."""
    values = {**SETTLED, **kept}
    if subscription["status"] in ("incomplete", "past_due"):
        values["status"] = "active"
    if subscription["status"] == "past_due" and subscription["gift_recipient"] is None:
        values["renewals"] = subscription["renewals"] + subscription["cycles_owed"]
    changed = space.change("Subscription", subscription, values)
    if subscription["status"] == "incomplete":
        subscribing.arrive(space, space.require("Plan", subscription["plan_id"]), changed)
    return changed


def end(space: Space, subscription: StoredRecord, status: str, debt: str = "void", **more: Any) -> StoredRecord:
    """The subscription, ended now; what it owes is `void` or `uncollectible`, and its membership is over."""
    now = space.stamp()
    payments.give_up(space, subscription, debt)
    memberships.expire(space, subscription)
    over = {"end_date": now, "expires_at": now, "renews_at": None, "shipments_suspended_until": None}
    if status == "canceled" and subscription["canceled_at"] is None:
        over["canceled_at"] = now
    return space.change(
        "Subscription", subscription, {**SETTLED, **over, "schedule": {"phases": []}, **more, "status": status}
    )
