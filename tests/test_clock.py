"""Time and chance: moments as vendors write them, calendar months, and ids that a seed repeats."""

from __future__ import annotations

import calendar
import re
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mock_server.clock import Clock, later, mint, parsed, written

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=ZONES)
NEAR = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_frozen_clock_stands_still() -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    clock = Clock(moment)
    assert (clock.now(), clock.now()) == (moment, moment)
    assert Clock(moment, timedelta(days=1)).now() == moment


def test_a_clock_runs_with_the_machine_and_its_offset() -> None:
    before = datetime.now(UTC)
    ahead = Clock(offset=timedelta(days=400)).now()
    after = datetime.now(UTC)
    assert before <= ahead - timedelta(days=400) <= after
    assert Clock().now().tzinfo is UTC


@given(frozen=st.none() | MOMENTS, offset=st.timedeltas())
def test_a_clock_is_what_its_record_says(frozen: datetime | None, offset: timedelta) -> None:
    assert Clock.of(Clock(frozen, offset).record()) == Clock(frozen, offset)


@given(moment=MOMENTS)
def test_a_date_time_is_written_in_utc_to_the_second(moment: datetime) -> None:
    text = written(moment, "date-time")
    assert isinstance(text, str)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", text)
    assert timedelta(0) <= moment - datetime.fromisoformat(text) < timedelta(seconds=1)


@given(moment=MOMENTS)
def test_an_epoch_is_whole_and_never_ahead(moment: datetime) -> None:
    seconds, milliseconds = written(moment, "epoch-seconds"), written(moment, "epoch-milliseconds")
    assert isinstance(seconds, int)
    assert isinstance(milliseconds, int)
    assert timedelta(0) <= (moment - EPOCH) - timedelta(seconds=seconds) < timedelta(seconds=1)
    assert timedelta(0) <= (moment - EPOCH) - timedelta(milliseconds=milliseconds) < timedelta(milliseconds=1)


@given(moment=MOMENTS)
def test_a_written_moment_is_parsed_back(moment: datetime) -> None:
    assert parsed(moment.isoformat()) == moment
    assert parsed(moment.isoformat()).utcoffset() == timedelta(0)


def test_a_moment_without_a_zone_is_utc() -> None:
    assert parsed("2026-01-01T10:00:00") == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert parsed("2026-01-01") == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "tomorrow", "2026-02-30", "2026-01-01T25:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"],
)
def test_what_names_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parsed(text)


@given(moment=NEAR, months=st.integers(0, 1200))
def test_months_later_is_the_same_day_or_the_months_last(moment: datetime, months: int) -> None:
    moved = later(moment, months=months)
    assert (moved.year * 12 + moved.month) - (moment.year * 12 + moment.month) == months
    assert moved.day == min(moment.day, calendar.monthrange(moved.year, moved.month)[1])
    assert (moved.timetz(), moved.tzinfo) == (moment.timetz(), moment.tzinfo)


@given(moment=NEAR, months=st.integers(0, 1200), days=st.integers(0, 10_000))
def test_days_are_counted_after_the_months(moment: datetime, months: int, days: int) -> None:
    assert later(moment, months=months, days=days) == later(moment, months=months) + timedelta(days=days)


@given(moment=NEAR, one=st.integers(0, 60), two=st.integers(0, 60))
def test_months_add_up_where_no_month_is_too_short(moment: datetime, one: int, two: int) -> None:
    assume(moment.day <= 28)
    assert later(later(moment, months=one), months=two) == later(moment, months=one + two)


@given(first=NEAR, second=NEAR, months=st.integers(0, 60))
def test_what_begins_earlier_does_not_end_later(first: datetime, second: datetime, months: int) -> None:
    first, second = sorted((first, second))
    if first.date() == second.date() or first.day <= 28:
        assert later(first, months=months) <= later(second, months=months)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2028-02-29", 12, "2029-02-28"),
        ("2028-02-29", 48, "2032-02-29"),
        ("2096-02-29", 48, "2100-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-08-31", 1, "2026-09-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-05-31", 0, "2026-05-31"),
    ],
)
def test_months_end_where_the_calendar_says(start: str, months: int, end: str) -> None:
    assert later(parsed(start), months=months) == parsed(end)


@given(moment=MOMENTS, months=st.integers(0, 200_000), days=st.integers(0, 5_000_000))
def test_the_calendar_ends_but_nothing_breaks(moment: datetime, months: int, days: int) -> None:
    assert moment <= later(moment, months=months, days=days) <= datetime.max.replace(tzinfo=UTC)


TEMPLATES = st.sampled_from(
    ["{n}", "sub_{n:06d}", "req_{hex:12}", "CUS-{base32:13}", "{uuid}", "{hex}", "{base32}", "a{n}b{hex:8}c"]
)


@given(template=TEMPLATES, seed=st.text(max_size=8), n=st.integers(1, 10**6))
def test_a_seed_gives_the_same_id_again_and_each_number_another(template: str, seed: str, n: int) -> None:
    assert mint(template, seed, n) == mint(template, seed, n)
    assert mint(template, seed, n) != mint(template, seed, n + 1)


@pytest.mark.parametrize(
    ("template", "form"),
    [
        ("{n}", r"42"),
        ("sub_{n:06d}", r"sub_000042"),
        ("{n:02d}", r"42"),
        ("req_{hex:12}", r"req_[0-9a-f]{12}"),
        ("{hex}", r"[0-9a-f]{12}"),
        ("{hex:64}", r"[0-9a-f]{64}"),
        ("CUS-{base32:13}", r"CUS-[0-9A-HJKMNP-TV-Z]{13}"),
        ("{base32}", r"[0-9A-HJKMNP-TV-Z]{13}"),
        ("{base32:51}", r"[0-9A-HJKMNP-TV-Z]{51}"),
        ("{uuid}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
        ("plain.text(+)", r"plain\.text\(\+\)"),
        ("{n}-{n:03d}-{n}", r"42-042-42"),
    ],
)
def test_a_template_has_its_form(template: str, form: str) -> None:
    assert re.fullmatch(form, mint(template, "seed", 42))


def test_another_seed_or_template_gives_other_ids() -> None:
    ids = [mint(template, seed, 1) for template in ("a{hex:8}", "b{hex:8}") for seed in ("0", "1")]
    assert len({text[1:] for text in ids}) == 4


def test_ids_are_spread_over_their_digits() -> None:
    digits = Counter("".join(mint("{hex:64}", "0", n) for n in range(200)))
    assert set(digits) == set("0123456789abcdef")
    assert max(digits.values()) < 1.5 * min(digits.values())
