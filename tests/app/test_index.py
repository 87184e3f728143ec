"""What a newcomer is told of a vendor: where it is, who may call, which ids exist."""

from __future__ import annotations

import pytest

from mock_server.app.index import describe, known, listing, page
from mock_server.contract import load, load_fixtures, vendors


@pytest.fixture(params=vendors())
def described(request):
    contract = load(request.param)
    return describe(contract, load_fixtures(contract))


def test_a_vendor_is_described_in_plain_data(described):
    assert {"vendor", "base_path", "document", "operations", "credentials", "known"} <= set(described)
    assert described["base_path"] == f"/{described['vendor']}"
    assert described["document"].endswith(f"openapi/{described['vendor']}.yaml")
    assert sorted(described["operations"]) == ["documented", "inferred", "published"]
    assert described["operations"]["documented"] >= 1


def test_the_default_callers_headers_are_ready_to_send(described):
    assert list(described["credentials"]["headers"]) == ["Authorization"]
    assert described["credentials"]["headers"]["Authorization"].startswith("Bearer ")


def test_known_ids_are_those_of_records_that_the_default_caller_may_name(described):
    contract = load(described["vendor"])
    fixtures = load_fixtures(contract)
    keys = {
        record.value[contract.resources[resource].key]
        for resource in fixtures.records
        if resource in contract.resources
        for record in fixtures.of(resource)
    }

    assert described["known"]
    assert set(described["known"].values()) <= keys


def test_wispgate_knows_a_tenant_a_profile_and_a_subscriber():
    contract = load("wispgate")

    assert known(contract, load_fixtures(contract)) == {
        "X-Tenant-ID": "tenant_demo_001",
        "billing_profile_id": "bp_001",
        "id": "sub_000001",
    }


def test_an_oauth_client_is_told_with_the_path_of_its_tokens():
    contract = load("subscriptionflow")
    oauth = describe(contract, load_fixtures(contract))["credentials"]["oauth"]

    assert oauth["token_path"] == "/oauth/token"
    assert oauth["client_id"] and oauth["client_secret"]


def test_vendors_without_oauth_tell_no_client():
    contract = load("wispgate")

    assert "oauth" not in describe(contract, load_fixtures(contract))["credentials"]


@pytest.fixture
def engines(applications):
    return list(applications("wispgate")[0].engines.values())


def test_the_listing_has_urls_and_no_paths_of_this_machine(engines):
    found = listing(engines, "http://box.example.com/w/blue")
    [entry] = found["vendors"]

    assert entry["base_url"] == "http://box.example.com/w/blue/wispgate"
    assert entry["documents"] == [f"{entry['base_url']}/openapi.json", f"{entry['base_url']}/openapi.yaml"]
    assert found["control"] == "http://box.example.com/w/blue/_mock"
    assert "document" not in entry


def test_the_page_shows_everything_as_text(engines):
    found = listing(engines, "http://box.example.com")
    [entry] = found["vendors"]
    entry["title"] = "<b>&"
    entry["credentials"]["oauth"] = {"client_id": "<id>", "client_secret": '"secret"'}
    entry["known"] = {"<plan>": 7}
    shown = page(found)

    assert "&lt;b&gt;&amp;" in shown
    assert "&lt;id&gt;" in shown and "&quot;secret&quot;" in shown
    assert "&lt;plan&gt;" in shown
    assert "<plan>" not in shown and "<b>" not in shown
