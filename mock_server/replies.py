"""What is remembered under an idempotency key: that a call is under way, then its answer, for as long as the contract says."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta

from mock_server.clock import parsed
from mock_server.contract import Idempotency
from mock_server.problems import Problem
from mock_server.store import TableName, Transaction, sweep
from mock_server.vendor import SHARED, Answer, Call, Claim, Input

REPLIES: TableName = (SHARED, "_replies")


def claim(rule: Idempotency, call: Call) -> Claim | Answer | None:
    """The claim of a call that carries a key, or the answer that is remembered under it.

    Raises Problem `key-in-use` while the first call is running, `key-reused` where the body is another.
    """
    key = call.input.header.get(rule.header)
    if key is None:
        return None
    made = Claim(
        "\n".join((call.caller.tenant, call.operation.id, key)),
        fingerprint(call.input),
        call.now,
        timedelta(seconds=rule.lifetime),
    )
    reply = call.transaction.get(REPLIES, made.name)
    if reply is None:
        return made
    if not reply["done"]:
        raise Problem("key-in-use", "A call with this idempotency key is still running.", status=rule.in_use)
    if parsed(reply["until"]) <= made.now:
        return made
    if reply["fingerprint"] != made.fingerprint:
        raise Problem("key-reused", "This idempotency key was used with another body.", status=rule.conflict)
    return Answer(reply["status"], reply["body"], {"Idempotent-Replayed": "true"})


def hold(held: Claim, transaction: Transaction) -> None:
    """Keep others from answering for the key; replies that are outdated make room."""
    sweep(transaction, REPLIES, lambda entry: entry["done"] and parsed(entry["until"]) <= held.now)
    transaction.put(REPLIES, held.name, {"id": held.name, "done": False})


def remember(held: Claim, answer: Answer, transaction: Transaction, now: datetime) -> None:
    """Keep the answer."""
    reply = {
        "id": held.name,
        "done": True,
        "until": (now + held.lifetime).isoformat(),
        "fingerprint": held.fingerprint,
        "status": answer.status,
        "body": answer.body,
    }
    transaction.put(REPLIES, held.name, reply)


def forget(held: Claim, transaction: Transaction) -> None:
    """Free the key of a call that will not be answered."""
    transaction.delete(REPLIES, held.name)


def fingerprint(given: Input) -> str:
    """What makes two bodies the same: their values, whatever the order and spacing."""
    canonical = json.dumps([given.body, dict(given.path), dict(given.query)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
