"""Bodies are decoded strictly: one JSON value or one form, or a problem that says why not."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.app.bodies import (
    FORM,
    JSON,
    choose,
    decode,
    decode_exactly,
    decode_json,
    encode,
    is_empty_form,
    media_type,
)
from mock_server.problems import Problem

OFFERED = {JSON: {}, FORM: {}}
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def refused(kind: str, content: bytes) -> str:
    with pytest.raises(Problem) as caught:
        decode_json(content)
    assert caught.value.kind == kind
    return caught.value.detail


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, ("", "")),
        ("", ("", "")),
        ("application/json", (JSON, "utf-8")),
        ("APPLICATION/JSON", (JSON, "utf-8")),
        ("application/json ; charset=UTF-8", (JSON, "utf-8")),
        ('application/json; charset="utf-8"; x=1', (JSON, "utf-8")),
        ("application/json;charset=latin-1", (JSON, "latin-1")),
        (";", ("", "utf-8")),
    ],
)
def test_a_content_type_is_read_in_any_case(header, found):
    assert media_type(header) == found


@pytest.mark.parametrize("header", [None, "", "application/json", "Application/JSON", "application/vnd.api+json"])
def test_json_is_what_is_meant_by_its_type_any_json_type_or_none(header):
    assert choose(header, OFFERED) == JSON


def test_a_form_is_chosen_where_it_is_offered():
    assert choose(f"{FORM}; charset=utf-8", OFFERED) == FORM


@pytest.mark.parametrize(
    "header", ["text/plain", "json", ";", "application/json; charset=latin-1", "text/json+json", "*/*", ","]
)
def test_any_other_type_is_refused(header):
    with pytest.raises(Problem) as caught:
        choose(header, OFFERED)
    assert caught.value.kind == "media-type"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nul",
        b"{} {}",
        b"{'a': 1}",
        b'{"a": 1,}',
        b"[1 2]",
        b"\xff",
        b'"\xc3"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'{"\\ud800": 1}',
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e400",
        b'{"a": [-1e999]}',
        b"9" * 5000,
        b"-" + b"9" * 310,
        b"01",
        b"+1",
        b".5",
        b"1.",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'"\x00"',
        b"[" * 100_000,
        b"[" * 250 + b"]" * 250,
        b'{"a":' * 250 + b"1" + b"}" * 250,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_not_one_json_value_is_malformed(content):
    assert refused("malformed", content)


def test_the_place_of_a_mistake_is_told_but_not_what_stood_there():
    assert "secret" not in refused("malformed", b'{"password": secret}')
    assert "hunter2" not in refused("malformed", b'{"password": "hunter2", "password": 1}')
    assert len(refused("malformed", b'{"%s": 1, "%s": 1}' % (b"x" * 9999, b"x" * 9999))) < 300


@pytest.mark.parametrize(
    "value",
    [10**300, -(2**63) - 1, 2**64, 1.7976931348623157e308, 5e-324, -0.0, "\x00", "\U0001f600", "￿", {"": 0}, []],
)
def test_unusual_values_survive(value):
    content = json.dumps(value).encode()
    assert decode_json(content) == value
    assert json.loads(encode(decode_json(content))) == value


def test_nesting_to_a_hundred_levels_is_fine():
    assert decode_json(b"[" * 100 + b"]" * 100)


@given(VALUES)
def test_any_value_survives_both_ways(value):
    assert decode_json(encode(value)) == value


PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"a"', '"b"', '"\\u0061"', '"\\""', '"é"', '"\x7f"', "\ufeff", " "),
        *("1", "-0", "-0.0", "1e999", "1E400", "1e5", "0.1", "0.30000000000000004", "1.7976931348623157e308"),
        *("9" * 18, "9" * 19, "9" * 20, "9" * 400, "18446744073709551615", "-9223372036854775808"),
        *("true", "null", "NaN", "Infinity", '{"a":1,"a":2}', '{"a":{"b":1},"c":"{}"}'),
        *("[" * 199 + "]" * 199, "[" * 201 + "]" * 201),
    ]
)


def outcome(parse, content: bytes) -> object:
    """The value as text, so that 1 is not 1.0 and -0.0 is not 0.0; or what is wrong."""
    try:
        return repr(parse(content))
    except Problem as problem:
        return problem.kind, problem.detail


@given(st.lists(PIECES, max_size=12).map("".join) | VALUES.map(lambda value: json.dumps(value, ensure_ascii=False)))
def test_the_quicker_parser_gives_what_the_exact_one_does(text):
    assert outcome(decode_json, text.encode()) == outcome(decode_exactly, text.encode())


@given(st.binary(max_size=60))
def test_any_bytes_are_a_json_value_or_malformed(content):
    try:
        found = (None, decode_json(content))
    except Problem as problem:
        found = (problem.kind, None)
    assert found == ("malformed", None) or found == (None, json.loads(content))


def test_a_form_becomes_an_object_of_the_schemas_types():
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "tags": {"type": "array", "items": {"type": "string"}}},
    }
    content = b"n=7&name=J%C3%A9+B&tags[]=a&tags%5B%5D=b&empty="

    found = decode(content, FORM, schema, lambda schema: schema)
    assert found == {"n": 7, "name": "Jé B", "tags": ["a", "b"], "empty": ""}


def test_no_bytes_are_a_form_without_fields_where_one_is_said_to_come():
    assert is_empty_form("application/x-www-form-urlencoded; charset=utf-8", {JSON: {}, FORM: {}})
    assert not is_empty_form(None, {JSON: {}, FORM: {}})
    assert not is_empty_form(FORM, {JSON: {}})
    assert decode(b"", FORM, {"type": "object"}, lambda schema: schema) == {}


@pytest.mark.parametrize(
    "content", [b"\xff=1", b"a=%FF", b"a=1&a[b]=2", b"&".join([b"a=1"] * 2001), b"a" + b"[b]" * 20 + b"=1"]
)
def test_a_form_that_cannot_be_read_is_malformed(content):
    with pytest.raises(Problem) as caught:
        decode(content, FORM, {"type": "object"}, lambda schema: schema)
    assert caught.value.kind == "malformed"


def test_a_text_with_half_a_character_can_still_be_sent():
    assert json.loads(encode({"a": "\ud800"})) == {"a": "\ud800"}
