"""Puts records that exist, and values that are new, where generated ones would only be refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.records import dependency, make, ready, resolve_path, unique_fields
from conformance.schemas import put
from conformance.sights import Made
from mock_server.contract import Json, Operation


@dataclass(frozen=True)
class Filling:
    """Fills in what only the state of a target can know. A record is kept for an operation until a call was accepted, and may have used it up."""

    client: Client
    kept: dict[str, dict[str | None, Made | None]] = field(default_factory=dict)

    def made(self, resource: str) -> Made | None:
        """A new record; None where there is no way to make one."""
        try:
            return make(self.client, resource)
        except (NotTested, Broken):
            return None

    def ready(self, operation: Operation, example: str | None = None) -> Made | None:
        """A record in a state that the operation starts from, made with an example; None where there is no way to one."""
        kept = self.kept.setdefault(operation.id, {})
        if example not in kept:
            try:
                kept[example] = ready(self.client, operation, example)
            except (NotTested, Broken):
                kept[example] = None
        return kept[example]

    def accepted(self, operation: Operation) -> None:
        """A call of an operation was accepted: what it was about is not used again."""
        self.kept.pop(operation.id, None)

    def reference(self, resource: str) -> Any:
        """The key of a record that others may refer to; None where there is none."""
        known = self.client.caller.records(resource)
        if known:
            return known[0].get(self.client.scope.contract.resources[resource].key)
        if self.client.scope.creates(resource):
            try:
                return dependency(self.client, resource, self.client.caller)
            except (NotTested, Broken):
                return None
        return None

    def body(self, operation: Operation, body: dict[str, Any], aim: Made | None = None) -> Json:
        """A body whose unique fields are fresh and whose references name records that exist, where they were valid at all."""
        assert operation.body is not None, "the caller has looked"
        schemas = self.client.scope.schemas
        fields = self.client.scope.fields(operation)
        for name in unique_fields(self.client, operation):
            if (
                body.get(name) is not None
                and schemas.fits(fields[name], body[name])
                and "x-references" not in fields[name]
            ):
                body = {**body, name: self._unlike(fields[name], body[name])}
        for path, resource, schema in list(schemas.references(operation.body.schema, body)):
            value = resolve_path(body, path)
            key_name = self.client.scope.contract.resources[resource].key
            known = any(record.get(key_name) == value for record in self.client.caller.records(resource))
            aimed = operation.action.by == ("body", path[0]) and len(path) == 1
            if value is None or (known and not aimed) or not schemas.fits(schema, value):
                continue
            key = aim.key if aimed and aim else None if aimed else self.reference(resource)
            if key is not None:
                body = put(body, path, key)
        return body

    def _unlike(self, schema: Mapping[str, Any], value: Any) -> Any:
        """A value never used, as long as the generated one where that is longer: a boundary stays a boundary."""
        fresh = self.client.fresh.value(schema, value)
        if isinstance(value, str) and isinstance(fresh, str) and len(value) > len(fresh):
            longer = (fresh + value)[: len(value)]
            return longer if self.client.scope.schemas.fits(schema, longer) else fresh
        return fresh
