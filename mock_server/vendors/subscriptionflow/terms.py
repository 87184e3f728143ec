"""SubscriptionFlow's days: when a subscription begins, its trial ends, its term ends, and the periods that its charges are billed for.

Days are moments at midnight in UTC. Every day is reckoned from an anchor in one step, so that the ends of months do not drift. What lies beyond
the calendar never comes: None.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from mock_server.clock import LAST, later
from mock_server.durations import Duration
from mock_server.store import StoredRecord

MONTH = Duration(months=1)


@functools.lru_cache(maxsize=4096)
def day(text: str | None) -> datetime | None:
    """The day that a date or a moment names; None where there is none, or none that a calendar has."""
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=UTC) if isinstance(text, str) else None
    except ValueError:
        return None


def written(moment: datetime | None) -> str | None:
    """A day as the vendor writes it."""
    return None if moment is None else moment.isoformat()[:10]


def midnight(now: datetime) -> datetime:
    """The day that holds a moment."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


@functools.lru_cache(maxsize=256)
def duration(unit: str | None, count: int | None) -> Duration | None:
    """So many of a unit; None where it is nothing."""
    if not unit or not count or count < 1:
        return None
    try:
        return Duration.of(unit, count)
    except ValueError:
        return None


def nth(length: Duration, anchor: datetime, number: int) -> datetime | None:
    """The day so many lengths after the anchor; None beyond the calendar."""
    moved = later(anchor, months=length.months * number, days=length.days * number)
    return None if moved is LAST else moved


def index(length: Duration, anchor: datetime, today: datetime) -> int:
    """The number of the period that holds a day: 0 for the one that begins with the anchor, and for all before it."""
    if today <= anchor:
        return 0
    if not length.months:
        return (today - anchor).days // length.days
    number = ((today.year - anchor.year) * 12 + today.month - anchor.month) // length.months
    return number if later(anchor, months=length.months * number) <= today else number - 1


def trial_end(record: StoredRecord) -> datetime | None:
    """When the trial ends; None where there is none, or no end of it."""
    begins = day(record.get("order_date"))
    length = duration(record.get("trial_period_unit") or "days", record.get("trial_period"))
    return None if begins is None or length is None else nth(length, begins, 1)


def first_term(record: StoredRecord) -> Duration | None:
    """How long the first term is; None where there is none."""
    if record.get("type") != "Termed":
        return None
    return duration(record.get("termed_initial_period_type"), record.get("termed_initial_period"))


def term_end(record: StoredRecord, now: datetime) -> datetime | None:
    """When the term ends that holds a moment; of one that does not renew by itself the only term's end. None where there is no end.

    Further terms are counted from where the first one began.
    """
    begins, first = day(record.get("termed_start_date")), first_term(record)
    if begins is None or first is None:
        return None
    ends = nth(first, begins, 1)
    if ends is None or ends > now or not record.get("is_auto_renew"):
        return ends
    further = duration(record.get("renewal_period_type"), record.get("renewal_period")) or first
    number = index(further, ends, now)
    while (found := _after_terms(begins, first, further, number)) is not None and found <= now:
        number += 1
    return found


def _after_terms(begins: datetime, first: Duration, further: Duration, number: int) -> datetime | None:
    """The end of the first term and so many further ones, in one step."""
    months, days = first.months + number * further.months, first.days + number * further.days
    return nth(Duration(months=months, days=days), begins, 1)


def standing(record: StoredRecord, now: datetime) -> Mapping[str, Any]:
    """Where a subscription that waits, is on trial or active stands at a moment, by its dates: its status, and the moments that it waits for.

    None of the states in between is lived through: one ordered long ago stands where it would stand today.
    """
    status = record["status"]
    if status == "Pending":
        begins = day(record.get("order_date"))
        if begins is not None and begins > now:
            return _waits(record, status, "begins_at", begins)
        status = "Trial" if record.get("trial_period") else "Active"
    if status == "Trial":
        ends = trial_end(record)
        if ends is None or ends > now:
            return _waits(record, status, "trial_ends_at", ends)
    ends = term_end(record, now)
    if ends is not None and ends <= now:
        return _waits(record, "Expired", "term_ends_at", None)
    return _waits(record, "Active", "term_ends_at", ends)


def _waits(record: StoredRecord, status: str, name: str, at: datetime | None) -> Mapping[str, Any]:
    """A status and the moment that it waits for, unless a pause or an end comes first."""
    ends = [found for found in (day(record.get("suspends_at")), day(record.get("cancels_at"))) if found is not None]
    waiting = None if at is None or any(end <= at for end in ends) else stamp(at)
    return {"status": status, **dict.fromkeys(("begins_at", "trial_ends_at", "term_ends_at")), name: waiting}


def billed_from(record: StoredRecord, today: datetime) -> datetime:
    """The day that billing periods are counted from: that of `trigger_dates`, else of the order, else today; not before a trial that is over."""
    begins = day(record.get("trigger_dates")) or day(record.get("order_date")) or today
    ends = trial_end(record)
    return max(begins, ends) if ends is not None and ends <= today else begins


def limit(record: StoredRecord) -> datetime | None:
    """The first day that nothing is billed for any more: after billing's end, a term that is not renewed, or at a pause or an end to come."""
    term = None if record.get("is_auto_renew") else record.get("term_ends_at")
    texts = (record.get("billing_end_date"), term, record.get("suspends_at"), record.get("cancels_at"))
    return min((found for text in texts if text is not None and (found := day(text)) is not None), default=None)


def stamp(moment: datetime | None) -> str | None:
    """The first moment of a day as the vendor writes moments."""
    return None if moment is None else moment.isoformat()[:10] + "T00:00:00Z"
