"""Walks an OpenAPI document knowing what each part is: a schema, a parameter, an example, where `x-` keys may or may not stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mock_server.contract.files import Json, escape

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_CHILDREN: dict[str, dict[str, str]] = {
    "document": {
        "info": "info",
        "servers": "list:server",
        "tags": "list:plain",
        "externalDocs": "plain",
        "paths": "map:path item",
        "components": "components",
        "x-webhooks": "map:webhook",
    },
    "info": {"contact": "plain", "license": "plain"},
    "server": {"variables": "map:plain"},
    "components": {
        "schemas": "map:schema",
        "parameters": "map:parameter",
        "responses": "map:response",
        "requestBodies": "map:request body",
        "examples": "map:example",
        "headers": "map:header",
        "securitySchemes": "map:plain",
        "links": "map:link",
        "callbacks": "map:callback",
    },
    "path item": {"servers": "list:server", "parameters": "list:parameter", **dict.fromkeys(METHODS, "operation")},
    "webhook": {"parameters": "list:parameter", **dict.fromkeys(METHODS, "operation")},
    "callback": {"*": "webhook"},
    "operation": {
        "servers": "list:server",
        "externalDocs": "plain",
        "parameters": "list:parameter",
        "requestBody": "request body",
        "responses": "map:response",
        "callbacks": "map:callback",
    },
    "request body": {"content": "map:media type"},
    "response": {"content": "map:media type", "headers": "map:header", "links": "map:link"},
    "media type": {"schema": "schema", "examples": "map:example", "encoding": "map:encoding"},
    "encoding": {"headers": "map:header"},
    "link": {"server": "server"},
    "parameter": {"schema": "schema", "examples": "map:example", "content": "map:media type"},
    "header": {"schema": "schema", "examples": "map:example", "content": "map:media type"},
    "schema": {
        "properties": "map:schema",
        "items": "schema",
        "additionalProperties": "schema",
        "not": "schema",
        "allOf": "list:schema",
        "anyOf": "list:schema",
        "oneOf": "list:schema",
        "discriminator": "plain",
        "externalDocs": "plain",
        "xml": "plain",
    },
}


@dataclass(frozen=True, slots=True)
class Part:
    """An object of a document: its JSON pointer, what it is, itself, and what it stands in, from the document down."""

    pointer: str
    place: str
    node: dict[str, Any]
    within: tuple[str, ...]


def walk(document: Json) -> Iterator[Part]:
    """Every object of a document that OpenAPI gives a meaning, references not followed, examples and other values not entered."""
    return _walk(document, "", "document", ())


def _walk(node: Json, pointer: str, place: str, within: tuple[str, ...]) -> Iterator[Part]:
    if not isinstance(node, dict):
        return
    yield Part(pointer, place, node, within)
    children = _CHILDREN.get(place, {})
    below = (*within, place)
    for key, value in node.items():
        kind = children.get(key) or children.get("*")
        if kind is None:
            continue
        at = f"{pointer}/{escape(key)}"
        if kind.startswith("map:"):
            for name, item in value.items() if isinstance(value, dict) else ():
                yield from _walk(item, f"{at}/{escape(name)}", kind[4:], below)
        elif kind.startswith("list:"):
            for index, item in enumerate(value if isinstance(value, list) else ()):
                yield from _walk(item, f"{at}/{index}", kind[5:], below)
        else:
            yield from _walk(value, at, kind, below)
