"""Trouble that was planned, and the calls that meet it."""

from __future__ import annotations

import pytest

from mock_server.faults import FAULTS

PEAR = {"item": "pear", "status": "open"}


def order(shop, body=PEAR, key=None, client=None):
    return (client or shop.api).post("/orders", json=body, headers={"X-Once": key} if key else {})


def plan(shop, **fault):
    answer = shop.control.post("/faults", json={"vendor": "shop", **fault})
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    ("status", "title"),
    [
        (503, "planned"),
        (500, "planned"),
        (429, "rate-limited"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (418, "planned"),
    ],
)
def test_a_planned_status_is_given_in_the_envelope_and_nothing_happens(shop, status, title):
    plan(shop, status=status)
    answer = order(shop)

    assert (answer.status_code, answer.json()["title"]) == (status, title)
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert order(shop).json()["id"] == 8


def test_a_fault_meets_as_many_calls_as_were_planned_and_is_then_forgotten(shop):
    plan(shop, status=503, times=2)

    assert [shop.api.get("/orders").status_code for _ in range(3)] == [503, 503, 200]
    assert shop.entries(FAULTS) == []


def test_a_fault_meets_only_the_operation_it_names(shop):
    plan(shop, operation="createOrder", status=503)

    assert shop.api.get("/orders").status_code == 200
    assert order(shop).status_code == 503


def test_faults_are_met_in_the_order_they_were_planned(shop):
    plan(shop, status=503)
    plan(shop, status=502)

    assert [shop.api.get("/orders").status_code for _ in range(2)] == [503, 502]


def test_a_request_that_is_not_valid_meets_no_fault(shop):
    plan(shop, status=503)

    assert order(shop, {}).status_code == 422
    assert order(shop).status_code == 503


def test_a_key_is_not_taken_by_a_planned_failure(shop):
    plan(shop, status=503)

    assert [order(shop, key="k").status_code for _ in range(2)] == [503, 201]
