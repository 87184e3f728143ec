"""What one tenant makes, another cannot see, change or delete.

One tenant makes a record. Another looks for it in every way, filters and searches too, and tries to change and delete it. The refusal must
be word for word the one for what nobody has. Then each tenant names the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from conformance.client import ABSENT, Client
from conformance.comparison import same
from conformance.filters import sought
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject, of
from conformance.records import base_body, make
from conformance.scope import Scope
from conformance.sights import Made, look, see, upon
from conformance.target import ALONE, Caller
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("create"):
        if scope.resource(operation).scope == "tenant" and operation.secured:
            yield of(operation)
    tenancy = scope.contract.tenancy
    if tenancy.where != "credential":
        for operation in scope.operations:
            if operation.secured and any(
                (p.where, p.name) == (tenancy.where, tenancy.name) for p in operation.parameters
            ):
                yield Subject(f"{operation.id} {tenancy.name}", operation, "/x-vendor/tenancy", {"foreign": True})


def _probe(subject: Subject, client: Client) -> None:
    if not client.target.others:
        raise NotTested(ALONE)
    other = client.target.others[0]
    if subject.detail.get("foreign"):
        _foreign_tenant(subject, client, other)
        return
    operation = subject.operation
    made = make(client, operation.action.resource, operation=operation)
    try:
        _, before = see(client, made)
    except NotTested:
        before = None
    _unseen(client, made, other)
    _untouched(client, made, other, before)


def _unseen(client: Client, made: Made, other: Caller) -> None:
    looked = 0
    for operation, found in sought(client, made.resource.name, made.key, other):
        looked += 1
        if found:
            raise Broken(
                f"{operation.id} to hide {made.key!r} from {other.tenant or other.name}", f"it finds {found[0]!r}"
            )
    for sight in client.scope.sights(made.resource.name):
        found = look(client, sight, made, made.key, other)
        looked += found is not ABSENT
        if found is not ABSENT and found is not None:
            raise Broken(
                f"{sight.operation.id} to hide {made.key!r} from {other.tenant or other.name}", f"it shows {found!r}"
            )
    if not looked:
        raise NotTested(f"nothing in scope shows a {made.resource.name} again")
    for sight in client.scope.sights(made.resource.name):
        by = sight.operation.action.by
        if sight.how == "key" and by and by[0] in ("path", "query"):
            _untold(client, sight.operation, by[1], made, other)


def _untold(client: Client, operation: Operation, name: str, made: Made, other: Caller) -> None:
    """Another tenant's record is refused in the very words in which one that nobody has is."""
    parameter = next(p for p in operation.parameters if p.name == name)
    nobody = client.absent_key(client.scope.schemas.follow(parameter.schema), made.key)

    def refused(key: Any) -> tuple[Any, dict[str, Any]]:
        answer = client.call(operation, **upon(client, operation, replace(made, key=key)), caller=other)
        return answer.status, _said(json.loads(json.dumps(answer.body).replace(json.dumps(str(key))[1:-1], "…")))

    before, theirs, after = refused(nobody), refused(made.key), refused(nobody)
    telling = [place for place in before[1] if place in after[1] and before[1][place] == after[1][place]]
    words = [f"{place} {theirs[1].get(place)!r}" for place in telling if theirs[1].get(place) != before[1][place]]
    if theirs[0] != before[0] or words:
        raise Broken(
            f"{before[0]} for another tenant's {made.key!r}, in the words for what nobody has",
            f"{theirs[0]}, which tells them apart: {'; '.join(words) or 'by its status'}",
            pointer=operation.pointer,
        )


def _said(body: Any, place: str = "") -> dict[str, Any]:
    """What a body says, by place."""
    if isinstance(body, dict):
        return {at: said for name, item in body.items() for at, said in _said(item, f"{place}/{name}").items()}
    if isinstance(body, list):
        return {at: said for number, item in enumerate(body) for at, said in _said(item, f"{place}/{number}").items()}
    return {place: body}


def _untouched(client: Client, made: Made, other: Caller, before: Any) -> None:
    tried = False
    for operation in client.scope.acting("update", "delete", on=made.resource.name):
        by = operation.action.by
        if not by or by[0] == "credential":
            continue
        tried = True
        body: Any = {} if operation.body else ABSENT
        answer = client.call(operation, **upon(client, operation, made, body=body), caller=other)
        if answer.ok and not operation.action.many:
            raise Broken(
                f"{operation.statuses.get('unknown')} for another tenant's {made.key!r}",
                str(answer),
                pointer=operation.pointer,
            )
    if tried and before is not None:
        sight, after = see(client, made)
        properties = client.scope.shown(sight.operation, sight.view)
        changed = [
            n for n, s in properties.items() if not same(client.scope.schemas, s, before.get(n), (after or {}).get(n))
        ]
        if after is None or changed:
            raise Broken("the record as its tenant left it", f"another tenant changed {changed or 'or deleted it'}")


def _foreign_tenant(subject: Subject, client: Client, other: Caller) -> None:
    """A credential names a tenant that is not its own."""
    operation, tenancy = subject.operation, client.scope.contract.tenancy
    allowed = {operation.statuses.get(kind) for kind in ("unauthenticated", "forbidden", "unknown")} - {None}
    # Once with what the caller knows, once with what is known there: only the second is right but for the credential.
    for knowing in (client.caller, other):
        try:
            arguments = _arguments(client, operation, knowing)
        except NotTested:
            continue
        calling = replace(knowing, token=client.caller.token, headers=client.caller.headers)
        answer = client.call(operation, given={tenancy.name: other.tenant}, caller=calling, **arguments)
        if answer.status not in allowed:
            raise Broken(f"one of {sorted(filter(None, allowed))} for a tenant that is not the caller's", str(answer))


def _arguments(client: Client, operation: Operation, knowing: Caller) -> dict[str, Any]:
    if operation.body is None:
        return {}
    return dict(zip(("media", "body"), base_body(client, operation, caller=knowing), strict=True))


PROMISE = Promise(
    "tenants_never_meet",
    "What one tenant makes, another cannot see, change or delete, and nobody may act for a tenant that is not theirs.",
    ("x-vendor", "x-resource"),
    _subjects,
    _probe,
)
