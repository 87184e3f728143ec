"""Stykite: creating a customer subscribes them, payments and usage decide how the subscription goes on, and time ends its cycles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any

from mock_server.problems import Problem, Violation, violated
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Mint, Result, Vendor
from mock_server.vendors.stykite import cycles, events, meters, payments

_MOST = 1000
"""Violations reported at the most."""


def _error(problem: Problem, status: int, mint_id: Mint) -> Any:
    message = "Unauthorized access. Invalid token." if problem.kind == "unauthenticated" else problem.detail
    return {"success": False, "message": message}


def _answer(call: Call, result: Result) -> Any:
    assert isinstance(result, Mapping), "every answer with content shows one record"
    value = call.shown(result)
    if call.view("Subscription"):
        owned = call.scan("Subscription", {"customer_identifier": result["customer_identifier"]})
        value = {**value, "subscriptions": call.listed(owned, "Subscription")}
    return {"status": True, "value": value}


vendor = Vendor("stykite", error=_error, answer=_answer)
vendor.due("Subscription", "trial-end")(cycles.end_cycle)
vendor.due("Subscription", "cycle-end")(cycles.end_cycle)
vendor.due("Subscription", "end")(cycles.cancel)
vendor.event("customer.subscription_status.update")(events.status_update)
vendor.event("addon.purchase.success")(events.addon_purchase)


@vendor.action("createCustomer")
def subscribe(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The customer in the answer's words, and the subscription that comes with them."""
    body = call.body
    if body["country_code"] == "US" and "zipcode" not in body:
        raise violated("missing", "/zipcode", "is required where country_code is US", code="required")
    country = call.require("Country", call.input.path["countryId"])
    customer = call.create(
        "Customer",
        {
            "email": body["email"],
            "firstName": body.get("first_name"),
            "lastName": body.get("last_name"),
            "phone": _text(body.get("phone")),
            "address": _address(call, body),
            "customer_identifier": body["customer_identifier"],
            "company_tsid": call.tenant,
            "country_tsid": country["tsid"],
        },
    )
    plan = call.require("Plan", body.get("plan_id", country["default_plan_id"]))
    trial = timedelta(days=body.get("trial_days", plan["trial_days"]))
    cycles.subscribe(
        call,
        {
            "customer_identifier": customer["customer_identifier"],
            "country_tsid": country["tsid"],
            "plan_id": plan["tsid"],
            "plan_type": plan["plan_type"],
            **(cycles.trying(call, trial) if trial else cycles.running(call, plan["plan_type"], call.now, 1)),
        },
    )
    return customer


@vendor.action("getCustomer")
def get_customer(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The customer, if the path's country is theirs."""
    return _customer(call)


@vendor.action("sendUsage")
def send_usage(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Every reading, or none where one names no meter; then what it means for the subscription."""
    customer = _customer(call)["customer_identifier"]
    _check_meters(call, "meter_id")
    subscription = cycles.live(call, customer)
    meters.count(call, customer, call.body, subscription["cycle_start"] if subscription else None)
    meters.weigh(call, subscription)


@vendor.action("updateMeterEntitlements")
def update_meter_entitlements(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Every entitlement, or none where one names no meter; then what it means for the subscription."""
    customer = _customer(call)["customer_identifier"]
    _check_meters(call, "meter_tsid")
    meters.entitle(call, customer, call.body)
    meters.weigh(call, cycles.live(call, customer))


@vendor.action("createPayment")
def create_payment(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The transaction, and what was bought with it."""
    customer = call.require("Customer", call.body["customer_identifier"])
    country = call.require("Country", call.input.path["countryId"])
    if customer["country_tsid"] != country["tsid"]:
        raise call.dangling("/customer_identifier", "Customer of this Country")
    return payments.pay(call, country)


@vendor.action("cancelSubscription")
def cancel(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """End it now, or mark it to end with its cycle."""
    _check_owner(call)
    subscription = proceed(call)
    if call.body["when"] == "END_OF_CYCLE" and subscription["cycle_end"] is not None:
        call.change("Subscription", subscription, {"cancel_at_cycle_end": True})
    else:
        cycles.cancel(call, subscription)


@vendor.action("updateSubscription")
def update(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Move the end of a subscription of the path's customer."""
    _check_owner(call)
    if call.body["end_date"] < call.stamp():
        raise violated("invalid", "/end_date", "lies in the past", code="minimum")
    return proceed(call)


def _customer(call: Call) -> StoredRecord:
    customer = call.find("Customer", call.input.path["customerIdentifier"])
    if customer is None or customer["country_tsid"] != call.input.path["countryId"]:
        violation = Violation("path", "/customerIdentifier", "unknown", "names no Customer of this Country")
        raise Problem("unknown", "Customer not found.", (violation,))
    return customer


def _check_owner(call: Call) -> None:
    customer, subscription = _customer(call), call.find("Subscription", call.key())
    if subscription is None or subscription["customer_identifier"] != customer["customer_identifier"]:
        raise call.unknown("Subscription")


def _check_meters(call: Call, name: str) -> None:
    """Raise Problem `dangling` with every item that names no meter."""
    unknown = (
        Violation("body", f"/{index}/{name}", "dangling", "names no Meter")
        for index, item in enumerate(call.body)
        if call.find("Meter", item[name]) is None
    )
    if refused := tuple(islice(unknown, _MOST)):
        raise Problem("dangling", violations=refused)


def _address(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """The address in the answer's words: codes, and names for the codes that the fixtures know."""
    code, state = body["country_code"], body.get("state_code")
    territory = call.find("Territory", code) or {"country": None, "states": {}}
    return {
        "city": body.get("city"),
        "country": territory["country"],
        "line1": None,
        "line2": None,
        "state": territory["states"].get(state),
        "city_code": body.get("city"),
        "country_code": code,
        "postal_code": _text(body.get("zipcode")),
        "state_code": state,
    }


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
