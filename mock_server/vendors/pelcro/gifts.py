"""Gifts: given again for another period, and redeemed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.pelcro import changes, customers, lifecycle, memberships, payments, periods, prices, terms
from mock_server.vendors.pelcro.payments import Means
from mock_server.vendors.pelcro.subscribing import BLANK, opened


def renew(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Another period of a gift that the customer gave, charged to them; it waits with the recipient, or, unredeemed, with the gift."""
    customer, gift = customers.of(call), call.find("Subscription", call.body["subscription_id"])
    if gift is None or gift["customer_id"] != customer["id"] or gift["gift_recipient"] is None:
        raise Problem("unknown", "Invalid subscription provided")
    plan, coupon = call.require("Plan", call.body["plan_id"]), terms.coupon_of(call)
    address = payments.own(call, customer, "Address") or call.find("Address", gift["address_id"])
    payments.own(call, customer, "Source")
    terms.check(call, customer, plan, coupon, address)
    holder = call.find("Subscription", gift["redeemed_by"]) or gift
    if gift["open_invoice_id"] is not None or holder["status"] not in customers.CURRENT:
        raise Problem("invalid", "This gift is not paid for, or has ended")
    named = payments.asked(call).keys() & {"gateway_token", "source_id"}
    means = payments.chosen(call, customer, gift) if plan["amount"] or named else Means()
    phase = changes.added(call, customer, holder, plan, call.body["quantity"], coupon, means, address)
    values: dict[str, Any] = {"schedule": {"phases": [*holder["schedule"]["phases"], phase.values]}}
    values |= {"renewals": holder["renewals"] + 1, "expires_at": phase.values["end_date"]}
    changed = call.change("Subscription", holder, values)
    if phase.invoice["status"] == "open":
        giver = changed if holder["id"] == gift["id"] else gift
        owed = {"open_invoice_id": phase.invoice["id"], "payment_due_at": phase.invoice["due_date"]}
        call.change("Subscription", giver, owed)
    return customers.answered(call)


def redeem(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """What was given, as a subscription of the customer's own, or added to one that they have."""
    customer, gift = customers.of(call), next(call.scan("Subscription", {"gift_code": call.body["gift_code"]}), None)
    if gift is None:
        raise Problem("unknown", "Invalid gift code provided")
    if gift["is_redeemed"] and not gift["is_reusable"]:
        raise Problem("invalid", "This gift has been redeemed")
    if gift["status"] != "active" or gift["open_invoice_id"] is not None:
        raise Problem("invalid", "This gift has not been paid for")
    plan, address = call.require("Plan", gift["plan_id"]), payments.own(call, customer, "Address")
    product = plan["product"]
    if address is None and (product["address_required"] or product["countries"]):
        raise terms.missing_address()
    terms.check_offer(call, plan, None, address)
    key = payments.asked(call).get("subscription_id")
    taken = _begun(call, customer, gift, plan, address) if key is None else _appended(call, gift, plan, key)
    call.change("Subscription", gift, {"is_redeemed": True, "redeemed_by": taken["id"], "schedule": {"phases": []}})
    return customers.answered(call)


def _begun(
    call: Call, customer: StoredRecord, gift: StoredRecord, plan: StoredRecord, address: StoredRecord | None
) -> StoredRecord:
    """A subscription that begins now and ends with the last period that was given."""
    now = int(call.stamp())
    period = opened(plan, now, now, 1)
    phases = lifecycle.laid_out(call, gift["schedule"]["phases"], period["current_period_end"])
    owner = {"customer_id": customer["id"], "plan_id": plan["id"], "quantity": gift["quantity"]}
    values = {**BLANK, **owner, **period, "status": "active", "is_gift_recipient": True, "cancel_at_period_end": 1}
    values |= {"address_id": address["id"] if address is not None else None, "schedule": {"phases": phases}}
    values |= {"expires_at": phases[-1]["end_date"] if phases else period["current_period_end"], "renews_at": None}
    made = call.create("Subscription", values)
    price = prices.given(plan, gift["quantity"])
    span = (now, period["current_period_end"])
    payments.issue(call, customer, made["id"], price, "subscription_create", span, Means())
    memberships.grant(call, plan, made)
    return made


def _appended(call: Call, gift: StoredRecord, plan: StoredRecord, key: int) -> StoredRecord:
    """A subscription of the customer with what was given after its last period. Raises Problem where it does not go on."""
    subscription = terms.own(call, key)
    if subscription["status"] not in customers.CURRENT:
        raise Problem("invalid", f"This subscription is {subscription['status']} and cannot be changed")
    given = {"plan_id": plan["id"], "quantity": gift["quantity"], "coupon_code": None, "total": 0}
    wait = subscription["schedule"]["phases"]
    added = lifecycle.laid_out(call, [given, *gift["schedule"]["phases"]], periods.last_end(subscription))
    if len(wait) + len(added) > changes.MOST_PHASES:
        raise Problem("invalid", "No more than ten periods can be paid for ahead")
    ends = added[-1]["end_date"]
    renews = ends if subscription["renews_at"] is not None else None
    values = {"schedule": {"phases": [*wait, *added]}, "expires_at": ends, "renews_at": renews}
    return call.change("Subscription", subscription, {**values, "renewals": subscription["renewals"] + 1})
