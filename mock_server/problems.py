"""What can go wrong, in no vendor's words. One exception, raised anywhere; one place turns it into a vendor's envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from mock_server.contract import Kind

HttpKind = Literal[
    "no-path", "no-method", "not-acceptable", "too-large", "media-type", "not-served", "preference", "preferred-missing",
    "rate-limited", "key-reused", "key-in-use", "world", "host", "planned", "stopping", "internal",
]  # fmt: skip
"""Kinds of trouble that HTTP or the sandbox has, whatever the vendor."""

STATUSES: Mapping[str, int] = {
    "malformed": 400,
    "missing": 400,
    "invalid": 422,
    "parameter": 400,
    "unauthenticated": 401,
    "forbidden": 403,
    "unknown": 404,
    "dangling": 422,
    "duplicate": 409,
    "state": 409,
    "no-path": 404,
    "no-method": 405,
    "not-served": 404,
    "not-acceptable": 406,
    "too-large": 413,
    "media-type": 415,
    "preference": 422,
    "preferred-missing": 404,
    "rate-limited": 429,
    "key-reused": 422,
    "key-in-use": 409,
    "world": 400,
    "host": 403,
    "planned": 503,
    "stopping": 503,
    "internal": 500,
}
"""The status of each kind where the vendor's document states none."""

Where = Literal["body", "path", "query", "header", "cookie"]


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with a request: where, the JSON pointer there, the broken rule, and a sentence's rest.

    `rule` is a JSON Schema keyword or a kind of problem; `message` continues the field's name: "must be an integer". It never repeats
    what was sent, which may be a secret.
    """

    where: Where
    pointer: str
    rule: str
    message: str

    @property
    def field(self) -> str:
        """The property as a dotted path; empty for the whole body."""
        return ".".join(token.replace("~1", "/").replace("~0", "~") for token in self.pointer.split("/")[1:])

    @property
    def sentence(self) -> str:
        """The violation in words, with its subject."""
        subject = self.field or {"body": "The body"}.get(self.where, f"The {self.where}")
        return f"{subject} {self.message}."


MOST_TOLD = 20
"""Violations told in a problem's sentence; all of them are in `violations`."""


class Problem(Exception):
    """A request that cannot be served.

    `detail` is a sentence for people. `status` overrides what the contract says for the kind; `code` is a machine's name for it where the
    kind is too coarse; `headers` go into the answer.
    """

    def __init__(
        self,
        kind: Kind | HttpKind,
        detail: str = "",
        violations: tuple[Violation, ...] = (),
        *,
        status: int | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.violations = violations
        self.detail = detail or _summary(violations) or kind
        self.status = status
        self.code = code or kind
        self.headers = dict(headers or {})
        super().__init__(self.detail)


def _summary(violations: tuple[Violation, ...]) -> str:
    """The violations in words; a body of a megabyte can have a thousand, which nobody would read."""
    told = " ".join(violation.sentence for violation in violations[:MOST_TOLD])
    more = len(violations) - MOST_TOLD
    return f"{told} And {more} more." if more > 0 else told


def violated(
    kind: Kind, pointer: str, message: str, *, where: Where = "body", code: str | None = None, status: int | None = None
) -> Problem:
    """A problem with one field: `violated("invalid", "/email", "must be an address")`."""
    return Problem(kind, violations=(Violation(where, pointer, code or kind, message),), code=code, status=status)


VIOLATIONS_LIMIT = 8192
"""Bytes of the violations header at the most: Node's client refuses an answer with 16 KiB of headers in all."""


def listed(violations: tuple[Violation, ...]) -> str:
    """Every violation as a JSON array in ASCII; what would not fit is counted in a last element."""
    parts: list[str] = []
    size = 2
    for violation in violations:
        entry = {
            "in": violation.where,
            "pointer": violation.pointer,
            "rule": violation.rule,
            "message": violation.sentence,
        }
        part = json.dumps(entry)
        if size + len(part) > VIOLATIONS_LIMIT - 32:
            parts.append(json.dumps({"more": len(violations) - len(parts)}))
            break
        parts.append(part)
        size += len(part) + 1
    return ("[" + ",".join(parts) + "]").replace("\x7f", "\\u007f")
