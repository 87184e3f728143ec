"""WISPGate: one envelope for success and failure, operators' duplicate rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mock_server.problems import Problem, Violation
from mock_server.vendor import Call, Mint, Page, Result, Vendor

_CODES = {
    "malformed": "malformed_request",
    "missing": "missing_field",
    "invalid": "validation_failed",
    "parameter": "invalid_parameter",
    "dangling": "validation_failed",
    "unauthenticated": "unauthorized",
    "unknown": "not_found",
    "duplicate": "duplicate_subscriber",
    "key-reused": "idempotency_key_reused",
    "key-in-use": "idempotency_key_in_use",
    "media-type": "unsupported_media_type",
    "no-path": "not_found",
    "no-method": "method_not_allowed",
}


def _meta(request_id: str) -> dict[str, str]:
    return {"request_id": request_id, "api_version": "v1"}


def _error(problem: Problem, status: int, mint_id: Mint) -> Any:
    first = next((violation for violation in problem.violations if _leads(problem, violation)), None)
    error = {"code": _CODES.get(problem.kind, problem.kind.replace("-", "_")), "message": problem.detail}
    if first is not None and first.field:
        error["field"] = first.field
    return {"success": False, "error": error, "meta": _meta(mint_id("req_{hex:12}"))}


def _leads(problem: Problem, violation: Violation) -> bool:
    """Whether the violation is of the kind that gave the problem its status."""
    return (violation.rule == "required") == (problem.kind == "missing")


def _answer(call: Call, result: Result) -> Any:
    if isinstance(result, dict):
        data: Any = call.shown(result)
    else:
        assert result is not None and not isinstance(result, Page), "the document has no pages"
        data = call.listed(result)  # type: ignore[arg-type]  # a sequence, as no mapping came
    return {"success": True, "data": data, "meta": _meta(call.mint_id("req_{hex:12}"))}


vendor = Vendor("wispgate", error=_error, answer=_answer)


@vendor.action("createSubscriber")
def refuse_duplicates(call: Call, proceed: Callable[[Call], Any]) -> Any:
    """The operator's own duplicate rules, on top of what the document says is unique."""
    tenant = call.find("Tenant", call.caller.tenant) or {"duplicate_rules": []}
    for rule in tenant["duplicate_rules"]:
        where = {name: call.body.get(name) for name in rule}
        if None not in where.values() and call.count("Subscriber", where):
            raise Problem(
                "duplicate",
                f"A subscriber with this {' and '.join(rule)} exists.",
                tuple(Violation("body", f"/{name}", "duplicate-rule", "is taken") for name in rule),
            )
    return proceed(call)
