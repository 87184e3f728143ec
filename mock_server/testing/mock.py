"""A vendor in a world: a base URL and headers for any client, a client that needs no port, and what a test asks or plans."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import httpx

from mock_server.app.index import describe
from mock_server.testing.transport import HOST, Transport
from mock_server.testing.webhooks import Webhooks

if TYPE_CHECKING:
    from mock_server.engine import Engine
    from mock_server.testing.calls import Call
    from mock_server.testing.world import Clock, World


class Mock:
    """A vendor's API in a world of its own, with the credentials of the sandbox's default caller.

    `known` maps a name that requests use to the key of a record that exists: `{"plan_id": 204051}`.
    """

    def __init__(self, world: World, engine: Engine) -> None:
        self.world = world
        self.vendor = engine.contract.name
        described = describe(engine.contract, engine.fixtures)
        self.headers: dict[str, str] = described["credentials"]["headers"]
        self.oauth: dict[str, str] | None = described["credentials"].get("oauth")
        self.known: dict[str, Any] = described["known"]
        self.events = tuple(engine.contract.webhooks)
        self.webhooks = Webhooks(self)

    @property
    def url(self) -> str:
        """The base URL of the API, for any client of any process; the port is opened when this is asked first."""
        return f"{self.world.url}/{self.vendor}"

    @cached_property
    def transport(self) -> Transport:
        """For an httpx client of one's own, synchronous or not, whatever its base URL: what it sends comes here, without a port."""
        return Transport(self.world.sandbox, f"/w/{self.world.name}/{self.vendor}")

    @cached_property
    def client(self) -> httpx.Client:
        """Calls the API without a port, as the default caller: `client.get("/api/v1/…")`."""
        return httpx.Client(transport=self.transport, base_url=HOST, headers=self.headers)

    @cached_property
    def async_client(self) -> httpx.AsyncClient:
        """Like `client`, for `await`; on whatever loop the test runs."""
        return httpx.AsyncClient(transport=self.transport, base_url=HOST, headers=self.headers)

    @property
    def clock(self) -> Clock:
        """The clock of the world."""
        return self.world.clock

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every call of this API so far, by whichever client, in the order of the answers."""
        return tuple(call for call in self.world.calls if call.vendor == self.vendor)

    def plan_fault(self, status: int | None = None, operation: str = "", *, delay: float = 0, times: int = 1) -> None:
        """Let the next calls fail with a status, or wait for `delay` seconds first; those of one operation, where its id is given. Raises Refused."""
        fault: dict[str, Any] = {"vendor": self.vendor, "delay": delay, "times": times}
        fault |= {"status": status} if status is not None else {}
        fault |= {"operation": operation} if operation else {}
        self.world.control("POST", "/faults", fault)

    def change(self, resource: str, key: str | int, tenant: str = "", **values: Any) -> Mapping[str, Any]:
        """Put values over a record that exists beforehand, such as a tenant, a credential or a plan: the record. Raises Refused."""
        query = {"tenant": tenant} if tenant else {}
        found: dict[str, Any] = self.world.control("PATCH", f"/records/{self.vendor}/{resource}/{key}", values, **query)
        return found

    def reset(self) -> None:
        """Put the world back to its seed."""
        self.world.reset()

    def __repr__(self) -> str:
        return f"<Mock of {self.vendor} in the world {self.world.name}>"
