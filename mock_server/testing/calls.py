"""The journal: every call of a vendor's API in the worlds that tests have open, with its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

import httpx
from starlette.types import Message, Receive, Scope, Send

from mock_server.app.exchange import WORLD_HEADER, base_url_of, headers_of, raw_path_of
from mock_server.app.root import RootApp
from mock_server.app.routing import Router

MOST = 10_000
"""Calls of a world that are kept."""


@dataclass(frozen=True)
class Call:
    """A call and its answer; `operation` is the operationId of the document, empty where the path or the method is none of its own."""

    vendor: str
    operation: str
    method: str
    url: str
    status: int
    sent: tuple[tuple[tuple[bytes, bytes], ...], bytes]
    answered: tuple[tuple[tuple[bytes, bytes], ...], bytes]

    @cached_property
    def request(self) -> httpx.Request:
        """What was sent: `request.headers`, `request.content`, `request.url`."""
        headers, content = self.sent
        return httpx.Request(self.method, self.url, headers=headers, content=content)

    @cached_property
    def response(self) -> httpx.Response:
        """What came back: `response.json()`, `response.headers`."""
        headers, content = self.answered
        return httpx.Response(self.status, headers=headers, content=content, request=self.request)

    def __str__(self) -> str:
        return f"{self.method} {self.request.url.raw_path.decode('latin-1')} -> {self.status}"


class Journal:
    """Listens to an application, and keeps the calls of the worlds that are open."""

    def __init__(self, app: RootApp) -> None:
        self._app = app
        self._open: dict[str, deque[Call]] = {}
        self._routers = {
            name: Router((o.method, o.path, o.id) for o in engine.contract.operations.values())
            for name, engine in app.engines.items()
        }

    def open(self, world: str) -> deque[Call]:
        """Begin with a world; the calls are put into what is returned."""
        return self._open.setdefault(world, deque(maxlen=MOST))

    def drop(self, world: str) -> None:
        """Have done with a world."""
        self._open.pop(world, None)

    async def listening(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, listened to."""
        place = self._place(scope) if scope["type"] == "http" else None
        if place is None:
            await self._app(scope, receive, send)
            return
        calls, vendor, path = place
        sent, content = bytearray(), bytearray()
        start: Mapping[str, object] = {}

        async def hear() -> Message:
            message = await receive()
            sent.extend(message.get("body", b""))
            return message

        async def tell(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
            else:
                content.extend(message.get("body", b""))
            await send(message)

        headers = tuple(scope["headers"])
        await self._app(scope, hear, tell)
        answered = tuple(start.get("headers", ()))  # type: ignore[arg-type,var-annotated]
        query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
        calls.append(
            Call(
                vendor,
                self._operation(vendor, scope["method"], path),
                scope["method"],
                base_url_of(scope, headers_of(scope), raw_path_of(scope)) + query,
                int(str(start.get("status", 0))),
                (headers, bytes(sent)),
                (answered, bytes(content)),
            )
        )

    def _place(self, scope: Scope) -> tuple[deque[Call], str, str] | None:
        """The calls of an open world, the vendor that is called, and the path below it."""
        path = raw_path_of(scope)
        if path.startswith("/w/"):
            named, _, path = path[3:].partition("/")
            world = unquote(named)
        else:
            world, path = headers_of(scope).get(WORLD_HEADER, ""), path[1:]
        calls = self._open.get(world)
        vendor, slash, rest = path.partition("/")
        return (calls, vendor, slash + rest) if calls is not None and vendor in self._routers else None

    def _operation(self, vendor: str, method: str, path: str) -> str:
        found = self._routers[vendor].match(path)
        return found[0].get(method, "") if found else ""
