"""Tells a request that breaks a rule between fields from one that a server has no reason to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from conformance.client import ABSENT, Client
from conformance.control import now, timed
from conformance.finding import Broken, NotTested
from conformance.marks import is_marked
from conformance.moments import moment_of, shows_moments
from conformance.records import base_body, fill, makers, unique_fields
from conformance.responses.filling import Filling
from conformance.sights import upon
from conformance.wire import FORM
from mock_server.contract import Operation


@dataclass
class Judge:
    """Asks the target about single fields, and remembers what it said."""

    client: Client
    filling: Filling
    accepted: dict[str, bool] = field(default_factory=dict)
    answered: set[str] = field(default_factory=set)

    def note(self, operation: Operation, body: Any) -> None:
        """A request was accepted."""
        self.answered.add(f"{operation.id} {body!r}")

    def is_conditional(self, operation: Operation, body: Any) -> bool:
        """Whether a refused request breaks a rule between fields, which no OpenAPI 3.0 schema states.

        It does where each of its fields is accepted for itself, in place of the same field of some named example, or says what only the target
        can weigh. Where a record's state may move depends on where it is.
        Where the same was accepted before, or the examples themselves are refused by now, something is used up: there was room for ten.
        """
        if f"{operation.id} {body!r}" in self.answered:
            return True
        examples = {name: value for name, media, value in self.client.scope.examples(operation) if media != FORM}
        if not examples or not isinstance(body, dict) or self._is_named(operation, body):
            return False
        fields = self.client.scope.fields(operation)
        state = self.client.scope.resource(operation).state if operation.action.verb == "update" else None
        deviations: list[tuple[str, Any]] = [
            (name, value) for name, value in body.items() if name in fields and name != state
        ]
        deviations += [(name, ABSENT) for name in fields if name not in body]
        if all(self._is_excused(operation, examples, name, value) for name, value in deviations):
            return True
        return not any(self._takes(operation, example, {}, None) for example in examples)

    def _is_excused(self, operation: Operation, examples: Mapping[str, Any], name: str, value: Any) -> bool:
        """Whether a field is no reason by itself: it is accepted in place of some example's own, or only the target can weigh it."""
        if any(self._accepts(operation, example, {name: value}) for example in examples):
            return True
        shown = [body.get(name) for body in examples.values() if isinstance(body, dict)]
        return value is not ABSENT and self._is_the_targets_own(operation, name, value, shown)

    def _is_the_targets_own(self, operation: Operation, name: str, value: Any, shown: list[Any]) -> bool:
        """Whether what a value means is up to the target's records and its time, and no example has the same: a reference to a record, what
        tells one where the operation only looks for it, or a moment on the other side of now.
        """
        if value in shown:
            return False
        schema = self.client.scope.fields(operation)[name]
        if any(True for _ in self.client.scope.schemas.references(schema, value)):
            return True
        if operation.action.verb == "none" and name in self.client.scope.resource(operation).properties:
            return True
        contract = self.client.scope.contract
        moment, *others = [moment_of(contract, one) for one in (value, *shown)]
        if moment is None or not (isinstance(value, str) or shows_moments(contract, shown)):
            return False
        here = now(self.client) if timed(self.client) else datetime.now(UTC)
        return all(one is None or (one > here) != (moment > here) for one in others)

    def _is_named(self, operation: Operation, body: Mapping[str, Any]) -> bool:
        """Whether a body is one of the named examples, but for what is made fresh and what carries the mark."""
        fresh = {*unique_fields(self.client, operation), *(name for name, item in body.items() if is_marked(item))}
        return any(
            isinstance(value, Mapping)
            and set(value) - fresh == set(body) - fresh
            and all(body[name] == item for name, item in value.items() if name not in fresh)
            for value in (
                fill(self.client, operation, item, self.client.caller)
                for _, _, item in self.client.scope.examples(operation)
            )
        )

    def _accepts(self, operation: Operation, example: str, change: Mapping[str, Any]) -> bool:
        """Whether an example with a change to it is accepted, about one of the records that examples make."""
        place = f"{operation.id} {example} {change!r}"
        if place not in self.accepted:
            self.accepted[place] = any(
                self._takes(operation, example, change, maker) for maker in makers(self.client, operation)
            )
        return self.accepted[place]

    def _takes(self, operation: Operation, example: str, change: Mapping[str, Any], maker: str | None) -> bool:
        try:
            media, body = base_body(self.client, operation, example)
            body = {name: value for name, value in {**body, **change}.items() if value is not ABSENT}
            body = self.filling.body(operation, body) if operation.action.verb == "create" else body
            made = self.filling.ready(operation, maker) if operation.action.by else None
            if maker and made is None:
                return False
            sent = upon(self.client, operation, made, body=body) if made else {"body": body}
            taken = self.client.call(operation, **sent, media=media).ok
        except (NotTested, Broken):
            return False
        if taken:
            self.filling.accepted(operation)
        return taken
