"""Dates in request examples that were ahead when they were written, and must be ahead still where the target's clock has been moved."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from conformance.client import Client
from conformance.control import now, timed
from conformance.moments import iso, moment_of, years_later
from mock_server.contract import Json, Operation


def ahead(client: Client, operation: Operation, body: Json) -> Json:
    """The body with every moment that is ahead of us, and has passed at the target, as many years later as the target is."""
    if not isinstance(body, Mapping):
        return body
    names = {transition.at for transition in client.scope.resource(operation).lifecycle}
    fields = client.scope.fields(operation)
    shifted = dict(body)
    for name, value in body.items():
        schema = fields.get(name, {})
        if schema.get("format") in ("date", "date-time") or name in names:
            shifted[name] = _ahead(client, value)
    return shifted


def _ahead(client: Client, value: Json) -> Json:
    moment, today = moment_of(client.scope.contract, value), datetime.now(UTC)
    if moment is None or moment <= today or not timed(client):
        return value
    there = now(client)
    if moment > there:
        return value
    later = years_later(moment, there.year - today.year + 1)
    return _spelled(client, value, later)


def _spelled(client: Client, like: Any, moment: datetime) -> Json:
    """A moment in the spelling of another one."""
    if isinstance(like, str):
        return moment.date().isoformat() if len(like) == 10 else iso(moment)
    seconds = int(moment.timestamp())
    return seconds * 1000 if client.scope.contract.timestamps == "epoch-milliseconds" else seconds
