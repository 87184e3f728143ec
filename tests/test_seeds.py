"""Fixtures become the records of a world, once they are known to fit together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, fresh

from mock_server.contract import ContractError, load, load_fixtures, resolve, vendors
from mock_server.seeds import check, flaws, sow, stored_validators
from mock_server.store import MemoryStore, Transaction
from mock_server.vendor import COUNTERS, counter

SCHEMAS = "/components/schemas"


@pytest.fixture
def shop() -> Shop:
    return fresh()


def sown(shop: Shop, folder: Path) -> Transaction:
    contract = shop.load(folder)
    transaction = MemoryStore().begin("default", "shop")
    sow(transaction, contract, load_fixtures(contract))
    return transaction


def broken(shop: Shop, folder: Path) -> list[tuple[str, str]]:
    contract = shop.load(folder)
    return [(record.name, pointer) for record, pointer, _ in flaws(contract, load_fixtures(contract))]


def test_every_record_is_in_its_tenants_table_in_the_order_of_the_file(shop: Shop, tmp_path: Path) -> None:
    transaction = sown(shop, tmp_path)
    assert [record["id"] for record in transaction.scan(("first", "Thing"))] == ["t-1", "t-2"]
    assert transaction.get(("first", "Owner"), "o-1") == {"id": "o-1"}
    assert transaction.get(("first", "Owner"), "o-2") is None
    assert transaction.get(("second", "Owner"), "o-2") == {"id": "o-2"}
    assert transaction.count(("", "Credential")) == 2


def test_records_that_can_be_deleted_are_sown_as_there(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{SCHEMAS}/Thing/x-resource/deleted", "gone")
    shop.put(f"{SCHEMAS}/Thing/properties/gone", {"type": "string", "nullable": True})
    shop.fixtures["Thing"]["records"]["second"]["value"]["gone"] = "2026-01-01"
    transaction = sown(shop, tmp_path)
    assert [record["gone"] for record in transaction.scan(("first", "Thing"))] == [None, "2026-01-01"]
    assert [record["id"] for record in transaction.scan(("first", "Thing"), {"gone": None})] == ["t-1"]


def test_minted_numbers_go_on_after_the_highest_that_is_seeded(shop: Shop, tmp_path: Path) -> None:
    shop.fixtures["Thing"]["records"]["second"]["x-tenant"] = "second"
    shop.fixtures["Thing"]["records"]["second"]["value"]["id"] = "t-41"
    assert sown(shop, tmp_path).get(COUNTERS, counter("Thing", "id")) == {"n": 41}


def test_a_vendor_without_fixtures_has_an_empty_world(shop: Shop, tmp_path: Path) -> None:
    contract = shop.load(tmp_path)
    transaction = MemoryStore().begin("default", "shop")
    sow(transaction, contract, load_fixtures(contract, tmp_path / "nowhere"))
    assert transaction.count(("first", "Thing")) == 0


def seed(resource: str, pointer: str, value: Any) -> Callable[[Shop], None]:
    def change(shop: Shop) -> None:
        holder, _, name = pointer.rpartition("/")
        resolve(shop.fixtures[resource], f"/records{holder}")[name] = value

    return change


def nested(shop: Shop) -> None:
    shop.put(
        f"{SCHEMAS}/Thing/properties/parts",
        {"type": "array", "items": {"properties": {"owner": {"type": "string", "x-references": "Owner"}}}},
    )
    shop.fixtures["Thing"]["records"]["first"]["value"]["parts"] = [{"owner": "o-1"}, {"owner": "o-2"}]


def keyless(shop: Shop) -> None:
    shop.drop(f"{SCHEMAS}/Owner/required")
    shop.fixtures["Owner"]["records"]["bob"]["value"] = {}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (seed("Thing", "/first/value/state", "old"), [("first", "/state")]),
        (seed("Thing", "/first/value/size", "x"), [("first", "/size")]),
        (seed("Thing", "/second/value", {"id": "t-2"}), [("second", "")]),
        (seed("Thing", "/first/value/colour~", "red"), [("first", "/colour~0")]),
        (seed("Credential", "/second/value/colour", "red"), [("second", "/colour")]),
        (seed("Thing", "/second/value/id", "t-1"), [("second", "/id")]),
        (seed("Thing", "/second/value/code", "L1"), [("second", "/code")]),
        (seed("Thing", "/first/value/owner_id", "o-2"), [("first", "/owner_id")]),
        (seed("Thing", "/first/value/owner_id", "o-9"), [("first", "/owner_id")]),
        (seed("Thing", "/first/value/owner_id", ["o-1"]), [("first", "/owner_id"), ("first", "/owner_id")]),
        (seed("Owner", "/bob/value/id", "o-1"), []),
        (seed("Owner", "/bob/value/id", True), [("bob", "/id"), ("bob", "/id")]),
        (seed("Owner", "/bob/value/id", {"a~b/c": 1}), [("bob", "/id"), ("bob", "/id")]),
        (
            seed("Credential", "/second/value/expires_at", "tomorrow"),
            [("second", "/expires_at"), ("second", "/expires_at")],
        ),
        (nested, [("first", "/parts/1/owner")]),
        (keyless, [("bob", "/id")]),
    ],
)
def test_a_record_that_does_not_fit_is_named(
    shop: Shop, tmp_path: Path, change: Callable[[Shop], None], found: list[tuple[str, str]]
) -> None:
    assert broken(shop, tmp_path) == []
    change(shop)
    assert broken(shop, tmp_path) == found


def test_a_unique_field_that_is_null_or_another_tenants_is_free(shop: Shop, tmp_path: Path) -> None:
    things = shop.fixtures["Thing"]["records"]
    things["third"] = {"summary": "A chair.", "value": {"id": "t-3", "name": "Chair", "code": None, "state": "new"}}
    things["fourth"] = {
        "summary": "A bed.",
        "x-tenant": "second",
        "value": {"id": "t-1", "name": "Bed", "code": "L1", "state": "new"},
    }
    assert broken(shop, tmp_path) == []


def test_a_unique_set_is_taken_by_all_its_fields_together(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{SCHEMAS}/Thing/x-resource/unique", [["name", "code"]])
    things = shop.fixtures["Thing"]["records"]
    things["third"] = {"summary": "A lamp.", "value": {"id": "t-3", "name": "Lamp", "code": "L2", "state": "new"}}
    assert broken(shop, tmp_path) == []
    things["third"]["value"]["code"] = "L1"
    assert broken(shop, tmp_path) == [("third", "/name")]


def test_the_first_flaw_ends_the_start_with_its_place(shop: Shop, tmp_path: Path) -> None:
    seed("Thing", "/second/value/state", "old")(shop)
    contract = shop.load(tmp_path)
    with pytest.raises(ContractError) as caught:
        check(contract, load_fixtures(contract))
    assert caught.value.place.startswith(f"{tmp_path / 'fixtures' / 'shop' / 'Thing.yaml'}:")
    assert caught.value.pointer == "/records/second/value/state"
    assert caught.value.message.startswith("second/state: ")


def test_a_stored_record_has_what_only_the_server_and_only_the_client_sends(shop: Shop, tmp_path: Path) -> None:
    shop.put(f"{SCHEMAS}/Thing/properties/secret", {"type": "string", "writeOnly": True})
    validator = stored_validators(shop.load(tmp_path))["Thing"]
    assert validator.is_valid({"id": "t-1", "name": "Lamp", "secret": "s"})
    assert not validator.is_valid({"name": "Lamp"})
    assert not validator.is_valid({"id": "t-1", "name": "Lamp", "secret": 7})


@pytest.mark.parametrize("vendor", vendors())
def test_the_shipped_records_fit_together_and_are_all_sown(vendor: str) -> None:
    contract = load(vendor)
    fixtures = load_fixtures(contract)
    check(contract, fixtures)
    transaction = MemoryStore().begin("default", vendor)
    sow(transaction, contract, fixtures)
    for records in fixtures.records.values():
        for record in records:
            key = record.value[contract.resources[record.resource].key]
            found = transaction.get((record.tenant or "", record.resource), key)
            assert found is not None
            assert record.value.items() <= found.items()
