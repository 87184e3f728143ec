"""What of a contract a run put to the test: operations, statuses, fields, facts and promises.

Each thing that is stated is `kept`, `failed`, `missed` (it could have been reached, and was not) or `barred` (this target, or nobody, can show
it; the reason is said). The index is what could be reached of all that is stated, the score what was reached of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from conformance.facts import Fact, Probing, facts, probings
from conformance.fields import stated_fields
from conformance.promise import all_promises
from conformance.scope import Scope

State = Literal["kept", "failed", "missed", "barred"]
KINDS = ("operations", "statuses", "fields", "facts", "promises")
_UNASKED = "inferred; --include inferred asks for it"


@dataclass(frozen=True)
class Covered:
    """One thing that is stated, and what came of it."""

    name: str
    state: State
    reason: str = ""


def coverage(
    scope: Scope,
    outcomes: Sequence[Mapping[str, Any]],
    counts: Mapping[str, Mapping[str, int]],
    fields: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """The coverage of a run as plain data, by kind; `counts` are answers by operation and status, `fields` what calls held."""
    counts = {name: {str(status): times for status, times in found.items()} for name, found in counts.items()}
    withheld = {
        o["subject"]: o["reason"] for o in outcomes if o["layer"] == "responses" and o["status"] == "not tested"
    }
    failed = {f["subject"] for o in outcomes if o["status"] == "broken" for f in o["findings"]}
    found: dict[str, list[Covered]] = {
        "operations": list(_operations(scope, counts, failed, withheld)),
        "statuses": list(_statuses(scope, counts, withheld)),
        "fields": list(_fields(scope, fields, withheld)),
        "facts": list(_facts(scope, outcomes)),
        "promises": list(_promises(scope, outcomes)),
    }
    return {kind: _counted(found[kind]) for kind in KINDS} | summed(found.values())


def summed(groups: Any) -> dict[str, float]:
    """The index and the score over all kinds, each kind weighing the same."""
    counted = [_counted(group) for group in groups if group]
    if not counted:
        return {"index": 0.0, "score": 0.0}
    return {name: round(sum(kind[name] for kind in counted) / len(counted), 1) for name in ("index", "score")}


def _counted(things: Sequence[Covered]) -> dict[str, Any]:
    numbers = Counter(thing.state for thing in things)
    reachable = len(things) - numbers["barred"]
    reached = numbers["kept"] + numbers["failed"]
    return {
        "stated": len(things),
        **{state: numbers[state] for state in ("kept", "failed", "missed", "barred")},
        "index": round(100 * reachable / len(things), 1) if things else 100.0,
        "score": round(100 * reached / reachable, 1) if reachable else 100.0,
        "not_kept": [vars(thing) for thing in things if thing.state != "kept"],
    }


def _operations(
    scope: Scope, counts: Mapping[str, Mapping[str, int]], failed: set[str], withheld: Mapping[str, str]
) -> Iterator[Covered]:
    """The operations; `withheld` are those that this target does not let be tested, and why."""
    for operation in scope.operations:
        answers = counts.get(operation.id, {})
        if not any(status.startswith("2") for status in answers):
            seen = ", ".join(f"{status} x{times}" for status, times in sorted(answers.items())) or "never called"
            if operation.id in withheld:
                yield Covered(operation.id, "barred", withheld[operation.id])
                continue
            yield Covered(operation.id, "missed", f"never succeeded ({seen})")
        else:
            broken = operation.id in failed
            yield Covered(operation.id, "failed" if broken else "kept", "see the findings" if broken else "")
    yield from (Covered(operation.id, "barred", _UNASKED) for operation in scope.unseen())


def _statuses(scope: Scope, counts: Mapping[str, Mapping[str, int]], withheld: Mapping[str, str]) -> Iterator[Covered]:
    for operation in scope.operations:
        answers = counts.get(operation.id, {})
        for status in operation.responses:
            name = f"{operation.id} {status}"
            if str(status) in answers:
                yield Covered(name, "kept")
            elif status == 429 or status >= 500:
                yield Covered(name, "barred", "no caller can bring it about on purpose")
            elif operation.id in withheld:
                yield Covered(name, "barred", withheld[operation.id])
            else:
                yield Covered(name, "missed", "no answer had it")


def _fields(scope: Scope, fields: Mapping[str, Sequence[str]], withheld: Mapping[str, str]) -> Iterator[Covered]:
    for operation in scope.operations:
        seen = set(fields.get(operation.id, ()))
        for path in sorted(stated_fields(scope, operation)):
            why = "never sent in a call that succeeded" if path.startswith(">") else "never shown"
            name = f"{operation.id} {path}"
            if path in seen:
                yield Covered(name, "kept")
            elif operation.id in withheld:
                yield Covered(name, "barred", withheld[operation.id])
            else:
                yield Covered(name, "missed", why)


def _facts(scope: Scope, outcomes: Sequence[Mapping[str, Any]]) -> Iterator[Covered]:
    all_probings = probings(scope, all_promises(), outcomes)
    for fact in facts(scope):
        if fact.barred:
            yield Covered(fact.name, "barred", _UNASKED)
        else:
            yield _fact(fact, [probing for probing in all_probings if probing.touches(fact)])


def _fact(fact: Fact, probings: Sequence[Probing]) -> Covered:
    """A broken promise about the very place decides, else a kept one, else one that is broken, else the reason why none was tested."""
    wrong = [probing for probing in probings if probing.status in ("broken", "known", "apart")]
    for probing in wrong:
        if probing.is_about(fact):
            return Covered(fact.name, "failed", probing.name)
    if any(probing.status == "kept" for probing in probings):
        return Covered(fact.name, "kept")
    if wrong:
        return Covered(fact.name, "failed", wrong[0].name)
    if probings:
        return Covered(fact.name, "barred", f"{probings[0].name}: {probings[0].reason}")
    return Covered(fact.name, "missed", "no promise was put to the test that probes it")


def _promises(scope: Scope, outcomes: Sequence[Mapping[str, Any]]) -> Iterator[Covered]:
    """The promises that the contract gives anything to hold."""
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for outcome in outcomes:
        if outcome["layer"] == "promises":
            by_name.setdefault(outcome["promise"], []).append(outcome)
    for promise in all_promises():
        held = by_name.get(promise.name, [])
        statuses = {outcome["status"] for outcome in held}
        if statuses & {"broken", "known"}:
            yield Covered(promise.name, "failed", "see the findings")
        elif statuses & {"kept", "apart"}:
            yield Covered(promise.name, "kept")
        elif held:
            yield Covered(promise.name, "barred", held[0]["reason"])
        elif any(True for _ in promise.subjects(scope)):
            yield Covered(promise.name, "missed", "it was not put to the test")
