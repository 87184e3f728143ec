"""Who calls: a credential that is known, current and not used too often, and the tenant the call is about."""

from __future__ import annotations

from datetime import datetime, timedelta

from mock_server.clock import Clock, parsed
from mock_server.contract import Contract, Operation
from mock_server.problems import Problem
from mock_server.store import StoredRecord, TableName, Transaction, sweep
from mock_server.vendor import SHARED, Caller, Request

CREDENTIALS: TableName = (SHARED, "Credential")
RATES: TableName = (SHARED, "_rates")


def identify(
    contract: Contract, operation: Operation, request: Request, transaction: Transaction, clock: Clock, default: str
) -> Caller:
    """The caller, and the tenant: the one that is named, else the credential's own, else the default.

    Raises Problem `unauthenticated`, `forbidden`, `rate-limited`, or `unknown` for a tenant that does not exist.
    """
    credential = _credential(request, transaction, clock) if operation.secured else None
    by_credential = contract.tenancy.where == "credential"
    named = None if by_credential else _named_tenant(contract, operation, request, transaction)
    if credential is None:
        return Caller(None, default if named is None else named)
    own = str(credential.get("tenant", ""))
    if named is not None and named != own:
        raise _unauthenticated("The token belongs to another tenant.")
    if credential.get("rate_limit"):
        _limit_rate(credential, transaction, clock.now())
    return Caller(credential, own)


def _credential(request: Request, transaction: Transaction, clock: Clock) -> StoredRecord:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    credential = transaction.get(CREDENTIALS, token.strip()) if scheme.lower() == "bearer" else None
    if credential is None:
        raise _unauthenticated("A valid bearer token is required.")
    expires = credential.get("expires_at")
    if expires is not None and parsed(expires) <= clock.now():
        raise _unauthenticated("The token has expired.", "expired")
    if credential.get("revoked"):
        raise Problem("forbidden", "The token has been revoked.")
    return credential


def _named_tenant(contract: Contract, operation: Operation, request: Request, transaction: Transaction) -> str | None:
    tenancy = contract.tenancy
    value: str | None = None
    if tenancy.where == "header":
        return request.headers.get(tenancy.name.lower())
    if tenancy.where == "path":
        value = request.path_values.get(tenancy.name)
    elif tenancy.where == "query":
        value = next((text for name, text in reversed(request.query) if name == tenancy.name), None)
    if value is None:
        return None
    facts = next((p for p in operation.parameters if (p.where, p.name) == (tenancy.where, tenancy.name)), None)
    if facts is None or facts.references is None:
        return value
    return _existing_tenant(contract, facts.references, value, transaction)


def _existing_tenant(contract: Contract, resource: str, value: str, transaction: Transaction) -> str | None:
    """The tenant, once its record is known to exist; None leaves a value of a wrong type to the validation."""
    key: str | int = value
    facts = contract.resources[resource]
    if facts.properties[facts.key].get("type") == "integer":
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            return None
        key = int(value)
    if transaction.get((SHARED if facts.scope == "vendor" else value, resource), key) is None:
        raise Problem("unknown", f"There is no such {resource}.")
    return value


def _limit_rate(credential: StoredRecord, transaction: Transaction, now: datetime) -> None:
    """Count the call against the credential's `rate_limit`: so many requests in so many seconds."""
    limit, token = credential["rate_limit"], credential["token"]
    window = transaction.get(RATES, token)
    if window is None or parsed(window["ends"]) <= now:
        window = {"id": token, "ends": (now + timedelta(seconds=limit["seconds"])).isoformat(), "count": 0}
    if window["count"] >= limit["requests"]:
        wait = max(1, -((now - parsed(window["ends"])) // timedelta(seconds=1)))
        raise Problem("rate-limited", "Too many calls.", headers={"Retry-After": str(wait)})
    sweep(transaction, RATES, lambda entry: parsed(entry["ends"]) <= now)
    transaction.put(RATES, token, {**window, "count": window["count"] + 1})
    transaction.commit()


def _unauthenticated(detail: str, code: str = "unauthenticated") -> Problem:
    return Problem("unauthenticated", detail, code=code)
