"""Time: how long ten years of a thousand subscriptions take, vendor by vendor, and that a second world comes to the same, byte for byte."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.machine import CannotMeasure
from bench.peers import mockingbill
from bench.processes import Server, free_port, running
from bench.results import Figure, Ratio, Row
from bench.settings import Settings

TITLE = "Ten years"
HOW = (
    "A thousand monthly subscriptions, made through the API, and one `POST /_mock/clock` that moves the clock by ten years: everything that falls"
    " due happens, invoices and all, in one call over the socket, on one core. A second world with the same calls must answer with the same bytes,"
    " or there is no result. No peer has a clock."
)
BEGIN = "2024-01-31T00:00:00Z"
SUBSCRIPTIONS = 1000
LONGEST = 30.0
JSON = {"Content-Type": "application/json"}


def measure(settings: Settings) -> Row:
    """Two worlds a vendor, one after the other; the first one is measured, round by round."""
    figures, ratios = [], []
    for vendor, subscribe in SUBSCRIBE.items():
        seconds, things = [], []
        for number in range(settings.rounds):
            settings.say(f"years: {vendor}, {number + 1} of {settings.rounds}")
            with running(
                f"years of {vendor}",
                mockingbill(vendor, "--freeze", BEGIN)(port := free_port()),
                port,
                settings.cores.server,
            ) as server:
                server.wait("GET", "/_mock/health")
                taken, first = _years(server, "one", subscribe, settings.requests(SUBSCRIPTIONS))
                _, second = (
                    _years(server, "two", subscribe, settings.requests(SUBSCRIPTIONS)) if not number else (0, first)
                )
            if first != second:
                raise CannotMeasure(f"two worlds of {vendor} with the same calls came to different answers")
            seconds.append(taken)
            things.append(float(first.count(b'"vendor":')))
        ratios.append(
            Ratio(
                f"{vendor}, ten years in one call",
                "30 s",
                "time",
                tuple(s / LONGEST for s in seconds),
                1.0,
                "most",
            )
        )
        figures.append(Figure("ten years in one call", vendor, "s", tuple(seconds)))
        figures.append(Figure("things that fell due", vendor, "things", tuple(things)))
    return Row("years", TITLE, HOW, tuple(ratios), tuple(figures))


class Connection:
    """Calls to one world over one connection."""

    def __init__(self, server: Server, world: str, vendor: str, headers: Mapping[str, str]) -> None:
        host, _, port = server.url.removeprefix("http://").partition(":")
        self._connection = http.client.HTTPConnection(host, int(port), timeout=600)
        self._below = f"/w/{world}"
        self._vendor = vendor
        self.headers = dict(headers)

    def call(self, path: str, body: Any, vendor: str | None = None) -> bytes:
        """POST. Raises CannotMeasure for what is no 2xx."""
        path = f"{self._below}/{vendor or self._vendor}{path}"
        self._connection.request("POST", path, json.dumps(body), {**JSON, **self.headers})
        response = self._connection.getresponse()
        content = response.read()
        if not 200 <= response.status < 300:
            raise CannotMeasure(f"POST {path}: {response.status} {content[:300]!r}")
        return content


def _years(server: Server, world: str, subscribe: Callable[[Connection, int], None], count: int) -> tuple[float, bytes]:
    """The seconds that ten years take, and what the clock answered, without the world's name."""
    vendor = next(name for name, function in SUBSCRIBE.items() if function is subscribe)
    connection = Connection(server, world, vendor, {})
    subscribe(connection, count)
    begun = time.perf_counter()
    content = connection.call("/clock", {"advance": "P10Y"}, "_mock")
    return time.perf_counter() - begun, content.replace(f'"{world}"'.encode(), b'""')


def _stykite(connection: Connection, count: int) -> None:
    connection.headers["Authorization"] = "Bearer stykite-sandbox-acme"
    for n in range(count):
        body = {"email": f"person{n}@example.com", "customer_identifier": f"person-{n}", "country_code": "IN"}
        connection.call("/v1/company/COM-0SANDB0XAC0R1/country/CON-0SANDB0XEARTH/customer", body)


def _subscriptionflow(connection: Connection, count: int) -> None:
    connection.headers["Authorization"] = "Bearer sf-sandbox-demo"
    for n in range(count):
        customer = {"name": f"Person {n}", "email": f"person{n}@example.com", "currency": "USD", "auto_charge": 1}
        made = json.loads(connection.call("/api/v1/customers", customer))
        connection.call("/api/v1/subscriptions", {**EVERGREEN, "customer_id": made["data"]["id"]})


def _pelcro(connection: Connection, count: int) -> None:
    for n in range(count):
        connection.headers.pop("Authorization", None)
        reader = {"email": f"person{n}@example.com", "password": "sandbox-word-1"}
        made = json.loads(connection.call("/api/v1/sdk/auth/register?site_id=1101", reader))
        connection.headers["Authorization"] = f"Bearer {made['data']['auth_token']}"
        plan = {"plan_id": 204051, "gateway_token": "tok-sandbox-succeed"}
        connection.call("/api/v1/sdk/subscription?site_id=1101", plan)


EVERGREEN: dict[str, Any] = {
    "type": "Evergreen",
    "order_date": BEGIN[:10],
    "trigger_dates": BEGIN[:10],
    "items": [
        {"plan_id": "d0000000-0000-4000-8000-000000000001", "product_id": "b0000000-0000-4000-8000-000000000001"}
    ],
}

SUBSCRIBE: Mapping[str, Callable[[Connection, int], None]] = {
    "pelcro": _pelcro,
    "stykite": _stykite,
    "subscriptionflow": _subscriptionflow,
}
