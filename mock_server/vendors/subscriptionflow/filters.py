"""SubscriptionFlow's filters and searches: which records match conditions by column.

Only `$is_null` matches a column without a value. Numbers and moments are compared as such where the column holds them, all else as text.
Conditions of equality are answered by the store's indexes, where these compare as the column does; the others are tested on what is left.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from mock_server.clock import parsed
from mock_server.store import Field, StoredRecord
from mock_server.vendor import Call, Page, Result

Comparable = float | datetime | str
EXACT = 2.0**53
"""Below it, whole numbers and floats that are equal as one are equal as the other."""
NOWHERE = object()
"""A value that no record holds."""

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
    found = _matching(call, asked)
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


def _asked(call: Call) -> Mapping[str, Any]:
    """The filter of the query and of the body together; where both say something, the body does."""
    first, second = call.input.query.get("filter") or {}, (call.body or {}).get("filter") or {}
    if not first or not second:
        return first or second
    asked = dict(first)
    for name, item in second.items():
        both = isinstance(item, Mapping) and isinstance(asked.get(name), Mapping)
        asked[name] = {**asked[name], **item} if both else item
    return asked


class Condition(NamedTuple):
    """What must hold of a column; `moment` says that it holds moments."""

    column: str
    operator: str
    operand: Any
    moment: bool


def _matching(call: Call, asked: Mapping[str, Any]) -> list[StoredRecord]:
    """The records for which all conditions hold; what begins with a dollar is about the whole query, and no column."""
    properties = call.resource.properties
    where: dict[Any, Any] = {}
    rest = []
    for column, operators in asked.items():
        if column.startswith("$"):
            continue
        facts = properties[column]
        for operator, operand in operators.items():
            condition = Condition(column, operator, operand, facts.get("format") == "date-time")
            found = looked_up(condition, facts.get("type"))
            if found is None or found[0] in where:
                rest.append(condition)
            else:
                where[found[0]] = found[1]
    if not where and not rest:
        return []
    records = call.scan(call.resource.name, where)
    return [record for record in records if all(holds(record, condition) for condition in rest)] if rest else [*records]


def looked_up(condition: Condition, kind: Any) -> tuple[Field, Any] | None:
    """A field and the value it must equal for the condition to hold, and only then; None where the records themselves must be asked."""
    column, operator, operand, moment = condition
    if operator in ("$is_null", "$not_null"):
        return (column, None) if _wants_null(operator, operand) else None
    if operator != "$equals":
        return None
    if moment:
        return _moment_in(column), _comparable(operand, operand, True) or NOWHERE
    if kind == "string":
        return column, _text(operand)
    if kind not in ("integer", "number"):
        return None
    number = _comparable(operand, 0, False)
    if number is None:
        return column, NOWHERE
    return (column, number) if isinstance(number, float) and abs(number) < EXACT else None


@functools.cache
def _moment_in(column: str) -> Callable[[StoredRecord], Comparable | None]:
    """What reads a column's moment: one function for each column, since the store keeps an index for each function."""

    def moment(record: StoredRecord) -> Comparable | None:
        have = record.get(column)
        return None if have is None else _comparable(have, have, True)

    return moment


def holds(record: StoredRecord, condition: Condition) -> bool:
    """Whether a condition holds of a record."""
    column, operator, operand, moment = condition
    have = record.get(column)
    if operator in ("$is_null", "$not_null"):
        return (have is None) == _wants_null(operator, operand)
    if have is None:
        return False
    if operator in _TEXT:
        return _TEXT[operator](_text(have), _text(operand))
    if operator in ("$in", "$not_in"):
        return _is_one_of(have, values(operand), moment) == (operator == "$in")
    if operator == "$not_equals":
        return not _compares(have, "$equals", operand, moment)
    return _compares(have, operator, operand, moment)


def _wants_null(operator: str, operand: Any) -> bool:
    return (operator == "$is_null") == (_text(operand) in ("true", "1"))


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
