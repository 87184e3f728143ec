"""Paying Stykite: what a payment begins, what it costs to the cent, what a declined one leaves alone, and what add-ons go with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from stykite_company import ADDON, DAY, EARTH, FREE, MOMENT, TRIED, YEARLY, YONDER, Company, ms

NOW = ms(2026, 1, 31)


@pytest.fixture
def acme(sandbox: Callable[..., Any]) -> Company:
    company = Company(sandbox("stykite", frozen=MOMENT))
    assert company.create().status_code == 200
    return company


def test_a_payment_answers_with_its_transaction(acme: Company) -> None:
    response = acme.pay()
    assert response.status_code == 200
    [transaction] = acme.stored("Transaction")
    assert response.json() == {"status": True, "value": {"transaction_tsid": transaction["transaction_tsid"]}}
    assert transaction == {
        "transaction_tsid": transaction["transaction_tsid"],
        "customer_identifier": "c-7",
        "plan_id": YEARLY,
        "plan_type": "MONTHLY",
        "payment_component": "PLAN",
        "amount": 2999,
        "currency": "USD",
        "status": "SUCCESS",
        "created_at": NOW,
    }
    assert transaction["transaction_tsid"].startswith("TRN-")


@pytest.mark.parametrize("field", ["customer_identifier", "plan_id", "plan_type", "payment_component"])
def test_the_four_fields_are_required(acme: Company, field: str) -> None:
    body = {"customer_identifier": "c-7", "plan_id": YEARLY, "plan_type": "MONTHLY", "payment_component": "PLAN"}
    del body[field]
    response = acme.request("POST", "/payment", body)
    assert (response.status_code, response.json()["message"]) == (400, f"{field} is required.")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"plan_type": "WEEKLY"}, 400),
        ({"plan_id": 7}, 400),
        ({"plan": FREE, "plan_type": "YEARLY"}, 400),
        ({"plan": "PLV-0SANDB0XN0NE1"}, 404),
        ({"plan": "PLV-0SANDB0XBZZZ1"}, 404),
        ({"plan": ADDON}, 404),
        ({"plan": FREE, "payment_component": "ADDON"}, 404),
        ({"customer_identifier": "nobody"}, 404),
        ({"country": YONDER}, 404),
        ({"country": "CON-0SANDB0XN0NE1"}, 404),
    ],
)
def test_a_payment_for_what_cannot_be_bought_is_refused_and_leaves_nothing(
    acme: Company, wrong: dict[str, Any], status: int
) -> None:
    before = acme.subscription()
    response = acme.pay(**wrong)
    assert (response.status_code, response.json()["success"]) == (status, False)
    assert acme.stored("Transaction") == []
    assert acme.subscription() == before


def test_a_payment_begins_a_cycle_of_the_plan_at_once(acme: Company) -> None:
    acme.move(advance="P10D")
    transaction = acme.pay(YEARLY, "YEARLY").json()["value"]["transaction_tsid"]
    subscription = acme.subscription()
    assert (subscription["plan_id"], subscription["plan_type"]) == (YEARLY, "YEARLY")
    assert (subscription["cycle_start"], subscription["cycle_end"]) == (ms(2026, 2, 10), ms(2027, 2, 10))
    assert (subscription["status"], subscription["transaction_tsid"]) == ("ACTIVE", transaction)


def test_a_payment_in_a_trial_lets_the_trial_run_and_pays_for_the_cycle_after_it(acme: Company) -> None:
    acme.create(customer_identifier="c-8", plan_id=TRIED)
    acme.pay(TRIED, customer_identifier="c-8")
    trial = acme.subscription("c-8")
    assert (trial["status"], trial["cycle_end"]) == ("TRIAL", NOW + 14 * DAY)
    acme.move(advance="P15D")
    after = acme.subscription("c-8")
    assert (after["status"], after["cycle_start"], after["cycle_end"]) == ("ACTIVE", ms(2026, 2, 14), ms(2026, 3, 14))
    assert len(acme.stored("Transaction")) == 1


@pytest.mark.parametrize("identifier", ["c-7", "in-trial"])
def test_a_payment_takes_back_a_cancellation_that_was_to_come(acme: Company, identifier: str) -> None:
    acme.create(customer_identifier="in-trial", plan_id=TRIED)
    acme.cancel("END_OF_CYCLE", acme.subscription(identifier)["tsid"], identifier)
    acme.pay(customer_identifier=identifier)
    acme.move(advance="P2M")
    assert acme.subscription(identifier)["status"] == "ACTIVE"


def test_who_has_cancelled_gets_another_subscription_with_a_payment(acme: Company) -> None:
    first = acme.subscription()["tsid"]
    acme.cancel("IMMEDIATE", first, "c-7")
    acme.pay()
    cancelled, running = acme.call("GET", "/c-7").json()["value"]["subscriptions"]
    assert (cancelled["tsid"], cancelled["status"]) == (first, "CANCELLED")
    assert (running["status"], running["plan_id"], running["trial_used"]) == ("ACTIVE", YEARLY, False)


def test_a_declined_payment_is_answered_and_changes_nothing(acme: Company) -> None:
    before = acme.subscription()
    acme.decline()
    assert acme.pay().json()["status"] is True
    assert [transaction["status"] for transaction in acme.stored("Transaction")] == ["FAILED"]
    assert acme.subscription() == before


def test_what_costs_nothing_cannot_be_declined(acme: Company) -> None:
    acme.decline()
    acme.pay(FREE)
    [transaction] = acme.stored("Transaction")
    assert (transaction["status"], transaction["amount"]) == ("SUCCESS", 0)


def test_an_addon_is_bought_once_by_who_has_a_plan_that_it_goes_with(acme: Company) -> None:
    before = acme.subscription()
    assert acme.pay(ADDON, payment_component="ADDON").status_code == 200
    [transaction] = acme.stored("Transaction")
    assert (transaction["amount"], transaction["payment_component"], transaction["status"]) == (
        1100,
        "ADDON",
        "SUCCESS",
    )
    assert acme.subscription() == before
    acme.move(advance="P3M")
    assert len(acme.stored("Transaction")) == 1


@pytest.mark.parametrize("price", [11, 10.99, 0.1, 19.995, 0])
def test_an_addons_price_is_charged_to_the_cent(acme: Company, price: float) -> None:
    path = f"/records/stykite/Addon/{ADDON}"
    assert acme.sandbox.control.patch(path, json={"price": price}).status_code == 200
    acme.pay(ADDON, payment_component="ADDON")
    expected = {11: 1100, 10.99: 1099, 0.1: 10, 19.995: 2000, 0: 0}[price]
    assert [transaction["amount"] for transaction in acme.stored("Transaction")] == [expected]


def test_who_has_cancelled_may_still_buy_an_addon(acme: Company) -> None:
    acme.cancel("IMMEDIATE", acme.subscription()["tsid"], "c-7")
    assert acme.pay(ADDON, payment_component="ADDON").status_code == 200
    assert acme.subscription()["status"] == "CANCELLED"


def test_of_a_component_that_nobody_knows_nothing_comes(acme: Company) -> None:
    before = acme.subscription()
    assert acme.pay(payment_component="SEAT").status_code == 200
    assert [(each["amount"], each["payment_component"]) for each in acme.stored("Transaction")] == [(0, "SEAT")]
    assert acme.subscription() == before


def test_an_addon_that_was_withdrawn_is_not_found(acme: Company) -> None:
    acme.sandbox.control.patch(f"/records/stykite/Addon/{ADDON}", json={"is_deleted": True})
    assert acme.pay(ADDON, payment_component="ADDON").status_code == 404


def test_a_yen_has_no_hundredth(acme: Company) -> None:
    bees = Company(acme.sandbox, "stykite-sandbox-beehive", "COM-0SANDB0XBEE01")
    paid = bees.pay("PLV-0SANDB0XBZZZ1", customer_identifier="c-0001", country="CON-0SANDB0XHJVE1")
    assert paid.status_code == 200
    assert [(each["amount"], each["currency"]) for each in bees.stored("Transaction")] == [(1200, "JPY")]
    assert acme.stored("Transaction") == []


def test_countries_have_payments_of_their_own(acme: Company) -> None:
    acme.create(country=YONDER, customer_identifier="c-8")
    acme.decline(country=EARTH)
    acme.pay(TRIED, customer_identifier="c-8", country=YONDER)
    assert [(each["status"], each["currency"]) for each in acme.stored("Transaction")] == [("SUCCESS", "EUR")]
