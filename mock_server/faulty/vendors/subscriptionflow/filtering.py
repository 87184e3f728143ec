"""What goes wrong with filters and searches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.faulty.fault import Fault, Install, after, before
from mock_server.faulty.wire import Call, Proceed, Reply

VENDOR = "subscriptionflow"


def _filters(call: Call) -> bool:
    return call.has("POST", "/filter")


def _renamed(was: str, becomes: str) -> Install:
    """An operator, or a key of the whole, that is taken for another; for none where that is empty."""

    def rename(call: Call) -> None:
        if not _filters(call):
            return
        call.query = [
            (name.replace(f"[{was}]", f"[{becomes}]"), value)
            for name, value in call.query
            if becomes or f"[{was}]" not in name
        ]
        if isinstance(call.body, dict) and isinstance(call.body.get("filter"), dict):
            call.body["filter"] = _as(call.body["filter"], was, becomes)

    return before(rename)


def _as(node: Any, was: str, becomes: str) -> Any:
    if not isinstance(node, dict):
        return node
    return {
        (becomes if name == was else name): _as(value, was, becomes)
        for name, value in node.items()
        if becomes or name != was
    }


def _operands(operator: str, change: Callable[[Any], Any]) -> Install:
    """The operand of an operator in JSON, changed."""

    def changed(call: Call) -> None:
        conditions = call.body.get("filter") if _filters(call) and isinstance(call.body, dict) else None
        for column in conditions.values() if isinstance(conditions, dict) else ():
            if isinstance(column, dict) and operator in column:
                column[operator] = change(column[operator])

    return before(changed)


async def _either(call: Call, proceed: Proceed) -> Reply:
    """Conditions on two columns in JSON: what satisfies one of them is found."""
    conditions = call.body.get("filter") if _filters(call) and isinstance(call.body, dict) else None
    if not isinstance(conditions, dict) or len([name for name in conditions if not name.startswith("$")]) < 2:
        return await proceed(call)
    whole = {name: value for name, value in conditions.items() if name.startswith("$")}
    found: dict[str, Any] = {}
    reply = Reply(500)
    for name, value in conditions.items():
        if name not in whole:
            call.body["filter"] = {**whole, name: value}
            reply = await proceed(call)
            if not reply.ok or not isinstance(reply.body.get("data"), list):
                return reply
            found.update({record["id"]: record for record in reply.body["data"]})
    reply.body["data"] = list(found.values())
    return reply


def _form_lost(call: Call) -> None:
    if _filters(call) and "urlencoded" in call.headers.get("content-type", ""):
        call.content = b""


def _first_alone(call: Call) -> None:
    if call.has("GET", "/search"):
        call.query = call.query[:1]


def _one_found(call: Call, reply: Reply) -> None:
    if reply.ok and call.has("GET", "/search") and isinstance(reply.body.get("data"), list):
        reply.body["data"] = reply.body["data"][:1]


def _without_first(operand: Any) -> Any:
    return operand[:1] if isinstance(operand, list) else operand


FAULTS = (
    Fault("starts-ignored", VENDOR, "filter operator", "filters_match_exactly",
          "`$starts` is ignored.", _renamed("$starts", "")),
    Fault("starts-is-contains", VENDOR, "filter operator", "filters_match_exactly",
          "`$starts` finds a text anywhere.", _renamed("$starts", "$contains")),
    Fault("not-equals-is-equals", VENDOR, "filter operator", "filters_match_exactly",
          "`$not_equals` is taken for `$equals`.", _renamed("$not_equals", "$equals")),
    Fault("greater-or-equal", VENDOR, "boundary", "filters_match_exactly",
          "`$gt` finds what is equal too.", _renamed("$gt", "$gte")),
    Fault("less-and-not-equal", VENDOR, "boundary", "filters_match_exactly",
          "`$lte` does not find what is equal.", _renamed("$lte", "$lt")),
    Fault("in-the-first", VENDOR, "filter operator", "filters_match_exactly",
          "Of a list for `$in`, the first alone counts.", _operands("$in", _without_first)),
    Fault("equals-whatever-case", VENDOR, "unicode", "filters_match_exactly",
          "Texts to be found are written small.",
          _operands("$equals", lambda text: text.lower() if isinstance(text, str) else text)),
    Fault("is-null-finds-the-rest", VENDOR, "null", "filters_match_exactly",
          "`$is_null` finds what is not null.", _renamed("$is_null", "$not_null")),
    Fault("conditions-by-or", VENDOR, "filter operator", "filters_match_exactly",
          "One of two conditions is enough.", lambda engine: _either),
    Fault("limit-ignored", VENDOR, "limits", "filters_match_exactly",
          "`$limit` is ignored.", _renamed("$limit", "")),
    Fault("offset-ignored", VENDOR, "boundary", "filters_match_exactly",
          "`$offset` is ignored.", _renamed("$offset", "")),
    Fault("order-ignored", VENDOR, "sort", "filters_match_exactly",
          "`$sortorder` is ignored.", _renamed("$sortorder", "")),
    Fault("form-ignored", VENDOR, "encodings", "filters_match_exactly",
          "A filter in a form is ignored.", before(_form_lost)),
    Fault("search-by-the-first", VENDOR, "filter operator", "filters_match_exactly",
          "Of the fields of a search, the first alone counts.", before(_first_alone)),
    Fault("search-finds-one", VENDOR, "limits", "filters_match_exactly",
          "A search finds one record at the most.", after(_one_found)),
)  # fmt: skip
