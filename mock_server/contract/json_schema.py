"""Turns OpenAPI 3.0 schemas into JSON Schema 2020-12, which validators understand.

The two differ in `nullable`, boolean `exclusiveMinimum`, integer formats, and in what `readOnly` and `writeOnly` mean: a request may
carry a read-only property (it is ignored, so it is not checked), a response never carries a write-only one.
"""

from __future__ import annotations

from typing import Any, Literal

import jsonschema_rs

from mock_server.contract.files import Json
from mock_server.contract.parts import walk
from mock_server.contract.references import follow

Direction = Literal["request", "response", "stored"]

_DROPPED = frozenset(
    {"nullable", "example", "examples", "readOnly", "writeOnly", "xml", "externalDocs", "deprecated", "discriminator"}
    | {"title", "description", "default"}
)
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
        if key in _DROPPED or key.startswith("x-"):
            continue
        if key == "properties":
            result[key] = {name: _property(item, direction, document) for name, item in value.items()}
        elif key == "required":
            properties = schema.get("properties", {})
            hidden = {name for name, item in properties.items() if _is_hidden(item, direction, document)}
            result[key] = [name for name in value if name not in hidden]
        elif key in ("allOf", "anyOf", "oneOf"):
            result[key] = [convert(item, direction, document) for item in value]
        elif key in ("items", "not", "additionalProperties"):
            result[key] = convert(value, direction, document)
        elif key in ("exclusiveMinimum", "exclusiveMaximum"):
            limit = "minimum" if key == "exclusiveMinimum" else "maximum"
            if value and limit in schema:
                result[key] = schema[limit]
        else:
            result[key] = value
    _bound_integer(schema, result)
    return _nullable(schema, result)


def _is_hidden(item: Json, direction: Direction, document: Json) -> bool:
    """Whether a property of that schema is not expected in this direction."""
    if direction == "stored":
        return False
    return bool(follow(document, item).get("readOnly" if direction == "request" else "writeOnly"))


def _property(item: Json, direction: Direction, document: Json) -> Json:
    if _is_hidden(item, direction, document):
        return direction == "request"
    return convert(item, direction, document)


def _bound_integer(schema: dict[str, Any], result: dict[str, Any]) -> None:
    bounds = _INTEGERS.get(schema.get("format", ""))
    if bounds and schema.get("type") == "integer":
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


def compile_all(document: Json) -> None:
    """Make one validator of every schema of a document, so that one that cannot be used is known at the start.

    Raises jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, or what a schema of another shape than OpenAPI's leads to.
    """
    roots = [part.node for part in walk(document) if part.place == "schema" and "schema" not in part.within]
    inline = [convert(node, "stored", document) for node in roots]
    jsonschema_rs.Draft202012Validator({"allOf": inline, "$defs": definitions(document, "stored")})
