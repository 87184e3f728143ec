"""What Pelcro tells a site's server: the envelope, the signature's header, and each event once for what happened."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pelcro_reader import (
    ASKS,
    FREE,
    MOMENT,
    MONTHLY,
    NEVER_AGAIN,
    NOW,
    PAYS,
    SECOND_TIME,
    SUMMER,
    TRIAL,
    YEARLY,
    Reader,
)
from sandboxes import Sandbox, fresh_world

ENDS = {"canceled": "subscription.canceled", "expired": "subscription.expired"}


@pytest.fixture(scope="module")
def listened(applications: Callable[..., Any]) -> Callable[[], Reader]:
    """Somebody in a new world whose events are kept."""
    app, transport = applications("pelcro", frozen=MOMENT, inferred=True)

    def open_world() -> Reader:
        alice = Reader(Sandbox(app, "pelcro", fresh_world(), transport).client(""), "pelcro-sandbox-alice")
        alice.listen()
        return alice

    return open_world


@pytest.fixture
def alice(listened: Callable[[], Reader]) -> Reader:
    return listened()


def types(alice: Reader) -> list[str]:
    return [body["type"] for body in alice.told()]


def test_an_event_has_the_published_envelope(alice: Reader) -> None:
    subscription = alice.subscribed(MONTHLY)
    created = alice.told()[0]
    assert created.keys() == {"type", "id", "created", "data"}
    assert (created["type"], created["created"]) == ("subscription.created", NOW)
    assert created["id"].startswith("evt_")
    told = created["data"]["object"]
    assert (told["object"], told["id"], told["user_id"]) == ("subscription", subscription["id"], 3823001)
    assert told["current_period_end"] == "2026-02-28T00:00:00.000000Z"


def test_a_body_is_signed_as_the_vendor_signs(alice: Reader) -> None:
    endpoint = {"vendor": "pelcro", "url": "sink:", "secret": "pelcro-sandbox-hook"}
    alice.http.post("/_mock/webhooks/endpoints", json=endpoint)
    alice.subscribed(FREE)
    log = alice.http.get("/_mock/webhooks/deliveries", params={"endpoint": "we_2", "limit": 1000}).json()
    for delivery in log["deliveries"]:
        (attempt,) = delivery["attempts"]
        digest = hmac.new(b"pelcro-sandbox-hook", delivery["body"].encode(), hashlib.sha256).digest()
        sent = {name.lower(): value for name, value in attempt["request"]["headers"].items()}
        assert sent["x-pelcro-hmac-sha256"] == base64.b64encode(digest).decode()
    assert log["deliveries"]


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (
            lambda alice: alice.subscribe(),
            ["subscription.created", "invoice.created", "invoice.paid", "charge.created"],
        ),
        (lambda alice: alice.subscribe(TRIAL), ["subscription.created"]),
        (lambda alice: alice.subscribe(gateway_token=ASKS), ["subscription.created", "invoice.created"]),
        (lambda alice: alice.subscribe(gateway_token="tok-sandbox-decline"), []),
        (
            lambda alice: alice.subscribe(gift_recipient_email="grace@example.net"),
            [
                "subscription.created",
                "subscription.gift_notification",
                "invoice.created",
                "invoice.paid",
                "charge.created",
            ],
        ),
        (lambda alice: alice.preview(), []),
        (lambda alice: alice.customer(), []),
        (
            lambda alice: alice.call("POST", "auth/register", {"email": "erin@example.net", "password": "x"}),
            ["customer.created"],
        ),
    ],
    ids=["subscribe", "trial", "3d-secure", "declined", "gift", "preview", "read", "register"],
)
def test_what_a_call_tells(alice: Reader, act: Callable[[Reader], Any], told: list[str]) -> None:
    act(alice)
    assert types(alice) == told


@pytest.mark.parametrize(
    ("act", "told"),
    [
        (lambda a, s: a.acted("cancel", s, mode="now"), ["subscription.canceled"]),
        (lambda a, s: a.acted("cancel", s), ["subscription.updated"]),
        (lambda a, s: a.acted("reactivate", s), []),
        (lambda a, s: a.update(s, suspend=True, shipments_suspended_until="2026-02-02"), ["subscription.updated"]),
        (lambda a, s: a.update(s), []),
        (
            lambda a, s: a.acted("renew", s, plan_id=MONTHLY),
            ["invoice.created", "invoice.paid", "charge.created", "subscription.updated", "subscription.renewed"],
        ),
        (
            lambda a, s: a.acted("change", s, plan_id=YEARLY),
            ["invoice.created", "invoice.paid", "charge.created", "subscription.changed"],
        ),
        (
            lambda a, s: a.acted("change", s, plan_id=FREE),
            ["customer.updated", "invoice.created", "invoice.paid", "subscription.changed"],
        ),
        (lambda a, s: a.act("change", s, plan_id=YEARLY, gateway_token="tok-sandbox-decline"), []),
    ],
    ids=["now", "end", "reactivate", "suspend", "nothing", "renew", "upgrade", "downgrade", "declined"],
)
def test_what_is_done_to_a_subscription_is_told(
    alice: Reader, act: Callable[[Reader, Any], Any], told: list[str]
) -> None:
    subscription = alice.subscribed()
    before = len(alice.told())
    act(alice, subscription)
    assert types(alice)[before:] == told


steps = st.sampled_from(["day", "week", "month", "quarter", "cancel", "now", "reactivate", "renew", "change", "pay"])


@given(
    st.sampled_from(
        [(MONTHLY, PAYS), (MONTHLY, SECOND_TIME), (MONTHLY, NEVER_AGAIN), (TRIAL, SECOND_TIME), (SUMMER, PAYS)]
    ),
    st.lists(steps, max_size=8),
)
@settings(max_examples=60, deadline=None)
def test_whatever_happens_each_change_is_told_once(
    listened: Callable[[], Reader], kind: tuple[int, str], done: list[str]
) -> None:
    alice = listened()
    subscription = alice.subscribed(kind[0], gateway_token=kind[1])
    for step in done:
        _do(alice, subscription, step)
    told, customer, now = alice.told(), alice.customer(), alice.again(subscription)
    counts = Counter(body["type"] for body in told)
    assert len({body["id"] for body in told}) == len(told)
    mine = [invoice for invoice in customer["invoices"] if invoice["id"] != 804001]
    assert counts["invoice.created"] == len(mine)
    assert counts["invoice.paid"] == sum(invoice["status"] == "paid" for invoice in mine)
    assert counts["charge.created"] == len(customer["charges"])
    assert counts["invoice.payment_failed"] == sum(charge["status"] == "failed" for charge in customer["charges"])
    assert counts["subscription.created"] == 1
    assert counts["subscription.renewed"] == now["renewals"]
    assert [counts[event] for event in ENDS.values()] == [int(now["status"] == status) for status in ENDS]
    last = next(body for body in reversed(told) if body["type"].startswith("subscription."))
    assert last["data"]["object"]["status"] == now["status"]


def _do(alice: Reader, subscription: Any, step: str) -> None:
    lengths = {"day": "P1D", "week": "P7D", "month": "P1M", "quarter": "P3M"}
    if step in lengths:
        alice.move(advance=lengths[step])
    elif step == "pay":
        for invoice in alice.new("invoices"):
            alice.pay(invoice, gateway_token=PAYS)
    elif step in ("cancel", "now"):
        alice.act("cancel", subscription, **({"mode": "now"} if step == "now" else {}))
    else:
        alice.act(step, subscription, plan_id=MONTHLY)
