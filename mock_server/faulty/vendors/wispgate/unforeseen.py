"""WISPGates that are wrong in ways nobody had thought of."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mock_server.clock import parsed, written
from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.changes import records, texts
from mock_server.faulty.fault import Fault, after, before, switch, wire
from mock_server.faulty.memories import case_blind
from mock_server.faulty.wire import Call, Proceed, Reply, Wire, answered, copied

VENDOR = "wispgate"
_KEY = "x-idempotency-key"
_TOKENS = ("wispgate-sandbox-001", "wispgate-sandbox-002")
_STAGES = ("prospect", "active", "suspended", "inactive")
_PROFILES = {"wispgate-sandbox-001": ("bp_001", "bp_101"), "wispgate-sandbox-002": ("bp_101", "bp_001")}


def _creates(call: Call) -> bool:
    return call.has("POST", "/subscribers")


def _token(call: Call) -> str:
    return call.headers.get("authorization", "").removeprefix("Bearer ")


def _empty_is_none(call: Call) -> None:
    if _creates(call) and isinstance(call.body, dict) and call.body.get("external_id") == "":
        del call.body["external_id"]


def _small_key(call: Call) -> None:
    if _KEY in call.headers:
        call.headers[_KEY] = call.headers[_KEY].lower()


def _replayed_is_200(call: Call, reply: Reply) -> None:
    if "idempotent-replayed" in reply.headers and reply.status == 201:
        reply.status = 200


def _failures_kept() -> Wire:
    """A key gives a refusal again too, whatever the body is by then."""
    failed: dict[tuple[str, str, str], Reply] = {}

    async def keep(call: Call, proceed: Proceed) -> Reply:
        key = (call.world, _token(call), call.headers.get(_KEY, ""))
        if key in failed:
            return copied(failed[key])
        reply = await proceed(call)
        if key[2] and _creates(call) and reply.status in (400, 422):
            failed[key] = copied(reply)
        return reply

    return keep


def _lifetime(seconds: int) -> Any:
    def turn(engine: Engine) -> None:
        rule = engine.contract.idempotency
        assert rule is not None, "the document has one"
        engine.contract = replace(engine.contract, idempotency=replace(rule, lifetime=seconds))

    return switch(turn)


def _telling(tell: Any) -> Wire:
    """Whoever asks for another tenant's subscriber is told that there is one."""

    async def told(call: Call, proceed: Proceed) -> Reply:
        reply = await proceed(call)
        if reply.status != 404 or "/subscribers/" not in call.path or _token(call) not in _TOKENS:
            return reply
        other = _TOKENS[1 - _TOKENS.index(_token(call))]
        headers = {name: value for name, value in call.headers.items() if name != "x-tenant-id"}
        there = await proceed(replace(call, headers={**headers, "authorization": f"Bearer {other}"}))
        if there.ok:
            tell(reply)
        return reply

    return told


def _forbid(reply: Reply) -> None:
    reply.status = 403


def _say_whose(reply: Reply) -> None:
    reply.body["error"]["code"] = "other_tenant"


async def _others_profile(call: Call, proceed: Proceed) -> Reply:
    """Another tenant's billing profile is as good as one's own."""
    own, foreign = _PROFILES.get(_token(call), ("", ""))
    is_foreign = _creates(call) and isinstance(call.body, dict) and call.body.get("billing_profile_id") == foreign
    if not is_foreign:
        return await proceed(call)
    call.body["billing_profile_id"] = own
    reply = await proceed(call)
    for record in list(records(reply.body, "billing_profile_id")):
        record["billing_profile_id"] = foreign
    return reply


def _two_hours_on(call: Call, record: dict[str, Any]) -> None:
    if isinstance(record["created_at"], str):
        record["created_at"] = written(parsed(record["created_at"]) + timedelta(hours=2), "date-time")


def _headless(call: Call) -> Reply | None:
    return answered(500) if call.method == "HEAD" else None


def _first_hundred(call: Call, reply: Reply) -> None:
    if reply.ok and call.has("GET", "/subscribers") and isinstance(reply.body.get("data"), list):
        reply.body["data"] = reply.body["data"][:100]


def _any_stage(call: Call) -> None:
    if isinstance(call.body, dict) and isinstance(call.body.get("status"), str) and call.body["status"] not in _STAGES:
        call.body["status"] = "prospect"


FAULTS = (
    Fault("text-normalised", VENDOR, "unicode", "values_survive",
          "Text comes back in another form of Unicode (NFC): a letter and its mark become one sign.",
          texts(lambda text: unicodedata.normalize("NFC", text))),
    Fault("astral-lost", VENDOR, "unicode", "values_survive",
          "Signs beyond the first 65,536 (emoji) are dropped.",
          texts(lambda text: "".join(sign for sign in text if ord(sign) < 0x10000))),
    Fault("external-id-whatever-case", VENDOR, "uniqueness", "unique_is_refused",
          "An `external_id` is refused where another differs in case alone.",
          lambda engine: case_blind(engine, "/subscribers", "external_id")),
    Fault("empty-id-is-none", VENDOR, "null", "values_survive",
          "An `external_id` that is empty is none.", before(_empty_is_none)),
    Fault("key-whatever-case", VENDOR, "idempotency", "retry_replays",
          "Two keys that differ in case alone are one.", before(_small_key)),
    Fault("replay-is-200", VENDOR, "idempotency", "retry_replays",
          "The first answer is given again with another status.", after(_replayed_is_200)),
    Fault("failure-kept", VENDOR, "idempotency", "retry_replays",
          "A key is used up by a call that was refused.", wire(_failures_kept)),
    Fault("key-for-an-hour", VENDOR, "idempotency", "retry_replays",
          "Keys are forgotten after an hour, not after a day.", _lifetime(3600)),
    Fault("key-for-ever", VENDOR, "idempotency", "retry_replays",
          "Keys are never forgotten.", _lifetime(10**9)),
    Fault("other-tenant-is-403", VENDOR, "tenant", "tenants_never_meet",
          "Another tenant's subscriber is 403, where there is none 404.", wire(lambda: _telling(_forbid))),
    Fault("other-tenant-is-told", VENDOR, "tenant", "tenants_never_meet",
          "The code of a 404 tells that another tenant has such a subscriber.", wire(lambda: _telling(_say_whose))),
    Fault("profile-of-another", VENDOR, "references", "references_must_exist",
          "Another tenant's billing profile may be named.", wire(lambda: _others_profile)),
    Fault("created-at-local", VENDOR, "time", "stamps_tell_the_time",
          "`created_at` is the local time, two hours ahead, and says that it is UTC.",
          changes.shown("created_at", _two_hours_on)),
    Fault("head-crashes", VENDOR, "status", "errors_wear_the_envelope",
          "HEAD crashes.", changes.instead(_headless)),
    Fault("list-of-a-hundred", VENDOR, "limits", "list_holds_each_once",
          "A list that has no pages ends after a hundred.", after(_first_hundred)),
    Fault("any-stage", VENDOR, "field", "errors_wear_the_envelope",
          "A status that is none is taken for `prospect`.", before(_any_stage)),
)  # fmt: skip
