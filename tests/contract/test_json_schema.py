"""OpenAPI's schemas as JSON Schema: null, bounds, and what each direction hides."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.contract import convert, definitions, load, vendors
from mock_server.contract.json_schema import Direction, compile_all

DIRECTIONS: list[Direction] = ["request", "response", "stored"]
ACCOUNT = {
    "type": "object",
    "required": ["id", "name", "secret"],
    "properties": {
        "id": {"$ref": "#/components/schemas/Id"},
        "name": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
    },
    "additionalProperties": False,
}
DOCUMENT = {"components": {"schemas": {"Account": ACCOUNT, "Id": {"type": "integer", "readOnly": True}}}}


def accepts(schema: Any, value: Any, direction: Direction = "stored", document: Any = None) -> bool:
    converted = convert(schema, direction, document)
    named = {"$defs": definitions(document, direction)} if document else {}
    return jsonschema_rs.Draft202012Validator({**converted, **named}, validate_formats=True).is_valid(value)


@pytest.mark.parametrize("direction", DIRECTIONS)
@given(
    data=st.data(),
    kind=st.sampled_from(["string", "integer", "number", "boolean", "array", "object"]),
    nullable=st.booleans(),
)
@settings(deadline=None)
def test_null_is_right_where_nullable_says_so(
    direction: Direction, data: st.DataObject, kind: str, nullable: bool
) -> None:
    schema: dict[str, Any] = {"type": kind, "nullable": nullable}
    if kind == "string" and data.draw(st.booleans()):
        schema["enum"] = ["a", "b"]
    assert accepts(schema, None, direction) is nullable


def test_an_enumeration_with_null_allows_it_once_nullable() -> None:
    assert accepts({"type": "string", "nullable": True, "enum": ["a", None]}, None)
    assert not accepts({"type": "string", "nullable": True, "enum": ["a"]}, "b")


@given(number=st.integers(-(2**70), 2**70), wide=st.booleans())
@settings(deadline=None)
def test_an_integer_format_bounds_it(number: int, wide: bool) -> None:
    bits = 63 if wide else 31
    assert accepts({"type": "integer", "format": "int64" if wide else "int32"}, number) is (
        -(2**bits) <= number < 2**bits
    )


@given(number=st.integers(-20, 20), limit=st.integers(-10, 10), exclusive=st.booleans(), formatted=st.booleans())
@settings(deadline=None)
def test_a_minimum_may_be_exclusive(number: int, limit: int, exclusive: bool, formatted: bool) -> None:
    schema = {
        "type": "integer",
        "minimum": limit,
        "exclusiveMinimum": exclusive,
        **({"format": "int32"} if formatted else {}),
    }
    assert accepts(schema, number) is (number > limit if exclusive else number >= limit)


@given(number=st.integers(-20, 20), limit=st.integers(-10, 10), exclusive=st.booleans(), formatted=st.booleans())
@settings(deadline=None)
def test_a_maximum_may_be_exclusive(number: int, limit: int, exclusive: bool, formatted: bool) -> None:
    schema = {
        "type": "integer",
        "maximum": limit,
        "exclusiveMaximum": exclusive,
        **({"format": "int32"} if formatted else {}),
    }
    assert accepts(schema, number) is (number < limit if exclusive else number <= limit)


def test_an_exclusive_bound_without_a_bound_says_nothing() -> None:
    assert accepts({"type": "integer", "exclusiveMinimum": True}, -1)


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ({"id": 1, "name": "a", "secret": "s"}, {"request", "stored"}),
        ({"name": "a", "secret": "s"}, {"request"}),
        ({"id": "any", "name": "a", "secret": "s"}, {"request"}),
        ({"id": 1, "name": "a"}, {"response"}),
        ({"id": 1, "name": 7}, set()),
        ({"name": "a"}, set()),
    ],
)
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_each_direction_hides_what_it_does_not_carry(direction: Direction, value: Any, right: set[Direction]) -> None:
    assert accepts(ACCOUNT, value, direction, DOCUMENT) is (direction in right)
    assert accepts({"$ref": "#/components/schemas/Account"}, value, direction, DOCUMENT) is (direction in right)
    assert accepts({"type": "array", "items": ACCOUNT}, [value], direction, DOCUMENT) is (direction in right)
    assert accepts({"allOf": [ACCOUNT]}, value, direction, DOCUMENT) is (direction in right)


@pytest.mark.parametrize("schema", [True, False])
def test_a_boolean_schema_is_itself(schema: bool) -> None:
    assert convert({"additionalProperties": schema}, "stored") == {"additionalProperties": schema}
    assert convert(schema, "stored") is schema


def test_words_of_people_and_extensions_are_left_out() -> None:
    schema = {
        "type": "string",
        "description": "d",
        "title": "t",
        "example": "e",
        "default": "f",
        "x-references": "Thing",
        "xml": {},
    }
    assert convert(schema, "request") == {"type": "string"}


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {
        "type": "object",
        "properties": {"nullable": {"type": "string"}, "x-view": {"type": "string"}, "default": {"type": "integer"}},
    }
    assert accepts(schema, {"nullable": "n", "x-view": "v", "default": 1})
    assert not accepts(schema, {"x-view": 1})


@pytest.mark.parametrize("vendor", vendors())
@pytest.mark.parametrize("direction", DIRECTIONS)
def test_every_shipped_schema_is_one_for_a_validator(vendor: str, direction: Direction) -> None:
    named = definitions(load(vendor).document, direction)
    assert named
    for name in named:
        jsonschema_rs.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": named}, validate_formats=True)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "text"},
        {"pattern": "("},
        {"$ref": "#/components/schemas/Absent"},
        {"items": {"required": [1]}},
        {"minLength": "1"},
    ],
)
@pytest.mark.parametrize("inline", [True, False])
def test_a_schema_that_cannot_be_used_is_known_at_the_start(schema: Any, inline: bool) -> None:
    parameter = {"name": "q", "in": "query", "schema": schema if inline else {"type": "string"}}
    document = {
        "paths": {"/a": {"get": {"parameters": [parameter]}}},
        "components": {"schemas": {} if inline else {"A": {"type": "object", "properties": {"a": schema}}}},
    }
    with pytest.raises((jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError)):
        compile_all(document)
