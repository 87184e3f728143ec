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


def violations(
    validator: jsonschema_rs.Validator, value: Any, where: Where, prefix: str = "", *, size: int = 0
) -> Iterator[Violation]:
    """Every way in which `value` breaks the schema; `prefix` is the pointer of the value itself, `size` how many bytes it was sent in."""
    errors = validator.iter_errors(value) if size <= LARGE else _first_error(validator, value)
    explained = (violation for error in errors for violation in _explain(error, where, prefix))
    return islice(explained, MOST)


def _first_error(validator: jsonschema_rs.Validator, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


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
