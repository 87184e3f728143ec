"""Stykite in time: trials end, cycles renew without drifting, what nobody pays for goes on hold, and cancelled stays cancelled."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sandboxes import Sandbox, fresh_world
from stykite_company import MOMENT, STATUS, TRIED, YEARLY, YONDER, Company, ms


@pytest.fixture
def acme(sandbox: Callable[..., Any]) -> Company:
    return Company(sandbox("stykite", frozen=MOMENT))


@pytest.fixture(scope="module")
def companies(applications: Callable[..., Any]) -> Callable[[datetime], Company]:
    """A company in a new world, where it is that moment."""
    app, transport = applications("stykite", frozen=MOMENT, inferred=True)

    def open_company(moment: datetime) -> Company:
        company = Company(Sandbox(app, "stykite", fresh_world(), transport))
        company.move(freeze=moment.isoformat())
        return company

    return open_company


def told(happened: list[Any]) -> list[tuple[str, str, str, list[str]]]:
    return [(thing["name"], thing["from"], thing["to"], thing["events"]) for thing in happened]


# Trials ---------------------------------------------------------------------------------------------------------------


def test_a_trial_that_nobody_paid_for_goes_on_hold_when_it_ends(acme: Company) -> None:
    acme.create(plan_id=TRIED)
    assert acme.move(advance="P13D") == []
    [thing] = acme.move(advance="P1D")
    assert thing == {
        "at": "2026-02-14T00:00:00Z",
        "vendor": "stykite",
        "tenant": acme.company,
        "resource": "Subscription",
        "key": acme.subscription()["tsid"],
        "name": "trial-end",
        "from": "TRIAL",
        "to": "ON_HOLD",
        "events": [STATUS],
    }
    subscription = acme.subscription()
    assert (subscription["status"], subscription["reason"]) == ("ON_HOLD", "Payment required")
    assert (subscription["cycle_start"], subscription["cycle_end"]) == (None, None)


def test_a_trial_of_what_costs_nothing_goes_on_by_itself(acme: Company) -> None:
    acme.create(trial_days=10)
    assert told(acme.move(advance="P10D")) == [("trial-end", "TRIAL", "ACTIVE", [STATUS])]
    assert acme.subscription()["cycle_end"] == ms(2026, 3, 10)


def test_a_trial_that_was_paid_for_goes_on_in_the_plan_that_was_paid_for(acme: Company) -> None:
    acme.create(country=YONDER)
    acme.pay(YEARLY, "YEARLY", country=YONDER)
    assert told(acme.move(advance="P14D")) == [("trial-end", "TRIAL", "ACTIVE", [STATUS])]
    subscription = acme.subscription(country=YONDER)
    assert (subscription["plan_id"], subscription["cycle_end"]) == (YEARLY, ms(2027, 2, 14))
    assert [each["amount"] for each in acme.stored("Transaction")] == [29990]


def test_a_trial_may_be_of_half_a_day(acme: Company) -> None:
    acme.create(trial_days=0.5)
    [thing] = acme.move(advance="P1D")
    assert thing["at"] == "2026-01-31T12:00:00Z"


def test_a_trial_that_is_to_be_cancelled_ends_with_it(acme: Company) -> None:
    acme.create(plan_id=TRIED)
    acme.cancel("END_OF_CYCLE", acme.subscription()["tsid"], "c-7")
    assert told(acme.move(advance="P1Y")) == [("trial-end", "TRIAL", "CANCELLED", [STATUS])]
    assert acme.subscription()["cancelled_at"] == ms(2026, 2, 14)


# Cycles ---------------------------------------------------------------------------------------------------------------


def test_the_first_cycle_is_a_gift_and_the_next_wants_a_payment(acme: Company) -> None:
    acme.create(plan_id=YEARLY)
    assert told(acme.move(advance="P3Y")) == [("cycle-end", "ACTIVE", "ON_HOLD", [STATUS])]
    assert acme.subscription()["reason"] == "Payment required"
    acme.pay(YEARLY, "YEARLY")
    assert (acme.subscription()["status"], acme.subscription()["cycle_end"]) == ("ACTIVE", ms(2030, 1, 31))


def test_what_was_paid_for_once_is_charged_at_each_cycle(acme: Company) -> None:
    acme.create()
    acme.pay(YEARLY)
    happened = acme.move(advance="P1Y")
    assert told(happened) == [("cycle-end", "ACTIVE", "ACTIVE", [])] * 12
    charged = acme.stored("Transaction")
    assert [each["amount"] for each in charged] == [2999] * 13
    assert [each["created_at"] for each in charged[:4]] == [
        ms(2026, 1, 31),
        ms(2026, 2, 28),
        ms(2026, 3, 31),
        ms(2026, 4, 30),
    ]
    assert acme.subscription()["transaction_tsid"] == charged[-1]["transaction_tsid"]


def test_what_costs_nothing_renews_without_a_transaction(acme: Company) -> None:
    acme.create()
    assert told(acme.move(advance="P2Y")) == [("cycle-end", "ACTIVE", "ACTIVE", [])] * 24
    assert acme.stored("Transaction") == []


def test_a_charge_that_is_declined_puts_it_on_hold_until_a_payment_goes_through(acme: Company) -> None:
    acme.create()
    acme.pay(YEARLY)
    acme.decline()
    assert told(acme.move(advance="P3M")) == [("cycle-end", "ACTIVE", "ON_HOLD", [STATUS])]
    assert acme.subscription()["reason"] == "Payment failed"
    acme.pay(YEARLY)
    assert acme.subscription()["status"] == "ON_HOLD"
    acme.decline("accepted")
    acme.pay(YEARLY)
    subscription = acme.subscription()
    assert (subscription["status"], subscription["reason"]) == ("ACTIVE", None)
    assert subscription["cycle_end"] == ms(2026, 5, 30)
    statuses = [each["status"] for each in acme.stored("Transaction")]
    assert statuses == ["SUCCESS", "FAILED", "FAILED", "SUCCESS"]


@pytest.mark.parametrize("plan_type", ["MONTHLY", "YEARLY"])
def test_a_cancellation_at_the_end_of_the_cycle_waits_for_it(acme: Company, plan_type: str) -> None:
    acme.create()
    acme.pay(YEARLY, plan_type)
    end = acme.subscription()["cycle_end"]
    acme.cancel("END_OF_CYCLE", acme.subscription()["tsid"], "c-7")
    assert told(acme.move(advance="P2Y")) == [("cycle-end", "ACTIVE", "CANCELLED", [STATUS])]
    subscription = acme.subscription()
    assert subscription["cancelled_at"] == subscription["end_date"] == end
    assert len(acme.stored("Transaction")) == 1


def test_what_waits_for_a_payment_is_cancelled_at_once(acme: Company) -> None:
    acme.create(plan_id=TRIED)
    acme.move(advance="P1M")
    acme.cancel("END_OF_CYCLE", acme.subscription()["tsid"], "c-7")
    assert acme.subscription()["status"] == "CANCELLED"


# Ends -----------------------------------------------------------------------------------------------------------------


def test_an_end_date_ends_it_in_the_middle_of_a_cycle(acme: Company) -> None:
    acme.create()
    acme.end(ms(2026, 4, 15), acme.subscription()["tsid"], "c-7")
    happened = told(acme.move(advance="P1Y"))
    assert happened == [*[("cycle-end", "ACTIVE", "ACTIVE", [])] * 2, ("end", "ACTIVE", "CANCELLED", [STATUS])]
    assert acme.subscription()["cancelled_at"] == ms(2026, 4, 15)


@pytest.mark.parametrize(("day", "paid"), [(ms(2026, 2, 28), 1), (ms(2026, 3, 31), 2)])
def test_an_end_date_at_the_end_of_a_cycle_costs_no_further_cycle(acme: Company, day: int, paid: int) -> None:
    acme.create()
    acme.pay(YEARLY)
    acme.end(day, acme.subscription()["tsid"], "c-7")
    acme.move(advance="P1Y")
    assert len(acme.stored("Transaction")) == paid
    assert acme.subscription()["cancelled_at"] == day


def test_an_end_date_that_was_moved_is_the_only_one(acme: Company) -> None:
    acme.create()
    tsid = acme.subscription()["tsid"]
    acme.end(ms(2026, 2, 10), tsid, "c-7")
    acme.end(ms(2026, 2, 20), tsid, "c-7")
    assert [thing["at"] for thing in acme.move(advance="P1Y")] == ["2026-02-20T00:00:00Z"]


@pytest.mark.parametrize("identifier", ["c-0001", "c-0002"])
def test_what_has_no_cycle_can_still_be_given_an_end(acme: Company, identifier: str) -> None:
    before = acme.subscription(identifier)
    acme.end(ms(2026, 2, 10), before["tsid"], identifier)
    assert told(acme.move(advance="P1Y")) == [("end", before["status"], "CANCELLED", [STATUS])]


def test_what_is_seeded_does_not_change_by_itself(acme: Company) -> None:
    assert acme.move(advance="P50Y") == []


def test_cancelled_stays_cancelled(acme: Company) -> None:
    acme.create()
    acme.pay(YEARLY)
    acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7")
    cancelled = acme.subscription()
    assert acme.move(advance="P10Y") == []
    assert acme.subscription() == cancelled


def test_cycles_and_trials_end_with_the_calendar_at_the_latest(acme: Company) -> None:
    acme.move(freeze="9995-12-31T00:00:00Z")
    acme.create(customer_identifier="c-8", trial_days=3650)
    acme.create(customer_identifier="c-9")
    acme.pay(YEARLY, "YEARLY", customer_identifier="c-9")
    acme.move(to="9999-12-31T23:59:59Z")
    last = 253402300799999
    assert (acme.subscription("c-8")["status"], acme.subscription("c-8")["trial_end"]) == ("TRIAL", last)
    assert (acme.subscription("c-9")["status"], acme.subscription("c-9")["cycle_end"]) == ("ACTIVE", last)


# Arithmetic -----------------------------------------------------------------------------------------------------------

MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2032, 12, 31), timezones=st.just(UTC))


def same_day(anchor: datetime, months: int) -> datetime:
    """The anchor's day and time so many months later, or the last day of a month that lacks it."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, last))


@settings(max_examples=40, deadline=None)
@given(moment=MOMENTS, plan=st.sampled_from(["MONTHLY", "YEARLY"]), trial=st.sampled_from([0, 1, 13.5, 30]))
@example(moment=datetime(2028, 2, 29, tzinfo=UTC), plan="YEARLY", trial=0)
@example(moment=datetime(2027, 1, 31, tzinfo=UTC), plan="MONTHLY", trial=0)
@example(moment=datetime(2027, 12, 31, 23, 59, 59, 999000, tzinfo=UTC), plan="MONTHLY", trial=30)
def test_cycles_meet_without_a_gap_and_do_not_drift(
    companies: Callable[[datetime], Company], moment: datetime, plan: str, trial: float
) -> None:
    acme = companies(moment)
    acme.create(plan_id=TRIED, trial_days=trial)
    acme.pay(YEARLY, plan)
    begun = moment.replace(microsecond=moment.microsecond // 1000 * 1000) + timedelta(days=trial)
    step = 1 if plan == "MONTHLY" else 12
    happened = acme.move(advance="P5Y")
    renewals = [thing["at"] for thing in happened if thing["name"] == "cycle-end"]
    ends = [same_day(begun, n * step) for n in range(1, 62)]
    due = [end for end in ends if end <= same_day(moment, 60)]
    assert [datetime.fromisoformat(at) for at in renewals] == due
    subscription = acme.subscription()
    last, following = (same_day(begun, n * step) for n in (len(due), len(due) + 1))
    assert subscription["cycle_start"] == stamp(last if due else begun)
    assert subscription["cycle_end"] == stamp(following)
    assert [each["created_at"] for each in acme.stored("Transaction")[1:]] == [stamp(end) for end in due]
    assert {each["amount"] for each in acme.stored("Transaction")} == {2999 if step == 1 else 29990}


def stamp(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@settings(max_examples=20, deadline=None)
@given(moment=MOMENTS, steps=st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_many_small_steps_come_to_the_same_as_one(
    companies: Callable[[datetime], Company], moment: datetime, steps: list[int]
) -> None:
    small, large = companies(moment), companies(moment)
    for acme in (small, large):
        acme.create(plan_id=TRIED, trial_days=5)
        acme.pay(YEARLY)
    happened = [thing for days in steps for thing in small.move(advance=f"P{days}D")]
    assert happened == large.move(advance=f"P{sum(steps)}D")
    assert small.subscription() == large.subscription()
    assert small.stored("Transaction") == large.stored("Transaction")
