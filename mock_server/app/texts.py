"""Turns text into values: query strings, form bodies and header values, by the type that the schema asks for.

Names with brackets nest as PHP and `deepObject` have it: `filter[name][$equals]=x`, `tags[]=a`, `items[0][id]=1`. The text `null` is null where
the schema allows null and not every text; nothing at all is an object without properties. A text that does not fit the type stays text, for
the validator to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Deref = Callable[[Any], Mapping[str, Any]]
"""Follows a schema's local reference."""

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,307})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
DEEPEST = 16
"""Levels of brackets at the most."""


class Tangled(ValueError):
    """Names that contradict each other, such as `a=1&a[b]=2`, or nest too deep."""


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Build a tree from bracketed names. A plain name that repeats gives a list of its texts. Raises Tangled."""
    tree: dict[str, Any] = {}
    for name, text in pairs:
        head, steps = split(name)
        node = tree
        path = [head, *steps]
        if len(path) > DEEPEST:
            raise Tangled("too many levels of brackets")
        for step in path[:-1]:
            child = node.setdefault(step, {})
            if not isinstance(child, dict):
                raise Tangled("a name is used both plainly and with brackets")
            node = child
        last = path[-1]
        if last == "" and len(path) > 1:
            last = str(len(node))
        if isinstance(node.get(last), dict):
            raise Tangled("a name is used both plainly and with brackets")
        if last in node:
            held = node[last]
            node[last] = [*held, text] if isinstance(held, list) else [held, text]
        else:
            node[last] = text
    return tree


def split(name: str) -> tuple[str, list[str]]:
    """`a[b][c]` is `a`, `[b, c]`; a name whose brackets do not close is itself."""
    head, bracket, rest = name.partition("[")
    if not bracket or not head:
        return name, []
    steps = _BRACKET.findall(bracket + rest)
    return (head, steps) if "".join(f"[{step}]" for step in steps) == bracket + rest else (name, [])


def cast(value: Any, schema: Any, deref: Deref) -> Any:
    """The value that text (or a tree of texts) stands for under a schema."""
    schema = deref(schema)
    kind = _kind(schema, deref)
    if kind == "array":
        return _array(value, schema, deref)
    if kind == "object" and isinstance(value, dict):
        properties = _properties(schema, deref)
        other = schema.get("additionalProperties")
        free = other if isinstance(other, dict) else {}
        return {name: cast(item, properties.get(name, free), deref) for name, item in value.items()}
    if isinstance(value, list):
        return cast(value[-1], schema, deref) if value and kind != "" else value
    if isinstance(value, str):
        if value == "null" and schema.get("nullable") and not _is_plain_text(schema, kind):
            return None
        return {} if value == "" and kind == "object" else scalar(value, kind)
    return listed(value) if kind == "" else value


def _is_plain_text(schema: Mapping[str, Any], kind: str) -> bool:
    """Whether any text fits: then `null` is one like any other."""
    return kind == "string" and not any(rule in schema for rule in ("format", "pattern", "enum"))


def _array(value: Any, schema: Mapping[str, Any], deref: Deref) -> Any:
    items = schema.get("items", {})
    if isinstance(value, dict):
        value = listed(value)
        if isinstance(value, dict):
            return value
    return [cast(item, items, deref) for item in (value if isinstance(value, list) else [value])]


def listed(value: Any) -> Any:
    """A tree whose names count from 0 is a list."""
    if isinstance(value, dict) and value and list(value) == [str(i) for i in range(len(value))]:
        return list(value.values())
    return value


def scalar(text: str, kind: str) -> Any:
    """The number or truth value a text stands for, where the type asks for one; otherwise the text."""
    if kind == "integer" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "number" and _NUMBER.fullmatch(text):
        number = float(text)
        whole = _INTEGER.fullmatch(text)
        return int(text) if whole else number if abs(number) != float("inf") else text
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


def _kind(schema: Mapping[str, Any], deref: Deref) -> str:
    kind = schema.get("type")
    if isinstance(kind, str):
        return kind
    if "properties" in schema:
        return "object"
    for part in schema.get("allOf", ()):
        if inner := _kind(deref(part), deref):
            return inner
    return ""


def _properties(schema: Mapping[str, Any], deref: Deref) -> dict[str, Any]:
    found = dict(schema.get("properties", {}))
    for part in schema.get("allOf", ()):
        for name, item in _properties(deref(part), deref).items():
            found.setdefault(name, item)
    return found
