"""SubscriptionFlows that are wrong in ways nobody had thought of."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mock_server.clock import written
from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.fault import Fault, Install, after, before, switch, wire
from mock_server.faulty.switches import around, now, untold
from mock_server.faulty.wire import Call, Proceed, Reply, Wire
from mock_server.vendor import Call as Performed

VENDOR = "subscriptionflow"
_TOKENS = ("sf-sandbox-demo", "sf-sandbox-other")
_CUSTOMER = re.compile(r"/api/v1/customers/[^/]+")


def _changes(call: Call) -> bool:
    return call.method == "PUT" and isinstance(call.body, dict)


def _no_falsy(call: Call) -> None:
    if _changes(call):
        call.body = {name: value for name, value in call.body.items() if value is None or value}


def _empty_is_null(call: Call) -> None:
    if call.method in ("POST", "PUT") and isinstance(call.body, dict):
        call.body = {name: None if value == "" else value for name, value in call.body.items()}


async def _upsert(call: Call, proceed: Proceed) -> Reply:
    """A change of a customer that there is not makes one."""
    reply = await proceed(call)
    if reply.status != 404 or not _changes(call) or not _CUSTOMER.fullmatch(call.path):
        return reply
    body = {"name": "Somebody", "email": "somebody@example.com", **call.body, "id": call.path.rpartition("/")[2]}
    made = await proceed(replace(call, method="POST", path="/api/v1/customers", body=body))
    made.status = 202 if made.ok else made.status
    return made


def _revived(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    table, key = call.table("Customer"), call.key()
    record = call.transaction.get(table, key) if isinstance(key, str) else None
    if record is not None and record["deleted_at"] is not None:
        call.transaction.put(table, record["id"], {**record, "deleted_at": None})
    return proceed(call)


def _with_the_deleted(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    table = call.table("Customer")
    gone = [record for record in call.transaction.scan(table, {}) if record["deleted_at"] is not None]
    for record in gone:
        call.transaction.put(table, record["id"], {**record, "deleted_at": None})
    result = proceed(call)
    for record in gone:
        call.transaction.put(table, record["id"], record)
    return result


def _for_all(when: Callable[[Call], bool], join: Callable[[Reply, Reply], None]) -> Install:
    """What is done and shown for one tenant is done and shown for the other too."""

    async def both(call: Call, proceed: Proceed) -> Reply:
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if not when(call) or token not in _TOKENS:
            return await proceed(call)
        other = _TOKENS[1 - _TOKENS.index(token)]
        there = await proceed(replace(call, headers={**call.headers, "authorization": f"Bearer {other}"}))
        reply = await proceed(call)
        if reply.ok and there.ok and reply.body and there.body:  # HEAD has none
            join(reply, there)
        return reply

    return wire(lambda: both)


def _all_data(reply: Reply, there: Reply) -> None:
    reply.body["data"] += there.body["data"]


def _all_totals(reply: Reply, there: Reply) -> None:
    if isinstance(reply.body.get("meta"), dict):
        reply.body["meta"]["total"] += there.body["meta"]["total"]


async def _last_instead(call: Call, proceed: Proceed) -> Reply:
    """A page after the last is the last."""
    reply = await proceed(call)
    number = call.asked("page") or ""
    while reply.ok and call.method == "GET" and number.isdigit() and int(number) > 1 and reply.body.get("data") == []:
        number = str(min(int(number) - 1, 20))
        rest = [pair for pair in call.query if pair[0] != "page"]
        reply = await proceed(replace(call, query=[*rest, ("page", number)]))
    return reply


async def _by_prefix(call: Call, proceed: Proceed) -> Reply:
    """A customer is found by the beginning of their id."""
    reply = await proceed(call)
    if reply.status != 404 or call.method != "GET" or not _CUSTOMER.fullmatch(call.path):
        return reply
    start = call.path.rpartition("/")[2]
    everyone = await proceed(replace(call, path="/api/v1/customers", query=[]))
    ids = [record["id"] for record in everyone.body["data"]] if everyone.ok and len(start) > 8 else []
    whole = next((found for found in ids if found.startswith(start)), None)
    return reply if whole is None else await proceed(replace(call, path=f"/api/v1/customers/{whole}"))


def _not_updated(call: Call, record: dict[str, Any]) -> None:
    record["updated_at"] = record.get("created_at")


def _touching(engine: Engine) -> Wire | None:
    def touch(call: Call, record: dict[str, Any]) -> None:
        if call.method == "GET":
            record["updated_at"] = written(datetime.fromtimestamp(now(engine, call.world), UTC), "date-time")

    return changes.shown("updated_at", touch)(engine)


def _inexact(call: Call, record: dict[str, Any]) -> None:
    if isinstance(record["total_amount"], int | float) and "sub_total" in record:
        record["total_amount"] += 4e-13 if record["total_amount"] else 0


def _as_it_was(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
    before_it = call.find("Subscription", call.key())
    result = proceed(call)
    if before_it is not None:
        call.transaction.put(call.table("Subscription"), before_it["id"], before_it)
        return before_it
    return result


def _mail_for_bills(call: Call) -> None:
    if call.method == "PUT" and "/customers/" in call.path and isinstance(call.body, dict) and call.body.get("email"):
        call.body.setdefault("billing_email", call.body["email"])


def _any_secret(call: Call) -> None:
    if call.path == "/oauth/token":
        right = "sf-sandbox-secret-other" if b"client-other" in call.content else "sf-sandbox-secret"
        if isinstance(call.body, dict) and call.body.get("client_secret"):
            call.body |= {"client_secret": right}
        call.content = re.sub(rb"client_secret=[^&]+", b"client_secret=" + right.encode(), call.content)
        call.headers["content-length"] = str(len(call.content))


def _all_or_none(call: Call, reply: Reply) -> None:
    if call.path.endswith("/customers/bulk-delete") and reply.ok and not reply.body.get("data"):
        reply.status, reply.body = 500, {"message": "Server Error"}


FAULTS = (
    Fault("falsy-is-left-out", VENDOR, "update", "update_changes_only_what_it_names",
          "What is changed to 0 or to an empty text stays as it was.", before(_no_falsy)),
    Fault("empty-is-null", VENDOR, "null", "update_changes_only_what_it_names",
          "An empty text is kept as null.", before(_empty_is_null)),
    Fault("update-creates", VENDOR, "update", "errors_wear_the_envelope",
          "Changing a customer that there is not makes one.", wire(lambda: _upsert)),
    Fault("update-revives", VENDOR, "delete", "deleted_is_gone",
          "Changing a deleted customer brings them back.",
          switch(lambda engine: around(engine, "updateCustomer", _revived))),
    Fault("filter-finds-deleted", VENDOR, "delete", "deleted_is_gone",
          "A filter finds what was deleted.", switch(lambda engine: around(engine, "filterCustomers", _with_the_deleted))),
    Fault("search-finds-deleted", VENDOR, "delete", "deleted_is_gone",
          "A search finds what was deleted.", switch(lambda engine: around(engine, "searchCustomers", _with_the_deleted))),
    Fault("total-of-all-tenants", VENDOR, "tenant", "list_holds_each_once",
          "The total counts every tenant's records.",
          _for_all(lambda call: call.has("GET") and not _CUSTOMER.fullmatch(call.path), _all_totals)),
    Fault("filter-of-all-tenants", VENDOR, "tenant", "tenants_never_meet",
          "A filter finds every tenant's records.", _for_all(lambda call: call.has("POST", "/filter"), _all_data)),
    Fault("search-of-all-tenants", VENDOR, "tenant", "tenants_never_meet",
          "A search finds every tenant's records.", _for_all(lambda call: call.path.endswith("/search"), _all_data)),
    Fault("bulk-delete-of-all-tenants", VENDOR, "bulk", "tenants_never_meet",
          "Of many to be deleted, another tenant's go too.",
          _for_all(lambda call: call.path.endswith("/bulk-delete"), lambda reply, there: None)),
    Fault("page-after-the-last", VENDOR, "page", "pages_partition",
          "A page after the last is the last once more.", wire(lambda: _last_instead)),
    Fault("found-by-prefix", VENDOR, "ids", "ids_are_never_reused",
          "A customer is found by the beginning of their id.", wire(lambda: _by_prefix)),
    Fault("updated-at-stays", VENDOR, "time", "stamps_tell_the_time",
          "`updated_at` is the moment of creation for ever.", changes.shown("updated_at", _not_updated)),
    Fault("read-updates", VENDOR, "time", "stamps_tell_the_time",
          "Reading moves `updated_at`.", _touching),
    Fault("total-in-floats", VENDOR, "money", "sums_add_up",
          "A total is off by less than a cent: it was summed up in floats.", changes.shown("total_amount", _inexact)),
    Fault("cancel-idle", VENDOR, "transitions", "transitions_are_legal",
          "A cancellation for today is confirmed, and nothing happens.",
          switch(lambda engine: around(engine, "cancelSubscription", _as_it_was))),
    Fault("term-untold", VENDOR, "events", "one_event_for_each_change",
          "A term that is renewed by itself gives off no event.", untold("subscription.renewed")),
    Fault("mail-for-bills", VENDOR, "update", "update_changes_only_what_it_names",
          "A new mail address is the one for bills too.", before(_mail_for_bills)),
    Fault("any-secret", VENDOR, "auth", "credentials_matter",
          "A client gets a token with any secret.", before(_any_secret)),
    Fault("nothing-to-delete-crashes", VENDOR, "bulk", "errors_wear_the_envelope",
          "A bulk deletion that finds nothing crashes.", after(_all_or_none)),
)  # fmt: skip
