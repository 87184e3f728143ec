"""Which of the calls that led to a finding it needs: a sequence that is as short as can be said without sending it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.exchange import Exchange

_STATUSES = re.compile(r"(?P<all>[1-5]\d\d(?:(?:, | or )[1-5]\d\d)*)\b")
_REFUSALS = (400, 404, 405, 406, 409, 413, 414, 415, 422, 431)
_SAFE = ("GET", "HEAD", "OPTIONS")
_DISTINCTIVE = 6
"""From how many characters on a value tells one record from another."""


def deciding(expected: str, exchanges: Sequence[Exchange], documented: Iterable[int]) -> tuple[int, ...]:
    """The statuses of which the last answer should have had one, where that is what was expected: `404 or 410 for …`."""
    if not exchanges:
        return ()
    if exchanges[-1].status >= 500 and expected.startswith("no server error"):
        return tuple(sorted({*_REFUSALS, *(status for status in documented if status < 500)}))
    found = _STATUSES.match(expected)
    due = tuple(int(status) for status in re.findall(r"\d+", found["all"])) if found else ()
    return () if exchanges[-1].status in due else due


def needed(exchanges: Sequence[Exchange], last_decides: bool) -> list[Exchange]:
    """The calls that a finding needs. Where the last answer alone decides: that one, and the changes it has something in common with.

    A read changes nothing and neither does a refused call; they are kept where a later call uses a value that only they showed.
    """
    if not last_decides or len(exchanges) < 2:
        return sorted(exchanges, key=lambda exchange: exchange.began)
    last = exchanges[-1]
    kept, wanted = [last], _values(last, request=True)
    for exchange in reversed(exchanges[:-1]):
        changes = exchange.method not in _SAFE and 200 <= exchange.status < 300
        common = (_values(exchange, request=True) | _values(exchange, request=False)) & wanted
        if not exchange.control and (not changes or not common or _together(exchange, last)):
            continue
        kept.insert(0, exchange)
        wanted |= _values(exchange, request=True)
    explained = {value for exchange in kept for value in _values(exchange, request=False)}
    unexplained = {value for value in wanted if any(sign.isdigit() for sign in value)} - explained
    for exchange in exchanges:
        if exchange not in kept and exchange.method in _SAFE and _values(exchange, request=False) & unexplained:
            kept.insert(0, exchange)
            unexplained -= _values(exchange, request=False)
    return sorted(kept, key=lambda exchange: exchange.began)


def _together(one: Exchange, other: Exchange) -> bool:
    return one.began < other.began + other.seconds and other.began < one.began + one.seconds and one.seconds > 0


def _values(exchange: Exchange, *, request: bool) -> set[str]:
    """What a request or an answer holds that can tell records apart: words of the path and the query, strings and numbers of the body."""
    found: set[str] = set()
    if request:
        path = exchange.url.partition("://")[2].partition("/")[2]
        found.update(word for word in re.split(r"[/?&=]", path) if any(sign.isdigit() for sign in word))
        found.update(value for name, value in exchange.headers.items() if "key" in name.lower())
    stack: list[Any] = [_json(exchange.content if request else exchange.answer)]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            stack.extend(node.values())
        elif isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, str | int) and not isinstance(node, bool):
            found.add(str(node))
    return {value for value in found if len(value) >= _DISTINCTIVE or value.isdigit()}


def _json(content: bytes | None) -> Any:
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
