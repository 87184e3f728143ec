"""What customers use of meters and what they may use: a reading is the total so far, an entitlement is what a cycle may add to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Space

_LIMITED = ("ACTIVE", "TRIAL", "ON_HOLD")


def entitle(space: Space, customer: str, entitlements: Iterable[Mapping[str, Any]]) -> None:
    """Set what the customer may use of meters."""
    for meter, entitlement in {each["meter_tsid"]: each["entitlement"] for each in entitlements}.items():
        space.change("Entitlement", _of(space, customer, meter), {"entitlement": entitlement})


def count(space: Space, customer: str, readings: Iterable[Mapping[str, Any]], since: int | None) -> None:
    """Keep the readings: the highest is what a meter has counted, the highest before `since` what it had when the cycle began."""
    highest: dict[str, float] = {}
    before: dict[str, float] = {}
    for reading in readings:
        meter, total = reading["meter_id"], reading["qty"]
        space.create("Usage", {**reading, "customer_identifier": customer})
        highest[meter] = max(highest.get(meter, 0), total)
        if since is not None and reading["timestamp"] < since:
            before[meter] = max(before.get(meter, 0), total)
    for meter, total in highest.items():
        held = _of(space, customer, meter)
        counted, earlier = max(held["counted"], total), max(held["counted_before"], before.get(meter, 0))
        if (counted, earlier) != (held["counted"], held["counted_before"]):
            space.change("Entitlement", held, {"counted": counted, "counted_before": earlier})


def restart(space: Space, customer: str) -> None:
    """Begin to count anew: what was used so far belongs to the cycle before."""
    for held in list(space.scan("Entitlement", {"customer_identifier": customer})):
        if held["counted_before"] != held["counted"]:
            space.change("Entitlement", held, {"counted_before": held["counted"]})


def weigh(space: Space, subscription: StoredRecord | None) -> None:
    """Put the subscription on hold where a meter was used beyond its entitlement, and take it off again where none is any more.

    One that waits for a payment, whose cycle does not run, is left as it is.
    """
    if subscription is None or subscription["status"] not in _LIMITED or subscription["cycle_start"] is None:
        return
    meter = _exceeded(space, subscription["customer_identifier"])
    values = (
        {"status": "ON_HOLD", "reason": f"Usage beyond the entitlement of {meter}"}
        if meter
        else {"status": "ACTIVE" if subscription["cycle"] else "TRIAL", "reason": None}
    )
    if values["status"] != subscription["status"] or values["reason"] != subscription["reason"]:
        space.change("Subscription", subscription, values)


def _exceeded(space: Space, customer: str) -> str | None:
    """The first meter that was used beyond its entitlement."""
    for held in space.scan("Entitlement", {"customer_identifier": customer}):
        # In decimals: 0.3 less 0.1 is not more than 0.2.
        used = Decimal(str(held["counted"])) - Decimal(str(held["counted_before"]))
        if held["entitlement"] is not None and used > held["entitlement"]:
            meter: str = held["meter_tsid"]
            return meter
    return None


def _of(space: Space, customer: str, meter: str) -> StoredRecord:
    """What is kept of a customer's use of a meter."""
    where = {"customer_identifier": customer, "meter_tsid": meter}
    held = next(iter(space.scan("Entitlement", where)), None)
    return held or space.create("Entitlement", {**where, "entitlement": None, "counted": 0, "counted_before": 0})
