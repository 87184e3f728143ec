"""SubscriptionFlow's webhooks: what happened, and the columns of the record it happened to, as form parameters."""

from __future__ import annotations

from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Event, Space

NAMES = (
    "customer.created",
    "customer.updated",
    "subscription.created",
    "subscription.activated",
    "subscription.renewed",
    "subscription.suspended",
    "subscription.cancelled",
    "subscription.expired",
    "invoice.created",
    "invoice.paid",
    "invoice.overdue",
    "transaction.failed",
)
"""The events, by their names in the document; the vendor's own value is what follows the dot."""
_MODULES = {"customer": "Customer", "subscription": "Subscription", "invoice": "Invoice", "transaction": "Transaction"}
_SHOWN = {"Subscription": "SubscriptionRecord", "Invoice": "InvoiceRecord"}
"""The schemas that say which columns are shown, where that is not all of them."""
_columns: dict[str, tuple[str, ...]] = {}


def payload(space: Space, event: Event, record: StoredRecord) -> Any:
    """The parameters of a webhook."""
    module, _, value = event.name.partition(".")
    columns = _columns_of(space, _MODULES[module])
    return {
        "event": value,
        "method": "POST",
        **{name: record[name] for name in columns if record.get(name) is not None},
    }


def _columns_of(space: Space, resource: str) -> tuple[str, ...]:
    """The columns of a resource that a list with relations shows."""
    if resource not in _columns:
        facts = space.contract.resources[resource]
        schema = space.contract.document["components"]["schemas"][_SHOWN.get(resource, resource)]
        hidden = {*facts.write_only, facts.deleted}
        _columns[resource] = tuple(
            name
            for name in schema["properties"]
            if name not in hidden and facts.properties.get(name, {}).get("type", "array") != "array"
        )
    return _columns[resource]
