"""A subscription's cycles: how one begins and ends, who pays for it, and what keeps it on hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mock_server.clock import LAST
from mock_server.durations import Duration
from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.stykite import meters

LENGTHS: Mapping[str, Duration] = {"MONTHLY": Duration(months=1), "YEARLY": Duration(months=12)}
_NEW = {
    **dict.fromkeys(("reason", "trial_end", "cancelled_at", "end_date", "transaction_tsid", "anchor")),
    **dict.fromkeys(("trial_used", "cancel_at_cycle_end", "paid", "prepaid"), False),
}
UNPAID, DECLINED = "Payment required", "Payment failed"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def live(space: Space, customer: str) -> StoredRecord | None:
    """The customer's subscription that is not cancelled, of which there is one at the most."""
    owned = space.scan("Subscription", {"customer_identifier": customer})
    return next((subscription for subscription in owned if subscription["status"] != "CANCELLED"), None)


def subscribe(space: Space, values: Mapping[str, Any]) -> None:
    """A new subscription of those values."""
    space.create("Subscription", {**_NEW, **values})


def trying(space: Space, trial: timedelta) -> dict[str, Any]:
    """What a subscription holds of a trial that begins now."""
    ends = space.stamp(space.now + min(trial, LAST - space.now))
    cycle = {"cycle_start": space.stamp(), "cycle_end": ends, "cycle": 0}
    return {"status": "TRIAL", "trial_used": True, "trial_end": ends, **cycle}


def running(space: Space, plan_type: str, anchor: datetime, number: int) -> dict[str, Any]:
    """What a subscription holds of the cycle that begins now and ends so many lengths after the anchor."""
    return {
        "status": "ACTIVE",
        "reason": None,
        "cycle_start": space.stamp(),
        "cycle_end": space.stamp(LENGTHS[plan_type].after(anchor, number)),
        "anchor": space.stamp(anchor),
        "cycle": number,
        "prepaid": False,
    }


def begin(space: Space, subscription: StoredRecord, values: Mapping[str, Any]) -> None:
    """Let the cycle of those values begin: what was used so far belongs to the one before."""
    meters.restart(space, subscription["customer_identifier"])
    space.change("Subscription", subscription, values)


def end_cycle(space: Space, subscription: StoredRecord) -> None:
    """What comes after a cycle or a trial: the end, the next cycle, or nothing until somebody pays."""
    ends = subscription["end_date"]
    if subscription["cancel_at_cycle_end"] or (ends is not None and ends <= space.stamp()):
        return cancel(space, subscription)
    country = space.require("Country", subscription["country_tsid"])
    plan = space.require("Plan", subscription["plan_id"])
    price, paid_by = plan["prices"].get(subscription["plan_type"], 0), subscription["transaction_tsid"]
    if price and not subscription["prepaid"]:
        if not subscription["paid"]:
            return hold(space, subscription, UNPAID)
        transaction = charge(space, country, {name: subscription[name] for name in _CHARGED}, price)
        if transaction["status"] == "FAILED":
            return hold(space, subscription, DECLINED)
        paid_by = transaction["transaction_tsid"]
    after_trial = subscription["cycle"] == 0
    anchor = space.now if after_trial else _EPOCH + timedelta(milliseconds=subscription["anchor"])
    cycle = running(space, subscription["plan_type"], anchor, subscription["cycle"] + 1)
    return begin(space, subscription, {**cycle, "transaction_tsid": paid_by})


_CHARGED = ("customer_identifier", "plan_id", "plan_type")


def charge(
    space: Space, country: StoredRecord, bought: Mapping[str, Any], amount: int, component: str = "PLAN"
) -> StoredRecord:
    """The transaction of a payment, which fails where the country's payments are declined and there is something to pay."""
    failed = amount and country["payments"] == "declined"
    return space.create(
        "Transaction",
        {
            **bought,
            "payment_component": component,
            "amount": amount,
            "currency": country["currency"],
            "status": "FAILED" if failed else "SUCCESS",
        },
    )


def hold(space: Space, subscription: StoredRecord, reason: str) -> None:
    """Keep it for want of a payment: no cycle runs meanwhile."""
    values = {"status": "ON_HOLD", "reason": reason, "cycle_start": None, "cycle_end": None}
    space.change("Subscription", subscription, values)


def cancel(space: Space, subscription: StoredRecord) -> None:
    """End it now."""
    moment = space.stamp()
    values = {"status": "CANCELLED", "reason": None, "cancelled_at": moment, "end_date": moment}
    space.change("Subscription", subscription, values)
