"""When periods end: counted from an anchor by the calendar, so that they do not drift."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

from mock_server.durations import Duration
from mock_server.store import StoredRecord

DAY = 86_400
LAST = 253_402_300_799
"""The last second of the calendar."""


@functools.lru_cache(maxsize=256)
def _length(interval: str, count: int) -> Duration:
    return Duration.of(interval, count)


def length(plan: StoredRecord) -> Duration:
    """How long a period of a plan is."""
    return _length(plan["interval"], plan["interval_count"])


def end(plan: StoredRecord, anchor: int, cycles: int = 1) -> int:
    """When the period ends that is the so-manyeth after the anchor."""
    ends = length(plan).after(datetime.fromtimestamp(anchor, UTC), cycles)
    return min(int(ends.timestamp()), LAST)


def last_end(subscription: StoredRecord) -> Any:
    """When the last period ends that is paid for; None where that is never."""
    phases = subscription["schedule"]["phases"]
    return phases[-1]["end_date"] if phases else subscription["current_period_end"]


def ahead(days: int, now: int, latest: int | None = None) -> int:
    """The moment so many days from now, though none after the latest."""
    moment = min(now + days * DAY, LAST)
    return moment if latest is None else min(moment, latest)
