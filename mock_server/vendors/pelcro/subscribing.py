"""Subscribing: the rules, the payment, then what the customer gets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Space
from mock_server.vendors.pelcro import customers, memberships, payments, periods, prices, terms
from mock_server.vendors.pelcro.payments import Means

CONFIRMATION = 23 * 3600
"""Seconds that 3-D Secure may take."""
BLANK: dict[str, Any] = {
    **dict.fromkeys(
        (
            "current_period_start",
            "current_period_end",
            "trial_end",
            "end_date",
            "expires_at",
            "renews_at",
            "canceled_at",
        )
    ),
    **dict.fromkeys(("cancellation_reason", "address_id", "source_id", "coupon_code", "campaign_key", "source")),
    **dict.fromkeys(("shipments_suspended_until", "anchor", "coupon_from", "gateway_token", "open_invoice_id")),
    **dict.fromkeys(("trial_notice_at", "confirm_by", "payment_due_at", "next_payment_attempt")),
    **dict.fromkeys(("gift_code", "gift_recipient", "gift_notice_at", "redeemed_by")),
    **dict.fromkeys(("trial_notified", "gift_notified", "is_redeemed", "is_reusable", "is_gift_recipient"), False),
    **dict.fromkeys(("cancel_at_period_end", "renewals", "cycles", "cycles_owed", "period_total"), 0),
    "pay_via_send_invoice": False,
    "metadata": [],
    "ip_addresses": [],
    "domains": [],
    "schedule": {"phases": []},
}
"""A subscription of which nothing is known yet."""


def subscribe(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A subscription, or a gift of one, and its first payment. Raises Problem for each rule that is not kept."""
    customer = customers.of(call)
    plan, coupon = call.require("Plan", call.body["plan_id"]), terms.coupon_of(call)
    address = payments.own(call, customer, "Address")
    payments.own(call, customer, "Source")
    terms.check(call, customer, plan, coupon, address)
    means = payments.chosen(call, customer) if plan["amount"] else Means()
    if payments.attempted(means) == "failed":
        raise Problem("invalid", payments.DECLINED)
    start = _gift if "gift_recipient_email" in call.body else _trial if plan["trial_period_days"] else _period
    subscription = call.create("Subscription", {**_asked(call, customer, plan, means), **start(call, plan)})
    if subscription["status"] == "trialing":
        waiting = payments.attempted(means) == "requires_action"
    else:
        subscription = _first_payment(call, customer, plan, coupon, means, subscription)
        waiting = subscription["status"] == "incomplete"
    _open_campaign(call)
    if subscription["status"] != "incomplete":
        arrive(call, plan, subscription)
    if not waiting:
        return customers.answered(call)
    name = "setup_intent" if subscription["status"] == "trialing" else "payment_intent"
    return customers.answered(call, **{name: intent(call)})


def intent(call: Call) -> dict[str, str]:
    """What the client needs to ask for 3-D Secure."""
    return {"status": "requires_action", "client_secret": call.mint_id("pi-{hex:24}")}


def arrive(space: Space, plan: StoredRecord, subscription: StoredRecord) -> None:
    """What a subscription gives once it is paid for: a membership; as a gift, a code, of which the recipient is told."""
    if subscription["gift_recipient"] is None:
        if plan["type"] == "membership":
            memberships.grant(space, plan, subscription)
        return
    later = subscription["gift_notice_at"]
    waits = later is not None and later > space.stamp()
    code = space.mint_id("GIFT-{base32:12}")
    values = {"gift_code": code, "gift_notified": not waits, "gift_notice_at": later if waits else None}
    space.change("Subscription", subscription, values)


def _first_payment(
    call: Call,
    customer: StoredRecord,
    plan: StoredRecord,
    coupon: StoredRecord | None,
    means: Means,
    subscription: StoredRecord,
) -> StoredRecord:
    """The subscription with its first period charged, or waiting for 3-D Secure."""
    rates = payments.rates(call, subscription["address_id"])
    price = prices.of_period(plan, subscription["quantity"], coupon, rates)
    now = int(call.stamp())
    period = (now, periods.end(plan, now))
    invoice = payments.issue(call, customer, subscription["id"], price, "subscription_create", period, means)
    values: dict[str, Any] = {"period_total": price.net}
    if invoice["status"] == "open":
        values["open_invoice_id"] = invoice["id"]
        if invoice["last_attempt"] == "requires_action":
            values |= {"status": "incomplete", "confirm_by": min(now + CONFIRMATION, periods.LAST)}
        else:
            values["payment_due_at"] = invoice["due_date"]
    return call.change("Subscription", subscription, values)


def _asked(call: Call, customer: StoredRecord, plan: StoredRecord, means: Means) -> dict[str, Any]:
    """What a new subscription says of what was asked for."""
    names = ("address_id", "coupon_code", "campaign_key", "source", "metadata", "ip_addresses", "domains")
    given = {name: call.body[name] for name in names if name in call.body}
    owner = {"customer_id": customer["id"], "plan_id": plan["id"], "quantity": call.body.get("quantity", 1)}
    asked = {"pay_via_send_invoice": call.body.get("pay_via_send_invoice", False)}
    return {**BLANK, **owner, **given, **means.stored, **({} if means.by_invoice else asked)}


def _period(call: Call, plan: StoredRecord) -> dict[str, Any]:
    now = int(call.stamp())
    return {"status": "active", "coupon_from": now, **opened(plan, now, now, 1)}


def opened(plan: StoredRecord, start: int, anchor: int, cycles: int) -> dict[str, Any]:
    """What a subscription says of a period of a plan: when it starts and ends, and what follows."""
    ends = periods.end(plan, anchor, cycles)
    return {
        "anchor": anchor,
        "cycles": cycles,
        "current_period_start": start,
        "current_period_end": ends,
        "expires_at": ends,
        "renews_at": ends if plan["auto_renew"] else None,
    }


def _trial(call: Call, plan: StoredRecord) -> dict[str, Any]:
    now = int(call.stamp())
    ends = periods.ahead(plan["trial_period_days"], now)
    notice = max(ends - payments.trial_notice(call) * periods.DAY, min(now + 1, ends))
    return {
        "status": "trialing",
        "current_period_start": now,
        "current_period_end": ends,
        "trial_end": ends,
        "trial_notice_at": notice,
        "coupon_from": ends,
        "expires_at": ends,
        "renews_at": ends,
    }


def _gift(call: Call, plan: StoredRecord) -> dict[str, Any]:
    body = call.body
    told = body.get("gift_start_date")
    at = datetime.combine(date.fromisoformat(told), datetime.min.time(), UTC) if told else None
    return {
        "status": "active",
        "gift_recipient": {
            "email": body["gift_recipient_email"],
            "first_name": body.get("gift_recipient_first_name"),
            "last_name": body.get("gift_recipient_last_name"),
            "message": body.get("gift_message"),
        },
        "gift_notice_at": int(call.stamp(at)) if at is not None and at > call.now else None,
    }


def _open_campaign(call: Call) -> None:
    key = call.body.get("campaign_key")
    if key is not None and call.find("Campaign", key) is None:
        call.create("Campaign", {"key": key})
