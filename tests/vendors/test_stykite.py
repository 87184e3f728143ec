"""Stykite's decisions, each asked of the mock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from stykite_company import COMPANY, DAY, EARTH, JANES, MINIMAL, MOMENT, READING, YONDER, Company


@pytest.fixture
def acme(sandbox: Callable[..., Any]) -> Company:
    return Company(sandbox("stykite", frozen=MOMENT))


@pytest.fixture
def beehive(acme: Company) -> Company:
    return Company(acme.sandbox, "stykite-sandbox-beehive", "COM-0SANDB0XBEE01")


def test_a_created_customer_wears_the_keys_of_the_printed_sample(acme: Company) -> None:
    response = acme.create(
        first_name="Jane",
        last_name="Example",
        phone=9800000000,
        country_code="IN",
        state_code="KA",
        city="Mysuru",
        zipcode=570001,
    )
    assert response.status_code == 200
    assert response.json()["status"] is True
    value = response.json()["value"]
    assert value.pop("tsid").startswith("CUS-")
    assert value == {
        "email": "sam@example.com",
        "firstName": "Jane",
        "lastName": "Example",
        "phone": "9800000000",
        "address": {
            "city": "Mysuru",
            "country": "India",
            "line1": None,
            "line2": None,
            "state": "Karnataka",
            "city_code": "Mysuru",
            "country_code": "IN",
            "postal_code": "570001",
            "state_code": "KA",
        },
        "customer_identifier": "c-7",
        "created_at": 1769817600000,
        "updated_at": 1769817600000,
        "company_tsid": COMPANY,
        "country_tsid": EARTH,
    }


def test_phone_and_zipcode_come_back_as_the_strings_they_were(acme: Company) -> None:
    value = acme.create(phone="+1 555 0101", zipcode="02139").json()["value"]
    assert (value["phone"], value["address"]["postal_code"]) == ("+1 555 0101", "02139")


def test_names_of_unknown_codes_are_null(acme: Company) -> None:
    address = acme.create(country_code="ZZ", state_code="Q").json()["value"]["address"]
    assert (address["country"], address["state"], address["state_code"]) == (None, None, "Q")


@pytest.mark.parametrize("field", ["email", "customer_identifier", "country_code"])
def test_the_three_required_fields_are_required(acme: Company, field: str) -> None:
    response = acme.call("POST", body={name: value for name, value in MINIMAL.items() if name != field})
    assert response.status_code == 400
    assert response.json() == {"success": False, "message": f"{field} is required."}


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no address"},
        {"country_code": "USA"},
        {"country_code": "in"},
        {"phone": True},
        {"zipcode": 1.5},
        {"trial_days": -1},
        {"trial_days": "ten"},
        {"customer_identifier": ""},
    ],
)
def test_a_wrong_field_is_refused(acme: Company, wrong: dict[str, Any]) -> None:
    assert acme.create(**wrong).status_code == 400
    assert acme.call("GET", "/c-7").status_code == 404


def test_an_american_customer_needs_a_zip_code_and_no_other_does(acme: Company) -> None:
    refused = acme.create(country_code="US")
    assert refused.status_code == 400
    assert "zipcode" in refused.json()["message"]
    assert acme.create(country_code="US", zipcode="02139").status_code == 200
    assert acme.create(customer_identifier="c-8").status_code == 200


def test_an_identifier_is_used_once_in_a_company(acme: Company, beehive: Company) -> None:
    assert acme.create().status_code == 200
    again = acme.create(country=YONDER, email="other@example.com")
    assert again.status_code == 400
    assert again.json()["success"] is False
    assert acme.call("GET", "/c-7").json()["value"]["email"] == "sam@example.com"
    assert beehive.create(country="CON-0SANDB0XHJVE1").status_code == 200


def test_unknown_properties_are_ignored_and_server_properties_are_not_the_clients(acme: Company) -> None:
    value = acme.create(tsid="CUS-MINE", company_tsid="COM-MINE", anything=1).json()["value"]
    assert value["tsid"] != "CUS-MINE"
    assert value["company_tsid"] == COMPANY
    assert "anything" not in value


def test_creating_subscribes_to_the_default_plan_of_the_country(acme: Company) -> None:
    acme.create()
    subscription = acme.subscription()
    assert subscription["plan_id"] == "PLV-0SANDB0XM0NTH"
    assert (subscription["status"], subscription["trial_used"], subscription["trial_end"]) == ("ACTIVE", False, None)


def test_a_month_after_the_last_of_january_is_the_last_of_february(acme: Company) -> None:
    acme.create()
    assert acme.subscription()["cycle_end"] == datetime(2026, 2, 28, tzinfo=UTC).timestamp() * 1000


def test_a_plan_with_a_trial_starts_as_one(acme: Company) -> None:
    acme.create(country=YONDER)
    subscription = acme.subscription(country=YONDER)
    assert (subscription["plan_id"], subscription["status"]) == ("PLV-0SANDB0XTRY14", "TRIAL")
    assert subscription["trial_end"] == subscription["cycle_start"] + 14 * DAY


def test_the_call_may_name_another_plan_and_another_trial(acme: Company) -> None:
    acme.create(plan_id="PLV-0SANDB0XYEAR1", trial_days=2.5)
    subscription = acme.subscription()
    assert (subscription["plan_id"], subscription["status"]) == ("PLV-0SANDB0XYEAR1", "TRIAL")
    assert subscription["trial_end"] == subscription["cycle_start"] + 2.5 * DAY


def test_a_trial_of_no_days_is_none(acme: Company) -> None:
    acme.create(country=YONDER, trial_days=0)
    assert acme.subscription(country=YONDER)["status"] == "ACTIVE"


def test_an_unknown_plan_is_not_found_and_leaves_no_customer(acme: Company) -> None:
    assert acme.create(plan_id="PLV-0SANDB0XN0NE1").status_code == 404
    assert acme.create(plan_id="PLV-0SANDB0XBZZZ1").status_code == 404
    assert acme.call("GET", "/c-7").status_code == 404


def test_an_unknown_company_or_country_is_not_found(acme: Company) -> None:
    nowhere = Company(acme.sandbox, company="COM-0SANDB0XN0NE1").create()
    assert (nowhere.status_code, nowhere.json()["success"]) == (404, False)
    assert acme.create(country="CON-0SANDB0XN0NE1").status_code == 404
    assert acme.create(country="CON-0SANDB0XHJVE1").status_code == 404


@pytest.mark.parametrize("token", ["stykite-sandbox-beehive", "stykite-sandbox-expired", "nonsense"])
def test_a_key_that_is_not_this_companys_is_refused(acme: Company, token: str) -> None:
    response = Company(acme.sandbox, token).create()
    assert response.status_code == 401
    assert response.json() == {"success": False, "message": "Unauthorized access. Invalid token."}


def test_companies_never_see_each_others_customers(acme: Company, beehive: Company) -> None:
    acme.create()
    assert beehive.call("GET", "/c-7", country="CON-0SANDB0XHJVE1").status_code == 404
    assert acme.call("GET", "/c-0001").json()["value"]["email"] == "jane@example.com"
    assert beehive.call("GET", "/c-0001", country="CON-0SANDB0XHJVE1").json()["value"]["email"] == "benn@example.org"


def test_a_customer_is_found_under_their_own_country_only(acme: Company) -> None:
    acme.create()
    assert acme.call("GET", "/c-7").status_code == 200
    assert acme.call("GET", "/c-7", country=YONDER).status_code == 404
    assert acme.call("POST", "/c-7/usage", [READING], country=YONDER).status_code == 404


def test_an_identifier_with_reserved_characters_is_found_percent_encoded(acme: Company) -> None:
    acme.create(customer_identifier="a b/ü@example.com")
    assert (
        acme.call("GET", "/a%20b%2F%C3%BC%40example.com").json()["value"]["customer_identifier"] == "a b/ü@example.com"
    )


@pytest.mark.parametrize(
    "readings", [[], [READING], [READING, {**READING, "meter_id": "MTR-0SANDB0XCAX01", "qty": 1.5}]]
)
def test_usage_is_received_without_content(acme: Company, readings: list[Any]) -> None:
    response = acme.call("POST", "/c-0001/usage", readings)
    assert (response.status_code, response.content) == (202, b"")
    assert [(record["meter_id"], record["qty"]) for record in acme.stored("Usage")] == [
        (reading["meter_id"], reading["qty"]) for reading in readings
    ]


@pytest.mark.parametrize("meter", ["MTR-0SANDB0XN0NE1", "MTR-0SANDB0XB22M1"])
def test_usage_of_an_unknown_meter_is_refused_whole(acme: Company, meter: str) -> None:
    response = acme.call("POST", "/c-0001/usage", [READING, {**READING, "meter_id": meter}])
    assert response.status_code == 404
    assert '"/1/meter_id"' in response.headers["x-mock-violations"]
    assert acme.stored("Usage") == []


def test_usage_of_an_unknown_customer_is_refused(acme: Company) -> None:
    assert acme.call("POST", "/nobody/usage", [READING]).status_code == 404


@pytest.mark.parametrize("body", [READING, {"readings": [READING]}, "usage", [1], [{}], [{**READING, "qty": "26"}]])
def test_usage_that_is_no_array_of_readings_is_refused(acme: Company, body: Any) -> None:
    assert acme.call("POST", "/c-0001/usage", body).status_code == 400


def test_cancelling_at_once_ends_the_subscription_now(acme: Company) -> None:
    response = acme.cancel("IMMEDIATE")
    assert (response.status_code, response.content) == (200, b"")
    subscription = acme.subscription("c-0001")
    assert subscription["status"] == "CANCELLED"
    assert subscription["cancelled_at"] == subscription["end_date"] == subscription["updated_at"] == 1769817600000


def test_cancelling_at_the_end_of_the_cycle_only_marks_it(acme: Company) -> None:
    acme.create()
    running = acme.subscription()["tsid"]
    assert acme.cancel("END_OF_CYCLE", running, "c-7").status_code == 200
    subscription = acme.subscription()
    assert (subscription["status"], subscription["cancel_at_cycle_end"]) == ("ACTIVE", True)
    assert acme.cancel("IMMEDIATE", running, "c-7").status_code == 200
    assert acme.subscription()["status"] == "CANCELLED"


def test_where_no_cycle_ends_there_is_no_end_to_wait_for(acme: Company) -> None:
    assert acme.subscription("c-0001")["cycle_end"] is None
    assert acme.cancel("END_OF_CYCLE").status_code == 200
    assert acme.subscription("c-0001")["status"] == "CANCELLED"


def test_a_paused_subscription_can_be_cancelled(acme: Company) -> None:
    assert acme.subscription("c-0002")["status"] == "PAUSE"
    assert acme.cancel("IMMEDIATE", "CSU-0SANDB0XPAT01", "c-0002").status_code == 200
    assert acme.subscription("c-0002")["status"] == "CANCELLED"


def test_what_is_cancelled_is_not_cancelled_or_moved_again(acme: Company) -> None:
    acme.cancel("IMMEDIATE")
    for again in (
        acme.cancel("IMMEDIATE"),
        acme.cancel("END_OF_CYCLE"),
        acme.call("PUT", "/c-0001/subscription", {"subscription_tsid": JANES, "end_date": 1}),
    ):
        assert (again.status_code, again.json()["success"]) == (400, False)


@pytest.mark.parametrize("body", [{}, {"subscription_tsid": JANES}, {"subscription_tsid": JANES, "when": "LATER"}])
def test_a_cancellation_says_which_and_when(acme: Company, body: dict[str, Any]) -> None:
    assert acme.call("POST", "/c-0001/cancel_subscription", body).status_code == 400


def test_moving_the_end_moves_the_end_and_nothing_else(acme: Company) -> None:
    before = acme.subscription("c-0001")
    response = acme.call(
        "PUT", "/c-0001/subscription", {"subscription_tsid": JANES, "end_date": 1924991999000, "status": "PAUSE"}
    )
    assert (response.status_code, response.content) == (201, b"")
    assert acme.subscription("c-0001") == {**before, "end_date": 1924991999000, "updated_at": 1769817600000}


def test_an_end_that_is_past_is_refused_and_leaves_nothing(acme: Company) -> None:
    before = acme.subscription("c-0001")
    refused = acme.end(1769817600000 - 1)
    assert (refused.status_code, refused.json()["message"]) == (400, "end_date lies in the past.")
    assert acme.subscription("c-0001") == before
    assert acme.end(1769817600000).status_code == 201


def test_a_subscription_of_somebody_else_is_not_found(acme: Company) -> None:
    acme.create()
    other = acme.subscription()["tsid"]
    assert acme.cancel("IMMEDIATE", other).status_code == 404
    assert acme.cancel("IMMEDIATE", "CSU-0SANDB0XBENN1").status_code == 404
    moved = acme.call("PUT", "/c-0001/subscription", {"subscription_tsid": other, "end_date": 1})
    assert (moved.status_code, moved.json()["success"]) == (404, False)
    assert acme.subscription()["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("DELETE", "", 405), ("PUT", "/c-0001", 405), ("GET", "/c-0001/invoices", 404)]
)
def test_what_http_itself_refuses_wears_the_envelope(acme: Company, method: str, path: str, status: int) -> None:
    response = acme.call(method, path)
    assert response.status_code == status
    assert response.json().keys() == {"success", "message"}
