"""`Prefer`: a documented answer asked for by name, as Prism gives it, without touching anything."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.contract import vendors
from mock_server.preferences import Preference, parse, preferred
from mock_server.problems import Problem
from mock_server.vendor import Request

PEAR = {"item": "pear", "status": "open"}


def asked(header: str | None = None, *query: tuple[str, str]) -> Preference:
    headers = {} if header is None else {"prefer": header}
    return preferred(Request("GET", "/", "http://x", list(query), headers, "default"))


# Reading --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("code=429", {"code": "429"}),
        ("code=429, example=slow", {"code": "429", "example": "slow"}),
        ("code=429;example=slow", {"code": "429", "example": "slow"}),
        ("CODE = 429 ,  Example = slow ", {"code": "429", "example": "slow"}),
        ('example="a, b; c"', {"example": "a, b; c"}),
        (r'example="a \"b\""', {"example": 'a "b"'}),
        ("code=429, code=200", {"code": "429"}),
        ("return=minimal; code=429", {"return": "minimal", "code": "429"}),
        ("wait, respond-async", {"wait": "", "respond-async": ""}),
        ("code", {"code": ""}),
        ('example="open', {"example": '"open'}),
        (",,;;code=429,", {"code": "429"}),
        ("@, code=429", {"code": "429"}),
        ("@ code=429", {}),
        ("", {}),
    ],
)
def test_preferences_are_separated_by_commas_or_semicolons_and_the_first_counts(header, found):
    assert parse(header) == found


@pytest.mark.parametrize(
    "header",
    [
        "code=" + " " * 60_000 + "=",
        " " * 60_000 + "=",
        "=" * 60_000,
        'a="' + '\\"' * 30_000,
        'a="\\",' * 9000,
        ", " * 30_000,
    ],
    ids=lambda header: repr(header[:8]),
)
def test_a_long_header_is_read_in_no_time(header):
    before = time.process_time()
    parse(header)
    assert time.process_time() - before < 0.5


@given(st.text(max_size=60) | st.text(',;="\\ ac', max_size=40))
def test_any_header_can_be_read(header):
    assert all(name == name.lower() and name for name in parse(header))


@pytest.mark.parametrize(
    ("header", "query", "found"),
    [
        (None, [], Preference()),
        ("wait=5", [], Preference()),
        ("code=404", [], Preference(404)),
        ("example=a", [], Preference(None, "a")),
        (None, [("__code", "404"), ("__example", "a")], Preference(404, "a")),
        ("wait=5", [("__code", "404")], Preference(404)),
        ("code=429", [("__code", "404")], Preference(429)),
        (None, [("code", "404"), ("__dynamic", "true")], Preference()),
    ],
)
def test_the_header_counts_before_the_query(header, query, found):
    assert asked(header, *query) == found
    assert bool(asked(header, *query)) == (found != Preference())


@pytest.mark.parametrize("code", ["4x", "", "42", "4291", "-42", "٤٢٩", "4.2"])
def test_a_code_that_is_no_status_is_refused(code):
    with pytest.raises(Problem) as caught:
        asked(f"code={code}")
    assert caught.value.kind == "preference"


# Answering ------------------------------------------------------------------------------------------------------------


def order(shop, prefer: str, **query: str):
    return shop.api.post("/orders", json=PEAR, headers={"Prefer": prefer}, params=query)


def test_a_named_example_is_the_answer_and_what_was_applied_is_said(shop):
    answer = order(shop, "example=gone")

    assert (answer.status_code, answer.json()["id"], answer.json()["gone"]) == (201, 3, 1767225600)
    assert answer.headers["Preference-Applied"] == "code=201, example=gone"


def test_a_status_alone_gives_its_first_example(shop):
    assert order(shop, "code=201").json()["id"] == 1
    answer = order(shop, "code=409")
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (409, "code=409, example=wrong")


def test_headers_that_the_document_declares_come_with_their_examples(shop):
    assert order(shop, "code=201").headers["X-Place"] == "7"


def test_a_status_without_content_has_none(shop):
    answer = shop.api.delete("/orders/1", headers={"Prefer": "code=204"})

    assert (answer.status_code, answer.content, answer.headers["Preference-Applied"]) == (204, b"", "code=204")
    assert shop.api.get("/orders/1").status_code == 200


@pytest.mark.parametrize(
    ("prefer", "said"),
    [
        ("code=418", "createOrder documents no answer with the status 418."),
        ("code=201, example=none", "The answer 201 of createOrder has no example 'none'."),
        ("example=wrong", "The answer 201 of createOrder has no example 'wrong'."),
    ],
)
def test_what_the_document_does_not_have_is_404_and_says_what(shop, prefer, said):
    answer = order(shop, prefer)

    assert (answer.status_code, answer.json()["detail"]) == (404, said)


def test_an_example_of_an_answer_without_content_is_missing(shop):
    assert shop.api.delete("/orders/1", headers={"Prefer": "example=x"}).status_code == 404


def test_a_code_that_is_no_status_is_422(shop):
    assert order(shop, "code=4x").status_code == 422


def test_the_query_asks_as_the_header_does(shop):
    assert order(shop, "wait=5", __code="409").status_code == 409


def test_preferences_are_consulted_after_credentials_and_validation(shop):
    prefer = {"Prefer": "code=201"}

    assert shop.caller(None).post("/orders", json=PEAR, headers=prefer).status_code == 401
    assert shop.api.post("/orders", json={}, headers=prefer).status_code == 422
    assert shop.api.get("/nothing", headers=prefer).status_code == 404


def test_nothing_is_touched(shop):
    key = {"X-Once": "k"}
    shop.control.post("/faults", json={"vendor": "shop", "operation": "createOrder", "status": 503})
    for prefer in ("code=201", "example=gone", "code=409", "code=418"):
        shop.api.post("/orders", json=PEAR, headers={"Prefer": prefer, **key})

    assert shop.api.post("/orders", json=PEAR, headers=key).status_code == 503
    assert shop.api.post("/orders", json=PEAR, headers=key).json()["id"] == 8
    assert len(shop.api.get("/orders", params={"page": 2}).json()) == 1


@pytest.mark.parametrize("name", vendors())
def test_every_named_example_of_every_vendor_is_its_documented_answer(sandbox, name):
    from mock_server.preferences import answer

    contract = sandbox(name).app.engines[name].contract
    asked_for = 0
    for operation in contract.operations.values():
        for response in operation.responses.values():
            for example, facts in next(iter(response.examples.values()), {}).items():
                given = answer(operation, Preference(response.status, example))
                assert (given.status, given.body) == (response.status, facts["value"])
                asked_for += 1
    assert asked_for >= len(contract.operations)
