"""SubscriptionFlows that are wrong in ways nobody had thought of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from mock_server.clock import written
from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.changes import around, without_accents
from mock_server.faulty.fault import Fault, Install, before, swap, switch, wire
from mock_server.faulty.wire import Call, Proceed, Reply, Wire
from mock_server.vendor import Call as Performed

VENDOR = "subscriptionflow"
_TOKENS = ("sf-sandbox-demo", "sf-sandbox-other")
_CUSTOMER = re.compile(r"/api/v1/customers/[^/]+")
Test = Callable[[str, Any, Any], bool]


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
        if reply.ok and there.ok:
            join(reply, there)
        return reply

    return wire(lambda: both)


def _all_data(reply: Reply, there: Reply) -> None:
    reply.body["data"] += there.body["data"]


def _all_totals(reply: Reply, there: Reply) -> None:
    if isinstance(reply.body.get("meta"), dict):
        reply.body["meta"]["total"] += there.body["meta"]["total"]


def _conditions(call: Performed) -> Mapping[str, Any]:
    asked: Any = call.input.query.get("filter") or (call.body or {}).get("filter") or {}
    return asked if isinstance(asked, dict) else {}


def _found_by(*operators: str, test: Test) -> Install:
    """A filter with a single condition of these operators that goes by another test: `test(operator, have, operand)`."""

    def found(call: Performed, proceed: Callable[[Performed], Any]) -> Any:
        result, asked = proceed(call), _conditions(call)
        only = next(iter(asked.values()), None) if len(asked) == 1 else None
        if not isinstance(only, dict) or len(only) != 1 or next(iter(only)) not in operators:
            return result
        [(column, [(operator, operand)])] = [(column, [*only.items()]) for column in asked]
        return [
            record
            for record in call.scan(call.resource.name)
            if record.get(column) is not None and test(operator, record[column], operand)
        ]

    def turn(engine: Engine) -> None:
        for operation in engine.contract.operations.values():
            if operation.action.verb == "filter":
                around(engine, operation.id, found)

    return switch(turn)


def _as_texts(operator: str, have: Any, operand: Any) -> bool:
    """Numbers are compared by their digits, from the left."""
    left, right = str(have), str(operand)
    return {"$lt": left < right, "$lte": left <= right, "$gt": left > right, "$gte": left >= right}[operator]


def _like(operator: str, have: Any, operand: Any) -> bool:
    """A percent sign stands for any text, an underscore for any sign."""
    pattern = "".join({"%": ".*", "_": "."}.get(sign, re.escape(sign)) for sign in str(operand))
    ends = {"$starts": f"{pattern}.*", "$ends": f".*{pattern}", "$contains": f".*{pattern}.*"}
    return re.fullmatch(ends[operator], str(have), re.DOTALL) is not None


def _plain(text: Any) -> str:
    return unicodedata.normalize("NFC", without_accents(str(text)))


async def _sorted_after(call: Call, proceed: Proceed) -> Reply:
    """What is asked for from the end is cut first, and sorted then."""
    conditions = call.body.get("filter") if call.has("POST", "/filter") and isinstance(call.body, dict) else None
    if not isinstance(conditions, dict) or conditions.get("$sortorder") != "desc" or "$limit" not in conditions:
        return await proceed(call)
    conditions["$sortorder"] = "asc"
    reply = await proceed(call)
    if reply.ok:
        reply.body["data"].reverse()
    return reply


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
            record["updated_at"] = written(datetime.fromtimestamp(changes.now(engine, call.world), UTC), "date-time")

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


def _term_untold(engine: Engine) -> None:
    teller = engine.timeline._teller
    renewed = "subscription.renewed"
    swap(teller, "events", lambda events: lambda *change: (one for one in events(*change) if one[0] != renewed))


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
    Fault("numbers-by-digits", VENDOR, "filter operator", "filters_match_exactly",
          "Numbers are compared as texts: 9 is more than 10.", _found_by("$lt", "$lte", "$gt", "$gte", test=_as_texts)),
    Fault("wildcards", VENDOR, "filter operator", "filters_match_exactly",
          "A percent sign in the text to be found stands for any text.",
          _found_by("$starts", "$ends", "$contains", test=_like)),
    Fault("equals-whatever-accent", VENDOR, "unicode", "filters_match_exactly",
          "`$equals` takes an e for an é.",
          _found_by("$equals", test=lambda operator, have, operand: _plain(have) == _plain(operand))),
    Fault("equals-whatever-spaces", VENDOR, "filter operator", "filters_match_exactly",
          "`$equals` overlooks spaces at the end.",
          _found_by("$equals", test=lambda operator, have, operand: str(have).rstrip(" ") == str(operand).rstrip(" "))),
    Fault("sorted-after-the-cut", VENDOR, "sort", "filters_match_exactly",
          "`$limit` cuts first, and `$sortorder` sorts what is left.", wire(lambda: _sorted_after)),
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
          "A term that is renewed by itself gives off no event.", switch(_term_untold)),
)  # fmt: skip
