"""Switches of one server's engine: what it does for an operation, and what it tells of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty.fault import Install, swap, switch
from mock_server.vendor import Call as Performed


def around(engine: Engine, operation: str, made: Callable[[Performed, Callable[[Performed], Any]], Any]) -> None:
    """Put something around what one engine does for an operation: `made(call, proceed)`."""
    proceed = engine._actions[operation]
    engine._actions[operation] = lambda call: made(call, proceed)


def now(engine: Engine, world: str) -> float:
    """A world's time, in seconds since 1970."""
    return engine.clock(engine.begin(world)).now().timestamp()


def unkept(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    """A change is checked and confirmed, and the record stays as it was."""
    record = call.find(call.resource.name, call.key())
    result = proceed(call)
    if record is not None:
        call.transaction.put(call.table(call.resource.name), record[call.resource.key], record)
    return result


def untold(*names: str) -> Install:
    """Events of these names are not told."""

    def turn(engine: Engine) -> None:
        teller = engine.timeline._teller
        swap(teller, "events", lambda events: lambda *change: (one for one in events(*change) if one[0] not in names))

    return switch(turn)


def told_as_before(engine: Engine) -> None:
    """A webhook shows the record that was."""
    teller = engine.timeline._teller

    def old(payload: Any) -> Any:
        return lambda space, event, record: payload(space, event, event.was or record)

    teller._payloads = {name: old(payload) for name, payload in teller._payloads.items()}
