"""One call under way, as actions see it: what was asked, by whom, when, and the records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from mock_server.contract import Contract, Operation, Resource, View, escape
from mock_server.problems import Problem, Violation, violated
from mock_server.store import StoredRecord, Transaction
from mock_server.vendor.messages import NOTHING, Caller, Claim, Input, Request
from mock_server.vendor.space import Space


class Call(Space):
    """One call under way: what was asked, by whom, when, and the transaction that its effects belong to.

    `delay` are the seconds that a planned fault makes it wait; `wait` is what else it waits for, and `waited` what that gave.
    """

    __slots__ = ("caller", "claim", "delay", "input", "operation", "request", "wait", "waited")

    def __init__(
        self,
        contract: Contract,
        operation: Operation,
        request: Request,
        caller: Caller,
        transaction: Transaction,
        now: datetime,
        seed: str,
        given: Input = NOTHING,
    ) -> None:
        self.contract = contract
        self.transaction = transaction
        self.now = now
        self.seed = seed
        self.tenant = caller.tenant
        self.touched = None
        self.operation = operation
        self.request = request
        self.caller = caller
        self.input = given
        self.claim: Claim | None = None
        self.delay = 0.0
        self.wait: Callable[[Call], Awaitable[Any]] | None = None
        self.waited: Any = None

    # What was asked -------------------------------------------------------------------------------------------------

    @property
    def body(self) -> Any:
        """The decoded body."""
        return self.input.body

    @property
    def resource(self) -> Resource:
        """The resource the operation's `x-action` names."""
        return self.contract.resources[self.operation.action.resource]

    def key(self) -> Any:
        """The value at the place that `x-action.by` names; None where the request has none."""
        if self.operation.action.by is None:
            return None
        where, name = self.operation.action.by
        if where == "credential":
            return (self.caller.credential or {}).get(name)
        return self.input.at(where, name)

    def unknown(self, resource: str) -> Problem:
        """The problem of a key that names nothing."""
        by = self.operation.action.by
        if by is None or by[0] == "credential":
            return Problem("unknown", f"There is no such {resource}.")
        where, name = by
        violation = Violation(where, f"/{escape(name)}", "unknown", f"names no {resource}")  # type: ignore[arg-type]
        return Problem("unknown", f"There is no such {resource}.", (violation,))

    # Answers --------------------------------------------------------------------------------------------------------

    def view(self, resource: str | None = None) -> View | None:
        """Where the success answer shows records of a resource (the action's, if none is named)."""
        return self.operation.view(resource or self.operation.action.resource)

    def shown(self, record: StoredRecord, resource: str | None = None) -> StoredRecord:
        """What an answer of this operation shows of a record: the view's properties that it has, write-only ones left out.

        Where that is all of it, the record itself: no copy.
        """
        columns = self._columns(resource or self.operation.action.resource)
        return record if columns is None else {column: record[column] for column in columns if column in record}

    def listed(self, records: Iterable[StoredRecord], resource: str | None = None) -> list[StoredRecord]:
        """What an answer of this operation shows of each record: see `shown`."""
        columns = self._columns(resource or self.operation.action.resource)
        if columns is None:
            return list(records)
        return [{column: record[column] for column in columns if column in record} for record in records]

    def _columns(self, resource: str) -> tuple[str, ...] | None:
        """The properties that an answer of this operation shows; None where that is every one there is."""
        known = self.operation.columns
        if resource not in known:
            facts, view = self.contract.resources[resource], self.view(resource)
            names = view.properties if view else tuple(facts.properties)
            shown = tuple(name for name in names if name in facts.properties and name not in facts.write_only)
            known[resource] = None if shown == tuple(facts.properties) else shown
        return known[resource]

    def dangling(self, pointer: str, resource: str) -> Problem:
        """The problem of a body's field that names no record."""
        return violated("dangling", pointer, f"names no {resource}")
