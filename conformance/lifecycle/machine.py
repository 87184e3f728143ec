"""The state machine: a rule for each thing the contract lets a caller do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule

from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.lifecycle.model import Enough, Life, Model
from conformance.records import unique_fields
from conformance.strategies import changes


@dataclass(frozen=True)
class Choices:
    """What is drawn at random: the example that a record is made from and how it is varied, and the edits of each update."""

    examples: st.SearchStrategy[str | None]
    variations: st.SearchStrategy[dict[str, Any]]
    edits: Mapping[str, st.SearchStrategy[dict[str, Any]]]


def choices(model: Model) -> Choices:
    """What there is to choose from; unique fields and the state are left alone."""
    scope, create = model.scope, model.create
    examples: list[str | None] = [name for name, media, _ in scope.examples(create)] or [None]
    avoid = set(unique_fields(model.client, create)) | {scope.contract.resources[model.resource].state or ""}
    variations: st.SearchStrategy[dict[str, Any]] = st.just({}) | changes(scope.schemas, scope.fields(create), avoid)
    edits = {
        o.id: changes(scope.schemas, scope.fields(o), avoid | {(o.action.by or ("", ""))[1]}) for o in model.updates
    }
    return Choices(st.sampled_from(examples), variations, edits)


def guarding(model: Model) -> Callable[..., Any]:
    """Takes a step of the model: what it finds broken fails the life, and what cannot be tested ends it."""

    def guarded(step: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return step(*arguments)
        except Broken as broken:
            raise model.breaks(broken) from None
        except (NotTested, Withheld, Unreachable) as reason:
            model.stopped = reason
            raise Enough from None

    return guarded


def machine(model: Model) -> type[RuleBasedStateMachine]:
    """The state machine: a rule for each thing the contract lets a caller do."""
    drawn, guarded = choices(model), guarding(model)

    class Lives(RuleBasedStateMachine):
        lives = Bundle("lives")

        def __init__(self) -> None:
            super().__init__()
            self.all: list[Life] = []
            guarded(model.begin)

        @rule(target=lives, example=drawn.examples, change=drawn.variations)
        def create(self, example: str | None, change: dict[str, Any]) -> Any:
            life = guarded(model.born, example, change) or guarded(model.born, example, {}) or guarded(model.plain)
            self.all.append(life)
            guarded(model.read, life)
            return life

        @rule(life=lives)
        def read(self, life: Life) -> None:
            guarded(model.read, life)

        @precondition(lambda self: bool(model.updates))
        @rule(life=lives, data=st.data())
        def update(self, life: Life, data: st.DataObject) -> None:
            operation = data.draw(st.sampled_from(model.updates))
            guarded(model.change, life, operation, data.draw(drawn.edits[operation.id]))

        @precondition(lambda self: bool(model.deletes))
        @rule(life=lives, data=st.data())
        def delete(self, life: Life, data: st.DataObject) -> None:
            guarded(model.end, life, data.draw(st.sampled_from(model.deletes)))

        @precondition(lambda self: bool(self.all))
        @rule()
        def list(self) -> None:
            guarded(model.listed, self.all)

        @rule(life=lives)
        def twin(self, life: Life) -> None:
            guarded(model.twin, life)

        if model.timed:

            @precondition(lambda self: bool(self.all))
            @rule(duration=st.sampled_from(["PT1H", "P1D", "P14D", "P1M", "P3M"]))
            def pass_time(self, duration: str) -> None:
                guarded(model.pass_time, self.all, duration)

    return Lives
