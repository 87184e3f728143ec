"""Changes that go wrong alike with every vendor: what gets lost, what is cut, who is believed, what is remembered."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from mock_server.clock import parsed
from mock_server.engine import Engine
from mock_server.faulty.fault import Install, after, before
from mock_server.faulty.wire import Call, Json, Proceed, Reply, Wire, answered, copied
from mock_server.problems import Problem
from mock_server.vendor import Call as Performed

When = Callable[[Call], bool]


def always(call: Call) -> bool:
    """Whatever is called."""
    return True


def records(body: Json, key: str) -> Iterator[dict[str, Any]]:
    """Every object in a body that has such a property, from the outside in."""
    if isinstance(body, dict):
        if key in body:
            yield body
        for value in body.values():
            yield from records(value, key)
    elif isinstance(body, list):
        for item in body:
            yield from records(item, key)


def lost(name: str, when: When = always) -> Install:
    """A field of a body that gets lost."""

    def lose(call: Call) -> None:
        if isinstance(call.body, dict) and when(call):
            call.body.pop(name, None)

    return before(lose)


def filled(name: str, value: Json, when: When) -> Install:
    """A field that is quietly filled in where it is missing."""

    def fill(call: Call) -> None:
        if isinstance(call.body, dict) and when(call):
            call.body.setdefault(name, value)

    return before(fill)


def no_null(name: str, value: Json, when: When) -> Install:
    """A null that is quietly taken for something else."""

    def fill(call: Call) -> None:
        if isinstance(call.body, dict) and when(call) and name in call.body and call.body[name] is None:
            call.body[name] = value

    return before(fill)


def texts(change: Callable[[str], str]) -> Install:
    """Every text that a body has at its top, changed."""

    def changed(call: Call) -> None:
        if isinstance(call.body, dict):
            call.body.update({name: change(value) for name, value in call.body.items() if isinstance(value, str)})

    return before(changed)


def without_accents(text: str) -> str:
    """Letters that lose their marks."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def in_latin(text: str) -> str:
    """Text in which whatever Latin-1 lacks is a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")


def recoded(was: int, becomes: int, when: When = always, body: Json = None) -> Install:
    """Another status, the body as it was unless another is given."""

    def change(call: Call, reply: Reply) -> None:
        if reply.status == was and when(call):
            reply.status = becomes
            if body is not None:
                reply.body, reply.headers["content-type"] = body, "application/json"

    return after(change)


def instead(made: Callable[[Call], Reply | None]) -> Install:
    """An answer that is given without the sandbox, where there is one."""

    async def short(call: Call, proceed: Proceed) -> Reply:
        reply = made(call)
        return await proceed(call) if reply is None else reply

    return lambda engine: short


def crash(when: When) -> Install:
    """A server error for some requests."""
    return instead(lambda call: answered(500, {"message": "Internal Server Error"}) if when(call) else None)


def shown(key: str, change: Callable[[Call, dict[str, Any]], Any]) -> Install:
    """Every record in the answers of calls that succeed, changed; `key` is a property that such records have."""

    def changed(call: Call, reply: Reply) -> None:
        for record in list(records(reply.body, key)) if reply.ok else ():
            change(call, record)

    return after(changed)


def believed(wrong: Callable[[str], str | None]) -> Install:
    """An `Authorization` that is taken for another: `wrong` gives it, or None to leave it."""

    def believe(call: Call) -> None:
        taken = wrong(call.headers.get("authorization", ""))
        if taken is not None:
            call.headers["authorization"] = taken

    return before(believe)


def replaying(header: str, is_same: Callable[[Call, str | None, Json], bool], pause: float = 0) -> Wire:
    """Idempotency keys remembered here, in place of the sandbox's memory.

    `is_same(call, who, body)` is whether the first answer is given again, to that caller then and for that body.
    """
    replies: dict[tuple[str, str], tuple[str | None, Json, Reply]] = {}

    async def replay(call: Call, proceed: Proceed) -> Reply:
        key = call.headers.pop(header, None)
        if key is None:
            return await proceed(call)
        first = replies.get((call.world, key))
        if first is not None and is_same(call, first[0], first[1]):
            return copied(first[2])
        if pause:
            await asyncio.sleep(pause)
        reply = await proceed(call)
        if reply.ok:
            replies[call.world, key] = (call.headers.get("authorization"), call.body, copied(reply))
        return reply

    return replay


def forged(when: When, key: str, *names: str) -> Wire:
    """Properties that are the server's own, taken from whoever creates a record."""
    taken: dict[tuple[str, Any], dict[str, Any]] = {}

    async def take(call: Call, proceed: Proceed) -> Reply:
        sent = dict(call.body) if isinstance(call.body, dict) else {}
        reply = await proceed(call)
        found = list(records(reply.body, key))
        if reply.ok and when(call) and found:
            taken[call.world, found[0][key]] = {name: sent[name] for name in names if name in sent}
        for record in found:
            record.update(taken.get((call.world, record[key]), {}))
        return reply

    return take


def racing(engine: Engine, when: When, name: str) -> Wire:
    """A value that must not repeat, looked up first and kept a moment later; the engine itself is to have no such rule."""
    used: set[tuple[str, str | None, Any]] = set()

    async def race(call: Call, proceed: Proceed) -> Reply:
        value = call.body.get(name) if when(call) and isinstance(call.body, dict) else None
        if value is None:
            return await proceed(call)
        mine = (call.world, call.headers.get("authorization"), value)
        if mine in used:
            return refused(engine, call, Problem("duplicate", f"Another has this {name}."))
        await asyncio.sleep(0.1)
        reply = await proceed(call)
        if reply.ok:
            used.add(mine)
        return reply

    return race


def refused(engine: Engine, call: Call, problem: Problem) -> Reply:
    """A problem as the vendor tells of it."""
    answer = engine.refuse(problem, call.world)
    return answered(answer.status, answer.body)


def unique_across_tenants(engine: Engine, when: When, name: str) -> Wire:
    """A value that one tenant has used is refused to every other."""
    used: dict[tuple[str, Any], str | None] = {}

    async def refuse(call: Call, proceed: Proceed) -> Reply:
        value = call.body.get(name) if when(call) and isinstance(call.body, dict) else None
        who = call.headers.get("authorization")
        if isinstance(value, str) and used.get((call.world, value), who) != who:
            return refused(engine, call, Problem("duplicate", f"Another has this {name}."))
        reply = await proceed(call)
        if isinstance(value, str) and reply.ok:
            used[call.world, value] = who
        return reply

    return refuse


def around(engine: Engine, operation: str, made: Callable[[Performed, Callable[[Performed], Any]], Any]) -> None:
    """Put something around what one engine does for an operation: `made(call, proceed)`."""
    proceed = engine._actions[operation]
    engine._actions[operation] = lambda call: made(call, proceed)


def now(engine: Engine, world: str) -> float:
    """A world's time, in seconds since 1970."""
    return engine.clock(engine.begin(world)).now().timestamp()


def seconds(moment: str) -> float:
    """An ISO 8601 moment in seconds since 1970."""
    return parsed(moment).timestamp()
