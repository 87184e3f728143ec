"""What goes in and what comes out: a request, what the contract made of it, who calls, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from mock_server.store import StoredRecord

NONE: Mapping[str, Any] = MappingProxyType({})


class Request(NamedTuple):
    """A request as it came in, before anything was made of it: `query` holds decoded pairs, header names are lower case."""

    method: str
    path: str
    base_url: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    world: str
    body: bytes = b""
    path_values: Mapping[str, str] = NONE


class Input(NamedTuple):
    """What the contract made of a request: values by place and name, and the decoded body (None where there was none)."""

    path: Mapping[str, Any] = NONE
    query: Mapping[str, Any] = NONE
    header: Mapping[str, Any] = NONE
    body: Any = None

    def at(self, where: str, name: str) -> Any:
        """The value at `path.id`, `body.plan_id`, ...; None where absent."""
        values = getattr(self, where)
        return values.get(name) if isinstance(values, dict) else None


NOTHING = Input()


class Caller(NamedTuple):
    """Who calls: the credential's record (None for a public operation) and the tenant the call is about."""

    credential: StoredRecord | None
    tenant: str


class Claim(NamedTuple):
    """The right to answer for an idempotency key: `name` is where the answer will be kept, until `lifetime` after it was given."""

    name: str
    fingerprint: str
    now: datetime
    lifetime: timedelta


class Page(NamedTuple):
    """A page of records: its number from 1, its size, how many records there are in all."""

    records: Sequence[StoredRecord]
    number: int
    size: int
    total: int


class Answer(NamedTuple):
    """What goes back: a JSON value (None: no content) under a status, with headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = NONE


class Event(NamedTuple):
    """A change that is told: the event's name, when it was, and what the record was before (None for one that is new)."""

    name: str
    at: datetime
    was: StoredRecord | None


Result = StoredRecord | Page | Sequence[StoredRecord] | None
"""What an action gives: a record, a page, a list, or nothing. An Answer given instead goes out as it is."""
