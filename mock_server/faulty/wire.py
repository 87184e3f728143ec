"""The wire between a caller and the sandbox, where a request can be changed on its way in and an answer on its way out."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Json = Any
JSON = "application/json"


@dataclass
class Call:
    """A request on its way in. `path` is as it was sent, below the vendor's own; `body` is the JSON, None where there is none.

    A `body` that was changed is sent in place of `content`.
    """

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    content: bytes
    world: str
    body: Json = None

    def asked(self, name: str) -> str | None:
        """A query parameter."""
        return next((value for key, value in self.query if key == name), None)

    def has(self, method: str, end: str = "") -> bool:
        """Whether it has that method, and its path that end."""
        return self.method == method and self.path.endswith(end)


@dataclass
class Reply:
    """An answer on its way out; a `body` that was changed is sent in place of `content`."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes = b""
    body: Json = None

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300


Proceed = Callable[[Call], Awaitable[Reply]]
Wire = Callable[[Call, Proceed], Awaitable[Reply]]
"""`(call, proceed)`: calling `proceed` first, last, never or twice is after, before, instead, retry."""


def answered(status: int, body: Json = None) -> Reply:
    """An answer that is made here."""
    return Reply(status, {"content-type": JSON} if body is not None else {}, b"", body)


class Wired:
    """The sandbox behind a wire, for the paths of one vendor; everything else goes by."""

    def __init__(self, app: ASGIApp, vendor: str, wire: Wire) -> None:
        self._app = app
        self._vendor = vendor
        self._wire = wire

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one message of the ASGI server."""
        base = _base(scope, self._vendor) if scope["type"] == "http" else None
        if base is None:
            await self._app(scope, receive, send)
            return

        async def proceed(call: Call) -> Reply:
            return await _performed(self._app, scope, base, call)

        reply = await self._wire(await _read(scope, receive, base), proceed)
        content = reply.content
        if reply.body != _parsed(reply.content, reply.headers):
            content = json.dumps(reply.body).encode() if reply.body is not None else b""
        headers = [(name.encode(), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})


def _base(scope: Scope, vendor: str) -> str | None:
    """What stands before the vendor's own path; None where the call is not for it."""
    steps = _path(scope).split("/")
    before = 3 if steps[1:2] == ["w"] else 1
    return "/".join(steps[: before + 1]) if steps[before : before + 1] == [vendor] and len(steps) > before + 1 else None


def _path(scope: Scope) -> str:
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0].decode("latin-1")


async def _read(scope: Scope, receive: Receive, base: str) -> Call:
    content = b""
    while True:
        message = await receive()
        content += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    steps = base.split("/")
    world = unquote(steps[2]) if steps[1] == "w" else headers.get("x-mock-world", "default")
    body = _parsed(content, headers)
    return Call(scope["method"], _path(scope).removeprefix(base), query, headers, content, world, body)


async def _performed(app: ASGIApp, scope: Scope, base: str, call: Call) -> Reply:
    """What the sandbox answers; the call stays as it is, and can be performed again."""
    content, headers = call.content, dict(call.headers)
    if call.body != _parsed(content, headers):
        content = json.dumps(call.body).encode()
        headers["content-length"] = str(len(content))
    path = base + call.path
    there = {**scope, "method": call.method, "path": unquote(path), "raw_path": path.encode("latin-1")}
    there["headers"] = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    if call.query != parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        there["query_string"] = urlencode(call.query).encode()
    reply = Reply(500)
    whole = bytearray()

    async def once() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def keep(message: Message) -> None:
        if message["type"] == "http.response.start":
            reply.status = message["status"]
            shown = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
            reply.headers = {name: value for name, value in shown.items() if name != "content-length"}
        else:
            whole.extend(message.get("body", b""))

    await app(there, once, keep)
    reply.content = bytes(whole)
    reply.body = _parsed(reply.content, reply.headers)
    return reply


def _parsed(content: bytes, headers: dict[str, str]) -> Json:
    """The JSON that is sent, a new one each time; None where there is none."""
    if not content or "json" not in headers.get("content-type", ""):
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def copied(reply: Reply) -> Reply:
    """The same answer once more."""
    return copy.deepcopy(reply)
