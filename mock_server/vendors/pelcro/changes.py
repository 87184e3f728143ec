"""What the customer does with a subscription: pause, cancel, take that back, change, renew, pay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from mock_server.problems import Problem, violated
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.pelcro import customers, endings, lifecycle, memberships, payments, periods, prices, terms
from mock_server.vendors.pelcro.payments import Means
from mock_server.vendors.pelcro.prices import Price
from mock_server.vendors.pelcro.subscribing import intent, opened

MOST_PHASES = 10
"""Periods that may wait."""


def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A pause of shipments or its end, domains, addresses, notes."""
    subscription, body = terms.in_state(call, call.input.path["id"]), call.body
    plan = call.require("Plan", subscription["plan_id"])
    terms.check_members(call, plan)
    values = {name: body[name] for name in ("domains", "ip_addresses", "metadata") if name in body}
    until = body.get("shipments_suspended_until")
    if body.get("suspend") and until is None:
        raise violated("invalid", "/shipments_suspended_until", "is required where shipments are suspended")
    if until is not None and datetime.combine(date.fromisoformat(until), datetime.min.time(), UTC) <= call.now:
        raise violated("invalid", "/shipments_suspended_until", "must lie ahead")
    if until is not None or "suspend" in body:
        values["shipments_suspended_until"] = until if body.get("suspend", True) else None
    changed = call.change("Subscription", subscription, values)
    if plan["type"] == "membership":
        memberships.grant(call, plan, changed)
    return customers.answered(call)


def cancel(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The end of a subscription, now or when its period is over, or the last one that is paid for."""
    subscription, mode = terms.in_state(call, call.key()), call.body.get("mode", "last_period_end")
    said = {"canceled_at": call.stamp(), "cancellation_reason": call.body.get("reason")}
    if mode == "now":
        endings.end(call, subscription, "canceled", **said)
        return customers.answered(call)
    kept = subscription["schedule"] if mode == "last_period_end" else {"phases": []}
    values = {**said, "cancel_at_period_end": 1, "schedule": kept, "renews_at": None}
    ends = periods.last_end({**subscription, "schedule": kept})
    call.change("Subscription", subscription, {**values, "expires_at": ends})
    return customers.answered(call)


def reactivate(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A cancellation that has not come to pass, taken back."""
    subscription = terms.in_state(call, call.key())
    if subscription["is_gift_recipient"]:
        raise Problem("state", "This subscription is a gift and ends with its period")
    if subscription["cancel_at_period_end"]:
        renews = call.require("Plan", subscription["plan_id"])["auto_renew"] or subscription["status"] == "trialing"
        values = {"cancel_at_period_end": 0, "canceled_at": None, "cancellation_reason": None}
        values["renews_at"] = periods.last_end(subscription) if renews else None
        call.change("Subscription", subscription, values)
    return customers.answered(call)


@dataclass(frozen=True, slots=True)
class Change:
    """A subscription on another plan: the price of the change, what the subscription says then, and its next period's start."""

    price: Price
    values: dict[str, Any]


def check_changeable(subscription: StoredRecord) -> None:
    """Raise Problem `state` where a subscription is in none of the states that a change starts from."""
    if subscription["status"] not in ("active", "trialing"):
        raise Problem("state", f"This subscription is {subscription['status']} and cannot be changed")


def quoted(call: Call, subscription: StoredRecord, plan: StoredRecord, quantity: int, address_id: int | None) -> Change:
    """A change as it would be now. Raises Problem `unknown` where it cannot be."""
    old = call.require("Plan", subscription["plan_id"])
    if plan["currency"] != old["currency"]:
        raise Problem("unknown", "The plan is in another currency than the subscription")
    if subscription["open_invoice_id"] is not None:
        raise Problem("unknown", payments.PENDING)
    values: dict[str, Any] = {"plan_id": plan["id"], "quantity": quantity, "address_id": address_id}
    if subscription["status"] == "trialing":
        return Change(Price(plan["currency"]), values)
    now = int(call.stamp())
    start, ends = subscription["current_period_start"], subscription["current_period_end"]
    rest = None
    if start is not None and ends is not None and ends > start:
        rest = prices.Rest(old, subscription["quantity"], subscription["period_total"], ends - now, ends - start)
    anew = rest is None or (plan["interval"], plan["interval_count"]) != (old["interval"], old["interval_count"])
    coupon = prices.in_force(
        call.find("Coupon", subscription["coupon_code"]), subscription["coupon_from"], now if anew else start
    )
    if coupon is not None and coupon["currency"] not in (None, plan["currency"]):
        coupon = None
    rates = payments.rates(call, address_id)
    price = prices.of_change(rest, plan, quantity, coupon, rates, whole_period=anew)
    full = prices.of_period(plan, quantity, coupon)
    period = opened(plan, now, now, 1) if anew else {}
    renews = plan["auto_renew"] and not subscription["cancel_at_period_end"]
    phases = subscription["schedule"]["phases"]
    if anew:
        phases = lifecycle.laid_out(call, phases, period["current_period_end"])
    last = phases[-1]["end_date"] if phases else period.get("current_period_end", ends)
    after = {"schedule": {"phases": phases}, "expires_at": last, "renews_at": last if renews else None}
    return Change(price, {**values, **period, **after, "period_total": full.net})


def change(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Another plan or quantity, now; the difference is charged or credited."""
    subscription, customer = terms.in_state(call, call.key()), customers.of(call)
    plan = call.require("Plan", call.body["plan_id"])
    address = payments.own(call, customer, "Address") or call.find("Address", subscription["address_id"])
    payments.own(call, customer, "Source")
    terms.check(call, customer, plan, None, address)
    quantity = call.body.get("quantity", subscription["quantity"])
    made = quoted(call, subscription, plan, quantity, address["id"] if address is not None else None)
    values = dict(made.values)
    means = _means(call, customer, plan, subscription)
    if made.price.lines:
        period = (int(call.stamp()), values.get("current_period_end", subscription["current_period_end"]))
        invoice = payments.issue(call, customer, subscription["id"], made.price, "subscription_update", period, means)
        _refuse_unpaid(invoice, 404)
        if invoice["status"] == "open":
            values |= {"open_invoice_id": invoice["id"], "payment_due_at": invoice["due_date"], "cycles_owed": 0}
    if call.body.keys() & {"gateway_token", "source_id"}:
        values |= means.stored
    changed = call.change("Subscription", subscription, values)
    memberships.grant(call, plan, changed)
    return customers.answered(call)


def renew(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A period after the last one that is paid for, charged now."""
    subscription, customer = terms.in_state(call, call.key()), customers.of(call)
    plan, coupon = call.require("Plan", call.body["plan_id"]), terms.coupon_of(call)
    address = payments.own(call, customer, "Address") or call.find("Address", subscription["address_id"])
    payments.own(call, customer, "Source")
    terms.check(call, customer, plan, coupon, address)
    if subscription["open_invoice_id"] is not None:
        raise Problem("invalid", payments.PENDING)
    means = _means(call, customer, plan, subscription)
    phase = added(call, customer, subscription, plan, subscription["quantity"], coupon, means, address)
    phases = [*subscription["schedule"]["phases"], phase.values]
    renews = plan["auto_renew"] and not subscription["cancel_at_period_end"]
    values = {
        "schedule": {"phases": phases},
        "renewals": subscription["renewals"] + 1,
        "expires_at": phase.values["end_date"],
        "renews_at": phase.values["end_date"] if renews else None,
    }
    if phase.invoice["status"] == "open":
        values |= {"open_invoice_id": phase.invoice["id"], "payment_due_at": phase.invoice["due_date"]}
    if call.body.keys() & {"gateway_token", "source_id"}:
        values |= means.stored
    call.change("Subscription", subscription, values)
    return customers.answered(call)


@dataclass(frozen=True, slots=True)
class Phase:
    """A period that was added: what a schedule says of it, and its invoice."""

    values: dict[str, Any]
    invoice: StoredRecord


def added(
    call: Call,
    customer: StoredRecord,
    subscription: StoredRecord,
    plan: StoredRecord,
    quantity: int,
    coupon: StoredRecord | None,
    means: Means,
    address: StoredRecord | None,
) -> Phase:
    """A period after a subscription's last one, charged to a customer. Raises Problem where it is not paid, or where too many wait."""
    if len(subscription["schedule"]["phases"]) >= MOST_PHASES:
        raise Problem("invalid", "No more than ten periods can be paid for ahead")
    price = prices.of_period(plan, quantity, coupon, payments.rates(call, address["id"] if address else None))
    start = periods.last_end(subscription)
    values = {
        "plan_id": plan["id"],
        "quantity": quantity,
        "start_date": start,
        "end_date": None if start is None else periods.end(plan, start),
        "coupon_code": coupon["code"] if coupon is not None else None,
        "total": price.net,
    }
    period = (start, values["end_date"])
    invoice = payments.issue(call, customer, subscription["id"], price, "subscription_cycle", period, means)
    _refuse_unpaid(invoice, 400)
    return Phase(values, invoice)


def pay(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """An open invoice, paid by hand."""
    customer, invoice = customers.of(call), call.find("Invoice", call.input.path["id"])
    if invoice is None or invoice["customer_id"] != customer["id"]:
        raise Problem("unknown", "Invalid invoice provided")
    terms.check_state(call, invoice, "invoice", "paid")
    token, source = call.find("PaymentToken", call.body.get("gateway_token")), payments.own(call, customer, "Source")
    if token is None and source is None:
        raise Problem("invalid", "A payment method is required")
    means = Means(token=token) if token is not None else Means(source=source)
    paid = payments.again(call, invoice, means, renewal=False)
    if paid["last_attempt"] == "failed":
        raise Problem("unknown", payments.DECLINED)
    if paid["status"] == "open":
        return customers.answered(call, payment_intent=intent(call))
    subscription = call.find("Subscription", invoice["subscription_id"])
    if subscription is not None and subscription["open_invoice_id"] == invoice["id"]:
        by_hand = {} if subscription["pay_via_send_invoice"] else means.stored
        endings.settle(call, subscription, **by_hand)
    return customers.answered(call)


def _means(call: Call, customer: StoredRecord, plan: StoredRecord, subscription: StoredRecord) -> Means:
    named = call.body.keys() & {"gateway_token", "source_id"}
    return payments.chosen(call, customer, subscription) if plan["amount"] or named else Means()


def _refuse_unpaid(invoice: StoredRecord, status: int) -> None:
    """Raise Problem where a payment was declined, or asks for 3-D Secure, which has nothing to wait in."""
    if invoice["last_attempt"] == "failed":
        raise Problem("invalid", payments.DECLINED, status=status)
    if invoice["last_attempt"] == "requires_action":
        raise Problem("invalid", "This payment method asks for 3-D Secure", status=status)
