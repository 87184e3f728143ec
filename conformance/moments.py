"""Moments as answers show them, and the calendar: the suite's own reckoning, for it must not trust the one it judges."""

from __future__ import annotations

import calendar
import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from mock_server.contract import Contract, Transition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Before this moment a number that an example shows is no moment, but a quantity."""


def parsed(text: str) -> datetime:
    """The moment that ISO 8601 text names, in UTC; a date is its first moment. Raises ValueError."""
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def iso(moment: datetime) -> str:
    """A moment as ISO 8601 text in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(contract: Contract, value: Any) -> datetime | None:
    """The moment that a shown value names; None for none, and for what is no moment."""
    try:
        if isinstance(value, str):
            return parsed(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            scale = 1000 if contract.timestamps == "epoch-milliseconds" else 1
            return _EPOCH + timedelta(seconds=value / scale)
    except (ValueError, OverflowError):
        return None
    return None


def shows_moments(contract: Contract, examples: Iterable[Any]) -> bool:
    """Whether examples of a number tell that it is a moment."""
    moments = [moment_of(contract, value) for value in examples if isinstance(value, int | float)]
    return any(moment and moment > _EARLIEST for moment in moments)


def due(contract: Contract, transition: Transition, record: Mapping[str, Any]) -> datetime | None:
    """The moment a shown record holds for a transition, whatever its state."""
    return moment_of(contract, record.get(transition.at))


def month_of(moment: datetime) -> int:
    """The number of a month, counted through the years."""
    return moment.year * 12 + moment.month - 1


def last_day(moment: datetime) -> int:
    """The number of the last day of a moment's month."""
    return calendar.monthrange(moment.year, moment.month)[1]


def years_later(moment: datetime, years: int) -> datetime:
    """The same day so many years later; 29 February becomes the 28th where there is none."""
    year = moment.year + years
    day = min(moment.day, calendar.monthrange(year, moment.month)[1])
    return moment.replace(year=year, day=day)


def month_end_ahead(moment: datetime) -> datetime:
    """The first 31 January after a moment, in the morning, that has a common February ahead and then a leap year's."""
    year = moment.year
    while True:
        day = moment.replace(year=year, month=1, day=31, hour=9, minute=30, second=0, microsecond=0)
        if day > moment and calendar.isleap(year + 1):
            return day
        year += 1


def drift(start: datetime, moments: Sequence[datetime]) -> str:
    """What is wrong with the moments of renewals that began at `start`; nothing, where each lies a whole period after the one before it.

    A period is a stretch of time, or a number of calendar months; then the day is the anchor's, or the month's last where the month lacks it.
    """
    pairs = list(itertools.pairwise(moments))
    for earlier, later in pairs:
        if later <= earlier:
            return f"{iso(later)} after {iso(earlier)}"
    if len({later - earlier for earlier, later in pairs}) <= 1:
        return ""
    period = month_of(moments[1]) - month_of(moments[0])
    for earlier, later in pairs:
        if month_of(later) - month_of(earlier) != period:
            return f"{iso(later)} after {iso(earlier)}, where {iso(moments[1])} came after {iso(moments[0])}"
        if later.timetz() != moments[0].timetz():
            return f"{iso(later)}, another time of day than {iso(moments[0])}"
    first = moments[0]
    is_whole = month_of(first) - month_of(start) == period and first.day == min(start.day, last_day(first))
    anchor = start.day if is_whole else max(moment.day for moment in moments)
    for moment in moments:
        if moment.day != min(anchor, last_day(moment)):
            return f"{iso(moment)}, where the day is {anchor}, or the last of a month that has none"
    return ""
