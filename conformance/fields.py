"""The fields of requests and answers, as paths: those a document states, and those that a call held. `[]` is any item of a list."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from conformance.schemas import Schemas
from conformance.scope import Scope
from mock_server.contract import Operation

_DEPTH = 6
_ITEMS = 20


def fields_of(sent: bytes | None, shown: Any) -> set[str]:
    """The fields that one call sent, as `> path`, and that its answer showed, as `< path`."""
    return {f"> {path}" for path in _paths(_sent(sent))} | {f"< {path}" for path in _paths(shown)}


def stated_fields(scope: Scope, operation: Operation) -> set[str]:
    """The fields of an operation's request body and success answer, as the document states them."""
    schemas = scope.schemas
    answer = next(iter(operation.success.content.values()), None)
    asked = {f"> {path}" for path in _stated(schemas, operation.body.schema, "readOnly")} if operation.body else set()
    return asked | ({f"< {path}" for path in _stated(schemas, answer, "writeOnly")} if answer else set())


def _stated(schemas: Schemas, schema: Any, left_out: str, path: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:
    node = schemas.follow(schema)
    if len(above) > _DEPTH or id(node) in above or not isinstance(node, dict):
        return
    above = (*above, id(node))
    if (items := node.get("items")) is not None:
        yield from _stated(schemas, items, left_out, f"{path}[]", above)
    for name, item in schemas.properties(node).items():
        if not schemas.follow(item).get(left_out) and not item.get(left_out):
            below = f"{path}.{name}" if path else name
            yield below
            yield from _stated(schemas, item, left_out, below, above)


def _paths(value: Any, path: str = "", depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, dict):
        for name, item in value.items():
            below = f"{path}.{name}" if path else str(name)
            yield below
            yield from _paths(item, below, depth + 1)
    elif isinstance(value, list):
        for item in value[:_ITEMS]:
            yield from _paths(item, f"{path}[]", depth + 1)


def _sent(content: bytes | None) -> Any:
    if not content:
        return None
    found = _json(content)
    if found is None and b"=" in content:
        pairs = parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True)
        return {name.partition("[")[0]: value for name, value in pairs}
    return found


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None
