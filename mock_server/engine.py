"""The life of one call: preference, replay, planned fault, transaction { action }, remember, answer.

`admit` does what comes before any effect and says how long to wait; `perform` does the rest. Both are synchronous and quick; whoever calls
them does the waiting. Any failure is a Problem, and `refuse` turns it into the vendor's envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mock_server import actions, callers, faults, preferences, replies, seeds
from mock_server.clock import Clock, mint
from mock_server.contract import Contract, ContractError, Fixtures, Operation
from mock_server.problems import STATUSES, Problem, listed
from mock_server.replies import Claim
from mock_server.store import MemoryStore, TableName, Transaction
from mock_server.vendor import SHARED, Answer, Call, Caller, Input, Request, Vendor, next_number

CLOCK: TableName = (SHARED, "_clock")
DEFAULT_WORLD = "default"
MOST_WORLDS = 5000
"""Worlds at the most: each takes about 90 kB with four vendors."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may go on: after `delay` seconds, `perform` it, or `abandon` it."""

    operation: Operation
    request: Request
    input: Input
    caller: Caller
    claim: Claim | None = None
    delay: float = 0.0


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
        self.inferred = inferred
        self._clock = Clock(frozen)
        self._actions = {operation.id: self._bind(operation) for operation in contract.operations.values()}
        for name in (*vendor.actions, *vendor.failures):
            if name not in contract.operations:
                raise ContractError(f"the module of {vendor.name} has an action for {name}, which the document lacks")
        seeds.check(contract, fixtures)
        store.index(
            contract.name,
            {
                name: frozenset((facts.key, *facts.references, *(column for group in facts.unique for column in group)))
                for name, facts in contract.resources.items()
            },
        )

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
        return transaction

    def clock(self, transaction: Transaction) -> Clock:
        """The clock of the transaction's world."""
        record = transaction.get(CLOCK, "clock")
        return Clock.of(record) if record is not None else self._clock

    # Who calls ------------------------------------------------------------------------------------------------------

    def identify(self, operation: Operation, request: Request) -> Caller:
        """The caller and the tenant the call is about. Raises what `callers.identify` raises."""
        transaction = self.begin(request.world)
        return callers.identify(
            self.contract, operation, request, transaction, self.clock(transaction), self.fixtures.tenant
        )

    # The call -------------------------------------------------------------------------------------------------------

    def admit(self, operation: Operation, request: Request, given: Input, caller: Caller) -> Answer | Admission:
        """What comes before any effect: an answer that is already known, or leave to go on."""
        if (request.query or "prefer" in request.headers) and (preference := preferences.preferred(request)):
            return preferences.answer(operation, preference)
        transaction = self.begin(request.world)
        claim = replies.claim(self.contract, operation, given, caller, transaction, self.clock(transaction))
        if isinstance(claim, Answer):
            return claim
        fault = faults.meet(operation, transaction)
        if fault and fault["status"]:
            transaction.commit()
            raise faults.problem(fault["status"])
        if claim is not None:
            replies.hold(claim, transaction)
        transaction.commit()
        return Admission(operation, request, given, caller, claim, fault["delay"] if fault else 0.0)

    def perform(self, admission: Admission, check: Callable[[Answer], None]) -> Answer:
        """Do it: the action in a transaction, its answer checked and remembered.

        Raises Problem, or what `check` raises of an answer that the document does not allow; then nothing was changed.
        """
        operation, request = admission.operation, admission.request
        transaction = self.begin(request.world)
        now = self.clock(transaction).now()
        call = Call(
            self.contract, operation, request, admission.input, admission.caller, transaction, now, self.seed
        )  # fmt: skip
        try:
            actions.check_references(call)
            result = self._actions[operation.id](call)
            answer = result if isinstance(result, Answer) else self._answer(call, result)
            check(answer)
        except BaseException:
            self.abandon(admission)
            raise
        if admission.claim is not None:
            replies.remember(admission.claim, answer, transaction, now)
        transaction.commit()
        return answer

    def abandon(self, admission: Admission) -> None:
        """Forget a call that will not be performed, so that its idempotency key is free again."""
        if admission.claim is not None:
            transaction = self.begin(admission.request.world)
            replies.forget(admission.claim, transaction)
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
