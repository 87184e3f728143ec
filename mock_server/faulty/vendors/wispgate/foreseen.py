"""WISPGates that are wrong in the ways that the promises were written against."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.changes import in_latin, texts, without_accents
from mock_server.faulty.fault import Fault, after, before, restate, wire
from mock_server.faulty.memories import forged, one_behind, racing, replaying, unique_across_tenants
from mock_server.faulty.wire import Call, Proceed, Reply, Wire, answered

VENDOR = "wispgate"
_KEY = "x-idempotency-key"
_OWN = {"tenant_demo_001": "wispgate-sandbox-001", "tenant_demo_002": "wispgate-sandbox-002"}


def _who(call: Call) -> str | None:
    return call.headers.get("authorization")


def _creates(call: Call) -> bool:
    return call.has("POST", "/subscribers")


def _lists(call: Call) -> bool:
    return call.has("GET", "/subscribers")


def _bare(call: Call, reply: Reply) -> None:
    if not reply.ok:
        reply.body = {"message": "Something went wrong."}


def _in_html(call: Call, reply: Reply) -> None:
    if reply.status in (404, 405):
        reply.headers["content-type"] = "text/html"
        reply.content, reply.body = b"<h1>Not here</h1>", None


def _without_created(call: Call, reply: Reply) -> None:
    if reply.ok and not _creates(call):
        for record in changes.records(reply.body, "created_at"):
            del record["created_at"]


def _success_as_text(call: Call, reply: Reply) -> None:
    if isinstance(reply.body, dict) and "success" in reply.body:
        reply.body["success"] = "true" if reply.body["success"] else "false"


def _nested(call: Call, reply: Reply) -> None:
    if reply.ok and isinstance(reply.body, dict):
        reply.body = {"data": reply.body.get("data"), "meta": reply.body.get("meta")}


def _as_text(call: Call, reply: Reply) -> None:
    if reply.ok:
        reply.headers["content-type"] = "text/plain"
        reply.content, reply.body = json.dumps(reply.body).encode(), None


def _anonymous(sent: str) -> str | None:
    return None if sent else "Bearer wispgate-sandbox-001"


def _prefix(sent: str) -> str | None:
    token = sent.removeprefix("Bearer ")
    return next((f"Bearer {own}" for own in _OWN.values() if len(token) > len(own) and token.startswith(own)), None)


def _tenant_believed(call: Call) -> None:
    token = _OWN.get(call.headers.get("x-tenant-id", ""))
    if token and call.headers.get("authorization", "").removeprefix("Bearer ") in _OWN.values():
        call.headers["authorization"] = f"Bearer {token}"


def _list_changed(change: Any) -> Any:
    def changed(call: Call, reply: Reply) -> None:
        if reply.ok and _lists(call) and isinstance(reply.body.get("data"), list):
            reply.body["data"] = change(reply.body["data"])

    return after(changed)


def _same_ids(call: Call, record: dict[str, Any]) -> None:
    record["id"] = record["id"][:-1] + "0" if isinstance(record["id"], str) else record["id"]


async def _left_behind(call: Call, proceed: Proceed) -> Reply:
    reply = await proceed(call)
    if _creates(call) and reply.status == 422 and isinstance(call.body, dict) and call.body.get("billing_profile_id"):
        kept = {name: value for name, value in call.body.items() if name not in ("billing_profile_id", "external_id")}
        call.headers.pop(_KEY, None)
        await proceed(replace(call, body=kept))
    return reply


async def _any_profile(call: Call, proceed: Proceed) -> Reply:
    reply = await proceed(call)
    if _creates(call) and reply.status == 422 and isinstance(call.body, dict):
        call.body.pop("billing_profile_id", None)
        call.headers.pop(_KEY, None)
        return await proceed(call)
    return reply


def _no_rule(engine: Engine) -> None:
    restate(engine, "Subscriber", unique=())


def _raced(engine: Engine) -> Wire:
    _no_rule(engine)
    return racing(engine, _creates, "external_id")


def _picky(call: Call) -> Reply | None:
    body = call.body if isinstance(call.body, dict) else {}
    if not _creates(call) or len(str(body.get("phone", ""))) < 12:
        return None
    error = {"code": "validation_failed", "message": "The phone number is too long.", "field": "phone"}
    meta = {"request_id": "req_000000000000", "api_version": "v1"}
    return answered(422, {"success": False, "error": error, "meta": meta})


FAULTS = (
    Fault("created-is-200", VENDOR, "status", "answers_match_their_schema",
          "Creating answers 200 in place of 201.", changes.recoded(201, 200)),
    Fault("duplicate-is-400", VENDOR, "status", "unique_is_refused",
          "A duplicate answers 400 in place of 409.", changes.recoded(409, 400)),
    Fault("created-at-missing", VENDOR, "field", "answers_match_their_schema",
          "Reading leaves `created_at` out.", after(_without_created)),
    Fault("success-is-text", VENDOR, "type", "answers_match_their_schema",
          "`success` is a text, not a boolean.", after(_success_as_text)),
    Fault("success-envelope-bare", VENDOR, "envelope", "answers_match_their_schema",
          "Answers lack `success`.", after(_nested)),
    Fault("error-envelope-bare", VENDOR, "envelope", "errors_wear_the_envelope",
          "Errors are an object with a message.", after(_bare)),
    Fault("errors-in-html", VENDOR, "envelope", "errors_wear_the_envelope",
          "What is not there is answered with a page of HTML.", after(_in_html)),
    Fault("json-called-text", VENDOR, "header", "answers_match_their_schema",
          "The JSON of answers is called text/plain.", after(_as_text)),
    Fault("no-allow", VENDOR, "header", "errors_wear_the_envelope",
          "405 comes without the header Allow.", after(lambda call, reply: reply.headers.pop("allow", None))),
    Fault("anyone-may", VENDOR, "auth", "credentials_matter",
          "A call without a credential is let in.", changes.believed(_anonymous)),
    Fault("token-by-prefix", VENDOR, "auth", "credentials_matter",
          "A token with something after it is let in.", changes.believed(_prefix)),
    Fault("tenant-header-believed", VENDOR, "tenant", "tenants_never_meet",
          "Whoever names a tenant is let in there.", before(_tenant_believed)),
    Fault("external-id-twice", VENDOR, "uniqueness", "unique_is_refused",
          "An `external_id` may be used again.", _no_rule),
    Fault("external-id-unique-everywhere", VENDOR, "uniqueness", "unique_is_refused",
          "An `external_id` of one tenant is refused to another.",
          lambda engine: unique_across_tenants(engine, _creates, "external_id")),
    Fault("external-id-raced", VENDOR, "concurrency", "concurrent_retries_make_one",
          "An `external_id` is looked up first and kept a moment later.", _raced),
    Fault("key-ignored", VENDOR, "idempotency", "retry_replays",
          "Idempotency keys are ignored.", before(lambda call: call.headers.pop(_KEY, None))),
    Fault("key-for-any-body", VENDOR, "idempotency", "reused_key_is_refused",
          "A key gives the first answer again, whatever the body.",
          wire(lambda: replaying(_KEY, lambda call, who, body: _who(call) == who))),
    Fault("key-shared-by-tenants", VENDOR, "idempotency", "retry_replays",
          "A key gives another tenant the first one's answer.",
          wire(lambda: replaying(_KEY, lambda call, who, body: _who(call) != who or call.body == body))),
    Fault("key-raced", VENDOR, "concurrency", "concurrent_retries_make_one",
          "A key is remembered only when the first call is over.",
          wire(lambda: replaying(_KEY, lambda call, who, body: _who(call) == who and call.body == body, 0.1))),
    Fault("any-profile", VENDOR, "references", "references_must_exist",
          "A billing profile that does not exist is taken, and dropped.", lambda engine: _any_profile),
    Fault("refused-is-kept", VENDOR, "references", "failed_create_leaves_nothing",
          "A subscriber refused for its billing profile is there nevertheless.", lambda engine: _left_behind),
    Fault("name-made-up", VENDOR, "required", "required_is_required",
          "A missing name is filled in.", changes.filled("full_name", "Somebody", _creates)),
    Fault("null-for-a-name", VENDOR, "null", "required_is_required",
          "A null is a name.", changes.no_null("full_name", "null", _creates)),
    Fault("created-at-taken", VENDOR, "read-only", "read_only_is_ignored",
          "`created_at` is the caller's to set.",
          wire(lambda: forged(_creates, "external_id", "created_at"))),
    Fault("ids-shared", VENDOR, "ids", "ids_are_never_reused",
          "Ten subscribers have one id.", changes.shown("full_name", _same_ids)),
    Fault("list-repeats", VENDOR, "page", "list_holds_each_once",
          "The first subscriber stands in the list twice.", _list_changed(lambda items: [*items[:1], *items])),
    Fault("list-misses-the-last", VENDOR, "boundary", "list_holds_each_once",
          "The last subscriber is not in the list.", _list_changed(lambda items: items[:-1])),
    Fault("list-late", VENDOR, "staleness", "created_is_retrievable",
          "The list is always the one before.", wire(one_behind(lambda call: call.path if _lists(call) else None))),
    Fault("text-trimmed", VENDOR, "field", "values_survive",
          "Spaces around a text are cut off.", texts(str.strip)),
    Fault("accents-lost", VENDOR, "unicode", "values_survive",
          "Letters lose their marks.", texts(without_accents)),
    Fault("latin-only", VENDOR, "encodings", "values_survive",
          "What Latin-1 lacks becomes a question mark.", texts(in_latin)),
    Fault("text-cut", VENDOR, "limits", "values_survive",
          "A text longer than 191 characters is cut.", texts(lambda text: text[:191])),
    Fault("not-utf-8-crashes", VENDOR, "encodings", "errors_wear_the_envelope",
          "A body that is not UTF-8 crashes.", changes.crash(lambda call: b"\xff" in call.content)),
    Fault("nul-crashes", VENDOR, "unicode", "errors_wear_the_envelope",
          "A NUL in a text crashes.", changes.crash(lambda call: b"\\u0000" in call.content)),
    Fault("huge-number-crashes", VENDOR, "huge values", "errors_wear_the_envelope",
          "A number of four hundred digits crashes.", changes.crash(lambda call: b"9" * 400 in call.content)),
    Fault("any-media-type", VENDOR, "encodings", "errors_wear_the_envelope",
          "Another media type is 400, not 415.", changes.recoded(415, 400)),
    Fault("long-phone-refused", VENDOR, "limits", "examples_are_answered",
          "A phone number of twelve characters is too long.", changes.instead(_picky)),
    Fault("inactive-refused", VENDOR, "limits", "allowed_is_accepted",
          "A subscriber cannot begin inactive.", changes.misread("status", "inactive", "none")),
)  # fmt: skip
