"""Changes that go wrong alike with every vendor: what gets lost, what is cut, who is believed, what is remembered."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from typing import Any

from mock_server.faulty.fault import Install, after, before
from mock_server.faulty.wire import Call, Json, Proceed, Reply, answered

When = Callable[[Call], bool]


def always(call: Call) -> bool:
    """Whatever is called."""
    return True


def records(body: Json, key: str) -> Iterator[dict[str, Any]]:
    """Every object in a body that has such a property, from the outside in."""
    if isinstance(body, dict):
        if key in body:
            yield body
        for value in body.values():
            yield from records(value, key)
    elif isinstance(body, list):
        for item in body:
            yield from records(item, key)


def lost(name: str, when: When = always) -> Install:
    """A field of a body that gets lost."""

    def lose(call: Call) -> None:
        if isinstance(call.body, dict) and when(call):
            call.body.pop(name, None)

    return before(lose)


def filled(name: str, value: Json, when: When) -> Install:
    """A field that is quietly filled in where it is missing."""

    def fill(call: Call) -> None:
        if isinstance(call.body, dict) and when(call):
            call.body.setdefault(name, value)

    return before(fill)


def no_null(name: str, value: Json, when: When) -> Install:
    """A null that is quietly taken for something else."""

    def fill(call: Call) -> None:
        if isinstance(call.body, dict) and when(call) and name in call.body and call.body[name] is None:
            call.body[name] = value

    return before(fill)


def misread(name: str, value: Json, other: Json) -> Install:
    """A value of a body that is taken for another."""

    def misread_one(call: Call) -> None:
        if isinstance(call.body, dict) and call.body.get(name) == value:
            call.body[name] = other

    return before(misread_one)


def texts(change: Callable[[str], str]) -> Install:
    """Every text that a body has at its top, changed."""

    def changed(call: Call) -> None:
        if isinstance(call.body, dict):
            call.body.update({name: change(value) for name, value in call.body.items() if isinstance(value, str)})

    return before(changed)


def without_accents(text: str) -> str:
    """Letters that lose their marks."""
    return "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))


def in_latin(text: str) -> str:
    """Text in which whatever Latin-1 lacks is a question mark."""
    return text.encode("latin-1", "replace").decode("latin-1")


def recoded(was: int, becomes: int, when: When = always, body: Json = None) -> Install:
    """Another status, the body as it was unless another is given."""

    def change(call: Call, reply: Reply) -> None:
        if reply.status == was and when(call):
            reply.status = becomes
            if body is not None:
                reply.body, reply.headers["content-type"] = body, "application/json"

    return after(change)


def instead(made: Callable[[Call], Reply | None]) -> Install:
    """An answer that is given without the sandbox, where there is one."""

    async def short(call: Call, proceed: Proceed) -> Reply:
        reply = made(call)
        return await proceed(call) if reply is None else reply

    return lambda engine: short


def crash(when: When) -> Install:
    """A server error for some requests."""
    return instead(lambda call: answered(500, {"message": "Internal Server Error"}) if when(call) else None)


def shown(key: str, change: Callable[[Call, dict[str, Any]], Any]) -> Install:
    """Every record in the answers of calls that succeed, changed; `key` is a property that such records have."""

    def changed(call: Call, reply: Reply) -> None:
        for record in list(records(reply.body, key)) if reply.ok else ():
            change(call, record)

    return after(changed)


def believed(wrong: Callable[[str], str | None]) -> Install:
    """An `Authorization` that is taken for another: `wrong` gives it, or None to leave it."""

    def believe(call: Call) -> None:
        taken = wrong(call.headers.get("authorization", ""))
        if taken is not None:
            call.headers["authorization"] = taken

    return before(believe)
