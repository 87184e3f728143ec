"""WISPGate, decision by decision: what creating a subscriber answers, refuses, remembers and keeps apart."""

from __future__ import annotations

from typing import Any

import pytest

PATH = "/api/v1/subscribers"
MARIA = {"external_id": "crm-1", "full_name": "Maria Sample", "status": "prospect"}
SECOND = "wispgate-sandbox-002"


@pytest.fixture
def wispgate(sandbox):
    return sandbox("wispgate")


def create(client, body: Any = MARIA, key: str | None = None, **options: Any):
    headers = {"X-Idempotency-Key": key} if key else {}
    return client.post(PATH, json=body, headers=headers, **options)


def names(client) -> list[str]:
    return [subscriber["full_name"] for subscriber in client.get(PATH).json()["data"]]


def set_credential(wispgate, **values: Any) -> None:
    answer = wispgate.control.patch("/records/wispgate/Credential/wispgate-sandbox-001", json=values)
    assert answer.status_code == 200, answer.text


def set_duplicate_rules(wispgate, *rules: list[str]) -> None:
    path = "/records/wispgate/Tenant/tenant_demo_001"
    answer = wispgate.control.patch(path, json={"duplicate_rules": list(rules)})
    assert answer.status_code == 200, answer.text


# Creating -------------------------------------------------------------------------------------------------------------


def test_creating_answers_201_in_the_envelope_with_what_was_sent(wispgate):
    answer = create(wispgate.api, {**MARIA, "billing_profile_id": "bp_001"})

    assert answer.status_code == 201
    assert answer.json() == {
        "success": True,
        "data": {
            "id": "sub_000003",
            "created_at": "2026-04-13T10:21:00Z",
            "status": "prospect",
            "full_name": "Maria Sample",
            "external_id": "crm-1",
            "billing_profile_id": "bp_001",
        },
        "meta": {"request_id": answer.json()["meta"]["request_id"], "api_version": "v1"},
    }


def test_optional_properties_that_were_not_sent_are_left_out_of_the_answer(wispgate):
    answer = create(wispgate.api, {"full_name": "Noor Example", "status": "active"})

    assert sorted(answer.json()["data"]) == ["created_at", "full_name", "id", "status"]


def test_contact_details_are_kept_but_not_shown(wispgate):
    answer = create(
        wispgate.api, {**MARIA, "email": "maria@example.com", "phone": "+15550100002", "metadata": {"a": 1}}
    )

    assert not {"email", "phone", "metadata"} & set(answer.json()["data"])


def test_properties_that_nobody_documented_are_accepted_and_ignored(wispgate):
    answer = create(wispgate.api, {**MARIA, "favourite_colour": "green"})

    assert answer.status_code == 201
    assert "favourite_colour" not in answer.json()["data"]


def test_what_only_the_server_sets_is_ignored_when_a_client_sends_it(wispgate):
    answer = create(wispgate.api, {**MARIA, "id": "sub_999999", "created_at": 7})

    assert answer.status_code == 201
    assert answer.json()["data"]["id"] == "sub_000003"
    assert answer.json()["data"]["created_at"] == "2026-04-13T10:21:00Z"


@pytest.mark.parametrize("status", ["prospect", "active", "suspended", "inactive"])
def test_every_status_of_the_enumeration_is_accepted(wispgate, status):
    assert create(wispgate.api, {**MARIA, "status": status}).json()["data"]["status"] == status


def test_every_answer_has_a_request_id_of_its_own(wispgate):
    ids = [create(wispgate.api, {**MARIA, "external_id": f"crm-{n}"}).json()["meta"]["request_id"] for n in range(3)]

    assert len(set(ids)) == 3


# Refusing -------------------------------------------------------------------------------------------------------------


def refused(answer, status: int, code: str, field: str | None = None) -> None:
    body = answer.json()
    assert (answer.status_code, body["success"], body["error"]["code"]) == (status, False, code), answer.text
    assert body["error"].get("field") == field
    assert body["error"]["message"]
    assert set(body["meta"]) == {"request_id", "api_version"}


@pytest.mark.parametrize("body", [[], [MARIA], "text", 7, True, None])
def test_a_body_that_is_no_object_is_400(wispgate, body):
    refused(create(wispgate.api, body), 400, "malformed_request")


@pytest.mark.parametrize("content", [b"", b"{", b"full_name=Maria", b"\xff\xfe{}", b'{"full_name": NaN}'])
def test_a_body_that_is_not_json_is_400(wispgate, content):
    answer = wispgate.api.post(PATH, content=content, headers={"Content-Type": "application/json"})
    refused(answer, 400, "malformed_request")


@pytest.mark.parametrize("field", ["full_name", "status"])
def test_a_required_field_that_is_missing_is_400_and_named(wispgate, field):
    body = {name: value for name, value in MARIA.items() if name != field}
    refused(create(wispgate.api, body), 400, "missing_field", field)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("full_name", 7),
        ("full_name", None),
        ("external_id", 23992),
        ("external_id", None),
        ("email", ["maria@example.com"]),
        ("phone", 15550100002),
        ("status", "archived"),
        ("status", "Prospect"),
        ("status", None),
        ("billing_profile_id", 1),
        ("address", "1 Example Street"),
        ("metadata", [1]),
    ],
)
def test_a_field_that_is_present_but_wrong_is_422_and_named(wispgate, field, wrong):
    refused(create(wispgate.api, {**MARIA, field: wrong}), 422, "validation_failed", field)


def test_a_wrong_field_inside_an_object_is_named_by_its_dotted_path(wispgate):
    answer = create(wispgate.api, {**MARIA, "address": {"line1": "1 Example Street", "city": 7}})
    refused(answer, 422, "validation_failed", "address.city")


def test_a_missing_field_outweighs_a_wrong_one(wispgate):
    refused(create(wispgate.api, {"full_name": 7}), 400, "missing_field", "status")


def test_a_missing_field_is_named_before_a_wrong_header(wispgate):
    answer = wispgate.api.post(PATH, json={"full_name": "Noor Example"}, headers={"X-Idempotency-Key": ""})
    refused(answer, 400, "missing_field", "status")


def test_a_billing_profile_that_does_not_exist_is_422(wispgate):
    answer = create(wispgate.api, {**MARIA, "billing_profile_id": "bp_999"})
    refused(answer, 422, "validation_failed", "billing_profile_id")


def test_a_billing_profile_of_another_tenant_does_not_exist(wispgate):
    answer = create(wispgate.api, {**MARIA, "billing_profile_id": "bp_101"})
    refused(answer, 422, "validation_failed", "billing_profile_id")


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1"]
)
def test_another_content_type_is_415(wispgate, media):
    answer = wispgate.api.post(PATH, content=b"{}", headers={"Content-Type": media})
    refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media", ["APPLICATION/JSON", 'application/json; charset="UTF-8"', "application/merge-patch+json"]
)
def test_json_is_recognised_however_its_type_is_written(wispgate, media):
    answer = wispgate.api.post(
        PATH, content=b'{"full_name": "Noor Example", "status": "active"}', headers={"Content-Type": media}
    )
    assert answer.status_code == 201


def test_a_body_over_a_mebibyte_is_413(wispgate):
    refused(create(wispgate.api, {**MARIA, "full_name": "x" * 1024 * 1024}), 413, "too_large")


def test_an_unknown_path_is_404_in_the_envelope(wispgate):
    refused(wispgate.api.get("/api/v1/nothing"), 404, "not_found")


def test_another_method_is_405_in_the_envelope_and_says_which_there_are(wispgate):
    answer = wispgate.api.delete(PATH)

    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, HEAD, POST"


def test_the_methods_there_are_are_those_of_the_document_served_or_not(sandbox):
    wispgate = sandbox("wispgate", inferred=False)

    assert wispgate.api.delete(PATH).headers["Allow"] == "GET, HEAD, POST"
    assert wispgate.api.delete(f"{PATH}/sub_000001").headers["Allow"] == "GET, HEAD"


def test_an_answer_in_another_media_type_is_406(wispgate):
    refused(wispgate.api.get(PATH, headers={"Accept": "text/csv"}), 406, "not_acceptable")


def test_a_refused_create_leaves_nothing_behind(wispgate):
    before = wispgate.api.get(PATH).json()["data"]
    create(wispgate.api, {"full_name": 7})
    create(wispgate.api, {**MARIA, "billing_profile_id": "bp_999"})
    create(wispgate.api, {**MARIA, "external_id": "crm-23991"})

    assert wispgate.api.get(PATH).json()["data"] == before
    assert create(wispgate.api).json()["data"]["id"] == "sub_000003"


# Duplicates -----------------------------------------------------------------------------------------------------------


def test_the_same_external_id_is_409_within_a_tenant(wispgate):
    create(wispgate.api)
    refused(create(wispgate.api, {**MARIA, "full_name": "Other"}), 409, "duplicate_subscriber", "external_id")


def test_a_seeded_external_id_is_taken_too(wispgate):
    answer = create(wispgate.api, {**MARIA, "external_id": "crm-23991"})
    refused(answer, 409, "duplicate_subscriber", "external_id")


def test_the_same_external_id_is_free_in_another_tenant(wispgate):
    create(wispgate.api)

    assert create(wispgate.caller(SECOND)).status_code == 201


def test_without_an_external_id_nothing_is_a_duplicate(wispgate):
    body = {"full_name": "Noor Example", "status": "active", "email": "noor@example.com"}

    assert [create(wispgate.api, body).status_code for _ in range(2)] == [201, 201]


def test_an_operators_duplicate_rule_refuses_what_it_names(wispgate):
    set_duplicate_rules(wispgate, ["email"])
    create(wispgate.api, {**MARIA, "email": "maria@example.com"})
    answer = create(wispgate.api, {**MARIA, "external_id": "crm-2", "email": "maria@example.com"})

    refused(answer, 409, "duplicate_subscriber", "email")


def test_a_duplicate_rule_of_two_fields_needs_both_to_match(wispgate):
    set_duplicate_rules(wispgate, ["full_name", "phone"])
    first = {"full_name": "Maria Sample", "status": "active", "phone": "+15550100002"}

    assert create(wispgate.api, first).status_code == 201
    assert create(wispgate.api, {**first, "phone": "+15550100003"}).status_code == 201
    assert create(wispgate.api, {**first, "full_name": "Noor Example"}).status_code == 201
    refused(create(wispgate.api, first), 409, "duplicate_subscriber", "full_name")


def test_a_duplicate_rule_says_nothing_of_subscribers_who_lack_the_field(wispgate):
    set_duplicate_rules(wispgate, ["email"])
    body = {"full_name": "Noor Example", "status": "active"}

    assert [create(wispgate.api, body).status_code for _ in range(2)] == [201, 201]


def test_a_duplicate_rule_is_one_tenants_own(wispgate):
    set_duplicate_rules(wispgate, ["full_name"])
    other = wispgate.caller(SECOND)
    body = {"full_name": "Noor Example", "status": "active"}

    assert [create(other, body).status_code for _ in range(2)] == [201, 201]


def test_a_duplicate_rule_over_an_unknown_field_is_refused(wispgate):
    path = "/records/wispgate/Tenant/tenant_demo_001"

    assert wispgate.control.patch(path, json={"duplicate_rules": [["shoe_size"]]}).status_code == 422


# Idempotency ----------------------------------------------------------------------------------------------------------


def test_the_same_key_and_body_give_the_first_answer_again_byte_for_byte(wispgate):
    first = create(wispgate.api, key="key-1")
    again = create(wispgate.api, key="key-1")

    assert (again.status_code, again.content) == (201, first.content)
    assert names(wispgate.api).count("Maria Sample") == 1


def test_the_order_of_properties_does_not_make_another_body(wispgate):
    first = create(wispgate.api, key="key-1")
    again = create(wispgate.api, dict(reversed(MARIA.items())), key="key-1")

    assert again.content == first.content


def test_the_same_key_with_another_body_is_422(wispgate):
    create(wispgate.api, key="key-1")
    answer = create(wispgate.api, {**MARIA, "external_id": "crm-2"}, key="key-1")

    refused(answer, 422, "idempotency_key_reused")
    assert names(wispgate.api).count("Maria Sample") == 1


def test_the_same_key_while_the_first_call_is_running_is_409(wispgate):
    planned = {"vendor": "wispgate", "operation": "createSubscriber", "delay": 0.05}
    assert wispgate.control.post("/faults", json=planned).status_code == 201
    call = wispgate.api.build_request("POST", PATH, json=MARIA, headers={"X-Idempotency-Key": "key-1"})
    first, second = wispgate.send_together(call, call)

    assert first.status_code == 201
    refused(second, 409, "idempotency_key_in_use")
    assert create(wispgate.api, key="key-1").content == first.content


def test_a_failed_validation_is_not_remembered(wispgate):
    refused(create(wispgate.api, {"full_name": "Maria Sample"}, key="key-1"), 400, "missing_field", "status")

    assert create(wispgate.api, key="key-1").status_code == 201


def test_a_refused_duplicate_is_not_remembered(wispgate):
    taken = {**MARIA, "external_id": "crm-23991"}
    refused(create(wispgate.api, taken, key="key-1"), 409, "duplicate_subscriber", "external_id")

    assert create(wispgate.api, key="key-1").status_code == 201


def test_a_key_belongs_to_one_tenant(wispgate):
    first = create(wispgate.api, key="key-1")
    other = create(wispgate.caller(SECOND), {**MARIA, "full_name": "Other"}, key="key-1")

    assert other.status_code == 201
    assert create(wispgate.api, key="key-1").content == first.content


def test_a_key_lives_for_24_hours_of_the_sandboxs_time(wispgate):
    first = create(wispgate.api, key="key-1")
    wispgate.advance(hours=23, minutes=59, seconds=59)
    assert create(wispgate.api, key="key-1").content == first.content

    wispgate.advance(seconds=1)
    assert create(wispgate.api, {**MARIA, "external_id": "crm-2"}, key="key-1").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "with space", "caf\xe9"])
def test_a_key_that_is_empty_or_too_long_or_not_printable_is_400(wispgate, key):
    answer = wispgate.api.post(PATH, json=MARIA, headers={"X-Idempotency-Key": key.encode("latin-1")})
    refused(answer, 400, "invalid_parameter", "X-Idempotency-Key")


# Tenants and credentials ----------------------------------------------------------------------------------------------


def test_a_subscriber_of_one_tenant_is_invisible_to_another(wispgate):
    made = create(wispgate.api).json()["data"]
    other = wispgate.caller(SECOND)

    refused(other.get(f"{PATH}/{made['id']}"), 404, "not_found", "id")
    assert "Maria Sample" not in names(other)


def test_naming_ones_own_tenant_changes_nothing(wispgate):
    mine = wispgate.caller("wispgate-sandbox-001", {"X-Tenant-ID": "tenant_demo_001"})

    assert create(mine).status_code == 201
    assert "Maria Sample" in names(wispgate.api)


@pytest.mark.parametrize("tenant", ["tenant_demo_002", "tenant_demo_999", "TENANT_DEMO_001"])
def test_a_token_used_for_a_tenant_that_is_not_its_own_is_401(wispgate, tenant):
    answer = create(wispgate.caller("wispgate-sandbox-001", {"X-Tenant-ID": tenant}))

    refused(answer, 401, "unauthorized")
    assert "Maria Sample" not in names(wispgate.caller(SECOND))


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer ", "Bearer nonsense", "Basic wispgate-sandbox-001", "wispgate-sandbox-001"],
)
def test_without_a_valid_bearer_token_it_is_401(wispgate, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = create(wispgate.caller(None, headers))

    refused(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_scheme_of_a_token_may_be_written_in_any_case(wispgate):
    assert create(wispgate.caller(None, {"Authorization": "bearer wispgate-sandbox-001"})).status_code == 201


# Rate limit -----------------------------------------------------------------------------------------------------------


def test_there_is_no_rate_limit_until_one_is_set(wispgate):
    assert {wispgate.api.get(PATH).status_code for _ in range(50)} == {200}


def test_beyond_its_rate_limit_a_token_gets_429_with_the_seconds_to_wait(wispgate):
    set_credential(wispgate, rate_limit={"requests": 2, "seconds": 60})

    assert [wispgate.api.get(PATH).status_code for _ in range(2)] == [200, 200]
    wispgate.advance(seconds=20.5)
    answer = create(wispgate.api)
    refused(answer, 429, "rate_limited")
    assert answer.headers["Retry-After"] == "40"


def test_after_the_seconds_to_wait_the_token_is_served_again(wispgate):
    set_credential(wispgate, rate_limit={"requests": 1, "seconds": 60})
    wispgate.api.get(PATH)
    wispgate.advance(seconds=int(wispgate.api.get(PATH).headers["Retry-After"]))

    assert wispgate.api.get(PATH).status_code == 200


def test_a_rate_limit_is_one_tokens_own(wispgate):
    set_credential(wispgate, rate_limit={"requests": 1, "seconds": 60})
    wispgate.api.get(PATH)

    assert wispgate.api.get(PATH).status_code == 429
    assert wispgate.caller(SECOND).get(PATH).status_code == 200


# What is inferred -----------------------------------------------------------------------------------------------------


def test_a_created_subscriber_can_be_read_back(wispgate):
    made = create(wispgate.api).json()["data"]

    assert wispgate.api.get(f"{PATH}/{made['id']}").json()["data"] == made
    assert wispgate.api.get(PATH).json()["data"][-1] == made


@pytest.mark.parametrize("path", [PATH, f"{PATH}/sub_000001"])
def test_inferred_operations_are_404_unless_asked_for(sandbox, path):
    wispgate = sandbox("wispgate", inferred=False)
    answer = wispgate.api.get(path)

    refused(answer, 404, "not_served")
    assert "--include inferred" in answer.json()["error"]["message"]


def test_the_documented_operation_is_served_without_asking(sandbox):
    assert create(sandbox("wispgate", inferred=False).api).status_code == 201
