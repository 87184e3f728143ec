"""Durations: ISO 8601 texts, calendar-true, without drift."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.clock import LAST
from mock_server.durations import Duration

MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2400, 12, 31), timezones=st.just(UTC))
MONTH = Duration(months=1)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("P1M", Duration(months=1)),
        ("P1Y2M3W4DT5H6M7S", Duration(14, 25, 5 * 3600 + 6 * 60 + 7)),
        ("PT90S", Duration(seconds=90)),
        ("P0D", Duration()),
    ],
)
def test_a_duration_is_read(text, duration):
    assert Duration.parse(text) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "1M", "P-1M", "P1.5M", "P1MT", "p1m", "P1M ", "P١M", "P999999Y"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="duration"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("unit", "duration"),
    [("day", Duration(days=1)), ("Weeks", Duration(days=7)), ("month", MONTH), ("YEAR", Duration(months=12)), ("hours", Duration(seconds=3600))],
)  # fmt: skip
def test_a_unit_is_read_in_any_case_and_number(unit, duration):
    assert Duration.of(unit) == duration


def test_an_unknown_unit_is_refused():
    with pytest.raises(ValueError, match="fortnight"):
        Duration.of("fortnight")


def test_a_month_s_end_is_kept():
    january = datetime(2024, 1, 31, tzinfo=UTC)
    assert [MONTH.after(january, n).day for n in range(1, 5)] == [29, 31, 30, 31]
    assert Duration(months=12).after(datetime(2024, 2, 29, tzinfo=UTC), 4).day == 29


@given(anchor=MOMENTS, times=st.integers(0, 600))
def test_renewals_fall_on_the_anchor_s_day_or_on_the_month_s_last(anchor, times):
    moment = MONTH.after(anchor, times)
    last = calendar.monthrange(moment.year, moment.month)[1]
    assert moment.day == min(anchor.day, last)
    assert (moment.year * 12 + moment.month) - (anchor.year * 12 + anchor.month) == times
    assert moment.timetz() == anchor.timetz()


@given(
    anchor=MOMENTS,
    days=st.integers(0, 5),
    months=st.integers(0, 5),
    seconds=st.integers(0, 10**6),
    elapsed=st.timedeltas(timedelta(0), timedelta(days=4000)),
)
def test_what_has_passed_is_the_most_whole_durations_that_fit(anchor, days, months, seconds, elapsed):
    duration, now = Duration(months, days, seconds), anchor + elapsed
    passed = duration.passed(anchor, now)
    if duration == Duration():
        assert passed == 0
    else:
        assert duration.after(anchor, passed) <= now < duration.after(anchor, passed + 1)


def test_nothing_has_passed_before_the_anchor():
    assert MONTH.passed(datetime(2030, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)) == 0


@given(
    moment=MOMENTS,
    months=st.integers(0, 10**6),
    days=st.integers(0, 10**7),
    seconds=st.integers(0, 10**12),
    times=st.integers(0, 10**6),
)
def test_the_calendar_has_an_end(moment, months, days, seconds, times):
    assert moment <= Duration(months, days, seconds).after(moment, times) <= LAST
