"""Hypothesis strategies for the fields of a request: valid values, and the ways a body may vary."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from conformance.schemas import Schema, Schemas
from mock_server.contract import Json

_TEXT = st.characters(exclude_categories=("Cs", "Cc"))
_FORMATS: Mapping[str, st.SearchStrategy[Json]] = {
    "date": st.dates().map(lambda day: day.isoformat()),
    "date-time": st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds") + "Z"),
    "email": st.from_regex(r"[a-z]{1,10}@example\.com", fullmatch=True),
    "uuid": st.uuids().map(str),
    "uri": st.from_regex(r"https://example\.com/[a-z]{0,10}", fullmatch=True),
}


def values(schemas: Schemas, schema: Json) -> st.SearchStrategy[Json] | None:
    """Valid values of a plain field; None where its meaning is not the schema's alone (references, patterns, choices of shape)."""
    node = schemas.follow(schema)
    kind = node.get("type")
    if any(key in node for key in ("x-references", "readOnly", "oneOf", "anyOf", "allOf", "pattern")):
        return None
    if "enum" in node:
        return st.sampled_from([value for value in node["enum"] if value is not None])
    if kind == "string":
        if "format" in node:
            return _FORMATS.get(node["format"])
        shortest, longest = int(node.get("minLength", 0)), min(int(node.get("maxLength", 40)), 300)
        return st.text(_TEXT, min_size=min(shortest, longest), max_size=longest)
    if kind == "integer":
        return st.integers(*_bounds(node))
    if kind == "boolean":
        return st.booleans()
    if kind == "object" and node.get("additionalProperties") is True and not node.get("properties"):
        leaves = st.text(_TEXT, max_size=10) | st.integers(-1000, 1000) | st.booleans()
        return st.dictionaries(st.text(_TEXT, min_size=1, max_size=8), leaves, max_size=3)
    return None


def _bounds(node: Schema) -> tuple[int, int]:
    low, high = (-(2**31), 2**31 - 1) if node.get("format") != "int64" else (-(2**53), 2**53)
    return int(node.get("minimum", low)), int(node.get("maximum", high))


def changes(schemas: Schemas, fields: Mapping[str, Schema], but: set[str]) -> st.SearchStrategy[dict[str, Json]]:
    """Up to three fields with other values."""
    known = {
        name: strategy
        for name, schema in fields.items()
        if name not in but and (strategy := values(schemas, schema)) is not None
    }
    if not known:
        return st.just({})
    chosen = st.lists(st.sampled_from(sorted(known)), min_size=1, max_size=3, unique=True)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: known[name] for name in names}))
