"""The control API: is it up, put a world back, plan trouble, change what is known."""

from __future__ import annotations

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from mock_server.control import control_contract, installed_version

PEAR = {"item": "pear", "status": "open"}
NORTH = "/records/shop/Credential/shop-sandbox-north"


def test_its_own_document_is_valid():
    assert not list(OpenAPIV30SpecValidator(control_contract().document).iter_errors())


# Health ---------------------------------------------------------------------------------------------------------------


def test_health_tells_the_version_the_vendors_and_the_worlds(shop):
    shop.api.get("/orders")
    found = shop.control.get("/health").json()

    assert (found["status"], found["version"], found["vendors"]) == ("up", installed_version(), ["shop"])
    assert {"default", shop.world} <= set(found["worlds"])


def test_the_version_is_a_version(monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def missing(name):
        raise PackageNotFoundError(name)

    assert installed_version()[0].isdigit()
    monkeypatch.setattr("importlib.metadata.version", missing)
    assert installed_version() == "0"


# Reset ----------------------------------------------------------------------------------------------------------------


def test_a_reset_puts_everything_of_a_world_back(shop):
    first = shop.api.post("/orders", json=PEAR, headers={"X-Once": "k"})
    shop.api.delete("/orders/1")
    shop.advance(days=3)
    shop.control.patch(NORTH, json={"rate_limit": {"requests": 1, "seconds": 60}})
    shop.control.post("/faults", json={"vendor": "shop", "status": 503, "times": 9})

    assert shop.control.post("/reset").json() == {"world": shop.world}
    assert [record["id"] for record in shop.api.get("/orders").json()] == [1, 2]
    again = shop.api.post("/orders", json=PEAR, headers={"X-Once": "k"})
    assert "Idempotent-Replayed" not in again.headers
    assert again.content == first.content


def test_a_reset_touches_one_world(sandbox):
    blue, red = sandbox("shop"), sandbox("shop")
    for shop in (blue, red):
        shop.api.post("/orders", json=PEAR)
    blue.control.post("/reset")

    assert blue.api.get("/orders/8").status_code == 404
    assert red.api.get("/orders/8").status_code == 200


def test_a_reset_world_is_no_longer_listed(shop):
    shop.api.get("/orders")
    shop.control.post("/reset")
    health = shop.client("/_mock", {"X-Mock-World": "default"}).get("/health").json()

    assert shop.world not in health["worlds"]


def test_a_world_that_was_never_used_can_be_reset(shop):
    assert shop.control.post("/reset").status_code == 200


# Faults ---------------------------------------------------------------------------------------------------------------


def test_a_planned_fault_is_told_with_its_defaults(shop):
    answer = shop.control.post("/faults", json={"vendor": "shop"})

    assert answer.status_code == 201
    assert answer.json() == {"vendor": "shop", "operation": None, "delay": 0, "status": None, "times": 1}


@pytest.mark.parametrize(
    ("fault", "status", "pointer"),
    [
        ({}, 422, "/vendor"),
        ({"vendor": "nobody"}, 404, "/vendor"),
        ({"vendor": "_mock"}, 404, "/vendor"),
        ({"vendor": "shop", "operation": "fly"}, 404, "/operation"),
        ({"vendor": "shop", "delay": -1}, 422, "/delay"),
        ({"vendor": "shop", "delay": 61}, 422, "/delay"),
        ({"vendor": "shop", "delay": "1"}, 422, "/delay"),
        ({"vendor": "shop", "status": 200}, 422, "/status"),
        ({"vendor": "shop", "status": 600}, 422, "/status"),
        ({"vendor": "shop", "times": 0}, 422, "/times"),
        ({"vendor": 7}, 422, "/vendor"),
    ],
)
def test_a_fault_that_cannot_be_planned_is_refused_and_says_why(shop, fault, status, pointer):
    answer = shop.control.post("/faults", json=fault)

    assert (answer.status_code, answer.json()["violations"][0]["pointer"]) == (status, pointer)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null"])
def test_a_plan_that_cannot_be_read_is_400(shop, body):
    assert shop.control.post("/faults", content=body).status_code == 400


# Records --------------------------------------------------------------------------------------------------------------


def test_a_known_record_is_changed_for_this_world_alone(sandbox):
    blue, red = sandbox("shop"), sandbox("shop")
    answer = blue.control.patch(NORTH, json={"revoked": True})

    assert answer.status_code == 200
    assert answer.json() == {"token": "shop-sandbox-north", "tenant": "north", "subject": 1, "revoked": True}
    assert blue.api.get("/orders").status_code == 403
    assert red.api.get("/orders").status_code == 200


def test_a_record_of_another_tenant_is_named_with_its_tenant(sandbox):
    wispgate = sandbox("wispgate")
    path = "/records/wispgate/BillingProfile/bp_101"

    assert wispgate.control.patch(path, json={"name": "Other"}).status_code == 404
    assert (
        wispgate.control.patch(path, params={"tenant": "tenant_demo_002"}, json={"name": "Other"}).json()["name"]
        == "Other"
    )


def test_a_record_with_a_number_for_a_key_is_found_by_it(sandbox):
    pelcro = sandbox("pelcro")
    facts = pelcro.app.engines["pelcro"]
    [name, key] = next(
        (name, resource.key)
        for name, resource in facts.contract.resources.items()
        if resource.known and resource.properties[resource.key].get("type") == "integer" and facts.fixtures.of(name)
    )
    record = facts.fixtures.of(name)[0].value

    def change(value):
        return pelcro.control.patch(f"/records/pelcro/{name}/{value}", json={key: record[key]}).status_code

    assert [change(record[key]), change("x"), change("9" * 5000), change("²"), change("-1")] == [
        200,
        404,
        404,
        404,
        404,
    ]


@pytest.mark.parametrize(
    ("path", "pointer"),
    [
        ("/records/nobody/Credential/x", "/vendor"),
        ("/records/shop/Nothing/x", "/resource"),
        ("/records/shop/Order/1", "/resource"),
        ("/records/shop/Credential/nobody", "/key"),
        ("/records/shop/Credential/a%2Fb", "/key"),
    ],
)
def test_what_is_not_known_cannot_be_changed(shop, path, pointer):
    answer = shop.control.patch(path, json={"a": 1})

    assert (answer.status_code, answer.json()["violations"][0]["pointer"]) == (404, pointer)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"token": "other"}, "/token"),
        ({"tenant": 7}, "/tenant"),
        ({"subject": "first"}, "/subject"),
        ({"revoked": "yes"}, "/revoked"),
        ({"expires_at": "tomorrow"}, "/expires_at"),
        ({"expires_at": "2026-12-31T23:59:60Z"}, "/expires_at"),
        ({"expires_at": "0000-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": 7}, "/expires_at"),
        ({"colour": "red"}, "/colour"),
        ({"rate_limit": 7}, "/rate_limit"),
        ({"rate_limit": {"requests": 0, "seconds": 1}}, "/rate_limit/requests"),
        ({"rate_limit": {"requests": 1, "seconds": 1.5}}, "/rate_limit/seconds"),
        ({"rate_limit": {"requests": 1}}, "/rate_limit"),
    ],
)
def test_a_change_that_does_not_fit_changes_nothing(shop, change, pointer):
    answer = shop.control.patch(NORTH, json=change)

    assert (answer.status_code, answer.json()["violations"][0]["pointer"]) == (422, pointer)
    assert shop.api.get("/orders").status_code == 200


def test_an_empty_change_is_refused(shop):
    assert shop.control.patch(NORTH, json={}).status_code == 422


@pytest.mark.parametrize("moment", ["2999-01-01T00:00:00Z", "2999-01-01T00:00:00.123456789+05:30", None])
def test_a_credential_may_expire_whenever_it_likes(shop, moment):
    assert shop.control.patch(NORTH, json={"expires_at": moment}).status_code == 200
    assert shop.api.get("/orders").status_code == 200


# Its own envelope -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/reset", 405), ("PUT", "/faults", 405), ("GET", "/", 404)],
)
def test_its_failures_are_problem_details(shop, method, path, status):
    answer = shop.control.request(method, path)

    assert (answer.status_code, answer.json()["status"], answer.json()["violations"]) == (status, status, [])


def test_another_content_type_is_415(shop):
    answer = shop.control.post("/faults", content=b"vendor=shop", headers={"Content-Type": "text/plain"})

    assert answer.status_code == 415
