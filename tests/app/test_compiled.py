"""An operation takes what its document declares from a request, tells everything that is wrong, and holds answers to the document."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

import pytest

from mock_server.app.accept import acceptable
from mock_server.app.compiled import CompiledOperation
from mock_server.app.schemas import Schemas
from mock_server.contract import Parameter
from mock_server.problems import Problem
from mock_server.vendor import Answer, Request


@pytest.fixture(scope="session")
def contract(shop_contract):
    return shop_contract


@pytest.fixture
def compiled(contract):
    """Compiles an operation by its id, with other parameters if some are given."""

    def compile_operation(identifier: str, *parameters: Parameter) -> CompiledOperation:
        operation = contract.operations[identifier]
        if parameters:
            operation = replace(operation, parameters=parameters)
        return CompiledOperation(operation, Schemas(contract))

    return compile_operation


def request(body: bytes = b"", query=(), path=None, **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("GET", "/", "http://x", list(query), named, "default", body, path or {})


def parameter(name: str, schema: Any, where: Any = "query", **options: Any) -> Parameter:
    facts = {"required": False, "style": "form", "explode": True, "references": None, "pointer": "", **options}
    return Parameter(name=name, where=where, schema=schema, **facts)


def refusal(operation: CompiledOperation, asked: Request) -> Problem:
    with pytest.raises(Problem) as caught:
        operation.read(asked)
    return caught.value


# Parameters -----------------------------------------------------------------------------------------------------------


def test_a_path_value_is_cast_to_its_type(compiled):
    assert compiled("getOrder").read(request(path={"id": "7"})).path == {"id": 7}


def test_a_query_value_is_cast_and_what_nobody_declared_is_left_out(compiled):
    given = compiled("listOrders").read(request(query=[("page", "2"), ("colour", "green")]))

    assert given.query == {"page": 2}


def test_a_header_is_found_in_lower_case_and_kept_under_its_own_name(compiled):
    given = compiled("createOrder").read(request(b'{"item": "pear", "status": "open"}', x_once="k"))

    assert given.header == {"X-Once": "k"}


@pytest.mark.parametrize(
    ("facts", "query", "value"),
    [
        (parameter("a", {"type": "array", "items": {"type": "integer"}}), [("a", "1"), ("a", "2")], [1, 2]),
        (parameter("a", {"type": "array", "items": {"type": "integer"}}), [("a", "1")], [1]),
        (parameter("a", {"type": "array", "items": {"type": "integer"}}), [("a[]", "1"), ("a[]", "2")], [1, 2]),
        (parameter("a", {"type": "array", "items": {"type": "string"}}), [("a", "1,2")], ["1,2"]),
        (parameter("a", {"type": "array", "items": {"type": "string"}}, explode=False), [("a", "1,2")], ["1", "2"]),
        (
            parameter("a", {"type": "object", "properties": {"b": {"type": "integer"}}}, style="deepObject"),
            [("a[b]", "1"), ("a[c][d]", "x")],
            {"b": 1, "c": {"d": "x"}},
        ),
        (
            parameter("a", {"type": "object", "properties": {"b": {"type": "integer"}}}),
            [("b", "1"), ("c", "2")],
            {"b": 1},
        ),
        (parameter("a", {"type": "integer"}), [("a", "1"), ("a", "2")], 2),
    ],
)
def test_lists_and_objects_are_read_from_the_query(compiled, facts, query, value):
    assert compiled("listOrders", facts).read(request(query=query)).query == {"a": value}


def test_a_cookie_is_read_by_its_name(compiled):
    facts = parameter("session", {"type": "integer"}, where="cookie")
    operation = compiled("listOrders", facts, parameter("limit", {"type": "integer"}))

    assert refusal(operation, request(cookie="a=b; session=x")).violations[0].where == "cookie"
    assert operation.read(request(cookie="a=b; session=7")).query == {}


def test_absent_parameters_are_absent(compiled):
    assert compiled("listOrders").read(request()).query == {}


def test_a_required_parameter_that_is_absent_is_a_violation(compiled):
    problem = refusal(compiled("deleteOrders"), request())

    assert (problem.kind, problem.detail) == ("parameter", "ids is required.")


def test_an_object_of_which_no_property_came_is_absent(compiled):
    facts = parameter("a", {"type": "object", "properties": {"b": {"type": "integer"}}}, required=True)

    assert refusal(compiled("listOrders", facts), request(query=[("c", "1")])).violations[0].rule == "required"


def test_tangled_names_are_a_problem_of_the_parameters(compiled):
    assert refusal(compiled("listOrders"), request(query=[("a", "1"), ("a[b]", "2")])).kind == "parameter"


# Bodies ---------------------------------------------------------------------------------------------------------------


def test_json_and_a_form_give_the_same_input(compiled):
    operation = compiled("createOrder")
    as_json = operation.read(request(b'{"item": "pear", "status": "open", "quantity": 2}'))
    as_form = operation.read(
        request(b"item=pear&status=open&quantity=2", content_type="application/x-www-form-urlencoded")
    )

    assert as_json.body == as_form.body == {"item": "pear", "status": "open", "quantity": 2}


def test_what_only_the_server_sets_is_not_checked(compiled, contract):
    given = compiled("createOrder").read(request(b'{"item": "pear", "status": "open", "id": "not a number"}'))

    assert given.body["id"] == "not a number"


def test_a_required_body_that_is_absent_is_malformed(compiled):
    assert refusal(compiled("createOrder"), request()).kind == "malformed"


def test_an_empty_form_lacks_its_fields_but_is_there(compiled):
    problem = refusal(compiled("createOrder"), request(content_type="application/x-www-form-urlencoded"))
    assert (problem.kind, {violation.pointer for violation in problem.violations}) == ("missing", {"/item", "/status"})


def test_a_body_where_none_is_declared_is_ignored(compiled):
    assert compiled("listOrders").read(request(b"\xff", content_type="text/plain")).body is None


def test_every_violation_of_a_request_is_told_at_once(compiled):
    problem = refusal(compiled("createOrder"), request(b'{"quantity": 0, "note": 7}', x_once=""))

    assert {(found.where, found.pointer, found.rule) for found in problem.violations} == {
        ("header", "/X-Once", "minLength"),
        ("body", "/item", "required"),
        ("body", "/status", "required"),
        ("body", "/quantity", "minimum"),
        ("body", "/note", "type"),
    }


@pytest.mark.parametrize(
    ("body", "headers", "kind"),
    [
        (b"[]", {}, "malformed"),
        (b"null", {"x_once": ""}, "malformed"),
        (b"{}", {"x_once": ""}, "missing"),
        (b'{"item": 7, "status": "open"}', {}, "invalid"),
        (b'{"item": 7, "status": "open"}', {"x_once": ""}, "parameter"),
        (b"{}", {"content_type": "text/plain"}, "media-type"),
        (b"{", {"accept": "text/html"}, "not-acceptable"),
    ],
)
def test_several_kinds_of_violation_count_as_the_gravest(compiled, body, headers, kind):
    assert refusal(compiled("createOrder"), request(body, **headers)).kind == kind


def test_a_megabyte_of_mistakes_is_refused_within_a_second(sandbox):
    flow = sandbox("subscriptionflow")
    filters = {"filter": {"name": {"$in": [1] * 400_000}}}
    before = time.process_time()
    answer = flow.api.post("/api/v1/customers/filter", content=json.dumps(filters, separators=(",", ":")))

    assert answer.status_code == 400
    assert "/filter/name/$in" in answer.headers["X-Mock-Violations"]
    assert time.process_time() - before < 1


# Accept ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("application/json", True),
        ("Application/JSON; charset=utf-8", True),
        ("text/html, application/*;q=0.1", True),
        ("*/*", True),
        ("*", True),
        ("text/html, */*;q=0.8", True),
        ("application/json;q=0", False),
        ("application/json;q=0.000, */*", False),
        ("application/*;q=0, application/json", True),
        ("*/*;q=0, application/json;q=0.5", True),
        ("application/json, application/json;q=0", True),
        ("application/json;q=0, application/json", False),
        ("text/html", False),
        ("application/problem+json", False),
        ("application/jsonx", False),
        (",;=", False),
    ],
)
def test_the_most_specific_range_decides_whether_json_is_acceptable(accept, taken):
    assert acceptable(accept, "application/json") is taken


def test_an_answer_without_content_is_acceptable_to_everyone(compiled):
    assert compiled("deleteOrder").read(request(path={"id": "1"}, accept="text/html")).path == {"id": 1}


# Answers --------------------------------------------------------------------------------------------------------------

ORDER = {"id": 1, "item": "pear", "status": "open"}


def test_an_answer_that_the_document_allows_passes(compiled):
    compiled("getOrder").check(Answer(200, ORDER))
    compiled("deleteOrder").check(Answer(204))


@pytest.mark.parametrize(
    ("identifier", "answer", "message"),
    [
        ("getOrder", Answer(201, ORDER), "getOrder 201: the status is not documented"),
        ("getOrder", Answer(200, {**ORDER, "id": "1"}), 'getOrder 200: /id: "1" is not of type "integer"'),
        ("getOrder", Answer(200, None), "getOrder 200: /"),
        ("deleteOrder", Answer(204, {}), "deleteOrder 204: the document has no content here"),
    ],
)
def test_an_answer_that_the_document_does_not_allow_is_a_defect(compiled, identifier, answer, message):
    with pytest.raises(AssertionError, match=message):
        compiled(identifier).check(answer)
