"""GET, list and POST of a customer on one of our own documents, against Prism on the same document."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import yaml

from bench.load import Request
from bench.machine import ROOT, CannotMeasure
from bench.peers import mockingbill, prism
from bench.processes import Server, free_port, running
from bench.results import Row
from bench.rows.pairs import compare, figures, sample
from bench.settings import Settings
from mock_server.contract import load, load_fixtures

TITLE = "SubscriptionFlow document"
HOW = "The document as it is shipped, its customers as the fixtures have them; both servers read the same files."
VENDOR = "subscriptionflow"
OURS, PRISM = "mockingbill", "Prism -v silent"
GET, LIST, POST = "GET a customer", "list customers", "POST a customer"
PATH = "/api/v1/customers"
BUSY = 64


def measure(settings: Settings) -> Row:
    """The three operations at the connections asked for. Prism answers a POST with the document's first example, which is a smaller customer."""
    document = ROOT / "openapi" / f"{VENDOR}.yaml"
    servers = {
        OURS: partial(_up, OURS, mockingbill(VENDOR), f"/{VENDOR}", settings.cores.server),
        PRISM: partial(_up, PRISM, prism(document), "", settings.cores.server),
    }
    samples = sample(settings, VENDOR, servers, (GET, LIST, POST), settings.connections, credentials())
    ratios = [
        ratio
        for operation in (GET, LIST, POST)
        for connections in settings.connections
        for ratio in compare(samples, OURS, PRISM, operation, connections, 10.0 if connections == BUSY else None)
    ]
    return Row(VENDOR, TITLE, HOW, tuple(ratios), tuple(figures(samples)))


def credentials() -> Mapping[str, str]:
    """The header of the default caller of the fixtures."""
    caller = load_fixtures(load(VENDOR)).of("Credential")[0].value
    return {"Authorization": f"Bearer {caller['token']}"}


def body(name: str) -> dict[str, Any]:
    """The request body of that name in the fixtures."""
    text = (ROOT / "fixtures" / VENDOR / "Customer.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)["requests"][name]["value"]
    return found


@contextlib.contextmanager
def _up(
    name: str, command: Callable[[int], Sequence[str]], prefix: str, core: int
) -> Iterator[tuple[Server, Mapping[str, Request]]]:  # fmt: skip
    port = free_port()
    headers = credentials()
    customer = load_fixtures(load(VENDOR)).of("Customer")[0].value
    sent = body("complete")
    with running(f"{name} {VENDOR}", command(port), port, core) as server:
        listed = server.wait("GET", f"{prefix}{PATH}", headers=headers)
        got = server.ask("GET", f"{prefix}{PATH}/{customer['id']}", headers=headers)
        made = server.ask("POST", f"{prefix}{PATH}", sent, headers)
        right = (
            listed.value["data"][0]["email"] == customer["email"]
            and (got.status, got.value["data"]["attributes"]["email"]) == (200, customer["email"])
            and made.status == 201
            and made.value["data"]["attributes"]["email"]
            in ((sent["email"],) if prefix else (body("minimal")["email"],))
            and server.ask("POST", f"{prefix}{PATH}", {"name": 1}, headers).status == 422
            and server.ask("GET", f"{prefix}{PATH}").status == 401
        )
        if not right:
            raise CannotMeasure(f"{name} answers wrongly on the document {VENDOR}: {listed} {got} {made}"[:900])
        yield (
            server,
            {
                GET: Request("GET", f"{prefix}{PATH}/{customer['id']}"),
                LIST: Request("GET", f"{prefix}{PATH}"),
                POST: Request("POST", f"{prefix}{PATH}", json.dumps({**sent, "email": "emil-{n}@example.com"})),
            },
        )
