"""SubscriptionFlows whose filters are wrong in ways nobody had thought of."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty.changes import without_accents
from mock_server.faulty.fault import Fault, Install, switch, wire
from mock_server.faulty.switches import around
from mock_server.faulty.wire import Call, Proceed, Reply
from mock_server.vendor import Call as Performed

VENDOR = "subscriptionflow"
Test = Callable[[str, Any, Any], bool]


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


FAULTS = (
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
)  # fmt: skip
