"""SubscriptionFlow's modules: ten routes that behave alike everywhere, and what products, plans, prices, usages and users do of their own."""

from __future__ import annotations

from typing import Any

import pytest

NOW = "2026-04-13T10:21:00Z"
ADA, BASIL, CLEO = (f"c0000000-0000-4000-8000-{n:012d}" for n in (1, 2, 101))
GRACE = "c1000000-0000-4000-8000-000000000001"
MAGAZINE, ARCHIVE = (f"b0000000-0000-4000-8000-{n:012d}" for n in (1, 2))
MONTHLY, YEARLY, METERED = (f"d0000000-0000-4000-8000-{n:012d}" for n in (1, 2, 3))
FEE, YEARLY_FEE = (f"f0000000-0000-4000-8000-{n:012d}" for n in (1, 2))
CLUB = "50000000-0000-4000-8000-000000000001"
UNA = "90000000-0000-4000-8000-000000000001"
INSTALMENTS, JANUARY, FEBRUARY = (f"60000000-0000-4000-8000-{n:012d}" for n in (1, 2, 3))
PENDING, PROCESSED = (f"80000000-0000-4000-8000-{n:012d}" for n in (1, 2))
NOBODY = "names-nothing"

BODIES: dict[str, dict[str, Any]] = {
    "products": {"name": "Example Newsletter"},
    "plans": {"name": "Weekly", "product_id": MAGAZINE},
    "plan-prices": {"plan_id": MONTHLY, "name": "Handling", "list_price": {"USD": "1.50"}},
    "invoices": {"customer_id": ADA, "status": "due", "items": [{"plan_id": MONTHLY, "product_id": MAGAZINE}]},
    "transactions": {"customer_id": ADA, "amount": 10},
    "usages": {"subscription_id": CLUB, "charge_id": FEE, "quantity": 2},
    "credit-notes": {"customer_id": ADA, "amount": 5},
    "users": {"email": "uma@example.com"},
}
"""What a new record of each module needs."""
CHANGES = {"users": ("alias", "Umi"), "usages": ("name", "Pages")}
"""A field and a value that an update of a module may send, where it is not `data_source`."""
REFERENCES = {
    "plans": "product_id",
    "plan-prices": "plan_id",
    "invoices": "customer_id",
    "transactions": "customer_id",
    "usages": "subscription_id",
    "credit-notes": "customer_id",
}


def create(client, module: str, **fields: Any) -> Any:
    answer = client.post(f"/api/v1/{module}", json={**BODIES[module], **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def attributes(client, module: str, key: str) -> Any:
    answer = client.get(f"/api/v1/{module}/{key}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["attributes"]


def records(answer) -> Any:
    assert answer.is_success, answer.text
    return answer.json()["data"]


def keys(answer) -> list[str]:
    return [record["id"] for record in records(answer)]


def errors(answer, status: int = 422) -> dict[str, list[str]]:
    assert answer.status_code == status, answer.text
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


every_module = pytest.mark.parametrize("module", sorted(BODIES))


# Ten routes -----------------------------------------------------------------------------------------------------------


@every_module
def test_a_new_record_comes_as_one_resource_and_stays_so(api, module):
    data = create(api, module)
    base = f"http://sandbox.example.com/subscriptionflow/api/v1/{module}/{data['id']}"
    assert (data["type"], data["attributes"]["id"], data["links"]["self"]) == (module, data["id"], base)
    assert data["attributes"]["created_at"] == NOW
    assert records(api.get(f"/api/v1/{module}/{data['id']}")) == data
    assert not {"deleted_at", "created_by"} & set(data["attributes"]) or module == "users"


@every_module
def test_a_list_shows_it_last_and_pages_say_how_many_there_are(api, module):
    before = api.get(f"/api/v1/{module}").json()
    key = create(api, module)["id"]
    for path in ("", "/with-relations"):
        page = api.get(f"/api/v1/{module}{path}").json()
        assert page["data"][-1]["id"] == key
        assert page["meta"]["total"] == before["meta"]["total"] + 1
        assert page["links"]["next"] is None


@every_module
def test_the_list_with_relations_has_the_keys_of_other_records(api, module):
    data = create(api, module)
    flat = api.get(f"/api/v1/{module}/with-relations").json()["data"][-1]
    for name, link in data["relationships"].items():
        assert flat[name] == (link and link["id"]), name
        assert link is None or link["link"] == "N/A" or link["link"].endswith(f"/{link['id']}")


@every_module
def test_an_update_changes_what_is_sent(flow, api, module):
    name, value = CHANGES.get(module, ("data_source", "Elsewhere"))
    key = create(api, module)["id"]
    before = attributes(api, module, key)
    flow.advance(minutes=1)
    answer = api.put(f"/api/v1/{module}/{key}", json={name: value})
    assert answer.status_code == 202
    after = attributes(api, module, key)
    assert records(answer)["attributes"] == after
    assert {field for field in before if before[field] != after[field]} - {"updated_at"} == {name}
    assert after[name] == value


@every_module
def test_a_deleted_record_is_gone_for_every_route(api, module):
    key = create(api, module)["id"]
    answer = api.delete(f"/api/v1/{module}/{key}")
    assert (answer.status_code, answer.content) == (204, b"")
    for method in ("GET", "DELETE"):
        assert api.request(method, f"/api/v1/{module}/{key}").status_code == 404
    assert api.put(f"/api/v1/{module}/{key}", json={"data_source": "x"}).status_code == 404
    assert key not in keys(api.get(f"/api/v1/{module}"))
    assert keys(api.get(f"/api/v1/{module}/search?id={key}")) == []


@every_module
def test_search_and_filter_find_the_same_record(api, module):
    key = create(api, module, data_source="marked")["id"]
    assert keys(api.get(f"/api/v1/{module}/search?data_source=marked")) == [key]
    answer = api.post(f"/api/v1/{module}/filter", json={"filter": {"data_source": {"$equals": "marked"}}})
    assert (answer.status_code, keys(answer)) == (201, [key])
    by_form = api.post(f"/api/v1/{module}/filter", data={"filter[data_source][$starts]": "mark"})
    assert keys(by_form) == [key]
    assert errors(api.post(f"/api/v1/{module}/filter", json={"filter": {"shoe_size": {"$equals": "44"}}}), 400)


@every_module
def test_a_bulk_delete_answers_with_what_it_deleted(api, module):
    made = [create(api, module)["id"] for _ in range(2)]
    answer = api.post(f"/api/v1/{module}/bulk-delete", params={"ids": [*made, NOBODY]})
    assert (answer.status_code, keys(answer)) == (201, made)
    assert {record["deleted_at"] for record in records(answer)} == {NOW}
    assert not set(made) & set(keys(api.get(f"/api/v1/{module}")))


@every_module
def test_sites_never_meet(flow, api, module):
    key = create(api, module)["id"]
    other = flow.caller("sf-sandbox-other")
    assert other.get(f"/api/v1/{module}/{key}").status_code == 404
    assert key not in keys(other.get(f"/api/v1/{module}"))


@pytest.mark.parametrize("module", sorted(REFERENCES))
def test_a_key_that_names_no_record_of_the_site_is_refused_and_nothing_is_stored(api, module):
    before = api.get(f"/api/v1/{module}").json()["meta"]["total"]
    for key in (NOBODY, CLEO):
        answer = api.post(f"/api/v1/{module}", json={**BODIES[module], REFERENCES[module]: key})
        assert set(errors(answer)) == {REFERENCES[module]}
    assert api.get(f"/api/v1/{module}").json()["meta"]["total"] == before


@every_module
def test_every_field_that_a_record_lacks_is_named(api, module):
    needed = set(errors(api.post(f"/api/v1/{module}", json={})))
    assert needed <= set(BODIES[module])
    assert needed, "or the module would store what says nothing"


# Relations ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"products/{MAGAZINE}/link/plans", [MONTHLY, YEARLY]),
        (f"products/{MAGAZINE}/link/plan-prices", [FEE, YEARLY_FEE, "f0000000-0000-4000-8000-000000000003"]),
        (f"plans/{MONTHLY}/link/plan-prices", [FEE]),
        (f"plans/{MONTHLY}/link/products", [MAGAZINE]),
        (f"plan-prices/{FEE}/link/plans", [MONTHLY]),
        (f"plan-prices/{FEE}/link/products", [MAGAZINE]),
        (f"plan-prices/{FEE}/link/usages", [PENDING, PROCESSED]),
        (f"invoices/{INSTALMENTS}/link/transactions", ["70000000-0000-4000-8000-000000000001"]),
        (f"invoices/{JANUARY}/link/credit-notes", ["a0000000-0000-4000-8000-000000000001"]),
        (f"invoices/{JANUARY}/link/usages", [PROCESSED]),
        (f"invoices/{JANUARY}/link/customers", [ADA]),
        ("transactions/70000000-0000-4000-8000-000000000001/link/invoices", [INSTALMENTS]),
        ("transactions/70000000-0000-4000-8000-000000000001/link/customers", [ADA]),
        ("transactions/70000000-0000-4000-8000-000000000001/link/transactions", []),
        (f"usages/{PENDING}/link/subscriptions", [CLUB]),
        (f"usages/{PENDING}/link/customers", [ADA]),
        (f"usages/{PENDING}/link/plan-prices", [FEE]),
        (f"usages/{PROCESSED}/link/invoices", [JANUARY]),
        (f"usages/{PENDING}/link/invoices", []),
        ("credit-notes/a0000000-0000-4000-8000-000000000001/link/customers", [ADA]),
        ("credit-notes/a0000000-0000-4000-8000-000000000001/link/invoices", [JANUARY]),
        (f"customers/{ADA}/link/invoices", [INSTALMENTS, JANUARY, FEBRUARY]),
        (f"customers/{ADA}/link/payment-methods", ["40000000-0000-4000-8000-000000000001"]),
        (f"customers/{BASIL}/link/credit-notes", ["a0000000-0000-4000-8000-000000000002"]),
        (f"subscriptions/{CLUB}/link/invoices", [JANUARY, FEBRUARY]),
        (f"subscriptions/{CLUB}/link/usages", [PENDING, PROCESSED]),
    ],
)
def test_a_relation_gives_the_records_of_the_other_module(api, path, found):
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status_code, set(answer.json())) == (200, {"data"})
    assert keys(answer) == found


def test_a_user_has_the_records_they_look_after(api):
    assert keys(api.get(f"/api/v1/users/{UNA}/link/customers")) == []
    api.put(f"/api/v1/customers/{BASIL}", json={"assigned_to": UNA})
    api.put(f"/api/v1/contacts/{GRACE}", json={"assigned_to": UNA})
    assert keys(api.get(f"/api/v1/users/{UNA}/link/customers")) == [BASIL]
    assert keys(api.get(f"/api/v1/users/{UNA}/link/contacts")) == [GRACE]
    assert keys(api.get(f"/api/v1/users/{UNA}/link/subscriptions")) == []


def test_a_relation_of_what_does_not_exist_is_404_and_one_that_does_not_exist_400(api):
    assert api.get(f"/api/v1/invoices/{NOBODY}/link/transactions").status_code == 404
    assert set(errors(api.get(f"/api/v1/invoices/{JANUARY}/link/dragons"), 400)) == {"related"}


# Products, plans and prices -------------------------------------------------------------------------------------------


def test_a_plan_shows_its_prices_as_they_are(api):
    key = create(api, "plan-prices", plan_id=MONTHLY)["id"]
    shown = attributes(api, "plans", MONTHLY)["plan_prices"]
    assert [(price["name"], price["product_id"]) for price in shown] == [
        ("Monthly fee", MAGAZINE),
        ("Handling", MAGAZINE),
    ]
    api.put(f"/api/v1/plan-prices/{key}", json={"list_price": {"USD": "2"}})
    assert attributes(api, "plans", MONTHLY)["plan_prices"][1]["list_price"] == {"USD": "2"}
    (plan,) = [plan for plan in attributes(api, "products", MAGAZINE)["plans"] if plan["id"] == MONTHLY]
    assert plan["plan_prices"] == attributes(api, "plans", MONTHLY)["plan_prices"]
    api.delete(f"/api/v1/plan-prices/{key}")
    assert [price["name"] for price in attributes(api, "plans", MONTHLY)["plan_prices"]] == ["Monthly fee"]


def test_a_price_by_tiers_comes_back_as_it_was_sent(api):
    tiers = [
        {"qty_from": "1", "qty_to": "9", "list_price": {"USD": "3"}, "fee_type": "per_unit"},
        {"qty_from": "10", "qty_to": None, "list_price": {"USD": "20"}, "fee_type": "flat_fee"},
    ]
    key = create(api, "plan-prices", charge_model="volume", tiered_pricing=tiers)["id"]
    assert attributes(api, "plan-prices", key)["tiered_pricing"] == tiers


@pytest.mark.parametrize("encoding", ["json", "data"])
def test_a_plan_is_linked_to_a_product_and_its_prices_with_it(api, encoding):
    answer = api.post("/api/v1/link-product-plan", **{encoding: {"plan_id": MONTHLY, "product_id": ARCHIVE}})
    assert (answer.status_code, answer.json()["status"]) == (200, True)
    assert keys(api.get(f"/api/v1/products/{ARCHIVE}/link/plans")) == [MONTHLY, METERED]
    assert keys(api.get(f"/api/v1/products/{MAGAZINE}/link/plans")) == [YEARLY]
    assert [price["product_id"] for price in attributes(api, "plans", MONTHLY)["plan_prices"]] == [ARCHIVE]


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"plan_id", "product_id"}),
        ({"plan_id": MONTHLY, "product_id": NOBODY}, {"product_id"}),
        ({"plan_id": NOBODY, "product_id": ARCHIVE}, {"plan_id"}),
    ],
)
def test_a_link_between_what_does_not_exist_is_refused(api, body, fields):
    assert set(errors(api.post("/api/v1/link-product-plan", json=body))) == fields


def test_a_product_leaves_its_plans_behind_and_a_plan_its_prices(api):
    api.delete(f"/api/v1/products/{MAGAZINE}")
    data = records(api.get(f"/api/v1/plans/{MONTHLY}"))
    assert data["relationships"]["product_id"] is None
    assert [price["product_id"] for price in data["attributes"]["plan_prices"]] == [None]
    api.post("/api/v1/plans/bulk-delete", params={"ids": MONTHLY})
    links = records(api.get(f"/api/v1/plan-prices/{FEE}"))["relationships"]
    assert (links["plan_id"], links["product_id"]) == (None, None)
    assert records(api.get(f"/api/v1/plan-prices/{YEARLY_FEE}"))["relationships"]["plan_id"]["id"] == YEARLY


def test_a_subscription_keeps_the_price_it_was_made_with(api):
    before = attributes(api, "subscriptions", CLUB)["items"]
    api.put(f"/api/v1/plan-prices/{FEE}", json={"list_price": {"USD": "99"}})
    assert attributes(api, "subscriptions", CLUB)["items"] == before


# Usages ---------------------------------------------------------------------------------------------------------------


def test_a_usage_is_the_subscribers_and_waits_to_be_billed(api):
    data = create(api, "usages", quantity=2.5)
    assert (data["attributes"]["status"], data["attributes"]["quantity"]) == ("Pending", 2.5)
    assert data["relationships"]["customer_id"]["id"] == ADA
    assert data["relationships"]["invoice_id"] is None


@pytest.mark.parametrize(("field", "value"), [("charge_id", YEARLY_FEE), ("customer_id", BASIL)])
def test_a_usage_of_what_the_subscription_does_not_have_is_refused(api, field, value):
    answer = api.post("/api/v1/usages", json={**BODIES["usages"], field: value})
    assert set(errors(answer)) == {field}


def test_a_usage_that_was_billed_can_no_longer_change(api):
    path = f"/api/v1/usages/{PROCESSED}"
    answer = api.put(path, json={"quantity": 3})
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    assert records(api.get(path))["attributes"]["quantity"] == 1


def test_a_usage_can_be_billed_again_once_its_invoice_is_gone(api):
    api.delete(f"/api/v1/invoices/{JANUARY}")
    usage = records(api.get(f"/api/v1/usages/{PROCESSED}"))
    assert (usage["attributes"]["status"], usage["relationships"]["invoice_id"]) == ("Pending", None)


# Users ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["user_type", "status"])
def test_a_users_kind_and_status_are_of_the_printed_ones(api, field):
    assert set(errors(api.post("/api/v1/users", json={**BODIES["users"], field: "7"}))) == {field}


def test_a_record_links_to_the_user_who_looks_after_it(api):
    data = create(api, "credit-notes", assigned_to=UNA)
    link = data["relationships"]["assigned_to"]["link"]
    assert link == f"http://sandbox.example.com/subscriptionflow/api/v1/users/{UNA}"
    assert attributes(api, "users", UNA)["first_name"] == "Una"
