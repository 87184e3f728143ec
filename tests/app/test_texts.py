"""Texts become values: bracketed names nest, and a text is cast only where the schema asks for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.app import texts
from mock_server.app.texts import DEEPEST, Tangled, cast, nest, split


def same(schema):
    return schema if isinstance(schema, dict) else {}


@pytest.mark.parametrize(
    ("name", "head", "steps"),
    [
        ("plain", "plain", []),
        ("filter[name][$equals]", "filter", ["name", "$equals"]),
        ("tags[]", "tags", [""]),
        ("items[0][id]", "items", ["0", "id"]),
        ("a[b", "a[b", []),
        ("a]b[", "a]b[", []),
        ("a[b]c", "a[b]c", []),
        ("a[[b]]", "a[[b]]", []),
        ("[a]", "[a]", []),
        ("", "", []),
    ],
)
def test_a_name_is_split_at_brackets_that_close(name, head, steps):
    assert split(name) == (head, steps)


@pytest.mark.parametrize(
    ("pairs", "tree"),
    [
        ([("a", "1")], {"a": "1"}),
        ([("a", "1"), ("a", "2"), ("a", "3")], {"a": ["1", "2", "3"]}),
        ([("a[b][c]", "1"), ("a[b][d]", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        ([("a[]", "1"), ("a[]", "2")], {"a": {"0": "1", "1": "2"}}),
        ([("a[b][]", "1"), ("a[b][]", "2")], {"a": {"b": {"0": "1", "1": "2"}}}),
        ([("a[0][id]", "1"), ("a[1][id]", "2")], {"a": {"0": {"id": "1"}, "1": {"id": "2"}}}),
        ([("a[b]", "1"), ("a[b]", "2")], {"a": {"b": ["1", "2"]}}),
        ([], {}),
    ],
)
def test_bracketed_names_make_a_tree(pairs, tree):
    assert nest(pairs) == tree


@pytest.mark.parametrize("names", [["a", "a[b]"], ["a[b]", "a"], ["a[b]", "a[b][c]"], ["a[b][c]", "a[b]"]])
def test_a_name_used_plainly_and_with_brackets_is_tangled(names):
    with pytest.raises(Tangled, match="both plainly and with brackets"):
        nest((name, "x") for name in names)


def test_names_nest_to_a_limit():
    assert nest([("a" + "[b]" * (DEEPEST - 1), "x")])
    with pytest.raises(Tangled, match="too many levels"):
        nest([("a" + "[b]" * DEEPEST, "x")])


@given(st.lists(st.tuples(st.text("ab[]0$é\x00", max_size=12), st.text(max_size=3)), max_size=8))
def test_any_names_nest_or_are_tangled(pairs):
    try:
        tree = nest(pairs)
    except Tangled:
        return
    assert cast(tree, {"type": "object"}, same) is not None


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("7", "integer", 7),
        ("-7", "integer", -7),
        ("7.0", "integer", "7.0"),
        ("07", "integer", "07"),
        ("+7", "integer", "+7"),
        (" 7", "integer", " 7"),
        ("٧", "integer", "٧"),
        ("", "integer", ""),
        ("9" * 5000, "integer", "9" * 5000),
        ("7", "number", 7),
        ("7.5", "number", 7.5),
        ("1e3", "number", 1000.0),
        ("1e400", "number", "1e400"),
        ("NaN", "number", "NaN"),
        ("Infinity", "number", "Infinity"),
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("True", "boolean", "True"),
        ("1", "boolean", "1"),
        ("7", "string", "7"),
        ("true", "string", "true"),
        ("7", "", "7"),
    ],
)
def test_a_text_is_cast_to_the_type_it_fits_and_else_stays_a_text(text, kind, value):
    found = texts.scalar(text, kind)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "schema", "expected"),
    [
        ("1", {"type": "array", "items": {"type": "integer"}}, [1]),
        (["1", "x"], {"type": "array", "items": {"type": "integer"}}, [1, "x"]),
        ({"0": "1", "1": "2"}, {"type": "array", "items": {"type": "integer"}}, [1, 2]),
        ({"1": "1"}, {"type": "array", "items": {"type": "integer"}}, {"1": "1"}),
        (["1", "2"], {"type": "integer"}, 2),
        (["1", "2"], {}, ["1", "2"]),
        ({"0": "1", "1": "2"}, {}, ["1", "2"]),
        ({"a": "1"}, {"type": "object", "properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ({"b": "1"}, {"type": "object", "additionalProperties": {"type": "integer"}}, {"b": 1}),
        ({"b": "1"}, {"type": "object", "additionalProperties": False}, {"b": "1"}),
        ({"a": "1"}, {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}}]}, {"a": 1}),
        ({"a": "1"}, {"properties": {"a": {"type": "integer"}}}, {"a": 1}),
        ("1", {"type": "object"}, "1"),
        ("", {"type": "object"}, {}),
        ("null", {"type": "integer", "nullable": True}, None),
        ("null", {"type": "integer"}, "null"),
        ("null", {"type": "string", "format": "date", "nullable": True}, None),
        ("null", {"type": "string", "nullable": True}, "null"),
        ({"a": "1"}, {"type": "integer"}, {"a": "1"}),
    ],
)
def test_a_tree_is_cast_by_its_schema(value, schema, expected):
    assert cast(value, schema, same) == expected


def test_references_are_followed():
    schemas = {"#/components/schemas/Size": {"type": "integer"}}

    def deref(schema):
        return schemas[schema["$ref"]] if "$ref" in schema else schema

    schema = {"type": "object", "properties": {"size": {"$ref": "#/components/schemas/Size"}}}
    assert cast({"size": "3"}, schema, deref) == {"size": 3}
