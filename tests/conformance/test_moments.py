"""The suite's own calendar, and what it takes for a period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from conformance.moments import drift, month_end_ahead, parsed, years_later
from conformance.schemas import Schemas
from conformance.wire import unpack


def days(*texts: str) -> list[datetime]:
    return [parsed(f"{text}T09:30:00Z") for text in texts]


@pytest.mark.parametrize(
    "moments",
    [
        days("2027-02-28", "2027-03-31", "2027-04-30"),
        days("2028-02-29", "2028-03-31", "2028-04-30"),
        days("2027-03-02", "2027-04-01", "2027-05-01", "2027-05-31"),
        days("2028-01-31", "2029-01-31", "2030-01-31"),
        days("2027-02-01", "2027-03-01", "2027-04-01"),
        days("2027-02-07", "2027-02-14", "2027-02-21"),
        days("2027-02-28"),
        [],
    ],
)
def test_periods_of_the_calendar_or_of_days_do_not_drift(moments: list[datetime]) -> None:
    assert drift(parsed("2027-01-31T09:30:00Z"), moments) == ""


@pytest.mark.parametrize(
    ("moments", "why"),
    [
        (days("2027-02-28", "2027-03-28", "2027-04-28"), "2027-03-28T09:30:00Z, where the day is 31"),
        (days("2027-02-28", "2027-03-31", "2027-05-31"), "2027-05-31T09:30:00Z after 2027-03-31T09:30:00Z"),
        (days("2027-02-28", "2027-03-31", "2027-03-31"), "2027-03-31T09:30:00Z after 2027-03-31T09:30:00Z"),
        (days("2027-02-03", "2027-03-03", "2027-04-04"), "2027-02-03T09:30:00Z, where the day is 4"),
        (
            [*days("2027-02-28", "2027-03-31"), parsed("2027-04-30T10:30:00Z")],
            "2027-04-30T10:30:00Z, another time of day",
        ),
    ],
)
def test_what_drifts_is_told(moments: list[datetime], why: str) -> None:
    assert drift(parsed("2027-01-31T09:30:00Z"), moments).startswith(why)


@pytest.mark.parametrize("now", ["2026-11-22", "2027-01-30", "2027-01-31", "2027-02-01", "2031-01-31", "2032-06-01"])
def test_the_month_end_ahead_sees_both_februaries(now: str) -> None:
    moment = parsed(f"{now}T12:00:00Z")
    ahead = month_end_ahead(moment)
    assert (ahead.month, ahead.day) == (1, 31)
    assert moment < ahead < moment + timedelta(days=4 * 366 + 1)
    february = datetime(ahead.year + 1, 2, 28, tzinfo=UTC) + timedelta(days=1)
    assert february.day == 29


def test_a_leap_day_is_the_28th_where_there_is_none() -> None:
    assert years_later(parsed("2028-02-29"), 1) == parsed("2029-02-28")


def test_a_form_is_read_as_it_is_written() -> None:
    body = {"event": "made", "record": {"id": "1", "lines": [{"amount": "2"}, {"amount": "3"}], "tags": ["a", "b"]}}
    text = "event=made&record[id]=1&record[lines][0][amount]=2&record[lines][1][amount]=3&record[tags][]=a&record[tags][]=b"
    assert unpack(text) == body


def test_a_form_s_texts_are_in_the_types_of_the_schema() -> None:
    schema = {
        "type": "object",
        "properties": {
            "count": {"type": "integer"},
            "price": {"type": "number"},
            "on": {"type": "boolean"},
            "note": {"type": "string", "nullable": True},
            "rows": {"type": "array", "items": {"type": "integer"}},
        },
    }
    text = {"count": "3", "price": "1.5", "on": "true", "note": "", "rows": ["1", "x"], "other": "7"}
    found = Schemas({"components": {"schemas": {}}}).typed(schema, text)
    assert found == {"count": 3, "price": 1.5, "on": True, "note": None, "rows": [1, "x"], "other": "7"}
