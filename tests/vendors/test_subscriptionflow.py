"""SubscriptionFlow, decision by decision: tokens, envelopes, pages, filters, relations, subscriptions and their clock."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

NOW = "2026-04-13T10:21:00Z"
ADA = "c0000000-0000-4000-8000-000000000001"
BASIL = "c0000000-0000-4000-8000-000000000002"
CLEO = "c0000000-0000-4000-8000-000000000101"
GRACE = "c1000000-0000-4000-8000-000000000001"
ADAS_MAIL = "e0000000-0000-4000-8000-000000000001"
MAGAZINE = "b0000000-0000-4000-8000-000000000001"
MONTHLY, YEARLY = "d0000000-0000-4000-8000-000000000001", "d0000000-0000-4000-8000-000000000002"
YEARLY_FEE = "f0000000-0000-4000-8000-000000000002"
CLUB = "50000000-0000-4000-8000-000000000001"
NOBODY = "names-nothing"
DORA = {"name": "Dora Example", "email": "dora@example.com"}
CLIENT = {"client_id": "sf-sandbox-client", "client_secret": "sf-sandbox-secret", "grant_type": "client_credentials"}
EVERGREEN = {
    "customer_id": ADA,
    "type": "evergreen",
    "order_date": "2026-04-13",
    "trigger_dates": "2026-04-13",
    "items": [{"plan_id": MONTHLY, "product_id": MAGAZINE}],
}
TERMED = {
    **EVERGREEN,
    "type": "Termed",
    "termed_start_date": "2026-04-01",
    "termed_initial_period": 1,
    "termed_initial_period_type": "month",
    "renewal_type": "Renew with Specific Term",
}


def create(client, body: Any = DORA, module: str = "customers", **options: Any):
    return client.post(f"/api/v1/{module}", json=body, **options)


def created(client, body: Any = DORA, module: str = "customers") -> Any:
    answer = create(client, body, module)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def attributes(client, module: str, key: str) -> Any:
    answer = client.get(f"/api/v1/{module}/{key}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]["attributes"]


def names(answer) -> list[str]:
    assert answer.is_success, answer.text
    return [record["name"] for record in answer.json()["data"]]


def errors(answer, status: int = 422) -> dict[str, list[str]]:
    assert answer.status_code == status, answer.text
    found: dict[str, list[str]] = answer.json()["errors"]
    return found


# Tokens ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["json", "data"])
def test_a_client_gets_a_token_from_json_and_from_a_form(flow, encoding):
    answer = flow.caller(None).post("/oauth/token", **{encoding: {**CLIENT, "scope": ""}})

    assert answer.status_code == 200
    assert set(answer.json()) == {"token_type", "expires_in", "access_token"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert names(flow.caller(answer.json()["access_token"]).get("/api/v1/customers")) == ["Ada Example", "Basil Sample"]


def test_a_token_sees_the_site_of_its_client(flow):
    other = {**CLIENT, "client_id": "sf-sandbox-client-other", "client_secret": "sf-sandbox-secret-other"}
    token = flow.caller(None).post("/oauth/token", json=other).json()["access_token"]

    assert names(flow.caller(token).get("/api/v1/customers")) == ["Cleo Elsewhere"]


def test_a_token_lives_for_an_hour_of_the_sandboxes_time(flow):
    caller = flow.caller(flow.caller(None).post("/oauth/token", json=CLIENT).json()["access_token"])

    flow.advance(minutes=59)
    assert caller.get("/api/v1/customers").status_code == 200
    flow.advance(minutes=1)
    assert caller.get("/api/v1/customers").status_code == 401


def test_every_token_is_another(flow):
    tokens = {flow.caller(None).post("/oauth/token", json=CLIENT).json()["access_token"] for _ in range(3)}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    "wrong", [{"client_id": "nobody"}, {"client_secret": "guessed"}, {"client_id": "sf-sandbox-client-other"}]
)
def test_a_wrong_client_is_401_in_oauths_words(flow, wrong):
    answer = flow.caller(None).post("/oauth/token", json={**CLIENT, **wrong})

    words = "Client authentication failed"
    assert answer.status_code == 401
    assert answer.json() == {"error": "invalid_client", "error_description": words, "message": words}


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"json": {"grant_type": "client_credentials"}}, "invalid_request"),
        ({"data": {}}, "invalid_request"),
        ({"json": {**CLIENT, "grant_type": "password"}}, "unsupported_grant_type"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, "invalid_request"),
    ],
)
def test_a_token_request_that_is_wrong_is_400_in_oauths_words(flow, sent, error):
    answer = flow.caller(None).post("/oauth/token", **sent)

    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["message"] == answer.json()["error_description"] != ""


def test_a_token_request_of_another_type_is_415_in_oauths_words(flow):
    answer = flow.caller(None).post("/oauth/token", content=b"<a/>", headers={"Content-Type": "application/xml"})
    assert (answer.status_code, answer.json()["error"]) == (415, "invalid_request")


@pytest.mark.parametrize("token", [None, "sf-unknown", "sf-sandbox-expired"])
def test_without_a_valid_token_nothing_is_served(flow, token):
    answer = flow.caller(token).get("/api/v1/customers")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthenticated."})


# One record -----------------------------------------------------------------------------------------------------------


def test_a_created_customer_comes_as_one_resource(api):
    answer = create(api, {**DORA, "parent_id": ADA, "assigned_to": "7", "tax_company": "t-1"})

    assert answer.status_code == 201
    data = answer.json()["data"]
    base, key = "http://sandbox.example.com/subscriptionflow", data["id"]
    assert (data["type"], data["attributes"]["id"]) == ("customers", key)
    assert data["links"] == {"self": f"{base}/api/v1/customers/{key}", "app_url": f"{base}/customer-detail/{key}"}
    assert data["relationships"]["parent_id"] == {"id": ADA, "link": f"{base}/api/v1/customers/{ADA}"}
    assert data["relationships"]["assigned_to"] == {"id": "7", "link": f"{base}/api/v1/users/7"}
    assert data["relationships"]["tax_company"] == {"id": "t-1", "link": "N/A"}
    assert data["relationships"]["created_by"] is None
    assert api.get(f"/api/v1/customers/{key}").json() == answer.json()


def test_a_link_quotes_what_an_address_cannot_hold(api):
    users = "http://sandbox.example.com/subscriptionflow/api/v1/users"
    for key, written in (("a b/ä?", "a%20b%2F%C3%A4%3F"), ("a~b_c.d-e", "a~b_c.d-e"), ("a\n", "a%0A")):
        assert created(api, {**DORA, "assigned_to": key})["relationships"]["assigned_to"] == {
            "id": key, "link": f"{users}/{written}"
        }  # fmt: skip


def test_a_field_without_a_value_is_null_and_the_keys_of_other_records_are_not_among_the_attributes(api):
    found = created(api)["attributes"]
    assert found["phone_number"] is None
    assert not {"parent_id", "created_by", "portal_pass", "deleted_at"} & set(found)


def test_the_server_sets_number_stamps_and_balance(api):
    found = created(api)["attributes"]
    assert (found["created_at"], found["updated_at"], found["balance"]) == (NOW, NOW, 0)
    assert found["customer_number"] == "CUS_000001"
    assert created(api, {**DORA, "customer_number": "mine"})["attributes"]["customer_number"] == "mine"


def test_a_customers_mail_address_becomes_a_record_and_follows_them(api):
    customer = created(api)
    address = customer["relationships"]["email"]
    assert attributes(api, "email-addresses", address["id"])["email"] == "dora@example.com"

    api.put(f"/api/v1/customers/{customer['id']}", json={"email": "d.example@example.com"})
    assert attributes(api, "email-addresses", address["id"])["email"] == "d.example@example.com"


def test_a_form_says_the_same_as_json(api):
    form = create(api, None).request.url, {**DORA, "portal_is_enabled": "1", "billing_city": "Austin"}
    by_form = api.post(form[0], data=form[1]).json()["data"]["attributes"]
    by_json = created(api, {**DORA, "portal_is_enabled": 1, "billing_city": "Austin"})["attributes"]

    assert {**by_form, "id": 0, "customer_number": 0} == {**by_json, "id": 0, "customer_number": 0}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"name", "email"}),
        ({"email": "x@example.com"}, {"name"}),
        ({"name": None, "email": None}, {"name", "email"}),
        ({**DORA, "auto_charge": 2, "tax_exempt": "yes"}, {"auto_charge", "tax_exempt"}),
        ({**DORA, "phone_number": 5550100}, {"phone_number"}),
    ],
)
def test_every_field_at_fault_is_named(api, body, fields):
    assert set(errors(create(api, body))) == fields


def test_a_missing_field_is_told_in_the_frameworks_words(api):
    answer = create(api, {"name": "Dora Example"})
    assert answer.json() == {
        "message": "The given data was invalid.",
        "errors": {"email": ["The email field is required."]},
    }


@pytest.mark.parametrize(
    ("module", "body"),
    [
        ("customers", {**DORA, "parent_id": NOBODY}),
        ("customers", {**DORA, "parent_id": CLEO}),
        ("contacts", {"customer_id": NOBODY}),
        ("email-addresses", {"emailable_id": NOBODY}),
        ("plans", {"name": "Daily", "product_id": NOBODY}),
    ],
)
def test_a_key_that_names_no_record_of_the_site_is_refused_and_nothing_is_stored(api, module, body):
    before = api.get(f"/api/v1/{module}").json()["meta"]["total"]
    (field,) = errors(create(api, body, module))
    assert body[field] in (NOBODY, CLEO)
    assert api.get(f"/api/v1/{module}").json()["meta"]["total"] == before


def test_an_update_changes_what_is_sent_and_leaves_the_rest(flow, api):
    before = attributes(api, "customers", ADA)
    flow.advance(minutes=1)
    answer = api.put(f"/api/v1/customers/{ADA}", json={"billing_city": "Houston", "company": None})

    assert answer.status_code == 202
    after = answer.json()["data"]["attributes"]
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"billing_city", "company", "updated_at"}
    assert (after["billing_city"], after["company"], after["updated_at"]) == ("Houston", None, "2026-04-13T10:22:00Z")


def test_an_update_of_a_customer_may_be_empty(api):
    assert api.put(f"/api/v1/customers/{ADA}").status_code == 202


@pytest.mark.parametrize("field", ["id", "created_at", "updated_at", "deleted_at", "balance", "unapplied_amount"])
def test_what_only_the_server_sets_is_ignored_in_a_request(api, field):
    key = created(api, {**DORA, field: "set by me"})["id"]
    assert api.put(f"/api/v1/customers/{key}", json={field: 17}).status_code == 202
    (record,) = api.post("/api/v1/customers/filter", json={"filter": {"id": {"$equals": key}}}).json()["data"]
    assert record[field] not in ("set by me", 17)


def test_a_password_is_never_shown(api):
    key = created(api, {**DORA, "portal_pass": "not for eyes"})["id"]
    pages = [f"/{key}", "", "/with-relations", "/search?name=Dora+Example"]
    assert not any("not for eyes" in api.get(f"/api/v1/customers{page}").text for page in pages)
    answer = api.post("/api/v1/customers/bulk-delete", params={"ids": f'["{key}"]'})
    assert "not for eyes" not in answer.text and "portal_pass" not in answer.text


def test_a_deleted_record_is_gone_everywhere(api):
    answer = api.delete(f"/api/v1/contacts/{GRACE}")

    assert (answer.status_code, answer.content) == (204, b"")
    for method, path in [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/link/customers")]:
        options = {"json": {}} if method == "PUT" else {}
        assert api.request(method, f"/api/v1/contacts/{GRACE}{path}", **options).status_code == 404
    assert names(api.get("/api/v1/contacts")) == ["Hugo Example"]
    assert names(api.get(f"/api/v1/customers/{ADA}/link/contacts")) == ["Hugo Example"]
    assert names(api.get("/api/v1/contacts/search?last_name=Sample")) == []


def test_a_missing_record_is_404_in_the_frameworks_envelope(api):
    answer = api.get(f"/api/v1/customers/{NOBODY}")
    assert (answer.status_code, set(answer.json())) == (404, {"message"})


def test_a_deleted_customer_can_no_longer_be_referred_to(api):
    api.delete(f"/api/v1/customers/{BASIL}")
    assert set(errors(create(api, {"customer_id": BASIL}, "contacts"))) == {"customer_id"}


def test_sites_never_meet(flow, api):
    other = flow.caller("sf-sandbox-other")
    assert other.get(f"/api/v1/customers/{ADA}").status_code == 404
    assert api.get(f"/api/v1/customers/{CLEO}").status_code == 404
    key = created(other)["id"]
    assert api.get(f"/api/v1/customers/{key}").status_code == 404
    assert names(api.post("/api/v1/customers/bulk-delete", params={"ids": key})) == []
    assert other.get(f"/api/v1/customers/{key}").status_code == 200


# Lists ----------------------------------------------------------------------------------------------------------------


def test_a_list_has_200_a_page_with_links_and_meta(api):
    for number in range(200):
        created(api, {"name": f"Customer {number}", "email": "many@example.com"})
    base = "http://sandbox.example.com/subscriptionflow/api/v1/customers"
    first, second = api.get("/api/v1/customers").json(), api.get("/api/v1/customers?page=2").json()

    assert len(first["data"]) == 200
    assert [record["name"] for record in second["data"]] == ["Customer 198", "Customer 199"]
    assert first["links"] == {
        "first": f"{base}?page=1", "last": f"{base}?page=2", "prev": None, "next": f"{base}?page=2"
    }  # fmt: skip
    assert (second["links"]["prev"], second["links"]["next"]) == (f"{base}?page=1", None)
    assert {name: value for name, value in second["meta"].items() if name != "links"} == {
        "current_page": 2, "from": 201, "last_page": 2, "path": base, "per_page": 200, "to": 202, "total": 202
    }  # fmt: skip
    assert [(bar["label"], bar["active"]) for bar in first["meta"]["links"]] == [
        ("&laquo; Previous", False), ("1", True), ("2", False), ("Next &raquo;", False)
    ]  # fmt: skip
    assert not {record["id"] for record in first["data"]} & {record["id"] for record in second["data"]}


def test_the_links_of_a_page_keep_the_rest_of_the_query(api):
    found = api.get("/api/v1/customers?sort=a+b&page=1&of=%26").json()
    assert found["links"]["first"].endswith("/customers?sort=a+b&of=%26&page=1")
    assert found["meta"]["links"][1]["url"] == found["links"]["first"]


def test_a_page_past_the_last_is_empty(api):
    found = api.get("/api/v1/contacts?page=9").json()
    assert (found["data"], found["meta"]["from"], found["meta"]["to"], found["meta"]["total"]) == ([], None, None, 2)


@pytest.mark.parametrize("page", ["0", "-1", "one", "99999999999"])
def test_a_page_that_is_no_number_from_1_is_refused(api, page):
    assert set(errors(api.get("/api/v1/customers", params={"page": page}), 400)) == {"page"}


def test_the_list_with_relations_has_the_keys_of_other_records_and_ignores_filters(api):
    answer = api.get("/api/v1/customers/with-relations", params={"filter[name][$equals]": "Ada Example"})
    assert set(answer.json()) == {"data", "links", "meta"}
    assert [record["parent_id"] for record in answer.json()["data"]] == [None, ADA]
    assert not any("parent_id" in record for record in api.get("/api/v1/customers").json()["data"])


def test_a_list_of_contacts_shows_every_printed_field(api):
    assert [record["customer_id"] for record in api.get("/api/v1/contacts").json()["data"]] == [ADA, ADA]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"customers/{ADA}/link/contacts", ["Grace Sample", "Hugo Example"]),
        (f"customers/{ADA}/link/subscriptions", ["Reading club", "One year"]),
        (f"customers/{BASIL}/link/contacts", []),
        (f"contacts/{GRACE}/link/customers", ["Ada Example"]),
        (f"email-addresses/{ADAS_MAIL}/link/customers", ["Ada Example"]),
    ],
)
def test_what_belongs_together_is_found_by_its_relation(api, path, found):
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status_code, set(answer.json())) == (200, {"data"})
    assert names(answer) == found


def test_a_customers_addresses_say_whose_they_are(api):
    (address,) = api.get(f"/api/v1/customers/{ADA}/link/email-addresses").json()["data"]
    assert (address["emailable_id"], address["emailable_type"]) == (ADA, r"Modules\Customers\Entities\Customer")


def test_a_relation_needs_a_record_and_a_name(api):
    assert api.get(f"/api/v1/customers/{NOBODY}/link/contacts").status_code == 404
    assert set(errors(api.get(f"/api/v1/customers/{ADA}/link/dragons"), 400)) == {"related"}


def test_an_address_without_a_holder_has_no_customer(api):
    address = created(api, {"email": "press@example.com"}, "email-addresses")
    assert address["relationships"] == {"emailable_id": None}
    assert names(api.get(f"/api/v1/email-addresses/{address['id']}/link/customers")) == []


# Filters and searches -------------------------------------------------------------------------------------------------


def encoded(client, module: str, conditions: dict[str, Any], **options: Any) -> list[Any]:
    """The same filter in the query, as JSON and as a form."""

    def pairs(name: str, value: Any) -> list[tuple[str, str]]:
        if isinstance(value, dict):
            return [pair for key, item in value.items() for pair in pairs(f"{name}[{key}]", item)]
        if isinstance(value, list):
            return [(f"{name}[]", item) for item in value]
        return [(name, value if isinstance(value, str) else str(value).lower())]

    path = f"/api/v1/{module}/filter"
    flat = pairs("filter", conditions)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return [
        client.post(path, params=[*flat, *options.items()]),
        client.post(path, json={"filter": conditions}, params=options),
        client.post(path, content=urlencode(flat), headers=form, params=options),
    ]


def filtered(client, conditions: dict[str, Any], module: str = "customers") -> list[str]:
    """The names that a filter finds, the same in every encoding."""
    answers = encoded(client, module, conditions)
    assert [answer.status_code for answer in answers] == [201, 201, 201], answers[0].text
    assert answers[0].json() == answers[1].json() == answers[2].json()
    return names(answers[0])


@pytest.mark.parametrize(
    ("column", "operator", "operand", "found"),
    [
        ("name", "$equals", "Ada Example", ["Ada"]),
        ("name", "$equals", "ada example", []),
        ("name", "$not_equals", "Ada Example", ["Basil"]),
        ("name", "$starts", "Ba", ["Basil"]),
        ("name", "$ends", "Example", ["Ada"]),
        ("name", "$contains", "a", ["Ada", "Basil"]),
        ("name", "$in", ["Ada Example", "Nobody"], ["Ada"]),
        ("name", "$in", "Basil Sample, Ada Example", ["Ada", "Basil"]),
        ("name", "$in", '["Basil Sample"]', ["Basil"]),
        ("name", "$in", "['Basil Sample','x']", ["Basil"]),
        ("name", "$not_in", ["Ada Example"], ["Basil"]),
        ("company", "$is_null", "true", ["Basil"]),
        ("company", "$is_null", "0", ["Ada"]),
        ("company", "$not_null", "1", ["Ada"]),
        ("company", "$not_null", "false", ["Basil"]),
        ("company", "$not_equals", "Other", ["Ada"]),
        ("company", "$not_in", ["Other"], ["Ada"]),
        ("created_at", "$lt", "2026-01-02T00:00:00Z", ["Ada"]),
        ("created_at", "$lte", "2026-01-02T01:00:00+01:00", ["Ada", "Basil"]),
        ("created_at", "$gt", "2026-01-01", ["Basil"]),
        ("created_at", "$gte", "2026-01-02", ["Basil"]),
        ("created_at", "$gt", "no moment", []),
        ("auto_charge", "$equals", "1", ["Ada"]),
        ("auto_charge", "$lt", "0.5", ["Basil"]),
        ("auto_charge", "$gte", "much", []),
        ("parent_id", "$equals", ADA, ["Basil"]),
        ("billing_postal_code", "$gt", "9", []),
    ],
)
def test_an_operator_finds_what_it_says_in_every_encoding(api, column, operator, operand, found):
    assert [name.split()[0] for name in filtered(api, {column: {operator: operand}})] == found


def test_a_switch_may_be_a_truth_value_in_json(api):
    assert names(api.post("/api/v1/customers/filter", json={"filter": {"company": {"$is_null": True}}})) == [
        "Basil Sample"
    ]


def test_conditions_add_up_across_columns_operators_and_places(api):
    assert filtered(api, {"name": {"$contains": "a"}, "data_source": {"$equals": "HubSpot"}}) == ["Basil Sample"]
    assert filtered(api, {"name": {"$starts": "A", "$ends": "x"}}) == []
    query = {"filter[name][$contains]": "a"}
    body = {"filter": {"currency": {"$equals": "USD"}}}
    assert names(api.post("/api/v1/customers/filter", params=query, json=body)) == ["Ada Example"]


def test_without_a_condition_the_answer_is_empty(api):
    path = "/api/v1/customers/filter"
    empty = [
        api.post(path),
        api.post(path, json={}),
        api.post(path, json={"filter": {}}),
        api.post(path, json={"filter": {"$limit": 5}}),
    ]
    empty += [api.post(path, json={"filter": {"name": {}}}), api.post(path, params={"page": 1})]
    assert [(answer.status_code, answer.json()) for answer in empty] == [(201, {"data": []})] * 6


@pytest.mark.parametrize(
    ("conditions", "field"),
    [
        ({"shoe_size": {"$equals": "1"}}, "filter.shoe_size"),
        ({"portal_pass": {"$equals": "1"}}, "filter.portal_pass"),
        ({"name": {"$like": "1"}}, "filter.name.$like"),
        ({"name": {"$equals": "x"}, "$order": "asc"}, "filter.$order"),
        ({"name": {"$equals": "x"}, "$sortorder": "up"}, "filter.$sortorder"),
        ({"name": {"$equals": "x"}, "$limit": 0}, "filter.$limit"),
        ({"name": {"$equals": "x"}, "$offset": -1}, "filter.$offset"),
        ({"name": {"$equals": "x"}, "$paginate": "all"}, "filter.$paginate"),
    ],
)
def test_what_no_filter_has_is_refused_in_every_encoding(api, conditions, field):
    assert [set(errors(answer, 400)) for answer in encoded(api, "customers", conditions)] == [{field}] * 3


def test_a_filter_is_sorted_limited_and_begun_further_on(flow, api):
    for name in ("One", "Two", "Three"):
        flow.advance(seconds=1)
        created(api, {"name": name, "email": "number@example.com"})
    numbers = {"email": {"$equals": "number@example.com"}}

    assert filtered(api, numbers) == ["One", "Two", "Three"]
    assert filtered(api, {**numbers, "$sortorder": "asc"}) == ["One", "Two", "Three"]
    assert filtered(api, {**numbers, "$sortorder": "desc"}) == ["Three", "Two", "One"]
    assert filtered(api, {**numbers, "$limit": 2}) == ["One", "Two"]
    assert filtered(api, {**numbers, "$limit": 2, "$offset": 1}) == ["Two", "Three"]
    assert filtered(api, {**numbers, "$offset": 2}) == ["Three"]
    assert filtered(api, {**numbers, "$sortorder": "desc", "$limit": 1, "$offset": 1}) == ["Two"]


def test_a_filter_by_pages_has_links_and_meta(api):
    for name in ("One", "Two", "Three"):
        created(api, {"name": name, "email": "number@example.com"})
    conditions = {"email": {"$equals": "number@example.com"}, "$paginate": 2}

    first = encoded(api, "customers", conditions)
    assert [names(answer) for answer in first] == [["One", "Two"]] * 3
    assert [answer.json()["meta"]["total"] for answer in first] == [3] * 3
    assert [names(answer) for answer in encoded(api, "customers", conditions, page="2")] == [["Three"]] * 3
    assert names(api.post(first[0].json()["links"]["next"])) == ["Three"]


def test_contacts_and_addresses_are_filtered_too(api):
    assert filtered(api, {"customer_id": {"$equals": ADA}, "is_primary": {"$equals": "0"}}, "contacts") == [
        "Hugo Example"
    ]
    found = api.post("/api/v1/email-addresses/filter", json={"filter": {"opt_out": {"$equals": "1"}}}).json()["data"]
    assert [record["email"] for record in found] == ["basil@example.org"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=Ada+Example", ["Ada Example"]),
        ("auto_charge=0", ["Basil Sample"]),
        ("currency=USD&name=Basil+Sample", []),
        ("currency=EUR&name=Basil+Sample", ["Basil Sample"]),
        ("name=Ada", []),
        ("shoe_size=44", []),
        ("shoe_size=44&currency=USD", ["Ada Example"]),
        ("portal_pass=x", []),
        ("", []),
    ],
)
def test_a_search_finds_equal_columns_and_ignores_what_is_none(api, query, found):
    answer = api.get(f"/api/v1/customers/search?{query}")
    assert (answer.status_code, set(answer.json())) == (200, {"data"})
    assert names(answer) == found


# Bulk delete ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        {"ids": f'["{ADA}", "{NOBODY}", "{BASIL}", "{ADA}"]'},
        {"ids[]": [ADA, NOBODY, BASIL]},
        {"ids": [ADA, BASIL]},
        {"ids": f"{ADA},{BASIL}"},
    ],
)
def test_a_bulk_delete_answers_with_what_it_deleted(api, query):
    answer = api.post("/api/v1/customers/bulk-delete", params=query)

    assert (answer.status_code, names(answer)) == (201, ["Ada Example", "Basil Sample"])
    assert {record["deleted_at"] for record in answer.json()["data"]} == {NOW}
    assert names(api.get("/api/v1/customers")) == []
    assert names(api.post("/api/v1/customers/bulk-delete", params=query)) == []


def test_a_bulk_delete_without_ids_is_refused(api):
    assert set(errors(api.post("/api/v1/customers/bulk-delete"), 400)) == {"ids"}


# Subscriptions --------------------------------------------------------------------------------------------------------


def subscribed(client, **fields: Any) -> Any:
    return created(client, {**EVERGREEN, **fields}, "subscriptions")


def test_a_subscription_shows_its_items_with_names_and_prices_and_its_customer(api):
    data = subscribed(api, name="Reading club")
    found = data["attributes"]

    assert data["type"] == "subscriptions"
    assert data["relationships"]["customer_id"]["id"] == ADA
    assert (found["type"], found["status"], found["payment_status"]) == ("Evergreen", "Active", "Pending")
    assert (found["name"], found["display_name"], found["total_amount"]) == ("Reading club", "Reading club", 0)
    assert (found["customer"]["id"], found["customer"]["name"]) == (ADA, "Ada Example")
    (item,) = found["items"]
    assert (item["plan_name"], item["product_name"]) == ("Monthly", "Example Magazine")
    assert [(charge["name"], charge["list_price"], charge["default_quantity"]) for charge in item["charges"]] == [
        ("Monthly fee", 10, 1)
    ]
    assert attributes(api, "subscriptions", data["id"]) == found


def test_the_list_of_subscriptions_leaves_items_and_keys_out(api):
    found = api.get("/api/v1/subscriptions").json()["data"]
    assert [record["name"] for record in found] == ["Reading club", "One year", "Paused"]
    assert not any({"items", "customer", "customer_id"} & set(record) for record in found)


def test_a_termed_subscription_comes_to_what_its_items_cost(api):
    items = [{"plan_id": YEARLY, "product_id": MAGAZINE, "charges": {YEARLY_FEE: {"quantity": 3, "price": 19.99}}}]
    found = created(api, {**TERMED, "items": items, "customer_id": BASIL}, "subscriptions")["attributes"]

    charges = {
        charge["name"]: (charge["list_price"], charge["default_quantity"]) for charge in found["items"][0]["charges"]
    }
    assert charges == {"Yearly fee": (19.99, 3), "Welcome parcel": (18, 1)}, (
        "the parcel at the price in the customer's currency"
    )
    assert found["total_amount"] == 77.97


def test_values_come_in_either_case_and_go_out_in_title_case(api):
    found = created(
        api, {**TERMED, "type": "termed", "status": "draft", "renewal_period_type": "year"}, "subscriptions"
    )["attributes"]
    assert (found["type"], found["status"]) == ("Termed", "Draft")
    assert (found["termed_initial_period_type"], found["renewal_period_type"]) == ("Month", "Year")
    product = created(api, {"name": "Example Newsletter", "status": "inactive"}, "products")
    assert product["attributes"]["status"] == "Inactive"


def test_a_form_subscribes_with_bracketed_items(api):
    item = "items[0]"
    form = {name: value for name, value in TERMED.items() if name != "items"}
    form |= {
        f"{item}[plan_id]": YEARLY,
        f"{item}[product_id]": MAGAZINE,
        f"{item}[charges][{YEARLY_FEE}][quantity]": "2",
    }
    found = api.post("/api/v1/subscriptions", data=form)
    assert (found.status_code, found.json()["data"]["attributes"]["total_amount"]) == (201, 220)


def test_every_field_that_a_subscription_lacks_is_named(api):
    assert set(errors(create(api, {}, "subscriptions"))) == {
        "customer_id",
        "type",
        "order_date",
        "trigger_dates",
        "items",
    }


def test_a_termed_subscription_needs_its_term_and_an_evergreen_one_does_not(api):
    body = {**EVERGREEN, "type": "Termed", "renewal_type": None}
    found = errors(create(api, body, "subscriptions"))
    assert set(found) == {"termed_start_date", "termed_initial_period", "termed_initial_period_type", "renewal_type"}
    assert found["renewal_type"] == ["The renewal type field is required."]
    assert create(api, EVERGREEN, "subscriptions").status_code == 201


@pytest.mark.parametrize(
    ("wrong", "fields"),
    [
        ({"customer_id": NOBODY}, {"customer_id"}),
        ({"customer_id": CLEO}, {"customer_id"}),
        ({"items": [{"plan_id": NOBODY, "product_id": NOBODY}]}, {"items.0.plan_id", "items.0.product_id"}),
        (
            {"items": [{"plan_id": MONTHLY, "product_id": MAGAZINE, "charges": {YEARLY_FEE: {}}}]},
            {f"items.0.charges.{YEARLY_FEE}"},
        ),
        ({"items": []}, {"items"}),
        ({"type": "Forever"}, {"type"}),
        ({"order_date": "13.04.2026"}, {"order_date"}),
    ],
)
def test_a_subscription_to_what_does_not_exist_is_refused_and_leaves_nothing(api, wrong, fields):
    assert set(errors(create(api, {**EVERGREEN, **wrong}, "subscriptions"))) == fields
    assert api.get("/api/v1/subscriptions").json()["meta"]["total"] == 3


def test_an_update_replaces_items_only_where_they_are_sent(api):
    path = f"/api/v1/subscriptions/{CLUB}"
    renamed = api.put(path, json={"name": "Readers"}).json()["data"]["attributes"]
    assert (renamed["name"], renamed["display_name"], len(renamed["items"])) == ("Readers", "Readers", 1)

    items = [{"plan_id": YEARLY, "product_id": MAGAZINE}]
    changed = api.put(path, json={"items": items}).json()["data"]["attributes"]
    assert [item["plan_name"] for item in changed["items"]] == ["Yearly"]
    assert set(errors(api.put(path, json={"items": [{"plan_id": NOBODY, "product_id": MAGAZINE}]}))) == {
        "items.0.plan_id"
    }
    assert attributes(api, "subscriptions", CLUB) == changed


def test_suspending_and_cancelling_are_stamped(flow, api):
    path = f"/api/v1/subscriptions/{CLUB}"
    suspended = api.put(path, json={"status": "suspended"}).json()["data"]["attributes"]
    assert (suspended["status"], suspended["suspended_at"], suspended["cancelled_at"]) == ("Suspended", NOW, None)
    flow.advance(minutes=1)
    cancelled = api.put(path, json={"status": "cancelled"}).json()["data"]["attributes"]
    assert (cancelled["status"], cancelled["suspended_at"], cancelled["cancelled_at"]) == (
        "Cancelled",
        NOW,
        "2026-04-13T10:22:00Z",
    )


def test_a_trial_becomes_active_at_its_end(flow, api):
    key = subscribed(api, trial_period=14, trial_period_unit="days")["id"]
    assert attributes(api, "subscriptions", key)["status"] == "Trial"
    flow.advance(days=13)
    assert attributes(api, "subscriptions", key)["status"] == "Trial"
    flow.advance(days=1)
    assert attributes(api, "subscriptions", key)["status"] == "Active"


def test_an_order_ahead_waits_for_its_day(flow, api):
    key = subscribed(api, order_date="2026-04-20")["id"]
    assert attributes(api, "subscriptions", key)["status"] == "Pending"
    flow.advance(days=7)
    assert attributes(api, "subscriptions", key)["status"] == "Active"


@pytest.mark.parametrize(("renews", "ends"), [(0, "Expired"), (1, "Active")])
def test_a_term_that_is_over_expires_unless_it_goes_on_by_itself(flow, api, renews, ends):
    key = created(api, {**TERMED, "is_auto_renew": renews}, "subscriptions")["id"]
    assert attributes(api, "subscriptions", key)["status"] == "Active"
    flow.advance(days=18)
    assert attributes(api, "subscriptions", key)["status"] == ends
    (listed,) = [record for record in api.get("/api/v1/subscriptions").json()["data"] if record["id"] == key]
    assert listed["status"] == ends


@pytest.mark.parametrize(
    "fields",
    [
        {"termed_initial_period": 2**31 - 1, "termed_initial_period_type": "year"},
        {"termed_initial_period": 2**31 - 1, "termed_initial_period_type": "day"},
        {"trial_period": 2**31 - 1, "trial_period_unit": "months"},
        {"order_date": "9999-12-31", "trial_period": 5},
        {"order_date": "0001-01-01", "termed_start_date": "0001-01-01"},
    ],
)
def test_periods_beyond_the_calendar_are_served(api, fields):
    key = created(api, {**TERMED, **fields}, "subscriptions")["id"]
    assert attributes(api, "subscriptions", key)["type"] == "Termed"


# Products and plans ---------------------------------------------------------------------------------------------------


def test_a_product_shows_its_plans_and_a_plan_its_prices(api):
    plans = attributes(api, "products", MAGAZINE)["plans"]
    assert {plan["name"]: [price["name"] for price in plan["plan_prices"]] for plan in plans} == {
        "Monthly": ["Monthly fee"], "Yearly": ["Yearly fee", "Welcome parcel"]
    }  # fmt: skip
    assert attributes(api, "plans", MONTHLY)["plan_prices"][0]["list_price"] == {"USD": "10", "EUR": "9"}
    assert not any("plan_prices" in plan for plan in api.get("/api/v1/plans").json()["data"])


def test_a_new_product_and_its_plan_can_be_subscribed_to(api):
    product = created(api, {"name": "Example Newsletter"}, "products")
    plan = created(api, {"name": "Weekly", "product_id": product["id"]}, "plans")
    assert (product["attributes"]["plans"], plan["attributes"]["plan_prices"]) == ([], [])
    assert [found["name"] for found in attributes(api, "products", product["id"])["plans"]] == ["Weekly"]

    found = subscribed(api, items=[{"plan_id": plan["id"], "product_id": product["id"]}])["attributes"]
    assert [(item["plan_name"], item["charges"]) for item in found["items"]] == [("Weekly", [])]


# Failures -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/api/v1/dragons", {}, 404),
        ("PATCH", f"/api/v1/customers/{ADA}", {}, 405),
        ("DELETE", "/api/v1/customers/search", {}, 405),
        ("GET", "/api/v1/customers", {"headers": {"Accept": "text/html"}}, 406),
        ("POST", "/api/v1/customers", {"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/api/v1/customers", {"content": b"<a/>", "headers": {"Content-Type": "text/xml"}}, 415),
        (
            "POST",
            "/api/v1/customers",
            {"content": b"x" * 1_048_577, "headers": {"Content-Type": "application/json"}},
            413,
        ),
    ],
)
def test_every_failure_wears_the_frameworks_envelope(api, method, path, options, status):
    answer = api.request(method, path, **options)
    assert (answer.status_code, set(answer.json())) == (status, {"message"})


@pytest.mark.parametrize(
    "operand",
    ["[" * 100_000 + "]", "[" + "9" * 5000 + "]", "[", "]", "[]", "['", "%", "\x00", "nan", "1e999", "9" * 400],
)
def test_no_operand_upsets_a_filter(api, operand):
    for operator in ("$in", "$not_in", "$equals", "$gt", "$contains"):
        for column in ("name", "auto_charge", "created_at"):
            body = {"filter": {column: {operator: operand}}}
            assert api.post("/api/v1/customers/filter", json=body).status_code == 201
    assert api.post("/api/v1/customers/bulk-delete", params={"ids": operand[:5000]}).status_code == 201
