"""GET by id, list of fifty and POST create on the small document, against every peer; with them the tail of the latencies."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from functools import partial

from bench.load import Request
from bench.peers import OTHERS, OURS, Peer
from bench.processes import Server
from bench.results import Ratio, Row
from bench.rows.customers import HEADERS, creation, listing, ready, retrieval
from bench.rows.pairs import Samples, compare, figures, named, sample
from bench.settings import Settings

TITLE = "Small document"
HOW = (
    "One resource, twelve fields, a nested object, a unique field, a credential. Every server is started anew in each round and holds fifty records."
    " Mockoon neither validates nor asks for the credential; Prism answers from examples. The server alone is uvicorn with an application that hands"
    " out constant bytes: what no application on it can go below."
)
GET, LIST, POST = "GET by id", "list of 50", "POST create"
REACH = {
    "Prism -v silent": {GET: 3.0, LIST: 4.0, POST: 3.0},
    "bare Starlette": dict.fromkeys((GET, LIST, POST), 0.85),
}
BUSY = 64


def measure(settings: Settings) -> Row:
    """Every peer, every operation, every number of connections."""
    servers = {peer.name: partial(_up, peer, settings.cores.server) for peer in (OURS, *OTHERS)}
    samples = sample(settings, "small", servers, (GET, LIST, POST), settings.connections, HEADERS)
    return Row("small", TITLE, HOW, tuple(_ratios(settings, samples)), tuple(figures(samples)))


@contextlib.contextmanager
def _up(peer: Peer, core: int) -> Iterator[tuple[Server, Mapping[str, Request]]]:
    with ready(peer, core) as (server, key):
        yield server, {GET: retrieval(peer, key), LIST: listing(peer), POST: creation(peer)}


def _ratios(settings: Settings, samples: Samples) -> Iterator[Ratio]:
    for peer in OTHERS:
        for operation in (GET, LIST, POST):
            for connections in settings.connections:
                reach = REACH.get(peer.name, {}).get(operation) if connections == BUSY else None
                yield from compare(samples, OURS.name, peer.name, operation, connections, reach)
    for operation in (GET, LIST, POST) if BUSY in settings.connections else ():
        for name, reach in ((OURS.name, 3.0), ("bare Starlette", None)):
            tail = tuple(load.p99 / load.p50 for load in samples[name, operation, BUSY])
            measure = f"p99 latency of {name}, {named(operation, BUSY)}"
            yield Ratio(measure, "its median latency", "latency", tail, reach, "most")
