"""What came back for a call, and how often what came back over a whole run."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from conformance.exchange import Exchange
from conformance.fields import fields_of
from mock_server.contract import Json, Operation, View

_ENOUGH = 60


@dataclass(frozen=True)
class Answer:
    """What came back for one call."""

    operation: Operation | None
    status: int
    headers: Mapping[str, str]
    content: bytes
    exchange: Exchange | None = None

    @property
    def ok(self) -> bool:
        """Whether the call succeeded."""
        return 200 <= self.status < 300

    @functools.cached_property
    def body(self) -> Json:
        """The parsed JSON body, not to be changed; None where there is none. A list that grew is looked at in many places."""
        try:
            return json.loads(self.content)
        except (ValueError, RecursionError):
            return None

    def records(self, view: View | None) -> list[Json]:
        """The records it shows at a place, and at the places beside it: a list may be told apart by state."""
        if view is None or self.operation is None:
            return []
        beside = [
            v for v in self.operation.success.views if (v.resource, len(v.path)) == (view.resource, len(view.path))
        ]
        return [record for place in (beside if view.is_list else [view]) for record in place.records(self.body)]

    def __str__(self) -> str:
        text = self.content.decode("utf-8", "replace")
        return f"{self.status} {text[:300]}{'…' if len(text) > 300 else ''}".strip()


@dataclass
class Ledger:
    """How often each operation answered with which status, over a whole run."""

    counts: dict[str, Counter[int]] = field(default_factory=dict)
    fields: dict[str, set[str]] = field(default_factory=dict)
    looked: Counter[str] = field(default_factory=Counter)

    def note_fields(self, operation: str, status: int, sent: bytes | None, shown: Callable[[], Json]) -> None:
        """Keep which fields were sent and shown in a call that succeeded; a few dozen of an operation's calls tell all.

        `shown` gives the body of the answer, which is parsed only where somebody asks, and once: it may be large.
        """
        if 200 <= status < 300 and self.looked[operation] < _ENOUGH:
            self.looked[operation] += 1
            self.fields.setdefault(operation, set()).update(fields_of(sent, shown()))

    def note(self, operation: str, status: int) -> None:
        """Count one answer."""
        self.counts.setdefault(operation, Counter())[status] += 1

    def calls(self) -> int:
        """How many calls were made."""
        return sum(sum(counter.values()) for counter in self.counts.values())
