"""Moves a world's clock: whatever falls due on the way happens, one thing after the other, each at its own time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mock_server.clock import LAST, Clock, iso, parsed
from mock_server.due import Happened
from mock_server.durations import Duration
from mock_server.engine import Engine
from mock_server.problems import Problem, Violation

MOST = 1_000_000
"""Things that may happen in one go; the clock then stands where the last one was."""
SLICE = 0.02
"""Seconds after which others have their turn."""


@dataclass(frozen=True, slots=True)
class Order:
    """Where to move a clock: to a moment, and whether it then stands still. `start` is the moment that `clock` moves from."""

    clock: Clock
    start: datetime
    until: datetime
    frozen: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """What a move came to: the clock as it is now, what happened on the way, and whether that was all of it."""

    clock: Clock
    happened: Sequence[tuple[str, Happened]]
    complete: bool


def order(body: Mapping[str, Any], clock: Clock) -> Order:
    """What a request asks for. Raises Problem `invalid`."""
    now = clock.now()
    frozen = clock.frozen is not None
    if "resume" in body:
        return Order(clock, now, now, False)
    if "advance" in body:
        try:
            until = Duration.parse(body["advance"]).after(now)
        except ValueError as error:
            raise _invalid("advance", "duration", str(error)) from None
        if until >= LAST:
            raise _invalid("advance", "maximum", "goes beyond the year 9999")
        return Order(clock, now, until, frozen)
    name = "to" if "to" in body else "freeze"
    until = now if body[name] is True else _moment(name, body[name])
    if name == "to" and until < now:
        raise _invalid("to", "minimum", f"lies before {iso(now)}, the world's time; only `freeze` goes back")
    return Order(clock, now, until, frozen or name == "freeze")


def _moment(name: str, value: str) -> datetime:
    try:
        return parsed(value)
    except ValueError:
        raise _invalid(name, "format", "is no moment, such as 2027-01-31T00:00:00Z") from None


def _invalid(name: str, rule: str, message: str) -> Problem:
    return Problem("invalid", violations=(Violation("body", f"/{name}", rule, message),))


def happenings(engines: Sequence[Engine], world: str, until: datetime) -> Iterator[tuple[str, Happened]]:
    """Let everything happen that falls due until then, of all vendors in one order, each with its vendor's name."""
    while True:
        waiting = [
            (at, index)
            for index, engine in enumerate(engines)
            if (at := engine.timeline.next_due(world)) and at <= until
        ]
        if not waiting:
            return
        engine = engines[min(waiting)[1]]
        yield engine.contract.name, engine.timeline.happen(world)


async def move(engines: Sequence[Engine], world: str, to: Order) -> Moved:
    """Carry an order out; others are served meanwhile, and see the world at the time it has come to.

    Where it is cancelled, the clock stands at the last thing that happened.
    """
    for engine in engines:
        engine.begin(world)
    happened: list[tuple[str, Happened]] = []
    reached = to.start
    complete = True
    elapsed = asyncio.get_running_loop().time
    turn = elapsed()
    for name, thing in happenings(engines, world, to.until):
        happened.append((name, thing))
        reached = max(reached, thing.entry.at)
        if len(happened) >= MOST:
            complete = False
            break
        if elapsed() - turn > SLICE:
            _set(engines, world, Clock(reached))
            await asyncio.sleep(0)
            turn = elapsed()
    at = to.until if complete else reached
    clock = Clock(at) if to.frozen else to.clock.running_at(to.start, at)
    _set(engines, world, clock)
    return Moved(clock, happened, complete)


def _set(engines: Iterable[Engine], world: str, clock: Clock) -> None:
    for engine in engines:
        engine.worlds.set_clock(world, clock)


def shown(world: str, moved: Moved) -> dict[str, Any]:
    """The answer to a move."""
    return {
        **clock_shown(world, moved.clock),
        "complete": moved.complete,
        "happened": [_thing(name, thing) for name, thing in moved.happened],
    }


def clock_shown(world: str, clock: Clock) -> dict[str, Any]:
    """A world's clock."""
    return {"world": world, "now": iso(clock.now()), "frozen": clock.frozen is not None}


def _thing(vendor: str, thing: Happened) -> dict[str, Any]:
    entry = thing.entry
    return {
        "at": iso(entry.at),
        "vendor": vendor,
        "tenant": entry.tenant,
        "resource": entry.resource,
        "key": str(entry.key),
        "name": entry.name,
        "from": thing.before,
        "to": thing.after,
        "events": list(thing.events),
        **({"failure": thing.failure} if thing.failure else {}),
    }
