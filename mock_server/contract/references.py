"""Follows references: local ones inside a document, and the keys of records that stand in a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.contract.files import Json, escape, resolve


def follow(document: Json, node: Json) -> dict[str, Any]:
    """What a node says, its local references followed; empty where they lead to no object."""
    seen: set[str] = set()
    while isinstance(node, dict) and isinstance(node.get("$ref"), str):
        reference = node["$ref"]
        if reference in seen or not reference.startswith("#"):
            return {}
        seen.add(reference)
        try:
            node = resolve(document, reference[1:])
        except KeyError:
            return {}
    return node if isinstance(node, dict) else {}


def named_records(document: Json, schema: Json, value: Json) -> Iterator[tuple[str, str, Json]]:
    """Every key of a record that a value holds by its schema: JSON pointer in the value, resource, key; nulls are left out.

    `anyOf` and `oneOf` are not entered, as they leave open which of their schemas the value is held to.
    """
    return _named(document, schema, value, "", frozenset())


def _named(
    document: Json, schema: Json, value: Json, pointer: str, trail: frozenset[int]
) -> Iterator[tuple[str, str, Json]]:
    node = follow(document, schema)
    if value is None or id(node) in trail:
        return
    target = node.get("x-references")
    if isinstance(target, str):
        yield pointer, target, value
    for part in node.get("allOf", ()):
        yield from _named(document, part, value, pointer, trail | {id(node)})
    if isinstance(value, dict):
        properties, other = node.get("properties", {}), node.get("additionalProperties")
        for name, item in value.items():
            inner = properties.get(name, other)
            if isinstance(inner, dict):
                yield from _named(document, inner, item, f"{pointer}/{escape(name)}", frozenset())
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _named(document, node.get("items", {}), item, f"{pointer}/{index}", frozenset())
