"""Lives many lives of each resource, and tells what came of them."""

from __future__ import annotations

from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import run_state_machine_as_test

from conformance.finding import NotTested, Unreachable, Withheld
from conformance.lifecycle.machine import machine
from conformance.lifecycle.model import Model
from conformance.limits import READ_ONLY
from conformance.run import Outcome, Run
from conformance.scope import Scope

SENTENCE = "Whatever is done to records in whatever order, every answer agrees with what was done before."
_EXAMPLES = {"smoke": 12, "default": 25, "deep": 200}
_AGAIN = {"smoke": 20, "default": 60, "deep": 1000}
"""How many lives are spent on a shorter way to what was found."""
_STEPS = {"smoke": 12, "default": 16, "deep": 40}


def resources(scope: Scope) -> list[str]:
    """The resources that can be created and seen."""
    names = dict.fromkeys(operation.action.resource for operation in scope.acting("create"))
    return [name for name in names if scope.sights(name)]


def execute(run: Run, resource: str) -> Outcome:
    """Live many random lives of one resource. Raises Unreachable where the target is gone, once what was found is told."""
    with run.client("lifecycle") as client:
        if run.sending.read_only:
            return _untested(run, resource, READ_ONLY)
        try:
            model = Model(client, resource, run.scope.creates(resource)[0], _AGAIN[run.settings.profile])
        except Withheld as reason:
            return _untested(run, resource, str(reason))
        try:
            _live(run, model)
        except Unreachable:
            if model.broken is not None:
                run.record(_outcome(run, model))
            raise
        except (NotTested, Withheld) as reason:
            if model.broken is None:
                return _untested(run, resource, str(reason), model.calls)
        finally:
            model.end_world()
        return run.record(_outcome(run, model))


def _live(run: Run, model: Model) -> None:
    """Live them; what the model found is kept there. Raises what stopped it."""
    amount = max(_EXAMPLES[run.settings.profile] // max(len(resources(run.scope)) // 2, 1), 3)
    chosen = settings(
        max_examples=amount,
        stateful_step_count=_STEPS[run.settings.profile],
        phases=(Phase.generate, Phase.shrink),
        database=None,
        deadline=None,
        print_blob=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    seeded: Any = hypothesis.seed(run.settings.seed)(machine(model))
    try:
        run_state_machine_as_test(seeded, settings=chosen)
    except KeyboardInterrupt:
        raise
    except BaseException:
        if model.stopped is not None:
            raise model.stopped from None
        if model.broken is None:
            raise


def _untested(run: Run, resource: str, reason: str, calls: int = 0) -> Outcome:
    return run.record(Outcome("lifecycle", "lifecycle", resource, "not tested", reason, calls))


def _outcome(run: Run, model: Model) -> Outcome:
    if model.broken is None:
        if not model.calls:
            run.doubts.append(f"the lifecycle of {model.resource} made no call")
        return Outcome("lifecycle", "lifecycle", model.resource, "kept", "", model.calls)
    broken, operation, exchanges = model.broken
    finding = run.finding(
        "lifecycle",
        "lifecycle",
        SENTENCE,
        model.resource,
        operation,
        broken.pointer or operation.pointer,
        broken,
        exchanges,
    )
    status: Any = "apart" if finding.apart else "broken"
    return Outcome("lifecycle", "lifecycle", model.resource, status, str(broken), model.calls, (finding,))
