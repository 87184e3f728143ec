"""Holds a document's `x-` keys against the closed vocabulary in `openapi/extensions.schema.json`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from mock_server.contract.files import Json, data_root, escape, read

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a contract: where (a JSON pointer into the bundled document), under which rule, and what."""

    pointer: str
    rule: str
    message: str


@functools.cache
def _vocabulary() -> dict[str, tuple[frozenset[str], jsonschema_rs.Validator]]:
    schema = read(data_root() / "openapi" / "extensions.schema.json")
    return {
        key: (
            frozenset(entry["places"]),
            jsonschema_rs.validator_for(
                {**schema, "properties": schema["properties"], "required": [key], "type": "object"}
            ),
        )
        for key, entry in schema["properties"].items()
    }


def check(document: Json) -> Iterator[Finding]:
    """Yield a finding for every `x-` key that is unknown, out of place, or has a value outside the vocabulary."""
    for pointer, place, key, value in _extensions(document):
        known = _vocabulary().get(key)
        at = f"{pointer}/{escape(key)}"
        if known is None:
            yield Finding(at, "unknown-extension", f"{key} is not in the vocabulary (openapi/README.md)")
            continue
        places, validator = known
        if place not in places:
            yield Finding(
                at, "extension-place", f"{key} does not belong on a {place}, but on: {', '.join(sorted(places))}"
            )
        for error in validator.iter_errors({key: value}):
            below = "".join("/" + escape(str(step)) for step in list(error.instance_path)[1:])
            yield Finding(at + below, "extension-value", f"{key}: {error.message}")


def _extensions(document: Json) -> Iterator[tuple[str, str, str, Any]]:
    """Every extension as (pointer of its holder, kind of holder, key, value)."""
    yield from _walk(document, "", "document")


_CHILDREN: dict[str, dict[str, str]] = {
    "document": {"paths": "map:path item", "components": "components", "x-webhooks": "map:webhook", "info": "plain"},
    "components": {
        "schemas": "map:schema",
        "parameters": "map:parameter",
        "responses": "map:response",
        "requestBodies": "map:request body",
        "examples": "map:example",
        "headers": "map:header",
        "securitySchemes": "map:plain",
        "links": "map:plain",
        "callbacks": "map:plain",
    },
    "path item": {"parameters": "list:parameter", **dict.fromkeys(METHODS, "operation")},
    "webhook": {"parameters": "list:parameter", **dict.fromkeys(METHODS, "operation")},
    "operation": {"parameters": "list:parameter", "requestBody": "request body", "responses": "map:response"},
    "request body": {"content": "map:media type"},
    "response": {"content": "map:media type", "headers": "map:header", "links": "map:plain"},
    "media type": {"schema": "schema", "examples": "map:example"},
    "parameter": {"schema": "schema", "examples": "map:example", "content": "map:media type"},
    "header": {"schema": "schema", "examples": "map:example"},
    "schema": {
        "properties": "map:schema",
        "items": "schema",
        "additionalProperties": "schema",
        "not": "schema",
        "allOf": "list:schema",
        "anyOf": "list:schema",
        "oneOf": "list:schema",
    },
}


def _walk(node: Json, pointer: str, place: str) -> Iterator[tuple[str, str, str, Any]]:
    if not isinstance(node, dict):
        return
    children = _CHILDREN.get(place, {})
    for key, value in node.items():
        at = f"{pointer}/{escape(str(key))}"
        if isinstance(key, str) and key.startswith("x-"):
            yield pointer, place, key, value
        kind = children.get(key)
        if kind is None:
            continue
        if kind.startswith("map:") and isinstance(value, dict):
            for name, item in value.items():
                yield from _walk(item, f"{at}/{escape(str(name))}", kind[4:])
        elif kind.startswith("list:") and isinstance(value, list):
            for index, item in enumerate(value):
                yield from _walk(item, f"{at}/{index}", kind[5:])
        elif not kind.startswith(("map:", "list:")):
            yield from _walk(value, at, kind)
