"""A sandbox in this process: one vendor in one world of an application, called without a socket."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx

from mock_server import Answer, Vendor
from mock_server.app.root import RootApp
from mock_server.clock import Clock
from mock_server.contract import Contract, Fixtures, load, load_fixtures
from mock_server.store import TableName
from mock_server.worlds import CLOCK

MOMENT = datetime(2026, 4, 13, 10, 21, tzinfo=UTC)
"""Where the clocks of tests stand still."""

_worlds = count(1)


def fresh_world() -> str:
    """A name that no other test of this process uses."""
    return f"test-{os.getpid()}-{next(_worlds)}"


class InProcess(httpx.BaseTransport):
    """Carries a synchronous client's requests to an ASGI application, without a socket."""

    def __init__(self, app: Any, client: tuple[str, int] = ("127.0.0.1", 50_000)) -> None:
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=client)
        self._loop = asyncio.new_event_loop()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._loop.run_until_complete(self._exchange(request))

    def together(self, requests: list[httpx.Request]) -> list[httpx.Response]:
        """Send all at once; the answers in the order of the requests."""

        async def gather() -> list[httpx.Response]:
            return await asyncio.gather(*map(self._exchange, requests))

        return self._loop.run_until_complete(gather())

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        response = await self._transport.handle_async_request(request)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content, request=request)

    def exchange(
        self,
        method: str,
        path: bytes,
        query: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
        body: bytes = b"",
        client: tuple[str, int] | None = ("127.0.0.1", 50_000),
    ) -> httpx.Response:
        """Send what no client library would: any bytes at any place, as a server hands them to an application."""
        scope = {
            "type": "http",
            "method": method,
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "headers": list(headers),
            "scheme": "http",
            "client": client,
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        self._loop.run_until_complete(self._transport.app(scope, receive, send))
        start, content = sent
        return httpx.Response(start["status"], headers=start["headers"], content=content["body"])

    def close(self) -> None:
        self._loop.close()


@dataclass
class Sandbox:
    """One vendor in one world: `api` calls as the default caller, `control` is the control API of the world."""

    app: RootApp
    vendor: str
    world: str
    transport: InProcess

    def client(self, path: str, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client of the server below a path, in this world."""
        return httpx.Client(
            transport=self.transport,
            base_url=f"http://sandbox.example.com{path}",
            headers={"X-Mock-World": self.world, **(headers or {})},
        )

    def caller(self, token: str | None, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client of the vendor that sends a token, or none."""
        credentials = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client(f"/{self.vendor}", {**credentials, **(headers or {})})

    @property
    def api(self) -> httpx.Client:
        """The default caller."""
        return self.caller(self.app.engines[self.vendor].fixtures.of("Credential")[0].value["token"])

    @property
    def control(self) -> httpx.Client:
        """The control API."""
        return self.client("/_mock")

    def advance(self, **duration: float) -> None:
        """Move the world's clock: `advance(hours=24)`."""
        engine = self.app.engines[self.vendor]
        transaction = engine.begin(self.world)
        clock = engine.clock(transaction)
        step = timedelta(**duration)
        moved = Clock(clock.frozen + step) if clock.frozen else Clock(None, clock.offset + step)
        transaction.put(CLOCK, "clock", moved.record())
        transaction.commit()

    def entries(self, table: TableName) -> list[Any]:
        """What the engine keeps for itself in one of the world's tables."""
        return list(self.app.engines[self.vendor].begin(self.world).scan(table))

    def send_together(self, *requests: httpx.Request) -> list[httpx.Response]:
        """Answers to requests that are under way at the same time."""
        return self.transport.together(list(requests))


def shop_vendor() -> tuple[Contract, Fixtures, Vendor]:
    """The miniature vendor of the engine's tests; it has one action of its own."""
    contract = load(Path(__file__).with_name("data") / "shop" / "openapi" / "shop.yaml")
    vendor = Vendor("shop")
    vendor.action("ping")(lambda call, proceed: Answer(200, {"pong": True}))
    return contract, load_fixtures(contract), vendor
