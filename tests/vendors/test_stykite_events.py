"""What Stykite tells a merchant: one event for each change of status, with what is so afterwards, whatever way a subscription goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandboxes import Sandbox, fresh_world
from stykite_company import ADDON, COMPANY, EARTH, FREE, MOMENT, STATUS, TRIED, YEARLY, Company, ms

WAYS = {
    None: {"TRIAL", "ACTIVE"},
    "TRIAL": {"ACTIVE", "ON_HOLD", "CANCELLED"},
    "ACTIVE": {"ON_HOLD", "CANCELLED"},
    "ON_HOLD": {"ACTIVE", "TRIAL", "CANCELLED"},
    "PAUSE": {"ACTIVE", "CANCELLED"},
    "CANCELLED": {"ACTIVE"},
}
"""Where a customer's status may go; from CANCELLED with another subscription."""


@pytest.fixture(scope="module")
def listened(applications: Callable[..., Any]) -> Callable[[], Company]:
    """A company in a new world that somebody listens to."""
    app, transport = applications("stykite", frozen=MOMENT, inferred=True)

    def open_company() -> Company:
        company = Company(Sandbox(app, "stykite", fresh_world(), transport))
        endpoint = {"vendor": "stykite", "url": "sink:"}
        assert company.sandbox.control.post("/webhooks/endpoints", json=endpoint).status_code == 201
        return company

    return open_company


@pytest.fixture
def acme(listened: Callable[[], Company]) -> Company:
    return listened()


def bodies(acme: Company) -> list[Any]:
    log = acme.sandbox.control.get("/webhooks/deliveries", params={"limit": 1000}).json()
    return [json.loads(delivery["body"]) for delivery in log["deliveries"]]


def statuses(acme: Company) -> list[str]:
    return [body["data"]["status"] for body in bodies(acme) if body["event"] == STATUS]


def test_a_change_of_status_is_told_with_the_keys_of_the_vendors_sample(acme: Company) -> None:
    customer = acme.create(plan_id=TRIED).json()["value"]["tsid"]
    acme.move(advance="P14D")
    started, held = bodies(acme)
    assert started["data"]["status"] == "TRIAL"
    assert held.pop("id").startswith("WBH-")
    assert held == {
        "event": STATUS,
        "data": {
            "reason": "Payment required",
            "company_id": COMPANY,
            "country_id": EARTH,
            "customer_id": customer,
            "customer_identifier": "c-7",
            "timestamp": ms(2026, 2, 14),
            "status": "ON_HOLD",
            "trial_used": True,
        },
        "created_at": ms(2026, 2, 14),
    }


def test_an_addon_is_told_as_it_is_sold(acme: Company) -> None:
    customer = acme.create().json()["value"]["tsid"]
    transaction = acme.pay(ADDON, payment_component="ADDON").json()["value"]["transaction_tsid"]
    [_, bought] = bodies(acme)
    addon = bought["data"].pop("addon")
    assert (addon["tsid"], addon["adon_tsid"], addon["price"]) == (ADDON, "ADO-0SANDB0XSTR01", 11)
    assert bought["event"] == "addon.purchase.success"
    assert bought["data"] == {
        "company_id": COMPANY,
        "country_id": EARTH,
        "customer_id": customer,
        "customer_identifier": "c-7",
        "timestamp": ms(2026, 1, 31),
        "transaction_tsid": transaction,
    }


def test_an_addon_that_could_not_be_paid_for_is_not_told(acme: Company) -> None:
    acme.create()
    acme.decline()
    acme.pay(ADDON, payment_component="ADDON")
    assert [body["event"] for body in bodies(acme)] == [STATUS]


def test_what_changes_no_status_is_not_told(acme: Company) -> None:
    acme.create()
    acme.pay(YEARLY)
    acme.entitle(10)
    acme.use(10)
    acme.end(ms(2030, 1, 1), acme.subscription()["tsid"], "c-7")
    acme.cancel("END_OF_CYCLE", acme.subscription()["tsid"], "c-7")
    acme.pay(YEARLY)
    acme.move(advance="P6M")
    assert statuses(acme) == ["ACTIVE"]


def test_what_was_refused_is_not_told(acme: Company) -> None:
    acme.create()
    acme.create()
    acme.pay("PLV-0SANDB0XN0NE1")
    acme.entitle(-1)
    acme.cancel("IMMEDIATE", "CSU-0SANDB0XN0NE1", "c-7")
    acme.end(0, acme.subscription()["tsid"], "c-7")
    assert statuses(acme) == ["ACTIVE"]


def test_a_whole_life_is_told_in_order(acme: Company) -> None:
    acme.create(plan_id=TRIED)
    acme.move(advance="P14D")
    acme.pay(TRIED)
    acme.entitle(5)
    acme.use(6)
    acme.entitle(6)
    acme.decline()
    acme.move(advance="P1M")
    acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7")
    assert statuses(acme) == ["TRIAL", "ON_HOLD", "ACTIVE", "ON_HOLD", "ACTIVE", "ON_HOLD", "CANCELLED"]


STEPS: Mapping[str, Callable[[Company, int], Any]] = {
    "pay": lambda acme, n: acme.pay([FREE, YEARLY, TRIED][n % 3]),
    "pay by the year": lambda acme, n: acme.pay([YEARLY, TRIED][n % 2], "YEARLY"),
    "decline": lambda acme, n: acme.decline(["declined", "accepted"][n % 2]),
    "use": lambda acme, n: acme.use(n),
    "entitle": lambda acme, n: acme.entitle(n),
    "cancel": lambda acme, n: acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7"),
    "cancel later": lambda acme, n: acme.cancel("END_OF_CYCLE", acme.subscription()["tsid"], "c-7"),
    "end": lambda acme, n: acme.end(acme.now() + n * 86_400_000, acme.subscription()["tsid"], "c-7"),
    "some days": lambda acme, n: acme.move(advance=f"P{n}D"),
    "some months": lambda acme, n: acme.move(advance=f"P{n}M"),
}
PLANS = [{}, {"trial_days": 3}, {"plan_id": TRIED}, {"plan_id": YEARLY}, {"plan_id": YEARLY, "trial_days": 31}]


@settings(max_examples=60, deadline=None)
@given(
    fields=st.sampled_from(PLANS),
    steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 40)), max_size=12),
)
def test_whatever_way_a_subscription_goes_it_is_told_and_allowed(
    listened: Callable[[], Company], fields: dict[str, Any], steps: list[tuple[str, int]]
) -> None:
    acme = listened()
    acme.create(**fields)
    for name, n in steps:
        before = acme.stored("Transaction")
        STEPS[name](acme, n)
        check_state(acme)
        assert acme.stored("Transaction")[: len(before)] == before, "no transaction is ever changed"
    told = statuses(acme)
    for was, became in zip([None, *told], told, strict=False):
        assert became in WAYS[was], f"{was} to {became}"
    assert told[-1] == acme.subscription()["status"]
    moments = [body["created_at"] for body in bodies(acme)]
    assert moments == sorted(moments)


def check_state(acme: Company) -> None:
    """What holds of a customer's subscriptions at any time."""
    now = acme.now()
    subscriptions = acme.call("GET", "/c-7").json()["value"]["subscriptions"]
    assert [subscription["status"] for subscription in subscriptions[:-1]] == ["CANCELLED"] * (len(subscriptions) - 1)
    subscription = subscriptions[-1]
    assert (subscription["reason"] is not None) == (subscription["status"] == "ON_HOLD")
    if subscription["status"] in ("TRIAL", "ACTIVE"):
        assert subscription["cycle_start"] <= now < subscription["cycle_end"]
    if subscription["status"] == "CANCELLED":
        assert subscription["cancelled_at"] <= now
