"""What a query says once it is text decides whether it was wrong."""

from __future__ import annotations

import pytest

from conformance.responses.queries import is_valid
from conformance.scope import Scope, read


@pytest.fixture(scope="module")
def scope() -> Scope:
    return Scope(read("subscriptionflow"))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "page=1",
        "filter[name][$in]=null",
        "filter[name][$equals]=5&filter[$limit]=5",
        "filter%5Bname%5D%5B%24is_null%5D=true",
        "unknown=1",
    ],
)
def test_what_is_spelled_as_something_valid_is_valid(scope: Scope, query: str) -> None:
    assert is_valid(scope.schemas, scope.contract.operations["filterCustomers"], f"http://host/filter?{query}")


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=one",
        "filter=5",
        "filter[name]=5",
        "filter[name][$unknown]=5",
        "filter[name][$is_null]=maybe",
        "filter[$limit]=many",
        "filter[$limit]=5.5",
    ],
)
def test_what_no_value_is_spelled_as_is_not(scope: Scope, query: str) -> None:
    assert not is_valid(scope.schemas, scope.contract.operations["filterCustomers"], f"http://host/filter?{query}")
