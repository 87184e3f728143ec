"""The bodies of webhooks: the envelope of the vendor's samples around what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Event, Space

_ID = "WBH-{base32:13}"


def status_update(space: Space, event: Event, subscription: StoredRecord) -> Any:
    """A subscription came to be, or its status is another."""
    told = ("reason", "status", "trial_used")
    return _body(space, event, subscription, {name: subscription[name] for name in told})


def addon_purchase(space: Space, event: Event, transaction: StoredRecord) -> Any:
    """An add-on was paid for."""
    addon = space.require("Addon", transaction["plan_id"])
    return _body(space, event, transaction, {"addon": addon, "transaction_tsid": transaction["transaction_tsid"]})


def _body(space: Space, event: Event, about: StoredRecord, told: Mapping[str, Any]) -> Any:
    moment = space.stamp(event.at)
    customer = space.require("Customer", about["customer_identifier"])
    data = {
        "company_id": space.tenant,
        "country_id": customer["country_tsid"],
        "customer_id": customer["tsid"],
        "customer_identifier": customer["customer_identifier"],
        "timestamp": moment,
        **told,
    }
    return {"id": space.mint_id(_ID), "event": event.name, "data": data, "created_at": moment}
