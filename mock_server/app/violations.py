"""Says what a validator found in plain words: every violation, with its JSON pointer, never repeating what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs

from mock_server.contract import escape
from mock_server.problems import Violation, Where

_WORDS = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
}
_LIMITS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
}
_SIZES = {
    "minLength": "have at least {} characters",
    "maxLength": "have at most {} characters",
    "minItems": "have at least {} items",
    "maxItems": "have at most {} items",
    "minProperties": "have at least {} properties",
    "maxProperties": "have at most {} properties",
}
MOST = 1000
"""Violations reported at the most."""
LARGE = 16_384
"""Bytes beyond which the first violation alone is reported: a body of a megabyte can hold half a million, which takes seconds to find."""


def violations(validator: jsonschema_rs.Validator, value: Any, where: Where, prefix: str = "") -> Iterator[Violation]:
    """Every way in which `value` breaks the schema; `prefix` is the pointer of the value itself."""
    explained = (found for error in validator.iter_errors(value) for found in _explain(error, where, prefix))
    return islice(explained, MOST)


def first_violation(validator: jsonschema_rs.Validator, value: Any, where: Where) -> Iterator[Violation]:
    """The first way in which `value` breaks a schema, which is best one of `without_choices`."""
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield from islice(_explain(error, where, ""), MOST)


def without_choices(schema: Any) -> Any:
    """The same schema with every `anyOf` and `oneOf` doubly negated: it takes the same values, but a validator does not explain each form."""
    if isinstance(schema, list):
        return [without_choices(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: without_choices(item) for key, item in schema.items()}
    choices = [
        {"not": {"not": {key: plain.pop(key)}}} for key in ("anyOf", "oneOf") if isinstance(plain.get(key), list)
    ]
    return {**plain, "allOf": [*plain.get("allOf", ()), *choices]} if choices else plain


def _explain(error: jsonschema_rs.ValidationError, where: Where, prefix: str) -> Iterator[Violation]:
    pointer = prefix + "".join("/" + escape(str(step)) for step in error.instance_path)
    kind: Any = error.kind
    rule: str = kind.name
    if rule == "required":
        yield Violation(where, f"{pointer}/{escape(kind.property)}", "required", "is required")
    elif rule in ("additionalProperties", "unevaluatedProperties"):
        for name in kind.unexpected:
            yield Violation(where, f"{pointer}/{escape(name)}", rule, "is not known here")
    else:
        yield Violation(where, pointer, rule, _message(rule, kind))


def _message(rule: str, kind: Any) -> str:
    if rule == "type":
        return "must be " + " or ".join(_WORDS.get(name, name) for name in sorted(kind.types, key=_null_last))
    if rule == "enum":
        return "must be one of " + ", ".join(str(option) for option in kind.options if option is not None)
    if rule in _LIMITS:
        return "must be " + _LIMITS[rule].format(_limit(kind))
    if rule in _SIZES:
        return "must " + _SIZES[rule].format(kind.limit)
    if rule == "format":
        return f"must be a valid {kind.format}"
    if rule == "pattern":
        return f"must match {kind.pattern}"
    if rule == "uniqueItems":
        return "must not repeat an item"
    if rule in ("anyOf", "oneOf"):
        return "has none of the forms allowed here"
    return "is not allowed"


def _limit(kind: Any) -> Any:
    return kind.limit if hasattr(kind, "limit") else kind.multiple_of


def _null_last(name: str) -> tuple[bool, str]:
    return (name == "null", name)
