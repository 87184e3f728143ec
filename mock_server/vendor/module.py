"""What a vendor module fills in: how failures and successes look, and the actions that no document can state."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.contract import Verb
from mock_server.problems import Problem
from mock_server.store import StoredRecord
from mock_server.vendor.call import Call
from mock_server.vendor.messages import Event, Page, Result
from mock_server.vendor.space import Space

Mint = Callable[[str], str]
"""Makes the next id of a template."""
Action = Callable[[Call, Callable[[Call], Any]], Any]
"""`(call, proceed)`: calling `proceed` first, last, never or twice is after, before, instead, retry."""
Failure = Callable[[Problem, int, Mint], Any]
"""`(problem, status, mint_id)`: the body of a failed answer."""
Due = Callable[[Space, StoredRecord], None]
"""`(space, record)`: does what falls due, at `space.now`; the record is left with another moment or in another state."""
Payload = Callable[[Space, Event, StoredRecord], Any]
"""`(space, event, record)`: the body of a webhook about a record as it is now, or as it was when it was deleted."""


def _plain_error(problem: Problem, status: int, mint_id: Mint) -> Any:
    """RFC 9457's problem details."""
    return {
        "type": "about:blank",
        "title": problem.code,
        "status": status,
        "detail": problem.detail,
        "violations": [
            {"in": violation.where, "pointer": violation.pointer, "rule": violation.rule, "message": violation.sentence}
            for violation in problem.violations
        ],
    }


def _plain_answer(call: Call, result: Result) -> Any:
    """The bare record, or a bare list."""
    if result is None:
        return None
    if isinstance(result, Page):
        return call.listed(result.records)
    return call.shown(result) if isinstance(result, Mapping) else call.listed(result)


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one vendor speaks, and the few actions that its document cannot state.

    `error(problem, status, mint_id)` gives the body of a failure, `answer(call, result)` that of a success. `actions` are by operationId,
    `verbs` by the verb of `x-action`, for operations that share one; `failures`, by operationId, are the error bodies of operations whose
    failures look different. `dues`, by resource and name in `x-lifecycle`, do what the document's `to` leaves open; `events`, by name, are
    the bodies of webhooks. `waits`, by operationId, are what a call waits for before it is performed.
    """

    name: str
    error: Failure = _plain_error
    answer: Callable[[Call, Result], Any] = _plain_answer
    actions: dict[str, Action] = field(default_factory=dict)
    verbs: dict[str, Action] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    dues: dict[tuple[str, str], Due] = field(default_factory=dict)
    events: dict[str, Payload] = field(default_factory=dict)
    waits: dict[str, Callable[[Call], Awaitable[Any]]] = field(default_factory=dict)

    def action(self, *operation_ids: str) -> Callable[[Action], Action]:
        """Register the action of operations, by operationId."""

        def register(function: Action) -> Action:
            self.actions.update(dict.fromkeys(operation_ids, function))
            return function

        return register

    def verb(self, *verbs: Verb) -> Callable[[Action], Action]:
        """Register the action of every operation with that verb."""

        def register(function: Action) -> Action:
            self.verbs.update(dict.fromkeys(verbs, function))
            return function

        return register

    def failure(self, *operation_ids: str) -> Callable[[Failure], Failure]:
        """Register the error body of operations, by operationId."""

        def register(function: Failure) -> Failure:
            self.failures.update(dict.fromkeys(operation_ids, function))
            return function

        return register

    def due(self, resource: str, *names: str) -> Callable[[Due], Due]:
        """Register what is done when a transition of a resource's `x-lifecycle` falls due."""

        def register(function: Due) -> Due:
            self.dues.update(dict.fromkeys(((resource, name) for name in names), function))
            return function

        return register

    def event(self, *names: str) -> Callable[[Payload], Payload]:
        """Register the body of webhooks, by the event's name."""

        def register(function: Payload) -> Payload:
            self.events.update(dict.fromkeys(names, function))
            return function

        return register


def load_vendor(name: str) -> Vendor:
    """The module `mock_server.vendors.<name>`, or a plain vendor where there is none."""
    # The folder is the list; importing it at the top would import every caller's vendors.
    from mock_server import vendors

    if any(module.name == name for module in pkgutil.iter_modules(vendors.__path__)):
        vendor = importlib.import_module(f"mock_server.vendors.{name}").vendor
        assert isinstance(vendor, Vendor), f"mock_server.vendors.{name} has no `vendor`"
        return vendor
    return Vendor(name)
