"""What a validator finds is told in plain words: the place, the rule, and never the value."""

from __future__ import annotations

import time

import jsonschema_rs
import pytest

from mock_server.app.violations import MOST, first_violation, violations, without_choices

SECRET = "hunter2"


def told(schema, value, prefix: str = ""):
    return [
        (found.pointer, found.rule, found.message) for found in violations(validator(schema), value, "body", prefix)
    ]


def validator(schema):
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, SECRET, "must be an integer"),
        ({"type": ["string", "null"]}, 7, "must be a string or null"),
        ({"type": ["null", "boolean"]}, 7, "must be true or false or null"),
        ({"enum": ["a", "b", None]}, SECRET, "must be one of a, b"),
        ({"const": "a"}, SECRET, "is not allowed"),
        ({"minimum": 1}, 0, "must be at least 1"),
        ({"maximum": 1.5}, 2, "must be at most 1.5"),
        ({"exclusiveMinimum": 1}, 1, "must be more than 1"),
        ({"exclusiveMaximum": 1}, 1, "must be less than 1"),
        ({"multipleOf": 5}, 7, "must be a multiple of 5"),
        ({"minLength": 9}, SECRET, "must have at least 9 characters"),
        ({"maxLength": 2}, SECRET, "must have at most 2 characters"),
        ({"minItems": 1}, [], "must have at least 1 items"),
        ({"maxItems": 0}, [SECRET], "must have at most 0 items"),
        ({"minProperties": 1}, {}, "must have at least 1 properties"),
        ({"maxProperties": 0}, {"a": SECRET}, "must have at most 0 properties"),
        ({"format": "date-time"}, SECRET, "must be a valid date-time"),
        ({"pattern": "^a"}, SECRET, "must match ^a"),
        ({"uniqueItems": True}, [SECRET, SECRET], "must not repeat an item"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, SECRET, "has none of the forms allowed here"),
        ({"oneOf": [{"type": "string"}, {"minLength": 1}]}, SECRET, "has none of the forms allowed here"),
        ({"not": {"type": "string"}}, SECRET, "is not allowed"),
        (False, SECRET, "is not allowed"),
    ],
    ids=lambda value: next(iter(value), None) if isinstance(value, dict) else "",
)
def test_each_rule_has_its_words_and_the_value_is_not_among_them(schema, value, message):
    [(pointer, _, found)] = told(schema, value, "/x")

    assert (pointer, found) == ("/x", message)
    assert SECRET not in found


def test_a_missing_property_is_named_as_if_it_were_there():
    assert told({"required": ["a/b", "c~d"]}, {}) == [
        ("/a~1b", "required", "is required"),
        ("/c~0d", "required", "is required"),
    ]


def test_each_unknown_property_is_named():
    schema = {"properties": {"a": True}, "additionalProperties": False}

    assert sorted(told(schema, {"a": 1, "b": SECRET, "c": 1}, "/x")) == [
        ("/x/b", "additionalProperties", "is not known here"),
        ("/x/c", "additionalProperties", "is not known here"),
    ]


def test_the_pointer_leads_through_objects_and_lists():
    schema = {"properties": {"lines": {"items": {"properties": {"n": {"type": "integer"}}}}}}

    assert told(schema, {"lines": [{"n": 1}, {"n": "x"}]}) == [("/lines/1/n", "type", "must be an integer")]


def test_every_violation_is_told():
    schema = {"required": ["a"], "properties": {"b": {"type": "integer"}, "c": {"minLength": 2}}}

    assert [pointer for pointer, *_ in told(schema, {"b": "x", "c": "y"})] == ["/a", "/b", "/c"]


def test_of_a_thousand_mistakes_and_more_a_thousand_are_told():
    assert len(told({"items": {"type": "string"}}, [1] * (MOST + 1))) == MOST
    unknown = dict.fromkeys(map(str, range(MOST + 1)))
    assert len(told({"properties": {"a": True}, "additionalProperties": False}, unknown)) == MOST


def test_of_a_large_value_the_first_mistake_is_told_at_once():
    schema = validator({"items": {"type": "string"}})
    before = time.process_time()

    assert [found.pointer for found in first_violation(schema, ["a"] + [1] * 300_000, "body")] == ["/1"]
    assert list(first_violation(schema, ["a"] * 1000, "body")) == []
    assert time.process_time() - before < 1


def test_of_a_large_value_with_choices_too():
    texts = {"anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "string"}]}
    schema = validator(without_choices({"properties": {"x": texts}}))
    before = time.process_time()
    [found] = first_violation(schema, {"x": ["a"] + [1] * 300_000}, "body")

    assert (found.pointer, found.message) == ("/x", "is not allowed")
    assert time.process_time() - before < 1


@pytest.mark.parametrize("value", [1, 1.5, "a", None, [1], {"a": 1}, {"a": "b"}, {"a": None}, {"a": [1, "x"]}])
@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"oneOf": [{"type": "number"}, {"type": "integer"}], "allOf": [{"minimum": 0}]},
        {"properties": {"a": {"anyOf": [{"type": "null"}, {"items": {"oneOf": [{"type": "integer"}]}}]}}},
        {"properties": {"anyOf": {"type": "integer"}}, "anyOf": [{"type": "object"}, {"const": 1}]},
        {"type": "integer"},
    ],
)
def test_without_choices_a_schema_takes_the_same_values(schema, value):
    assert validator(without_choices(schema)).is_valid(value) == validator(schema).is_valid(value)


def test_numbers_beyond_64_bits_are_compared_all_the_same():
    assert told({"type": "integer", "maximum": 2**63 - 1}, 10**300) == [("", "maximum", f"must be at most {2**63 - 1}")]
    assert told({"type": "integer", "minimum": -(2**63)}, -(10**300)) != []
    assert told({"type": "integer"}, 2**70) == []
