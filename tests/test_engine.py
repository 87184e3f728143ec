"""The life of one call, on a miniature vendor: who calls, what is remembered, what is planned, what is told when it fails."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from mock_server import ContractError, Problem, Vendor, Violation
from mock_server.contract import Fixtures, load_fixtures
from mock_server.engine import FAULTS, RATES, REPLIES, SWEPT, VIOLATIONS_LIMIT, Engine
from mock_server.store import MemoryStore
from mock_server.vendor import Answer

PEAR = {"item": "pear", "status": "open"}


@pytest.fixture
def shop(sandbox):
    return sandbox("shop")


@pytest.fixture
def facts(shop_contract):
    return shop_contract, load_fixtures(shop_contract)


def pinged(name: str = "shop") -> Vendor:
    vendor = Vendor(name)
    vendor.action("ping")(lambda call, proceed: Answer(200, {"pong": True}))
    return vendor


def order(shop, body=PEAR, key=None, client=None):
    return (client or shop.api).post("/orders", json=body, headers={"X-Once": key} if key else {})


def entries(shop, table):
    return list(shop.app.engines["shop"].begin(shop.world).scan(table))


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


# Who calls ------------------------------------------------------------------------------------------------------------


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
    assert [entry["count"] for entry in entries(shop, RATES)] == [1]


def test_a_rate_limit_can_be_lifted(shop):
    path = "/records/shop/Credential/shop-sandbox-north"
    shop.control.patch(path, json={"rate_limit": {"requests": 1, "seconds": 10}})
    shop.api.get("/orders")
    shop.control.patch(path, json={"rate_limit": None})

    assert shop.api.get("/orders").status_code == 200


# What is remembered ---------------------------------------------------------------------------------------------------


def test_a_repeated_call_gets_the_first_answer_and_is_told_so(shop):
    first, again = order(shop, key="k"), order(shop, key="k")

    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_a_key_of_one_operation_says_nothing_to_another(shop):
    order(shop, key="k")

    assert shop.api.get("/orders", headers={"X-Once": "k"}).headers.get("Idempotent-Replayed") is None


def test_numbers_that_are_written_differently_make_another_body(shop):
    order(shop, {**PEAR, "quantity": 1}, key="k")

    assert order(shop, {**PEAR, "quantity": 2}, key="k").status_code == 422


def test_replies_that_are_outdated_are_dropped_little_by_little(shop):
    for n in range(SWEPT + 5):
        order(shop, key=f"old-{n}")
    assert len(entries(shop, REPLIES)) == SWEPT + 5

    shop.advance(hours=1)
    order(shop, key="new-1")
    assert len(entries(shop, REPLIES)) == 6
    order(shop, key="new-2")
    assert [entry["id"].split("\n")[-1] for entry in entries(shop, REPLIES)] == ["new-1", "new-2"]


def test_a_key_whose_time_is_over_can_be_used_again(shop):
    first = order(shop, key="k")
    shop.advance(hours=1)
    second = order(shop, key="k")

    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    assert order(shop, key="k").content == second.content


def test_a_key_is_free_again_after_a_call_that_broke(shop, monkeypatch):
    def break_down(call):
        raise RuntimeError("a defect")

    monkeypatch.setitem(shop.app.engines["shop"]._actions, "createOrder", break_down)
    assert order(shop, key="k").status_code == 500
    monkeypatch.undo()
    assert order(shop, key="k").status_code == 201


def test_a_key_is_free_again_after_a_world_was_reset(shop):
    order(shop, key="k")
    shop.control.post("/reset")

    assert "Idempotent-Replayed" not in order(shop, key="k").headers


def test_a_world_that_is_reset_while_a_call_waits_takes_the_call_as_its_first(shop):
    shop.control.post("/faults", json={"vendor": "shop", "operation": "createOrder", "delay": 0.02})
    slow = shop.api.build_request("POST", "/orders", json=PEAR, headers={"X-Once": "k"})
    reset = shop.control.build_request("POST", "/reset")
    made, _ = shop.send_together(slow, reset)

    assert (made.status_code, made.json()["id"]) == (201, 8)
    assert order(shop, key="k").content == made.content


# What is planned ------------------------------------------------------------------------------------------------------


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
    assert entries(shop, FAULTS) == []


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
