"""What no client library would send, over a real socket: never a 5xx, never a hang, and the vendor's envelope wherever HTTP lets it."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse

import pytest

PATH = b"/wispgate/api/v1/subscribers"
NOOR = b'{"full_name": "Noor Example", "status": "active"}'
JSON = b"Content-Type: application/json\r\n"
CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n"
PATIENCE = 5.0
"""Seconds in which every answer must come."""


@dataclass(frozen=True)
class Raw:
    """An answer as it came over the socket."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_enveloped(self) -> bool:
        """Whether it is WISPGate's own error."""
        return self.body.startswith(b'{"success":false,"error":{"code":')


@pytest.fixture
def raw(server, world):
    """Sends bytes to the server, in a new world, and reads one answer."""

    def send(data: bytes, method: str = "GET") -> Raw:
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            with suppress(OSError):  # a server may answer and close before everything was sent
                connection.sendall(data)
            answer = HTTPResponse(connection, method=method)
            answer.begin()
            return Raw(answer.status, dict(answer.getheaders()), answer.read())

    def call(
        method: bytes = b"POST", path: bytes = PATH, headers: bytes = JSON, body: bytes = b"", *, length: bool = True
    ) -> Raw:
        measured = b"Content-Length: %d\r\n" % len(body) if length else b""
        named = b"" if b"X-Mock-World" in headers else b"X-Mock-World: %s\r\n" % world.encode()
        head = b"%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wispgate-sandbox-001\r\n" % (method, path)
        return send(head + named + headers + measured + b"\r\n" + body, method.decode())

    call.send = send
    return call


def refused(answer: Raw, *statuses: int) -> None:
    assert answer.status in statuses, answer
    assert answer.is_enveloped, answer


# Bodies ---------------------------------------------------------------------------------------------------------------


def with_metadata(value: bytes) -> bytes:
    return NOOR[:-1] + b', "metadata": {"a": ' + value + b"}}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"full_name=x",
        b"\xff\xfe\xfd",
        b"\xef\xbb\xbf" + NOOR,
        NOOR.decode().encode("utf-16"),
        NOOR.replace(b"Noor", b"N\xf6\xf6r"),
        NOOR.replace(b"Noor", b"\x00"),
        NOOR.replace(b"Noor", b"\\ud800"),
        NOOR + b"x",
        NOOR + NOOR,
        NOOR[:-1] + b', "status": "prospect"}',
        with_metadata(b"NaN"),
        with_metadata(b"-Infinity"),
        with_metadata(b"1e400"),
        with_metadata(b"9" * 5000),
        with_metadata(b"[" * 5000 + b"]" * 5000),
        b"[" * 100_000,
        b'{"metadata":' * 10_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_body_that_is_not_one_json_object_is_400(raw, body):
    refused(raw(body=body), 400)


@pytest.mark.parametrize(
    "value",
    [b"1e308", b"9" * 300, b'"\\u0000"', b'"\\ud83d\\ude00"', b"-0.0", b"[" * 100 + b"]" * 100, b'{"": {"": null}}'],
)
def test_an_unusual_value_is_plain_data(raw, value):
    assert raw(body=with_metadata(value)).status == 201


def test_a_chunked_body_needs_no_length(raw):
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in NOOR) + b"0\r\n\r\n"

    assert raw(headers=CHUNKED, body=chunks, length=False).status == 201


def test_a_body_over_a_mebibyte_is_413_and_the_connection_ends(raw):
    answer = raw(body=b"x" * (1024 * 1024 + 1))

    refused(answer, 413)
    assert answer.headers["connection"] == "close"


def test_a_body_that_is_only_announced_too_large_is_413_at_once(raw):
    refused(raw(headers=JSON + b"Content-Length: 99999999999\r\n", length=False), 413)


def test_a_chunked_body_over_a_mebibyte_is_413(raw):
    refused(raw(headers=CHUNKED, body=(b"10000\r\n" + b"x" * 65536 + b"\r\n") * 17, length=False), 413)


@pytest.mark.parametrize(
    "media",
    [
        b"text/plain",
        b"text/json",
        b"application/json; charset=utf-16",
        b"application/json; charset=nonsense",
        b"multipart/form-data",
        b"\xff",
        b";",
        b"a" * 9000,
    ],
)
def test_a_body_of_another_type_or_charset_is_415(raw, media):
    refused(raw(headers=b"Content-Type: " + media + b"\r\n", body=NOOR), 415)


@pytest.mark.parametrize(
    "headers", [b"", b"Content-Type:\r\n", b"CONTENT-TYPE: APPLICATION/JSON\r\n", JSON[:-2] + b";charset=UTF8\r\n"]
)
def test_json_without_a_type_or_in_capitals_is_json(raw, headers):
    assert raw(headers=headers, body=NOOR).status == 201


# Paths and queries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        b"%FF",
        b"%zz",
        b"%",
        b"%00",
        b"a%2Fb",
        b"..%2f..",
        b"%0d%0aX:y",
        b"'--",
        b"{id}",
        b"a" * 60_000,
        b"%F0%9F%98%80",
        b";x=1",
    ],
)
def test_an_odd_value_in_a_path_names_nothing(raw, value):
    refused(raw(b"GET", PATH + b"/" + value), 404)


@pytest.mark.parametrize(
    "path",
    [
        PATH + b"/",
        PATH + b"//",
        b"/wispgate//api/v1/subscribers",
        b"/wispgate/../stykite",
        b"/wispgate/%2e%2e/",
    ],
)
def test_a_path_that_is_almost_right_is_404(raw, path):
    refused(raw(b"GET", path), 404)


@pytest.mark.parametrize(
    "query",
    [
        b"%FF=%zz&%00",
        b"a=1&a[b]=2",
        b"a" + b"[b]" * 500 + b"=1",
        b"[[[[]]]]=1&]=[&[]=x",
        b"a=1&" * 10_000,
        b"=" * 9000,
        b"&" * 1999,
        b"__code=%00",
        b"__example[]=x",
    ],
    ids=lambda query: repr(query[:12]),
)
def test_an_odd_query_is_ignored_or_refused(raw, query):
    answer = raw(b"GET", PATH + b"?" + query)

    assert answer.status == 200 or (answer.status in (400, 422) and answer.is_enveloped)


def test_a_path_may_be_written_with_its_host(raw):
    assert raw(b"GET", b"http://elsewhere.example.com" + PATH).status == 200


# Methods --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "method", [b"OPTIONS", b"TRACE", b"PUT", b"PATCH", b"DELETE", b"PROPFIND", b"SEARCH", b"M-SEARCH", b"LINK"]
)
def test_another_method_is_405_with_the_methods_there_are(raw, method):
    answer = raw(method)

    refused(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_head_is_get_without_its_body(raw):
    got, head = raw(b"GET", headers=b""), raw(b"HEAD", headers=b"")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == got.headers["content-length"]


# Headers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (b"Prefer: code=4x", 422),
        (b"Prefer: code=", 422),
        (b"Prefer: code=999", 404),
        (b"Prefer: example=\xff", 404),
        (b'Prefer: code=200;;;,,,="\\', 200),
        (b"Prefer: a=" + b" " * 60_000 + b"=", 200),
        (b"Prefer: " + b'a="\\",' * 9000, 200),
        (b"Prefer: " + b"=" * 60_000, 200),
        (b"Accept: text/html", 406),
        (b"Accept: ,;q=;=,", 406),
        (b"Accept: */*;q=nonsense", 200),
        (b"Accept: " + b"a/b," * 9000, 406),
        (b"X-Mock-World: ../x", 400),
        (b"X-Mock-World: \xff", 400),
        (b"X-Mock-World: " + b"a" * 65, 400),
        (b"X-Tenant-ID: \xff", 401),
        (b"Authorization: Basic x", 401),
        (b"Cookie: \xff=;=;;", 200),
        (b"Host: [", 200),
        (b"Origin: http://[", 200),
        (b"X-Odd: \xff\xfe", 200),
        (b"X-Long: " + b"a" * 1_000_000, 200),
        (b"".join(b"X-%d: a\r\n" % n for n in range(3000))[:-2], 200),
        (b"Expect: nonsense", 200),
        (b"Content-Type: nonsense", 200),
        (b"Upgrade: websocket\r\nConnection: Upgrade", 200),
        (b"X-Forwarded-For: \xff, nonsense", 200),
    ],
    ids=lambda value: repr(value[:24]) if isinstance(value, bytes) else str(value),
)
def test_an_odd_header_is_ignored_or_refused_at_once(raw, header, status):
    answer = raw(b"GET", headers=header + b"\r\n", length=False)

    assert answer.status == status
    assert status == 200 or answer.is_enveloped


def test_a_client_that_waits_to_send_is_told_to_go_on(server, world):
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wispgate-sandbox-001\r\nX-Mock-World: %s\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(head % (PATH, world.encode()) + JSON + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"{}x")
        assert connection.recv(1000).startswith(b"HTTP/1.1 400")


def test_a_client_that_waits_to_send_without_credentials_is_refused_at_once(raw, server):
    answer = raw.send(
        b"POST %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n" % PATH, "POST"
    )

    refused(answer, 401)


def test_requests_in_one_go_are_answered_one_by_one(server, world):
    head = b"%%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wispgate-sandbox-001\r\nX-Mock-World: %s\r\n"
    start = head % (PATH, world.encode())
    post = start % b"POST" + JSON + b"Content-Length: %d\r\n\r\n" % len(NOOR) + NOOR
    last = start % b"GET" + b"Connection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        connection.sendall(post + post + last)
        received = b"".join(iter(lambda: connection.recv(65536), b""))

    assert [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]] == [b"201", b"201", b"200"]
    assert received.count(b"Noor Example") == 4


# What is no HTTP ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET wispgate HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /caf\xc3\xa9 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/3.7\r\nHost: x\r\n\r\n",
        b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda data: repr(data[:30]),
)
def test_what_is_no_http_is_400_from_the_server_itself(raw, data):
    assert raw.send(data).status == 400


def test_an_options_request_for_the_server_itself_is_404(raw):
    assert raw.send(b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n").status == 404


# Clients that leave ---------------------------------------------------------------------------------------------------


def test_a_client_that_leaves_early_disturbs_nobody(server, live, world):
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wispgate-sandbox-001\r\nX-Mock-World: %s\r\n"
    head = head % (PATH, world.encode()) + JSON
    for data in (head[:50], head, head + b"Content-Length: 100\r\n\r\n{", head + b"Content-Length: 0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
            connection.sendall(data)

    answer = live.get(PATH.decode(), headers={"Authorization": "Bearer wispgate-sandbox-001"})
    assert [subscriber["full_name"] for subscriber in answer.json()["data"]] == ["Jane Example"]
    assert server.process.poll() is None
