"""Resident memory after many requests, against Prism, and whether it grows where the state does not."""

from __future__ import annotations

import json
from collections import defaultdict

from bench.load import Request, send
from bench.peers import OTHERS, OURS, Peer
from bench.processes import Server
from bench.results import Figure, Ratio, Row, quotient
from bench.rows.customers import HEADERS, creation, listing, new, ready, retrieval
from bench.settings import Settings

TITLE = "Memory"
FEW, SOME, MANY = 10_000, 50_000, 200_000
CONNECTIONS = 16
READS, CREATES = "reads and refusals", "creates"


def measure(settings: Settings) -> Row:
    """Round by round: ours and Prism under reads and refusals, then both anew under creates."""
    prism = next(peer for peer in OTHERS if peer.name.startswith("Prism"))
    few, some, many = (settings.requests(count) for count in (FEW, SOME, MANY))
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(settings.rounds):
        settings.say(f"memory: round {number + 1} of {settings.rounds}")
        for peer, stops in ((OURS, (few, some, many)), (prism, (some,))):
            for stop, resident in _resident(settings, peer, READS, stops).items():
                found[peer.name, f"{READS}, {stop:,} requests"].append(resident)
            for stop, resident in _resident(settings, peer, CREATES, (some,)).items():
                found[peer.name, f"{CREATES}, {stop:,} requests"].append(resident)
    first, last = (found[OURS.name, f"{READS}, {stop:,} requests"] for stop in (few, many))
    ratios = [
        Ratio(
            what,
            prism.name,
            "resident memory",
            quotient(found[OURS.name, what], found[prism.name, what]),
            reach,
            "most",
        )
        for what, reach in ((f"{READS}, {some:,} requests", 0.6), (f"{CREATES}, {some:,} requests", None))
    ]
    ratios.append(
        Ratio(
            f"{READS}, {many:,} requests", f"{few:,} requests", "resident memory", quotient(last, first), 1.05, "most"
        )
    )
    figures = tuple(Figure(what, name, "MiB", tuple(values)) for (name, what), values in found.items())
    how = (
        f"The small document at {CONNECTIONS} connections. {READS.capitalize()}: GET by id, list of fifty, an unknown path, a body that is refused,"
        " in turn; nothing is stored. Creates: after them ours holds as many customers, Prism none."
    )
    return Row("memory", TITLE, how, tuple(ratios), figures)


def _resident(settings: Settings, peer: Peer, what: str, stops: tuple[int, ...]) -> dict[int, float]:
    """Resident memory, in MiB, of a fresh server when so many requests have been answered."""
    with ready(peer, settings.cores.server) as (server, key):
        wrong = json.dumps({**new("wrong"), "address": {"line1": 1}})
        requests = [
            retrieval(peer, key),
            listing(peer),
            Request("GET", f"{peer.prefix}/nowhere"),
            Request("POST", f"{peer.prefix}/customers", wrong),
        ]
        return _after(settings, server, requests if what == READS else [creation(peer)], stops, refused=what == READS)


def _after(
    settings: Settings, server: Server, requests: list[Request], stops: tuple[int, ...], *, refused: bool
) -> dict[int, float]:  # fmt: skip
    found, sent = {}, 0
    for stop in stops:
        load = send(
            server,
            requests,
            core=settings.cores.load,
            connections=CONNECTIONS,
            headers=HEADERS,
            count=stop - sent,
            refused=refused,
        )
        sent += load.requests
        found[stop] = server.resident()
    return found
