"""The life of one call: who calls, preference, replay, planned fault, action, remember, answer, all in one transaction.

`receive` says who calls, `admit` does what comes before any effect, `perform` does the rest. All are synchronous and quick; whoever calls them
does the waiting, for a body or a planned delay. Any failure is a Problem, and `refuse` turns it into the vendor's envelope.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from mock_server import actions, callers, faults, preferences, replies, seeds
from mock_server.clock import mint
from mock_server.contract import Contract, ContractError, Fixtures, Operation
from mock_server.problems import STATUSES, Problem, listed
from mock_server.store import MemoryStore
from mock_server.timeline import Timeline
from mock_server.vendor import Answer, Call, Request, Vendor, next_number
from mock_server.worlds import DEFAULT_WORLD, Worlds


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
        self.worlds = Worlds(contract, fixtures, store, frozen)
        self.timeline = Timeline(contract, vendor, self.worlds, self.seed, inferred=inferred)
        self.begin, self.clock = self.worlds.begin, self.worlds.clock
        self._ages = any(resource.lifecycle for resource in contract.resources.values())
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

    # The call -------------------------------------------------------------------------------------------------------

    def receive(self, operation: Operation, request: Request) -> Call:
        """The call, once it is known who makes it and for which tenant. Raises what `callers.identify` raises."""
        transaction = self.begin(request.world)
        clock = self.clock(transaction)
        now = clock.now()
        if self._ages:
            self.timeline.catch_up(request.world, now)
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
            told = self.timeline.follow_call(call, call.request.world) if call.touched else None
        except BaseException:
            self.abandon(call)
            raise
        if call.claim is not None:
            replies.remember(call.claim, answer, call.transaction, call.now)
        call.transaction.commit()
        if told is not None:
            self.timeline.after(call.request.world, told)
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
