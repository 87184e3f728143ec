"""The ASGI side: headers, paths and worlds are read as they came; bodies whole and within a limit; answers go out whole."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mock_server.app.exchange import (
    LARGEST_BODY,
    Disconnected,
    base_url_of,
    headers_of,
    query_of,
    raw_path_of,
    read_body,
    send_answer,
    send_bytes,
    world_of,
)
from mock_server.problems import Problem
from mock_server.vendor import Answer


def read(*messages: dict[str, Any], **headers: str) -> bytes:
    queue = list(messages)

    async def receive() -> dict[str, Any]:
        return queue.pop(0)

    return asyncio.run(read_body({}, receive, {name.replace("_", "-"): value for name, value in headers.items()}))


def chunk(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def sent(coroutine_of) -> list[Any]:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(coroutine_of(send))
    return messages


def test_header_values_are_text_and_repeated_ones_are_joined():
    once = [(b"accept", b"text/html"), (b"x-odd", b"caf\xe9")]

    assert headers_of({"headers": once}) == {"accept": "text/html", "x-odd": "café"}
    assert headers_of({"headers": [*once, (b"accept", b"*/*")]}) == {"accept": "text/html, */*", "x-odd": "café"}


@pytest.mark.parametrize(
    ("raw", "pairs"),
    [
        (b"", []),
        (b"a=1&b=&c&a=2", [("a", "1"), ("b", ""), ("c", ""), ("a", "2")]),
        (b"n=J%C3%A9+B", [("n", "Jé B")]),
        (b"n=%FF&%zz=%", [("n", "�"), ("%zz", "%")]),
        (b"a%5Bb%5D=1", [("a[b]", "1")]),
        (b"n=\xff", [("n", "ÿ")]),
    ],
)
def test_a_query_string_is_decoded_whatever_it_holds(raw, pairs):
    assert query_of({"query_string": raw}) == pairs


def test_a_query_string_of_thousands_of_fields_is_refused():
    assert len(query_of({"query_string": b"&".join([b"a"] * 2000)})) == 2000
    with pytest.raises(Problem) as caught:
        query_of({"query_string": b"&".join([b"a"] * 2001)})
    assert caught.value.kind == "parameter"


@pytest.mark.parametrize(
    ("scope", "path"),
    [
        ({"raw_path": b"/shop/a%2Fb", "path": "/shop/a/b"}, "/shop/a%2Fb"),
        ({"raw_path": b"/shop/a?x=1", "path": "/shop/a"}, "/shop/a"),
        ({"path": "/shop/caf\xe9"}, "/shop/cafÃ©"),
        ({"raw_path": b"", "path": "/x"}, "/x"),
    ],
)
def test_a_path_is_taken_as_it_stood_in_the_request_line(scope, path):
    assert raw_path_of(scope) == path


def test_the_base_url_is_the_callers_view_of_the_mount():
    headers = {"host": "box.example.com:8443"}

    assert base_url_of({"scheme": "https"}, headers, "/w/blue/shop") == "https://box.example.com:8443/w/blue/shop"
    assert base_url_of({}, {}, "") == "http://127.0.0.1"


@pytest.mark.parametrize(
    ("named", "headers", "world"),
    [
        (None, {}, "default"),
        (None, {"x-mock-world": "blue"}, "blue"),
        (None, {"x-mock-world": ""}, "default"),
        ("red", {"x-mock-world": "blue"}, "red"),
        (None, {"x-mock-world": "A-1_b.c"}, "A-1_b.c"),
        (None, {"x-mock-world": "a" * 64}, "a" * 64),
    ],
)
def test_the_base_url_names_the_world_before_the_header_does(named, headers, world):
    assert world_of(named, headers) == world


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "a b", "é", "a" * 65, "a\n", "-", "blue, red"])
def test_a_bad_world_name_is_refused(name):
    with pytest.raises(Problem) as caught:
        world_of(None, {"x-mock-world": name})
    assert caught.value.kind == "world"


def test_an_empty_world_name_in_the_base_url_is_refused():
    with pytest.raises(Problem):
        world_of("", {})


def test_a_body_is_read_to_its_end():
    assert read(chunk(b"ab", more=True), chunk(b"", more=True), chunk(b"c")) == b"abc"
    assert read({"type": "http.request"}) == b""


def test_a_body_may_have_a_mebibyte_and_not_one_byte_more():
    half = chunk(b"x" * (LARGEST_BODY // 2), more=True)

    assert len(read(half, half, chunk(b""))) == LARGEST_BODY
    with pytest.raises(Problem) as caught:
        read(half, half, chunk(b"x", more=True))
    assert (caught.value.kind, caught.value.headers) == ("too-large", {"Connection": "close"})


@pytest.mark.parametrize("announced", [str(LARGEST_BODY + 1), "9" * 5000])
def test_a_body_that_is_announced_too_large_is_not_waited_for(announced):
    with pytest.raises(Problem, match="1048576 bytes"):
        read(content_length=announced)


@pytest.mark.parametrize("announced", ["", "abc", "-1", "²"])
def test_an_unreadable_announcement_is_left_to_the_count(announced):
    assert read(chunk(b"abc"), content_length=announced) == b"abc"


def test_without_a_header_that_announces_one_http_1_has_no_body_to_wait_for():
    async def receive() -> dict[str, Any]:
        raise AssertionError("nothing is to come")

    assert asyncio.run(read_body({"http_version": "1.1"}, receive, {})) == b""
    with pytest.raises(AssertionError):
        asyncio.run(read_body({"http_version": "2"}, receive, {}))
    with pytest.raises(AssertionError):
        asyncio.run(read_body({"http_version": "1.1"}, receive, {"transfer-encoding": "chunked"}))


def test_a_client_that_goes_away_is_noticed():
    with pytest.raises(Disconnected):
        read(chunk(b"ab", more=True), {"type": "http.disconnect"})


def test_an_answer_is_sent_as_json_with_its_headers():
    start, body = sent(lambda send: send_answer(send, Answer(201, {"a": "é"}, {"X-Two": "é€"})))

    assert start["status"] == 201
    assert dict(start["headers"]) == {
        b"content-length": b"10",
        b"content-type": b"application/json",
        b"x-two": b"\xe9?",
    }
    assert body["body"] == '{"a":"é"}'.encode()


def test_an_answer_without_content_has_no_length():
    start, body = sent(lambda send: send_answer(send, Answer(204)))

    assert (start["headers"], body["body"]) == ([], b"")


def test_null_is_no_content_but_an_empty_answer_says_so():
    start, _ = sent(lambda send: send_answer(send, Answer(202)))

    assert dict(start["headers"]) == {b"content-length": b"0"}


def test_head_gets_the_headers_of_the_answer_alone():
    start, body = sent(lambda send: send_bytes(send, 200, b"abc", b"text/plain", head=True))

    assert dict(start["headers"])[b"content-length"] == b"3"
    assert body["body"] == b""
