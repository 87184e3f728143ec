"""A filter with one equality condition over ten thousand records, against a hand-written route that looks into an index."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from bench.load import Request, send
from bench.machine import CannotMeasure
from bench.peers import OTHERS, OURS, Peer, mockingbill, python
from bench.processes import Reply, Server, free_port, running
from bench.results import Ratio, Row
from bench.rows.customers import HEADERS, new, ready
from bench.rows.pairs import Ready, compare, figures, named, sample
from bench.rows.subscriptionflow import PATH, VENDOR, body, credentials
from bench.settings import Settings

TITLE = "Filter over 10,000 records"
HOW = (
    "`filter[email][$equals]` of SubscriptionFlow's customers as JSON, and the search by mail address of the small document; every request asks for"
    " another record, and each answer holds one."
)
RECORDS = 10_000
BARE = "bare Starlette with an index"
FILTER, SEARCH = "filter customers", "search by mail address"
BUSY = 64


def measure(settings: Settings) -> Row:
    """Both operations at the connections asked for, as times: ours over the bare route's."""
    bare = next(peer for peer in OTHERS if peer.name == "bare Starlette")
    core = settings.cores.server
    vendor: dict[str, Ready] = {
        OURS.name: partial(_filter, settings, OURS.name, mockingbill(VENDOR), f"/{VENDOR}", core),
        BARE: partial(_filter, settings, BARE, python("bench.servers.bare_filter"), "", core),
    }
    small: dict[str, Ready] = {OURS.name: partial(_search, settings, OURS), BARE: partial(_search, settings, bare)}
    first = sample(settings, "filter", vendor, (FILTER,), settings.connections, credentials(), cycle=RECORDS)
    second = sample(settings, "filter", small, (SEARCH,), settings.connections, HEADERS, cycle=RECORDS)
    samples = {**first, **second}
    ratios = [
        Ratio(
            named(operation, connections),
            BARE,
            ratio.by,
            tuple(1 / value for value in ratio.values),
            1.3 if connections == BUSY else None,
            "most",
        )
        for operation in (FILTER, SEARCH)
        for connections in settings.connections
        for ratio in compare(samples, OURS.name, BARE, operation, connections)
    ]
    return Row("filter", TITLE, HOW, tuple(ratios), tuple(figures(samples)))


@contextlib.contextmanager
def _filter(
    settings: Settings, name: str, command: Callable[[int], Sequence[str]], prefix: str, core: int
) -> Iterator[tuple[Server, Mapping[str, Request]]]:  # fmt: skip
    port = free_port()
    sent = body("complete")
    condition = {"filter": {"email": {"$equals": "emil-{c}@example.com"}}}
    create = Request("POST", f"{prefix}{PATH}", json.dumps({**sent, "email": "emil-{c}@example.com"}))
    with running(f"{name} filter", command(port), port, core) as server:
        server.wait("POST", create.path, {**sent, "email": "first@example.com"}, credentials())
        _fill(settings, server, create, credentials())
        asked = json.loads(json.dumps(condition).replace("{c}", f"{RECORDS - 1:07d}"))
        reply = server.ask("POST", f"{prefix}{PATH}/filter", asked, credentials())
        _expect_one(name, reply, 201, (reply.value or {}).get("data", ()), "emil")
        yield server, {FILTER: Request("POST", f"{prefix}{PATH}/filter", json.dumps(condition))}


@contextlib.contextmanager
def _search(settings: Settings, peer: Peer) -> Iterator[tuple[Server, Mapping[str, Request]]]:
    with ready(peer, settings.cores.server) as (server, _):
        create = Request("POST", f"{peer.prefix}/customers", json.dumps(new("{c}")))
        _fill(settings, server, create, HEADERS)
        path = f"{peer.prefix}/customers/search?email=grace-{{c}}@example.com"
        reply = server.ask("GET", path.replace("{c}", f"{RECORDS - 1:07d}"), headers=HEADERS)
        _expect_one(peer.name, reply, 200, reply.value, "grace")
        yield server, {SEARCH: Request("GET", path)}


def _fill(settings: Settings, server: Server, create: Request, headers: Mapping[str, str]) -> None:
    """Create the records over one connection, so that none is lost in flight when the last one has been answered."""
    load = send(
        server, [create], core=settings.cores.load, connections=1, headers=headers, count=RECORDS, cycle=RECORDS
    )
    if load.requests != RECORDS:
        raise CannotMeasure(f"{server.name} was to hold {RECORDS} records and was sent {load.requests}.")


def _expect_one(name: str, reply: Reply, status: int, found: Sequence[Mapping[str, Any]], who: str) -> None:
    emails = [record["email"] for record in found]
    if reply.status != status or emails != [f"{who}-{RECORDS - 1:07d}@example.com"]:
        raise CannotMeasure(
            f"{name} answers a filter for one record with {reply.status} {emails[:3]}: measuring it would mean nothing."
        )
