"""The reference model of a resource, and the calls that are compared with it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.comparison import among, same, shown_as
from conformance.control import advance, apart, standing, timed
from conformance.exchange import Exchange
from conformance.finding import Broken, NotTested, Unreachable, Withheld
from conformance.lifecycle.time import led_to, moves
from conformance.marks import stamp
from conformance.records import base_body, freshen, make
from conformance.records import made_from as read_made
from conformance.sights import Made, look, present, upon, walk
from conformance.wire import FORM
from mock_server.contract import Operation


class Enough(BaseException):
    """It cannot go on, or a finding has been looked at often enough for a shorter way to it; Hypothesis lets nothing else stop it."""


@dataclass
class Life:
    """What the model knows of one record: how it was made, what it was told, what it showed last, whether it is gone."""

    made: Made
    told: dict[str, Any]
    shown: dict[str, Any] = field(default_factory=dict)
    gone: bool = False


class Model:
    """The reference model of one resource, and the calls that are compared with it."""

    def __init__(self, client: Client, resource: str, create: Operation, patience: int = 0) -> None:
        self.client = client
        self.scope = client.scope
        self.resource = resource
        self.create = create
        self.broken: tuple[Broken, Operation, list[Exchange]] | None = None
        self.stopped: NotTested | Withheld | Unreachable | None = None
        self.calls = 0
        self.again = 0
        self.patience = patience
        self.sights = self.scope.sights(resource)
        self.updates = [
            o for o in self.scope.acting("update", on=resource) if o.body and not o.action.fixed and o.action.by
        ]
        self.deletes = [o for o in self.scope.acting("delete", on=resource) if o.action.by]
        self.updates = [o for o in self.updates if o.action.by and o.action.by[0] in ("path", "body")]
        self.facts = self.scope.contract.resources[resource]
        self.timed = bool(self.facts.lifecycle) and timed(client)
        self.stack = contextlib.ExitStack()

    def begin(self) -> None:
        """Start a new life, where time passes in a world of its own."""
        self.calls += len(self.client.transcript)
        self.end_world()
        self.client.transcript.clear()
        if self.broken is not None:
            self.again += 1
            if self.again > self.patience:
                raise Enough
        if self.timed:
            self.stack.enter_context(apart(self.client))
            self.stack.enter_context(standing(self.client))

    def end_world(self) -> None:
        """Leave the world of the last life."""
        self.stack.close()

    def breaks(self, broken: Broken) -> Broken:
        """Keep the broken expectation with the fewest calls that lead to it."""
        calls = [answer.exchange for answer in self.client.transcript if answer.exchange]
        if self.broken is None or (broken.pointer == self.broken[0].pointer and len(calls) < len(self.broken[2])):
            last = next((a.operation for a in reversed(self.client.transcript) if a.operation), self.create)
            self.broken = (broken, last, calls)
        return broken

    def born(self, example: str | None, change: Mapping[str, Any]) -> Life | None:
        """A record made from an example, varied; None where the variation is refused for a documented reason."""
        if self.create.body is None:
            made = make(self.client, self.resource, operation=self.create)
            return Life(made, {})
        media, body = base_body(self.client, self.create, example)
        if media == FORM or not isinstance(body, dict):
            change = {}
        told = stamp(self.client, self.create, {**body, **change}) if isinstance(body, dict) else body
        view = self.create.view(self.resource)
        before = present(self.client, self.resource, self.client.caller) if view is None or view.is_list else set()
        answer = self.client.call(self.create, body=told, media=media)
        if not answer.ok:
            self.refused(self.create, answer, bool(change))
            return None
        try:
            made = read_made(self.client, self.create, answer, told, media, self.client.caller, before)
        except NotTested:
            return None
        if view and set(made.record) - {made.resource.key} and isinstance(told, dict):
            self.agree(shown_as(self.client, self.create, view, told, made.record), "what was sent")
        return Life(made, dict(told) if isinstance(told, dict) else {})

    def plain(self) -> Life:
        """A record made in the way that is known to show it."""
        made = make(self.client, self.resource, operation=self.create)
        return Life(made, dict(made.sent) if isinstance(made.sent, dict) else {})

    def refused(self, operation: Operation, answer: Answer, varied: bool) -> None:
        """A refusal is in order for a varied body, with a status that is documented."""
        if not varied or answer.status not in operation.responses:
            raise Broken(
                f"{operation.success.status} for a valid {operation.label}", str(answer), pointer=operation.pointer
            )

    def agree(self, wrong: list[str], what: str) -> None:
        """Raise where an answer differs from the model."""
        if wrong:
            raise Broken(what, "; ".join(wrong))

    def read(self, life: Life) -> None:
        """Every sight shows the record as the model has it, or not at all once it is gone."""
        for sight in self.sights:
            if sight.how == "list":
                continue
            found = look(self.client, sight, life.made, life.made.key, life.made.caller)
            if found is ABSENT:
                continue
            if (found is None) != life.gone:
                raise Broken(
                    "no record, it was deleted" if life.gone else "the record",
                    f"{found!r}",
                    pointer=sight.operation.pointer,
                )
            if found is not None:
                self.agree(shown_as(self.client, sight.operation, sight.view, life.told, found), "what was sent last")
                self.agree(self.steady(life, sight, found), "what was shown before")
                life.shown = dict(found)
            return

    def steady(self, life: Life, sight: Any, found: Mapping[str, Any]) -> list[str]:
        """What changed although nothing named it."""
        wrong = []
        for name, schema in self.scope.shown(sight.operation, sight.view).items():
            if (
                name in life.told
                or name in (life.made.resource.updated, life.made.resource.state)
                or name not in life.shown
            ):
                continue
            server_set = schema.get("readOnly") and name not in (life.made.resource.key, life.made.resource.created)
            if not server_set and not same(self.scope.schemas, schema, life.shown[name], found.get(name)):
                wrong.append(f"{name} was {life.shown[name]!r} and is {found.get(name)!r}")
        return wrong

    def change(self, life: Life, operation: Operation, change: Mapping[str, Any]) -> None:
        """Update a record; refused once it is gone."""
        body = dict(change)
        if self.scope.schemas.required(operation.body.schema if operation.body else {}):
            body = {**base_body(self.client, operation)[1], **body}
        body = stamp(self.client, operation, freshen(self.client, operation, body), life.told)
        answer = self.client.call(operation, **upon(self.client, operation, life.made, body=body))
        if life.gone:
            if answer.ok:
                raise Broken(
                    f"{operation.statuses.get('unknown')} for a deleted record", str(answer), pointer=operation.pointer
                )
            return
        if not answer.ok:
            self.refused(operation, answer, varied=True)
            return
        life.told.update({name: value for name, value in body.items() if operation.action.by != ("body", name)})
        self.read(life)

    def end(self, life: Life, operation: Operation) -> None:
        """Delete a record; refused once it is gone, where one record is named."""
        answer = self.client.call(operation, **upon(self.client, operation, life.made))
        if not life.gone and not answer.ok:
            raise Broken(
                f"{operation.success.status} for a record that is there", str(answer), pointer=operation.pointer
            )
        if (
            life.gone
            and answer.ok
            and not operation.action.many
            and operation.statuses.get("unknown") in operation.responses
        ):
            raise Broken(
                f"{operation.statuses.get('unknown')} for a deleted record", str(answer), pointer=operation.pointer
            )
        life.gone = True
        self.read(life)

    def pass_time(self, lives: list[Life], duration: str) -> None:
        """Let time pass: each record is then as it was, or where `x-lifecycle` leads it."""
        living = [life for life in lives if not life.gone and life.shown]
        moment = advance(self.client, duration)
        for life in living:
            before = life.shown
            if not moves(self.scope.contract, self.facts, before, moment):
                self.read(life)
                self.agree(self.moved(life, before, {str(before.get(self.facts.state or ""))}), "nothing to happen yet")
                continue
            life.told = {}
            life.shown = {n: v for n, v in before.items() if n in (self.facts.key, self.facts.created)}
            self.read(life)
            allowed = led_to(self.scope.contract, self.facts, before, moment)
            self.agree(self.moved(life, before, allowed), "one of the states that time leads to")

    def moved(self, life: Life, before: Mapping[str, Any], allowed: set[str]) -> list[str]:
        """Where the state is not one of those allowed; nothing is said where it is not shown, or others may move it too."""
        state = self.facts.state or ""
        others = [r for r in self.scope.contract.resources.values() if r.lifecycle and r is not self.facts]
        if state not in before or others or among(life.shown.get(state), tuple(allowed)):
            return []
        return [f"{state} was {before[state]!r} and is {life.shown.get(state)!r}, not {' or '.join(sorted(allowed))}"]

    def listed(self, lives: list[Life]) -> None:
        """A list holds the living once and the gone not at all."""
        for sight in [sight for sight in self.sights if sight.how == "list"]:
            records = walk(self.client, sight)
            counted = Counter(record.get(self.scope.contract.resources[self.resource].key) for record in records)
            for life in lives:
                times = counted[life.made.key]
                if times != (0 if life.gone else 1):
                    raise Broken(
                        f"{life.made.key!r} {'not at all' if life.gone else 'once'}",
                        f"{times} times",
                        pointer=sight.operation.pointer,
                    )
                for record in records:
                    if record.get(life.made.resource.key) == life.made.key:
                        self.agree(
                            shown_as(self.client, sight.operation, sight.view, life.told, record),
                            "what was sent last, in the list",
                        )

    def twin(self, life: Life) -> None:
        """A second record with the unique values of a living one is refused, with those of a gone one it is not."""
        group = next((g for g in life.made.resource.unique if all(life.told.get(name) is not None for name in g)), None)
        if group is None or life.gone or "duplicate" not in self.create.statuses:
            return
        media, body = base_body(self.client, self.create)
        answer = self.client.call(self.create, body={**body, **{name: life.told[name] for name in group}}, media=media)
        if answer.status != self.create.statuses["duplicate"]:
            raise Broken(f"{self.create.statuses['duplicate']} for a second {'+'.join(group)}", str(answer))
