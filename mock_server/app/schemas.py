"""The validators of one document, each compiled once, at its first use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from mock_server.app.violations import without_choices
from mock_server.contract import Contract, Definitions, convert, resolve
from mock_server.contract.json_schema import Direction


class Schemas:
    """The validators of one document; the same schema gives the same validator."""

    def __init__(self, contract: Contract) -> None:
        self._document = contract.document
        self._definitions: Mapping[Direction, Definitions] = {
            "request": Definitions(contract.document, "request"),
            "response": Definitions(contract.document, "response"),
        }
        self._compiled: dict[tuple[Direction, bytes], jsonschema_rs.Validator] = {}
        self._brief: dict[bytes, jsonschema_rs.Validator] = {}

    def validator(self, schema: Any, direction: Direction) -> jsonschema_rs.Validator:
        """The validator of a schema of the document, formats on."""
        converted = convert(schema, direction, self._document)
        name = (direction, orjson.dumps(converted))
        if name not in self._compiled:
            whole = {**converted, "$defs": self._definitions[direction].reached(converted)}
            self._compiled[name] = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
        return self._compiled[name]

    def brief(self, schema: Any) -> jsonschema_rs.Validator:
        """A validator of a request's schema that finds a mistake in a large body without explaining every form it might have had."""
        converted = convert(schema, "request", self._document)
        name = orjson.dumps(converted)
        if name not in self._brief:
            reached = self._definitions["request"].reached(converted).items()
            plain = {**without_choices(converted), "$defs": {key: without_choices(item) for key, item in reached}}
            self._brief[name] = jsonschema_rs.Draft202012Validator(plain, validate_formats=True)
        return self._brief[name]

    def deref(self, schema: Any) -> Mapping[str, Any]:
        """What a schema says, its reference followed."""
        while isinstance(schema, dict) and "$ref" in schema:
            schema = resolve(self._document, schema["$ref"].removeprefix("#"))
        return schema if isinstance(schema, dict) else {}
