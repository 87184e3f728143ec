"""Memberships: what a subscription to a membership plan gives, and who belongs to it."""

from __future__ import annotations

from collections.abc import Iterator

from mock_server.store import StoredRecord
from mock_server.vendor import Space

_KEPT = ("customer_id", "plan_id", "ip_addresses", "domains")


def grant(space: Space, plan: StoredRecord, subscription: StoredRecord) -> None:
    """The membership of a subscription to a membership plan, as it is now; the end of it for one to any other."""
    held = space.find("Membership", subscription["id"])
    values = {**{name: subscription[name] for name in _KEPT}, "status": "active"}
    if plan["type"] != "membership":
        expire(space, subscription)
    elif held is None:
        space.create("Membership", {**values, "subscription_id": subscription["id"]})
    else:
        space.change("Membership", held, values)


def expire(space: Space, subscription: StoredRecord) -> None:
    """The end of the membership that a subscription gives, if it does."""
    held = space.find("Membership", subscription["id"])
    if held is not None and held["status"] == "active":
        space.change("Membership", held, {"status": "expired"})


def joined(space: Space, customer: StoredRecord) -> Iterator[StoredRecord]:
    """The memberships of others that a customer belongs to."""
    for member in space.scan("Member", {"customer_id": customer["id"]}):
        membership = space.find("Membership", member["subscription_id"])
        if membership is not None:
            yield membership


def join(space: Space, customer: StoredRecord) -> None:
    """Take the place in every membership that a customer's email was invited to, or whose domain it is of."""
    email = customer["email"]
    for member in list(space.scan("Member", {"invitation_email": email, "status": "pending"})):
        space.change("Member", member, {"status": "active", "customer_id": customer["id"]})
    domain = email.rpartition("@")[2].lower()
    for membership in list(space.scan("Membership", {"status": "active"})):
        if membership["customer_id"] == customer["id"] or domain not in map(str.lower, membership["domains"]):
            continue
        place = {"subscription_id": membership["subscription_id"], "invitation_email": email}
        if not space.count("Member", place):
            space.create("Member", {**place, "status": "active", "customer_id": customer["id"]})
