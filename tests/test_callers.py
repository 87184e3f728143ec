"""Who calls: credentials by the world's clock, tenants that are one's own, limits to how often."""

from __future__ import annotations

import re

import pytest

from mock_server.callers import RATES


def test_a_public_operation_needs_no_credential(shop):
    assert shop.caller(None).get("/ping").json() == {"pong": True}


@pytest.mark.parametrize(
    ("token", "status", "title"),
    [
        (None, 401, "unauthenticated"),
        ("nobody", 401, "unauthenticated"),
        ("shop-sandbox-expired", 401, "expired"),
        ("shop-sandbox-revoked", 403, "forbidden"),
    ],
)
def test_a_credential_must_be_known_current_and_not_revoked(shop, token, status, title):
    answer = shop.caller(token).get("/orders")

    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_a_credential_expires_by_the_worlds_clock(shop):
    path = "/records/shop/Credential/shop-sandbox-south"
    shop.control.patch(path, json={"expires_at": "2026-04-13T12:21:00+01:00"})
    south = shop.caller("shop-sandbox-south")

    shop.advance(minutes=59, seconds=59)
    assert south.get("/orders").status_code == 200
    shop.advance(seconds=1)
    assert south.get("/orders").status_code == 401


def test_a_token_may_be_surrounded_by_spaces(shop):
    assert shop.caller(None, {"Authorization": "BEARER   shop-sandbox-north "}).get("/orders").status_code == 200


def test_a_tenant_may_be_named_if_it_is_the_callers_own(shop):
    assert shop.caller("shop-sandbox-south", {"X-Shop": "south"}).get("/orders").json()[0]["id"] == 7
    assert shop.caller("shop-sandbox-south", {"X-Shop": "north"}).get("/orders").status_code == 401


def test_without_credentials_nobody_learns_whether_a_company_exists(sandbox):
    stykite = sandbox("stykite")
    operations = stykite.app.engines["stykite"].contract.operations.values()
    secured = next(operation for operation in operations if operation.secured and "{" in operation.path)
    path = re.sub(r"\{[^}]+\}", "nobody", secured.path)

    assert stykite.caller(None).request(secured.method, path).status_code == 401
    assert stykite.api.request(secured.method, path).status_code == 404


def test_calls_over_a_rate_limit_are_counted_in_a_window_of_the_worlds_time(shop):
    shop.control.patch(
        "/records/shop/Credential/shop-sandbox-north", json={"rate_limit": {"requests": 2, "seconds": 10}}
    )
    statuses = [shop.api.get("/orders").status_code for _ in range(3)]
    shop.advance(seconds=9.5)
    late = shop.api.get("/orders")
    shop.advance(seconds=0.5)

    assert statuses == [200, 200, 429]
    assert late.headers["Retry-After"] == "1"
    assert shop.api.get("/orders").status_code == 200
    assert [entry["count"] for entry in shop.entries(RATES)] == [1]


def test_a_rate_limit_can_be_lifted(shop):
    path = "/records/shop/Credential/shop-sandbox-north"
    shop.control.patch(path, json={"rate_limit": {"requests": 1, "seconds": 10}})
    shop.api.get("/orders")
    shop.control.patch(path, json={"rate_limit": None})

    assert shop.api.get("/orders").status_code == 200
