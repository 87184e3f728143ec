"""Paths lead to operations: concrete segments first, decoded one by one, a slash at the end counts."""

from __future__ import annotations

import pytest

from mock_server.app.routing import Router, allow

ROUTER = Router(
    [
        ("get", "/orders", "list"),
        ("post", "/orders", "create"),
        ("get", "/orders/search", "search"),
        ("get", "/orders/{id}", "get"),
        ("delete", "/orders/{id}", "delete"),
        ("get", "/orders/{id}/lines/{line}", "line"),
        ("get", "/orders/search/{id}/notes", "notes"),
        ("get", "/{shop}/orders", "of shop"),
    ]
)


def found(path: str, method: str = "GET"):
    match = ROUTER.match(path)
    return None if match is None else (match[0].get(method), match[1])


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/orders", ("list", {})),
        ("/orders/7", ("get", {"id": "7"})),
        ("/orders/search", ("search", {})),
        ("/orders/search/lines/2", ("line", {"id": "search", "line": "2"})),
        ("/orders/search/7/notes", ("notes", {"id": "7"})),
        ("/north/orders", ("of shop", {"shop": "north"})),
        ("/orders/7/lines/8", ("line", {"id": "7", "line": "8"})),
    ],
)
def test_the_most_concrete_path_is_found(path, target):
    assert found(path) == target


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/orders/",
        "//orders",
        "/orders//",
        "/Orders",
        "/orders/7/",
        "/orders/7/lines",
        "/orders/7/lines/",
        "orders",
    ],
)
def test_other_paths_are_not_there(path):
    assert ROUTER.match(path) is None


@pytest.mark.parametrize(
    ("segment", "value"),
    [
        ("a%2Fb", "a/b"),
        ("a%20b", "a b"),
        ("%00", "\x00"),
        ("%zz", "%zz"),
        ("%", "%"),
        ("%FF", "�"),
        ("caf%C3%A9", "café"),
        ("..", ".."),
        ("%2e%2e", ".."),
        ("a+b", "a+b"),
        ("{id}", "{id}"),
    ],
)
def test_a_value_is_decoded_after_the_path_was_cut_into_segments(segment, value):
    assert found(f"/orders/{segment}") == ("get", {"id": value})


def test_a_concrete_segment_is_compared_after_decoding():
    assert found("/%6Frders/7") == ("get", {"id": "7"})


def test_the_methods_of_a_path_are_told():
    match = ROUTER.match("/orders/7")
    assert match is not None
    assert allow(match[0]) == "DELETE, GET, HEAD"
    assert allow({"POST"}) == "POST"
