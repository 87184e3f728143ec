"""What a plan, a coupon and a site ask of whoever subscribes."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.pelcro import customers, payments

_NOT_PUBLIC = tuple(
    (int(network.network_address), int(network.broadcast_address))
    for network in map(
        IPv4Network,
        ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
    )
)
_MOST = 1000
"""Violations reported at the most."""


def check(
    call: Call,
    customer: StoredRecord,
    plan: StoredRecord,
    coupon: StoredRecord | None = None,
    address: StoredRecord | None = None,
) -> None:
    """Every rule that a body has to keep once its plan, coupon and address are known. Raises Problem."""
    if refused := tuple(islice(_refusals(call, customer, plan, coupon, address), _MOST)):
        raise Problem("invalid", violations=refused)
    check_offer(call, plan, coupon, address)


def check_offer(call: Call, plan: StoredRecord, coupon: StoredRecord | None, address: StoredRecord | None) -> None:
    """Whether the plan is to be had at that address, and with that coupon. Raises Problem."""
    countries = plan["product"]["countries"]
    if countries and address is not None and address["country"] not in countries:
        raise Problem("unknown", "This product is not available in your area")
    if coupon is None:
        return
    if coupon["expires_at"] is not None and call.stamp() > coupon["expires_at"]:
        raise call.dangling("/coupon_code", "Coupon")
    if coupon["currency"] not in (None, plan["currency"]):
        raise Problem("unknown", "The coupon is in another currency than the plan")


def check_members(call: Call, plan: StoredRecord) -> None:
    """The rules of `ip_addresses` and `domains` alone. Raises Problem `invalid`."""
    if refused := tuple(islice(_of_members(payments.asked(call), plan), _MOST)):
        raise Problem("invalid", violations=refused)


def coupon_of(call: Call) -> StoredRecord | None:
    """The coupon that the body names."""
    return call.find("Coupon", call.body.get("coupon_code"))


def own(call: Call, key: Any) -> StoredRecord:
    """The customer's own subscription of that key, gifts given left out. Raises Problem `unknown`."""
    subscription = call.find("Subscription", key)
    mine = subscription is not None and subscription["customer_id"] == customers.of(call)["id"]
    if subscription is None or not mine or subscription["gift_recipient"] is not None:
        raise Problem("unknown", "Invalid subscription provided")
    return subscription


def in_state(call: Call, key: Any) -> StoredRecord:
    """The customer's own subscription of that key, in a state that the operation starts from. Raises Problem `state`, `unknown`."""
    subscription = own(call, key)
    check_state(call, subscription, "subscription", "changed")
    return subscription


def check_state(call: Call, record: StoredRecord, what: str, done: str) -> None:
    """Raise Problem `state` where `x-action.from` does not have the record's state."""
    states = call.operation.action.states
    if states and record["status"] not in states:
        raise Problem("state", f"This {what} is {record['status']} and cannot be {done}")


def _refusals(
    call: Call,
    customer: StoredRecord,
    plan: StoredRecord,
    coupon: StoredRecord | None,
    address: StoredRecord | None,
) -> Iterator[Violation]:
    """Everything that is wrong with the body once its plan is known."""
    body, product = payments.asked(call), plan["product"]
    yield from _of_members(body, plan)
    for name, record in (("plan_id", plan), ("coupon_code", coupon)):
        if record is not None and record["segment_id"] not in (None, *customer["segment_ids"]):
            yield Violation("body", f"/{name}", "segment", "is for another customer segment")
    taxed = call.require("Site", int(call.tenant))["taxes_enabled"]
    if address is None and (taxed or product["address_required"] or product["countries"]):
        yield Violation("body", "/address_id", "required", "is required for this plan")
    named = body.keys() & {"gateway_token", "source_id"}
    if body.get("pay_via_send_invoice") and plan["amount"] and not named and not plan["allow_send_invoice"]:
        yield Violation("body", "/pay_via_send_invoice", "invoice", "is not possible with this plan")


def _of_members(body: Any, plan: StoredRecord) -> Iterator[Violation]:
    for name in ("ip_addresses", "domains"):
        if body.get(name) and plan["type"] != "membership":
            yield Violation("body", f"/{name}", "membership", "can be set on a membership plan only")
    for index, value in enumerate(body.get("ip_addresses", ())):
        if not _is_public(value):
            yield Violation("body", f"/ip_addresses/{index}", "public", "must be public throughout")


def _is_public(value: str) -> bool:
    """Whether no part of a range is private. The contract has seen to its form and to its first address."""
    address, _, prefix = value.partition("/")
    size = 1 << (32 - int(prefix or 32))
    start = int.from_bytes(map(int, address.split("."))) // size * size
    return not any(start <= last and first < start + size for first, last in _NOT_PUBLIC)


def missing_address() -> Problem:
    """The problem of a body without an address, where one is needed."""
    return Problem("invalid", violations=(Violation("body", "/address_id", "required", "is required for this plan"),))
