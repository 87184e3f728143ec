"""Pelcro: what a plan, a coupon and a payment ask for, and tokens that are given out and taken back.

Nothing is charged and no password is hashed: both are the sandbox's own inventions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from mock_server.clock import later
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Mint, Result, Vendor

_MESSAGES = {
    "unauthenticated": "Invalid or expired token",
    "forbidden": "Authentication token has been blacklisted, please try again",
}
_INVALID = {
    "plan_id": "Invalid plan provided",
    "coupon_code": "Invalid coupon provided",
    "address_id": "Invalid address provided",
    "source_id": "Invalid payment method provided",
    "gateway_token": "Invalid payment method provided",
}
_VALIDATION = ("missing", "invalid", "parameter", "duplicate")
_NOT_PUBLIC = tuple(
    (int(network.network_address), int(network.broadcast_address))
    for network in map(
        IPv4Network,
        ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
    )
)
_MOST = 1000
"""Violations reported at the most."""
_CURRENT, _PAST = ("active", "trialing", "past_due"), ("canceled", "expired")


def _error(problem: Problem, status: int, mint_id: Mint) -> Any:
    fields: dict[str, list[str]] = {}
    for violation in problem.violations:
        if violation.field:
            fields.setdefault(violation.field, []).append(violation.sentence)
    if problem.kind in _VALIDATION and fields:
        return {"errors": fields}
    if problem.kind in _MESSAGES:
        return {"error": {"status": status, "message": _MESSAGES[problem.kind]}}
    missing = next((_INVALID[field] for field in fields if field in _INVALID), problem.detail)
    return {"error": {"message": missing}}


def _answer(call: Call, result: Result) -> Any:
    assert isinstance(result, Mapping), "every answer shows one record"
    if call.operation.action.resource == "Plan":
        return {"data": {"plan": call.shown(result)}}
    return {"data": call.shown(result) if call.operation.action.resource == "Site" else result}


vendor = Vendor("pelcro", error=_error, answer=_answer)


@vendor.action("getCustomer")
def get_customer(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The customer that the token belongs to, with a fresh token."""
    return _resource(call, proceed(call))


@vendor.action("login")
def login(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A token for whoever knows the password."""
    name = "email" if "email" in call.body else "username"
    customer = next(call.scan("Customer", {name: call.body[name]}), None)
    if customer is None or customer["password"] != call.body["password"]:
        raise Problem("unknown", "Invalid credentials")
    return _resource(call, customer)


@vendor.action("register")
def register(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A new customer of the site, signed in."""
    nothing: dict[str, Any] = {"username": None, "display_name": None, "segment_ids": [], "default_source_id": None}
    given = {name: call.body.get(name) for name in ("email", "password", "first_name", "last_name")}
    return _resource(call, call.create("Customer", {**nothing, **given}))


@vendor.action("logout")
def logout(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The end of the token of this call."""
    credential = call.caller.credential
    assert credential is not None, "the operation is secured"
    call.change("Credential", credential, {"revoked": True})
    return _resource(call, call.require("Customer", credential["subject"]), with_token=False)


@vendor.action("createSubscription")
def subscribe(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Every rule of the plan, the coupon and the site; then the payment; then what the customer gets."""
    assert call.caller.credential is not None, "the operation is secured"
    customer = call.require("Customer", call.caller.credential["subject"])
    plan, coupon = call.require("Plan", call.body["plan_id"]), call.find("Coupon", call.body.get("coupon_code"))
    address, source = _own(call, customer, "Address"), _own(call, customer, "Source")
    if refused := tuple(islice(_refusals(call, customer, plan, coupon), _MOST)):
        raise Problem("invalid", violations=refused)
    countries = plan["product"]["countries"]
    if countries and address is not None and address["country"] not in countries:
        raise Problem("unknown", "This product is not available in your area")
    if coupon is not None:
        _check_coupon(call, plan, coupon)
    charged, confirmed = _pay(call, customer, plan, source)
    subscription = call.create(
        "Subscription",
        {**_terms(call, customer, plan), "source_id": charged, "status": "active" if confirmed else "incomplete"},
    )
    _open_campaign(call)
    if confirmed:
        _grant_membership(call, plan, subscription)
        return _resource(call, customer)
    intent = {"status": "requires_action", "client_secret": call.mint_id("pi-{hex:24}")}
    return {**_resource(call, customer), "payment_intent": intent}


def _own(call: Call, customer: StoredRecord, resource: str) -> StoredRecord | None:
    """The customer's address or payment method that the body names."""
    name = f"{resource.lower()}_id"
    record = call.find(resource, call.body.get(name))
    if record is not None and record["customer_id"] != customer["id"]:
        raise call.dangling(f"/{name}", resource)
    return record


def _refusals(
    call: Call, customer: StoredRecord, plan: StoredRecord, coupon: StoredRecord | None
) -> Iterator[Violation]:
    """Everything that is wrong with the body once its plan is known."""
    body, product = call.body, plan["product"]
    for name in ("ip_addresses", "domains"):
        if body.get(name) and plan["type"] != "membership":
            yield Violation("body", f"/{name}", "membership", "can be set on a membership plan only")
    for index, value in enumerate(body.get("ip_addresses", ())):
        if not _is_public(value):
            yield Violation("body", f"/ip_addresses/{index}", "public", "must be public throughout")
    for name, record in (("plan_id", plan), ("coupon_code", coupon)):
        if record is not None and record["segment_id"] not in (None, *customer["segment_ids"]):
            yield Violation("body", f"/{name}", "segment", "is for another customer segment")
    taxed = call.require("Site", int(call.caller.tenant))["taxes_enabled"]
    if "address_id" not in body and (taxed or product["address_required"] or product["countries"]):
        yield Violation("body", "/address_id", "required", "is required for this plan")
    named = body.keys() & {"gateway_token", "source_id"}
    if body.get("pay_via_send_invoice") and plan["amount"] and not named and not plan["allow_send_invoice"]:
        yield Violation("body", "/pay_via_send_invoice", "invoice", "is not possible with this plan")


def _is_public(value: str) -> bool:
    """Whether no part of a range is private. The contract has seen to its form and to its first address."""
    address, _, prefix = value.partition("/")
    size = 1 << (32 - int(prefix or 32))
    start = int.from_bytes(map(int, address.split("."))) // size * size
    return not any(start <= last and first < start + size for first, last in _NOT_PUBLIC)


def _check_coupon(call: Call, plan: StoredRecord, coupon: StoredRecord) -> None:
    if coupon["expires_at"] is not None and call.stamp() > coupon["expires_at"]:
        raise call.dangling("/coupon_code", "Coupon")
    if coupon["currency"] not in (None, plan["currency"]):
        raise Problem("unknown", "The coupon is in another currency than the plan")


def _pay(
    call: Call, customer: StoredRecord, plan: StoredRecord, source: StoredRecord | None
) -> tuple[int | None, bool]:
    """The payment method charged, if one on file was, and whether the payment is through."""
    if plan["amount"] == 0:
        return None, True
    token = call.find("PaymentToken", call.body.get("gateway_token"))
    if token is not None:
        if token["outcome"] == "decline":
            raise Problem("invalid", "The payment was declined")
        return None, token["outcome"] == "succeed"
    if source is None and call.body.get("pay_via_send_invoice"):
        return None, True
    source = source or call.find("Source", customer["default_source_id"])
    if source is None:
        raise Problem("invalid", "A payment method is required")
    if source["status"] != "chargeable":
        raise Problem("invalid", "The payment was declined")
    return source["id"], True


def _terms(call: Call, customer: StoredRecord, plan: StoredRecord) -> dict[str, Any]:
    """What a new subscription says, but for its payment."""
    count = plan["interval_count"]
    days, months = {"day": (1, 0), "week": (7, 0), "month": (0, 1), "year": (0, 12)}[plan["interval"]]
    ends = call.stamp(later(call.now, days=days * count, months=months * count))
    return {
        "customer_id": customer["id"],
        "plan_id": plan["id"],
        "current_period_end": ends,
        "expires_at": ends,
        "renews_at": ends if plan["auto_renew"] else None,
        "cancel_at_period_end": 0,
        **dict.fromkeys(("trial_end", "end_date", "canceled_at")),
        **{name: call.body.get(name) for name in ("address_id", "coupon_code", "campaign_key", "source")},
        **{name: call.body.get(name, []) for name in ("metadata", "ip_addresses", "domains")},
        "quantity": call.body.get("quantity", 1),
        "pay_via_send_invoice": call.body.get("pay_via_send_invoice", False),
    }


def _open_campaign(call: Call) -> None:
    key = call.body.get("campaign_key")
    if key is not None and call.find("Campaign", key) is None:
        call.create("Campaign", {"key": key})


def _grant_membership(call: Call, plan: StoredRecord, subscription: StoredRecord) -> None:
    if plan["type"] == "membership":
        kept = {name: subscription[name] for name in ("customer_id", "plan_id", "ip_addresses", "domains")}
        call.create("Membership", {**kept, "subscription_id": subscription["id"], "status": "active"})


def _resource(call: Call, customer: StoredRecord, *, with_token: bool = True) -> dict[str, Any]:
    """The customer resource: the customer and all that is theirs, with a fresh token."""
    owned = {"customer_id": customer["id"]}
    name = " ".join(part for part in (customer["first_name"], customer["last_name"]) if part) or None
    subscriptions = [
        {**call.shown(record, "Subscription"), "plan": call.require("Plan", record["plan_id"])}
        for record in call.scan("Subscription", owned)
    ]
    default = call.find("Source", customer["default_source_id"])
    token = _fresh_token(call, customer) if with_token else None
    return {
        **call.shown(customer, "Customer"),
        **({"auth_token": token, "token": token} if token else {}),
        "name": name,
        "full_name": name,
        "subscriptions": [record for record in subscriptions if record["status"] in _CURRENT],
        "expired_subscriptions": [record for record in subscriptions if record["status"] in _PAST],
        "memberships": list(call.scan("Membership", owned)),
        "addresses": list(call.scan("Address", owned)),
        "source": {part: default[part] for part in ("id", "brand", "last4")} if default else None,
        "sources": list(call.scan("Source", owned)),
        **{part: [] for part in ("expired_memberships", "gift_recipients", "invoices", "charges", "orders")},
    }


def _fresh_token(call: Call, customer: StoredRecord) -> str:
    site = call.require("Site", int(call.caller.tenant))
    expires = call.now + timedelta(days=site["auth_token_ttl_days"])
    values = {
        "tenant": call.caller.tenant,
        "subject": customer["id"],
        "expires_at": expires.isoformat(),
        "revoked": False,
    }
    token: str = call.create("Credential", values)["token"]
    return token
