"""Stykites that are wrong in the ways that the promises were written against."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mock_server.clock import later
from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.fault import Fault, after, before, restate, swap, switch
from mock_server.faulty.memories import racing
from mock_server.faulty.switches import around, now, unkept
from mock_server.faulty.wire import Call, Reply, Wire
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor import Call as Performed
from mock_server.vendor import Space

VENDOR = "stykite"
_DAY = 86_400_000
_OWN = {"COM-0SANDB0XAC0R1": "stykite-sandbox-acme", "COM-0SANDB0XBEE01": "stykite-sandbox-beehive"}


def _subscribes(call: Call) -> bool:
    return call.has("POST", "/customer")


def _expired_let_in(sent: str) -> str | None:
    return "Bearer stykite-sandbox-acme" if sent == "Bearer stykite-sandbox-expired" else None


def _company_believed(call: Call) -> None:
    company = "".join(call.path.split("/")[3:4])
    if call.headers.get("authorization", "").removeprefix("Bearer ") in _OWN.values() and company in _OWN:
        call.headers["authorization"] = f"Bearer {_OWN[company]}"


def _raced(engine: Engine) -> Wire:
    restate(engine, "Customer", unique=())
    swap(engine, "_actions", lambda actions: {**actions})
    around(engine, "createCustomer", _once_more)
    return racing(engine, _subscribes, "customer_identifier")


def _once_more(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    """A customer over the one of the same identifier."""
    old = call.find("Customer", call.body["customer_identifier"])
    if old is not None:
        call.remove("Customer", old)
    return proceed(call)


def _refusal_counts(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    try:
        return proceed(call)
    except Problem as problem:
        if problem.kind == "state":
            subscription = call.require("Subscription", call.key())
            table = call.table("Subscription")
            changed = {**subscription, "updated_at": subscription["updated_at"] + 1, "reason": "Refused"}
            call.transaction.put(table, subscription["tsid"], changed)
            call.transaction.commit()
        raise


def _due(
    engine: Engine, name: str, made: Callable[[Space, StoredRecord, Callable[[Space, StoredRecord], Any]], Any]
) -> None:
    """Put something around what falls due in one engine."""
    key = ("Subscription", name)
    proceed = engine.timeline._dues[key]
    engine.timeline._dues = {**engine.timeline._dues, key: lambda space, record: made(space, record, proceed)}


def _ended(change: Callable[[StoredRecord], dict[str, Any]]) -> Callable[..., None]:
    """What a cycle's end does, and then this."""

    def end(space: Space, subscription: StoredRecord, proceed: Callable[[Space, StoredRecord], Any]) -> None:
        proceed(space, subscription)
        after_it = space.require("Subscription", subscription["tsid"])
        if after_it["status"] == "ACTIVE" and after_it["cycle_end"] is not None:
            space.change("Subscription", after_it, change(after_it))

    return end


def _prolonged(engine: Engine) -> None:
    lifecycle = engine.contract.resources["Subscription"].lifecycle
    restate(engine, "Subscription", lifecycle=tuple(replace(item, to=(*item.to, "TRIAL")) for item in lifecycle))

    def prolong(space: Space, subscription: StoredRecord, proceed: Callable[..., Any]) -> None:
        longer = {name: subscription[name] + 30 * _DAY for name in ("trial_end", "cycle_end")}
        space.change("Subscription", subscription, longer)

    _due(engine, "trial-end", prolong)


def _month_after(subscription: StoredRecord) -> dict[str, Any]:
    start = datetime.fromtimestamp(subscription["cycle_start"] / 1000, UTC)
    length = 12 if subscription["plan_type"] == "YEARLY" else 1
    return {"cycle_end": int(later(start, months=length).timestamp() * 1000)}


def _trial_shown_late(call: Call, record: dict[str, Any]) -> None:
    if isinstance(record["trial_end"], int):
        record["trial_end"] += _DAY


def _revived(engine: Engine) -> Wire:
    """A month after its end a subscription is active again."""
    turn = after(lambda call, reply: _revive(engine, call, reply))(engine)
    assert turn is not None, "it is on the wire"
    return turn


def _revive(engine: Engine, call: Call, reply: Reply) -> None:
    for record in changes.records(reply.body, "cancelled_at") if reply.ok else ():
        ended = record["cancelled_at"] or record.get("updated_at")
        if record.get("status") == "CANCELLED" and ended and now(engine, call.world) * 1000 > ended + 29 * _DAY:
            record["status"] = "ACTIVE"


def _untold(engine: Engine) -> None:
    teller = engine.timeline._teller
    swap(
        teller,
        "events",
        lambda events: (
            lambda resource, before, after: (
                told for told in events(resource, before, after) if after is None or after.get("status") != "ON_HOLD"
            )
        ),
    )


def _secret_lost(engine: Engine) -> None:
    engine.contract = replace(engine.contract, secret_header=None)


def _aged(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    result = proceed(call)
    subscription = call.require("Subscription", call.key())
    older = {**subscription, "updated_at": subscription["created_at"] - _DAY}
    call.transaction.put(call.table("Subscription"), subscription["tsid"], older)
    return older if result is subscription else result


def _in_seconds(call: Call, record: dict[str, Any]) -> None:
    for name in ("created_at", "updated_at"):
        if isinstance(record.get(name), int) and call.has("GET"):
            record[name] //= 1000


def _single_precision(call: Call) -> None:
    if isinstance(call.body, dict):
        for name, value in call.body.items():
            if isinstance(value, int) and not isinstance(value, bool) and 2**24 < abs(value) < 2**100:
                call.body[name] = int(struct.unpack("f", struct.pack("f", value))[0])


FAULTS = (
    Fault("expired-let-in", VENDOR, "auth", "credentials_matter",
          "An expired token is let in.", changes.believed(_expired_let_in)),
    Fault("company-believed", VENDOR, "tenant", "tenants_never_meet",
          "The company in the path is taken for the caller's.", before(_company_believed)),
    Fault("customer-raced", VENDOR, "concurrency", "concurrent_retries_make_one",
          "A customer's identifier is looked up first and kept a moment later.", _raced),
    Fault("cancelled-twice", VENDOR, "transitions", "states_are_kept",
          "A cancelled subscription can be cancelled again.",
          changes.recoded(400, 200, lambda call: call.has("POST", "/cancel_subscription") and call.body is not None)),
    Fault("refusal-counts", VENDOR, "transitions", "transitions_are_legal",
          "A refused cancellation leaves a reason behind.",
          switch(lambda engine: around(engine, "cancelSubscription", _refusal_counts))),
    Fault("end-not-stored", VENDOR, "update", "update_changes_only_what_it_names",
          "A new end is confirmed and not kept.",
          switch(lambda engine: around(engine, "updateSubscription", unkept))),
    Fault("end-in-single-precision", VENDOR, "huge values", "update_changes_only_what_it_names",
          "Large numbers pass through a float of 32 bits.", before(_single_precision)),
    Fault("changed-before-created", VENDOR, "time", "created_stamp_never_moves",
          "`updated_at` goes back to the day before the creation.",
          switch(lambda engine: around(engine, "updateSubscription", _aged))),
    Fault("moments-in-seconds", VENDOR, "time", "created_is_retrievable",
          "Moments are read in seconds, though they were written in milliseconds.",
          changes.shown("created_at", _in_seconds)),
    Fault("trial-prolonged", VENDOR, "time", "time_moves_states",
          "A trial that ends goes on for thirty days.", switch(_prolonged)),
    Fault("trial-ends-early", VENDOR, "time", "time_moves_states",
          "A trial ends a day before its `trial_end`.", changes.shown("trial_end", _trial_shown_late)),
    Fault("month-ends-forgotten", VENDOR, "time", "renewals_do_not_drift",
          "A month is counted from the end of the one before: after February no cycle ends on the 31st again.",
          switch(lambda engine: _due(engine, "cycle-end", _ended(_month_after)))),
    Fault("cancelled-revives", VENDOR, "transitions", "cancelled_stays_cancelled",
          "A month after its end a subscription is active again.", _revived),
    Fault("hold-untold", VENDOR, "events", "one_event_for_each_change",
          "A subscription that is put on hold gives off no event.", switch(_untold)),
    Fault("secret-lost", VENDOR, "header", "events_say_what_is",
          "Webhooks come without the secret of their endpoint.", switch(_secret_lost)),
    Fault("longest-trial-refused", VENDOR, "boundary", "allowed_is_accepted",
          "The longest trial is a day too long.", changes.misread("trial_days", 3650, 3651)),
)  # fmt: skip
