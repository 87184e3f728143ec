"""What time does to a subscription at Pelcro: trials, renewals, declined payments, sent invoices, gifts; each event once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pelcro_reader import (
    ASKS,
    DAY,
    FREE,
    MEMBERSHIP,
    MOMENT,
    MONTHLY,
    NEVER_AGAIN,
    NOW,
    PAYS,
    SECOND_TIME,
    SHIPPED,
    SUMMER,
    TRIAL,
    VISA,
    YEARLY,
    Reader,
    at,
    message,
    names,
)


@pytest.fixture
def pelcro(sandbox: Callable[..., Any]) -> Any:
    return sandbox("pelcro", frozen=MOMENT)


@pytest.fixture
def alice(pelcro: Any) -> Reader:
    return Reader(pelcro.client(""), "pelcro-sandbox-alice")


@pytest.fixture
def dora(pelcro: Any) -> Reader:
    return Reader(pelcro.client(""), "pelcro-sandbox-dora")


# Trials ---------------------------------------------------------------------------------------------------------------


def test_a_trial_is_announced_and_becomes_a_paid_period(alice: Reader) -> None:
    trial = alice.subscribed(TRIAL, gateway_token=PAYS, coupon_code="WELCOME10")
    assert (trial["status"], trial["trial_end"]) == ("trialing", NOW + 14 * DAY)
    assert alice.new("invoices") == []
    announced, ended = alice.move(advance="P14D")
    assert (announced["at"], announced["events"]) == ("2026-02-11T00:00:00Z", ["subscription.trial_will_end"])
    assert (ended["at"], ended["from"], ended["to"]) == ("2026-02-14T00:00:00Z", "trialing", "active")
    assert ended["events"] == ["invoice.created", "invoice.paid", "charge.created", "subscription.updated"]
    assert alice.again(trial)["current_period_end"] == at(2026, 3, 14)
    (invoice,) = alice.new("invoices")
    assert (invoice["total"], invoice["billing_reason"]) == (1080, "subscription_create")


@pytest.mark.parametrize("mode", ["current_period_end", "last_period_end"])
def test_a_trial_that_is_cancelled_costs_nothing(alice: Reader, mode: str) -> None:
    trial = alice.subscribed(TRIAL)
    alice.acted("cancel", trial, mode=mode)
    assert names(alice.move(advance="P1Y")) == ["trial-notice", "trial-end"]
    assert (alice.again(trial)["status"], alice.new("invoices")) == ("canceled", [])


def test_a_trial_whose_payment_is_declined_is_past_due(alice: Reader) -> None:
    trial = alice.subscribed(TRIAL, gateway_token=SECOND_TIME)
    alice.move(advance="P14D")
    assert alice.again(trial)["status"] == "past_due"
    alice.move(advance="P3D")
    now = alice.again(trial)
    assert (now["status"], now["renewals"]) == ("active", 0)


def test_3d_secure_in_a_trial_is_for_the_payment_method(alice: Reader) -> None:
    data = alice.subscribe(TRIAL, gateway_token=ASKS).json()["data"]
    assert data["setup_intent"]["status"] == "requires_action"
    assert alice.subscriptions()[0]["status"] == "trialing"


# Renewals -------------------------------------------------------------------------------------------------------------


def test_a_subscription_is_renewed_at_the_ends_of_months(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY)
    happened = alice.move(advance="P1Y")
    assert [thing["at"][:10] for thing in happened][:4] == ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]
    assert all(
        thing["events"] == ["invoice.created", "invoice.paid", "charge.created", "subscription.renewed"]
        for thing in happened
    )
    now = alice.again(subscription)
    assert (now["renewals"], now["current_period_end"]) == (12, at(2027, 2, 28))
    invoices = alice.new("invoices")
    assert len(invoices) == 13
    assert [invoice["period_end"] for invoice in invoices[:-1]] == [invoice["period_start"] for invoice in invoices[1:]]


def test_a_plan_that_does_not_renew_expires(alice: Reader) -> None:
    subscription = alice.subscribed(SUMMER)
    (ended,) = alice.move(advance="P10Y")
    assert (ended["at"], ended["to"]) == ("2026-04-30T00:00:00Z", "expired")
    assert ended["events"] == ["subscription.expired"]
    assert alice.subscriptions() == []
    assert [held["id"] for held in alice.new("expired_subscriptions")] == [subscription["id"]]


@pytest.mark.parametrize(
    ("coupon", "totals"),
    [
        ("WELCOME10", [810, 900, 900, 900, 900]),
        ("QUARTER33", [603, 603, 603, 900, 900]),
        ("LOYAL250", [650, 650, 650, 650, 650]),
        ("TEACHERS20", [720, 720, 720, 720, 720]),
    ],
)
def test_a_coupon_lasts_as_long_as_it_says(alice: Reader, coupon: str, totals: list[int]) -> None:
    alice.subscribed(MONTHLY, coupon_code=coupon)
    alice.move(advance="P4M")
    assert [invoice["total"] for invoice in alice.new("invoices")] == totals


def test_what_is_free_is_renewed_for_nothing(dora: Reader) -> None:
    subscription = dora.subscribed(FREE)
    dora.move(advance="P3M")
    assert dora.again(subscription)["renewals"] == 3
    assert {invoice["amount_due"] for invoice in dora.new("invoices")} == {0}
    assert dora.new("charges") == []


# Declined payments ----------------------------------------------------------------------------------------------------


def test_a_declined_renewal_is_tried_again_and_recovers(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, gateway_token=SECOND_TIME)
    (declined,) = alice.move(to="2026-02-28T00:00:00Z")
    assert (declined["from"], declined["to"]) == ("active", "past_due")
    assert declined["events"] == ["invoice.created", "invoice.payment_failed", "charge.created", "subscription.updated"]
    past_due = alice.again(subscription)
    assert (past_due["next_payment_attempt"], past_due["renewals"]) == (at(2026, 3, 3), 0)
    (recovered,) = alice.move(to="2026-03-03T00:00:00Z")
    assert (recovered["name"], recovered["to"]) == ("payment-retry", "active")
    assert recovered["events"] == ["invoice.paid", "charge.created", "subscription.updated", "subscription.renewed"]
    now = alice.again(subscription)
    assert (now["renewals"], now["current_period_end"], now["next_payment_attempt"]) == (1, at(2026, 3, 31), None)
    invoice = alice.new("invoices")[-1]
    assert (invoice["status"], invoice["attempt_count"], invoice["amount_paid"]) == ("paid", 2, 900)
    assert [charge["status"] for charge in alice.new("charges")] == ["succeeded", "failed", "succeeded"]


def test_after_the_last_attempt_a_subscription_is_cancelled(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, gateway_token=NEVER_AGAIN)
    happened = alice.move(advance="P1Y")
    assert [(thing["at"][:10], thing["to"]) for thing in happened] == [
        ("2026-02-28", "past_due"),
        ("2026-03-03", "past_due"),
        ("2026-03-08", "past_due"),
        ("2026-03-15", "canceled"),
    ]
    assert happened[1]["events"] == ["invoice.payment_failed", "charge.created"]
    assert "subscription.canceled" in happened[3]["events"]
    assert alice.again(subscription)["status"] == "canceled"
    assert [invoice["status"] for invoice in alice.new("invoices")] == ["paid", "uncollectible"]


def test_a_new_payment_method_pays_what_is_due_and_what_comes(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, gateway_token=NEVER_AGAIN)
    alice.move(advance="P1M")
    (due,) = [invoice for invoice in alice.new("invoices") if invoice["status"] == "open"]
    assert alice.pay(due, source_id=VISA).status_code == 200
    now = alice.again(subscription)
    assert (now["status"], now["source_id"], now["renewals"]) == ("active", VISA, 1)
    assert set(names(alice.move(advance="P1Y"))) == {"period-end"}
    assert alice.again(subscription)["renewals"] == 13


def test_a_period_that_is_not_paid_for_is_not_followed_by_another(pelcro: Any, alice: Reader) -> None:
    pelcro.control.patch("/records/pelcro/Plan/204051", json={"interval": "day"})
    subscription = alice.subscribed(MONTHLY, gateway_token=NEVER_AGAIN)
    assert names(alice.move(advance="P1M")) == ["period-end", "period-end"]
    assert alice.again(subscription)["end_date"] == NOW + 2 * DAY


def test_a_payment_method_that_fails_later_is_declined_then(pelcro: Any, alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY, source_id=VISA)
    card = f"/records/pelcro/Source/{VISA}"
    pelcro.control.patch(card, json={"status": "failed"})
    alice.move(advance="P1M")
    assert alice.again(subscription)["status"] == "past_due"
    pelcro.control.patch(card, json={"status": "chargeable"})
    alice.move(advance="P3D")
    assert alice.again(subscription)["status"] == "active"


def test_a_schedule_of_attempts_is_the_sites(pelcro: Any, alice: Reader) -> None:
    pelcro.control.patch("/records/pelcro/Site/1101", json={"payment_retry_days": []})
    subscription = alice.subscribed(MONTHLY, gateway_token=NEVER_AGAIN)
    alice.move(to="2026-03-30T00:00:00Z")
    assert alice.again(subscription)["status"] == "past_due"
    alice.move(advance="P1D")
    assert alice.again(subscription)["status"] == "canceled"


@pytest.mark.parametrize("what", ["change", "renew"])
def test_what_is_past_due_is_neither_changed_nor_renewed(alice: Reader, what: str) -> None:
    subscription = alice.subscribed(MONTHLY, gateway_token=NEVER_AGAIN)
    alice.move(advance="P1M")
    before = alice.customer()
    assert "past_due" in message(alice.act(what, subscription, plan_id=YEARLY))
    assert alice.customer() == before


# Invoices that are sent -----------------------------------------------------------------------------------------------


def test_an_invoice_that_was_sent_is_paid_in_time(dora: Reader) -> None:
    subscription = dora.subscribed(MEMBERSHIP, pay_via_send_invoice=True)
    (invoice,) = dora.new("invoices")
    assert (invoice["status"], invoice["due_date"], subscription["payment_due_at"]) == ("open", *[NOW + 14 * DAY] * 2)
    assert dora.pay(invoice, gateway_token=PAYS).status_code == 200
    assert names(dora.move(advance="P1Y")) == ["period-end"]
    assert dora.again(subscription)["status"] == "expired"


def test_an_invoice_that_is_not_paid_ends_the_subscription(dora: Reader) -> None:
    subscription = dora.subscribed(MEMBERSHIP, pay_via_send_invoice=True)
    happened = dora.move(advance="P1Y")
    assert [(thing["at"][:10], thing["name"], thing["to"]) for thing in happened] == [
        ("2026-02-14", "payment-due", "past_due"),
        ("2026-03-01", "payment-retry", "canceled"),
    ]
    assert dora.again(subscription)["status"] == "canceled"
    assert (dora.new("invoices")[0]["status"], dora.new("charges")) == ("uncollectible", [])
    assert [held["status"] for held in dora.new("expired_memberships")] == ["expired"]


def test_an_invoice_is_paid_late(dora: Reader) -> None:
    subscription = dora.subscribed(MONTHLY, pay_via_send_invoice=True)
    dora.move(advance="P20D")
    assert dora.again(subscription)["status"] == "past_due"
    dora.pay(dora.new("invoices")[0], gateway_token=PAYS)
    now = dora.again(subscription)
    assert (now["status"], now["pay_via_send_invoice"], now["renewals"]) == ("active", True, 0)
    dora.move(to="2026-02-28T00:00:00Z")
    assert [invoice["status"] for invoice in dora.new("invoices")] == ["paid", "open"]


# Gifts ----------------------------------------------------------------------------------------------------------------


def given(alice: Reader, **fields: Any) -> Any:
    assert alice.subscribe(**{"gift_recipient_email": "grace@example.net", **fields}).status_code == 200
    return alice.new("gift_recipients")[-1]


def test_a_gift_is_given_redeemed_and_runs_out(alice: Reader, dora: Reader) -> None:
    gift = given(alice, gift_message="Enjoy")
    assert alice.subscriptions() == []
    assert (gift["email"], gift["message"], gift["is_redeemed"]) == ("grace@example.net", "Enjoy", False)
    alice.move(advance="P2M")
    assert dora.call("POST", "gift/redeem", {"gift_code": gift["gift_code"]}).status_code == 200
    (mine,) = dora.subscriptions()
    assert (mine["status"], mine["is_gift_recipient"], mine["current_period_end"]) == ("active", True, at(2026, 4, 30))
    (invoice,) = dora.new("invoices")
    assert (invoice["subtotal"], invoice["discount"], invoice["total"]) == (900, 900, 0)
    assert alice.new("gift_recipients")[0]["is_redeemed"] is True
    refused = dora.call("POST", "gift/redeem", {"gift_code": gift["gift_code"]})
    assert (refused.status_code, message(refused)) == (400, "This gift has been redeemed")
    (ended,) = alice.move(advance="P1Y")
    assert (ended["to"], ended["events"]) == ("expired", ["subscription.expired"])
    assert len(alice.new("charges")) == 1


def test_a_gift_that_is_renewed_is_extended(alice: Reader, dora: Reader) -> None:
    gift = given(alice)
    renewal = {"subscription_id": gift["id"], "plan_id": MONTHLY, "quantity": 1}
    assert alice.call("POST", "subscription/gift/renew", renewal).status_code == 200
    dora.call("POST", "gift/redeem", {"gift_code": gift["gift_code"]})
    assert alice.call("POST", "subscription/gift/renew", renewal).status_code == 200
    (mine,) = dora.subscriptions()
    assert [phase["end_date"] for phase in mine["schedule"]["phases"]] == [at(2026, 3, 28), at(2026, 4, 28)]
    assert [charge["amount"] for charge in alice.new("charges")] == [900, 900, 900]
    happened = alice.move(advance="P1Y")
    assert [(thing["from"], thing["to"]) for thing in happened] == [
        ("active", "extended"),
        ("extended", "extended"),
        ("extended", "expired"),
    ]
    refused = alice.call("POST", "subscription/gift/renew", renewal)
    assert refused.status_code == 400
    assert len(alice.new("charges")) == 3


def test_a_gift_is_added_to_what_somebody_has(alice: Reader, dora: Reader) -> None:
    gift, mine = given(alice), dora.subscribed(MONTHLY, gateway_token=PAYS)
    body = {"gift_code": gift["gift_code"], "subscription_id": mine["id"]}
    assert dora.call("POST", "gift/redeem", body).status_code == 200
    assert len(dora.again(mine)["schedule"]["phases"]) == 1
    dora.move(advance="P1M")
    assert len(dora.new("charges")) == 1, "the period that was given costs nothing"
    dora.move(advance="P1M")
    assert len(dora.new("charges")) == 2


def test_the_recipient_is_told_on_the_day(alice: Reader) -> None:
    given(alice, gift_start_date="2026-02-14")
    (told,) = alice.move(advance="P1M")
    assert (told["at"], told["events"]) == ("2026-02-14T00:00:00Z", ["subscription.gift_notification"])


def test_a_gift_that_is_not_paid_for_cannot_be_redeemed(alice: Reader, dora: Reader) -> None:
    waiting = given(alice, gateway_token=ASKS, gift_start_date="2026-01-31")
    assert waiting["gift_code"] is None
    alice.pay(alice.new("invoices")[0], gateway_token=ASKS)
    assert alice.new("gift_recipients")[0]["gift_code"].startswith("GIFT-")
    sent = given(alice, pay_via_send_invoice=True)
    refused = dora.call("POST", "gift/redeem", {"gift_code": sent["gift_code"]})
    assert (refused.status_code, message(refused)) == (400, "This gift has not been paid for")
    alice.pay(alice.new("invoices")[-1], gateway_token=PAYS)
    assert dora.call("POST", "gift/redeem", {"gift_code": sent["gift_code"]}).status_code == 200


def test_what_is_shipped_needs_an_address_as_a_gift_too(alice: Reader, dora: Reader) -> None:
    gift = given(alice, plan_id=SHIPPED, address_id=305001)
    refused = dora.call("POST", "gift/redeem", {"gift_code": gift["gift_code"]})
    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["address_id"])
    assert dora.subscriptions() == []


def test_a_gift_that_was_received_is_not_reactivated(alice: Reader, dora: Reader) -> None:
    dora.call("POST", "gift/redeem", {"gift_code": given(alice)["gift_code"]})
    (mine,) = dora.subscriptions()
    assert dora.act("reactivate", mine).status_code == 404
    assert dora.again(mine) == mine


def test_a_code_that_no_gift_has_is_not_found(dora: Reader) -> None:
    refused = dora.call("POST", "gift/redeem", {"gift_code": "GIFT-NONE"})
    assert (refused.status_code, message(refused)) == (404, "Invalid gift code provided")


# The calendar and the tokens ------------------------------------------------------------------------------------------


def test_the_end_of_the_calendar_is_an_end(alice: Reader) -> None:
    alice.move(to="9998-12-31T00:00:00Z")
    subscription = alice.subscribed(YEARLY)
    alice.subscribed(TRIAL)
    alice.move(to="9999-12-31T23:59:59Z")
    assert alice.again(subscription)["status"] == "canceled"
    assert {held["status"] for held in alice.subscriptions()} <= {"active"}
    assert alice.subscribe(YEARLY).status_code == 200
    token = alice.subscribe(TRIAL).json()["data"]["token"]
    assert token != "pelcro-sandbox-alice"


def test_tokens_do_not_pile_up(pelcro: Any, alice: Reader) -> None:
    for _ in range(50):
        alice.call("POST", "customer")
    assert len(pelcro.entries(("", "Credential"))) == 7, "six among the fixtures, and one more"
    for _ in range(12):
        alice.move(advance="P30D")
        alice.call("POST", "customer")
    assert len(pelcro.entries(("", "Credential"))) <= 9, "those that are over are gone"


def test_leaving_again_and_again_leaves_no_pile(pelcro: Any, alice: Reader) -> None:
    body = {"email": "alice@example.com", "password": "alice-sandbox-password"}
    stranger = Reader(alice.http, None)
    for _ in range(120):
        token = stranger.call("POST", "auth/login", body).json()["data"]["token"]
        gone = Reader(alice.http, token)
        assert gone.call("POST", "auth/logout").status_code == 200
        assert gone.call("POST", "customer").status_code == 403
    assert len(pelcro.entries(("", "Credential"))) <= 6 + 102
