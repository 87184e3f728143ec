"""Renewals follow the calendar from where they began, each once.

A record that renews begins on 31 January before a common year, and is followed for two years, in short steps and in one leap. Its moments
must lie on the calendar, the same either way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from conformance.client import Client
from conformance.control import apart, freeze, now, standing, until
from conformance.finding import Broken, NotTested
from conformance.moments import drift, due, iso, month_end_ahead, years_later
from conformance.promise import Promise, Subject
from conformance.promises.time_moves_states import timed_subjects
from conformance.routes import route_to
from conformance.scope import Scope
from conformance.sights import Made
from conformance.states import Route, around, bring, shown, waits
from mock_server.contract import Transition

_YEARS = 2
_MOST = 30
_FEWEST = 3


@dataclass(frozen=True)
class Lived:
    """A record that was renewed: when it began, the moments it waited for, and how it was shown when it waited for the last of them.

    `others` are the records beside it at that time, where it was not led on.
    """

    start: datetime
    moments: tuple[datetime, ...]
    record: Mapping[str, Any]
    others: Mapping[str, int] | None


def _subjects(scope: Scope) -> Iterator[Subject]:
    for subject in timed_subjects(scope):
        transition: Transition = subject.detail["transition"]
        if not transition.to or not transition.states or set(transition.states) & set(transition.to):
            yield subject


def _probe(subject: Subject, client: Client) -> None:
    resource, transition = subject.detail["resource"], subject.detail["transition"]
    route = route_to(client, resource, transition)
    start = _start(client, subject, route)
    stepwise = _live(client, subject, route, start, None)
    if len(stepwise.moments) < _FEWEST:
        raise NotTested(f"the {resource.name} made for it is renewed fewer than {_FEWEST - 1} times in {_YEARS} years")
    wrong = drift(stepwise.start, stepwise.moments)
    if wrong:
        raise Broken(f"renewals a period apart, as the calendar has it, from {iso(stepwise.start)} on", wrong)
    at_once = _live(client, subject, route, start, stepwise)
    _same(client, transition, stepwise, at_once)


def _start(client: Client, subject: Subject, route: Route) -> datetime:
    """When to make the record, so that it begins to wait at a month's end."""
    with apart(client), standing(client) as before:
        if len(route) > 1:
            bring(client, subject.detail["resource"], route)
        spent = now(client) - before
        return month_end_ahead(before + spent + timedelta(days=1)) - spent


def _live(client: Client, subject: Subject, route: Route, start: datetime, known: Lived | None) -> Lived:
    """Let a record be renewed for two years: from one moment to the next, or in one leap to where another came step by step."""
    resource, transition = subject.detail["resource"], subject.detail["transition"]
    with apart(client), standing(client) as here:
        begin = start if here <= start else years_later(start, 4 * ((here.year - start.year) // 4 + 1))
        freeze(client, begin)
        made, record = bring(client, resource, route)
        began = now(client)
        if known is None:
            return _step(client, made, transition, record, began)
        until(client, years_later(known.moments[-2], begin.year - start.year))
        record = shown(client, made)
        moment = due(client.scope.contract, transition, record)
        return Lived(began, (moment,) if moment else (), record, _others(client, made))


def _step(client: Client, made: Made, transition: Transition, record: Mapping[str, Any], began: datetime) -> Lived:
    lived = Lived(began, (), record, None)
    while (moment := waits(client, made.resource, transition, record)) is not None:
        if moment <= now(client):
            raise Broken(f"a later {transition.at} than {iso(now(client))}, the time it is", iso(moment))
        lived = Lived(began, (*lived.moments, moment), record, None)
        if len(lived.moments) > _MOST or moment > years_later(began, _YEARS):
            return replace(lived, others=_others(client, made))
        until(client, moment)
        record = shown(client, made)
    return lived


def _others(client: Client, made: Made) -> dict[str, int]:
    return {name: len(keys) for name, keys in around(client, made).items()}


def _same(client: Client, transition: Transition, stepwise: Lived, at_once: Lived) -> None:
    """A leap comes to what single steps come to: none skipped, none twice."""
    years = at_once.start.year - stepwise.start.year
    expected = years_later(stepwise.moments[-1], years)
    found = at_once.moments[0] if at_once.moments else None
    if found != expected:
        raise Broken(
            f"{transition.at} {iso(expected)} after {len(stepwise.moments) - 1} renewals in one leap",
            iso(found) if found else "none",
        )
    if stepwise.others is not None and stepwise.others != at_once.others:
        raise Broken(f"as many others as step by step: {stepwise.others}", f"{at_once.others} after one leap")
    if years and client.scope.contract.timestamps != "date-time":
        return  # moments are numbers too, and they differ
    for name, value in stepwise.record.items():
        if isinstance(value, int | float) and at_once.record.get(name) != value and not _is_key(client, name):
            raise Broken(f"{name} {value!r}, as step by step", f"{at_once.record.get(name)!r} after one leap")


def _is_key(client: Client, name: str) -> bool:
    """Whether a property may hold another value in another world: a key or a reference."""
    return any(
        name == resource.key or name in resource.references or name in resource.mint
        for resource in client.scope.contract.resources.values()
    )


PROMISE = Promise(
    "renewals_do_not_drift",
    "Renewals lie a period apart, reckoned by the calendar from their beginning: a month's end stays one, none is skipped, none comes twice.",
    ("x-lifecycle",),
    _subjects,
    _probe,
)
