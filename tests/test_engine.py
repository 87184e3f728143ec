"""The life of one call, on a miniature vendor: what is refused at the start, what is told and kept when it fails, worlds."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mock_server import ContractError, Problem, Vendor, Violation
from mock_server.contract import Fixtures, load_fixtures
from mock_server.engine import Engine
from mock_server.problems import VIOLATIONS_LIMIT
from mock_server.store import MemoryStore
from mock_server.vendor import Answer

PEAR = {"item": "pear", "status": "open"}


@pytest.fixture
def facts(shop_contract):
    return shop_contract, load_fixtures(shop_contract)


def pinged(name: str = "shop") -> Vendor:
    vendor = Vendor(name)
    vendor.action("ping")(lambda call, proceed: Answer(200, {"pong": True}))
    return vendor


def order(shop, body=PEAR, key=None, client=None):
    return (client or shop.api).post("/orders", json=body, headers={"X-Once": key} if key else {})


# At the start ---------------------------------------------------------------------------------------------------------


def test_an_action_for_an_operation_that_the_document_lacks_is_an_error_at_the_start(facts):
    vendor = pinged()
    vendor.action("fly")(lambda call, proceed: None)

    with pytest.raises(ContractError, match="has an action for fly, which the document lacks"):
        Engine(*facts[:1], vendor, facts[1], MemoryStore())


def test_an_error_body_for_an_operation_that_the_document_lacks_is_one_too(facts):
    vendor = pinged()
    vendor.failure("fly")(lambda problem, status, mint_id: {})

    with pytest.raises(ContractError, match="fly"):
        Engine(facts[0], vendor, facts[1], MemoryStore())


def test_an_operation_that_nobody_does_is_an_error_at_the_start_with_its_place(facts):
    with pytest.raises(ContractError, match=r"shop\.yaml:\d+: nothing does none for ping"):
        Engine(facts[0], Vendor("shop"), facts[1], MemoryStore())


def test_a_record_that_does_not_fit_is_an_error_at_the_start_with_its_place(facts):
    contract, fixtures = facts
    [first, *others] = fixtures.records["Order"]
    broken = replace(first, value={**first.value, "quantity": "three"})
    records = {**fixtures.records, "Order": (broken, *others)}

    with pytest.raises(ContractError, match=r"Order\.yaml:\d+: first/quantity"):
        Engine(contract, pinged(), Fixtures(records), MemoryStore())


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": "tomorrow"},
        {"expires_at": "2026-12-31T23:59:60Z"},
        {"rate_limit": {"requests": 0}},
        {"revoked": "no"},
    ],
)
def test_a_credential_that_the_engine_could_not_read_is_an_error_at_the_start(facts, wrong):
    contract, fixtures = facts
    [first, *others] = fixtures.records["Credential"]
    records = {**fixtures.records, "Credential": (replace(first, value={**first.value, **wrong}), *others)}

    with pytest.raises(ContractError, match=r"Credential\.yaml:\d+: north"):
        Engine(contract, pinged(), Fixtures(records), MemoryStore())


# When it fails --------------------------------------------------------------------------------------------------------


def test_a_call_that_fails_changes_nothing(shop):
    before = shop.api.get("/orders").json()
    order(shop, {**PEAR, "reference": "A-1"})
    order(shop, {**PEAR, "item": "none"})
    shop.api.patch("/orders/1", json={"reference": "A-2"})

    assert shop.api.get("/orders").json() == before
    assert order(shop).json()["id"] == 8
    assert order(shop).json()["slip"] != order(shop).json()["slip"]


def test_a_defect_of_ours_is_500_in_the_envelope_and_is_logged(shop, monkeypatch, caplog):
    def break_down(call):
        raise RuntimeError("a defect")

    monkeypatch.setitem(shop.app.engines["shop"]._actions, "createOrder", break_down)
    answer = order(shop)

    assert (answer.status_code, answer.json()["title"]) == (500, "internal")
    assert "a defect" not in answer.text
    assert "a defect" in caplog.text


def test_an_answer_that_the_document_does_not_allow_is_never_sent(shop, monkeypatch, caplog):
    monkeypatch.setitem(shop.app.engines["shop"]._actions, "listOrders", lambda call: Answer(200, "no list"))

    assert shop.api.get("/orders").status_code == 500
    assert "listOrders 200" in caplog.text


def listed(answer):
    return json.loads(answer.headers["X-Mock-Violations"])


def test_every_violation_is_listed_in_a_header(shop):
    answer = order(shop, {"quantity": 0, "pin": "123", "note": 7}, key="k")

    assert sorted(listed(answer), key=lambda entry: entry["pointer"]) == [
        {"in": "body", "pointer": "/item", "rule": "required", "message": "item is required."},
        {"in": "body", "pointer": "/note", "rule": "type", "message": "note must be a string or null."},
        {"in": "body", "pointer": "/pin", "rule": "minLength", "message": "pin must have at least 4 characters."},
        {"in": "body", "pointer": "/quantity", "rule": "minimum", "message": "quantity must be at least 1."},
        {"in": "body", "pointer": "/status", "rule": "required", "message": "status is required."},
    ]


def test_no_violation_repeats_what_was_sent(shop):
    secret = "hunter2é\r\nX-Evil: 1"
    answers = [
        order(shop, {"item": [secret], "status": secret, "quantity": secret, "pin": {"a": secret}}),
        order(shop, {**PEAR, "item": secret}),
        shop.api.get("/orders", params={"page": secret}),
        shop.api.get(f"/orders/{secret.replace(chr(13), '').replace(chr(10), '')}"),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 400, 400]
    assert all("hunter2" not in answer.text + str(answer.headers) for answer in answers)


def test_a_header_of_many_violations_stays_within_its_limit_and_counts_the_rest(shop):
    problem = Problem(
        "invalid", violations=tuple(Violation("body", f"/{n}/é\x7f", "type", "must be a text") for n in range(500))
    )
    answer = shop.app.engines["shop"].refuse(problem, shop.world)
    header = answer.headers["X-Mock-Violations"]
    found = json.loads(header)

    assert len(header) <= VIOLATIONS_LIMIT
    assert header.isascii() and header.isprintable()
    assert found[-1] == {"more": 500 - (len(found) - 1)}
    assert len(answer.body["violations"]) == 500


def test_one_violation_that_is_longer_than_the_limit_is_counted(shop):
    problem = Problem("invalid", violations=(Violation("body", "/" + "x" * 99_999, "type", "must be a text"),))

    assert json.loads(shop.app.engines["shop"].refuse(problem, shop.world).headers["X-Mock-Violations"]) == [
        {"more": 1}
    ]


def test_a_sentence_of_many_violations_tells_the_first_twenty(shop):
    problem = Problem(
        "invalid", violations=tuple(Violation("body", f"/f{n}", "type", "must be a text") for n in range(23))
    )

    assert problem.detail.endswith("f19 must be a text. And 3 more.")


def test_a_problem_without_violations_has_no_such_header(shop):
    assert "X-Mock-Violations" not in shop.api.get("/nothing").headers


def test_a_kind_has_the_status_of_the_document_of_the_problem_or_of_http(shop):
    engine = shop.app.engines["shop"]

    def status(problem):
        return engine.refuse(problem, shop.world).status

    assert status(Problem("missing")) == 422
    assert status(Problem("missing", status=418)) == 418
    assert status(Problem("too-large")) == 413


# Worlds ---------------------------------------------------------------------------------------------------------------


def test_ids_begin_after_the_highest_seeded_one_of_any_tenant(shop):
    assert order(shop).json()["id"] == 8
    assert order(shop, client=shop.caller("shop-sandbox-south")).json()["id"] == 9


def test_a_frozen_clock_stands_still_and_another_runs(sandbox):
    frozen, running = sandbox("shop"), sandbox("shop", frozen=None)
    assert order(frozen).json()["made"] == 1776075660
    assert order(running).json()["made"] > 1776075660
    running.advance(days=10_000)
    assert order(running).json()["made"] > 2_600_000_000
