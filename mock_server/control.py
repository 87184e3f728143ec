"""The /_mock API: a contract like the rest (`control.yaml`), whose actions act on the other vendors' worlds."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mock_server import faults
from mock_server.advance import Moved, clock_shown, move, order, shown
from mock_server.clock import Clock
from mock_server.contract import Contract, Fixtures, escape, load
from mock_server.engine import Engine
from mock_server.problems import Problem, Violation
from mock_server.seeds import stored_validators, undeclared
from mock_server.store import MemoryStore
from mock_server.vendor import SHARED, Answer, Call, Vendor
from mock_server.webhooks.api import register
from mock_server.worlds import DEFAULT_WORLD


def installed_version() -> str:
    """The version of the installed distribution; `0` in a checkout that was never installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import

    try:
        return version("mockingbill")
    except PackageNotFoundError:
        return "0"


def control_contract() -> Contract:
    """The contract of the control API."""
    return load(Path(__file__).with_name("control.yaml"))


def control_engine(
    engines: Mapping[str, Engine],
    store: MemoryStore,
    *,
    seed: int = 0,
    frozen: datetime | None = None,
    webhook_hosts: Collection[str] = (),
) -> Engine:
    """The engine of the control API over the engines of the vendors served; `webhook_hosts` are hosts besides this one that may be called."""
    vendor = Vendor("_mock")
    served: list[Engine] = []
    register(vendor, engines, frozenset(webhook_hosts))
    _tell_time(vendor, served)

    @vendor.action("getHealth")
    def health(call: Call, proceed: Callable[[Call], Any]) -> Any:
        worlds = sorted({DEFAULT_WORLD, *store.worlds()})
        body = {"status": "up", "version": installed_version(), "vendors": sorted(engines), "worlds": worlds}
        return Answer(200, body)

    @vendor.action("resetWorld")
    def reset(call: Call, proceed: Callable[[Call], Any]) -> Any:
        store.clear(call.request.world)
        for engine in served:
            engine.worlds.forget(call.request.world)
        return Answer(200, {"world": call.request.world})

    @vendor.action("planFault")
    def plan(call: Call, proceed: Callable[[Call], Any]) -> Any:
        engine = _engine(engines, call.body["vendor"], "body", "vendor")
        operation = call.body.get("operation")
        if operation is not None and operation not in engine.contract.operations:
            raise _unknown("operation", "body", "operation")
        transaction = engine.begin(call.request.world)
        fault = {
            "vendor": call.body["vendor"],
            "operation": operation,
            "delay": call.body.get("delay", 0),
            "status": call.body.get("status"),
            "times": call.body.get("times", 1),
        }
        faults.plan(transaction, fault)
        return Answer(201, fault)

    @vendor.action("changeRecord")
    def change(call: Call, proceed: Callable[[Call], Any]) -> Any:
        engine = _engine(engines, call.input.path["vendor"], "path", "vendor")
        return Answer(200, _change_record(engine, call))

    control = Engine(control_contract(), vendor, Fixtures({}), store, seed=seed, frozen=frozen)
    served.extend((*engines.values(), control))
    return control


def _tell_time(vendor: Vendor, served: Sequence[Engine]) -> None:
    """Add what is done about the clock; `served` are all engines, once they are there."""
    moving: dict[str, asyncio.Lock] = {}

    @vendor.action("getClock")
    def get_clock(call: Call, proceed: Callable[[Call], Any]) -> Any:
        return Answer(200, clock_shown(call.request.world, _clock(served, call.request.world)))

    async def pass_time(call: Call) -> Moved:
        world = call.request.world
        async with moving.setdefault(world, asyncio.Lock()):
            return await move(served, world, order(call.body, _clock(served, world)))

    vendor.waits["moveClock"] = pass_time

    @vendor.action("moveClock")
    def move_clock(call: Call, proceed: Callable[[Call], Any]) -> Any:
        return Answer(200, shown(call.request.world, call.waited))


def _clock(engines: Sequence[Engine], world: str) -> Clock:
    """A world's clock: that of any vendor, as they all have the same."""
    return engines[0].clock(engines[0].begin(world))


def _change_record(engine: Engine, call: Call) -> Mapping[str, Any]:
    name = call.input.path["resource"]
    facts = engine.contract.resources.get(name)
    if facts is None or not facts.known:
        raise _unknown("known resource", "path", "resource")
    key: str | int = call.input.path["key"]
    if facts.properties[facts.key].get("type") == "integer":
        key = int(key) if re.fullmatch("[0-9]{1,18}", str(key)) else ""
    tenant = call.input.query.get("tenant", engine.fixtures.tenant)
    table = (SHARED if facts.scope == "vendor" else tenant, name)
    record = engine.begin(call.request.world).get(table, key)
    if record is None:
        raise _unknown(name, "path", "key")
    changed = {**record, **call.body}
    if changed[facts.key] != record[facts.key]:
        raise Problem("invalid", violations=(Violation("body", f"/{escape(facts.key)}", "key", "cannot change"),))
    errors = tuple(
        Violation("body", f"/{escape(field)}", "additionalProperties", "is not declared")
        for field in undeclared(facts, changed)
    ) + tuple(
        Violation(
            "body", "".join(f"/{escape(str(step))}" for step in error.instance_path), error.kind.name, "does not fit"
        )
        for error in stored_validators(engine.contract, [name])[name].iter_errors(changed)
    )
    if errors:
        raise Problem("invalid", violations=errors)
    engine.timeline.rewrite(call.request.world, table[0], name, record, changed)
    return changed


def _engine(engines: Mapping[str, Engine], name: str, where: Any, field: str) -> Engine:
    if name not in engines:
        raise _unknown("vendor", where, field)
    return engines[name]


def _unknown(what: str, where: Any, field: str) -> Problem:
    violation = Violation(where, f"/{escape(field)}", "unknown", f"names no {what}")
    return Problem("unknown", f"There is no such {what}.", (violation,))
