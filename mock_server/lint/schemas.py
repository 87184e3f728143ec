"""Rules on schemas: what a generator and a server could read differently, and what the server's libraries cannot serve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.lint.finding import Finding
from mock_server.lint.subject import Place, Subject, as_mapping
from mock_server.lint.validation import Unusable

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_COMPOSED = ("$ref", "allOf", "anyOf", "oneOf")


def usable(subject: Subject) -> Iterator[Finding]:
    """schema-unusable, array-items, nullable-place, reference-type."""
    for part in subject.parts:
        if part.place not in ("schema", "parameter"):
            continue
        node, pointer = part.node, part.pointer
        if "x-references" in node and not _is_key(subject, node if part.place == "schema" else node.get("schema")):
            yield subject.find(
                f"{pointer}/x-references", "reference-type", "what refers to a record is text or an integer"
            )
        if part.place == "parameter":
            continue
        if node.get("type") == "array" and "items" not in node:
            yield subject.find(pointer, "array-items", "this array does not say what its items are")
        beside = [key for key in _COMPOSED if key in node]
        if node.get("nullable") and (beside or "type" not in node):
            message = f"nullable beside {', '.join(beside)}" if beside else "nullable without type"
            yield subject.find(f"{pointer}/nullable", "nullable-place", f"{message} says nothing")
        if _leads_astray(node):
            yield subject.find(pointer, "schema-unusable", f"{node['$ref']} is not among components.schemas")
    if not any(part.place == "schema" and _leads_astray(part.node) for part in subject.parts):
        yield from _uncompilable(subject)


def _leads_astray(node: Mapping[str, Any]) -> bool:
    return isinstance(node.get("$ref"), str) and not node["$ref"].startswith("#/components/schemas/")


def _uncompilable(subject: Subject) -> Iterator[Finding]:
    for part in subject.parts:
        if part.place == "schema" and "schema" not in part.within:
            try:
                subject.validators.of(part.node, "stored")
            except Unusable as error:
                yield subject.find(part.pointer, "schema-unusable", str(error))


def _is_key(subject: Subject, schema: Any) -> bool:
    return subject.follow(schema, "")[0].get("type") in ("string", "integer")


def requests(subject: Subject) -> Iterator[Finding]:
    """unbounded-integer, parameter-type, form-type: in what a client sends."""
    for part in subject.parts:
        if "webhook" in part.within:
            continue
        if part.place == "parameter" and "$ref" not in part.node:
            yield from _parameter(subject, part.node, part.pointer)
        if part.place == "media type" and part.within[-1] == "request body":
            schema, pointer = part.node.get("schema"), f"{part.pointer}/schema"
            yield from _integers(subject, schema, pointer)
            if part.pointer.rpartition("/")[2].replace("~1", "/") in _FORMS:
                yield from _form(subject, schema, pointer)


def _parameter(subject: Subject, node: Mapping[str, Any], pointer: str) -> Iterator[Finding]:
    schema, _ = subject.follow(node.get("schema"), pointer)
    if not isinstance(schema.get("type"), str):
        yield subject.find(pointer, "parameter-type", f"the schema of {node.get('name')} has no type")
    yield from _integers(subject, node.get("schema"), f"{pointer}/schema")


def _integers(subject: Subject, schema: Any, pointer: str) -> Iterator[Finding]:
    for node, at in subject.below(schema, pointer):
        if node.get("type") == "integer" and not _is_bounded(node):
            yield subject.find(
                at, "unbounded-integer", "an integer needs format int32 or int64, or minimum and maximum"
            )


def _is_bounded(node: Mapping[str, Any]) -> bool:
    return "enum" in node or node.get("format") in ("int32", "int64") or {"minimum", "maximum"} <= set(node)


def _form(subject: Subject, schema: Any, pointer: str) -> Iterator[Finding]:
    place: Place
    for name, place in subject.properties(schema, pointer).items():
        if not isinstance(as_mapping(place[0]).get("type"), str):
            yield subject.find(place[1], "form-type", f"the form's property {name} has no type")
