"""What goes wrong with single records: made, shown, changed, deleted, moved on by time, and told of."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.changes import records
from mock_server.faulty.fault import Fault, after, before, swap, switch, wire
from mock_server.faulty.memories import one_behind
from mock_server.faulty.switches import around, told_as_before, unkept, untold
from mock_server.faulty.wire import Call, Proceed, Reply, Wire, answered
from mock_server.vendor import Call as Performed

VENDOR = "subscriptionflow"


def _makes_customer(call: Call) -> bool:
    return call.has("POST", "/customers")


def _one(call: Call) -> bool:
    """Whether its path names one record."""
    return call.path.startswith("/api/v1/") and call.path.count("/") == 4


def _wiped(call: Call) -> None:
    if call.method == "PUT" and "/customers/" in call.path and isinstance(call.body, dict):
        call.body.setdefault("billing_city", None)


def _all_changed(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    result = proceed(call)
    name = call.body.get("name") if isinstance(call.body, dict) else None
    for record in list(call.scan("Customer")) if name else ():
        call.transaction.put(call.table("Customer"), record["id"], {**record, "name": name})
    return result


def _old_answer() -> Wire:
    """An update answers with the record as it was before."""

    async def old(call: Call, proceed: Proceed) -> Reply:
        if call.method != "PUT" or "/customers/" not in call.path:
            return await proceed(call)
        look = Call(
            "GET", call.path, [], {k: v for k, v in call.headers.items() if "content" not in k}, b"", call.world
        )
        was = await proceed(look)
        reply = await proceed(call)
        if reply.ok and was.ok:
            reply.body["data"]["attributes"] = was.body["data"]["attributes"]
        return reply

    return old


def _reusing() -> Wire:
    """The id of a deleted customer is given to the next one, whatever id the sandbox gave it."""
    free: list[tuple[str, str]] = []
    names: dict[str, str] = {}

    async def reuse(call: Call, proceed: Proceed) -> Reply:
        for given, own in names.items():
            call.path = call.path.replace(given, own)
            call.query = [(name, value.replace(given, own)) for name, value in call.query]
        reply = await proceed(call)
        if reply.ok and call.has("POST", "/customers/bulk-delete"):
            free.extend((call.world, record["id"]) for record in reply.body["data"])
        if reply.ok and _makes_customer(call) and any(world == call.world for world, _ in free):
            place = next(place for place, (world, _) in enumerate(free) if world == call.world)
            names[free.pop(place)[1]] = reply.body["data"]["id"]
        for given, own in names.items():
            reply.content = reply.content.replace(own.encode(), given.encode())
        reply.body = json.loads(reply.content) if reply.body is not None else None
        return reply

    return reuse


def _takes_neighbour(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    everyone = [record["id"] for record in call.scan("Customer")]
    result = proceed(call)
    place = everyone.index(call.key()) + 1
    neighbour = call.find("Customer", everyone[place]) if place < len(everyone) else None
    if neighbour is not None:
        call.remove("Customer", neighbour)
    return result


def _takes_contacts(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    result = proceed(call)
    for contact in list(call.scan("Contact")):
        call.remove("Contact", contact)
    return result


def _one_of_many(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    kept = {key: call.find("Customer", key) for key in list(dict.fromkeys(call.key() or ()))[1:]}
    result = proceed(call)
    for key, record in kept.items():
        if record is not None:
            call.transaction.put(call.table("Customer"), key, record)
    return result


def _forgotten(call: Call) -> Reply | None:
    return answered(204) if call.method == "DELETE" and "/customers/" in call.path else None


def _deleted_twice(call: Call, reply: Reply) -> None:
    if call.method == "DELETE" and reply.status in (404, 422):
        reply.status, reply.body, reply.content = 204, None, b""
        reply.headers.pop("content-type", None)


def _demo_for_all(sent: str) -> str | None:
    return "Bearer sf-sandbox-demo" if sent == "Bearer sf-sandbox-other" else None


def _moving(engine: Engine) -> Wire | None:
    ticks = itertools.count()
    return after(lambda call, reply: _restamp(reply, next(ticks)))(engine)


def _restamp(reply: Reply, tick: int) -> None:
    for record in list(records(reply.body, "created_at")) if reply.ok else ():
        record["created_at"] = f"2026-01-01T00:{tick // 60 % 60:02d}:{tick % 60:02d}Z"


def _created_is_changed(call: Call, record: dict[str, Any]) -> None:
    if call.method != "POST" and isinstance(record.get("updated_at"), str):
        record["created_at"] = record["updated_at"]


def _told_twice(engine: Engine) -> None:
    teller = engine.timeline._teller
    swap(teller, "events", lambda events: lambda *change: (told for one in events(*change) for told in (one, one)))


def _told_on_read(engine: Engine) -> Wire:
    """Reading a customer tells that they were changed."""
    proceed_with = engine._actions["getCustomer"]

    def touch(call: Performed) -> Any:
        record = proceed_with(call)
        found = call.find("Customer", call.key())
        if found is not None:
            call.change("Customer", found, {"last_activity": call.stamp()})
        return record

    engine._actions["getCustomer"] = touch
    return None  # type: ignore[return-value]


def _as_text(call: Call) -> None:
    if call.method in ("POST", "PUT") and isinstance(call.body, dict) and "/customers" in call.path:
        texts = {
            name: json.dumps(value) for name, value in call.body.items() if isinstance(value, dict) and name != "filter"
        }
        call.body.update(texts)


def _without_null(call: Call) -> None:
    if call.method == "PUT" and isinstance(call.body, dict):
        call.body = {name: value for name, value in call.body.items() if value is not None}


def _read(call: Call) -> str | None:
    return call.path if call.method == "GET" and _one(call) else None


FAULTS = (
    Fault("city-wiped", VENDOR, "update", "update_changes_only_what_it_names",
          "A change that does not name the city wipes it.", before(_wiped)),
    Fault("objects-as-text", VENDOR, "type", "errors_wear_the_envelope",
          "An object in the place of a text is taken, as text.", before(_as_text)),
    Fault("update-not-stored", VENDOR, "update", "update_changes_only_what_it_names",
          "A change is confirmed and not kept.",
          switch(lambda engine: around(engine, "updateCustomer", unkept))),
    Fault("update-changes-all", VENDOR, "update", "update_changes_only_what_it_names",
          "A new name is everyone's.", switch(lambda engine: around(engine, "updateCustomer", _all_changed))),
    Fault("update-answers-old", VENDOR, "update", "update_changes_only_what_it_names",
          "A change answers with the record as it was.", wire(_old_answer)),
    Fault("read-once-more", VENDOR, "staleness", "update_changes_only_what_it_names",
          "A record that was read is shown once more as it was.", wire(one_behind(_read))),
    Fault("id-given-again", VENDOR, "ids", "ids_are_never_reused",
          "The id of a deleted customer is given to the next one.", wire(_reusing)),
    Fault("delete-forgotten", VENDOR, "delete", "deleted_is_gone",
          "A deletion is confirmed and not made.", changes.instead(_forgotten)),
    Fault("delete-takes-the-next", VENDOR, "delete", "deleted_is_gone",
          "The record after a deleted one goes with it.",
          switch(lambda engine: around(engine, "deleteCustomer", _takes_neighbour))),
    Fault("contacts-of-others-go", VENDOR, "delete", "deleted_is_gone",
          "Contacts of others go with a customer who is deleted.",
          switch(lambda engine: around(engine, "deleteCustomer", _takes_contacts))),
    Fault("deleted-twice", VENDOR, "delete", "deleted_is_gone",
          "What is gone can be deleted.", after(_deleted_twice)),
    Fault("bulk-deletes-one", VENDOR, "bulk", "deleted_is_gone",
          "Of many to be deleted, the first alone is.",
          switch(lambda engine: around(engine, "bulkDeleteCustomers", _one_of_many))),
    Fault("one-tenant-for-all", VENDOR, "tenant", "tenants_never_meet",
          "Every tenant is the first.", changes.believed(_demo_for_all)),
    Fault("stamps-move", VENDOR, "time", "created_stamp_never_moves",
          "`created_at` is another every time.", _moving),
    Fault("created-is-changed", VENDOR, "time", "created_stamp_never_moves",
          "`created_at` is the time of the last change.", changes.shown("created_at", _created_is_changed)),
    Fault("name-filled-in", VENDOR, "required", "required_is_required",
          "A customer without a name gets one.", changes.filled("name", "Somebody", _makes_customer)),
    Fault("event-twice", VENDOR, "events", "one_event_for_each_change",
          "Every event comes twice.", switch(_told_twice)),
    Fault("event-missing", VENDOR, "events", "one_event_for_each_change",
          "A customer's change gives off no event.", untold("customer.updated")),
    Fault("event-on-read", VENDOR, "events", "one_event_for_each_change",
          "Reading a customer tells that they were changed.", _told_on_read),
    Fault("event-of-before", VENDOR, "events", "events_say_what_is",
          "A webhook says how things were before.", switch(told_as_before)),
    Fault("null-is-left-out", VENDOR, "null", "update_changes_only_what_it_names",
          "What is changed to null stays as it was.", before(_without_null)),
    Fault("longest-period-refused", VENDOR, "boundary", "allowed_is_accepted",
          "A period of ten years is too long.", changes.misread("billing_period_months_weeks", 120, 121)),
)  # fmt: skip
