"""Decodes request bodies, strictly: what cannot be one JSON value, or one form, is a Problem and never a crash."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import jiter
import orjson

from mock_server.app import texts
from mock_server.problems import Problem

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 2000
LONGEST_REASON = 200
MOST_LEVELS = 200
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG = b"0" * 19
LARGEST_NUMBER = int(sys.float_info.max)


def media_type(header: str | None) -> tuple[str, str]:
    """The media type in lower case and its charset (`utf-8` unless stated); two empty texts where there is no header."""
    if not header:
        return "", ""
    essence, *parameters = header.split(";")
    charset = "utf-8"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip('"').lower()
    return essence.strip().lower(), charset


def choose(header: str | None, offered: Mapping[str, Any]) -> str:
    """The offered media type that the content type names; without a header, the first. Raises Problem `media-type`."""
    given, charset = media_type(header)
    if not header:
        return next(iter(offered))
    if charset not in ("utf-8", "utf8", "us-ascii", ""):
        raise Problem("media-type", "The body must be UTF-8.")
    if given in offered:
        return given
    if given.startswith("application/") and given.endswith("+json") and JSON in offered:
        return JSON
    raise Problem("media-type", f"The body must be one of: {', '.join(offered)}.")


def is_empty_form(header: str | None, offered: Mapping[str, Any]) -> bool:
    """Whether no bytes at all are a form without fields: the content type says that a form comes."""
    return FORM in offered and media_type(header)[0] == FORM


def decode(body: bytes, media: str, schema: Any, deref: texts.Deref) -> Any:
    """The value of a body. Raises Problem `malformed`."""
    return decode_form(body, schema, deref) if media == FORM else decode_json(body)


def decode_json(body: bytes) -> Any:
    """One JSON value: no NaN, no repeated key, no lone surrogate, no number beyond a double, nesting to 200 levels. Raises Problem `malformed`."""
    if _is_simple(body):
        try:
            value = orjson.loads(body)
            # As many strings as were sent: no key was dropped for being there twice.
            if orjson.dumps(value).count(b'"') == body.count(b'"'):
                return value
        except ValueError:
            pass  # the exact parser says what is wrong
    return decode_exactly(body)


def decode_exactly(body: bytes) -> Any:
    """What `decode_json` gives, for any body, at twice the time."""
    try:
        value = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise Problem("malformed", f"The body is not valid JSON: {str(error)[:LONGEST_REASON]}.") from None
    if _has_infinity(value):
        raise Problem("malformed", "The body holds a number that is too large.")
    return value


def _is_simple(body: bytes) -> bool:
    """Whether the quicker parser gives the same value as the exact one: no escapes, no very long numbers, no deep nesting."""
    if b"\\" in body or body.count(b"{") + body.count(b"[") >= MOST_LEVELS:
        return False
    return _LONG not in body.translate(_DIGITS)


def _has_infinity(value: Any) -> bool:
    """Whether a number somewhere in the value is beyond what a double can hold."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
        elif (isinstance(item, float) and math.isinf(item)) or (isinstance(item, int) and abs(item) > LARGEST_NUMBER):
            return True
    return False


def decode_form(body: bytes, schema: Any, deref: texts.Deref) -> Any:
    """A form as an object, its texts cast to the types of the schema."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise Problem("malformed", "The body is not a UTF-8 form.") from None
    try:
        return texts.cast(texts.nest(pairs), schema, deref)
    except texts.Tangled as error:
        raise Problem("malformed", f"The form cannot be read: {error}.") from None


def encode(value: Any) -> bytes:
    """A value as JSON. Integers of any size and every text survive."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
