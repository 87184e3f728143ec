"""What a query says once it is text: a value of another type may be spelled as a valid one is."""

from __future__ import annotations

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
            found: list[Any] = [nested[parameter.name]] if parameter.name in nested else []
        else:
            found = list(pairs.get(parameter.name, ()))
            if found and schemas.follow(parameter.schema).get("type") == "array":
                found = [found if parameter.explode else found[-1].split(",")]
        if parameter.required and not found:
            return False
        if not all(schemas.fits(parameter.schema, schemas.typed(parameter.schema, value)) for value in found):
            return False
    return True
