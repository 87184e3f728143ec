"""The filters of the miniature over SQLite: each condition a piece of SQL, with its values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from right.plain import Refused

COMPARISONS = {"$equals": "=", "$not_equals": "<>", "$lt": "<", "$lte": "<=", "$gt": ">", "$gte": ">="}
TEXTS = {
    "$starts": "substr({0}, 1, length(?)) = ?",
    "$ends": "(length({0}) >= length(?) and substr({0}, length({0}) - length(?) + 1) = ?)",
    "$contains": "instr({0}, ?) > 0",
}


def compared(column: str, operator: str, operand: Any) -> Iterator[Any]:
    """A condition as SQL, then its values. What is no number is equal to none, and neither more nor less."""
    if operator in ("$is_null", "$not_null"):
        yield f"{column} is {'' if (operator == '$is_null') == operand else 'not '}null"
        return
    if operator in TEXTS:
        text = TEXTS[operator].format(column)
        yield from (text, *[operand] * text.count("?"))
        return
    wanted = operand if isinstance(operand, list) else [operand]
    if column == "credit_cents":
        wanted = [number for item in wanted if (number := _number(item)) is not None]
    if operator in ("$in", "$not_in"):
        yield f"{column} {'not ' if operator == '$not_in' else ''}in ({', '.join('?' * len(wanted))})"
    elif wanted:
        yield f"{column} {COMPARISONS[operator]} ?"
    else:
        yield f"{column} is not null" if operator == "$not_equals" else "0"
    yield from wanted


def _number(text: str) -> int | float | None:
    if not re.fullmatch(r"[+-]?[0-9]{1,300}(\.[0-9]{1,300})?", text):
        return None
    number = float(text) if "." in text else int(text)
    return float(number) if abs(number) >= 2**63 else number


def nested(pairs: Any) -> Any:
    """What `filter[a][b]=c` spells, each value a number or a truth where its place asks for one."""
    made: dict[str, Any] = {}
    for name, value in pairs:
        if name == "filter" and value:
            return value
        steps = re.findall(r"\[([^\]]*)\]", name) if name.startswith("filter[") else []
        if not steps:
            continue
        if len(steps) > 3 or (len(steps) > 1 and not isinstance(made.setdefault(steps[0], {}), dict)):
            return None
        place, last = (made, steps[0]) if len(steps) == 1 else (made[steps[0]], steps[1])
        place[last] = (
            [*(place[last] if isinstance(place.get(last), list) else []), value]
            if len(steps) == 3
            else read(last, value)
        )
    return made


def read(name: str, text: str) -> Any:
    match name:
        case "$limit" | "$offset":
            return int(text) if re.fullmatch("[0-9]{1,6}", text) else text
        case "$is_null" | "$not_null":
            return {"true": True, "false": False}.get(text, text)
        case "$in" | "$not_in":
            return text.split(",") if text else []
        case "name" | "credit_cents":
            return text or {}
    return text


def conditions(given: Any, status: int) -> dict[str, Any]:
    """The conditions of a filter, each of its type."""
    if not isinstance(given, dict):
        raise Refused(status, "filter is an object")
    for name, value in given.items():
        if name in ("name", "credit_cents"):
            if not isinstance(value, dict):
                raise Refused(status, f"{name} has operators")
            for operator, operand in value.items():
                if not fits(operator, operand):
                    raise Refused(status, f"{name}.{operator} is wrong")
        elif not fits(name, value):
            raise Refused(status, f"{name} is wrong")
    return given


def fits(name: str, value: Any) -> bool:
    if name in ("$limit", "$offset"):
        return type(value) is int and (name == "$limit") <= value <= 1000
    if name in ("$is_null", "$not_null"):
        return isinstance(value, bool)
    if name in ("$in", "$not_in"):
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if name == "$sortorder":
        return value in ("asc", "desc")
    return isinstance(value, str) and (name in COMPARISONS or name in TEXTS)
