"""Our own mock behind a proxy that is wrong in one way."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mock_server import create_app

Json = Any


@dataclass(frozen=True)
class Call:
    """A request on its way in, and what a fault makes of it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json


@dataclass(frozen=True)
class Fault:
    """One thing wrong: what becomes of a request, or of an answer; `promise` is the one it breaks."""

    vendor: str
    promise: str
    request: Callable[[Call], None] = lambda call: None
    answer: Callable[[Call, int, Json], tuple[int, Json]] = lambda call, status, body: (status, body)
    instead: Callable[[Call], tuple[int, Json] | None] = lambda call: None


def behind(fault: Fault) -> Callable[..., Awaitable[None]]:
    """The mock, inferred operations included, behind a fault."""
    app = create_app([fault.vendor], inferred=True)

    async def wrong(scope: dict[str, Any], receive: Callable[[], Awaitable[Mapping[str, Any]]], send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_mock"):
            await app(scope, receive, send)
            return
        raw = b""
        while True:
            message = await receive()
            raw += message.get("body", b"")
            if not message.get("more_body"):
                break
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        is_json = raw and "json" in headers.get("content-type", "")
        try:
            body = json.loads(raw) if is_json else None
        except (ValueError, RecursionError):
            body = None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        call = Call(scope["method"], scope["path"], dict(query), dict(headers), copy.deepcopy(body))
        fault.request(call)
        if (short := fault.instead(call)) is not None:
            await _answer(send, *short)
            return
        if call.body != body:
            raw = json.dumps(call.body).encode()
            call.headers["content-length"] = str(len(raw))
        if call.query != query:
            scope = {**scope, "query_string": urlencode(call.query).encode()}
        sent = [(name.encode(), value.encode("latin-1")) for name, value in call.headers.items()]
        start: dict[str, Any] = {}
        whole = bytearray()

        async def once() -> Mapping[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def keep(message: Mapping[str, Any]) -> None:
            start.update(message) if message["type"] == "http.response.start" else whole.extend(
                message.get("body", b"")
            )

        await app({**scope, "headers": sent}, once, keep)
        try:
            shown = json.loads(bytes(whole)) if whole else None
        except ValueError:
            shown = None
        status, changed = fault.answer(call, start["status"], shown)
        if changed is not None and (status, changed) != (start["status"], json.loads(bytes(whole)) if whole else None):
            whole = bytearray(json.dumps(changed).encode())
        kept = [(name, value) for name, value in start.get("headers", []) if name.lower() != b"content-length"]
        await send({"type": "http.response.start", "status": status, "headers": kept})
        await send({"type": "http.response.body", "body": bytes(whole)})

    return wrong


async def _answer(send: Any, status: int, body: Json) -> None:
    headers = [] if body is None else [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if body is None else json.dumps(body).encode()})


def _without(name: str) -> Callable[[Call], None]:
    """A field of a body that gets lost."""

    def lose(call: Call) -> None:
        if isinstance(call.body, dict):
            call.body.pop(name, None)

    return lose


def _everyone_is(token: str) -> Callable[[Call], None]:
    def pretend(call: Call) -> None:
        call.headers["authorization"] = f"Bearer {token}"

    return pretend


def _strip(call: Call) -> None:
    if isinstance(call.body, dict):
        call.body.update({name: value.strip() for name, value in call.body.items() if isinstance(value, str)})


def _restamp(ticks: Any) -> Callable[[Call, int, Json], tuple[int, Json]]:
    def move(call: Call, status: int, body: Json) -> tuple[int, Json]:
        attributes = (
            body.get("data", {}).get("attributes")
            if isinstance(body, dict) and isinstance(body.get("data"), dict)
            else None
        )
        if attributes:
            attributes["created_at"] = f"2026-01-01T00:00:{next(ticks) % 60:02d}Z"
        return status, body

    return move


def _wipe(call: Call) -> None:
    if call.method == "PUT" and isinstance(call.body, dict):
        call.body.setdefault("billing_city", None)


def _named(call: Call) -> None:
    if call.method == "POST" and call.path.endswith("/customers") and isinstance(call.body, dict):
        call.body.setdefault("name", "Somebody")


FAULTS = {
    "key lost": Fault("wispgate", "retry_replays", request=lambda call: call.headers.pop("x-idempotency-key", None)),
    "external id lost": Fault("wispgate", "unique_is_refused", request=_without("external_id")),
    "profile lost": Fault("wispgate", "references_must_exist", request=_without("billing_profile_id")),
    "created is 200": Fault(
        "wispgate",
        "answers_match_their_schema",
        answer=lambda call, status, body: (200 if status == 201 else status, body),
    ),
    "bare errors": Fault(
        "wispgate",
        "errors_wear_the_envelope",
        answer=lambda call, status, body: (status, {"oops": 1} if status > 399 else body),
    ),
    "page ignored": Fault("subscriptionflow", "pages_partition", request=lambda call: call.query.pop("page", None)),
    "delete forgotten": Fault(
        "subscriptionflow", "deleted_is_gone", instead=lambda call: (204, None) if call.method == "DELETE" else None
    ),
    "city wiped": Fault("subscriptionflow", "update_changes_only_what_it_names", request=_wipe),
    "one tenant for all": Fault("subscriptionflow", "tenants_never_meet", request=_everyone_is("sf-sandbox-demo")),
    "stamps move": Fault("subscriptionflow", "created_stamp_never_moves", answer=_restamp(count())),
    "name made up": Fault("subscriptionflow", "required_is_required", request=_named),
    "filter lost": Fault(
        "subscriptionflow",
        "filters_match_exactly",
        request=lambda call: [call.query.pop(name) for name in list(call.query) if "$starts" in name],  # type: ignore[arg-type,return-value]
    ),
    "everyone may": Fault("stykite", "credentials_matter", request=_everyone_is("stykite-sandbox-acme")),
    "text stripped": Fault("wispgate", "values_survive", request=_strip),
    "cancelled twice": Fault(
        "stykite",
        "states_are_kept",
        answer=lambda call, status, body: (200, None) if status == 400 and "cancel" in call.path else (status, body),
    ),
    "no such plan is fine": Fault(
        "pelcro", "references_must_exist", answer=lambda call, status, body: (400 if status == 404 else status, body)
    ),
}
