"""SubscriptionFlow's contract against what the vendor documents: no operation and no typed field is lost, and each has its type.

The printed page holds for fields; of the vendor's later document every operation is served, or its absence is stated.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_server.contract import Contract, Operation, load, resolve

INVENTORY = json.loads((Path(__file__).parent / "data" / "subscriptionflow-inventory.json").read_text())
OPERATIONS: list[dict[str, Any]] = INVENTORY["operations"]

LATER: list[str] = json.loads((Path(__file__).parent / "data" / "subscriptionflow-later.json").read_text())[
    "operations"
]
DEPARTURES = {
    "POST /api/v1/subscriptions/{subscription_id}": ("PUT /api/v1/subscriptions/{subscription_id}", "`PUT`"),
    "POST /api/v1/subscriptions/{subscription_id}/extend-period?action={expire_period | veiw_period}": (
        "POST /api/v1/subscriptions/{subscription_id}/extend-period",
        "`extend-period`",
    ),
    "GET /api/v1/customers/{id}/link/{related}": (
        "GET /api/v1/customers/{customer_id}/link/{related}",
        "`customer_id`",
    ),
    "GET /api/v1/products/links/master-issues": (None, "`GET /api/v1/products/links/master-issues`"),
}
"""What is served in place of an operation of the later document, and the words by which our document says so."""

TYPES: dict[str, dict[str, Any]] = {
    "char": {"type": "string"},
    "varchar": {"type": "string"},
    "text": {"type": "string"},
    "contacts": {"type": "string"},
    "tinyint": {"type": "integer", "minimum": 0, "maximum": 1},
    "int": {"type": "integer"},
    "timestamp": {"type": "string", "format": "date-time"},
    "datetime": {"type": "string", "format": "date-time"},
    "date": {"type": "string", "format": "date"},
    "number": {"type": "number"},
    "double": {"type": "number"},
    "array": {"type": "array"},
}
"""What a database type of the printed page is in JSON Schema; `contacts` is a slip of the page for text."""

CONDITIONS = {"$sortorder": "FilterSortOrder", "$limit": "FilterLimit", "$paginate": "FilterPaginate"}
MISFILED = "fieldName"
"""The page files the pair that searches under the path, which has no slot for it; it is the query parameter `fields`."""


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load("subscriptionflow")


def label(entry: dict[str, Any]) -> str:
    return f"{entry['method']} {entry['path']}"


def documented(contract: Contract, entry: dict[str, Any]) -> Operation:
    return next(operation for operation in contract.operations.values() if operation.label == label(entry))


def fields(entry: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = INVENTORY["fields"][entry["path"].split("/")[3]]
    return found


def follow(contract: Contract, schema: Any) -> Any:
    while "$ref" in schema:
        schema = resolve(contract.document, schema["$ref"].removeprefix("#"))
    return schema


def properties(contract: Contract, schema: Any) -> Iterator[tuple[str, Any]]:
    """The properties of a schema, of what it is composed of and of each of its alternatives."""
    schema = follow(contract, schema)
    for part in (*schema.get("allOf", []), *schema.get("anyOf", [])):
        yield from properties(contract, part)
    for name, item in schema.get("properties", {}).items():
        yield name, follow(contract, item)


def shown(contract: Contract, operation: Operation) -> Iterator[tuple[str, Any]]:
    """Every field of the records in the success answer: flat in a list, in attributes and relationships for one record."""
    data = dict(properties(contract, operation.success.content["application/json"]))["data"]
    if data["type"] == "array":
        yield from properties(contract, data["items"])
        return
    parts = dict(properties(contract, data))
    yield from properties(contract, parts["attributes"])
    for name, item in properties(contract, parts["relationships"]):
        assert set(item["properties"]) == {"id", "link"}
        yield name, item["properties"]["id"]


def mistyped(expected: dict[str, str], found: list[tuple[str, Any]]) -> list[str]:
    """The fields that are absent, or have a type other than their database type's."""
    return [
        f"{name}: {db_type}"
        for name, db_type in expected.items()
        if not any(name == other and TYPES[db_type].items() <= item.items() for other, item in found)
    ]


def test_the_inventory_is_whole() -> None:
    sent = sum(len(fields(entry)) for entry in OPERATIONS if entry.get("request"))
    answered = sum(len(fields(entry)) for entry in OPERATIONS if entry.get("response"))
    assert (len(OPERATIONS), sent + answered) == (35, 524)


def test_the_contract_calls_those_operations_and_the_token_endpoint_documented(contract: Contract) -> None:
    said = {operation.label for operation in contract.operations.values() if operation.provenance.level == "documented"}
    assert said == {label(entry) for entry in OPERATIONS} | {"POST /oauth/token"}


@pytest.mark.parametrize("entry", OPERATIONS, ids=label)
def test_every_operation_has_its_parameters_and_its_success(contract: Contract, entry: dict[str, Any]) -> None:
    operation = documented(contract, entry)
    expected = set(entry.get("path_parameters", [])) - {MISFILED}
    assert {parameter.name for parameter in operation.parameters if parameter.where == "path"} == expected
    assert operation.success.status == entry["success"]
    if MISFILED in entry.get("path_parameters", []):
        (search,) = operation.parameters
        assert (search.name, search.where, search.style, search.explode) == ("fields", "query", "form", True)
    if entry.get("query_parameters") == ["ids"]:
        (ids,) = operation.parameters
        assert (ids.name, ids.where, ids.required) == ("ids", "query", True)


@pytest.mark.parametrize("entry", [e for e in OPERATIONS if e.get("query_parameters") == "filter"], ids=label)
def test_every_condition_of_a_filter_is_there_for_every_column(contract: Contract, entry: dict[str, Any]) -> None:
    (parameter,) = [item for item in documented(contract, entry).parameters if item.name == "filter"]
    whole = follow(contract, parameter.schema)["properties"]
    operators = [name for name in INVENTORY["filter_parameters"] if name not in CONDITIONS]
    assert len(operators) == 13
    assert (parameter.style, parameter.explode) == ("deepObject", True)
    for name, schema in CONDITIONS.items():
        assert whole[name] == {"$ref": f"#/components/schemas/{schema}"}
    unfiltered = {"portal_pass", "deleted_at"}
    for column in fields(entry).keys() - unfiltered:
        assert list(dict(properties(contract, whole[column]))) == operators, column


@pytest.mark.parametrize("entry", [e for e in OPERATIONS if e.get("request")], ids=label)
def test_every_field_of_a_request_is_there_with_its_type(contract: Contract, entry: dict[str, Any]) -> None:
    body = documented(contract, entry).body
    assert body is not None
    assert mistyped(fields(entry), list(properties(contract, body.content["application/json"]))) == []


@pytest.mark.parametrize("entry", [e for e in OPERATIONS if e.get("request")], ids=label)
def test_a_form_has_every_field_that_a_client_may_set(contract: Contract, entry: dict[str, Any]) -> None:
    operation = documented(contract, entry)
    assert operation.body is not None
    settable = fields(entry).keys() - contract.resources[operation.action.resource].read_only
    form = list(properties(contract, operation.body.content["application/x-www-form-urlencoded"]))
    assert mistyped({name: fields(entry)[name] for name in settable}, form) == []
    assert not any(item.get("readOnly") for _, item in form)


@pytest.mark.parametrize("entry", [e for e in OPERATIONS if e.get("response")], ids=label)
def test_every_field_of_a_response_is_there_with_its_type(contract: Contract, entry: dict[str, Any]) -> None:
    assert mistyped(fields(entry), list(shown(contract, documented(contract, entry)))) == []


def test_a_password_is_taken_and_never_shown(contract: Contract) -> None:
    assert contract.resources["Customer"].write_only == {"portal_pass"}


def test_fields_of_an_answer_may_be_null_but_the_key(contract: Contract) -> None:
    for name in ("Customer", "EmailAddress", "Contact", "Subscription"):
        resource = contract.resources[name]
        strict = {field for field, item in resource.properties.items() if not item.get("nullable")}
        assert strict <= {"id", "items"}, name


def test_the_later_document_is_whole() -> None:
    assert len(LATER) == len(set(LATER)) == 120


@pytest.mark.parametrize("line", LATER)
def test_every_operation_of_the_later_document_is_served_or_its_absence_is_stated(
    contract: Contract, line: str
) -> None:
    label, _, status = line.rpartition(" ")
    served: str | None = label
    if label in DEPARTURES:
        served, words = DEPARTURES[label]
        assert words in contract.document["info"]["description"]
    found = {operation.label: operation for operation in contract.operations.values()}
    assert label in found or label in DEPARTURES
    if served is not None:
        assert found[served].success.status == int(status)
        assert found[served].provenance.level in ("documented", "published")


def test_no_departure_is_stated_that_is_none(contract: Contract) -> None:
    labels = {line.rpartition(" ")[0] for line in LATER}
    assert DEPARTURES.keys() <= labels
    assert not DEPARTURES.keys() & {operation.label for operation in contract.operations.values()}


def test_nothing_is_served_that_the_vendor_does_not_have(contract: Contract) -> None:
    known = {line.rpartition(" ")[0] for line in LATER} | {label(entry) for entry in OPERATIONS} | {"POST /oauth/token"}
    known |= {served for served, _ in DEPARTURES.values() if served is not None}
    assert {operation.label for operation in contract.operations.values()} - known == set()
