"""What a layer made is taken away at its end: its world, where it has one of its own, else record by record, the last made first.

That something could not be taken away is no finding: it is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from conformance.client import Answer, Client, Ledger
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.scope import Scope
from conformance.sights import Made, upon
from conformance.target import WORLD_HEADER
from conformance.traces import Trace
from mock_server.contract import Operation

KEPT, STOPPED = "kept, as asked", "the run was stopped"
NO_WAY = "no operation of the contract deletes one"
_ENOUGH = 3
"""After how many failures in a row the rest of a resource's records is not tried."""
_NOBODY = Answer(None, 0, {}, b"", "")


@dataclass(frozen=True)
class Left:
    """Records of a resource that are still there, and why."""

    resource: str
    keys: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        shown = ", ".join(self.keys[:5]) + (", …" if len(self.keys) > 5 else "")
        return f"{len(self.keys)} {self.resource}, {'key' if len(self.keys) == 1 else 'keys'} {shown}: {self.why}"

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"resource": self.resource, "keys": list(self.keys), "why": self.why}


def clean(client: Client, why_not: str = "") -> list[Left]:
    """Take away what a client made and did not delete itself, and say what is left; all of it, where there is a reason not to.

    It is the last that this client does: what it calls counts for nothing.
    """
    client.ledger = Ledger()
    reasons: list[tuple[Trace, str]] = []
    failures: dict[str, int] = {}
    for trace in list(client.traces.there.values())[::-1]:
        reason = why_not
        try:
            reason = reason or _last(reasons, trace, failures) or delete(client, trace)
        except Unreachable as error:
            why_not = reason = str(error)
        except KeyboardInterrupt:
            why_not = reason = STOPPED
        failures[trace.resource] = failures.get(trace.resource, 0) + 1 if reason else 0
        if reason:
            reasons.append((trace, reason))
        else:
            client.traces.gone(trace.resource, trace.key)
    return gathered((trace.resource, trace.key, reason) for trace, reason in reasons)


def _last(reasons: Sequence[tuple[Trace, str]], trace: Trace, failures: Mapping[str, int]) -> str:
    """Why a record is not tried: so many of its kind in a row could not be deleted."""
    if failures.get(trace.resource, 0) < _ENOUGH:
        return ""
    return next(reason for other, reason in reversed(reasons) if other.resource == trace.resource)


def gathered(found: Iterable[tuple[str, Any, str]]) -> list[Left]:
    """What is left, by resource and reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for resource, key, why in found:
        groups.setdefault((resource, why), []).append(str(key))
    return [Left(resource, tuple(keys), why) for (resource, why), keys in groups.items()]


def deletion(scope: Scope, resource: str) -> Operation | None:
    """The operation that deletes a record of a resource; one that deletes a single one before one that deletes many."""
    found = [operation for operation in scope.acting("delete", on=resource) if operation.action.by]
    return min(found, key=lambda operation: operation.action.many, default=None)


def delete(client: Client, trace: Trace) -> str:
    """Delete a record; empty where it is gone then, else why it is not. Raises Unreachable."""
    operation = deletion(client.scope, trace.resource)
    if operation is None:
        return NO_WAY
    resource = client.scope.contract.resources[trace.resource]
    made = Made(operation, resource, trace.caller, trace.key, None, "", {}, _NOBODY, trace.context)
    try:
        answer = client.call(operation, **upon(client, operation, made), caller=trace.caller)
    except (Broken, NotTested, Withheld) as error:
        return " ".join(str(error).split())[:200]
    gone = (404, 410, operation.statuses.get("unknown"))
    return "" if answer.ok or answer.status in gone else f"{operation.id} was answered {answer.status}"


def in_own_world(client: Client) -> bool:
    """Whether the client is in a world that is nobody else's: our own sandbox lists it on its health page."""
    if not client.world:
        return False
    try:
        page = client.http.get(f"{_control(client)}/health", timeout=10).json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return False
    worlds = page.get("worlds") if isinstance(page, dict) else None
    return isinstance(worlds, list) and client.world in worlds


def drop_world(client: Client) -> None:
    """Drop the client's own world, with all that is in it."""
    client.traces.clear()
    with contextlib.suppress(httpx.HTTPError):
        client.http.post(f"{_control(client)}/reset", headers={WORLD_HEADER: client.world}, timeout=10)


def _control(client: Client) -> str:
    return f"{client.target.base_url.rpartition('/')[0]}/_mock"
