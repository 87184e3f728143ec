"""SubscriptionFlow's filters and searches: which records match conditions by column.

Only `$is_null` matches a column without a value. Numbers and moments are compared as such where the column holds them, all else as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from mock_server.clock import parsed
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Page, Result

Comparable = float | datetime | str

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "$equals": lambda have, want: have == want,
    "$lt": lambda have, want: have < want,
    "$lte": lambda have, want: have <= want,
    "$gt": lambda have, want: have > want,
    "$gte": lambda have, want: have >= want,
}
_TEXT: Mapping[str, Callable[[str, str], bool]] = {
    "$starts": str.startswith,
    "$ends": str.endswith,
    "$contains": str.__contains__,
}


def by_equality(call: Call, proceed: Callable[[Call], Any]) -> Result:
    """The records whose columns all have the value given; no column, no record."""
    wanted = call.input.query.get("fields") or {}
    return _matching(call, {column: {"$equals": value} for column, value in wanted.items()})


def by_conditions(call: Call, proceed: Callable[[Call], Any]) -> Result:
    """The records for which every condition of the query and of the body holds; no condition, no record."""
    asked = _asked(call)
    found = _matching(call, {column: item for column, item in asked.items() if not column.startswith("$")})
    if "$sortorder" in asked:
        found.sort(key=lambda record: parsed(record["created_at"]))
        if asked["$sortorder"] == "desc":
            found.reverse()
    start = asked.get("$offset", 0)
    found = found[start : start + asked["$limit"]] if "$limit" in asked else found[start:]
    size = asked.get("$paginate")
    if size is None:
        return found
    number = call.input.query.get("page") or 1
    return Page(found[(number - 1) * size : number * size], number, size, len(found))


def values(operand: Any) -> list[str]:
    """The values of a list: an array, the text of one, or text with commas."""
    if isinstance(operand, list):
        return [_text(item) for item in operand]
    text = str(operand).strip()
    if not (text.startswith("[") and text.endswith("]")):
        return [part.strip() for part in text.split(",")]
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        # The vendor's own sample has single quotes: ['first','second'].
        listed = [part.strip().strip("'\"") for part in text[1:-1].split(",")]
    return [_text(item) for item in listed]


def _asked(call: Call) -> dict[str, Any]:
    """The filter of the query and of the body together; where both say something, the body does."""
    asked = dict(call.input.query.get("filter") or {})
    for name, item in ((call.body or {}).get("filter") or {}).items():
        both = isinstance(item, Mapping) and isinstance(asked.get(name), Mapping)
        asked[name] = {**asked[name], **item} if both else item
    return asked


def _matching(call: Call, conditions: Mapping[str, Mapping[str, Any]]) -> list[StoredRecord]:
    if not any(conditions.values()):
        return []
    kinds = call.resource.properties
    tests = [
        (column, operator, operand, kinds[column].get("format") == "date-time")
        for column, operators in conditions.items()
        for operator, operand in operators.items()
    ]
    return [
        record
        for record in call.scan(call.resource.name)
        if all(_holds(record.get(column), operator, operand, moment) for column, operator, operand, moment in tests)
    ]


def _holds(have: Any, operator: str, operand: Any, moment: bool) -> bool:
    if operator in ("$is_null", "$not_null"):
        return (have is None) == ((operator == "$is_null") == (_text(operand) in ("true", "1")))
    if have is None:
        return False
    if operator in _TEXT:
        return _TEXT[operator](_text(have), _text(operand))
    if operator in ("$in", "$not_in"):
        return _is_one_of(have, values(operand), moment) == (operator == "$in")
    if operator == "$not_equals":
        return not _compares(have, "$equals", operand, moment)
    return _compares(have, operator, operand, moment)


def _is_one_of(have: Any, wanted: Sequence[str], moment: bool) -> bool:
    return any(_compares(have, "$equals", want, moment) for want in wanted)


def _compares(have: Any, operator: str, want: Any, moment: bool) -> bool:
    left, right = _comparable(have, have, moment), _comparable(want, have, moment)
    return left is not None and right is not None and _ORDER[operator](left, right)


def _comparable(value: Any, beside: Any, moment: bool) -> Comparable | None:
    """A value as the column compares it; None for an operand that is none of its kind."""
    try:
        if moment:
            return parsed(_text(value))
        return _number(_text(value)) if isinstance(beside, int | float) else _text(value)
    except ValueError:
        return None


def _number(text: str) -> float:
    return {"true": 1.0, "false": 0.0}[text] if text in ("true", "false") else float(text)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
