"""The life of one call: preference, replay, planned fault, transaction { action }, remember, answer.

`admit` does what comes before any effect and says how long to wait; `perform` does the rest. Both are synchronous and quick; whoever calls
them does the waiting. Any failure is a Problem, and `refuse` turns it into the vendor's envelope.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from mock_server import actions, preferences, seeds
from mock_server.clock import Clock, mint, parsed
from mock_server.contract import Contract, ContractError, Fixtures, Kind, Operation
from mock_server.problems import STATUSES, Problem
from mock_server.store import MemoryStore, StoredRecord, TableName, Transaction
from mock_server.vendor import SHARED, Answer, Call, Caller, Input, Request, Vendor, next_number

REPLIES: TableName = (SHARED, "_replies")
FAULTS: TableName = (SHARED, "_faults")
RATES: TableName = (SHARED, "_rates")
CLOCK: TableName = (SHARED, "_clock")
DEFAULT_WORLD = "default"
MOST_WORLDS = 5000
"""Worlds at the most: each takes about 90 kB with four vendors."""
SWEPT = 10
"""Outdated entries that a new one drops at the most: more than one, so that they never pile up."""


@dataclass(frozen=True, slots=True)
class Admission:
    """A call that may go on: after `delay` seconds, `perform` it, or `abandon` it."""

    operation: Operation
    request: Request
    input: Input
    caller: Caller
    claim: str | None = None
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
        """The caller and the tenant the call is about.

        Raises Problem `unauthenticated`, `forbidden`, `rate-limited`, or `unknown` for a tenant that does not exist.
        """
        transaction = self.begin(request.world)
        credential = self._credential(request, transaction) if operation.secured else None
        named = self._named_tenant(operation, request, transaction)
        if credential is None:
            return Caller(None, self.fixtures.tenant if named is None else named)
        own = str(credential.get("tenant", ""))
        if named is not None and named != own:
            raise _unauthenticated("The token belongs to another tenant.")
        self._limit_rate(credential, transaction)
        return Caller(credential, own)

    def _named_tenant(self, operation: Operation, request: Request, transaction: Transaction) -> str | None:
        tenancy = self.contract.tenancy
        value: str | None = None
        if tenancy.where == "header":
            value = request.headers.get(tenancy.name.lower())
        elif tenancy.where == "path":
            value = request.path_values.get(tenancy.name)
        elif tenancy.where == "query":
            value = next((text for name, text in reversed(request.query) if name == tenancy.name), None)
        if value is None or tenancy.where == "header":
            return value
        facts = next((p for p in operation.parameters if (p.where, p.name) == (tenancy.where, tenancy.name)), None)
        if facts is None or facts.references is None:
            return value
        return self._existing_tenant(facts.references, value, transaction)

    def _existing_tenant(self, resource: str, value: str, transaction: Transaction) -> str | None:
        """The tenant, once its record is known to exist; None leaves a value of a wrong type to the validation."""
        key: str | int = value
        facts = self.contract.resources[resource]
        if facts.properties[facts.key].get("type") == "integer":
            if not value.isascii() or not value.isdigit() or len(value) > 18:
                return None
            key = int(value)
        if transaction.get((SHARED if facts.scope == "vendor" else value, resource), key) is None:
            raise Problem("unknown", f"There is no such {resource}.")
        return value

    def _credential(self, request: Request, transaction: Transaction) -> StoredRecord:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthenticated("A valid bearer token is required.")
        credential = transaction.get((SHARED, "Credential"), token.strip())
        if credential is None:
            raise _unauthenticated("A valid bearer token is required.")
        expires = credential.get("expires_at")
        if expires is not None and parsed(expires) <= self.clock(transaction).now():
            raise _unauthenticated("The token has expired.", "expired")
        if credential.get("revoked"):
            raise Problem("forbidden", "The token has been revoked.")
        return credential

    def _limit_rate(self, credential: StoredRecord, transaction: Transaction) -> None:
        """Count the call against the credential's `rate_limit`, if it has one: so many requests in so many seconds."""
        limit = credential.get("rate_limit")
        if not limit:
            return
        now = self.clock(transaction).now()
        window = transaction.get(RATES, credential["token"])
        if window is None or parsed(window["ends"]) <= now:
            ends = (now + timedelta(seconds=limit["seconds"])).isoformat()
            window = {"id": credential["token"], "ends": ends, "count": 0}
        if window["count"] >= limit["requests"]:
            wait = max(1, -((now - parsed(window["ends"])) // timedelta(seconds=1)))
            raise Problem("rate-limited", "Too many calls.", headers={"Retry-After": str(wait)})
        sweep(transaction, RATES, lambda entry: parsed(entry["ends"]) <= now)
        transaction.put(RATES, credential["token"], {**window, "count": window["count"] + 1})
        transaction.commit()

    # The call -------------------------------------------------------------------------------------------------------

    def admit(self, operation: Operation, request: Request, given: Input, caller: Caller) -> Answer | Admission:
        """What comes before any effect: an answer that is already known, or leave to go on."""
        if (request.query or "prefer" in request.headers) and (preference := preferences.preferred(request)):
            return preferences.answer(operation, preference)
        transaction = self.begin(request.world)
        claim = self._claim(operation, given, caller, transaction)
        if isinstance(claim, Answer):
            return claim
        fault = self._planned(operation, caller, transaction)
        delay = fault.get("delay", 0.0) if fault else 0.0
        if fault and fault.get("status"):
            transaction.commit()
            raise _fault(fault["status"])
        if claim is not None:
            now = self.clock(transaction).now()
            sweep(transaction, REPLIES, lambda entry: entry["done"] and self._is_outdated(entry, now))
            transaction.put(REPLIES, claim, {"id": claim, "done": False, **_fingerprint(given)})
        transaction.commit()
        return Admission(operation, request, given, caller, claim, delay)

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
            reply = {
                "id": admission.claim,
                "done": True,
                "at": now.isoformat(),
                "status": answer.status,
                "body": answer.body,
            }
            transaction.put(REPLIES, admission.claim, {**reply, **_fingerprint(admission.input)})
        transaction.commit()
        return answer

    def abandon(self, admission: Admission) -> None:
        """Forget a call that will not be performed, so that its idempotency key is free again."""
        if admission.claim is not None:
            transaction = self.begin(admission.request.world)
            transaction.delete(REPLIES, admission.claim)
            transaction.commit()

    def _answer(self, call: Call, result: Any) -> Answer:
        success = call.operation.success
        return Answer(success.status, self.vendor.answer(call, result) if success.content else None)

    def _claim(
        self, operation: Operation, given: Input, caller: Caller, transaction: Transaction
    ) -> str | Answer | None:
        """The name under which the answer will be remembered, or the answer remembered under it."""
        rule = self.contract.idempotency
        key = given.header.get(rule.header) if rule else None
        if rule is None or key is None:
            return None
        claim = "\n".join((caller.tenant, operation.id, key))
        reply = transaction.get(REPLIES, claim)
        if reply is None:
            return claim
        if not reply["done"]:
            raise Problem("key-in-use", "A call with this idempotency key is still running.", status=rule.in_use)
        if self._is_outdated(reply, self.clock(transaction).now()):
            return claim
        if reply["fingerprint"] != _fingerprint(given)["fingerprint"]:
            raise Problem("key-reused", "This idempotency key was used with another body.", status=rule.conflict)
        return Answer(reply["status"], reply["body"], {"Idempotent-Replayed": "true"})

    def _is_outdated(self, reply: StoredRecord, now: datetime) -> bool:
        rule = self.contract.idempotency
        return rule is None or now - parsed(reply["at"]) >= timedelta(seconds=rule.lifetime)

    def _planned(self, operation: Operation, caller: Caller, transaction: Transaction) -> StoredRecord | None:
        """The first planned fault that fits the operation; one use less of it is left."""
        if not transaction.count(FAULTS):
            return None
        for fault in transaction.scan(FAULTS):
            if fault["operation"] not in (None, operation.id):
                continue
            if fault["times"] > 1:
                transaction.put(FAULTS, fault["id"], {**fault, "times": fault["times"] - 1})
            else:
                transaction.delete(FAULTS, fault["id"])
            return fault
        return None

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
            headers["X-Mock-Violations"] = _listed(problem)
        if status == 401:
            headers.setdefault("WWW-Authenticate", "Bearer")
        return Answer(status, body, headers)


VIOLATIONS_LIMIT = 8192
"""Bytes of the violations header at the most: Node's client refuses an answer with 16 KiB of headers in all."""


def _listed(problem: Problem) -> str:
    """Every violation as a JSON array in ASCII; what would not fit is counted in a last element."""
    parts: list[str] = []
    size = 2
    for violation in problem.violations:
        entry = {
            "in": violation.where,
            "pointer": violation.pointer,
            "rule": violation.rule,
            "message": violation.sentence,
        }
        part = json.dumps(entry)
        if size + len(part) > VIOLATIONS_LIMIT - 32:
            parts.append(json.dumps({"more": len(problem.violations) - len(parts)}))
            break
        parts.append(part)
        size += len(part) + 1
    return ("[" + ",".join(parts) + "]").replace("\x7f", "\\u007f")


def sweep(transaction: Transaction, table: TableName, is_outdated: Callable[[StoredRecord], bool]) -> None:
    """Drop outdated entries from the old end of a table, which is in order of insertion; entries are keyed by their `id`."""
    for entry in list(transaction.scan(table, limit=SWEPT)):
        if not is_outdated(entry):
            return
        transaction.delete(table, entry["id"])


def _fault(status: int) -> Problem:
    """A planned fault, of the kind that a vendor's real one would be."""
    if status == 429:
        return Problem("rate-limited", "A planned fault.", status=status, headers={"Retry-After": "1"})
    kinds: Mapping[int, Kind] = {401: "unauthenticated", 403: "forbidden"}
    return Problem(kinds.get(status, "planned"), "A planned fault.", status=status)


def _fingerprint(given: Input) -> dict[str, str]:
    """What makes two bodies the same: their values, whatever the order and spacing."""
    canonical = json.dumps([given.body, dict(given.path), dict(given.query)], sort_keys=True, separators=(",", ":"))
    return {"fingerprint": hashlib.sha256(canonical.encode()).hexdigest()}


def _unauthenticated(detail: str, code: str = "unauthenticated") -> Problem:
    return Problem("unauthenticated", detail, code=code)


def _no_plain_action(call: Call) -> Any:
    raise AssertionError(f"{call.operation.id} has no plain action to proceed to")
