"""The members of a subscription."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Answer, Call
from mock_server.vendors.pelcro import customers


def listed(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """Who belongs to a subscription of the customer."""
    subscription = _own(call)
    shown = customers.subscription(call, subscription)
    found = [
        {
            **{name: member[name] for name in ("id", "status", "invitation_email")},
            "address": None,
            "subscription": shown,
        }
        for member in call.scan("Member", {"subscription_id": subscription["id"]})
    ]
    return Answer(call.operation.success.status, {"data": found})


def _own(call: Call) -> StoredRecord:
    """The customer's subscription to a membership plan that the path names."""
    subscription = call.find("Subscription", call.input.path["id"])
    if (
        subscription is None
        or subscription["customer_id"] != customers.of(call)["id"]
        or subscription["status"] not in customers.CURRENT
        or call.require("Plan", subscription["plan_id"])["type"] != "membership"
    ):
        raise Problem("unknown", "Invalid subscription provided")
    return subscription
