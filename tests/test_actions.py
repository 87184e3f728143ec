"""What create, retrieve, list, search, update and delete mean everywhere, on a miniature vendor."""

from __future__ import annotations

import pytest

PEAR = {"item": "pear", "status": "open"}


def order(shop, **values):
    return shop.api.post("/orders", json={**PEAR, **values})


def ids(answer) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [record["id"] for record in answer.json()]


# Create ---------------------------------------------------------------------------------------------------------------


def test_creating_mints_ids_stamps_times_and_keeps_what_was_sent(shop):
    made = order(shop, reference="A-3", quantity=2, note=None)

    assert made.status_code == 201
    slip = made.json().pop("slip")
    assert made.json() == {
        "id": 8,
        "slip": slip,
        "reference": "A-3",
        "item": "pear",
        "quantity": 2,
        "note": None,
        "status": "open",
        "made": 1776075660,
        "moved": 1776075660,
        "gone": None,
    }


def test_creating_keeps_only_what_the_body_declares(shop):
    made = order(shop, id=99, slip="mine", made=1, gone=1, colour="green").json()

    assert (made["id"], made["made"], made["gone"]) == (8, 1776075660, None)
    assert made["slip"] != "mine"
    assert "colour" not in made


def test_what_is_write_only_is_kept_and_never_shown(shop):
    made = order(shop, pin="1234").json()

    assert "pin" not in made
    assert "pin" not in shop.api.get(f"/orders/{made['id']}").json()
    engine = shop.app.engines["shop"]
    assert engine.begin(shop.world).get(("north", "Order"), made["id"])["pin"] == "1234"


def test_a_unique_field_is_taken_once_within_a_tenant(shop):
    refused = order(shop, reference="A-1")

    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (409, "/reference")
    assert order(shop, reference="a-1").status_code == 201


def test_a_unique_pair_is_taken_only_together(shop):
    assert order(shop, note="for Noor").status_code == 201
    assert order(shop, note="for Noor", item="plum").status_code == 201
    assert order(shop, note="for Maria").status_code == 201
    refused = order(shop, note="for Noor")
    assert [found["pointer"] for found in refused.json()["violations"]] == ["/item", "/note"]


def test_an_absent_or_null_member_frees_a_record_from_a_unique_pair(shop):
    assert [order(shop).status_code, order(shop).status_code] == [201, 201]
    assert [order(shop, note=None).status_code, order(shop, note=None).status_code] == [201, 201]


def test_what_was_deleted_no_longer_takes_a_unique_field(shop):
    shop.api.delete("/orders/1")

    assert order(shop, reference="A-1").status_code == 201


def test_a_field_that_names_no_record_is_told_with_every_other(shop):
    refused = order(shop, item="none")

    assert refused.status_code == 422
    assert refused.json()["violations"] == [
        {"in": "body", "pointer": "/item", "rule": "dangling", "message": "item names no Item."}
    ]


# Retrieve -------------------------------------------------------------------------------------------------------------


def test_a_record_is_found_by_its_key(shop):
    assert shop.api.get("/orders/1").json()["reference"] == "A-1"


@pytest.mark.parametrize("key", ["3", "7", "-1", "999999999999999999999"])
def test_a_key_that_names_nothing_here_is_unknown(shop, key):
    answer = shop.api.get(f"/orders/{key}")

    assert (answer.status_code, answer.json()["violations"][0]["rule"]) == (404, "unknown")


def test_a_key_of_another_type_is_a_wrong_parameter(shop):
    assert shop.api.get("/orders/first").status_code == 400


def test_a_callers_own_record_is_named_by_the_credential(shop):
    assert shop.api.get("/my-order").json()["id"] == 1


def test_a_caller_without_a_record_of_their_own_has_none(shop):
    answer = shop.caller("shop-sandbox-south").get("/my-order")

    assert (answer.status_code, answer.json()["violations"]) == (404, [])


# List and search ------------------------------------------------------------------------------------------------------


def test_a_list_has_pages_in_order_of_creation(shop):
    made = [order(shop).json()["id"] for _ in range(3)]

    pages = [ids(shop.api.get("/orders", params={"page": n})) for n in (1, 2, 3, 4)]
    assert pages == [[1, 2], made[:2], made[2:], []]
    assert ids(shop.api.get("/orders")) == pages[0]


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "1001", ""])
def test_a_page_that_cannot_be_is_refused(shop, page):
    assert shop.api.get("/orders", params={"page": page}).status_code == 400


def test_a_list_without_a_page_parameter_is_whole(shop):
    made = [order(shop).json()["id"] for _ in range(3)]

    assert ids(shop.api.get("/items/pear/orders")) == [1, 2, *made]


def test_a_path_that_names_no_record_is_unknown(shop):
    answer = shop.api.get("/items/none/orders")

    assert (answer.status_code, answer.json()["violations"][0]["pointer"]) == (404, "/item")


def test_a_search_finds_what_equals_every_value(shop):
    made = order(shop, quantity=3, reference="A-3").json()["id"]

    assert ids(shop.api.get("/orders/search", params={"quantity": 3})) == [1, made]
    assert ids(shop.api.get("/orders/search", params={"quantity": 3, "reference": "A-3"})) == [made]
    assert ids(shop.api.get("/orders/search", params={"quantity": 4})) == []


def test_a_search_for_nothing_finds_nothing(shop):
    assert ids(shop.api.get("/orders/search")) == []
    assert ids(shop.api.get("/orders/search", params={"colour": "green"})) == []


# Update ---------------------------------------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_nothing_else(shop):
    before = shop.api.get("/orders/1").json()
    shop.advance(minutes=1)
    after = shop.api.patch("/orders/1", json={"quantity": 5}).json()

    assert after == {**before, "quantity": 5, "moved": 1776075720}
    assert shop.api.get("/orders/1").json() == after


def test_null_is_a_value_and_absence_is_none(shop):
    shop.api.patch("/orders/1", json={"note": "soon"})
    assert shop.api.patch("/orders/1", json={}).json()["note"] == "soon"
    assert shop.api.patch("/orders/1", json={"note": None}).json()["note"] is None


def test_an_update_cannot_change_what_its_body_does_not_declare(shop):
    after = shop.api.patch("/orders/1", json={"id": 5, "status": "shipped", "made": 1, "item": "plum"}).json()

    assert (after["id"], after["status"], after["made"], after["item"]) == (1, "open", 1767225600, "pear")


def test_an_update_cannot_change_what_only_the_server_sets(shop):
    assert shop.api.patch("/orders/1", json={"slip": "mine"}).json()["slip"] == "slip-00000001"


def test_an_update_may_keep_its_own_unique_field_but_not_take_anothers(shop):
    assert shop.api.patch("/orders/1", json={"reference": "A-1"}).status_code == 200
    assert shop.api.patch("/orders/1", json={"reference": "A-2"}).status_code == 409


def test_an_update_keeps_the_order_of_a_list(shop):
    shop.api.patch("/orders/1", json={"quantity": 9})

    assert ids(shop.api.get("/orders")) == [1, 2]


def test_an_operation_may_name_its_record_in_the_body_and_fix_a_value(shop):
    shipped = shop.api.post("/orders/ship", json={"order_id": 1, "status": "open", "note": "left"}).json()

    assert (shipped["id"], shipped["status"], shipped["note"]) == (1, "shipped", "left")


def test_a_record_in_another_state_is_refused(shop):
    refused = shop.api.post("/orders/ship", json={"order_id": 2})

    assert (refused.status_code, refused.json()["detail"]) == (409, "The Order is shipped; this needs open.")


def test_a_body_that_names_no_record_is_unknown(shop):
    refused = shop.api.post("/orders/ship", json={"order_id": 99})

    assert (refused.status_code, refused.json()["violations"][0]["pointer"]) == (404, "/order_id")


# Delete ---------------------------------------------------------------------------------------------------------------


def test_what_was_deleted_is_gone_everywhere(shop):
    answer = shop.api.delete("/orders/1")

    assert (answer.status_code, answer.content) == (204, b"")
    assert shop.api.get("/orders/1").status_code == 404
    assert shop.api.patch("/orders/1", json={}).status_code == 404
    assert shop.api.delete("/orders/1").status_code == 404
    assert ids(shop.api.get("/orders")) == [2]
    assert ids(shop.api.get("/orders/search", params={"reference": "A-1"})) == []
    assert shop.api.get("/my-order").status_code == 404


def test_only_a_record_in_the_right_state_is_deleted(shop):
    assert shop.api.delete("/orders/2").status_code == 409
    assert shop.api.get("/orders/2").status_code == 200


def test_of_many_keys_those_that_name_something_are_deleted_once_and_told(shop):
    answer = shop.api.delete("/orders", params=[("ids", 2), ("ids", 99), ("ids", 2), ("ids", 1), ("ids", 7)])

    assert ids(answer) == [2, 1]
    assert {record["gone"] for record in answer.json()} == {1776075660}
    assert ids(shop.api.get("/orders")) == []
    assert ids(shop.caller("shop-sandbox-south").get("/orders")) == [7]


def test_an_id_is_never_given_twice(shop):
    first = order(shop).json()["id"]
    shop.api.delete(f"/orders/{first}")

    assert order(shop).json()["id"] == first + 1
