"""Events: what the changes of a step give off (`x-emits`), each with a body that its webhook describes, for whoever is to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import jsonschema_rs

from mock_server.contract import Change, Contract, Definitions, Resource, convert
from mock_server.store import Key, StoredRecord
from mock_server.vendor import Event, Payload, Space


class Told(NamedTuple):
    """An event as it is told: about which record, when it was, and its body, which nothing may change."""

    event: str
    at: datetime
    tenant: str
    resource: str
    key: Key
    body: Any


class Audience(Protocol):
    """Whoever is told of what happens in the worlds of a server."""

    def listens(self, world: str, vendor: str) -> bool:
        """Whether anyone is to be told of a vendor's events."""

    def hear(self, world: str, vendor: str, told: Sequence[Told]) -> None:
        """A step has been stored: the events that it gave off, maybe none."""


class Teller:
    """Makes a vendor's events: `payloads` are its bodies, `inferred` says whether inferred webhooks are sent too."""

    def __init__(self, contract: Contract, payloads: Mapping[str, Payload], *, inferred: bool) -> None:
        self._contract = contract
        self._payloads = payloads
        self._definitions: Definitions | None = None
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self._withheld = frozenset(
            name
            for name, webhook in contract.webhooks.items()
            if not inferred and webhook.provenance is not None and webhook.provenance.level == "inferred"
        )

    def events(
        self, resource: Resource, before: StoredRecord | None, after: StoredRecord | None
    ) -> Iterator[tuple[str, StoredRecord]]:
        """The names of the events that a change of a record gives off, with the record as they show it."""
        changes = kinds(resource, before, after)
        record = before if "deleted" in changes else after
        if changes and record is not None:
            for emission in resource.emissions:
                if emission.fits(changes, before, record) and emission.event not in self._withheld:
                    yield emission.event, record

    def tell(
        self, space: Space, resource: Resource, name: str, before: StoredRecord | None, record: StoredRecord
    ) -> Told:
        """An event with its body. Raises AssertionError for a body that the document does not allow."""
        body = self._payloads.get(name, plain)(space, Event(name, space.now, before), record)
        for error in self._validator(name).iter_errors(body):
            place = "".join(f"/{step}" for step in error.instance_path)
            raise AssertionError(f"the webhook {name} is not as the document has it: {place}: {error.message}")
        return Told(name, space.now, space.tenant, resource.name, record[resource.key], body)

    def _validator(self, name: str) -> jsonschema_rs.Validator:
        if name not in self._validators:
            self._definitions = self._definitions or Definitions(self._contract.document, "response")
            schema = convert(self._contract.webhooks[name].schema, "response")
            whole = {"allOf": [schema], "$defs": self._definitions.reached(schema)}
            self._validators[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._validators[name]


def kinds(resource: Resource, before: StoredRecord | None, after: StoredRecord | None) -> frozenset[Change]:
    """What kind of change lies between a record before a step and after it: none where nothing but the stamp of changes differs."""
    there = before is not None and not _is_deleted(resource, before)
    here = after is not None and not _is_deleted(resource, after)
    if not there or not here:
        return frozenset(("created",)) if here else frozenset(("deleted",)) if there else frozenset()
    assert before is not None, "it was there"
    assert after is not None, "it is here"
    if before is after or all(
        before.get(name) == after.get(name) for name in before.keys() | after.keys() if name != resource.updated
    ):
        return frozenset()
    moved = resource.state is not None and before.get(resource.state) != after.get(resource.state)
    return frozenset(("changed", "moved")) if moved else frozenset(("changed",))


def _is_deleted(resource: Resource, record: StoredRecord) -> bool:
    return resource.deleted is not None and record.get(resource.deleted) is not None


def plain(space: Space, event: Event, record: StoredRecord) -> Any:
    """The body of an event where the vendor has none of its own: the record."""
    return record
