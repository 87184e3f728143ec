"""Calls an ASGI application in this process, without sockets, servers or an event loop: what is left is the application's own work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


@dataclass(frozen=True)
class Prepared:
    """A request ready to be sent; each sending needs a scope of its own."""

    scope: Mapping[str, Any]
    body: bytes


def prepare(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Prepared:
    """A request as uvicorn would hand it over; the path may carry a query."""
    raw, _, query = path.encode().partition(b"?")
    sent = {"host": "127.0.0.1:8080", **headers}
    if body:
        sent |= {"content-type": "application/json", "content-length": str(len(body))}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": raw.decode(),
        "raw_path": raw,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8080),
        "state": {},
    }
    return Prepared(scope, body)


def call(app: ASGIApp, request: Prepared) -> tuple[int, bytes]:
    """Status and body of the answer. The application must not wait for anything but the request."""
    messages: list[Message] = []
    run(app, request, messages.append)
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return messages[0]["status"], body


def run(app: ASGIApp, request: Prepared, take: Callable[[Message], None]) -> None:
    """Hand every message of the answer to `take`."""

    async def receive() -> Message:
        return {"type": "http.request", "body": request.body, "more_body": False}

    async def send(message: Message) -> None:
        take(message)

    coroutine: Any = app({**request.scope}, receive, send)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the application waited for something that a call in this process cannot give")
