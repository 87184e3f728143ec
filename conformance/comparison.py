"""Compares what was sent with what is shown, as far as the shown schema can hold it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from conformance.client import Client
from conformance.schemas import Schemas
from mock_server.contract import Json, Operation, View


def shown_as(
    client: Client, operation: Operation, view: View | None, sent: Mapping[str, Any], record: Mapping[str, Any]
) -> list[str]:
    """Where a shown record differs from what was sent, property by property."""
    if view is None:
        return []
    schemas, wrong = client.scope.schemas, []
    properties = client.scope.shown(operation, view)
    for name, value in sent.items():
        schema = properties.get(name)
        if schema is None or schema.get("readOnly") or value is None:
            continue
        if name not in record:
            wrong.append(f"{name} is missing, {value!r} was sent")
        elif not same(schemas, schema, value, record[name]):
            wrong.append(f"{name} is {record[name]!r}, {value!r} was sent")
    return wrong


def same(schemas: Schemas, schema: Json, sent: Json, shown: Json) -> bool:
    """Whether a shown value is the one that was sent, as far as its schema can hold it.

    A scalar the shown schema cannot hold (a number shown as text, another case of a word) is compared as text; a structure
    it cannot hold is shown in another form on purpose. What the server adds must be declared.
    """
    if not schemas.fits(schema, sent, "response"):
        return isinstance(sent, Mapping | list) or str(sent).casefold() == str(shown).casefold()
    if isinstance(sent, Mapping):
        properties = schemas.properties(schema)
        return (
            isinstance(shown, Mapping)
            and all(name in sent or name in properties for name in shown)
            and all(
                value is None or (name in shown and same(schemas, properties.get(name, {}), value, shown[name]))
                for name, value in sent.items()
                if not properties.get(name, {}).get("readOnly") and not properties.get(name, {}).get("writeOnly")
            )
        )
    if isinstance(sent, list):
        items = schemas.at(schema, ("-",))
        return (
            isinstance(shown, list)
            and len(sent) == len(shown)
            and all(same(schemas, items, one, other) for one, other in zip(sent, shown, strict=True))
        )
    return bool(sent == shown) or (_moment(sent) is not None and _moment(sent) == _moment(shown))


def _moment(text: Json) -> float | None:
    if not isinstance(text, str) or len(text) < 19 or text[4:5] != "-":
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def among(state: Json, states: Collection[str]) -> bool:
    """Whether a shown state is one of those that the facts name, in whatever case it is shown."""
    return str(state).casefold() in {str(name).casefold() for name in states}
