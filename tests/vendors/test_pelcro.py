"""Pelcro's decisions, each asked of the mock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pelcro_reader import (
    BOSTON,
    CANADA,
    FAILED_CARD,
    FREE,
    GAZETTE,
    HERALD,
    HERALDS,
    MEMBERSHIP,
    MOMENT,
    MONTHLY,
    MONTREAL,
    NOW,
    SHIPPED,
    TEACHERS,
    VISA,
    Reader,
    fields,
    message,
)


@pytest.fixture
def pelcro(sandbox: Callable[..., Any]) -> Any:
    return sandbox("pelcro", frozen=MOMENT)


@pytest.fixture
def http(pelcro: Any) -> httpx.Client:
    client: httpx.Client = pelcro.client("")
    return client


@pytest.fixture
def alice(http: httpx.Client) -> Reader:
    return Reader(http, "pelcro-sandbox-alice")


@pytest.fixture
def dora(http: httpx.Client) -> Reader:
    return Reader(http, "pelcro-sandbox-dora")


@pytest.fixture
def bob(http: httpx.Client) -> Reader:
    return Reader(http, "pelcro-sandbox-bob", HERALD)


@pytest.fixture
def stranger(http: httpx.Client) -> Reader:
    return Reader(http, None)


# Subscribing ----------------------------------------------------------------------------------------------------------


def test_subscribing_answers_with_the_customer_and_a_fresh_token(http: httpx.Client, alice: Reader) -> None:
    response = alice.subscribe()
    assert response.status_code == 200
    data = response.json()["data"]
    assert (data["id"], data["full_name"], data["source"]["id"]) == (3823001, "Alice Example", VISA)
    assert data["auth_token"] == data["token"] != "pelcro-sandbox-alice"
    (subscription,) = Reader(http, data["token"]).subscriptions()
    assert subscription == data["subscriptions"][-1]
    assert (subscription["status"], subscription["quantity"], subscription["plan"]["id"]) == ("active", 1, MONTHLY)
    assert (subscription["start"], subscription["cancel_at_period_end"]) == (NOW, 0)


def test_the_period_is_counted_by_the_calendar(alice: Reader) -> None:
    alice.subscribe()
    alice.subscribe(MEMBERSHIP)
    monthly, yearly = alice.subscriptions()
    assert monthly["current_period_end"] == datetime(2026, 2, 28, tzinfo=UTC).timestamp()
    assert yearly["current_period_end"] == datetime(2027, 1, 31, tzinfo=UTC).timestamp()


def test_a_plan_that_does_not_renew_has_no_renewal(alice: Reader) -> None:
    alice.subscribe()
    alice.subscribe(MEMBERSHIP)
    monthly, yearly = alice.subscriptions()
    assert monthly["renews_at"] == monthly["current_period_end"]
    assert yearly["renews_at"] is None


def test_what_was_asked_for_is_given_back(alice: Reader) -> None:
    asked: dict[str, Any] = {
        "quantity": 3,
        "source": "kiosk",
        "metadata": [{"a": 1}],
        "campaign_key": "spring-1",
        "coupon_code": "WELCOME10",
    }
    assert (
        alice.subscribe(address_id=BOSTON, source_id=VISA, anything="else", status="expired", **asked).status_code
        == 200
    )
    (subscription,) = alice.subscriptions()
    assert subscription.items() >= {**asked, "address_id": BOSTON, "source_id": VISA, "status": "active"}.items()
    assert "anything" not in subscription


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "plan_id"),
        ({"plan_id": "204051"}, "plan_id"),
        ({"plan_id": MONTHLY, "payment_gateway": "paypal"}, "payment_gateway"),
        ({"plan_id": MONTHLY, "quantity": 0}, "quantity"),
        ({"plan_id": MONTHLY, "quantity": 2**31}, "quantity"),
        ({"plan_id": MONTHLY, "metadata": {"a": 1}}, "metadata"),
        ({"plan_id": MONTHLY, "campaign_key": "ab"}, "campaign_key"),
        ({"plan_id": MONTHLY, "campaign_key": "a" * 192}, "campaign_key"),
        ({"plan_id": MONTHLY, "campaign_key": "spring mailing"}, "campaign_key"),
        ({"plan_id": MEMBERSHIP, "ip_addresses": ["192.168.1.100"]}, "ip_addresses.0"),
        ({"plan_id": MEMBERSHIP, "ip_addresses": ["8.8.8.8", "8.8.8.256"]}, "ip_addresses.1"),
        ({"plan_id": MEMBERSHIP, "ip_addresses": ["2001:db8::1"]}, "ip_addresses.0"),
        ({"plan_id": MEMBERSHIP, "ip_addresses": ["8.8.8.8/33"]}, "ip_addresses.0"),
        ({"plan_id": MEMBERSHIP, "domains": ["nonsense"]}, "domains.0"),
        ({"plan_id": MEMBERSHIP, "domains": ["-a.example.com"]}, "domains.0"),
    ],
)
def test_a_wrong_field_is_named_in_errors(alice: Reader, body: dict[str, Any], field: str) -> None:
    assert fields(alice.call("POST", "subscription", body)) == {field}
    assert alice.subscriptions() == []


def test_every_wrong_field_is_named(alice: Reader) -> None:
    assert fields(alice.subscribe(quantity=0, campaign_key="?", payment_gateway="?")) >= {
        "quantity",
        "campaign_key",
        "payment_gateway",
    }


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"plan_id": 999}, "Invalid plan provided"),
        ({"plan_id": HERALDS}, "Invalid plan provided"),
        ({"plan_id": MONTHLY, "coupon_code": "NONE"}, "Invalid coupon provided"),
        ({"plan_id": MONTHLY, "coupon_code": "HERALD5"}, "Invalid coupon provided"),
        ({"plan_id": MONTHLY, "coupon_code": "SUMMER2019"}, "Invalid coupon provided"),
        ({"plan_id": MONTHLY, "coupon_code": "MAPLE15"}, "The coupon is in another currency than the plan"),
        ({"plan_id": MONTHLY, "address_id": 999}, "Invalid address provided"),
        ({"plan_id": MONTHLY, "source_id": 999}, "Invalid payment method provided"),
        ({"plan_id": MONTHLY, "gateway_token": "none"}, "Invalid payment method provided"),
        ({"plan_id": CANADA, "address_id": BOSTON}, "This product is not available in your area"),
    ],
)
def test_what_cannot_be_had_is_not_found_with_one_message(alice: Reader, body: dict[str, Any], words: str) -> None:
    response = alice.call("POST", "subscription", body)
    assert (response.status_code, response.json()) == (404, {"error": {"message": words}})
    assert alice.subscriptions() == []


@pytest.mark.parametrize(("field", "value"), [("address_id", MONTREAL), ("source_id", VISA)])
def test_what_belongs_to_another_customer_is_not_found(dora: Reader, field: str, value: int) -> None:
    assert dora.subscribe(FREE, **{field: value}).status_code == 404


@pytest.mark.parametrize("plan", [SHIPPED, CANADA])
def test_a_product_that_is_shipped_or_bound_to_countries_needs_an_address(alice: Reader, plan: int) -> None:
    assert fields(alice.subscribe(plan)) == {"address_id"}
    assert alice.subscribe(plan, address_id=MONTREAL).status_code == 200


def test_a_site_with_tax_on_needs_an_address(bob: Reader) -> None:
    assert fields(bob.subscribe(HERALDS)) == {"address_id"}
    assert bob.subscribe(HERALDS, address_id=305011).status_code == 200


@pytest.mark.parametrize(
    ("given", "field"), [({"plan_id": TEACHERS}, "plan_id"), ({"coupon_code": "TEACHERS20"}, "coupon_code")]
)
def test_a_segment_lets_in_its_members_only(alice: Reader, dora: Reader, given: dict[str, Any], field: str) -> None:
    body = {"plan_id": MONTHLY, "gateway_token": "tok-sandbox-succeed", **given}
    assert alice.call("POST", "subscription", body).status_code == 200
    assert fields(dora.call("POST", "subscription", body)) == {field}
    assert dora.subscriptions() == []


@pytest.mark.parametrize("given", [{"ip_addresses": ["8.8.8.8"]}, {"domains": ["example.com"]}])
def test_addresses_and_domains_are_for_memberships(alice: Reader, given: dict[str, Any]) -> None:
    assert fields(alice.subscribe(MONTHLY, **given)) == set(given)
    assert alice.subscribe(MEMBERSHIP, **given).status_code == 200
    (membership,) = alice.new("memberships")
    assert membership.items() >= {"plan_id": MEMBERSHIP, "status": "active", **given}.items()


def test_a_regular_plan_gives_no_membership(alice: Reader) -> None:
    alice.subscribe(MONTHLY, ip_addresses=[], domains=[])
    assert alice.new("memberships") == []


@pytest.mark.parametrize("private", ["172.0.0.0/8", "192.0.0.0/8", "169.0.0.0/8"])
def test_a_range_is_public_throughout(alice: Reader, private: str) -> None:
    assert fields(alice.subscribe(MEMBERSHIP, ip_addresses=["198.51.100.0/24", private])) == {"ip_addresses.1"}


def test_every_broken_rule_is_named(dora: Reader) -> None:
    response = dora.subscribe(TEACHERS, coupon_code="TEACHERS20", domains=["example.com"])
    assert fields(response) == {"plan_id", "coupon_code", "domains"}


def test_a_campaign_may_be_new_or_known(alice: Reader) -> None:
    assert alice.subscribe(campaign_key="new-one").status_code == 200
    assert alice.subscribe(campaign_key="new-one").status_code == 200
    assert [subscription["campaign_key"] for subscription in alice.subscriptions()] == ["new-one", "new-one"]


# Paying ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["tok-sandbox-succeed", "pm_card_visa"])
def test_a_gateway_token_pays(dora: Reader, token: str) -> None:
    assert dora.subscribe(gateway_token=token).status_code == 200
    assert dora.subscriptions()[0]["source_id"] is None


def test_a_declined_token_leaves_no_subscription(alice: Reader) -> None:
    response = alice.subscribe(gateway_token="tok-sandbox-decline", campaign_key="declined")
    assert (response.status_code, message(response)) == (400, "The payment was declined")
    assert alice.subscriptions() == []


def test_strong_authentication_is_asked_for_before_the_subscription_counts(alice: Reader) -> None:
    response = alice.subscribe(MEMBERSHIP, gateway_token="tok-sandbox-3d-secure")
    assert response.status_code == 200
    data = response.json()["data"]
    assert data["payment_intent"]["status"] == "requires_action"
    assert data["payment_intent"]["client_secret"]
    assert (alice.subscriptions(), alice.new("memberships")) == ([], [])
    assert "payment_intent" not in alice.subscribe().json()["data"]


def test_a_payment_method_on_file_pays(alice: Reader) -> None:
    assert alice.subscribe(source_id=VISA).status_code == 200
    assert message(alice.subscribe(source_id=FAILED_CARD)) == "The payment was declined"
    assert len(alice.subscriptions()) == 1


def test_without_a_choice_the_default_payment_method_pays_where_there_is_one(alice: Reader, dora: Reader) -> None:
    alice.subscribe()
    assert alice.subscriptions()[0]["source_id"] == VISA
    response = dora.subscribe()
    assert (response.status_code, message(response)) == (400, "A payment method is required")


def test_an_invoice_pays_where_the_plan_allows_it(alice: Reader, dora: Reader) -> None:
    assert dora.subscribe(pay_via_send_invoice=True).status_code == 200
    assert dora.subscriptions()[0]["pay_via_send_invoice"] is True
    assert fields(alice.subscribe(SHIPPED, address_id=MONTREAL, pay_via_send_invoice=True)) == {"pay_via_send_invoice"}
    assert alice.subscribe(SHIPPED, address_id=MONTREAL, pay_via_send_invoice=True, source_id=VISA).status_code == 200


def test_a_free_plan_needs_no_payment(dora: Reader) -> None:
    assert dora.subscribe(FREE).status_code == 200


# Tokens ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "nonsense", "pelcro-sandbox-expired", "pelcro-sandbox-bob"])
def test_no_token_or_a_bad_one_is_unauthorized(http: httpx.Client, token: str | None) -> None:
    for path in ("customer", "subscription", "auth/logout"):
        response = Reader(http, token).call("POST", path, {"plan_id": MONTHLY})
        assert response.status_code == 401
        assert response.json() == {"error": {"status": 401, "message": "Invalid or expired token"}}


def test_a_token_that_was_logged_out_is_forbidden(http: httpx.Client, alice: Reader, dora: Reader) -> None:
    left = Reader(http, "pelcro-sandbox-leaving")
    response = left.call("POST", "auth/logout")
    assert response.status_code == 200
    assert response.json()["data"]["email"] == "dora@example.com"
    assert response.json()["data"].keys().isdisjoint({"token", "auth_token"})
    for reader in (left, Reader(http, "pelcro-sandbox-revoked")):
        refused = reader.call("POST", "customer")
        assert (refused.status_code, refused.json()["error"]["status"]) == (403, 403)
    assert dora.call("POST", "customer").status_code == 200


@pytest.mark.parametrize("name", [{"email": "alice@example.com"}, {"username": "alice"}])
def test_signing_in_gives_a_token_that_works(http: httpx.Client, stranger: Reader, name: dict[str, str]) -> None:
    response = stranger.call("POST", "auth/login", {**name, "password": "alice-sandbox-password"})
    assert response.status_code == 200
    assert Reader(http, response.json()["data"]["token"]).customer()["id"] == 3823001


@pytest.mark.parametrize(
    "body",
    [
        {"email": "alice@example.com", "password": "wrong"},
        {"email": "alice", "password": "alice-sandbox-password"},
        {"email": "nobody@example.com", "password": "alice-sandbox-password"},
        {"email": "bob@example.org", "password": "bob-sandbox-password"},
    ],
)
def test_wrong_credentials_are_not_found_and_say_nothing_more(stranger: Reader, body: dict[str, str]) -> None:
    response = stranger.call("POST", "auth/login", body)
    assert (response.status_code, response.json()) == (404, {"error": {"message": "Invalid credentials"}})


@pytest.mark.parametrize("body", [{}, {"password": "x"}, {"email": "alice@example.com"}])
def test_signing_in_takes_a_password_and_a_name(stranger: Reader, body: dict[str, str]) -> None:
    assert stranger.call("POST", "auth/login", body).status_code == 400


def test_registering_makes_a_customer_who_can_sign_in(http: httpx.Client, stranger: Reader) -> None:
    new = {"email": "erin@example.net", "password": "secret", "first_name": "Erin", "segment_ids": [301], "id": 3823001}
    response = stranger.call("POST", "auth/register", new)
    assert response.status_code == 200
    data = response.json()["data"]
    assert data["id"] != 3823001
    assert (data["email"], data["name"], data["subscriptions"], data["source"]) == (
        "erin@example.net",
        "Erin",
        [],
        None,
    )
    erin = Reader(http, data["auth_token"])
    assert erin.customer()["id"] == data["id"]
    assert fields(erin.subscribe(TEACHERS, gateway_token="pm_card_visa")) == {"plan_id"}
    signed_in = stranger.call("POST", "auth/login", {"email": "erin@example.net", "password": "secret"})
    assert signed_in.json()["data"]["id"] == data["id"]


def test_an_email_is_registered_once_on_a_site(http: httpx.Client, stranger: Reader) -> None:
    body = {"email": "alice@example.com", "password": "secret"}
    assert fields(stranger.call("POST", "auth/register", body)) == {"email"}
    assert Reader(http, None, HERALD).call("POST", "auth/register", body).status_code == 200


@pytest.mark.parametrize("missing", ["email", "password"])
def test_registering_takes_an_email_and_a_password(stranger: Reader, missing: str) -> None:
    body = {"email": "erin@example.net", "password": "secret"}
    del body[missing]
    assert fields(stranger.call("POST", "auth/register", body)) == {missing}


def test_a_password_never_comes_back(alice: Reader, stranger: Reader) -> None:
    answers = [
        alice.call("POST", "customer"),
        alice.subscribe(),
        stranger.call("POST", "auth/login", {"email": "alice@example.com", "password": "alice-sandbox-password"}),
        stranger.call("POST", "auth/register", {"email": "erin@example.net", "password": "erin-sandbox-password"}),
        alice.call("POST", "auth/logout"),
    ]
    assert [answer.status_code for answer in answers] == [200] * 5
    assert all("password" not in answer.text for answer in answers)


@pytest.mark.parametrize(("site", "days"), [(GAZETTE, 60), (HERALD, 1)])
def test_a_token_is_good_for_as_long_as_the_site_says(pelcro: Any, http: httpx.Client, site: int, days: int) -> None:
    name = "alice@example.com" if site == GAZETTE else "bob@example.org"
    body = {"email": name, "password": f"{name.split('@')[0]}-sandbox-password"}
    token = Reader(http, None, site).call("POST", "auth/login", body).json()["data"]["token"]
    reader = Reader(http, token, site)
    pelcro.advance(days=days, seconds=-1)
    assert reader.call("POST", "customer").status_code == 200
    pelcro.advance(seconds=2)
    assert reader.call("POST", "customer").status_code == 401


# Plans and sites ------------------------------------------------------------------------------------------------------


def test_everyone_may_read_plans_and_sites(stranger: Reader) -> None:
    by_query, by_body = (
        stranger.call("GET", "plan", plan_id=MONTHLY),
        stranger.call("POST", "plan", {"plan_id": MONTHLY}),
    )
    assert by_query.json() == by_body.json()
    assert (
        by_query.json()["data"]["plan"].items()
        >= {"id": MONTHLY, "amount": 900, "currency": "usd", "type": "regular"}.items()
    )
    assert stranger.call("GET", "site").json()["data"].items() >= {"id": GAZETTE, "taxes_enabled": False}.items()


def test_a_plan_of_another_site_is_not_found(stranger: Reader) -> None:
    for response in (
        stranger.call("GET", "plan", plan_id=HERALDS),
        stranger.call("POST", "plan", {"plan_id": HERALDS}),
    ):
        assert (response.status_code, message(response)) == (404, "Invalid plan provided")
    assert fields(stranger.call("GET", "plan")) == {"plan_id"}
    assert fields(stranger.call("POST", "plan", {})) == {"plan_id"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "subscription"),
        ("POST", "customer"),
        ("GET", "plan"),
        ("GET", "site"),
        ("POST", "auth/login"),
        ("POST", "auth/logout"),
    ],
)
def test_every_call_names_a_site_that_exists(http: httpx.Client, method: str, path: str) -> None:
    body = {"plan_id": MONTHLY, "email": "alice@example.com", "password": "alice-sandbox-password"}
    query = {"plan_id": MONTHLY} if path == "plan" else {}
    unnamed = Reader(http, "pelcro-sandbox-alice", None).call(method, path, body, **query)
    assert fields(unnamed) == {"site_id"}
    assert Reader(http, "pelcro-sandbox-alice", 999).call(method, path, body, **query).status_code == 404


def test_sites_never_see_each_others_customers(http: httpx.Client, alice: Reader, bob: Reader) -> None:
    bob.subscribe(HERALDS, address_id=305011)
    assert alice.subscriptions() == []
    assert Reader(http, "pelcro-sandbox-alice", HERALD).call("POST", "customer").status_code == 401


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "customer", 405), ("GET", "nowhere", 404)])
def test_what_http_itself_refuses_wears_the_envelope(alice: Reader, method: str, path: str, status: int) -> None:
    response = alice.call(method, path)
    assert response.status_code == status
    assert response.json()["error"]["message"]
