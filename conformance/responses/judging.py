"""Tells a request that breaks a rule between fields from one that a server has no reason to refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.client import ABSENT, Client
from conformance.finding import Broken, NotTested
from conformance.records import base_body, fill, unique_fields
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

    def is_conditional(self, operation: Operation, body: Any) -> bool:
        """Whether a refused request breaks a rule between fields, which no OpenAPI 3.0 schema states.

        It does where each of its fields is accepted for itself, in place of the same field of some named example; a structure that
        refers to records may also name some that do not go together, and where a record's state may move depends on where it is.
        """
        examples = [(name, value) for name, media, value in self.client.scope.examples(operation) if media != FORM]
        if not examples or not isinstance(body, dict) or self._is_named(operation, body):
            return False
        fields, schemas = self.client.scope.fields(operation), self.client.scope.schemas
        state = self.client.scope.resource(operation).state if operation.action.verb == "update" else None
        deviations: list[tuple[str, Any]] = [
            (name, value) for name, value in body.items() if name in fields and name != state
        ]
        deviations += [(name, ABSENT) for name in fields if name not in body]
        return all(
            any(self._accepts(operation, example, {name: value}) for example, _ in examples)
            or (isinstance(value, dict | list) and any(True for _ in schemas.references(fields[name], value)))
            for name, value in deviations
        )

    def _is_named(self, operation: Operation, body: Mapping[str, Any]) -> bool:
        """Whether a body is one of the named examples, but for what is made fresh."""
        fresh = unique_fields(self.client, operation)
        return any(
            isinstance(value, Mapping)
            and set(value) == set(body)
            and all(body[name] == item for name, item in value.items() if name not in fresh)
            for value in (
                fill(self.client, operation, item, self.client.caller)
                for _, _, item in self.client.scope.examples(operation)
            )
        )

    def _accepts(self, operation: Operation, example: str, change: Mapping[str, Any]) -> bool:
        place = f"{operation.id} {example} {change!r}"
        if place not in self.accepted:
            try:
                media, body = base_body(self.client, operation, example)
                body = {name: value for name, value in {**body, **change}.items() if value is not ABSENT}
                body = self.filling.body(operation, body) if operation.action.verb == "create" else body
                made = self.filling.ready(operation) if operation.action.by else None
                sent = upon(self.client, operation, made, body=body) if made else {"body": body}
                self.accepted[place] = self.client.call(operation, **sent, media=media).ok
            except (NotTested, Broken):
                self.accepted[place] = False
        return self.accepted[place]
