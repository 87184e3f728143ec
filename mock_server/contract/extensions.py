"""Holds a document's `x-` keys against the closed vocabulary in `openapi/extensions.schema.json`."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from mock_server.contract.files import Json, data_root, escape, read
from mock_server.contract.parts import Part, walk


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong in a contract: where (a JSON pointer into the bundled document), under which rule, and what."""

    pointer: str
    rule: str
    message: str


@functools.cache
def _vocabulary() -> dict[str, tuple[frozenset[str], jsonschema_rs.Validator]]:
    schema = read(data_root() / "openapi" / "extensions.schema.json")
    return {
        key: (
            frozenset(entry["places"]),
            jsonschema_rs.validator_for(
                {**schema, "properties": schema["properties"], "required": [key], "type": "object"}
            ),
        )
        for key, entry in schema["properties"].items()
    }


def check(document: Json, parts: Iterable[Part] | None = None) -> Iterator[Finding]:
    """Yield a finding for every `x-` key that is unknown, out of place, or has a value outside the vocabulary.

    `parts` are the document's, where the caller has them.
    """
    for part in walk(document) if parts is None else parts:
        for key in part.node:
            if key.startswith("x-"):
                yield from check_keys(part.node, part.place, part.pointer)
                break


def check_keys(node: Mapping[str, Any], place: str, pointer: str = "") -> Iterator[Finding]:
    """The same for the keys of one object, which is a `place`: an operation, a schema, an example, ..."""
    for key, value in node.items():
        if not key.startswith("x-"):
            continue
        known = _vocabulary().get(key)
        at = f"{pointer}/{escape(key)}"
        if known is None:
            yield Finding(at, "unknown-extension", f"{key} is not in the vocabulary (openapi/README.md)")
            continue
        places, validator = known
        if place not in places:
            yield Finding(
                at, "extension-place", f"{key} does not belong on a {place}, but on: {', '.join(sorted(places))}"
            )
        if validator.is_valid({key: value}):
            continue
        for error in validator.iter_errors({key: value}):
            below = "".join("/" + escape(str(step)) for step in list(error.instance_path)[1:])
            yield Finding(at + below, "extension-value", f"{key}: {error.message}")
