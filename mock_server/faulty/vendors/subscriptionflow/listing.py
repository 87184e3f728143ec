"""What goes wrong with the pages of lists."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from mock_server.faulty.fault import Fault, Install, after, before, wire
from mock_server.faulty.memories import one_behind
from mock_server.faulty.wire import Call, Proceed, Reply, Wire

VENDOR = "subscriptionflow"
_LIST = re.compile(r"/api/v1/[a-z-]+(/with-relations)?")


def lists(call: Call) -> bool:
    """Whether it asks for a plain list."""
    return call.method == "GET" and _LIST.fullmatch(call.path) is not None


def _number(call: Call) -> int:
    text = call.asked("page") or "1"
    return int(text) if text.isdigit() and len(text) < 9 else 1


def _page(change: Callable[[int, list[Any]], list[Any]]) -> Install:
    """The records of each page, changed, by the number of the page."""

    def changed(call: Call, reply: Reply) -> None:
        if reply.ok and lists(call) and isinstance(reply.body.get("data"), list):
            reply.body["data"] = change(_number(call), reply.body["data"])

    return after(changed)


def _about(change: Callable[[int, dict[str, Any]], Any]) -> Install:
    """What a page says of itself, changed: `meta` and `links`."""

    def changed(call: Call, reply: Reply) -> None:
        if reply.ok and lists(call) and isinstance(reply.body.get("meta"), dict):
            change(_number(call), reply.body)

    return after(changed)


def _one_more(number: int, body: dict[str, Any]) -> None:
    body["meta"]["total"] += 1


def _of_the_page(number: int, body: dict[str, Any]) -> None:
    body["meta"]["total"] = len(body["data"])


def _always_next(number: int, body: dict[str, Any]) -> None:
    body["links"]["next"] = body["links"].get("next") or f"/api/v1/customers?page={number + 1}"


def _next_is_this(number: int, body: dict[str, Any]) -> None:
    if body["links"].get("next"):
        body["links"]["next"] = body["links"]["next"].replace(f"page={number + 1}", f"page={number}")


def _lost_page(call: Call) -> None:
    call.query = [pair for pair in call.query if pair[0] != "page"]


def _repeating() -> Wire:
    """The first record of a page is the last of the page before it."""
    last: dict[tuple[str, str, int], Any] = {}

    async def repeat(call: Call, proceed: Proceed) -> Reply:
        reply = await proceed(call)
        if reply.ok and lists(call) and isinstance(reply.body.get("data"), list) and reply.body["data"]:
            number, data = _number(call), reply.body["data"]
            last[call.world, call.path, number] = data[-1]
            before_it = last.get((call.world, call.path, number - 1))
            if before_it is not None:
                reply.body["data"] = [before_it, *data[1:]]
        return reply

    return repeat


def _shuffling() -> Wire:
    """Every other time a list is asked for, it comes the other way round."""
    turns: dict[tuple[str, str], int] = {}

    async def shuffle(call: Call, proceed: Proceed) -> Reply:
        reply = await proceed(call)
        if reply.ok and lists(call) and isinstance(reply.body.get("data"), list):
            turn = turns[call.world, call.path] = turns.get((call.world, call.path), 0) + 1
            if turn % 2 == 0:
                reply.body["data"].reverse()
        return reply

    return shuffle


def _from_one(call: Call) -> None:
    call.query = [
        (name, "1" if name == "page" and value in ("0", "mockingbill") else value) for name, value in call.query
    ]


def _size(number: int, items: list[Any]) -> list[Any]:
    return items[:100]


def _page_of(call: Call) -> tuple[str, int] | None:
    return (call.path, _number(call)) if lists(call) else None


FAULTS = (
    Fault("page-ignored", VENDOR, "page", "pages_partition",
          "Every page is the first.", before(_lost_page)),
    Fault("page-skips", VENDOR, "boundary", "pages_partition",
          "From the second page on, the first record is left out.",
          _page(lambda number, items: items[1:] if number > 1 else items)),
    Fault("page-repeats", VENDOR, "boundary", "pages_partition",
          "The first record of a page is the last of the one before.", wire(_repeating)),
    Fault("pages-too-small", VENDOR, "limits", "pages_partition",
          "A page holds a hundred records, and the next begins after two hundred.", _page(_size)),
    Fault("page-zero", VENDOR, "boundary", "errors_wear_the_envelope",
          "A page that cannot be is the first.", before(_from_one)),
    Fault("total-off-by-one", VENDOR, "page", "list_holds_each_once",
          "The total is one too many.", _about(_one_more)),
    Fault("total-of-the-page", VENDOR, "page", "pages_partition",
          "The total is that of the page.", _about(_of_the_page)),
    Fault("next-for-ever", VENDOR, "page", "pages_partition",
          "The last page has a link to the next.", _about(_always_next)),
    Fault("next-is-this", VENDOR, "page", "pages_partition",
          "The link to the next page leads to this one.", _about(_next_is_this)),
    Fault("order-changes", VENDOR, "sort", "pages_partition",
          "Every other time a page comes the other way round.", wire(_shuffling)),
    Fault("list-of-before", VENDOR, "staleness", "created_is_retrievable",
          "A list is the one of the last time that it was asked for.", wire(one_behind(_page_of))),
)  # fmt: skip
