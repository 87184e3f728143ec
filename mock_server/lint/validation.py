"""Validates values against a document's schemas, and says so where a schema itself is the trouble."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs

from mock_server.contract import Json, convert, definitions, escape
from mock_server.contract.json_schema import Direction

_LONGEST = 200


class Unusable(ValueError):
    """A schema that no validator can be made of."""


class Validators:
    """The validators of one document, each made once."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._definitions: dict[Direction, dict[str, Any]] = {}
        self._known: dict[tuple[Direction, str], jsonschema_rs.Validator | Unusable] = {}

    def faults(self, schema: Json, value: Json, direction: Direction) -> Iterator[tuple[str, str]]:
        """What is wrong with a value: JSON pointer in it, and message. Raises Unusable."""
        for error in self.of(schema, direction).iter_errors(value):
            pointer = "".join(f"/{escape(str(step))}" for step in error.instance_path)
            message = error.message
            yield pointer, message if len(message) <= _LONGEST else f"{message[:60]} … {message[-_LONGEST:]}"

    def of(self, schema: Json, direction: Direction) -> jsonschema_rs.Validator:
        """The validator of a schema. Raises Unusable."""
        converted = convert(schema, direction, self._document)
        text = json.dumps(converted, sort_keys=True)
        known = self._known.get((direction, text))
        if known is None:
            known = self._known[direction, text] = self._make(converted, direction, '"$ref"' in text)
        if isinstance(known, Unusable):
            raise known
        return known

    def _make(self, converted: Json, direction: Direction, refers: bool) -> jsonschema_rs.Validator | Unusable:
        if refers and direction not in self._definitions:
            self._definitions[direction] = definitions(self._document, direction)
        named = {"$defs": self._definitions[direction]} if refers else {}
        try:
            return jsonschema_rs.Draft202012Validator({**converted, **named}, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            return Unusable(getattr(error, "message", str(error)).partition("\n")[0][:_LONGEST])
