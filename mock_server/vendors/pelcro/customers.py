"""The customer resource, which nearly every operation answers with, and the tokens that come with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

from mock_server.clock import later, parsed
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call
from mock_server.vendors.pelcro import memberships

CURRENT, PAST = ("active", "trialing", "past_due", "extended"), ("canceled", "expired")
_FRACTION = 60
"""A token is given out again in the first sixtieth of its life."""
_REVOKED = 100
"""Revoked tokens of a customer that are still known as such; of older ones no more is known than of any wrong token."""


def of(call: Call) -> StoredRecord:
    """The customer that the token of the call belongs to."""
    assert call.caller.credential is not None, "the operation is secured"
    return call.require("Customer", call.caller.credential["subject"])


def get(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The customer that the token belongs to, with a token."""
    return shown(call, proceed(call))


def login(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A token for whoever knows the password."""
    name = "email" if "email" in call.body else "username"
    customer = next(call.scan("Customer", {name: call.body[name]}), None)
    if customer is None or customer["password"] != call.body["password"]:
        raise Problem("unknown", "Invalid credentials")
    memberships.join(call, customer)
    return shown(call, customer)


def register(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """A new customer of the site, signed in."""
    nothing: dict[str, Any] = {"username": None, "display_name": None, "segment_ids": [], "default_source_id": None}
    given = {name: call.body.get(name) for name in ("email", "password", "first_name", "last_name")}
    customer = call.create("Customer", {**nothing, "currency": None, "balance": 0, **given})
    memberships.join(call, customer)
    return shown(call, customer)


def logout(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The end of the token of this call."""
    credential = call.caller.credential
    assert credential is not None, "the operation is secured"
    call.change("Credential", credential, {"revoked": True})
    return shown(call, of(call), with_token=False)


def answered(call: Call, **more: Any) -> dict[str, Any]:
    """The caller's customer resource as it is now, and what an operation says beside it."""
    return {**shown(call, of(call)), **more}


def shown(call: Call, customer: StoredRecord, *, with_token: bool = True) -> dict[str, Any]:
    """The customer resource: the customer and all that is theirs, with a token."""
    owned = {"customer_id": customer["id"]}
    name = " ".join(part for part in (customer["first_name"], customer["last_name"]) if part) or None
    subscriptions = list(call.scan("Subscription", owned))
    kept = [record for record in subscriptions if record["gift_recipient"] is None]
    default = call.find("Source", customer["default_source_id"])
    token = _token(call, customer) if with_token else None
    belongs = [*call.scan("Membership", owned), *memberships.joined(call, customer)]
    return {
        **call.shown(customer, "Customer"),
        **({"auth_token": token, "token": token} if token else {}),
        "name": name,
        "full_name": name,
        "subscriptions": [subscription(call, record) for record in kept if record["status"] in CURRENT],
        "expired_subscriptions": [subscription(call, record) for record in kept if record["status"] in PAST],
        "memberships": [record for record in belongs if record["status"] == "active"],
        "expired_memberships": [record for record in belongs if record["status"] != "active"],
        "gift_recipients": [_gift(call, record) for record in subscriptions if record["gift_recipient"] is not None],
        "addresses": list(call.scan("Address", owned)),
        "source": {part: default[part] for part in ("id", "brand", "last4")} if default else None,
        "sources": list(call.scan("Source", owned)),
        "invoices": list(call.scan("Invoice", owned)),
        "charges": list(call.scan("Charge", owned)),
        "orders": [],
    }


def subscription(call: Call, record: StoredRecord) -> dict[str, Any]:
    """A subscription with its plan."""
    return {**call.shown(record, "Subscription"), "plan": call.require("Plan", record["plan_id"])}


def _gift(call: Call, record: StoredRecord) -> dict[str, Any]:
    return {
        "id": record["id"],
        **record["gift_recipient"],
        "plan": call.require("Plan", record["plan_id"]),
        "quantity": record["quantity"],
        "gift_code": record["gift_code"],
        "is_redeemed": record["is_redeemed"],
    }


def _token(call: Call, customer: StoredRecord) -> str:
    """A token that was given out lately, or a new one; those that are over are swept, so that what is kept of a customer stays small."""
    lifetime = timedelta(days=call.require("Site", int(call.tenant))["auth_token_ttl_days"])
    recent = None
    for record, issued in _issued(call, customer, lifetime):
        if not record["revoked"] and (call.now - issued) * _FRACTION < lifetime and issued <= call.now:
            recent = record
    if recent is not None:
        token: str = recent["token"]
        return token
    values = {
        "tenant": call.tenant,
        "subject": customer["id"],
        "issued_at": call.now.isoformat(),
        "expires_at": later(call.now, days=lifetime.days).isoformat(),
        "revoked": False,
    }
    made: str = call.create("Credential", values)["token"]
    return made


def _issued(call: Call, customer: StoredRecord, lifetime: timedelta) -> Iterator[Any]:
    """The tokens that the sandbox gave a customer and that are not over, each with the moment it was given."""
    found = [
        (record, parsed(record["issued_at"]))
        for record in call.scan("Credential", {"subject": customer["id"]})
        if record.get("issued_at") is not None and record["tenant"] == call.tenant
    ]
    revoked = sum(record["revoked"] for record, _ in found)
    for record, issued in found:
        excess = record["revoked"] and revoked > _REVOKED
        if call.now - issued >= lifetime or excess:
            call.remove("Credential", record)
            revoked -= record["revoked"]
        else:
            yield record, issued
