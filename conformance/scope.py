"""The part of a contract an implementation is held to, and where in it records are made and seen."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from conformance.schemas import Schemas
from mock_server.contract import Contract, Operation, Provenance, Resource, View, load, provenance

_RANK = {"documented": 0, "published": 1, "inferred": 2}


def read(vendor: str) -> Contract:
    """The contract of a vendor by name, or by the path of its document. Raises ContractError."""
    return load(Path(vendor) if vendor.endswith((".yaml", ".yml")) else vendor)


@dataclass(frozen=True, slots=True)
class Sight:
    """One way to see records of a resource: which operation, where in its answer, and how a record is reached.

    `key`: the operation is given the record's key; `list`: it shows many; `owner`: the record stands inside another resource's record.
    """

    operation: Operation
    view: View
    how: Literal["key", "list", "owner"]


@dataclass(frozen=True)
class Scope:
    """A contract and which of its operations count: inferred ones only when asked."""

    contract: Contract
    inferred: bool = False
    schemas: Schemas = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schemas", Schemas(self.contract.document))

    @functools.cached_property
    def operations(self) -> tuple[Operation, ...]:
        """The operations that count, in the document's order."""
        return self.contract.serves(inferred=self.inferred)

    def acting(self, *verbs: str, on: str | None = None) -> tuple[Operation, ...]:
        """The operations with one of these verbs, on a resource where one is named."""
        return tuple(
            operation
            for operation in self.operations
            if operation.action.verb in verbs and on in (None, operation.action.resource)
        )

    def creates(self, resource: str) -> tuple[Operation, ...]:
        """The operations that create records of a resource, those with named request examples first."""
        found = self.acting("create", on=resource)
        return tuple(sorted(found, key=lambda operation: not self.examples(operation)))

    def resource(self, operation: Operation) -> Resource:
        """The resource an operation acts on."""
        return self.contract.resources[operation.action.resource]

    def sights(self, resource: str) -> tuple[Sight, ...]:
        """The ways to see records of a resource, the most direct first."""
        found = []
        for operation in self.operations:
            action = operation.action
            if action.verb not in ("retrieve", "list", "search", "filter", "related"):
                continue
            view = operation.view(resource)
            if view is None:
                continue
            if action.verb == "retrieve" and action.resource == resource and not view.is_list:
                found.append(Sight(operation, view, "key"))
            elif action.verb == "list" and action.resource == resource and view.is_list:
                found.append(Sight(operation, view, "list"))
            elif action.verb == "retrieve" and action.resource != resource:
                found.append(Sight(operation, view, "owner"))
        order = {"key": 0, "list": 1, "owner": 2}
        return tuple(sorted(found, key=lambda sight: order[sight.how]))

    def listings(self, resource: str) -> tuple[Sight, ...]:
        """The plain lists of a resource."""
        return tuple(sight for sight in self.sights(resource) if sight.how == "list")

    def examples(self, operation: Operation) -> tuple[tuple[str, str, Any], ...]:
        """The named request bodies of an operation: name, media type, value."""
        if operation.body is None:
            return ()
        body = self.schemas.follow(operation.raw["requestBody"])
        return tuple(
            (name, media, self.schemas.follow(example).get("value"))
            for media, entry in body["content"].items()
            for name, example in entry.get("examples", {}).items()
        )

    def fields(self, operation: Operation) -> Mapping[str, Any]:
        """The properties of an operation's request body."""
        return self.schemas.properties(operation.body.schema) if operation.body else {}

    def shown(self, operation: Operation, view: View) -> Mapping[str, Any]:
        """The properties an answer shows of a record, with their schemas."""
        schema = next(iter(operation.success.content.values()), None)
        node = self.schemas.at(schema, view.path) if schema else {}
        return {name: item for name, item in self.schemas.properties(node).items() if not item.get("writeOnly")}

    def footing(self, operation: Operation, status: int | None = None, *nodes: Mapping[str, Any]) -> Provenance:
        """How far an expectation can be trusted: as far as the weakest of the operation, the status and the nodes it rests on."""
        found: list[Provenance] = [operation.provenance]
        if status in operation.responses:
            raw = self.schemas.follow(
                operation.raw["responses"].get(str(status), operation.raw["responses"].get(status))
            )
            nodes = (*nodes, raw)
        found += [footing for node in nodes if (footing := provenance(node)) is not None]
        return max(found, key=lambda footing: _RANK[footing.level])

    def around(self, pointer: str) -> Iterator[Mapping[str, Any]]:
        """What a fact on a resource or a webhook stands on: its footing is the fact's."""
        for resource in self.contract.resources.values():
            if any(pointer.startswith(f"{resource.pointer}/{key}") for key in ("x-lifecycle", "x-emits", "x-sums")):
                yield resource.schema
        for webhook in self.contract.webhooks.values():
            if pointer == webhook.pointer:
                yield webhook.raw

    def unseen(self) -> Iterator[Operation]:
        """The operations left out because they are inferred."""
        return (operation for operation in self.contract.operations.values() if operation not in self.operations)
