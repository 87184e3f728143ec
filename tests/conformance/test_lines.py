"""Plain calls on connections that are kept open: what comes back is what the libraries would give, and what is not plain is left to them."""

from __future__ import annotations

import contextlib
import gzip
import re
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest
import requests
from requests.adapters import HTTPAdapter

from conformance.address import trusted
from conformance.client import Client, Ledger
from conformance.lines import Lines
from conformance.link import Link
from conformance.responses.connection import Patient
from conformance.responses.hook import Hook
from conformance.scope import Scope, read
from conformance.target import describe

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
READABLE = {
    "a length": OK,
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n, y\r\n0\r\nA: b\r\n\r\n",
    "until it is closed": b"HTTP/1.1 200 OK\r\nA: b\r\n\r\nhi, and more",
    "an old version": b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nhi",
    "nothing": b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n",
    "not modified": b"HTTP/1.1 304 Not Modified\r\nContent-Length: 17\r\n\r\n",
    "no reason": b"HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
    "in between": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK,
    "a header twice": b"HTTP/1.1 200 OK\r\nA: b\r\nA: c\r\nContent-Length: 0\r\n\r\n",
    "a header not in ASCII": "HTTP/1.1 200 OK\r\nA: bé\r\nContent-Length: 0\r\n\r\n".encode("latin-1"),
}
UNREADABLE = {
    "silence": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "half a body": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nhi",
    "half a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\nhi",
    "no HTTP": b"hello there, this is no HTTP\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
}


@contextlib.contextmanager
def answering(*answers: bytes, stays: bool = False) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives each connection, or with `stays` each request of one, the next of some answers; its URL, and what it was sent."""
    heard: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        waiting = list(answers)
        with contextlib.suppress(OSError):
            while waiting:
                line, _ = listener.accept()
                with line:
                    while waiting and (request := _heard(line)):
                        heard.append(request)
                        line.sendall(waiting.pop(0))
                        if not stays:
                            break

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _heard(line: socket.socket) -> bytes:
    """A whole request, in however many pieces it comes; nothing where the connection is closed."""
    heard = b""
    while b"\r\n\r\n" not in heard and (more := line.recv(65536)):
        heard += more
    length = re.search(rb"Content-Length: (\d+)", heard)
    while length and len(heard.partition(b"\r\n\r\n")[2]) < int(length[1]) and (more := line.recv(65536)):
        heard += more
    return heard


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Lines, closed afterwards."""
    made = Lines()
    yield made
    made.close()


@pytest.mark.parametrize("raw", READABLE.values(), ids=READABLE)
def test_an_answer_is_read_as_httpx_reads_it(lines: Lines, raw: bytes) -> None:
    with answering(raw, raw) as (url, _):
        ours = lines.ask("GET", f"{url}/a?b=c", {"Accept": "*/*"}, None, 5)
        theirs = httpx.get(f"{url}/a?b=c", trust_env=False)
    assert ours is not None
    assert (ours.status, ours.body) == (theirs.status_code, theirs.content)
    assert ours.reason == theirs.reason_phrase
    assert [(name.lower(), value) for name, value in ours.headers] == [(n.lower(), v) for n, v in theirs.headers.raw]


@pytest.mark.parametrize("raw", UNREADABLE.values(), ids=UNREADABLE)
def test_what_httpx_cannot_read_is_no_answer(lines: Lines, raw: bytes) -> None:
    with answering(raw, raw) as (url, _):
        with pytest.raises(httpx.RemoteProtocolError):
            lines.ask("GET", f"{url}/", {}, None, 5)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(f"{url}/", trust_env=False)


def test_a_request_arrives_as_it_was_asked_for(lines: Lines) -> None:
    with answering(OK) as (url, heard):
        lines.ask("POST", f"{url}/a%20b", {"A": "b", "Accept-Encoding": "gzip"}, "é".encode(), 5)
    port = url.rpartition(":")[2]
    head = f"POST /a%20b HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 2\r\nA: b\r\nAccept-Encoding: gzip"
    assert heard == [f"{head}\r\n\r\né".encode()]


def test_a_connection_is_used_again_as_long_as_it_lasts(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[object] = []
    connect = socket.create_connection
    monkeypatch.setattr(socket, "create_connection", lambda *where: made.append(where) or connect(*where))
    with answering(OK, OK, OK, stays=True) as (url, _):
        for _ in range(3):
            assert lines.ask("GET", f"{url}/", {}, None, 5) is not None
    assert len(made) == 1
    made.clear()
    last = OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")
    for ended, stays in ((OK, False), (last, True)):
        with answering(ended, ended, stays=stays) as (url, _):
            for _ in range(2):
                assert lines.ask("GET", f"{url}/", {}, None, 5) is not None
    assert len(made) == 4


@pytest.mark.parametrize("more", [OK, b"what nobody asked for"], ids=["another answer", "no answer"])
def test_what_nobody_asked_for_is_not_taken_for_the_next_answer(lines: Lines, more: bytes) -> None:
    with answering(OK + more, OK.replace(b"hi", b"ho"), stays=True) as (url, _):
        found = [lines.ask("GET", f"{url}/", {}, None, 5) for _ in range(2)]
    assert [one.body for one in found if one] == [b"hi", b"ho"]


def test_who_does_not_answer_in_time_or_at_all_is_told_from_one_another(lines: Lines) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(httpx.ReadTimeout):
            lines.ask("GET", url, {}, None, 0.05)
    with pytest.raises(httpx.ConnectError):
        lines.ask("GET", url, {}, None, 5)


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("HEAD", "http://127.0.0.1/", {}),
        ("GET", "https://127.0.0.1/", {}),
        ("GET", "http://127.0.0.1", {}),
        ("GET", "http://a:b@127.0.0.1/", {}),
        ("GET", "http://[::1]/", {}),
        ("GET", "http://127.0.0.1/a/../b", {}),
        ("GET", "http://127.0.0.1/a b", {}),
        ("GET", "http://127.0.0.1/é", {}),
        ("GET", "http://127.0.0.1/%", {}),
        ("GET", "http://127.0.0.1/#a", {}),
        ("get", "http://127.0.0.1/", {}),
        ("GET", "http://127.0.0.1/", {"A": "é"}),
        ("GET", "http://127.0.0.1/", {"A": "b\r\nC: d"}),
        ("GET", "http://127.0.0.1/", {"A": " b"}),
        ("GET", "http://127.0.0.1/", {"A b": "c"}),
        ("GET", "http://127.0.0.1/", {"A": b"b"}),
        ("GET", "http://127.0.0.1/", {"Host": "example.com"}),
        ("GET", "http://127.0.0.1/", {"Connection": "close"}),
        ("GET", "http://127.0.0.1/", {"Transfer-Encoding": "chunked"}),
        ("GET", "http://127.0.0.1/", {"Content-Length": "7"}),
    ],
)
def test_what_is_not_plain_is_left_to_the_libraries(
    lines: Lines, method: str, url: str, headers: dict[str, str]
) -> None:
    assert lines.ask(method, url, headers, None, 0.01) is None


def test_a_compressed_answer_is_unpacked_and_a_cookie_is_sent_back() -> None:
    packed = gzip.compress(b"hi")
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nSet-Cookie: a=b\r\nContent-Length: %d\r\n\r\n" % len(packed)
    link = Link(trusted())
    with answering(head + packed, OK) as (url, heard):
        first = link.ask("GET", f"{url}/", {"accept": "text/plain"}, None, 5)
        second = link.ask("GET", f"{url}/", {}, None, 5)
    link.close()
    assert (first.content, second.content) == (b"hi", b"hi")
    assert b"cookie" not in heard[0].lower()
    assert b"accept: text/plain\r\n" in heard[0] and b"*/*" not in heard[0]
    assert b"Cookie: a=b\r\n" in heard[1]


def test_the_tool_that_makes_requests_up_gets_the_same_from_both(lines: Lines) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nA: b\r\nA: c\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno"
    scope = Scope(read("wispgate"))
    found, heard = [], []
    for own in (True, False):
        with answering(answer) as (url, sent):
            client = Client(scope, describe(scope.contract, url, ""), Ledger())
            session = requests.Session()
            session.mount("http://", Patient(Hook.on(client), lines) if own else HTTPAdapter())
            reply = session.post(f"{url}/a", data=b"x", headers={"X-A": "1"}, stream=True)
        found.append(
            (reply.status_code, reply.reason, reply.content, list(reply.raw.headers.items()), reply.raw.version)
        )
        heard.append(
            sorted(sent[0].partition(b"\r\n\r\n")[0].replace(url.rpartition(":")[2].encode(), b"").split(b"\r\n"))
        )
        session.close()
        client.close()
    assert found[0] == found[1]
    assert heard[0] == heard[1]
