"""One run of the suite against one implementation of one contract: what was asked, what was found, what stayed in doubt."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from conformance.cleaning import KEPT, STOPPED, Left, clean, drop_world, in_own_world
from conformance.client import Client, Ledger
from conformance.exchange import Exchange, Mask, secret_names
from conformance.finding import Broken, Finding, NotTested, Unreachable, Withheld
from conformance.limits import READ_ONLY, changes
from conformance.promise import Promise, Subject
from conformance.scope import Scope, read
from conformance.sending import IMPATIENT, Sending
from conformance.sequence import deciding, needed
from conformance.settings import Settings
from conformance.standing import put_to_the_test
from conformance.target import Target, describe, secrets_of
from mock_server.contract import Operation

UNTESTED = "nothing could be put to the test"
_STEPS = 60
"""How many calls of a finding are kept."""


@dataclass(frozen=True)
class Outcome:
    """What came of one promise for one subject, or of one check of another layer."""

    layer: str
    promise: str
    subject: str
    status: Literal["kept", "broken", "apart", "not tested"]
    reason: str = ""
    calls: int = 0
    findings: tuple[Finding, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The outcome as plain data."""
        return asdict(self)


@dataclass
class Run:
    """The state of a run: its scope and target, and what it has found so far."""

    settings: Settings
    scope: Scope
    target: Target
    ledger: Ledger = field(default_factory=Ledger)
    outcomes: list[Outcome] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    told: Callable[[Outcome], None] = lambda outcome: None
    excused: dict[str, str] = field(default_factory=dict)
    """The operations that cannot be put to the test here, and why."""
    noticed: Callable[[str, Mapping[str, Any]], None] = lambda kind, content: None
    """Who is told of each record that is made, gone again, or left, where others might meet it."""
    left: list[Left] = field(default_factory=list)
    in_own_worlds: bool | None = None
    """Whether each layer has a world of its own at the target; None as long as nobody has looked."""
    stopped: str = ""
    """Why it goes no further, where it does not: then nothing is taken away either."""

    def __post_init__(self) -> None:
        """Excuse what may not be called."""
        self.sending = Sending(self.target.base_url, self.target.limits)
        if self.target.limits.read_only:
            self.excused |= {o.id: READ_ONLY for o in self.scope.operations if changes(o, o.method)}

    @classmethod
    def begin(cls, settings: Settings) -> Run:
        """Read the contract and the target. Raises ContractError, BadTarget."""
        contract = read(settings.vendor)
        target = describe(
            contract, settings.target, settings.world, settings.target_file, settings.control, settings.limits
        )
        return cls(settings, Scope(contract, settings.inferred), target)

    @contextlib.contextmanager
    def client(self, layer: str) -> Iterator[Client]:
        """A client for one layer, in a world of its own where the target has worlds."""
        client = Client(
            self.scope, self.target, self.ledger, seed=self.settings.seed, layer=layer, sending=self.sending
        )
        if not self.in_own_worlds:
            client.traces.told = lambda kind, resource, key: self.noticed(kind, {"resource": resource, "key": str(key)})
        try:
            yield client
        except KeyboardInterrupt:
            self.stopped = STOPPED
            raise
        finally:
            self._leave(client, self.stopped or (KEPT if self.settings.keep else ""))
            client.close()

    def _leave(self, client: Client, why_not: str) -> None:
        """Take away what a client made, where there is no reason not to, and keep in mind what is left of it."""
        if not client.traces.there:
            return
        own = in_own_world(client) if self.in_own_worlds is None else self.in_own_worlds
        if not own:
            for left in clean(client, why_not):
                self.left.append(replace(left, why=self.mask.text(left.why)))
                self.noticed("left", self.left[-1].as_json())
        elif not why_not:
            drop_world(client)

    def hold(self, promise: Promise, subject: Subject, client: Client) -> Outcome:
        """Put one promise to the test for one subject. Raises Unreachable where the target is gone."""
        client.transcript.clear()
        client.lacking.clear()
        if why := self.excused.get(subject.operation.id):
            return self.record(Outcome("promises", promise.name, subject.name, "not tested", why))
        try:
            put_to_the_test(promise, subject, client)
        except Broken as broken:
            outcome = self.broken(promise, subject, client, broken)
        except (NotTested, Withheld) as reason:
            why = str(reason)
            if self.sending.read_only and READ_ONLY not in why:
                why = f"{READ_ONLY}: {why}"
            outcome = Outcome("promises", promise.name, subject.name, "not tested", why, len(client.transcript))
        except (Unreachable, KeyboardInterrupt):
            raise
        except Exception as error:
            self.doubts.append(f"{promise.name} stumbled over {subject.name}: {type(error).__name__}: {error}")
            raise
        else:
            outcome = Outcome("promises", promise.name, subject.name, "kept", "", len(client.transcript))
            if not client.transcript:
                self.doubts.append(f"{promise.name} asked nothing about {subject.name}")
        for part, why in client.lacking.items() if outcome.status == "kept" else ():
            self.record(Outcome("promises", promise.name, f"{subject.name} {part}", "not tested", why))
        return self.record(outcome)

    def broken(self, promise: Promise, subject: Subject, client: Client, broken: Broken) -> Outcome:
        """The outcome of a broken promise, with its finding."""
        pointer = broken.pointer or subject.pointer
        operation = next((o for o in self.scope.operations if o.pointer == broken.pointer), subject.operation)
        finding = self.finding(
            "promises",
            promise.name,
            promise.sentence,
            subject.name,
            operation,
            pointer,
            broken,
            [answer.exchange for answer in client.transcript if answer.exchange],
        )
        status: Literal["apart", "broken"] = "apart" if finding.apart else "broken"
        return Outcome("promises", promise.name, subject.name, status, str(broken), len(client.transcript), (finding,))

    def finding(
        self,
        layer: str,
        name: str,
        sentence: str,
        subject: str,
        operation: Operation,
        pointer: str,
        broken: Broken,
        exchanges: Sequence[Exchange],
        due: tuple[int, ...] = (),
    ) -> Finding:
        """A finding, traced to the place of the fact it rests on and how far that can be trusted; its calls as few as can be."""
        footing = self.scope.footing(operation, broken.status, *self.scope.around(pointer))
        only = name if layer == "promises" else layer
        due = due or deciding(broken.expected, exchanges, operation.responses)
        steps = self.mask.steps(needed(exchanges, bool(due))[-_STEPS:])
        return Finding(
            layer=layer,
            promise=name,
            sentence=sentence,
            subject=subject,
            provenance=str(footing),
            place=self.scope.contract.place(pointer),
            pointer=pointer,
            expected=self.mask.text(broken.expected),
            observed=self.mask.text(broken.observed),
            requests=tuple(step.curl for step in steps[-12:]),
            seed=self.settings.seed,
            replay=self.settings.replay(only),
            apart=footing.level == "inferred" and not self.settings.inferred,
            due=due,
            steps=steps,
        )

    @functools.cached_property
    def mask(self) -> Mask:
        """What hides the secrets of this run."""
        return Mask(secrets_of(self.target), secret_names(self.scope.contract.document))

    def record(self, outcome: Outcome) -> Outcome:
        """Keep an outcome, without secrets, and tell who listens."""
        outcome = replace(outcome, reason=self.mask.text(outcome.reason)) if outcome.reason else outcome
        self.outcomes.append(outcome)
        if self.sending.fell_short and IMPATIENT not in self.doubts:
            self.doubts.append(IMPATIENT)
        self.told(outcome)
        return outcome

    def findings(self) -> list[Finding]:
        """Everything found so far."""
        return [finding for outcome in self.outcomes for finding in outcome.findings]

    def unreached(self) -> list[str]:
        """Why a run without findings would be no evidence: what never succeeded."""
        return unreached(self.scope, self.ledger.counts, self.excused)


def unreached(scope: Scope, counts: Mapping[str, Mapping[int, int]], excused: Container[str] = ()) -> list[str]:
    """The operations that never succeeded, by how often each answered with which status; and creates, where none was accepted.

    Nothing is said of those that are excused: they could not be put to the test.
    """
    answered = {name for name, statuses in counts.items() if any(200 <= status < 300 for status in statuses)}
    creates = [operation.id for operation in scope.acting("create") if operation.id not in excused]
    doubts = []
    if creates and not answered & set(creates):
        doubts.append(f"no create was accepted: {', '.join(creates)}")
    for operation in scope.operations:
        if operation.id not in answered and operation.id not in excused:
            times = sorted(counts.get(operation.id, {}).items())
            seen = ", ".join(f"{status} x{n}" for status, n in times) or "never called"
            doubts.append(f"{operation.id} never succeeded ({seen})")
    return doubts


def rehearse(run: Run, promises: tuple[Promise, ...]) -> None:
    """Hold every promise for every subject, without pytest."""
    with run.client("promises") as client:
        for promise in promises:
            for subject in promise.subjects(run.scope):
                run.hold(promise, subject, client)
