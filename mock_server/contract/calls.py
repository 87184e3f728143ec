"""The frozen model of what can be called: operations, what they take and answer, and what they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mock_server.contract.files import Json

if TYPE_CHECKING:
    from mock_server.contract.model import Provenance, Resource

Verb = Literal["create", "retrieve", "list", "search", "filter", "related", "update", "delete", "none"]


@dataclass(frozen=True, slots=True)
class View:
    """Where an answer shows a record: `path` holds the steps from the body down, `-` standing for each item of an array."""

    resource: str
    path: tuple[str, ...]
    properties: tuple[str, ...]

    @property
    def is_list(self) -> bool:
        """Whether it shows several records."""
        return "-" in self.path

    def records(self, body: Json) -> list[Json]:
        """The records shown in an answer's body; empty where the body has none at that place."""
        found = [body]
        for step in self.path:
            if step == "-":
                found = [item for value in found if isinstance(value, list) for item in value]
            else:
                found = [value[step] for value in found if isinstance(value, dict) and step in value]
        return [value for value in found if isinstance(value, dict)]


@dataclass(frozen=True, slots=True)
class Action:
    """What an operation does to which resource, and where the record's key stands (`by`, as `path.id`).

    `states` are those it starts from, `to` those it may end in, `fixed` what it sets whatever the body says, and `moves` the state that
    a value of a property of the body moves to, at once.
    """

    verb: Verb
    resource: str
    by: tuple[str, str] | None = None
    many: bool = False
    states: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    to: tuple[str, ...] = ()
    moves: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation; `references` is the resource whose key it holds."""

    name: str
    where: Literal["path", "query", "header", "cookie"]
    required: bool
    schema: Mapping[str, Any]
    style: str
    explode: bool
    references: str | None
    pointer: str


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: its schema by media type, in the document's order, and whether it may be left out.

    `properties` are the top-level properties it declares, `references` maps one of them to the resource whose key it holds.
    """

    required: bool
    content: Mapping[str, Mapping[str, Any]]
    properties: frozenset[str]
    references: Mapping[str, str]
    pointer: str

    @property
    def schema(self) -> Mapping[str, Any]:
        """The schema of the first media type."""
        return next(iter(self.content.values()))


@dataclass(frozen=True, slots=True)
class Response:
    """A documented answer: its schema and named examples by media type, and the views its schema holds."""

    status: int
    content: Mapping[str, Mapping[str, Any] | None]
    examples: Mapping[str, Mapping[str, Any]]
    headers: Mapping[str, Mapping[str, Any]]
    views: tuple[View, ...]
    pointer: str


@dataclass(frozen=True)
class Operation:
    """One operation of a contract."""

    id: str
    method: str
    path: str
    summary: str
    tag: str
    action: Action
    provenance: Provenance
    statuses: Mapping[str, int]
    parameters: tuple[Parameter, ...]
    body: Body | None
    responses: Mapping[int, Response]
    secured: bool
    pointer: str
    raw: Mapping[str, Any]

    @cached_property
    def success(self) -> Response:
        """The response of the lowest 2xx status."""
        return self.responses[min(status for status in self.responses if 200 <= status < 300)]

    @cached_property
    def referring(self) -> tuple[Parameter, ...]:
        """The parameters that hold the key of a record, other than the one that the action is about."""
        return tuple(p for p in self.parameters if p.references is not None and (p.where, p.name) != self.action.by)

    @property
    def label(self) -> str:
        """`METHOD /path`."""
        return f"{self.method.upper()} {self.path}"

    @cached_property
    def views(self) -> Mapping[str, View]:
        """For each resource that the success answer shows, the place where it does: single places before lists, upper before lower."""
        ordered = sorted(self.success.views, key=lambda view: (view.is_list, len(view.path)), reverse=True)
        return {view.resource: view for view in ordered}

    @cached_property
    def refers(self) -> bool:
        """Whether a request can hold the key of a record other than the one that the action is about."""
        return bool(self.referring or (self.body and self.body.references))

    @cached_property
    def _writes(self) -> dict[str, frozenset[str]]:
        return {}

    def writes(self, resource: Resource) -> frozenset[str]:
        """The body's properties that set the resource's property of that name: not what only the server sets, nor the key of the action."""
        names = self._writes.get(resource.name)
        if names is None:
            by = self.action.by
            key = {by[1]} if by and by[0] == "body" else set()
            declared = self.body.properties if self.body else frozenset()
            names = frozenset((declared & resource.properties.keys()) - resource.read_only - key)
            self._writes[resource.name] = names
        return names

    @cached_property
    def columns(self) -> dict[str, tuple[str, ...] | None]:
        """For each resource shown so far, the properties that the success answer shows; None: all. Filled in as it is asked for."""
        return {}

    def view(self, resource: str) -> View | None:
        """The place where the success answer shows records of `resource`."""
        return self.views.get(resource)
