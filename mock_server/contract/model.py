"""The frozen model of a contract: what the engine obeys and the conformance suite probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from mock_server.contract.bundle import Bundle
from mock_server.contract.calls import Operation
from mock_server.contract.changes import Emission, Signature, Transition, Webhook
from mock_server.contract.sums import Sum

Kind = Literal[
    "malformed",
    "missing",
    "invalid",
    "parameter",
    "unauthenticated",
    "forbidden",
    "unknown",
    "dangling",
    "duplicate",
    "state",
]
Footing = Literal["documented", "published", "inferred"]


@dataclass(frozen=True, slots=True)
class Provenance:
    """How far a fact can be trusted, and the source or reason where that is not the vendor's printed page."""

    level: Footing
    source: str = ""

    def __str__(self) -> str:
        return f"{self.level} ({self.source})" if self.source else self.level


@dataclass(frozen=True, slots=True)
class Tenancy:
    """Where a call names its tenant: a header, path or query parameter, or nowhere but in its credential."""

    where: Literal["header", "path", "query", "credential"] = "credential"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """How a vendor lets a create be repeated safely: the header, for how many seconds, and the statuses of misuse."""

    header: str
    lifetime: int
    conflict: int
    in_use: int


@dataclass(frozen=True, slots=True)
class Pagination:
    """Numbered pages: the query parameter, the size, and JSON pointers to the total and the next link in an answer."""

    parameter: str
    size: int
    total: str | None
    next: str | None


@dataclass(frozen=True)
class Resource:
    """A kind of record, from the schema that carries `x-resource`, which is also the stored shape.

    `references` maps a property to the resource whose key it holds.
    """

    name: str
    schema: Mapping[str, Any]
    pointer: str
    key: str
    mint: Mapping[str, str]
    unique: tuple[tuple[str, ...], ...]
    scope: Literal["tenant", "vendor"]
    state: str | None
    created: str | None
    updated: str | None
    deleted: str | None
    known: bool
    properties: Mapping[str, Any]
    references: Mapping[str, str]
    provenance: Provenance | None
    lifecycle: tuple[Transition, ...] = ()
    emissions: tuple[Emission, ...] = ()
    sums: tuple[Sum, ...] = ()

    @cached_property
    def watched(self) -> bool:
        """Whether a change of a record may lead to more: to an event, or to what falls due."""
        return bool(self.lifecycle or self.emissions)

    @cached_property
    def read_only(self) -> frozenset[str]:
        """Properties only the server sets."""
        return frozenset(name for name, item in self.properties.items() if item.get("readOnly"))

    @cached_property
    def stamps(self) -> tuple[str, ...]:
        """The properties that say when a record was made and last changed."""
        return tuple(filter(None, (self.created, self.updated)))

    @cached_property
    def blank(self) -> Mapping[str, None]:
        """What is minted, yet to be made: it leads a new record."""
        return dict.fromkeys(self.mint)

    @cached_property
    def write_only(self) -> frozenset[str]:
        """Properties that are never shown."""
        return frozenset(name for name, item in self.properties.items() if item.get("writeOnly"))

    @cached_property
    def choices(self) -> Mapping[str, tuple[Any, ...]]:
        """The properties that hold one of a few values, and these."""
        return {name: tuple(item["enum"]) for name, item in self.properties.items() if item.get("enum")}


@dataclass(frozen=True)
class Contract:
    """A vendor's document, read and checked. `bundle.document` is the self-contained OpenAPI document."""

    name: str
    title: str
    bundle: Bundle
    error: str
    timestamps: Literal["date-time", "epoch-milliseconds", "epoch-seconds"]
    tenancy: Tenancy
    statuses: Mapping[str, int]
    idempotency: Idempotency | None
    pagination: Pagination | None
    filter_parameter: str | None
    resources: Mapping[str, Resource]
    operations: Mapping[str, Operation]
    webhooks: Mapping[str, Webhook]
    signature: Signature | None = None
    secret_header: str | None = None
    """The header in which a webhook carries the endpoint's secret itself."""

    @property
    def document(self) -> dict[str, Any]:
        """The self-contained OpenAPI document."""
        return self.bundle.document

    def place(self, pointer: str) -> str:
        """`file:line` where the part at a JSON pointer of the document is written."""
        return self.bundle.place(pointer)

    def serves(self, *, inferred: bool) -> tuple[Operation, ...]:
        """The operations a server offers: inferred ones only when asked."""
        return tuple(
            operation for operation in self.operations.values() if inferred or operation.provenance.level != "inferred"
        )
