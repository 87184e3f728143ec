"""No application at all: the product's server handing out three answers that never change. What is left is the cost of the server. PORT."""

from __future__ import annotations

import itertools
from typing import Any

import orjson

from bench.rows.customers import BODY
from bench.servers import listen
from bench.servers.customers import PAGE, Customers


def answers() -> dict[tuple[str, bool], tuple[int, bytes]]:
    """Status and body by method, and by whether the path is the collection's."""
    customers = Customers()
    for number in itertools.count(1):
        if len(customers.page(1)) == PAGE:
            break
        made = customers.create({**BODY, "external_id": f"ext-{number:04d}"})
    assert made is not None, "every external id is another"
    return {
        ("GET", True): (200, orjson.dumps(customers.page(1))),
        ("GET", False): (200, orjson.dumps(made)),
        ("POST", True): (201, orjson.dumps(made)),
    }


def build() -> Any:
    """An ASGI application that looks at nothing but the method and the path."""
    known = answers()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        status, body = known[scope["method"], scope["path"] == "/customers"]
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    listen(build())
