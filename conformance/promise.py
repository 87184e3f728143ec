"""What a promise is: a sentence no schema can state, the facts it rests on, what it applies to, and how it is put to the test."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.client import Client
from conformance.scope import Scope
from mock_server.contract import Operation


@dataclass(frozen=True)
class Subject:
    """One thing a promise applies to: an operation, or one fact of it; `pointer` is where the document says so."""

    name: str
    operation: Operation
    pointer: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Promise:
    """A rule an implementation keeps, scripted. `facts` are the `x-` keys it probes.

    `probe` returns where the promise is kept, raises Broken where it is not, NotTested where this target cannot show it; of a part that it
    cannot show, `client.lacks` is told. `reading` takes its place where the target may only be read, if there is another way to see it there.
    """

    name: str
    sentence: str
    facts: tuple[str, ...]
    subjects: Callable[[Scope], Iterable[Subject]]
    probe: Callable[[Subject, Client], None]
    reading: Callable[[Subject, Client], None] | None = None


def all_promises() -> tuple[Promise, ...]:
    """Every promise: one module each in `conformance.promises`."""
    package = importlib.import_module("conformance.promises")
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    return tuple(importlib.import_module(f"conformance.promises.{name}").PROMISE for name in names)


def of(operation: Operation, fact: str = "x-action", **detail: Any) -> Subject:
    """The subject that is an operation, for a fact written on it."""
    pointer = f"{operation.pointer}/{fact}" if fact else operation.pointer
    return Subject(operation.id, operation, pointer, detail)
