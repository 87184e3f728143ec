"""Reads the schemas of a contract: what properties there are, which are required, and whether a value fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal

import jsonschema_rs

from mock_server.contract import Definitions, Json, convert, resolve

Schema = Mapping[str, Any]
Direction = Literal["request", "response", "stored"]


class Schemas:
    """The schemas of one document, with references followed and validators kept.

    A class because a validator is costly to make and every probe asks for the same few.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self._validators: dict[tuple[int, str], jsonschema_rs.Validator] = {}
        self._properties: dict[int, Mapping[str, Schema]] = {}
        self._referring: dict[int, bool] = {}
        self._alive: list[Schema] = []
        self._definitions: dict[str, Definitions] = {}

    def follow(self, node: Json) -> Any:
        """The node, or what its chain of references leads to."""
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = resolve(self.document, node["$ref"].removeprefix("#"))
        return node

    def properties(self, schema: Json) -> Mapping[str, Schema]:
        """Every property of a schema, composed parts included, references followed."""
        node = self.follow(schema)
        if not isinstance(node, dict):
            return {}
        known = self._properties.get(id(node))
        if known is None:
            found: dict[str, Schema] = {}
            for part in (*node.get("allOf", ()), *node.get("anyOf", ()), *node.get("oneOf", ())):
                found.update(self.properties(part))
            for name, item in node.get("properties", {}).items():
                found[name] = self.follow(item)
            known = self._properties[id(node)] = MappingProxyType(found)
            self._alive.append(node)
        return known

    def required(self, schema: Json) -> list[str]:
        """The properties a request must carry: required ones the server does not set itself."""
        node = self.follow(schema)
        names: dict[str, None] = {}
        for part in node.get("allOf", ()):
            names.update(dict.fromkeys(self.required(part)))
        names.update(dict.fromkeys(node.get("required", ())))
        properties = self.properties(node)
        return [name for name in names if not properties.get(name, {}).get("readOnly")]

    def at(self, schema: Json, path: tuple[str, ...]) -> Any:
        """The schema below `path`, `-` standing for the items of an array; empty where there is none."""
        node = self.follow(schema)
        for step in path:
            node = self.follow(node.get("items", {})) if step == "-" else self.properties(node).get(step, {})
        return node

    def typed(self, schema: Json, value: Json) -> Json:
        """What a form or a query carries as text, in the types of a schema; text that spells no value of its type stays text."""
        node = self.follow(schema)
        if isinstance(value, dict):
            properties = self.properties(node)
            return {name: self.typed(properties.get(name, {}), item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.typed(node.get("items", {}), item) for item in value]
        kind = node.get("type")
        if value == "" and node.get("nullable"):
            return None
        if kind == "boolean":
            return {"true": True, "false": False, "1": True, "0": False}.get(value, value)
        if kind in ("integer", "number"):
            try:
                number = int(value) if value.lstrip("-").isdecimal() else float(value)
            except ValueError:
                return value
            return number if math.isfinite(number) else value
        return value

    def fits(self, schema: Json, value: Json, direction: Direction = "request") -> bool:
        """Whether the value is valid in that direction."""
        return self._validator(schema, direction).is_valid(value)

    def faults(self, schema: Json, value: Json, direction: Direction = "response") -> list[str]:
        """What is wrong with the value, each with its place."""
        return [
            f"at /{'/'.join(str(step) for step in error.instance_path)}: {error.message}"
            for error in self._validator(schema, direction).iter_errors(value)
        ]

    def _validator(self, schema: Json, direction: Direction) -> jsonschema_rs.Validator:
        known = self._validators.get((id(schema), direction))
        if known is None:
            converted = convert(schema, direction)
            known = jsonschema_rs.validator_for(self._whole(converted, direction), validate_formats=True)
            self._validators[id(schema), direction] = known
            self._alive.append(schema)
        return known

    def _whole(self, converted: Json, direction: Direction) -> Any:
        """A converted schema with the definitions that it leads to; all of a large document would take longer to read in than a schema to use."""
        if not isinstance(converted, dict):
            return converted
        named = self._definitions.setdefault(direction, Definitions(self.document, direction))
        return {**converted, "$defs": named.reached(converted)}

    def references(
        self, schema: Json, value: Json, at: tuple[str | int, ...] = ()
    ) -> Iterator[tuple[tuple[str | int, ...], str, Schema]]:
        """Every place in `value` that holds the key of a record: path, resource, schema."""
        node = self.follow(schema)
        if not isinstance(node, dict) or not self._refers(node):
            return
        if isinstance(node.get("x-references"), str) and not isinstance(value, dict | list):
            yield at, node["x-references"], node
        if isinstance(value, Mapping):
            for name, item in self.properties(node).items():
                if name in value:
                    yield from self.references(item, value[name], (*at, name))
        elif isinstance(value, list) and "items" in node:
            for index, item in enumerate(value):
                yield from self.references(node["items"], item, (*at, index))

    def _refers(self, node: Schema) -> bool:
        """Whether anything in a schema may be the key of a record: most have nothing, and every generated body is looked through."""
        known = self._referring.get(id(node))
        if known is None:
            self._alive.append(node)
            self._referring[id(node)] = True  # as long as it is being looked at, for a schema may hold itself
            inner = [*self.properties(node).values(), *([self.follow(node["items"])] if "items" in node else [])]
            known = "x-references" in node or any(self._refers(item) for item in inner if isinstance(item, dict))
            self._referring[id(node)] = known
        return known


def put(value: Json, path: tuple[str | int, ...], item: Json) -> Json:
    """A copy of `value` with `item` at `path`."""
    if not path:
        return item
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    copy[path[0]] = put(copy[path[0]], path[1:], item) if len(path) > 1 else item
    return copy


def drop(value: Json, path: tuple[str | int, ...]) -> Json:
    """A copy of `value` without what stands at `path`."""
    copy: Any = dict(value) if isinstance(value, Mapping) else list(value)
    if len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = drop(copy[path[0]], path[1:])
    return copy
