"""What becomes of records: what time does to them, what a change gives off, and how that is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mock_server.contract.model import Provenance


@dataclass(frozen=True, slots=True)
class Transition:
    """What time does to a record: at the moment that the property `at` holds, out of one of `states` into one of `to`.

    No states: whatever its state. Nothing in `to`: the state stays.
    """

    name: str
    at: str
    states: tuple[str, ...]
    to: tuple[str, ...]


Change = Literal["created", "changed", "moved", "deleted"]


@dataclass(frozen=True, slots=True)
class Emission:
    """When a change of a record gives off an event: on which kinds of change, of which fields (any, if none), where it then has which values."""

    event: str
    on: frozenset[Change]
    fields: tuple[str, ...]
    where: Mapping[str, tuple[Any, ...]]

    def fits(self, changes: frozenset[Change], before: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
        """Whether these kinds of change give off the event; `record` is what it is now, or was when it was deleted."""
        if self.on.isdisjoint(changes):
            return False
        for name, values in self.where.items():
            if record.get(name) not in values:
                return False
        return not self.fields or before is None or any(before.get(name) != record.get(name) for name in self.fields)


@dataclass(frozen=True, slots=True)
class Signature:
    """How a webhook's body is signed: an HMAC of its bytes with the endpoint's secret, in a header."""

    header: str
    digest: Literal["sha256", "sha512"]
    encoding: Literal["base64", "hex"]


@dataclass(frozen=True, slots=True)
class Webhook:
    """An event as it is sent: its body's media type and schema, and the operation as the receiver would serve it."""

    event: str
    method: str
    media: str
    schema: Mapping[str, Any]
    provenance: Provenance | None
    pointer: str
    raw: Mapping[str, Any]
