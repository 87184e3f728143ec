"""The facts of a contract, each an `x-` key at its place, and which promises were put to the test about each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.promise import Promise
from conformance.scope import Scope
from mock_server.contract import escape

_PARTS = ("x-vendor", "x-resource", "x-lifecycle", "x-emits", "x-sums", "x-statuses")
"""The keys whose entries are facts of their own."""
_STATED = (*_PARTS, "x-action", "x-references")
_PLAIN = ("name", "error", "key", "known", "mint")
"""Entries that name things and promise nothing by themselves."""


@dataclass(frozen=True)
class Fact:
    """One `x-` key, or one entry of one: where it stands; `owner` is the operation, resource or document that it is about."""

    key: str
    pointer: str
    owner: str
    barred: bool = False

    @property
    def name(self) -> str:
        """How it is told apart from others: its pointer."""
        return self.pointer


@dataclass(frozen=True)
class Probing:
    """One promise put to the test for one subject: which keys it probes, and at which places."""

    name: str
    status: str
    reason: str
    keys: tuple[str, ...]
    places: tuple[str, ...]
    pointer: str

    def is_about(self, fact: Fact) -> bool:
        """Whether it is about the very place where the fact stands, or a part of it, or a whole that it is part of."""
        one, other = f"{self.pointer}/", f"{fact.pointer}/"
        return one.startswith(other) or other.startswith(one)

    def touches(self, fact: Fact) -> bool:
        """Whether it is evidence about the fact: it is about that very place, or probes such keys of what it is about."""
        if self.is_about(fact):
            return True
        return fact.key in self.keys and fact.owner in ("", *self.places)


def facts(scope: Scope) -> Iterator[Fact]:
    """Every fact that the document states; `barred` where it stands on an operation that the scope leaves out."""
    owners = [(operation.pointer, False) for operation in scope.operations]
    owners += [(operation.pointer, True) for operation in scope.unseen()]
    owners += [(resource.pointer, False) for resource in scope.contract.resources.values()]
    for pointer, key, value in _found(scope.contract.document, ""):
        owner, barred = next((one for one in owners if f"{pointer}/".startswith(f"{one[0]}/")), ("", False))
        if key in _PARTS and isinstance(value, Mapping):
            for entry in value:
                if entry not in _PLAIN:
                    yield Fact(key, f"{pointer}/{escape(str(entry))}", owner, barred)
        elif key in _STATED:
            yield Fact(key, pointer, owner, barred)


def probings(scope: Scope, promises: Sequence[Promise], outcomes: Sequence[Mapping[str, Any]]) -> list[Probing]:
    """What the outcomes of a run are evidence about."""
    came = {(o["promise"], o["subject"]): o for o in outcomes if o["layer"] == "promises"}
    found = []
    for promise in promises:
        for subject in promise.subjects(scope):
            outcome = came.get((promise.name, subject.name))
            if outcome is None:
                continue
            resource = scope.contract.resources.get(subject.operation.action.resource)
            places = (subject.operation.pointer, *((resource.pointer,) if resource else ()))
            name = f"{promise.name} {subject.name}"
            found.append(Probing(name, outcome["status"], outcome["reason"], promise.facts, places, subject.pointer))
    return found


def _found(node: Any, pointer: str) -> Iterator[tuple[str, str, Any]]:
    """Each `x-` key of a document with its pointer; examples and webhooks' own documents hold none that count."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            below = f"{pointer}/{escape(str(name))}"
            if isinstance(name, str) and name.startswith("x-"):
                yield below, name, value
            elif name not in ("example", "examples", "enum", "default"):
                yield from _found(value, below)
    elif isinstance(node, list):
        for number, item in enumerate(node):
            yield from _found(item, f"{pointer}/{number}")
