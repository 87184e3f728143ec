"""What a vendor module is given and may fill in."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mock_server import Page, Problem, Vendor, Violation
from mock_server.contract import load_fixtures, vendors
from mock_server.seeds import sow
from mock_server.store import MemoryStore
from mock_server.vendor import Call, Caller, Input, Request, load_vendor, next_number

NOW = datetime(2026, 4, 13, 10, 21, tzinfo=UTC)


@pytest.fixture
def transaction(shop_contract):
    begun = MemoryStore().begin("default", "shop")
    sow(begun, shop_contract, load_fixtures(shop_contract))
    begun.commit()
    return begun


@pytest.fixture
def calling(shop_contract, transaction):
    """Makes a call of an operation by a tenant."""

    def call(operation: str = "createOrder", tenant: str = "north", **given) -> Call:
        request = Request("POST", "/orders", "http://x", [], {}, "default")
        caller = Caller({"token": "t", "tenant": tenant, "subject": 1}, tenant)
        facts = shop_contract.operations[operation]
        return Call(shop_contract, facts, request, caller, transaction, NOW, "0", Input(**given))

    return call


# Call -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "given", "key"),
    [
        ("getOrder", {"path": {"id": 7}}, 7),
        ("shipOrder", {"body": {"order_id": 8}}, 8),
        ("shipOrder", {"body": [8]}, None),
        ("deleteOrders", {"query": {"ids": [1, 2]}}, [1, 2]),
        ("getMyOrder", {}, 1),
        ("listOrders", {}, None),
    ],
)
def test_the_key_is_where_the_document_says(calling, operation, given, key):
    assert calling(operation, **given).key() == key


def test_a_tenants_records_are_its_own_and_shared_ones_everybodys(calling):
    assert calling().find("Order", 7) is None
    assert calling(tenant="south").find("Order", 7) is not None
    assert calling(tenant="south").find("Item", "pear") == calling().find("Item", "pear") == {"id": "pear"}
    assert calling().table("Order", "south") == ("south", "Order")
    assert calling().table("Item", "south") == ("", "Item")


@pytest.mark.parametrize("key", [None, True, 1.0, [1], {"id": 1}])
def test_what_cannot_be_a_key_names_nothing(calling, key):
    assert calling().find("Order", key) is None


def test_requiring_what_is_not_there_is_a_problem_with_its_place(calling):
    with pytest.raises(Problem) as caught:
        calling("getOrder", path={"id": 99}).require("Order", 99)
    assert caught.value.kind == "unknown"
    assert caught.value.violations == (Violation("path", "/id", "unknown", "names no Order"),)


def test_records_are_created_changed_and_removed(calling):
    call = calling()
    made = call.create("Order", {"item": "pear", "status": "open", "colour": "green"})
    assert "colour" not in made
    assert call.find("Order", made["id"]) == made

    changed = call.change("Order", made, {"quantity": 2, "colour": "green"})
    assert changed == {**made, "quantity": 2}

    assert call.remove("Order", changed)["gone"] == 1776075660
    assert call.find("Order", made["id"]) is None
    assert call.count("Order") == 2


def test_a_record_that_is_not_kept_after_deletion_is_really_gone(calling):
    call = calling()
    call.remove("Item", {"id": "pear"})

    assert call.find("Item", "pear") is None


def test_a_key_of_the_makers_choosing_is_taken_once(calling):
    call = calling()
    assert call.create("Order", {"id": 100, "item": "pear", "status": "open"})["id"] == 100
    with pytest.raises(Problem) as caught:
        call.create("Order", {"id": 100, "item": "pear", "status": "open"})
    assert (caught.value.kind, caught.value.violations[0].pointer) == ("duplicate", "/id")


def test_a_minted_id_passes_over_one_that_is_in_use(calling):
    call = calling()
    call.create("Order", {"id": 8, "item": "pear", "status": "open"})

    assert call.create("Order", {"item": "pear", "status": "open"})["id"] == 9


def test_ids_of_two_resources_do_not_coincide(calling):
    call = calling()
    properties = {"id": {"type": "string"}}
    resources = {
        name: replace(call.contract.resources["Order"], name=name, properties=properties) for name in ("One", "Two")
    }
    call.contract = replace(call.contract, resources=resources)

    assert call.mint("One", "id", "{n}") == call.mint("Two", "id", "{n}") == "1"
    assert call.mint("One", "id", "{uuid}") != call.mint("Two", "id", "{uuid}")


def test_counters_count_by_name(transaction):
    assert [next_number(transaction, name) for name in ("a", "a", "b", "a")] == [1, 2, 1, 3]


def test_ids_that_belong_to_no_resource_are_minted_by_their_template(calling):
    call = calling()
    first, second = call.mint_id("req_{hex:6}"), call.mint_id("req_{hex:6}")

    assert first != second
    assert len(first) == len(second) == len("req_") + 6


def test_moments_are_written_as_the_vendor_does(calling):
    assert calling().stamp() == 1776075660
    assert calling().stamp(datetime(1970, 1, 1, tzinfo=UTC)) == 0


def test_a_scan_leaves_out_what_was_deleted_and_takes_conditions(calling):
    call = calling()
    call.remove("Order", call.require("Order", 1))

    assert [record["id"] for record in call.scan("Order")] == [2]
    assert list(call.scan("Order", {"item": "pear"})) == []
    assert call.count("Order", {"item": "plum"}) == 1


def test_what_is_shown_is_what_the_view_declares_without_secrets(calling):
    record = {"id": 1, "item": "pear", "status": "open", "pin": "1234"}

    assert calling().shown(record) == {"id": 1, "item": "pear", "status": "open"}
    assert calling("deleteOrder").shown(record) == {"id": 1, "item": "pear", "status": "open"}


def test_a_field_that_names_nothing_is_a_dangling_problem(calling):
    problem = calling().dangling("/item", "Item")

    assert (problem.kind, problem.detail) == ("dangling", "item names no Item.")


@pytest.mark.parametrize(("where", "value"), [("path", 7), ("query", None), ("body", None)])
def test_an_input_is_read_by_place_and_name(where, value):
    assert Input(path={"id": 7}, body=[1]).at(where, "id") == value


# Vendor ---------------------------------------------------------------------------------------------------------------


def test_actions_verbs_and_failures_are_registered_by_name():
    vendor = Vendor("shop")

    @vendor.action("createOrder", "changeOrder")
    def around(call, proceed):
        return proceed(call)

    @vendor.verb("search")
    def search(call, proceed):
        return []

    @vendor.failure("ping")
    def failure(problem, status, mint_id):
        return {}

    assert vendor.actions == {"createOrder": around, "changeOrder": around}
    assert vendor.verbs == {"search": search}
    assert vendor.failures == {"ping": failure}
    assert Vendor("other").actions == {}


def test_an_action_stands_before_after_or_in_place_of_the_plain_one(applications, sandbox, monkeypatch):
    shop = sandbox("shop", seed=3)
    engine = shop.app.engines["shop"]

    @engine.vendor.action("createOrder")
    def twice(call, proceed):
        proceed(call)
        return proceed(call)

    monkeypatch.setitem(engine._actions, "createOrder", engine._bind(engine.contract.operations["createOrder"]))
    made = shop.api.post("/orders", json={"item": "pear", "status": "open"})
    assert (made.status_code, made.json()["id"]) == (201, 9)


def test_a_vendor_without_words_of_its_own_speaks_plainly(calling):
    vendor = Vendor("plain")
    problem = Problem("invalid", violations=(Violation("body", "/a", "type", "must be a text"),))
    record = {"id": 1, "item": "pear", "status": "open"}

    assert vendor.error(problem, 422, str) == {
        "type": "about:blank",
        "title": "invalid",
        "status": 422,
        "detail": "a must be a text.",
        "violations": [{"in": "body", "pointer": "/a", "rule": "type", "message": "a must be a text."}],
    }
    assert vendor.answer(calling(), record) == record
    assert vendor.answer(calling(), [record]) == [record]
    assert vendor.answer(calling(), Page([record], 1, 10, 1)) == [record]
    assert vendor.answer(calling(), None) is None


@pytest.mark.parametrize("name", vendors())
def test_every_vendor_of_the_folder_can_be_loaded(name):
    assert load_vendor(name).name == name


def test_a_vendor_without_a_module_is_a_plain_one():
    assert load_vendor("nobody") == Vendor("nobody")


def test_a_module_that_names_no_vendor_is_a_defect(monkeypatch):
    monkeypatch.setattr("mock_server.vendors.wispgate.vendor", None)
    with pytest.raises(AssertionError, match="has no `vendor`"):
        load_vendor("wispgate")
    assert "mock_server.vendors.wispgate" in sys.modules
