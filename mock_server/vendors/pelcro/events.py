"""What a site's server is told: the envelope, and of a record what the vendor's objects have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Event, Space

_SUBSCRIPTION = (
    *("id", "plan_id", "status", "quantity", "cancel_at_period_end", "shipments_suspended_until", "address_id"),
    *(
        "source_id",
        "coupon_code",
        "campaign_key",
        "metadata",
        "ip_addresses",
        "domains",
        "is_gift_recipient",
        "gift_code",
    ),
)
_PERIOD = (
    "canceled_at",
    "current_period_start",
    "current_period_end",
    "trial_end",
    "end_date",
    "expires_at",
    "renews_at",
)
_INVOICE = (
    *("id", "subscription_id", "status", "billing_reason", "currency", "lines", "subtotal", "discount", "tax", "total"),
    *("balance_applied", "amount_due", "amount_paid", "amount_remaining", "attempt_count"),
)
_CHARGE = ("id", "invoice_id", "amount", "currency", "status", "source_id", "failure_message")
_CUSTOMER = ("id", "email", "username", "first_name", "last_name", "display_name", "currency", "balance")


def of_subscription(space: Space, event: Event, record: StoredRecord) -> Any:
    """A subscription's event."""
    recipient = record["gift_recipient"]
    return _wrapped(
        space,
        event,
        object="subscription",
        user_id=record["customer_id"],
        **{name: record[name] for name in _SUBSCRIPTION},
        **{name: _iso(record[name]) for name in _PERIOD},
        gift_recipient_email=recipient["email"] if recipient is not None else None,
        created_at=_iso(record["start"]),
    )


def of_invoice(space: Space, event: Event, record: StoredRecord) -> Any:
    """An invoice's event."""
    return _wrapped(
        space,
        event,
        object="invoice",
        user_id=record["customer_id"],
        **{name: record[name] for name in _INVOICE},
        **{name: _iso(record[name]) for name in ("period_start", "period_end", "due_date")},
        created_at=_iso(record["created"]),
    )


def of_charge(space: Space, event: Event, record: StoredRecord) -> Any:
    """A charge's event."""
    shown = {name: record[name] for name in _CHARGE}
    return _wrapped(
        space, event, object="charge", user_id=record["customer_id"], **shown, created_at=_iso(record["created"])
    )


def of_customer(space: Space, event: Event, record: StoredRecord) -> Any:
    """A customer's event."""
    return _wrapped(space, event, object="customer", **{name: record[name] for name in _CUSTOMER})


def _wrapped(space: Space, event: Event, **values: Any) -> Any:
    identity = {"type": event.name, "id": space.mint_id("evt_{hex:24}"), "created": space.stamp(event.at)}
    return {**identity, "data": {"object": values}}


def _iso(moment: int | None) -> str | None:
    """A moment as the objects have it: ISO 8601 in UTC, with microseconds."""
    if moment is None:
        return None
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
