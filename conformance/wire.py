"""How values travel: in queries, forms and JSON, and a whole request as a command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mock_server.contract import Json, Parameter

FORM = "application/x-www-form-urlencoded"


def as_text(value: Any) -> str:
    """A value as a path, a query or a form spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return "" if value is None else str(value)


def query_pairs(parameter: Parameter, value: Any) -> Iterator[tuple[str, str]]:
    """A query parameter in its style: one pair, one for each item, or brackets."""
    if parameter.style == "deepObject" and isinstance(value, Mapping):
        yield from brackets(parameter.name, value)
    elif isinstance(value, list):
        if parameter.explode:
            yield from ((parameter.name, as_text(item)) for item in value)
        else:
            yield parameter.name, ",".join(as_text(item) for item in value)
    elif isinstance(value, Mapping) and parameter.explode:
        yield from ((name, as_text(item)) for name, item in value.items())
    else:
        yield parameter.name, as_text(value)


def brackets(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Nested values as `name[key][key]=value` pairs; an item of a list is `name[]`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from brackets(f"{name}[{key}]", item)
    elif isinstance(value, list):
        for item in value:
            yield from brackets(f"{name}[]", item)
    else:
        yield name, as_text(value)


def encode(body: Json, media: str) -> bytes:
    """A body in its media type: a form, or JSON."""
    if isinstance(body, bytes):
        return body
    if media == FORM and isinstance(body, Mapping):
        return urlencode([pair for name, value in body.items() for pair in brackets(name, value)]).encode()
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")


def unpack(text: str) -> Json:
    """What a form carries, the other way round than `brackets`: `a[b]=c` an object, `a[]=c` and `a[0]=c` arrays; every value is text."""
    made: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        node: Any = made
        for step, below in zip((first, *rest), (*rest, None), strict=True):
            if below is None:
                _put(node, step, value)
            else:
                node = _put(node, step, [] if below == "" or below.isdecimal() else {})
    return made


def _put(node: Any, step: str, value: Any) -> Any:
    """Put a value at a step where nothing stands yet, and give what stands there."""
    if isinstance(node, list):
        if step.isdecimal() and int(step) < len(node):
            return node[int(step)]
        node.append(value)
        return node[-1]
    return node.setdefault(step, value) if isinstance(node, dict) else {}


def curl(
    method: str, url: str, headers: Mapping[str, str], content: bytes | None, secrets: Mapping[str, str] | None = None
) -> str:
    """The request as a command line; each secret stands as a shell variable."""
    parts = ["curl", "-X", method, shlex.quote(url)]
    parts += [part for name, value in headers.items() for part in ("-H", shlex.quote(f"{name}: {value}"))]
    if content is not None:
        text = content.decode("utf-8", "backslashreplace")
        parts += ["--data-raw", shlex.quote(text if len(text) <= 2000 else text[:2000] + "…")]
    line = " ".join(parts)
    for secret, variable in (secrets or {}).items():
        line = line.replace(secret, f"'\"{variable}\"'")
    return line
