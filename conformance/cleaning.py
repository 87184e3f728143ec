"""What a layer made is taken away at its end: its world, where it has one of its own, else record by record, the last made first.

That something could not be taken away is no finding: it is told.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from conformance.client import Answer, Client, Ledger
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.marks import marked_field
from conformance.sandbox import control_beside, worlds_beside
from conformance.scope import Scope
from conformance.sights import Made, pages, upon
from conformance.target import WORLD_HEADER
from conformance.traces import Trace
from mock_server.contract import Operation

KEPT, STOPPED = "kept, as asked", "the run was stopped"
NO_WAY = "no operation of the contract deletes one"
_PAGES = 10_000
"""How many pages of a list are looked through."""
_ENOUGH = 3
"""After how many failures in a row the rest of a resource's records is not tried."""
_NOBODY = Answer(None, 0, {}, b"")


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
    told = list(client.traces.there.values())[::-1]
    reasons, why_not = _take(client, told, why_not)
    if not why_not:
        reasons += _take(client, list(_also(client, told)))[0]
    return gathered((trace.resource, trace.key, reason) for trace, reason in reasons)


def _take(client: Client, traces: Iterable[Trace], why_not: str = "") -> tuple[list[tuple[Trace, str]], str]:
    """Delete records; those that are still there, each with the reason, and why nothing more is to be tried, if that is so."""
    reasons: list[tuple[Trace, str]] = []
    failures: dict[str, int] = {}
    for trace in traces:
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
    return reasons, why_not


def _also(client: Client, tried: Collection[Trace]) -> Iterator[Trace]:
    """What else carries this run's mark, as lists show it by then: what came with something that was made, or whose answer was lost."""
    keys = {(trace.resource, str(trace.key)) for trace in tried}
    made = {trace.resource for trace in tried}
    for name, resource in client.scope.contract.resources.items():
        if deletion(client.scope, name) and (name in made or made & {*resource.references.values()}):
            with contextlib.suppress(Broken, NotTested, Withheld, Unreachable):
                found = [trace for trace, _ in marked(client, name, client.fresh.run)]
                yield from (trace for trace in found if (name, str(trace.key)) not in keys)


def marked(client: Client, resource: str, run: str = "") -> Iterator[tuple[Trace, str]]:
    """The records of a resource that carry the mark themselves, and where, as the lists of every caller show them; the last listed first."""
    found: dict[str, tuple[Trace, str]] = {}
    known = client.scope.contract.resources[resource]
    for sight in client.scope.listings(resource)[:1]:
        fields = client.scope.shown(sight.operation, sight.view)
        for caller in (client.caller, *client.target.others):
            for answer in pages(client, sight, caller, limit=_PAGES):
                for record in answer.records(sight.view):
                    name = marked_field(client.scope, resource, fields, record, run)
                    key = record.get(known.key)
                    if name and key is not None:
                        around = {to: record[by] for by, to in known.references.items() if record.get(by) is not None}
                        trace = Trace(resource, key, caller, {**around, resource: key})
                        found.setdefault(str(key), (trace, f"{name}: {str(record[name])[:60]}"))
    yield from reversed(found.values())


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
    return bool(client.world) and client.world in (worlds_beside(client.sending, client.target.base_url) or ())


def drop_world(client: Client) -> None:
    """Drop the client's own world, with all that is in it."""
    client.traces.clear()
    with contextlib.suppress(httpx.HTTPError):
        reset = f"{control_beside(client.target.base_url)}/reset"
        client.link.ask("POST", reset, {WORLD_HEADER: client.world}, None, client.sending.timeout)
