"""`Prefer: code=…, example=…`: a documented answer asked for by name, as Prism gives it, without touching state.

Semantics: Prism's (`docs/prism.md`), where a person's wish is clear: `;` separates like `,`; a declared status without the named example is 404
rather than another status; what was applied is said in `Preference-Applied` (RFC 7240).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mock_server.contract import Operation, Response
from mock_server.problems import Problem
from mock_server.vendor import Answer, Request

_PREFERENCE = re.compile(r'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^,;]*))?\s*(?:[,;]|$)')

_SEPARATOR = re.compile(r"[,;]")


@dataclass(frozen=True, slots=True)
class Preference:
    """The status and the example that a caller prefers."""

    code: int | None = None
    example: str | None = None

    def __bool__(self) -> bool:
        return self.code is not None or self.example is not None


def preferred(request: Request) -> Preference:
    """What the request prefers. Raises Problem `preference` for a code that is no status."""
    header = request.headers.get("prefer")
    given = parse(header) if header else {}
    query = {name[2:]: value for name, value in request.query if name in ("__code", "__example")}
    code = given.get("code", query.get("code"))
    if code is not None and not re.fullmatch(r"[0-9]{3}", code):
        raise Problem("preference", "The preferred code must be a status of three digits.")
    return Preference(int(code) if code is not None else None, given.get("example", query.get("example")))


def parse(header: str) -> Mapping[str, str]:
    """The preferences of a header, names in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    at = 0
    while at < len(header):
        match = _PREFERENCE.match(header, at)
        if match is None or match.end() == at:
            following = _SEPARATOR.search(header, at)
            at = following.end() if following else len(header)
            continue
        name, value = match.group(1).lower(), (match.group(2) or "").strip()
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        found.setdefault(name, value)
        at = match.end()
    return found


def answer(operation: Operation, preference: Preference) -> Answer:
    """The documented answer that is preferred. Raises Problem `preferred-missing` where there is none."""
    response = operation.success if preference.code is None else operation.responses.get(preference.code)
    if response is None:
        raise Problem("preferred-missing", f"{operation.id} documents no answer with the status {preference.code}.")
    applied = f"code={response.status}"
    body = None
    if response.content:
        name, body = _example(operation, response, preference.example)
        applied += f", example={name}"
    elif preference.example is not None:
        raise _missing(operation, response, preference.example)
    return Answer(response.status, body, {"Preference-Applied": applied, **_headers(response)})


def _example(operation: Operation, response: Response, name: str | None) -> tuple[str, Any]:
    examples = next(iter(response.examples.values()), {})
    if name is None and examples:
        name = next(iter(examples))
    if name is None or name not in examples:
        raise _missing(operation, response, name or "")
    return name, examples[name]["value"]


def _missing(operation: Operation, response: Response, name: str) -> Problem:
    return Problem("preferred-missing", f"The answer {response.status} of {operation.id} has no example {name!r}.")


def _headers(response: Response) -> dict[str, str]:
    """The declared headers, by their example."""
    found = {}
    for name, header in response.headers.items():
        schema = header.get("schema", {})
        value = header.get("example", schema.get("example", schema.get("default", schema.get("minimum"))))
        if value is not None:
            found[name] = str(value)
    return found
