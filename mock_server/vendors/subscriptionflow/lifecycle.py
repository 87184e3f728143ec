"""SubscriptionFlow's states: what moves a subscription from one to the next, be it a call or its day.

Each function changes the subscription at `space.now` and gives it as it is then. Days that lie ahead are kept with the subscription and come by
themselves (`x-lifecycle`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.store import StoredRecord
from mock_server.vendor import Space
from mock_server.vendors.subscriptionflow import billing, charges, terms

IN_SERVICE = ("Trial", "Active")
_NEVER: Mapping[str, Any] = dict.fromkeys(
    ("begins_at", "trial_ends_at", "term_ends_at", "suspends_at", "cancels_at", "next_bill_date")
)
"""The moments of a subscription that waits for none."""


def enter(space: Space, record: StoredRecord, values: Mapping[str, Any], *, whole: bool = True) -> StoredRecord:
    """Let a subscription that waits, is on trial or active stand where its days say, and bill what is to be billed by today.

    `values` are what else changes. One that was not billed before pays for the `whole` of the period that holds today, or for the rest of it.
    """
    now = {**record, **values}
    changes = {**values, **terms.standing(now, space.now)}
    if changes["status"] == "Expired":
        return _end(space, record, changes)
    if changes["status"] == "Active":
        changes |= _billed(space, {**now, **changes}, whole=whole)
    return space.change("Subscription", record, changes)


def begin(space: Space, record: StoredRecord) -> None:
    """The day that a subscription begins, or that its trial ends."""
    enter(space, record, {})


def _billed(space: Space, record: StoredRecord, *, whole: bool) -> Mapping[str, Any]:
    """The start of billing: what changes about a subscription that has just become active."""
    today = terms.midnight(space.now)
    since = record.get("billed_from") or terms.written(terms.billed_from(record, today))
    record = {**record, "billed_from": since}
    record = {**record, "items": charges.started(record, today, whole=whole)}
    return {"billed_from": since, **billing.bill(space, record)}


def stand(space: Space, record: StoredRecord) -> StoredRecord:
    """Let an active subscription whose fields were changed stand where its days say now."""
    changes = terms.standing(record, space.now)
    if changes["status"] == "Expired":
        return _end(space, record, changes)
    bill = charges.next_bill(record["items"], terms.limit({**record, **changes}))
    changes = {**changes, "next_bill_date": bill}
    return record if changes.items() <= record.items() else space.change("Subscription", record, changes)


def bill(space: Space, record: StoredRecord) -> None:
    """The day of a bill: what is due is on an invoice."""
    space.change("Subscription", record, billing.bill(space, record))


def end_term(space: Space, record: StoredRecord) -> None:
    """The end of a term: it goes on to the next one, or is over."""
    if not record.get("is_auto_renew"):
        _end(space, record, {"status": "Expired"})
        return
    space.change("Subscription", record, {**terms.standing(record, space.now), "renewed_at": space.stamp()})


def suspend(space: Space, record: StoredRecord) -> StoredRecord:
    """Pause: what was billed for later days goes back."""
    changes: dict[str, Any] = {"suspends_at": None, "resume_suspended_at": None, "next_bill_date": None}
    if record["status"] == "Active":
        changes |= _settle(space, record)
    return space.change("Subscription", record, {**changes, "status": "Suspended", "suspended_at": space.stamp()})


def resume(space: Space, record: StoredRecord) -> StoredRecord:
    """Go on where the days say by now: the rest of the running period is billed."""
    status = "Trial" if record.get("trial_period") else "Active"
    resumed = {"status": status, "resume_suspended_at": space.stamp()}
    paused = terms.day(record.get("suspended_at"))
    ended = terms.term_end(record, paused) if paused is not None else None
    if ended is not None and ended <= space.now and record.get("is_auto_renew"):
        resumed["renewed_at"] = space.stamp()
    return enter(space, record, resumed, whole=False)


def cancel(space: Space, record: StoredRecord) -> StoredRecord:
    """End for good: what was billed for later days goes back."""
    return _end(space, record, {"status": "Cancelled", "cancelled_at": space.stamp()})


def _end(space: Space, record: StoredRecord, changes: Mapping[str, Any]) -> StoredRecord:
    """A subscription that is over: it waits for nothing more, and is settled."""
    settled = _settle(space, record) if record.get("status") == "Active" else {}
    return space.change("Subscription", record, {**_NEVER, **settled, **changes, "resume_suspended_at": None})


def _settle(space: Space, record: StoredRecord) -> Mapping[str, Any]:
    customer = space.find("Customer", record.get("customer_id"))
    return billing.write(space, record, customer, billing.stop(space, record))


def replace_items(space: Space, record: StoredRecord, items: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Other items: what changes about the subscription. The charges that end are settled, the new ones are billed for the rest of their period."""
    ended, new = charges.kept(record["items"], items)
    if record["status"] != "Active" or record.get("billed_from") is None:
        return {"items": new}
    lines = billing.stop(space, record, ended)
    today = terms.midnight(space.now)
    fresh = charges.started({**record, "items": new}, today, whole=False)
    begun = [
        {
            **item,
            "charges": [
                old if old.get("billed_through") else started
                for old, started in zip(item["charges"], begun["charges"], strict=True)
            ],
        }
        for item, begun in zip(new, fresh, strict=True)
    ]
    return billing.bill(space, {**record, "items": begun}, lines)


DUES: Mapping[str, Callable[[Space, StoredRecord], Any]] = {
    "begin": begin,
    "trial-end": begin,
    "term-end": end_term,
    "suspend": suspend,
    "resume": resume,
    "cancel": cancel,
    "bill": bill,
}
"""What is done when a moment of `x-lifecycle` has come."""
