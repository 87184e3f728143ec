"""How Pelcro speaks: failures in one of two shapes, successes in `data`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mock_server.problems import Problem
from mock_server.vendor import Call, Mint, Result

_MESSAGES = {
    "unauthenticated": "Invalid or expired token",
    "forbidden": "Authentication token has been blacklisted, please try again",
}
_INVALID = {
    "plan_id": "Invalid plan provided",
    "coupon_code": "Invalid coupon provided",
    "address_id": "Invalid address provided",
    "source_id": "Invalid payment method provided",
    "gateway_token": "Invalid payment method provided",
    "subscription_id": "Invalid subscription provided",
}
_VALIDATION = ("missing", "invalid", "parameter", "duplicate")


def error(problem: Problem, status: int, mint_id: Mint) -> Any:
    """A map of fields where validation failed, else one message."""
    fields: dict[str, list[str]] = {}
    for violation in problem.violations:
        if violation.field:
            fields.setdefault(violation.field, []).append(violation.sentence)
    if problem.kind in _VALIDATION and fields and status == 400:
        return {"errors": fields}
    if problem.kind in _MESSAGES:
        return {"error": {"status": status, "message": _MESSAGES[problem.kind]}}
    named = next((_INVALID[field] for field in fields if field in _INVALID), problem.detail)
    return {"error": {"message": named}}


def answer(call: Call, result: Result) -> Any:
    """A record in `data`; of a plan, below its own name."""
    assert isinstance(result, Mapping), "every answer shows one record"
    if call.operation.action.resource == "Plan":
        return {"data": {"plan": call.shown(result)}}
    return {"data": call.shown(result) if call.operation.action.resource == "Site" else result}
