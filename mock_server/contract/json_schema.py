"""Turns OpenAPI 3.0 schemas into JSON Schema 2020-12, which validators understand.

The two differ in `nullable`, boolean `exclusiveMinimum`, integer formats, and in what `readOnly` and `writeOnly` mean: a request may
carry a read-only property (it is ignored, so it is not checked), a response never carries a write-only one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal
from urllib.parse import quote

import jsonschema_rs

from mock_server.contract.files import Json, escape, steps
from mock_server.contract.parts import Part, walk
from mock_server.contract.references import follow

Direction = Literal["request", "response", "stored"]

_DROPPED = frozenset(
    {"nullable", "example", "examples", "readOnly", "writeOnly", "xml", "externalDocs", "deprecated", "discriminator"}
    | {"title", "description", "default"}
)
_MEANT_OTHERWISE = _DROPPED | {
    *("properties", "required", "allOf", "anyOf", "oneOf", "items", "not", "additionalProperties"),
    *("exclusiveMinimum", "exclusiveMaximum"),
}
_NAMED = ("document", "components")
"""What the named schemas of a document stand in."""
_INTEGERS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}


def convert(schema: Json, direction: Direction, document: Json = None) -> Json:
    """The JSON Schema of one OpenAPI schema object; local references point into `$defs`.

    With the document, a property whose schema is a reference is known to be read-only or write-only too.
    """
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return {"$ref": reference.replace("#/components/schemas/", "#/$defs/")}
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key not in _MEANT_OTHERWISE:
            if not key.startswith("x-"):
                result[key] = value
        elif key in _DROPPED:
            continue
        elif key == "properties":
            result[key] = {name: _property(item, direction, document) for name, item in value.items()}
        elif key == "required":
            properties = schema.get("properties", {})
            hidden = {name for name, item in properties.items() if _is_hidden(item, direction, document)}
            result[key] = [name for name in value if name not in hidden]
        elif key in ("allOf", "anyOf", "oneOf"):
            result[key] = [convert(item, direction, document) for item in value]
        elif key in ("items", "not", "additionalProperties"):
            result[key] = convert(value, direction, document)
        else:
            limit = "minimum" if key == "exclusiveMinimum" else "maximum"
            if value and limit in schema:
                result[key] = schema[limit]
    _bound_integer(schema, result)
    return _nullable(schema, result)


def _is_hidden(item: Json, direction: Direction, document: Json) -> bool:
    """Whether a property of that schema is not expected in this direction."""
    if direction == "stored":
        return False
    node = follow(document, item) if isinstance(item, dict) and "$ref" in item else item
    return isinstance(node, dict) and bool(node.get("readOnly" if direction == "request" else "writeOnly"))


def _property(item: Json, direction: Direction, document: Json) -> Json:
    if _is_hidden(item, direction, document):
        return direction == "request"
    return convert(item, direction, document)


def _bound_integer(schema: dict[str, Any], result: dict[str, Any]) -> None:
    if schema.get("type") != "integer":
        return
    bounds = _INTEGERS.get(schema.get("format", ""))
    if bounds:
        result.pop("format", None)
        if "exclusiveMinimum" not in result:
            result["minimum"] = max(bounds[0], result.get("minimum", bounds[0]))
        if "exclusiveMaximum" not in result:
            result["maximum"] = min(bounds[1], result.get("maximum", bounds[1]))


def _nullable(schema: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    if not schema.get("nullable") or "type" not in result:
        return result
    if "enum" in result and None not in result["enum"]:
        return {"anyOf": [result, {"type": "null"}]}
    return {**result, "type": [result["type"], "null"]}


def definitions(document: Json, direction: Direction) -> dict[str, Any]:
    """The `$defs` of a document: every named schema, converted for one direction."""
    schemas = document.get("components", {}).get("schemas", {})
    return {name: convert(schema, direction, document) for name, schema in schemas.items()}


class Definitions:
    """The named schemas of a document for one direction, each converted when something first leads to it."""

    def __init__(self, document: Json, direction: Direction) -> None:
        self._document = document
        self._schemas = document.get("components", {}).get("schemas", {})
        self._direction = direction
        self._known: dict[str, tuple[Json, frozenset[str]]] = {}

    def reached(self, converted: Json) -> dict[str, Any]:
        """The `$defs` that a converted schema needs: what it refers to, directly or by way of others."""
        found: dict[str, Any] = {}
        todo = set(_named(converted))
        while todo:
            name = todo.pop()
            if name in self._schemas:  # else the validator says so
                found[name], below = self._definition(name)
                todo |= below - found.keys()
        return found

    def _definition(self, name: str) -> tuple[Json, frozenset[str]]:
        known = self._known.get(name)
        if known is None:
            converted = convert(self._schemas[name], self._direction, self._document)
            known = self._known[name] = (converted, frozenset(_named(converted)))
        return known


def _named(converted: Json) -> Iterator[str]:
    """The names of the definitions that a converted schema refers to itself."""
    if isinstance(converted, dict):
        reference = converted.get("$ref")
        if isinstance(reference, str):
            yield from steps(reference)[1:2]
        for value in converted.values():
            if isinstance(value, dict | list):
                yield from _named(value)
    elif isinstance(converted, list):
        for item in converted:
            yield from _named(item)


def compile_all(document: Json, parts: Iterable[Part] | None = None) -> None:
    """Make one validator of every schema of a document, so that one that cannot be used is known at the start.

    `parts` are the document's, where the caller has them. Raises jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, or what a
    schema of another shape than OpenAPI's leads to.
    """
    named = definitions(document, "stored")
    references = {f"#/$defs/{quote(escape(name))}" for name in named}
    inline = []
    for part in walk(document) if parts is None else parts:
        if part.place == "schema" and "schema" not in part.within and part.within != _NAMED:
            converted = convert(part.node, "stored", document)
            if "$ref" in converted:
                references.add(converted["$ref"])
            else:
                inline.append(converted)
    jsonschema_rs.Draft202012Validator(
        {"allOf": [*({"$ref": reference} for reference in sorted(references)), *inline], "$defs": named}
    )
