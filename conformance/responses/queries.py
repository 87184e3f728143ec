"""What a query says once it is text: a value of another type may be spelled as a valid one is."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from conformance.schemas import Schemas
from conformance.wire import unpack
from mock_server.contract import Operation


def is_valid(schemas: Schemas, operation: Operation, url: str) -> bool:
    """Whether the query of a request, read as its parameters' schemas read it, breaks none of them: `null` is a text of four letters."""
    query = urlsplit(url).query
    pairs, nested = parse_qs(query, keep_blank_values=True), unpack(query)
    for parameter in operation.parameters:
        if parameter.where != "query":
            continue
        if parameter.style == "deepObject":
            found = [nested[parameter.name]] if parameter.name in nested else []
        else:
            found = pairs.get(parameter.name, [])
            repeated = schemas.follow(parameter.schema).get("type") == "array" and parameter.explode
            found = [found] if repeated and found else found
        if parameter.required and not found:
            return False
        if not all(schemas.fits(parameter.schema, _read(schemas, parameter.schema, value)) for value in found):
            return False
    return True


def _read(schemas: Schemas, schema: Any, value: Any) -> Any:
    """Text as the type that the schema asks for, where it spells one."""
    node = schemas.follow(schema)
    if isinstance(value, Mapping):
        properties = schemas.properties(node)
        return {name: _read(schemas, properties.get(name, {}), item) for name, item in value.items()}
    if isinstance(value, list):
        return [_read(schemas, node.get("items", {}), item) for item in value]
    with contextlib.suppress(ValueError):
        match node.get("type"):
            case "array":
                return [_read(schemas, node.get("items", {}), item) for item in value.split(",")]
            case "integer":
                return int(value)
            case "number":
                return float(value)
            case "boolean":
                return {"true": True, "false": False}.get(value, value)
    return value
