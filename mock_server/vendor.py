"""What a vendor module fills in (Vendor), and what its actions are given (Call)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from mock_server.clock import Timestamps, mint, written
from mock_server.contract import Contract, Operation, Resource, Verb, View, escape
from mock_server.problems import Problem, Violation, violated
from mock_server.store import StoredRecord, TableName, Transaction

COUNTERS: TableName = ("", "_counters")
SHARED = ""


_NONE: Mapping[str, Any] = MappingProxyType({})


class Request(NamedTuple):
    """A request as it came in, before anything was made of it: `query` holds decoded pairs, header names are lower case."""

    method: str
    path: str
    base_url: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    world: str
    body: bytes = b""
    path_values: Mapping[str, str] = _NONE


class Input(NamedTuple):
    """What the contract made of a request: values by place and name, and the decoded body (None where there was none)."""

    path: Mapping[str, Any] = _NONE
    query: Mapping[str, Any] = _NONE
    header: Mapping[str, Any] = _NONE
    body: Any = None

    def at(self, where: str, name: str) -> Any:
        """The value at `path.id`, `body.plan_id`, ...; None where absent."""
        values = getattr(self, where)
        return values.get(name) if isinstance(values, Mapping) else None


class Caller(NamedTuple):
    """Who calls: the credential's record (None for a public operation) and the tenant the call is about."""

    credential: StoredRecord | None
    tenant: str


@dataclass(frozen=True, slots=True)
class Page:
    """A page of records: its number from 1, its size, how many records there are in all."""

    records: Sequence[StoredRecord]
    number: int
    size: int
    total: int


class Answer(NamedTuple):
    """What goes back: a JSON value (None: no content) under a status, with headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = _NONE


Result = StoredRecord | Page | Sequence[StoredRecord] | None
"""What an action gives: a record, a page, a list, or nothing. An Answer given instead goes out as it is."""


@dataclass(slots=True)
class Call:
    """One call under way: what was asked, by whom, when, and the transaction that its effects belong to."""

    contract: Contract
    operation: Operation
    request: Request
    input: Input
    caller: Caller
    transaction: Transaction
    now: datetime
    seed: str

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

    # Records --------------------------------------------------------------------------------------------------------

    def table(self, resource: str, tenant: str | None = None) -> TableName:
        """The table of a resource that this call sees."""
        shared = self.contract.resources[resource].scope == "vendor"
        return (SHARED if shared else self.caller.tenant if tenant is None else tenant, resource)

    def find(self, resource: str, key: Any) -> StoredRecord | None:
        """The record with that key, or None; deleted ones are not found."""
        if not isinstance(key, str | int) or isinstance(key, bool):
            return None
        record = self.transaction.get(self.table(resource), key)
        deleted = self.contract.resources[resource].deleted
        return None if record is not None and deleted and record.get(deleted) is not None else record

    def require(self, resource: str, key: Any) -> StoredRecord:
        """The record with that key. Raises Problem `unknown`."""
        record = self.find(resource, key)
        if record is None:
            raise self.unknown(resource)
        return record

    def unknown(self, resource: str) -> Problem:
        """The problem of a key that names nothing."""
        by = self.operation.action.by
        if by is None or by[0] == "credential":
            return Problem("unknown", f"There is no such {resource}.")
        where, name = by
        violation = Violation(where, f"/{escape(name)}", "unknown", f"names no {resource}")  # type: ignore[arg-type]
        return Problem("unknown", f"There is no such {resource}.", (violation,))

    def scan(
        self, resource: str, where: Mapping[str, Any] | None = None, *, offset: int = 0, limit: int | None = None
    ) -> Iterator[StoredRecord]:
        """The records of a resource in order of creation, whose fields equal `where`; deleted ones are left out."""
        return self.transaction.scan(self.table(resource), self._living(resource, where), offset=offset, limit=limit)

    def count(self, resource: str, where: Mapping[str, Any] | None = None) -> int:
        """How many records `scan` would give."""
        return self.transaction.count(self.table(resource), self._living(resource, where))

    def _living(self, resource: str, where: Mapping[str, Any] | None) -> Mapping[str, Any]:
        deleted = self.contract.resources[resource].deleted
        return {**(where or {}), deleted: None} if deleted else where or {}

    def create(self, resource: str, values: Mapping[str, Any]) -> StoredRecord:
        """Store a new record of those values: ids minted, stamps set, key and unique fields checked. Values given win over minted ones.

        Raises Problem `duplicate`.
        """
        facts = self.contract.resources[resource]
        record = {name: value for name, value in values.items() if name in facts.properties}
        for name, template in facts.mint.items():
            if record.get(name) is None:
                record[name] = self.mint(resource, name, template)
        for stamp in (facts.created, facts.updated):
            if stamp:
                record[stamp] = self.stamp()
        if facts.deleted:
            record[facts.deleted] = None
        record = {name: record[name] for name in facts.properties if name in record}
        if self.find(resource, record[facts.key]) is not None:
            raise _taken(resource, (facts.key,))
        self.check_unique(resource, record)
        self.transaction.put(self.table(resource), record[facts.key], record)
        return record

    def change(self, resource: str, record: StoredRecord, values: Mapping[str, Any]) -> StoredRecord:
        """Store the record with those values put over its own. Raises Problem `duplicate`."""
        facts = self.contract.resources[resource]
        changed = {**record, **{name: value for name, value in values.items() if name in facts.properties}}
        if facts.updated:
            changed[facts.updated] = self.stamp()
        self.check_unique(resource, changed)
        self.transaction.put(self.table(resource), record[facts.key], changed)
        return changed

    def remove(self, resource: str, record: StoredRecord) -> StoredRecord:
        """Delete the record: stamped and hidden where the contract has a deletion stamp, else gone. Gives what it was."""
        facts = self.contract.resources[resource]
        if facts.deleted:
            stamped = {**record, facts.deleted: self.stamp()}
            self.transaction.put(self.table(resource), record[facts.key], stamped)
            return stamped
        self.transaction.delete(self.table(resource), record[facts.key])
        return record

    def check_unique(self, resource: str, record: StoredRecord) -> None:
        """Raise Problem `duplicate` where another record of the tenant shares a unique field set."""
        facts = self.contract.resources[resource]
        for group in facts.unique:
            where = {name: record.get(name) for name in group}
            if any(value is None for value in where.values()):
                continue
            for other in self.scan(resource, where):
                if other[facts.key] != record[facts.key]:
                    raise _taken(resource, group)

    # Time, ids, answers ---------------------------------------------------------------------------------------------

    def stamp(self, moment: datetime | None = None) -> str | int:
        """A moment (now, if none is given) as this vendor writes it."""
        return written(moment or self.now, self.contract.timestamps)

    def mint(self, resource: str, name: str, template: str) -> str | int:
        """The next unused value of a minted property."""
        facts = self.contract.resources[resource]
        while True:
            number = next_number(self.transaction, counter(resource, name))
            made: str | int = mint(template, f"{self.seed}|{resource}", number)
            if facts.properties[name].get("type") == "integer":
                made = int(made)
            if name != facts.key or self.transaction.get(self.table(resource), made) is None:
                return made

    def mint_id(self, template: str) -> str:
        """The next id of a template that belongs to no resource, such as a request's."""
        return mint(template, self.seed, next_number(self.transaction, template))

    def view(self, resource: str | None = None) -> View | None:
        """Where the success answer shows records of a resource (the action's, if none is named)."""
        return self.operation.view(resource or self.operation.action.resource)

    def shown(self, record: StoredRecord, resource: str | None = None) -> dict[str, Any]:
        """What an answer of this operation shows of a record: the view's properties that it has, write-only ones left out."""
        name = resource or self.operation.action.resource
        view = self.view(name)
        facts = self.contract.resources[name]
        names = view.properties if view else tuple(facts.properties)
        return {column: record[column] for column in names if column in record and column not in facts.write_only}

    def dangling(self, pointer: str, resource: str) -> Problem:
        """The problem of a body's field that names no record."""
        return violated("dangling", pointer, f"names no {resource}")


def _taken(resource: str, fields: Sequence[str]) -> Problem:
    return Problem(
        "duplicate",
        f"Another {resource} has this {' and '.join(fields)}.",
        tuple(Violation("body", f"/{escape(name)}", "unique", "is taken") for name in fields),
    )


def counter(resource: str, name: str) -> str:
    """The name of the counter that a minted property is numbered by."""
    return f"{resource}.{name}"


def next_number(transaction: Transaction, name: str) -> int:
    """Count up a counter of the world."""
    n = int((transaction.get(COUNTERS, name) or {"n": 0})["n"]) + 1
    transaction.put(COUNTERS, name, {"n": n})
    return n


Mint = Callable[[str], str]
"""Makes the next id of a template."""
Action = Callable[[Call, Callable[[Call], Any]], Any]
"""`(call, proceed)`: calling `proceed` first, last, never or twice is after, before, instead, retry."""
Failure = Callable[[Problem, int, Mint], Any]
"""`(problem, status, mint_id)`: the body of a failed answer."""


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
    if isinstance(result, Page):
        return [call.shown(record) for record in result.records]
    if isinstance(result, Mapping):
        return call.shown(result)
    return None if result is None else [call.shown(record) for record in result]


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one vendor speaks, and the few actions that its document cannot state.

    `error(problem, status, mint_id)` gives the body of a failure, `answer(call, result)` that of a success. `actions` are by operationId,
    `verbs` by the verb of `x-action`, for operations that share one; `failures`, by operationId, are the error bodies of operations whose
    failures look different.
    """

    name: str
    error: Failure = _plain_error
    answer: Callable[[Call, Result], Any] = _plain_answer
    actions: dict[str, Action] = field(default_factory=dict)
    verbs: dict[str, Action] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)

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


def load_vendor(name: str) -> Vendor:
    """The module `mock_server.vendors.<name>`, or a plain vendor where there is none."""
    from mock_server import (
        vendors,
    )  # the folder is the list; importing it at the top would import every caller's vendors

    if any(module.name == name for module in pkgutil.iter_modules(vendors.__path__)):
        vendor = importlib.import_module(f"mock_server.vendors.{name}").vendor
        assert isinstance(vendor, Vendor), f"mock_server.vendors.{name} has no `vendor`"
        return vendor
    return Vendor(name)


__all__ = ["Answer", "Call", "Caller", "Input", "Page", "Request", "Result", "Timestamps", "Vendor", "load_vendor"]
