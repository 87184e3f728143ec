"""What time does to a subscription: trials and periods end, declined payments are tried again, pauses are over, gifts are announced."""

from __future__ import annotations

from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.pelcro import endings, memberships, payments, periods, prices
from mock_server.vendors.pelcro.subscribing import opened


def announce_trial_end(space: Space, subscription: StoredRecord) -> None:
    """The event is all there is to it."""
    space.change("Subscription", subscription, {"trial_notified": True, "trial_notice_at": None})


def announce_gift(space: Space, subscription: StoredRecord) -> None:
    """The recipient is told, if the gift is paid for; else as soon as it is."""
    told = subscription["gift_code"] is not None
    space.change("Subscription", subscription, {"gift_notified": told, "gift_notice_at": None})


def resume_shipments(space: Space, subscription: StoredRecord) -> None:
    """Shipments go on."""
    space.change("Subscription", subscription, {"shipments_suspended_until": None})


def give_up_confirmation(space: Space, subscription: StoredRecord) -> None:
    """3-D Secure never came."""
    endings.end(space, subscription, "incomplete_expired")


def fall_behind(space: Space, subscription: StoredRecord) -> None:
    """An invoice that was sent is not paid: it is waited for as long as a declined payment would be tried again."""
    at = periods.ahead(payments.grace(space), int(space.stamp()))
    space.change(
        "Subscription", subscription, {"status": "past_due", "payment_due_at": None, "next_payment_attempt": at}
    )


def try_again(space: Space, subscription: StoredRecord) -> None:
    """Another attempt at a declined renewal; after the last one the subscription is canceled."""
    invoice = space.require("Invoice", subscription["open_invoice_id"])
    if invoice["collection_method"] == "send_invoice":
        endings.end(space, subscription, "canceled", "uncollectible")
        return
    customer = space.require("Customer", subscription["customer_id"])
    invoice = payments.again(space, invoice, payments.kept(space, subscription, customer), renewal=True)
    if invoice["status"] == "paid":
        endings.settle(space, subscription)
    elif (days := payments.retry_days(space, invoice["attempt_count"])) is None:
        endings.end(space, subscription, "canceled", "uncollectible")
    else:
        at = periods.ahead(days, int(space.stamp()))
        space.change("Subscription", subscription, {"next_payment_attempt": at})


def end_trial(space: Space, subscription: StoredRecord) -> None:
    """The first period that costs something, unless the trial was canceled."""
    if subscription["schedule"]["phases"]:
        begin_phase(space, subscription)
    elif subscription["cancel_at_period_end"]:
        endings.end(space, subscription, "canceled")
    else:
        now = int(space.stamp())
        _bill(space, subscription, now, now, 1, "subscription_create")


def end_period(space: Space, subscription: StoredRecord) -> None:
    """The next period: one that was paid for ahead, or a renewal; or the end."""
    if subscription["status"] == "past_due":
        endings.end(space, subscription, "canceled", "uncollectible")
    elif subscription["schedule"]["phases"]:
        begin_phase(space, subscription)
    elif subscription["renews_at"] is None:
        canceled = subscription["cancel_at_period_end"] and not subscription["is_gift_recipient"]
        endings.end(space, subscription, "canceled" if canceled else "expired")
    else:
        cycles = subscription["cycles"] + 1
        _bill(space, subscription, subscription["anchor"], int(space.stamp()), cycles, "subscription_cycle")


def begin_phase(space: Space, subscription: StoredRecord) -> None:
    """A period begins that was paid for ahead; of a gift, the subscription is extended by it."""
    phase, *rest = subscription["schedule"]["phases"]
    plan, now = space.require("Plan", phase["plan_id"]), int(space.stamp())
    period = opened(plan, now, now, 1)
    rest = laid_out(space, rest, period["current_period_end"])
    ends = rest[-1]["end_date"] if rest else period["current_period_end"]
    renews = plan["auto_renew"] and not subscription["cancel_at_period_end"]
    changed = space.change(
        "Subscription",
        subscription,
        {
            **period,
            "plan_id": plan["id"],
            "quantity": phase["quantity"],
            "period_total": phase["total"],
            "status": "extended" if subscription["is_gift_recipient"] else "active",
            "schedule": {"phases": rest},
            "expires_at": ends,
            "renews_at": ends if renews else None,
        },
    )
    if plan["id"] != subscription["plan_id"]:
        memberships.grant(space, plan, changed)


def laid_out(space: Space, phases: list[Any], start: int | None) -> list[dict[str, Any]]:
    """Periods to come, one after the other from a moment on."""
    found = []
    for phase in phases:
        ends = None if start is None else periods.end(space.require("Plan", phase["plan_id"]), start)
        found.append({**phase, "start_date": start, "end_date": ends})
        start = ends
    return found


def _bill(space: Space, subscription: StoredRecord, anchor: int, start: int, cycles: int, reason: str) -> None:
    """The next period of the plan, charged; where that is declined, the subscription is past due."""
    plan = space.require("Plan", subscription["plan_id"])
    period = opened(plan, start, anchor, cycles)
    if period["current_period_end"] <= start:  # the calendar is over
        endings.end(space, subscription, "canceled")
        return
    customer = space.require("Customer", subscription["customer_id"])
    coupon = space.find("Coupon", subscription["coupon_code"])
    rates = payments.rates(space, subscription["address_id"])
    price = prices.of_period(
        plan, subscription["quantity"], prices.in_force(coupon, subscription["coupon_from"], start), rates
    )
    means = payments.kept(space, subscription, customer) if price.total else None
    ends = period["current_period_end"]
    invoice = payments.issue(space, customer, subscription["id"], price, reason, (start, ends), means, renewal=True)
    renewal = int(reason == "subscription_cycle")
    values = {**period, "status": "active", "period_total": price.net}
    if invoice["status"] == "open" and invoice["last_attempt"] == "failed":
        days = payments.retry_days(space, 1)
        at = periods.ahead(days, start) if days is not None else ends
        values |= {"status": "past_due", "open_invoice_id": invoice["id"], "next_payment_attempt": at}
        values["cycles_owed"] = renewal
    else:
        values["renewals"] = subscription["renewals"] + renewal
        if invoice["status"] == "open":
            values |= {"open_invoice_id": invoice["id"], "payment_due_at": invoice["due_date"], "cycles_owed": 0}
    space.change("Subscription", subscription, values)
