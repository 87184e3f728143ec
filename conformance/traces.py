"""What the suite has made and not deleted again, as far as answers tell: kept by the client, for whoever cleans up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.marks import is_marked
from conformance.scope import Scope
from conformance.target import Caller, Target
from mock_server.contract import Json, Operation

Kind = Literal["made", "gone"]


@dataclass(frozen=True)
class Trace:
    """A record that was made: its key, who made it, and the keys of the records around it, by resource."""

    resource: str
    key: Any
    caller: Caller
    context: Mapping[str, Any]


@dataclass
class Traces:
    """The records that were made through one client, in the order of their making, without those that it deleted itself."""

    scope: Scope
    target: Target
    told: Callable[[Kind, str, Any], None] = lambda kind, resource, key: None
    there: dict[tuple[str, str], Trace] = field(default_factory=dict)

    def note(
        self,
        operation: Operation,
        status: int,
        shown: Callable[[], Json],
        sent: Json,
        caller: Caller,
        given: Mapping[str, Any],
    ) -> None:
        """Take in a call that succeeded: what a creation shows is there from now on, what a deletion names is not.

        `shown` gives the body of the answer, if somebody asks.
        """
        action = operation.action
        if not 200 <= status < 300 or action.verb not in ("create", "delete"):
            return
        if action.verb == "delete":
            if not action.many and action.by and action.by[1] in given:
                self.gone(action.resource, given[action.by[1]])
            return
        for key, record in self._made(operation, shown(), sent).items():
            context = {action.resource: record[1], **_around(self.scope, operation, (record[0], sent), given)}
            self.there.setdefault((action.resource, key), Trace(action.resource, record[1], caller, context))
            self.told("made", action.resource, record[1])

    def gone(self, resource: str, key: Any) -> None:
        """Forget a record that is not there any more."""
        if self.there.pop((resource, str(key)), None) is not None:
            self.told("gone", resource, key)

    def clear(self) -> None:
        """Forget all of them: they went together."""
        for trace in list(self.there.values()):
            self.gone(trace.resource, trace.key)

    def _made(self, operation: Operation, shown: Json, sent: Json) -> dict[str, tuple[Mapping[str, Any], Any]]:
        """The new records, by their keys as text. Of several that an answer shows, those that carry the mark; never one known beforehand."""
        resource = self.scope.resource(operation)
        view = operation.view(resource.name)
        records = view.records(shown) if view else []
        if view and view.is_list:
            records = [record for record in records if any(map(is_marked, record.values()))]
        if not any(resource.key in record for record in records) and resource.key not in resource.mint:
            records = [sent] if isinstance(sent, Mapping) else []
        callers = (self.target.caller, *self.target.others, *self.target.spares)
        known = {record.get(resource.key) for caller in callers for record in caller.records(resource.name)}
        keys = {
            str(r[resource.key]): (r, r[resource.key]) for r in records if isinstance(r.get(resource.key), str | int)
        }
        return {text: pair for text, pair in keys.items() if pair[1] not in known}


def _around(scope: Scope, operation: Operation, places: tuple[Json, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the records around a new one: those its path named, and those it refers to."""
    found = {p.references: given[p.name] for p in operation.parameters if p.references and p.name in given}
    for name, target in scope.resource(operation).references.items():
        for place in places:
            if isinstance(place, Mapping) and place.get(name) is not None:
                found.setdefault(target, place[name])
    return found
