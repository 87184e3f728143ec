"""What the rows over the small document share: its requests, and the proof that a server answers them rightly before it is measured."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from bench.load import Request
from bench.machine import CannotMeasure
from bench.peers import Peer
from bench.processes import Server, free_port, running
from bench.servers.customers import PAGE, fixtures

TOKEN = str(fixtures("Credential")["records"]["default"]["value"]["token"])
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
BODY: dict[str, Any] = fixtures("Customer")["requests"]["full"]["value"]


def new(number: str) -> dict[str, Any]:
    """A body whose unique field holds this."""
    return {**BODY, "external_id": f"ext-{number}", "email": f"grace-{number}@example.com"}


@contextlib.contextmanager
def ready(peer: Peer, core: int) -> Iterator[tuple[Server, str]]:
    """A running server with a full page of customers, proven right, and the id of one of them."""
    port = free_port()
    with running(peer.name, peer.command(port), port, core) as server:
        listed = server.wait("GET", f"{peer.prefix}{peer.listed}", headers=HEADERS)
        known = len(listed.value) if peer.remembers else PAGE - 1
        made = [
            server.ask("POST", f"{peer.prefix}/customers", new(f"seed{n:04d}"), HEADERS) for n in range(PAGE - known)
        ]
        for n, reply in enumerate(made):
            _expect(
                peer,
                reply.status == 201 and _shows(reply.value, f"seed{n:04d}" if peer.remembers else None),
                "POST",
                reply,
            )
        key = str(made[-1].value["id"])
        _prove(peer, server, key)
        yield server, key


def _prove(peer: Peer, server: Server, key: str) -> None:
    """Right answers where they are due, and refusals by a server that is said to validate."""
    root = f"{peer.prefix}/customers"
    reply = server.ask("GET", f"{root}/{key}", headers=HEADERS)
    _expect(peer, reply.status == 200 and _shows(reply.value) and reply.value["id"] == key, "GET by id", reply)
    reply = server.ask("GET", f"{peer.prefix}{peer.listed}", headers=HEADERS)
    full = isinstance(reply.value, list) and len(reply.value) == PAGE
    _expect(peer, reply.status == 200 and full and all(map(_shows, reply.value)), f"list of {PAGE}", reply)
    if peer.remembers and peer.validates:
        reply = server.ask("POST", root, new("seed0000"), HEADERS)
        _expect(peer, reply.status == 409, "POST of a taken external_id", reply)
    if peer.validates:
        reply = server.ask("POST", root, {**new("wrong"), "address": {"line1": 1}}, HEADERS)
        _expect(peer, reply.status in (400, 422), "POST of a wrong body", reply)
    if peer.knows_callers:
        reply = server.ask("GET", f"{root}/{key}")
        _expect(peer, reply.status == 401, "GET without a token", reply)


def _shows(value: Any, number: str | None = None) -> bool:
    """Whether it is a customer with every field, and where a number is given the one that was sent."""
    if not isinstance(value, dict) or not {"id", *BODY} <= set(value):
        return False
    return number is None or all(value[name] == sent for name, sent in new(number).items())


def _expect(peer: Peer, right: bool, what: str, reply: Any) -> None:
    if not right:
        raise CannotMeasure(
            f"{peer.name} answers {what} with {reply.status} {str(reply.value)[:300]}: measuring it would mean nothing."
        )


def retrieval(peer: Peer, key: str) -> Request:
    """GET by id."""
    return Request("GET", f"{peer.prefix}/customers/{key}")


def listing(peer: Peer) -> Request:
    """GET of a page of fifty."""
    return Request("GET", f"{peer.prefix}{peer.listed}")


def creation(peer: Peer) -> Request:
    """POST of twelve fields, another unique one each time."""
    return Request("POST", f"{peer.prefix}/customers", json.dumps(new("{n}")))
