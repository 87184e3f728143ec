"""Usage and entitlements: what a cycle has used, what puts a subscription on hold and what takes it off again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stykite_company import CALLS, MOMENT, STORAGE, TRIED, YEARLY, Company, ms

HOLD = ("ON_HOLD", f"Usage beyond the entitlement of {CALLS}")
WELL = ("ACTIVE", None)


@pytest.fixture
def acme(sandbox: Callable[..., Any]) -> Company:
    company = Company(sandbox("stykite", frozen=MOMENT))
    assert company.create().status_code == 200
    return company


def state(acme: Company, identifier: str = "c-7") -> tuple[str, str | None]:
    subscription = acme.subscription(identifier)
    return subscription["status"], subscription["reason"]


def test_entitlements_are_set_without_content(acme: Company) -> None:
    response = acme.entitle(100)
    assert (response.status_code, response.content) == (200, b"")
    acme.entitle(5, STORAGE)
    acme.entitle(120)
    assert [(each["meter_tsid"], each["entitlement"]) for each in acme.stored("Entitlement")] == [
        (CALLS, 120),
        (STORAGE, 5),
    ]


def test_of_a_meter_named_twice_the_last_entitlement_holds(acme: Company) -> None:
    twice = [{"meter_tsid": CALLS, "entitlement": 7}, {"meter_tsid": CALLS, "entitlement": 9}]
    assert acme.call("PUT", "/c-7/meter-entitlements", twice).status_code == 200
    assert [each["entitlement"] for each in acme.stored("Entitlement")] == [9]


@pytest.mark.parametrize("meter", ["MTR-0SANDB0XN0NE1", "MTR-0SANDB0XB22M1"])
def test_an_entitlement_to_an_unknown_meter_refuses_them_all(acme: Company, meter: str) -> None:
    body = [{"meter_tsid": CALLS, "entitlement": 7}, {"meter_tsid": meter, "entitlement": 7}]
    response = acme.call("PUT", "/c-7/meter-entitlements", body)
    assert response.status_code == 404
    assert '"/1/meter_tsid"' in response.headers["x-mock-violations"]
    assert acme.stored("Entitlement") == []


@pytest.mark.parametrize(
    "body",
    [
        {"meter_tsid": CALLS, "entitlement": 1},
        [1],
        [{"meter_tsid": CALLS}],
        [{"entitlement": 1}],
        [{"meter_tsid": CALLS, "entitlement": 1.5}],
        [{"meter_tsid": CALLS, "entitlement": -1}],
        [{"meter_tsid": CALLS, "entitlement": None}],
    ],
)
def test_what_is_no_array_of_entitlements_is_refused(acme: Company, body: Any) -> None:
    assert acme.call("PUT", "/c-7/meter-entitlements", body).status_code == 400


def test_an_unknown_customer_is_entitled_to_nothing(acme: Company) -> None:
    assert acme.call("PUT", "/nobody/meter-entitlements", []).status_code == 404


def test_usage_up_to_the_entitlement_is_well_and_beyond_it_is_not(acme: Company) -> None:
    acme.entitle(100)
    acme.use(100)
    assert state(acme) == WELL
    acme.use(101)
    assert state(acme) == HOLD


def test_a_reading_sent_twice_or_late_changes_nothing(acme: Company) -> None:
    acme.entitle(100)
    for total in (60, 60, 30, 100, 99):
        acme.use(total)
    assert state(acme) == WELL


def test_usage_without_an_entitlement_is_never_too_much(acme: Company) -> None:
    acme.entitle(1, STORAGE)
    acme.use(1e12)
    assert state(acme) == WELL


def test_a_higher_entitlement_takes_off_the_hold_and_a_lower_one_puts_it_on(acme: Company) -> None:
    acme.use(150)
    acme.entitle(100)
    assert state(acme) == HOLD
    acme.entitle(149)
    assert state(acme) == HOLD
    acme.entitle(150)
    assert state(acme) == WELL


def test_the_hold_lasts_as_long_as_any_meter_is_beyond(acme: Company) -> None:
    acme.entitle(1)
    acme.entitle(1, STORAGE)
    acme.use(2)
    acme.use(2, STORAGE)
    acme.entitle(2)
    assert state(acme) == ("ON_HOLD", f"Usage beyond the entitlement of {STORAGE}")
    acme.entitle(2, STORAGE)
    assert state(acme) == WELL


def test_the_next_cycle_takes_off_the_hold_and_counts_from_there(acme: Company) -> None:
    acme.entitle(100)
    acme.use(130)
    assert state(acme) == HOLD
    acme.move(advance="P1M")
    assert state(acme) == WELL
    acme.use(230)
    assert state(acme) == WELL
    acme.use(231)
    assert state(acme) == HOLD


def test_a_payment_takes_off_the_hold(acme: Company) -> None:
    acme.entitle(100)
    acme.use(130)
    acme.pay(YEARLY)
    assert state(acme) == WELL
    acme.use(230)
    assert state(acme) == WELL


def test_a_reading_of_before_the_cycle_says_where_it_began(acme: Company) -> None:
    acme.entitle(100)
    acme.use(500, timestamp=ms(2026, 1, 30))
    assert state(acme) == WELL
    acme.use(600)
    assert state(acme) == WELL
    acme.use(601)
    assert state(acme) == HOLD


def test_a_trial_that_was_on_hold_is_a_trial_again(acme: Company) -> None:
    acme.create(customer_identifier="c-8", plan_id=TRIED)
    acme.call("POST", "/c-8/usage", [{"timestamp": acme.now(), "meter_id": CALLS, "qty": 3}])
    for entitlement, expected in ((2, HOLD), (3, ("TRIAL", None))):
        acme.call("PUT", "/c-8/meter-entitlements", [{"meter_tsid": CALLS, "entitlement": entitlement}])
        assert state(acme, "c-8") == expected


def test_a_payment_ends_a_trial_that_was_on_hold(acme: Company) -> None:
    acme.create(customer_identifier="c-8", plan_id=TRIED)
    acme.call("PUT", "/c-8/meter-entitlements", [{"meter_tsid": CALLS, "entitlement": 0}])
    acme.call("POST", "/c-8/usage", [{"timestamp": acme.now(), "meter_id": CALLS, "qty": 3}])
    acme.pay(TRIED, customer_identifier="c-8")
    subscription = acme.subscription("c-8")
    assert (subscription["status"], subscription["trial_end"]) == ("ACTIVE", acme.now())
    acme.move(advance="P20D")
    assert acme.subscription("c-8") == subscription


def test_a_trial_that_ends_on_hold_waits_for_a_payment(acme: Company) -> None:
    acme.create(customer_identifier="c-8", plan_id=TRIED)
    acme.call("PUT", "/c-8/meter-entitlements", [{"meter_tsid": CALLS, "entitlement": 0}])
    acme.call("POST", "/c-8/usage", [{"timestamp": acme.now(), "meter_id": CALLS, "qty": 3}])
    acme.move(advance="P15D")
    assert state(acme, "c-8") == ("ON_HOLD", "Payment required")
    acme.call("PUT", "/c-8/meter-entitlements", [{"meter_tsid": CALLS, "entitlement": 10}])
    assert state(acme, "c-8") == ("ON_HOLD", "Payment required")


def test_usage_neither_wakes_a_paused_subscription_nor_puts_it_on_hold(acme: Company) -> None:
    reading = {"timestamp": acme.now(), "meter_id": CALLS, "qty": 3}
    acme.call("PUT", "/c-0002/meter-entitlements", [{"meter_tsid": CALLS, "entitlement": 0}])
    acme.call("POST", "/c-0002/usage", [reading])
    assert state(acme, "c-0002") == ("PAUSE", None)


def test_usage_of_who_has_cancelled_is_counted_and_no_more(acme: Company) -> None:
    acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7")
    acme.entitle(1)
    assert acme.use(5).status_code == 202
    assert state(acme) == ("CANCELLED", None)


def test_what_was_used_before_another_subscription_is_not_held_against_it(acme: Company) -> None:
    acme.entitle(100)
    acme.use(130)
    acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7")
    acme.pay(YEARLY)
    acme.use(230)
    assert state(acme) == WELL


def test_tenths_are_counted_in_decimals(acme: Company) -> None:
    assert 4.4 - 3.4 > 1, "as floats"
    acme.use(3.4, timestamp=ms(2026, 1, 30))
    acme.entitle(1)
    acme.use(4.4)
    assert state(acme) == WELL


@settings(max_examples=40, deadline=None)
@given(
    entitlement=st.integers(0, 50),
    totals=st.lists(st.integers(0, 100), max_size=8),
    renewals=st.sets(st.integers(0, 8), max_size=3),
)
def test_the_hold_is_a_function_of_what_the_cycle_used(
    sandbox_of_many: Callable[[], Company], entitlement: int, totals: list[int], renewals: set[int]
) -> None:
    acme = sandbox_of_many()
    acme.create()
    acme.entitle(entitlement)
    highest = began_at = 0
    for n, total in enumerate(totals):
        if n in renewals:
            acme.move(to=datetime.fromtimestamp(acme.subscription()["cycle_end"] / 1000, UTC).isoformat())
            began_at = highest
        acme.use(total)
        highest = max(highest, total)
        assert state(acme) == (HOLD if highest - began_at > entitlement else WELL)


@pytest.fixture(scope="module")
def sandbox_of_many(applications: Callable[..., Any]) -> Callable[[], Company]:
    """A company in a new world at each call."""
    from sandboxes import Sandbox, fresh_world

    app, transport = applications("stykite", frozen=MOMENT, inferred=True)
    return lambda: Company(Sandbox(app, "stykite", fresh_world(), transport))
