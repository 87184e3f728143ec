"""The records known beforehand: their order, their tenants, their places."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shop import Shop, fresh

from mock_server.contract import ContractError, Fixtures, load, load_fixtures, vendors
from mock_server.contract.files import read


@pytest.fixture
def shop() -> Shop:
    return fresh()


def names(fixtures: Fixtures, resource: str, tenant: str | None = None) -> list[str]:
    return [record.name for record in fixtures.of(resource, tenant)]


def test_records_come_in_the_order_of_the_file_and_belong_to_their_tenant(shop: Shop, tmp_path: Path) -> None:
    fixtures = load_fixtures(shop.load(tmp_path))
    assert fixtures.tenant == "first"
    assert names(fixtures, "Thing") == ["first", "second"]
    assert (names(fixtures, "Owner"), names(fixtures, "Owner", "second"), names(fixtures, "Owner", "third")) == (
        ["ada"],
        ["bob"],
        [],
    )
    assert fixtures.of("Nothing") == ()


def test_records_that_all_tenants_share_are_seen_by_each(shop: Shop, tmp_path: Path) -> None:
    fixtures = load_fixtures(shop.load(tmp_path))
    assert [record.tenant for record in fixtures.records["Credential"]] == [None, None]
    assert names(fixtures, "Credential") == names(fixtures, "Credential", "second") == ["first", "second"]


def test_a_record_knows_its_place(shop: Shop, tmp_path: Path) -> None:
    fixtures = load_fixtures(shop.load(tmp_path))
    path = tmp_path / "fixtures" / "shop" / "Owner.yaml"
    bob = fixtures.records["Owner"][1]
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if '"bob"' in text)
    assert (bob.place, bob.pointer, bob.summary, bob.value) == (
        f"{path}:{line}",
        "/records/bob",
        "The other's.",
        {"id": "o-2"},
    )


def test_a_vendor_without_a_folder_or_credentials_has_no_records(shop: Shop, tmp_path: Path) -> None:
    contract = shop.load(tmp_path)
    fixtures = load_fixtures(contract, tmp_path / "nowhere")
    assert (dict(fixtures.records), fixtures.tenant) == ({}, "")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("Owner", [], "a fixtures file has the groups records, requests, answers and nothing else"),
        ("Owner", None, "a fixtures file has the groups"),
        ("Owner", {"rows": {}}, "a fixtures file has the groups"),
        ("Owner", {"records": []}, ""),
        ("Owner", {"records": ["a"]}, "records is a mapping of names"),
        ("Owner", {"records": {"a": {"summary": "No value."}}}, "a is no Example Object with a value"),
        ("Owner", {"records": {"a": 7}}, "a is no Example Object with a value"),
        ("Owner", {"records": {"a": {"value": [1]}}}, "a is no Example Object with a value"),
        ("Desk", {"records": {"a": {"value": {}}}}, "shop has no resource Desk"),
        ("Credential", [], "a fixtures file has the groups"),
        ("Credential", {"records": 7}, "records is a mapping of names"),
        ("Credential", {"records": {"a": 7}}, "a is no Example Object with a value"),
        ("Credential", {"records": {"a": {"value": None}}}, "a is no Example Object with a value"),
    ],
)
def test_a_file_of_another_shape_is_refused_with_its_place(
    shop: Shop, tmp_path: Path, name: str, content: Any, reason: str
) -> None:
    shop.fixtures[name] = content
    contract = shop.load(tmp_path)
    if not reason:
        assert load_fixtures(contract).records[name] == ()
        return
    with pytest.raises(ContractError, match=reason) as caught:
        load_fixtures(contract)
    assert caught.value.place.startswith(f"{tmp_path / 'fixtures' / 'shop' / name}.yaml:")


def test_a_file_may_hold_answers_of_what_is_no_resource(shop: Shop, tmp_path: Path) -> None:
    shop.fixtures["Problem"] = {"answers": {"a": {"summary": "It failed.", "value": {"message": "It failed."}}}}
    assert load_fixtures(shop.load(tmp_path)).records["Problem"] == ()


@pytest.mark.parametrize("vendor", vendors())
def test_every_shipped_record_is_read_from_where_it_says(vendor: str) -> None:
    fixtures = load_fixtures(load(vendor))
    found = [record for records in fixtures.records.values() for record in records]
    assert found
    for record in found:
        assert read(record.path)["records"][record.name]["value"] == record.value
        assert record.path.stem == record.resource
