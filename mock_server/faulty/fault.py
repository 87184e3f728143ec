"""What a fault is: one thing wrong with the sandbox of one vendor, named, with the promise that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from starlette.types import ASGIApp

from mock_server.app.root import RootApp
from mock_server.engine import Engine
from mock_server.faulty.wire import Call, Proceed, Reply, Wire, Wired

Kind = Literal[
    "status", "field", "type", "envelope", "header", "auth", "tenant", "filter operator", "boundary", "page", "sort", "update", "delete",
    "bulk", "uniqueness", "idempotency", "concurrency", "staleness", "ids", "time", "money", "transitions", "events", "encodings", "limits",
    "unicode", "null", "huge values", "references", "required", "read-only",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Fault:
    """One thing wrong. `install` is called once for each server: it turns a switch of its engine, or gives the wire to put before it, or both.

    `promise` is the promise of the conformance suite that is meant to catch it; others may too.
    """

    name: str
    vendor: str
    kind: Kind
    promise: str
    sentence: str
    install: Callable[[Engine], Wire | None]

    def installed(self, app: RootApp) -> ASGIApp:
        """The server, wrong from now on. It must serve the fault's vendor."""
        wire = self.install(app.engines[self.vendor])
        return app if wire is None else Wired(app, self.vendor, wire)


Install = Callable[[Engine], Wire | None]


def wire(made: Callable[[], Wire]) -> Install:
    """A fault on the wire, with a memory of its own for each server."""
    return lambda engine: made()


def before(change: Callable[[Call], Any]) -> Install:
    """A request that is changed on its way in."""

    async def changed(call: Call, proceed: Proceed) -> Reply:
        change(call)
        return await proceed(call)

    return lambda engine: changed


def after(change: Callable[[Call, Reply], Any]) -> Install:
    """An answer that is changed on its way out."""

    async def changed(call: Call, proceed: Proceed) -> Reply:
        reply = await proceed(call)
        change(call, reply)
        return reply

    return lambda engine: changed


def switch(turn: Callable[[Engine], Any]) -> Install:
    """A fault inside the engine."""

    def turned(engine: Engine) -> None:
        turn(engine)

    return turned


def swap(owner: Any, name: str, made: Callable[[Any], Any]) -> None:
    """Put another function in the place of one of this object's own; the class and its other objects keep theirs."""
    setattr(owner, name, made(getattr(owner, name)))


def restate(engine: Engine, resource: str, **facts: Any) -> None:
    """Let one engine go by other facts about a resource than the document states."""
    contract = engine.contract
    changed = replace(contract.resources[resource], **facts)
    engine.contract = replace(contract, resources={**contract.resources, resource: changed})
    engine.timeline._contract = engine.contract
