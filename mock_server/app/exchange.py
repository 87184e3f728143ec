"""The ASGI side of a call: reads a request whole, with a limit; sends an answer whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from mock_server.app.bodies import encode
from mock_server.problems import Problem
from mock_server.vendor import NONE, Answer
from mock_server.worlds import DEFAULT_WORLD

JSON = b"application/json"
LARGEST_BODY = 1024 * 1024
WORLD_HEADER = "x-mock-world"
_WORLD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def headers_of(scope: Scope) -> dict[str, str]:
    """Header values by lower-case name; of a repeated one, all, joined as HTTP says."""
    listed = scope["headers"]
    found = {name.decode("latin-1"): value.decode("latin-1") for name, value in listed}
    if len(found) == len(listed):
        return found
    joined: dict[str, str] = {}
    for raw_name, raw_value in listed:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined


def query_of(scope: Scope) -> list[tuple[str, str]]:
    """The decoded query pairs; bytes that are no UTF-8 become U+FFFD. Raises Problem `parameter` for too many."""
    if not scope["query_string"]:
        return []
    try:
        return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True, max_num_fields=2000)
    except ValueError:
        raise Problem("parameter", "The query string has too many fields.") from None


def raw_path_of(scope: Scope) -> str:
    """The path as it stood in the request line, without the query, still percent-encoded."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
    return raw.decode("latin-1").partition("?")[0]


def world_of(named: str | None, headers: Mapping[str, str]) -> str:
    """The world a call belongs to: named by the base URL, else by the header, else `default`. Raises Problem `world`."""
    name = named if named is not None else headers.get(WORLD_HEADER) or DEFAULT_WORLD
    if name != DEFAULT_WORLD and not _WORLD.fullmatch(name):
        raise Problem("world", "A world's name has 1 to 64 letters, digits, dots, dashes or underscores.")
    return name


async def read_body(scope: Scope, receive: Receive, headers: Mapping[str, str]) -> bytes:
    """The whole body. Raises Problem `too-large` beyond 1 MiB, as soon as that is known."""
    announced = headers.get("content-length", "")
    if not announced and "transfer-encoding" not in headers and scope.get("http_version", "") in ("1.0", "1.1"):
        return b""  # as HTTP/1 has it: neither header, no body
    if announced.isascii() and announced.isdigit() and (len(announced) > 10 or int(announced) > LARGEST_BODY):
        raise _too_large()
    message = await receive()
    if not message.get("more_body", False) and message["type"] == "http.request":
        body: bytes = message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
        return body
    return await _read_parts(message, receive)


async def _read_parts(message: Message, receive: Receive) -> bytes:
    """The whole body, of which a part has come."""
    parts = bytearray()
    while True:
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts += message.get("body", b"")
        if len(parts) > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(parts)
        message = await receive()


class Disconnected(Exception):
    """The client went away before the request was complete."""


def _too_large() -> Problem:
    return Problem("too-large", f"A body may have {LARGEST_BODY} bytes.", headers={"Connection": "close"})


def base_url_of(scope: Scope, headers: Mapping[str, str], mount: str) -> str:
    """The URL of a path of this server, as the client sees it."""
    return f"{scope.get('scheme', 'http')}://{headers.get('host') or '127.0.0.1'}{mount}"


async def send_answer(send: Send, answer: Answer, *, head: bool = False) -> None:
    """Send an answer as JSON."""
    content = b"" if answer.body is None else encode(answer.body)
    await send_bytes(send, answer.status, content, JSON, answer.headers, head=head)


async def send_bytes(
    send: Send, status: int, content: bytes, media: bytes, headers: Mapping[str, str] = NONE, *, head: bool = False
) -> None:
    """Send a body of any type; HEAD gets its headers only."""
    listed = [(b"content-length", b"%d" % len(content))] if status != 204 else []
    if content:
        listed.append((b"content-type", media))
    for name, value in headers.items():
        listed.append((name.lower().encode("latin-1"), value.encode("latin-1", "replace")))
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": b"" if head else content})
