"""What wrong servers remember, or forget to: keys, values that must not repeat, answers of before."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty.changes import When, records
from mock_server.faulty.wire import Call, Json, Proceed, Reply, Wire, answered, copied
from mock_server.problems import Problem


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
        if not isinstance(value, str | int):
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


def case_blind(engine: Engine, creates: str, name: str) -> Wire:
    """A value that must not repeat, looked up whatever its case."""
    used: dict[tuple[str, str | None, str], str] = {}

    async def look(call: Call, proceed: Proceed) -> Reply:
        value = call.body.get(name) if call.has("POST", creates) and isinstance(call.body, dict) else None
        if not isinstance(value, str):
            return await proceed(call)
        mine = (call.world, call.headers.get("authorization"), value.casefold())
        if used.get(mine, value) != value:
            return refused(engine, call, Problem("duplicate", f"Another has this {name}."))
        reply = await proceed(call)
        if reply.ok:
            used[mine] = value
        return reply

    return look


def one_behind(key: Callable[[Call], Any]) -> Callable[[], Wire]:
    """An answer is that of the last time: `key` is what it was asked for, None where it is left as it is."""

    def made() -> Wire:
        kept: dict[tuple[str, str | None, Any], Reply] = {}

        async def behind(call: Call, proceed: Proceed) -> Reply:
            asked = key(call)
            reply = await proceed(call)
            if asked is None or not reply.ok:
                return reply
            mine = (call.world, call.headers.get("authorization"), asked)
            old, kept[mine] = kept.get(mine, reply), copied(reply)
            return old

        return behind

    return made


def refused(engine: Engine, call: Call, problem: Problem) -> Reply:
    """A problem as the vendor tells of it."""
    answer = engine.refuse(problem, call.world)
    return answered(answer.status, answer.body)
