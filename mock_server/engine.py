"""The life of one call: who calls, preference, replay, planned fault, action, remember, answer, all in one transaction.

`receive` says who calls, `admit` does what comes before any effect, `perform` does the rest. All are synchronous and quick; whoever calls them
does the waiting, for a body or a planned delay. Any failure is a Problem, and `refuse` turns it into the vendor's envelope.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from mock_server import actions, callers, due, faults, preferences, replies, seeds
from mock_server.clock import Clock, mint
from mock_server.contract import Contract, ContractError, Fixtures, Operation
from mock_server.due import Agenda, Happened
from mock_server.events import Audience, Teller, Told
from mock_server.problems import STATUSES, Problem, listed
from mock_server.store import MemoryStore, StoredRecord, TableName, Transaction
from mock_server.vendor import SHARED, Answer, Call, Request, Space, Vendor, next_number

logger = logging.getLogger(__name__)

CLOCK: TableName = (SHARED, "_clock")
T = TypeVar("T")
DEFAULT_WORLD = "default"
MOST_WORLDS = 5000
"""Worlds at the most: each takes about 90 kB with four vendors."""


class Engine:
    """Serves one vendor's contract over a store. `frozen` starts every world's clock at that moment."""

    def __init__(
        self,
        contract: Contract,
        vendor: Vendor,
        fixtures: Fixtures,
        store: MemoryStore,
        *,
        seed: int = 0,
        frozen: datetime | None = None,
        inferred: bool = False,
    ) -> None:
        self.contract = contract
        self.vendor = vendor
        self.fixtures = fixtures
        self.store = store
        self.seed = str(seed)
        self._tenant = fixtures.tenant
        self.inferred = inferred
        self._clock = Clock(frozen)
        self._teller = Teller(contract, vendor.events, inferred=inferred)
        self._ages = any(resource.lifecycle for resource in contract.resources.values())
        self._agendas: dict[str, Agenda] = {}
        self.audience: Audience | None = None
        self._actions = {operation.id: self._bind(operation) for operation in contract.operations.values()}
        self._check_vendor()
        seeds.check(contract, fixtures)

    def _check_vendor(self) -> None:
        """Raise ContractError where the module and the document do not fit together."""
        contract, vendor = self.contract, self.vendor
        for name in (*vendor.actions, *vendor.failures, *vendor.waits):
            if name not in contract.operations:
                raise ContractError(f"the module of {vendor.name} has an action for {name}, which the document lacks")
        for name in vendor.events:
            if name not in contract.webhooks:
                raise ContractError(f"the module of {vendor.name} has a body for {name}, which x-webhooks lacks")
        known = {
            (resource.name, due.name): due for resource in contract.resources.values() for due in resource.lifecycle
        }
        for resource, name in vendor.dues.keys() - known.keys():
            raise ContractError(f"the module of {vendor.name} does {name} of {resource}, which x-lifecycle lacks")
        for (resource, name), transition in known.items():
            if (resource, name) not in vendor.dues and len(transition.to) != 1:
                place = contract.place(f"{contract.resources[resource].pointer}/x-lifecycle/{name}")
                raise ContractError(f"{place}: nothing does {name} of a {resource}")

    def _bind(self, operation: Operation) -> Callable[[Call], Any]:
        """The function that does what an operation says: the vendor's around the plain one."""
        plain = actions.PLAIN.get(operation.action.verb)
        special = self.vendor.actions.get(operation.id) or self.vendor.verbs.get(operation.action.verb)
        if special is not None:
            proceed = plain or _no_plain_action
            return lambda call: special(call, proceed)
        if plain is None:
            place = self.contract.place(operation.pointer)
            raise ContractError(f"{place}: nothing does {operation.action.verb} for {operation.id}")
        return plain

    # Worlds ---------------------------------------------------------------------------------------------------------

    def begin(self, world: str) -> Transaction:
        """A transaction in a world, which is sown on first use."""
        worlds = self.store.worlds()
        if world not in worlds and len(worlds) >= MOST_WORLDS and world != DEFAULT_WORLD:
            raise Problem(
                "world", f"There are {MOST_WORLDS} worlds, the most there may be; resetting one frees its place."
            )
        transaction = self.store.begin(world, self.contract.name)
        if transaction.get(CLOCK, "clock") is None:
            transaction.put(CLOCK, "clock", self._clock.record())
            seeds.sow(transaction, self.contract, self.fixtures)
            transaction.commit()
            self._agendas[world] = self._sown_agenda()
        return transaction

    def _sown_agenda(self) -> Agenda:
        agenda = Agenda()
        for name, records in self.fixtures.records.items():
            for record in records:
                resource = self.contract.resources[name]
                agenda.note(self.contract, record.tenant or SHARED, resource, None, record.value)
        return agenda

    def clock(self, transaction: Transaction) -> Clock:
        """The clock of the transaction's world."""
        record = transaction.get(CLOCK, "clock")
        return Clock.of(record) if record is not None else self._clock

    def set_clock(self, world: str, clock: Clock) -> None:
        """Set a world's clock, as it is now: what falls due is `happen`'s."""
        transaction = self.begin(world)
        transaction.put(CLOCK, "clock", clock.record())
        transaction.commit()

    def rewrite(self, world: str, tenant: str, resource: str, before: StoredRecord, record: StoredRecord) -> None:
        """Store a record over the one there was, as nobody's call: no event, but what it waits for may be another moment."""
        transaction = self.begin(world)
        facts = self.contract.resources[resource]
        transaction.put((tenant, resource), record[facts.key], record)
        self._agendas[world].note(self.contract, tenant, facts, before, record)
        transaction.commit()
        self._after(world, ())

    def forget(self, world: str) -> None:
        """What is kept about a world beside the store."""
        self._agendas.pop(world, None)

    # Time -----------------------------------------------------------------------------------------------------------

    def next_due(self, world: str) -> datetime | None:
        """The moment at which something falls due next in a world."""
        agenda = self._agendas.get(world)
        if agenda is None or not agenda.entries:
            return None
        entry = agenda.next(self.contract, self.begin(world))
        return entry.at if entry else None

    def happen(self, world: str) -> Happened:
        """Let the next thing that falls due happen, at its own time: all of it, or nothing where the vendor's module fails."""
        agenda, transaction = self._agendas[world], self.begin(world)
        entry = agenda.next(self.contract, transaction)
        assert entry is not None, "something is due"
        space = Space(self.contract, transaction, entry.at, self.seed, entry.tenant)
        try:
            before, after = due.pass_over(space, self.vendor.dues, entry)
            events, told = self._consequences(space, world)
        except Exception as error:
            logger.exception("%s of %s %s failed", entry.name, entry.resource, entry.key)
            agenda.drop()
            return Happened(entry, None, None, (), f"{type(error).__name__}: {error}")
        transaction.commit()
        self._after(world, told)
        return Happened(entry, before, after, tuple(events))

    def catch_up(self, world: str, now: datetime) -> None:
        """Let everything happen that has fallen due by now."""
        agenda = self._agendas.get(world)
        if agenda is None or not agenda.entries or agenda.entries[0].at > now:
            return
        while (at := self.next_due(world)) is not None and at <= now:
            self.happen(world)

    def step(self, world: str, at: datetime, work: Callable[[Space], T]) -> T:
        """Do something to the records of all tenants that is nobody's call, in one transaction."""
        space = Space(self.contract, self.begin(world), at, self.seed, SHARED)
        result = work(space)
        _, told = self._consequences(space, world)
        space.transaction.commit()
        self._after(world, told)
        return result

    def _consequences(self, space: Space, world: str) -> tuple[list[str], list[Told]]:
        """What follows from the changes of a step: what the records wait for now, and the events, those with a body that someone is told of."""
        names: list[str] = []
        told: list[Told] = []
        agenda = self._agendas[world]
        for (name, key), before in (space.touched or {}).items():
            resource = self.contract.resources[name]
            after = space.transaction.get(space.table(name), key)
            if resource.lifecycle:
                agenda.note(self.contract, space.tenant, resource, before, after)
            for event, record in self._teller.events(resource, before, after) if resource.emissions else ():
                names.append(event)
                if self.audience is not None and self.audience.wants(world, self.contract.name, event):
                    told.append(self._teller.tell(space, resource, event, before, record))
        return names, told

    def _after(self, world: str, told: Sequence[Told]) -> None:
        """What comes after a step that is stored."""
        agenda = self._agendas[world]
        if agenda.is_crowded:
            agenda.tidy(self.contract, self.begin(world))
        if self.audience is not None:
            self.audience.hear(world, self.contract.name, told)

    # The call -------------------------------------------------------------------------------------------------------

    def receive(self, operation: Operation, request: Request) -> Call:
        """The call, once it is known who makes it and for which tenant. Raises what `callers.identify` raises."""
        transaction = self.begin(request.world)
        clock = self.clock(transaction)
        now = clock.now()
        if self._ages:
            self.catch_up(request.world, now)
        caller = callers.identify(self.contract, operation, request, transaction, clock, self._tenant)
        return Call(self.contract, operation, request, caller, transaction, now, self.seed)

    def admit(self, call: Call) -> Answer | None:
        """What comes before any effect: an answer that is already known; else leave to `perform`, after `call.delay` seconds."""
        request, transaction = call.request, call.transaction
        if (request.query or "prefer" in request.headers) and (preference := preferences.preferred(request)):
            return preferences.answer(call.operation, preference)
        if self.contract.idempotency is not None:
            claim = replies.claim(self.contract.idempotency, call)
            if isinstance(claim, Answer):
                return claim
            call.claim = claim
        fault = faults.meet(call.operation, transaction)
        if fault is not None:
            if fault["status"]:
                transaction.commit()
                raise faults.problem(fault["status"])
            call.delay = fault["delay"]
        if call.claim is not None:
            replies.hold(call.claim, transaction)
        if self.vendor.waits:
            call.wait = self.vendor.waits.get(call.operation.id)
        transaction.commit()
        return None

    def resume(self, call: Call) -> None:
        """Go on with a call that has waited, in the world as it is now: meanwhile it may have been reset, or its clock moved."""
        call.transaction = self.begin(call.request.world)
        call.now = self.clock(call.transaction).now()

    def perform(self, call: Call, check: Callable[[Answer], None]) -> Answer:
        """Do it: the action in a transaction, its answer checked and remembered.

        Raises Problem, or what `check` raises of an answer that the document does not allow; then nothing was changed.
        """
        try:
            actions.check_references(call)
            result = self._actions[call.operation.id](call)
            answer = result if isinstance(result, Answer) else self._answer(call, result)
            check(answer)
            told = self._consequences(call, call.request.world)[1] if call.touched else ()
        except BaseException:
            self.abandon(call)
            raise
        if call.claim is not None:
            replies.remember(call.claim, answer, call.transaction, call.now)
        call.transaction.commit()
        if call.touched:
            self._after(call.request.world, told)
        return answer

    def abandon(self, call: Call) -> None:
        """Forget a call that will not be performed, so that its idempotency key is free again."""
        if call.claim is not None:
            transaction = self.begin(call.request.world)
            replies.forget(call.claim, transaction)
            transaction.commit()

    def _answer(self, call: Call, result: Any) -> Answer:
        success = call.operation.success
        return Answer(success.status, self.vendor.answer(call, result) if success.content else None)

    # Failure --------------------------------------------------------------------------------------------------------

    def refuse(self, problem: Problem, world: str, operation: Operation | None = None) -> Answer:
        """The vendor's envelope around a problem, with every violation in the header `X-Mock-Violations`."""
        statuses: Mapping[str, int] = operation.statuses if operation else self.contract.statuses
        status = problem.status or statuses.get(problem.kind) or STATUSES[problem.kind]
        transaction = self.begin(DEFAULT_WORLD if problem.kind == "world" else world)

        def mint_id(template: str) -> str:
            return mint(template, self.seed, next_number(transaction, template))

        error = self.vendor.failures.get(operation.id, self.vendor.error) if operation else self.vendor.error
        body = error(problem, status, mint_id)
        transaction.commit()
        headers = dict(problem.headers)
        if problem.violations:
            headers["X-Mock-Violations"] = listed(problem.violations)
        if status == 401:
            headers.setdefault("WWW-Authenticate", "Bearer")
        return Answer(status, body, headers)


def _no_plain_action(call: Call) -> Any:
    raise AssertionError(f"{call.operation.id} has no plain action to proceed to")
