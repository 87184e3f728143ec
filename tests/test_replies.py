"""What is remembered under an idempotency key, and for how long."""

from __future__ import annotations

from mock_server.replies import REPLIES
from mock_server.store import SWEPT

PEAR = {"item": "pear", "status": "open"}


def order(shop, body=PEAR, key=None, client=None):
    return (client or shop.api).post("/orders", json=body, headers={"X-Once": key} if key else {})


def test_a_repeated_call_gets_the_first_answer_and_is_told_so(shop):
    first, again = order(shop, key="k"), order(shop, key="k")

    assert again.content == first.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers


def test_a_key_of_one_operation_says_nothing_to_another(shop):
    order(shop, key="k")
    changed = shop.api.patch("/orders/1", json={"quantity": 9}, headers={"X-Once": "k"})

    assert (changed.status_code, changed.json()["quantity"]) == (200, 9)


def test_a_key_of_one_record_is_refused_for_another(shop):
    shop.api.patch("/orders/1", json={"quantity": 9}, headers={"X-Once": "k"})

    assert shop.api.patch("/orders/2", json={"quantity": 9}, headers={"X-Once": "k"}).status_code == 422


def test_a_change_is_replayed_as_it_was(shop):
    first = shop.api.patch("/orders/1", json={"quantity": 9}, headers={"X-Once": "k"})
    shop.api.patch("/orders/1", json={"quantity": 8})

    assert shop.api.patch("/orders/1", json={"quantity": 9}, headers={"X-Once": "k"}).content == first.content
    assert shop.api.get("/orders/1").json()["quantity"] == 8


def test_numbers_that_are_written_differently_make_another_body(shop):
    order(shop, {**PEAR, "quantity": 1}, key="k")

    assert order(shop, {**PEAR, "quantity": 2}, key="k").status_code == 422


def test_replies_that_are_outdated_are_dropped_little_by_little(shop):
    for n in range(SWEPT + 5):
        order(shop, key=f"old-{n}")
    assert len(shop.entries(REPLIES)) == SWEPT + 5

    shop.advance(hours=1)
    order(shop, key="new-1")
    assert len(shop.entries(REPLIES)) == 6
    order(shop, key="new-2")
    assert [entry["id"].split("\n")[-1] for entry in shop.entries(REPLIES)] == ["new-1", "new-2"]


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
