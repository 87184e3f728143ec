"""Stykites that are wrong in ways nobody had thought of."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.fault import Fault, after, before, switch
from mock_server.faulty.memories import case_blind
from mock_server.faulty.switches import around, now, told_as_before, unkept
from mock_server.faulty.wire import Call, Reply, Wire

VENDOR = "stykite"
_HOUR = 3_600_000


def crashed(status: int, end: str) -> Callable[[Call, Reply], None]:
    """A refusal that is a crash."""

    def crash(call: Call, reply: Reply) -> None:
        if reply.status == status and call.path.endswith(end) and "CANCELLED" in json.dumps(reply.body):
            reply.status, reply.body = 500, {"message": "Internal Server Error"}

    return crash


def _late(engine: Engine) -> Wire | None:
    """A trial is shown for five hours more, until midnight where the company is."""

    def still(call: Call, record: dict[str, Any]) -> None:
        ends = record["trial_end"]
        if ends is not None and record.get("status") in ("ACTIVE", "ON_HOLD"):
            since = now(engine, call.world) * 1000 - ends
            record["status"] = "TRIAL" if 0 <= since < 5 * _HOUR else record["status"]

    return changes.shown("trial_end", still)(engine)


def _event_of_another(engine: Engine) -> None:
    """Whatever happens, the first customer is told of."""
    teller = engine.timeline._teller
    name = "customer.subscription_status.update"
    payload = teller._payloads[name]

    def another(space: Any, event: Any, record: Any) -> Any:
        body = payload(space, event, record)
        first = next(iter(space.scan("Customer")))
        who = {"customer_id": first["tsid"], "customer_identifier": first["customer_identifier"]}
        return {**body, "data": {**body["data"], **who}}

    teller._payloads = {**teller._payloads, name: another}


def _moved_end(call: Call) -> None:
    if isinstance(call.body, dict) and isinstance(call.body.get("end_date"), int):
        call.body["end_date"] += _HOUR


def _as_number(call: Call) -> None:
    for name in ("phone", "zipcode") if isinstance(call.body, dict) else ():
        value = call.body.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            call.body[name] = str(int(value))


FAULTS = (
    Fault("stykite-cancel-idle", VENDOR, "transitions", "transitions_are_legal",
          "Cancelling at once is confirmed, and nothing happens.",
          switch(lambda engine: around(engine, "cancelSubscription", unkept))),
    Fault("second-cancel-crashes", VENDOR, "transitions", "states_are_kept",
          "Cancelling what is cancelled crashes.", after(crashed(400, "/cancel_subscription"))),
    Fault("trial-ends-late", VENDOR, "time", "time_moves_states",
          "A trial ends at local midnight, five hours after its `trial_end`.", _late),
    Fault("identifier-whatever-case", VENDOR, "uniqueness", "unique_is_refused",
          "A customer's identifier is refused where another differs in case alone.",
          lambda engine: case_blind(engine, "/customer", "customer_identifier")),
    Fault("status-of-before", VENDOR, "events", "events_say_what_is",
          "A webhook tells the status that was.", switch(told_as_before)),
    Fault("event-of-another", VENDOR, "events", "events_say_what_is",
          "A webhook names another customer.", switch(_event_of_another)),
    Fault("end-an-hour-later", VENDOR, "time", "update_changes_only_what_it_names",
          "A new end is kept an hour later: a change of clocks.", before(_moved_end)),
    Fault("digits-are-numbers", VENDOR, "type", "values_survive",
          "A telephone number of digits loses its leading zeros.", before(_as_number)),
)  # fmt: skip
