"""Rules on examples: named, valid, and each another one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mock_server.contract import Json, Part, escape
from mock_server.contract.json_schema import Direction
from mock_server.lint.finding import Finding
from mock_server.lint.subject import Subject, as_mapping
from mock_server.lint.validation import Unusable


def named(subject: Subject) -> Iterator[Finding]:
    """unnamed-example."""
    for part in subject.parts:
        if part.place == "media type" and part.within[-1] == "response" and not part.node.get("examples"):
            yield subject.find(part.pointer, "unnamed-example", "a response with content needs a named example")


def valid(subject: Subject) -> Iterator[Finding]:
    """example-invalid, example-shape."""
    for part in subject.parts:
        for name, example in as_mapping(part.node.get("examples")).items():
            pointer = f"{part.pointer}/examples/{escape(name)}"
            node, at = subject.follow(example, pointer)
            if "value" not in node:
                yield subject.find(pointer, "example-shape", f"{name} is no Example Object with a value")
                continue
            yield from _faults(subject, part, node["value"], f"{at}/value")
        for key in ("example", "default"):
            if key in part.node and part.place in ("schema", "media type", "parameter", "header"):
                yield from _faults(subject, part, part.node[key], f"{part.pointer}/{key}")


def _faults(subject: Subject, part: Part, value: Json, pointer: str) -> Iterator[Finding]:
    schema = part.node if part.place == "schema" else part.node.get("schema")
    if schema is None:
        return
    try:
        for below, message in subject.validators.faults(schema, value, _direction(part)):
            yield subject.find(pointer + below, "example-invalid", message)
    except Unusable:
        return  # said by schema-unusable


def _direction(part: Part) -> Direction:
    """Who sends it: a webhook's request is the server's."""
    if part.place == "schema":
        return "stored"
    sent = part.place == "parameter" or "request body" in part.within or "parameter" in part.within
    return "request" if sent != ("webhook" in part.within) else "response"


def distinct(subject: Subject) -> Iterator[Finding]:
    """example-duplicate."""
    for part in subject.parts:
        first: dict[str, str] = {}
        for name, example in as_mapping(part.node.get("examples")).items():
            node, _ = subject.follow(example, "")
            if "value" not in node:
                continue
            text = _canonical(node["value"])
            if first.setdefault(text, name) != name:
                pointer = f"{part.pointer}/examples/{escape(name)}"
                yield subject.find(pointer, "example-duplicate", f"{name} has the value of {first[text]}")


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
