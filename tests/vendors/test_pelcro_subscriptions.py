"""What a reader does with a subscription at Pelcro: pause, cancel, take that back, change, renew, pay; and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pelcro_reader import (
    ASKS,
    BOSTON,
    DAY,
    DECLINES,
    FAILED_CARD,
    FREE,
    GIVEN,
    HERALD,
    HERALDS,
    LIBRARY,
    MEMBERSHIP,
    MOMENT,
    MONTHLY,
    NOW,
    OPEN,
    PAYS,
    SHIPPED,
    STANDING,
    SUMMER,
    TEACHERS,
    TRIAL,
    VISA,
    YEARLY,
    Reader,
    at,
    fields,
    message,
    names,
)

MODES = ("now", "current_period_end", "last_period_end")


@pytest.fixture
def http(sandbox: Callable[..., Any]) -> Any:
    return sandbox("pelcro", frozen=MOMENT).client("")


@pytest.fixture
def alice(http: Any) -> Reader:
    return Reader(http, "pelcro-sandbox-alice")


@pytest.fixture
def dora(http: Any) -> Reader:
    return Reader(http, "pelcro-sandbox-dora")


def refused(response: Any, status: int, words: str) -> None:
    assert (response.status_code, message(response)) == (status, words)


# Pausing --------------------------------------------------------------------------------------------------------------


def test_shipments_pause_until_a_day_and_go_on_by_themselves(alice: Reader) -> None:
    subscription = alice.subscribed(SHIPPED, address_id=305001)
    assert alice.update(subscription, suspend=True, shipments_suspended_until="2026-02-10").status_code == 200
    assert alice.again(subscription)["shipments_suspended_until"] == "2026-02-10"
    (resumed,) = alice.move(to="2026-02-10T00:00:00Z")
    assert (resumed["name"], resumed["from"], resumed["to"]) == ("resume", "active", "active")
    assert resumed["events"] == ["subscription.updated"]
    assert alice.again(subscription)["shipments_suspended_until"] is None


def test_shipments_go_on_when_asked(alice: Reader) -> None:
    subscription = alice.subscribed()
    alice.update(subscription, shipments_suspended_until="2026-02-10")
    assert alice.again(subscription)["shipments_suspended_until"] == "2026-02-10"
    alice.update(subscription, suspend=False)
    assert alice.again(subscription)["shipments_suspended_until"] is None
    assert names(alice.move(to="2026-02-11T00:00:00Z")) == []


@pytest.mark.parametrize(
    "body",
    [
        {"suspend": True},
        {"suspend": True, "shipments_suspended_until": "2026-01-31"},
        {"shipments_suspended_until": "x"},
    ],
)
def test_a_pause_needs_a_day_that_lies_ahead(alice: Reader, body: dict[str, Any]) -> None:
    subscription = alice.subscribed()
    assert fields(alice.update(subscription, **body)) == {"shipments_suspended_until"}
    assert alice.again(subscription) == subscription


def test_domains_and_addresses_are_changed_with_the_membership(alice: Reader) -> None:
    subscription = alice.subscribed(MEMBERSHIP, domains=["example.org"])
    alice.update(subscription, domains=["example.net"], ip_addresses=["8.8.8.8"], metadata=[{"a": 1}])
    now = alice.again(subscription)
    assert (now["domains"], now["ip_addresses"], now["metadata"]) == (["example.net"], ["8.8.8.8"], [{"a": 1}])
    (membership,) = alice.new("memberships")
    assert (membership["domains"], membership["ip_addresses"]) == (["example.net"], ["8.8.8.8"])
    assert fields(alice.update(alice.subscribed(), domains=["example.net"])) == {"domains"}


# Cancelling -----------------------------------------------------------------------------------------------------------


def test_cancelled_now_a_subscription_is_over(alice: Reader) -> None:
    ended = alice.acted("cancel", alice.subscribed(MEMBERSHIP), mode="now", reason="Moving")
    assert (ended["status"], ended["canceled_at"], ended["end_date"]) == ("canceled", NOW, NOW)
    assert ended["cancellation_reason"] == "Moving"
    assert alice.new("memberships") == []
    assert [held["status"] for held in alice.new("expired_memberships")] == ["expired"]
    assert names(alice.move(advance="P5Y")) == []


@pytest.mark.parametrize("mode", ["current_period_end", "last_period_end", None])
def test_cancelled_at_the_end_it_runs_until_then(alice: Reader, mode: str | None) -> None:
    subscription = alice.subscribed()
    ending = alice.acted("cancel", subscription, **({"mode": mode} if mode else {}))
    assert (ending["status"], ending["cancel_at_period_end"], ending["renews_at"]) == ("active", 1, None)
    assert ending["expires_at"] == subscription["current_period_end"] == at(2026, 2, 28)
    (ended,) = alice.move(advance="P1Y")
    assert (ended["at"], ended["to"]) == ("2026-02-28T00:00:00Z", "canceled")
    assert ended["events"] == ["subscription.canceled"]
    assert len(alice.new("invoices")) == 1


def test_periods_that_were_added_are_given_up_or_run_on(alice: Reader) -> None:
    kept, given_up = alice.subscribed(), alice.subscribed()
    for subscription in (kept, given_up):
        alice.acted("renew", subscription, plan_id=MONTHLY)
    assert alice.acted("cancel", kept)["expires_at"] == at(2026, 3, 28)
    assert alice.acted("cancel", given_up, mode="current_period_end")["schedule"] == {"phases": []}
    alice.move(advance="P1Y")
    assert alice.again(kept)["end_date"] == at(2026, 3, 28)
    assert alice.again(given_up)["end_date"] == at(2026, 2, 28)


def test_a_cancellation_is_taken_back(alice: Reader) -> None:
    subscription = alice.subscribed()
    alice.acted("cancel", subscription, reason="Moving")
    back = alice.acted("reactivate", subscription)
    assert back == subscription
    assert names(alice.move(to="2026-03-01T00:00:00Z")) == ["period-end"]
    assert alice.again(subscription)["status"] == "active"


def test_reactivating_what_was_not_cancelled_changes_nothing(alice: Reader) -> None:
    subscription = alice.subscribed()
    assert alice.acted("reactivate", subscription) == subscription


@pytest.mark.parametrize(
    ("what", "body"),
    [("cancel", {"mode": mode}) for mode in MODES] + [("reactivate", {}), ("change", {"plan_id": YEARLY})],
)
def test_what_has_ended_is_not_found_and_stays_as_it_was(alice: Reader, what: str, body: dict[str, Any]) -> None:
    subscription = alice.subscribed()
    ended = alice.acted("cancel", subscription, mode="now")
    before = alice.customer()
    refused(alice.act(what, subscription, **body), 404, "This subscription is canceled and cannot be changed")
    assert alice.again(subscription) == ended
    assert alice.customer() == before


@pytest.mark.parametrize(("method", "what"), [("POST", "renew"), ("PUT", "update")])
def test_what_has_ended_is_neither_renewed_nor_updated(alice: Reader, method: str, what: str) -> None:
    subscription = alice.subscribed()
    alice.acted("cancel", subscription, mode="now")
    before = alice.customer()
    path = "subscription/renew" if what == "renew" else f"subscription/{subscription['id']}"
    body = {"subscription_id": subscription["id"], "plan_id": MONTHLY, "metadata": [{"a": 1}]}
    refused(alice.call(method, path, body), 400, "This subscription is canceled and cannot be changed")
    assert alice.customer() == before


@pytest.mark.parametrize("what", ["cancel", "reactivate"])
@pytest.mark.parametrize("body", [{}, {"subscription_id": 999}, {"subscription_id": GIVEN}])
def test_cancelling_what_is_not_there_is_not_found(alice: Reader, what: str, body: dict[str, Any]) -> None:
    response = alice.call("POST", f"subscription/{what}", body)
    assert response.status_code == 404
    if body:
        assert message(response) == "Invalid subscription provided"


def test_nobody_touches_the_subscription_of_another(alice: Reader, dora: Reader) -> None:
    standing = alice.again({"id": STANDING})
    for what in ("cancel", "reactivate", "change"):
        refused(dora.act(what, standing, plan_id=MONTHLY), 404, "Invalid subscription provided")
    refused(dora.act("renew", standing, plan_id=MONTHLY), 400, "Invalid subscription provided")
    refused(dora.update(standing, suspend=False), 404, "Invalid subscription provided")
    refused(dora.pay({"id": OPEN}, gateway_token=PAYS), 404, "Invalid invoice provided")
    assert alice.again(standing) == standing


@pytest.mark.parametrize("mode", ["period_end", "", None, 1])
def test_the_modes_are_three(alice: Reader, mode: Any) -> None:
    assert fields(alice.act("cancel", alice.subscribed(), mode=mode)) == {"mode"}


# Changing -------------------------------------------------------------------------------------------------------------


def test_the_rest_of_a_period_is_given_back_and_charged_anew(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY)
    alice.move(advance="P14D")
    changed = alice.acted("change", subscription, plan_id=TRIAL)
    assert (changed["plan"]["id"], changed["status"]) == (TRIAL, "active")
    assert changed["current_period_end"] == subscription["current_period_end"]
    *_, invoice = alice.new("invoices")
    assert [line["amount"] for line in invoice["lines"]] == [-450, 600]  # 14 of 28 days
    assert (invoice["total"], invoice["billing_reason"]) == (150, "subscription_update")


def test_another_interval_begins_a_new_period(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY)
    alice.move(advance="P7D")
    changed = alice.acted("change", subscription, plan_id=YEARLY)
    assert (changed["current_period_start"], changed["current_period_end"]) == (NOW + 7 * DAY, at(2027, 2, 7))
    *_, invoice = alice.new("invoices")
    assert [line["amount"] for line in invoice["lines"]] == [-675, 9000]


def test_what_is_given_back_pays_for_what_comes(alice: Reader) -> None:
    subscription = alice.subscribed(YEARLY)
    alice.acted("change", subscription, plan_id=MONTHLY)
    credited = alice.customer()
    assert (credited["balance"], credited["currency"]) == (8100, "usd")
    invoice = credited["invoices"][-1]
    assert (invoice["total"], invoice["balance_applied"], invoice["amount_due"]) == (-8100, -8100, 0)
    alice.move(advance="P1M")
    after = alice.customer()
    assert after["balance"] == 7200
    assert (after["invoices"][-1]["balance_applied"], after["invoices"][-1]["amount_due"]) == (900, 0)
    assert after["charges"] == credited["charges"], "nothing was left to charge"


def test_there_and_back_costs_nothing(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, quantity=3, coupon_code="QUARTER33")
    alice.move(advance="P10D")
    alice.acted("change", subscription, plan_id=TRIAL)
    alice.acted("change", subscription, plan_id=MONTHLY)
    there, back = alice.new("invoices")[-2:]
    assert there["total"] == -back["total"] > 0


def test_a_quantity_is_kept_unless_another_is_given(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, quantity=2)
    assert alice.acted("change", subscription, plan_id=YEARLY)["quantity"] == 2
    assert alice.acted("change", subscription, plan_id=YEARLY, quantity=5)["quantity"] == 5


def test_a_trial_goes_on_with_another_plan_for_nothing(alice: Reader) -> None:
    subscription = alice.subscribed(TRIAL)
    changed = alice.acted("change", subscription, plan_id=MONTHLY)
    assert (changed["status"], changed["trial_end"]) == ("trialing", subscription["trial_end"])
    assert alice.new("invoices") == []
    alice.move(advance="P14D")
    assert alice.new("invoices")[-1]["total"] == 900


@pytest.mark.parametrize("payment", [{"source_id": FAILED_CARD}, {"gateway_token": DECLINES}, {"gateway_token": ASKS}])
@pytest.mark.parametrize(("what", "status"), [("change", 404), ("renew", 400)])
def test_a_payment_that_does_not_go_through_changes_nothing(
    alice: Reader, what: str, status: int, payment: dict[str, Any]
) -> None:
    subscription = alice.subscribed()
    before = alice.customer()
    assert alice.act(what, subscription, plan_id=YEARLY, **payment).status_code == status
    assert alice.customer() == before


def test_a_change_asks_what_subscribing_asks(alice: Reader, dora: Reader) -> None:
    assert fields(alice.act("change", alice.subscribed(), plan_id=SHIPPED)) == {"address_id"}
    mine = dora.subscribed(FREE)
    assert fields(dora.act("change", mine, plan_id=TEACHERS, gateway_token=PAYS)) == {"plan_id"}
    refused(dora.act("change", mine, plan_id=MONTHLY), 400, "A payment method is required")
    assert dora.acted("change", mine, plan_id=MONTHLY, gateway_token=PAYS)["plan"]["id"] == MONTHLY


def test_a_membership_comes_and_goes_with_its_plan(alice: Reader) -> None:
    subscription = alice.subscribed()
    alice.acted("change", subscription, plan_id=MEMBERSHIP)
    assert [held["subscription_id"] for held in alice.new("memberships")] == [subscription["id"]]
    alice.acted("change", subscription, plan_id=MONTHLY)
    assert alice.new("memberships") == []


# Renewing -------------------------------------------------------------------------------------------------------------


def test_a_period_is_added_and_paid_now(alice: Reader) -> None:
    subscription = alice.subscribed()
    renewed = alice.acted("renew", subscription, plan_id=YEARLY, coupon_code="WELCOME10", source_id=VISA)
    (phase,) = renewed["schedule"]["phases"]
    assert phase == {
        "plan_id": YEARLY,
        "quantity": 1,
        "start_date": at(2026, 2, 28),
        "end_date": at(2027, 2, 28),
        "coupon_code": "WELCOME10",
        "total": 8100,
    }
    assert (renewed["current_period_end"], renewed["renewals"]) == (subscription["current_period_end"], 1)
    assert renewed["expires_at"] == renewed["renews_at"] == at(2027, 2, 28)
    assert alice.new("charges")[-1]["amount"] == 8100
    alice.move(advance="P1M")
    begun = alice.again(subscription)
    assert (begun["plan"]["id"], begun["current_period_end"]) == (YEARLY, at(2027, 2, 28))
    assert len(alice.new("charges")) == 2, "what was paid ahead is not charged again"
    alice.move(advance="P1Y")
    assert alice.new("charges")[-1]["amount"] == 9000, "the coupon was for the period that was added"


def test_ten_periods_may_wait(alice: Reader) -> None:
    subscription = alice.subscribed()
    for _ in range(10):
        alice.acted("renew", subscription, plan_id=MONTHLY)
    before = alice.customer()
    refused(alice.act("renew", subscription, plan_id=MONTHLY), 400, "No more than ten periods can be paid for ahead")
    assert alice.customer() == before
    assert len(alice.again(subscription)["schedule"]["phases"]) == 10


def test_a_plan_that_does_not_renew_runs_on_when_renewed(alice: Reader) -> None:
    subscription = alice.subscribed(SUMMER)
    alice.acted("renew", subscription, plan_id=SUMMER)
    alice.move(advance="P1Y")
    ended = alice.again(subscription)
    assert (ended["status"], ended["end_date"]) == ("expired", at(2026, 7, 30))


# Paying ---------------------------------------------------------------------------------------------------------------


def test_3d_secure_is_confirmed_by_paying(alice: Reader) -> None:
    response = alice.subscribe(MEMBERSHIP, gateway_token=ASKS)
    assert response.json()["data"]["payment_intent"]["status"] == "requires_action"
    (invoice,) = alice.new("invoices")
    assert (invoice["status"], invoice["last_attempt"], alice.new("charges")) == ("open", "requires_action", [])
    assert "payment_intent" not in alice.pay(invoice, gateway_token=ASKS).json()["data"]
    (subscription,) = alice.subscriptions()
    assert subscription["status"] == "active"
    assert len(alice.new("memberships")) == 1
    assert alice.new("invoices")[0]["status"] == "paid"
    refused(alice.pay(invoice, gateway_token=PAYS), 404, "This invoice is paid and cannot be paid")


def test_3d_secure_is_given_up_after_23_hours(alice: Reader) -> None:
    alice.subscribe(gateway_token=ASKS)
    (invoice,) = alice.new("invoices")
    assert names(alice.move(advance="PT22H59M59S")) == []
    (given_up,) = alice.move(advance="PT1S")
    assert (given_up["from"], given_up["to"]) == ("incomplete", "incomplete_expired")
    assert alice.new("invoices")[0]["status"] == "void"
    refused(alice.pay(invoice, gateway_token=PAYS), 404, "This invoice is void and cannot be paid")
    assert alice.subscriptions() == []


def test_an_invoice_that_stands_alone_is_paid(alice: Reader) -> None:
    refused(alice.pay({"id": OPEN}), 400, "A payment method is required")
    refused(alice.pay({"id": OPEN}, source_id=FAILED_CARD), 404, "The payment was declined")
    assert alice.new("charges") == [], "a declined payment leaves nothing behind"
    assert alice.pay({"id": OPEN}, gateway_token=ASKS).json()["data"]["payment_intent"]["client_secret"]
    assert alice.pay({"id": OPEN}, source_id=VISA).status_code == 200
    assert [(charge["amount"], charge["status"]) for charge in alice.new("charges")] == [(1500, "succeeded")]


# Members, orders ------------------------------------------------------------------------------------------------------


def test_members_are_listed(alice: Reader) -> None:
    members = alice.call("GET", f"subscriptions/{LIBRARY}/members/list").json()["data"]
    assert [(member["invitation_email"], member["status"]) for member in members] == [
        ("dora@example.com", "active"),
        ("ivan@example.net", "pending"),
    ]
    assert {member["subscription"]["id"] for member in members} == {LIBRARY}


@pytest.mark.parametrize("subscription", [STANDING, GIVEN, 999])
def test_what_is_no_membership_has_no_members(alice: Reader, subscription: int) -> None:
    refused(alice.call("GET", f"subscriptions/{subscription}/members/list"), 400, "Invalid subscription provided")


@pytest.mark.parametrize(
    ("email", "status"), [("ivan@example.net", "invited"), ("zoe@Library.example.org", "by domain")]
)
def test_whoever_was_invited_or_is_of_the_domain_joins_when_they_register(
    http: Any, alice: Reader, email: str, status: str
) -> None:
    made = Reader(http, None).call("POST", "auth/register", {"email": email, "password": "x"}).json()["data"]
    assert [held["subscription_id"] for held in made["memberships"]] == [LIBRARY], status
    members = alice.call("GET", f"subscriptions/{LIBRARY}/members/list").json()["data"]
    assert (email, "active") in [(member["invitation_email"], member["status"]) for member in members]
    Reader(http, None).call("POST", "auth/login", {"email": email, "password": "x"})
    assert len(alice.call("GET", f"subscriptions/{LIBRARY}/members/list").json()["data"]) == len(members)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"plan_id": 999}, "Invalid plan provided"),
        ({"plan_id": MONTHLY, "coupon_code": "SUMMER2019"}, "Invalid coupon provided"),
        ({"plan_id": MONTHLY, "address_id": 999}, "Invalid address provided"),
        ({"plan_id": MONTHLY, "subscription_id": 999}, "Invalid subscription provided"),
        ({"plan_id": MONTHLY, "subscription_id": GIVEN}, "Invalid subscription provided"),
        ({"plan_id": 204055, "address_id": BOSTON}, "This product is not available in your area"),
    ],
)
def test_what_cannot_be_had_has_no_price(alice: Reader, body: dict[str, Any], words: str) -> None:
    refused(alice.call("POST", "order", body), 404, words)


def test_a_site_with_tax_on_puts_it_on_the_price(http: Any) -> None:
    bob = Reader(http, "pelcro-sandbox-bob", HERALD)
    order = bob.preview(HERALDS, address_id=305011)
    assert [(tax["name"], tax["amount"]) for tax in order["tax_lines"]] == [
        ("Sales tax", 44)
    ]  # 6.25 % of 7.00, rounded
    assert (order["subtotal"], order["taxes"], order["total"]) == (700, 44, 744)
    bob.subscribe(HERALDS, address_id=305011)
    assert bob.customer()["invoices"][-1]["total"] == 744


@pytest.mark.parametrize("body", [{"ip_addresses": 5, "domains": 7}, {"pay_via_send_invoice": True}])
def test_what_an_operation_does_not_declare_is_ignored(alice: Reader, body: dict[str, Any]) -> None:
    subscription = alice.subscribed()
    for what in ("change", "renew"):
        assert alice.act(what, subscription, plan_id=MONTHLY, **body).status_code == 200
    assert alice.again(subscription)["pay_via_send_invoice"] is False
    assert alice.new("invoices")[-1]["status"] == "paid"
