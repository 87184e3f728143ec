"""A bundled document as the reader asks it: references followed, properties gathered, refusals with their place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.contract.bundle import Bundle
from mock_server.contract.calls import Response
from mock_server.contract.files import ContractError, Json, escape, resolve
from mock_server.contract.model import Provenance


@dataclass(frozen=True, slots=True)
class Source:
    """A bundled document, with what was read of it before, as many operations share it.

    `answers` are by status and pointer; `gathered` are the properties of the schema that has the id, which lives as long as the document.
    """

    bundle: Bundle
    answers: dict[tuple[int, str], Response] = field(default_factory=dict)
    gathered: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def document(self) -> dict[str, Any]:
        """The document."""
        return self.bundle.document

    def fail(self, pointer: str, message: str) -> ContractError:
        """The error that refuses what stands at a pointer."""
        return ContractError(message, self.bundle.place(pointer), self.bundle.written_at(pointer)[1])

    def deref(self, node: Json, pointer: str) -> tuple[Json, str]:
        """Follow local references: the node they lead to and its pointer."""
        if not isinstance(node, dict) or "$ref" not in node:
            return node, pointer
        seen: set[str] = set()
        while isinstance(node, dict) and isinstance(node.get("$ref"), str):
            target = node["$ref"].removeprefix("#")
            try:
                if target in seen:
                    raise KeyError
                seen.add(target)
                node, pointer = resolve(self.document, target), target
            except KeyError:
                raise self.fail(pointer, f"the reference {node['$ref']} names nothing") from None
        return node, pointer

    def properties(self, schema: Json, pointer: str) -> dict[str, Any]:
        """The properties of a schema and of what it is composed of, references followed; the later one wins."""
        node, pointer = self.deref(schema, pointer)
        known = self.gathered.get(id(node))
        if known is None:
            known = self.gathered[id(node)] = self._properties(node, pointer)
        return known

    def _properties(self, node: Json, pointer: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for index, part in enumerate(node.get("allOf", [])):
            found.update(self.properties(part, f"{pointer}/allOf/{index}"))
        for name, item in node.get("properties", {}).items():
            resolved, _ = self.deref(item, f"{pointer}/properties/{escape(name)}")
            found[name] = {**found[name], **resolved} if name in found else resolved
        return found

    def raw_property(self, node: Json, key: str) -> Json:
        """The schema of a property as it is written, its reference not followed."""
        if key in node.get("properties", {}):
            return node["properties"][key]
        for part in node.get("allOf", []):
            resolved, _ = self.deref(part, "")
            if key in self.properties(resolved, ""):
                return self.raw_property(resolved, key)
        return {}

    def references(self, properties: Mapping[str, Any], pointer: str, names: set[str]) -> dict[str, str]:
        """The properties that refer to a record, with the resource; it must be one of `names`."""
        references = {
            name: item["x-references"] for name, item in properties.items() if isinstance(item.get("x-references"), str)
        }
        for name, target in references.items():
            if target not in names:
                raise self.fail(pointer, f"the property {name} refers to {target}, which is no resource")
        return references


def provenance(node: Mapping[str, Any], otherwise: Provenance | None = None) -> Provenance | None:
    """The `x-provenance` of a node, or what its surroundings say."""
    value = node.get("x-provenance")
    if isinstance(value, str):
        return Provenance(value)  # type: ignore[arg-type]  # the vocabulary has been checked
    if isinstance(value, dict):
        ((level, source),) = value.items()
        return Provenance(level, source)
    return otherwise
