"""The webhooks of a document, and the changes of records that give them off."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from mock_server.contract.changes import Emission, Transition, Webhook
from mock_server.contract.files import Json, escape
from mock_server.contract.parts import METHODS
from mock_server.contract.source import Source, provenance


def read_webhooks(source: Source) -> Iterator[tuple[str, Webhook]]:
    """Every event of `x-webhooks`, by its name. Raises ContractError for one that has no body."""
    for event, item in source.document.get("x-webhooks", {}).items():
        pointer = f"/x-webhooks/{escape(event)}"
        method = next((method for method in METHODS if method in item), None)
        content = source.deref(item[method].get("requestBody", {}), pointer)[0].get("content") if method else None
        if method is None or not content:
            raise source.fail(pointer, f"the webhook {event} has no body")
        media = next(iter(content))
        schema = content[media].get("schema", {})
        footing = provenance(item[method]) or provenance(item)
        yield event, Webhook(event, method, media, schema, footing, f"{pointer}/{method}", item[method])


def read_lifecycle(source: Source, schema: Json, properties: Mapping[str, Any], pointer: str) -> Iterator[Transition]:
    """What time does to a record. Raises ContractError for what names no property."""
    for name, node in schema.get("x-lifecycle", {}).items():
        if node["at"] not in properties:
            raise source.fail(f"{pointer}/x-lifecycle/{name}", f"{name} is at {node['at']}, which is no property")
        yield Transition(name, node["at"], tuple(node.get("from", ())), tuple(node.get("to", ())))


def read_emissions(
    source: Source, schema: Json, properties: Mapping[str, Any], events: Collection[str], pointer: str
) -> Iterator[Emission]:
    """The events that a record's changes give off. Raises ContractError for what names no event or no property."""
    for event, node in schema.get("x-emits", {}).items():
        at = f"{pointer}/x-emits/{escape(event)}"
        if event not in events:
            raise source.fail(at, f"x-emits names {event}, which x-webhooks has not")
        for name in (*node.get("fields", ()), *node.get("where", ())):
            if name not in properties:
                raise source.fail(at, f"{event} depends on {name}, which is no property")
        on = node["on"] if isinstance(node["on"], list) else [node["on"]]
        where = {
            name: tuple(value) if isinstance(value, list) else (value,) for name, value in node.get("where", {}).items()
        }
        yield Emission(event, frozenset(on), tuple(node.get("fields", ())), where)
