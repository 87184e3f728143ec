"""The document that is examined, with what many rules ask of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mock_server.contract import ContractError, Json, Part, escape, resolve, walk
from mock_server.contract.bundle import Bundle
from mock_server.contract.files import read
from mock_server.lint.finding import Finding, in_file
from mock_server.lint.validation import Validators

Place = tuple[Mapping[str, Any], str]
"""A schema and its pointer in the bundled document."""


@dataclass(frozen=True)
class Subject:
    """A bundled document, its parts, and the files it and its fixtures are written in."""

    bundle: Bundle

    @property
    def document(self) -> dict[str, Any]:
        """The self-contained document."""
        return self.bundle.document

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every object of the document that OpenAPI gives a meaning."""
        return tuple(walk(self.document))

    @cached_property
    def schemas(self) -> Mapping[str, Any]:
        """The named schemas."""
        found = as_mapping(as_mapping(self.document.get("components")).get("schemas"))
        return {name: schema for name, schema in found.items() if isinstance(schema, dict)}

    @cached_property
    def resources(self) -> frozenset[str]:
        """The names of the schemas that are resources."""
        return frozenset(name for name, schema in self.schemas.items() if "x-resource" in schema)

    @cached_property
    def validators(self) -> Validators:
        """The validators of the document's schemas."""
        return Validators(self.document)

    @cached_property
    def fixtures(self) -> Mapping[Path, Any]:
        """The fixtures files that can be read, parsed."""
        name = str(as_mapping(self.document.get("x-vendor")).get("name", self.bundle.path.stem))
        folder = self.bundle.path.parent.parent / "fixtures" / name
        return _parsed(sorted(folder.glob("*.yaml")) if folder.is_dir() else ())

    @cached_property
    def documents(self) -> Mapping[Path, Any]:
        """The files of the document that can be read, parsed."""
        named = {path for path, _ in self.bundle.origins.values()} - set(self.fixtures)
        return _parsed(sorted({self.bundle.path, *named}))

    def find(self, pointer: str, rule: str, message: str) -> Finding:
        """A finding at a JSON pointer of the bundled document, in the file that this part is written in."""
        path, inside = self.bundle.written_at(pointer)
        return in_file(path, inside, rule, message)

    def follow(self, node: Json, pointer: str) -> Place:
        """A node with its local references followed, and where it stands; empty where they lead nowhere."""
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            pointer = node["$ref"].removeprefix("#")
            if pointer in seen:
                return {}, pointer
            seen.add(pointer)
            try:
                node = resolve(self.document, pointer)
            except KeyError:
                return {}, pointer
        return as_mapping(node), pointer

    def below(self, node: Json, pointer: str) -> Iterator[Place]:
        """A request's schema and every schema under it, once each, references followed, read-only properties left out."""
        seen: set[str] = set()
        waiting: list[tuple[Json, str]] = [(node, pointer)]
        while waiting:
            schema, at = self.follow(*waiting.pop(0))
            if at in seen:
                continue
            seen.add(at)
            yield schema, at
            for name, item in as_mapping(schema.get("properties")).items():
                if not self.follow(item, "")[0].get("readOnly"):
                    waiting.append((item, f"{at}/properties/{escape(name)}"))
            for keyword in ("allOf", "anyOf", "oneOf"):
                parts = schema.get(keyword)
                for index, item in enumerate(parts if isinstance(parts, list) else ()):
                    waiting.append((item, f"{at}/{keyword}/{index}"))
            waiting += [
                (schema[key], f"{at}/{key}")
                for key in ("items", "additionalProperties")
                if isinstance(schema.get(key), dict)
            ]

    def properties(self, node: Json, pointer: str) -> Mapping[str, Place]:
        """The properties of a schema and of what it is composed of."""
        return self._properties(node, pointer, frozenset())

    def _properties(self, node: Json, pointer: str, trail: frozenset[str]) -> dict[str, Place]:
        schema, at = self.follow(node, pointer)
        found: dict[str, Place] = {}
        if at in trail:
            return found
        parts = schema.get("allOf")
        for index, part in enumerate(parts if isinstance(parts, list) else ()):
            found.update(self._properties(part, f"{at}/allOf/{index}", trail | {at}))
        for name, item in as_mapping(schema.get("properties")).items():
            found[name] = self.follow(item, f"{at}/properties/{escape(name)}")
        return found


def as_mapping(node: Json) -> Mapping[str, Any]:
    """The node, or nothing where it is no object."""
    return node if isinstance(node, dict) else {}


def strings(node: Json, pointer: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a value, with its JSON pointer."""
    if isinstance(node, str):
        yield pointer, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from strings(value, f"{pointer}/{escape(key)}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from strings(value, f"{pointer}/{index}")


def _parsed(paths: Any) -> dict[Path, Any]:
    found = {}
    for path in paths:
        try:
            found[path] = read(path)
        except ContractError:
            continue
    return found
