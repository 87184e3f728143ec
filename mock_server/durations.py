"""Durations of ISO 8601, calendar-true: 31 January and a month is the end of February, and renewals from an anchor do not drift."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from mock_server.clock import LAST, later

_TEXT = re.compile(
    r"P(?=.)(?:(\d{1,5})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,7})D)?"
    r"(?:T(?=.)(?:(\d{1,9})H)?(?:(\d{1,10})M)?(?:(\d{1,12})S)?)?",
    re.ASCII,
)
_UNITS = {"second": 1, "minute": 60, "hour": 3600}


@dataclass(frozen=True, slots=True)
class Duration:
    """So many calendar months, then days, then seconds; none is negative."""

    months: int = 0
    days: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """`P1M`, `P1Y2M3W4DT5H6M7S`. Raises ValueError."""
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text} is no duration of ISO 8601, such as P1M, P14D or PT1H30M")
        years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return cls(12 * years + months, 7 * weeks + days, 3600 * hours + 60 * minutes + seconds)

    @classmethod
    def of(cls, unit: str, count: int = 1) -> Duration:
        """So many seconds, minutes, hours, days, weeks, months or years; the unit as a singular or plural. Raises ValueError."""
        name = unit.lower().removesuffix("s")
        if name in _UNITS:
            return cls(seconds=_UNITS[name] * count)
        if name in ("day", "week"):
            return cls(days=count * (7 if name == "week" else 1))
        if name in ("month", "year"):
            return cls(months=count * (12 if name == "year" else 1))
        raise ValueError(f"{unit} is no unit of time")

    def after(self, moment: datetime, times: int = 1) -> datetime:
        """The moment so many of these durations later, reckoned in one step, so that a month's end is kept; the calendar's last at the most."""
        moved = later(moment, months=self.months * times, days=self.days * times)
        try:
            return min(moved + timedelta(seconds=self.seconds * times), LAST)
        except OverflowError:
            return LAST

    def passed(self, anchor: datetime, now: datetime) -> int:
        """How many whole durations lie between an anchor and now; 0 before the anchor, or where the duration is nothing."""
        if now <= anchor or not (self.months or self.days or self.seconds):
            return 0
        low, high = 0, 1
        while self.after(anchor, high) <= now and self.after(anchor, high) < LAST:
            low, high = high, high * 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self.after(anchor, middle) <= now else (low, middle)
        return low
