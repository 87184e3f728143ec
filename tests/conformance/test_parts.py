"""The parts the suite is made of, each for itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from acme import DOCUMENT

from conformance.client import Answer
from conformance.comparison import same
from conformance.finding import NotTested
from conformance.promise import all_promises
from conformance.reports.junit import _plain
from conformance.schemas import Schemas, drop, put
from conformance.scope import Scope, read
from conformance.specimens import OPERATORS, Specimen, conditions, due
from conformance.target import BadTarget, base_url, describe, reach
from conformance.values import Fresh, awkward, nothing, sample
from conformance.wire import FORM, brackets, curl, encode

NO_DOCUMENT = Schemas({})


def test_a_request_as_a_command_line_shows_no_token() -> None:
    line = curl(
        "POST", "https://example.com/a?b=c", {"Authorization": "Bearer s3cret"}, b'{"a": "it\'s"}', {"s3cret": "$TOKEN"}
    )
    assert line.startswith("curl -X POST ")
    assert "s3cret" not in line
    assert "$TOKEN" in line


def test_nested_values_are_written_with_brackets() -> None:
    assert list(brackets("filter", {"name": {"$in": ["a", "b"], "$is_null": True}})) == [
        ("filter[name][$in][]", "a"),
        ("filter[name][$in][]", "b"),
        ("filter[name][$is_null]", "true"),
    ]
    assert encode({"a": {"b": 1}}, FORM) == b"a%5Bb%5D=1"
    assert encode({"ä": 1}, "application/json") == '{"ä": 1}'.encode()


def test_a_body_that_is_no_json_is_none() -> None:
    assert Answer(None, 200, {}, b"<html>", "").body is None


@pytest.mark.parametrize(
    ("schema", "sent", "shown", "agrees"),
    [
        ({"type": "string"}, "a ", "a", False),
        ({"type": "string"}, "a ", "a ", True),
        ({"type": "string"}, 416013, "416013", True),
        ({"type": "string", "enum": ["Active"]}, "active", "Active", True),
        ({"type": "string", "enum": ["Active"]}, "active", "Trial", False),
        ({"type": "integer"}, 9007199254740993, 9007199254740992, False),
        ({"type": "string", "format": "date-time"}, "2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", True),
        ({"type": "object", "additionalProperties": True}, {"a": 1}, {"a": 1, "b": 2}, False),
        ({"type": "object", "properties": {"a": {}, "id": {}}}, {"a": 1}, {"a": 1, "id": 7}, True),
        ({"type": "array", "items": {"type": "integer"}}, [1, 2], [2, 1], False),
        ({"type": "array", "items": {"type": "object"}}, {"k": {"price": 1}}, [{"price": 1}], True),
    ],
)
def test_what_was_sent_and_what_is_shown_agree_as_far_as_the_schema_can_hold_it(
    schema: dict[str, object], sent: object, shown: object, agrees: bool
) -> None:
    assert same(NO_DOCUMENT, schema, sent, shown) is agrees


@pytest.mark.parametrize(
    ("schema", "like"),
    [
        ({"type": "string"}, None),
        ({"type": "string"}, "jane@example.com"),
        ({"type": "string", "maxLength": 6}, "abc"),
        ({"type": "string", "pattern": "^[A-Z]{3}-[0-9]{5}$"}, "ABC-12345"),
        ({"type": "integer", "minimum": 10, "maximum": 99999999}, 12),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "minLength": 20}, "x" * 20),
    ],
)
def test_fresh_values_fit_their_schema_and_never_repeat(schema: dict[str, object], like: object) -> None:
    fresh = Fresh("run", NO_DOCUMENT)
    made = [fresh.value(schema, like) for _ in range(50)]
    assert all(NO_DOCUMENT.fits(schema, value) for value in made)
    assert len(set(made)) == 50
    again = Fresh("run", NO_DOCUMENT)
    assert [again.value(schema, like) for _ in range(50)] == made


def test_what_cannot_be_made_is_said() -> None:
    with pytest.raises(NotTested, match="no way to make a fresh value"):
        Fresh("run", NO_DOCUMENT).value({"type": "string", "enum": ["a"]})


def test_a_key_that_names_nothing_is_like_one_that_does() -> None:
    assert nothing(NO_DOCUMENT, {"type": "string"}, "sub_000001") == "sub_999999"
    assert nothing(NO_DOCUMENT, {"type": "integer", "maximum": 100}, 7) == 97
    assert nothing(NO_DOCUMENT, {"type": "string", "pattern": "^[A-Z]{2}$"}, "US") == "ZZ"


def test_awkward_values_fit_their_schema() -> None:
    for schema in (
        {"type": "string", "maxLength": 9},
        {"type": "integer", "minimum": 0, "maximum": 5},
        {"type": "integer", "format": "int64"},
        {"type": "object", "additionalProperties": True},
    ):
        values = awkward(schema)
        assert values
        assert all(NO_DOCUMENT.fits(schema, value) for value in values)
    assert awkward({"type": "string", "pattern": "^a$"}) == []


def test_a_sample_has_what_is_required() -> None:
    schema = {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "integer", "minimum": 3}, "b": {"enum": ["x"]}},
    }
    assert sample(NO_DOCUMENT, schema) == {"a": 3, "b": "x"}


def test_bodies_are_changed_in_a_copy() -> None:
    body = {"items": [{"plan": 1}]}
    assert put(body, ("items", 0, "plan"), 2) == {"items": [{"plan": 2}]}
    assert drop(body, ("items", 0, "plan")) == {"items": [{}]}
    assert body == {"items": [{"plan": 1}]}


SPECIMEN = Specimen("name", "text", {1: "mark alpha one", 2: "mark beta two", 3: "gamma mark alpha one three", 4: None})


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_divides_the_specimen(operator: str) -> None:
    pairs = conditions(SPECIMEN, dict.fromkeys(OPERATORS))
    operand = next(operand for name, operand in pairs if name == operator)
    must, may = due(SPECIMEN, operator, operand)
    assert must
    assert must | may != set(SPECIMEN.values)


def test_what_a_careless_comparison_alone_takes_for_a_text_finds_nothing() -> None:
    nearly = [*conditions(SPECIMEN, dict.fromkeys(OPERATORS))][len(OPERATORS) :]
    assert {operator for operator, _ in nearly} == {"$equals", "$starts", "$contains"}
    assert [due(SPECIMEN, *condition) for condition in nearly] == [(set(), set())] * 4


def test_every_promise_says_what_it_promises_and_which_facts_it_probes() -> None:
    promises = all_promises()
    assert len({promise.name for promise in promises}) == len(promises) >= 20
    for promise in promises:
        assert promise.sentence.endswith(".")
        assert promise.facts
        assert all(fact.startswith("x-") for fact in promise.facts)


def test_no_part_of_the_suite_knows_a_vendor() -> None:
    names = ("wispgate", "subscriptionflow", "pelcro", "stykite")
    for path in Path(__import__("conformance").__file__).parent.rglob("*.py"):
        assert not [name for name in names if name in path.read_text().lower()], path


def test_inferred_operations_count_only_when_asked() -> None:
    contract = read("wispgate")
    assert [operation.id for operation in Scope(contract).operations] == ["createSubscriber"]
    assert len(Scope(contract, inferred=True).operations) == 3


def test_callers_and_records_come_from_the_fixtures() -> None:
    target = describe(read(DOCUMENT), "http://127.0.0.1:9/", "w")
    assert (target.base_url, target.caller.token, target.caller.tenant) == (
        "http://127.0.0.1:9",
        "acme-sandbox-001",
        "north",
    )
    assert [other.tenant for other in target.others] == ["south"]
    assert target.refused == {"expired": "acme-sandbox-003"}
    assert target.caller.records("Plan")[0] == {"id": "basic"}


def test_callers_and_records_come_from_a_target_file(tmp_path: Path) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(
        "token: mine\ntenant: t1\nheaders: {X-Extra: '1'}\nknown: {Plan: {gold: p-7}}\n"
        "second: {token: theirs, tenant: t2, known: {Plan: {gold: {id: p-8}}}}\nexpired: old\n"
    )
    target = describe(read(DOCUMENT), "http://127.0.0.1:9", "w", path)
    assert (target.caller.token, target.caller.headers) == ("mine", {"X-Extra": "1"})
    assert target.caller.records("Plan") == ({"id": "p-7"},)
    assert target.others[0].records("Plan") == ({"id": "p-8"},)
    assert target.refused == {"expired": "old"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "is a mapping"),
        ("token: [", "cannot be read"),
        ("tokens: x", "and nothing else"),
        ("known: {Ship: {a: 1}}", "knows a Ship"),
        ("known: {Plan: [1]}", "mapping of name to key"),
    ],
)
def test_a_target_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "target.yaml"
    path.write_text(text)
    with pytest.raises(BadTarget, match=said):
        describe(read(DOCUMENT), "http://127.0.0.1:9", "w", path)


def test_the_vendor_has_a_place_in_the_url() -> None:
    assert base_url("https://example.com/{vendor}/", "acme") == "https://example.com/acme"


def test_a_factory_is_served_on_a_free_port() -> None:
    with reach("acme_server:create_app") as url:
        assert base_url(url, "acme") == url


def test_reports_hold_no_sign_that_xml_cannot() -> None:
    assert _plain("a\x00b\ud800c\n") == "a\ufffdb\ufffdc\n"
