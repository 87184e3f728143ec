"""The filters of the miniature in Flask: read by the document's types, each operator a function over what a customer has."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import parse_qsl

from right.flask_bodies import Refused, hold

OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$equals": lambda have, want: have == want,
    "$not_equals": lambda have, want: have != want,
    "$starts": lambda have, want: str(have).startswith(want),
    "$ends": lambda have, want: str(have).endswith(want),
    "$contains": lambda have, want: want in str(have),
    "$in": lambda have, want: have in want,
    "$not_in": lambda have, want: have not in want,
    "$lt": lambda have, want: have < want,
    "$lte": lambda have, want: have <= want,
    "$gt": lambda have, want: have > want,
    "$gte": lambda have, want: have >= want,
}


def unpacked(text: str, status: int) -> dict[str, Any]:
    """The filter that brackets spell, each value read as the document's type of its place, and held to its schema."""
    made: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="replace"):
        if not re.fullmatch(r"filter(\[[^\[\]]*\])*", name):
            continue
        steps = [step for step in re.findall(r"\[([^\[\]]*)\]", name) if step and not step.isdecimal()]
        node: Any = made
        for step in steps[:-1]:
            node = node.setdefault(step, {}) if isinstance(node, dict) else {}
        if not isinstance(node, dict) or (not steps and value):
            raise Refused(status, "bad_filter", "filter is written filter[column][$operator]=value")
        if steps:
            last = steps[-1]
            many = last in ("$in", "$not_in")
            node[last] = [*node.get(last, []), *(value.split(",") if value else [])] if many else typed(last, value)
    hold("CustomerFilter", made, status)
    return made


def typed(name: str, text: str) -> Any:
    if name in ("$limit", "$offset"):
        return int(text) if re.fullmatch("-?[0-9]{1,9}", text) else text
    if name in ("$is_null", "$not_null"):
        return {"true": True, "false": False}.get(text.lower(), text)
    return {} if name in ("name", "credit_cents") and not text else text


def passes(have: Any, operator: str, want: Any) -> bool:
    if operator in ("$is_null", "$not_null"):
        return want is ((have is None) == (operator == "$is_null"))
    if have is None:
        return operator in ("$not_equals", "$not_in")
    if isinstance(have, int) and operator not in ("$starts", "$ends", "$contains"):
        try:
            want = [Decimal(item) for item in want] if isinstance(want, list) else Decimal(want)
            return OPERATORS[operator](have, want)
        except InvalidOperation:
            return operator in ("$not_equals", "$not_in")
    return OPERATORS[operator](have, want)
