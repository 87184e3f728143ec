"""What can go wrong has a kind, a status, and words that never repeat what was sent."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.contract import Kind, escape
from mock_server.problems import MOST_TOLD, STATUSES, HttpKind, Problem, Violation, violated


def test_every_kind_has_a_status_and_what_a_vendor_refuses_is_the_callers_fault() -> None:
    assert set(STATUSES) == {*get_args(Kind), *get_args(HttpKind)}
    assert all(400 <= status < 600 for status in STATUSES.values())
    assert all(STATUSES[kind] < 500 for kind in get_args(Kind))


@given(tokens=st.lists(st.text(min_size=1), min_size=1))
def test_a_field_is_a_dotted_path(tokens: list[str]) -> None:
    pointer = "".join(f"/{escape(token)}" for token in tokens)
    assert Violation("body", pointer, "type", "must be text").field == ".".join(tokens)


@pytest.mark.parametrize(
    ("violation", "sentence"),
    [
        (Violation("body", "/items/0/name", "required", "is required"), "items.0.name is required."),
        (Violation("body", "", "type", "must be an object"), "The body must be an object."),
        (Violation("query", "", "type", "must be an object"), "The query must be an object."),
    ],
)
def test_a_violation_is_a_sentence(violation: Violation, sentence: str) -> None:
    assert violation.sentence == sentence


def test_a_problem_says_its_violations_unless_it_has_words_of_its_own() -> None:
    violations = (Violation("body", "/a", "required", "is required"), Violation("body", "/b", "type", "must be text"))
    assert Problem("missing", violations=violations).detail == "a is required. b must be text."
    assert Problem("missing", "Something is missing.", violations).detail == "Something is missing."
    assert Problem("missing").detail == "missing"
    assert str(Problem("missing", "Something is missing.")) == "Something is missing."


@given(count=st.integers(0, 3 * MOST_TOLD))
def test_a_problem_tells_a_few_violations_and_counts_the_rest(count: int) -> None:
    violations = tuple(Violation("body", f"/f{n}", "required", "is required") for n in range(count))
    problem = Problem("missing", violations=violations)
    assert problem.violations == violations
    told = min(count, MOST_TOLD)
    assert problem.detail.count("is required.") == told
    assert problem.detail.endswith(f"And {count - told} more.") is (count > told)


def test_a_problem_is_named_by_its_kind_unless_it_has_a_code() -> None:
    assert (Problem("state").code, Problem("state", code="already-sold").code) == ("state", "already-sold")
    assert (Problem("state").status, Problem("state", status=410).status) == (None, 410)


def test_the_headers_of_a_problem_are_its_own() -> None:
    given_headers = {"Retry-After": "1"}
    problem = Problem("rate-limited", headers=given_headers)
    problem.headers["Allow"] = "GET"
    assert given_headers == {"Retry-After": "1"}


def test_one_violated_field_is_a_problem() -> None:
    problem = violated("invalid", "/email", "must be an address")
    assert (problem.kind, problem.code, problem.detail) == ("invalid", "invalid", "email must be an address.")
    assert problem.violations == (Violation("body", "/email", "invalid", "must be an address"),)
    other = violated("invalid", "/q", "is unknown", where="query", code="unknown-column", status=418)
    assert (other.code, other.status, other.violations[0].where, other.violations[0].rule) == (
        "unknown-column",
        418,
        "query",
        "unknown-column",
    )
