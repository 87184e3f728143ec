"""Events: what the changes of a step give off (`x-emits`), each a body that its webhook describes, kept for whoever is to be told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import jsonschema_rs

from mock_server.clock import iso
from mock_server.contract import Change, Contract, Definitions, Emission, Resource, convert
from mock_server.store import Key, StoredRecord, TableName
from mock_server.vendor import SHARED, Event, Payload, Space, next_number

EVENTS: TableName = (SHARED, "_events")
"""The events of a world that has an endpoint: `id`, `event`, `at`, `tenant`, `resource`, `key`, `body`."""
ENDPOINTS: TableName = (SHARED, "_endpoints")
"""Who is told of a world's events."""


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

    def tell(
        self, space: Space, resource: Resource, before: StoredRecord | None, after: StoredRecord | None
    ) -> Iterator[str]:
        """The names of the events that a change of a record gives off; each is kept where the world has an endpoint.

        Raises AssertionError for a body that the document does not allow.
        """
        changes = kinds(resource, before, after)
        record = before if "deleted" in changes else after
        if not changes or record is None:
            return
        for emission in resource.emissions:
            if emission.event in self._withheld or not any(emission.fits(kind, before, record) for kind in changes):
                continue
            if space.transaction.count(ENDPOINTS):
                self._keep(space, resource, emission, before, record)
            yield emission.event

    def _keep(
        self, space: Space, resource: Resource, emission: Emission, before: StoredRecord | None, record: StoredRecord
    ) -> None:
        event = Event(emission.event, space.now, before)
        body = self._payloads.get(emission.event, plain)(space, event, record)
        for error in self._validator(emission.event).iter_errors(body):
            place = "".join(f"/{step}" for step in error.instance_path)
            raise AssertionError(
                f"the webhook {emission.event} is not as the document has it: {place}: {error.message}"
            )
        number = next_number(space.transaction, "_events")
        kept: dict[str, Any] = {
            "id": number,
            "event": emission.event,
            "at": iso(space.now),
            "tenant": space.tenant,
            "resource": resource.name,
            "key": _key(resource, record),
            "body": body,
        }
        space.transaction.put(EVENTS, number, kept)

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


def _key(resource: Resource, record: StoredRecord) -> Key:
    key: Key = record[resource.key]
    return key


def plain(space: Space, event: Event, record: StoredRecord) -> Any:
    """The body of an event where the vendor has none of its own: the record."""
    return record
