"""Pelcros that are wrong in the ways that the promises were written against."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from mock_server.engine import Engine
from mock_server.faulty import changes
from mock_server.faulty.changes import records
from mock_server.faulty.fault import Fault, after, before, restate, switch
from mock_server.faulty.wire import Call, Proceed, Reply
from mock_server.store import StoredRecord
from mock_server.vendor import Space

VENDOR = "pelcro"
_DAY = 86_400
_OWN = {"1101": "pelcro-sandbox-alice", "1102": "pelcro-sandbox-bob"}


def _revoked_let_in(sent: str) -> str | None:
    return "Bearer pelcro-sandbox-alice" if sent == "Bearer pelcro-sandbox-revoked" else None


def _site_believed(call: Call) -> None:
    token = _OWN.get(call.asked("site_id") or "")
    if token and call.headers.get("authorization", "").removeprefix("Bearer ") in _OWN.values():
        call.headers["authorization"] = f"Bearer {token}"


def _password_shown(call: Call, reply: Reply) -> None:
    if reply.ok and isinstance(call.body, dict) and "password" in call.body:
        reply.body["data"]["password"] = call.body["password"]


def _a_cent_more(call: Call, invoice: dict[str, Any]) -> None:
    if isinstance(invoice.get("total"), int):
        invoice["total"] += 1


def _discount_added(call: Call, invoice: dict[str, Any]) -> None:
    if invoice.get("discount"):
        for name in {"total", "amount_due", "amount_remaining"} & {*invoice}:
            invoice[name] += 2 * invoice["discount"]


def _newest_left_out(call: Call, reply: Reply) -> None:
    if reply.ok and call.has("POST", "/customer"):
        for record in records(reply.body, "subscriptions"):
            record["subscriptions"] = record["subscriptions"][:-1]


def _ids_as_text(call: Call, reply: Reply) -> None:
    for record in records(reply.body, "subscriptions") if reply.ok else ():
        for subscription in record["subscriptions"]:
            subscription["id"] = str(subscription["id"])


def _no_nulls(call: Call, reply: Reply) -> None:
    for record in list(records(reply.body, "current_period_end")) if reply.ok else ():
        for name in [name for name, value in record.items() if value is None]:
            del record[name]


def _wrapped(call: Call) -> None:
    if isinstance(call.body, dict) and isinstance(call.body.get("quantity"), int) and call.body["quantity"] > 32767:
        call.body["quantity"] = call.body["quantity"] % 32767 + 1


def _source_cut(call: Call) -> None:
    if isinstance(call.body, dict) and isinstance(call.body.get("source"), str):
        call.body["source"] = call.body["source"][:64]


async def _left_behind(call: Call, proceed: Proceed) -> Reply:
    reply = await proceed(call)
    if call.has("POST", "/subscription") and not reply.ok and isinstance(call.body, dict) and call.body.get("plan_id"):
        kept = {name: value for name, value in call.body.items() if name in ("plan_id", "quantity")}
        if kept != call.body:
            await proceed(replace(call, body=kept))
    return reply


def _skipping(engine: Engine) -> None:
    """Every third renewal is for two periods."""
    key = ("Subscription", "period-end")
    proceed = engine.timeline._dues[key]

    def skip(space: Space, subscription: StoredRecord) -> None:
        proceed(space, subscription)
        after_it = space.require("Subscription", subscription["id"])
        ends = after_it["current_period_end"]
        if after_it["status"] == "active" and ends is not None and after_it["renewals"] % 3 == 0:
            space.change("Subscription", after_it, {"current_period_end": ends + 31 * _DAY})

    engine.timeline._dues = {**engine.timeline._dues, key: skip}


def _signed_in_hex(engine: Engine) -> None:
    signature = engine.contract.signature
    assert signature is not None, "the document has one"
    engine.contract = replace(engine.contract, signature=replace(signature, encoding="hex"))


FAULTS = (
    Fault("revoked-let-in", VENDOR, "auth", "credentials_matter",
          "A revoked token is let in.", changes.believed(_revoked_let_in)),
    Fault("site-believed", VENDOR, "tenant", "tenants_never_meet",
          "Whoever names a site is let in there.", before(_site_believed)),
    Fault("password-shown", VENDOR, "field", "secrets_stay_out",
          "Registering answers with the password.", after(_password_shown)),
    Fault("email-twice", VENDOR, "uniqueness", "unique_is_refused",
          "An email address may register again.", switch(lambda engine: restate(engine, "Customer", unique=()))),
    Fault("no-such-plan-is-400", VENDOR, "status", "references_must_exist",
          "A plan that does not exist is 400 in place of 404.", changes.recoded(404, 400)),
    Fault("total-a-cent-more", VENDOR, "money", "sums_add_up",
          "The total of an invoice is a cent too high.", changes.shown("amount_due", _a_cent_more)),
    Fault("discount-added", VENDOR, "money", "sums_add_up",
          "A discount is added, not taken off.", changes.shown("amount_due", _discount_added)),
    Fault("renewal-skips", VENDOR, "time", "renewals_do_not_drift",
          "Every third renewal is for two periods.", switch(_skipping)),
    Fault("newest-left-out", VENDOR, "boundary", "created_is_retrievable",
          "The newest subscription is not shown.", after(_newest_left_out)),
    Fault("refused-is-kept-too", VENDOR, "references", "failed_create_leaves_nothing",
          "A subscription refused for its coupon is there nevertheless.", lambda engine: _left_behind),
    Fault("ids-as-text", VENDOR, "type", "answers_match_their_schema",
          "The ids of subscriptions are texts.", after(_ids_as_text)),
    Fault("nulls-left-out", VENDOR, "null", "answers_match_their_schema",
          "What is null is left out of subscriptions.", after(_no_nulls)),
    Fault("quantity-wraps", VENDOR, "huge values", "values_survive",
          "A quantity has sixteen bits.", before(_wrapped)),
    Fault("source-cut", VENDOR, "limits", "values_survive",
          "A source is cut after 64 characters.", before(_source_cut)),
    Fault("password-made-up", VENDOR, "required", "required_is_required",
          "Registering without a password gives one.",
          changes.filled("password", "mockingbill-made-up", lambda call: call.has("POST", "/register"))),
    Fault("signed-in-hex", VENDOR, "encodings", "events_say_what_is",
          "The signature of webhooks is hexadecimal, not Base64.", switch(_signed_in_hex)),
    Fault("largest-quantity-refused", VENDOR, "boundary", "allowed_is_accepted",
          "The largest quantity is one too many.", changes.misread("quantity", 2**31 - 1, 2**31)),
)  # fmt: skip
