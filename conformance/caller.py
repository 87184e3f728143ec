"""Who may call an implementation, and what is wrong with what is said of one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class BadTarget(Exception):
    """The target, or the file that describes it, makes no sense; the message says what."""


@dataclass(frozen=True)
class Caller:
    """Someone who may call: a token, a tenant, headers of their own, and the records they know by name."""

    name: str
    token: str | None
    tenant: str = ""
    subject: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)

    def records(self, resource: str) -> tuple[Mapping[str, Any], ...]:
        """The records of a resource known beforehand, the default one first."""
        return tuple(self.known.get(resource, {}).values())
