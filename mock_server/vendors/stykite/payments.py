"""Paying: for a plan, which begins a cycle of it, or for an add-on to the plan that the customer has."""

from __future__ import annotations

from typing import Any

from mock_server.money import minor
from mock_server.problems import violated
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.stykite import cycles, meters

_BOUGHT = ("customer_identifier", "plan_id", "plan_type")


def pay(call: Call, country: StoredRecord) -> StoredRecord:
    """The transaction of what the body asks to pay for."""
    component = call.body["payment_component"]
    if component == "PLAN":
        return _pay_plan(call, country)
    if component == "ADDON":
        return _pay_addon(call, country)
    bought = {name: call.body[name] for name in _BOUGHT}
    return cycles.charge(call, country, bought, 0, component)


def _pay_plan(call: Call, country: StoredRecord) -> StoredRecord:
    body, plan = call.body, call.find("Plan", call.body["plan_id"])
    if plan is None:
        raise call.dangling("/plan_id", "Plan")
    price = plan["prices"].get(body["plan_type"])
    if price is None:
        raise violated("invalid", "/plan_type", "is none that the plan is sold by", code="enum")
    chosen = {"plan_id": plan["tsid"], "plan_type": body["plan_type"]}
    transaction = cycles.charge(call, country, {**chosen, "customer_identifier": body["customer_identifier"]}, price)
    if transaction["status"] == "SUCCESS":
        _begin(call, {**chosen, "paid": True, "transaction_tsid": transaction["transaction_tsid"]})
    return transaction


def _begin(call: Call, values: dict[str, Any]) -> None:
    """Let what was paid for begin: now, or after the trial that runs."""
    subscription = cycles.live(call, call.body["customer_identifier"])
    if subscription is not None and subscription["status"] == "TRIAL":
        call.change("Subscription", subscription, {**values, "prepaid": True, "cancel_at_cycle_end": False})
        return
    cycle = {**cycles.running(call, values["plan_type"], call.now, 1), **values, "cancel_at_cycle_end": False}
    if subscription is None:
        customer = call.body["customer_identifier"]
        owner = {"customer_identifier": customer, "country_tsid": call.input.path["countryId"]}
        cycles.subscribe(call, {**owner, **cycle})
        meters.restart(call, customer)
        return
    now, trial_end = call.stamp(), subscription["trial_end"]
    cut = {"trial_end": now} if trial_end is not None and trial_end > now else {}
    cycles.begin(call, subscription, {**cycle, **cut})


def _pay_addon(call: Call, country: StoredRecord) -> StoredRecord:
    body, addon = call.body, call.find("Addon", call.body["plan_id"])
    if addon is None or addon["is_deleted"]:
        raise call.dangling("/plan_id", "Addon")
    bought = {name: body[name] for name in _BOUGHT}
    return cycles.charge(call, country, bought, minor(addon["price"], country["currency"]), "ADDON")
