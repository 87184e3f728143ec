"""A filter finds what matches, all of it, and nothing else.

A few records are made that differ in one column. Each operator is asked with an operand that divides them, and text with operands that are
nearly right: a space more, an accent, a database's wildcards. Two conditions, windows and orders follow; each in every encoding. Where the target
may only be read, values of records that are there are asked for: what is found must match, and what matches before and afterwards is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from conformance.client import Client
from conformance.filters import Grammar, asked, found, grammar
from conformance.finding import Broken, NotTested
from conformance.promise import Promise, Subject
from conformance.scope import Scope, Sight
from conformance.sifting import sift
from conformance.sights import pages
from conformance.specimens import Specimen, avoided, columns, conditions, due, specimen
from mock_server.contract import Operation


def _subjects(scope: Scope) -> Iterator[Subject]:
    for operation in scope.acting("filter", "search", "list"):
        rules = grammar(scope, operation)
        if rules is None:
            continue
        pointer = "/x-vendor/filter" if operation.action.verb == "filter" else f"{operation.pointer}/parameters"
        yield Subject(operation.id, operation, pointer, {"rules": rules})


def _probe(subject: Subject, client: Client) -> None:
    rules: Grammar = subject.detail["rules"]
    operation = subject.operation
    creates = client.scope.creates(operation.action.resource)
    if not creates:
        raise NotTested(f"no operation in scope creates a {operation.action.resource}")
    names = set(rules.columns) | set(rules.plain)
    usable = list(columns(client.scope, operation, creates[0], names, avoided(client, operation)))
    if not usable:
        raise NotTested("no column can be both set and seen")
    chosen = list({kind: (name, kind) for name, kind in reversed(usable)}.values())
    texts = [name for name, kind in usable if kind == "text"]
    for name, kind in chosen:
        second = next((text for text in texts if text != name), None)
        made = specimen(client, operation, name, kind, second)
        if rules.columns:
            _operators(client, operation, rules, made)
        else:
            _equality(client, operation, made)


def _operators(client: Client, operation: Operation, rules: Grammar, made: Specimen) -> None:
    for operator, operand in conditions(made, rules.columns[made.column]):
        must, may = due(made, operator, operand)
        _hold(client, operation, rules, {made.column: {operator: operand}}, made, must, may)
    ordered = sorted(value for value in made.values.values() if value is not None)
    middle = ordered[len(ordered) // 2]
    if made.kind != "choice" and {"$gte", "$lte"} <= set(rules.columns[made.column]):
        only = {key for key, value in made.values.items() if value == middle}
        _hold(client, operation, rules, {made.column: {"$gte": middle, "$lte": middle}}, made, only)
    if made.second and made.seconds and made.second in rules.columns:
        odd = next(value for value in made.seconds.values() if str(value).endswith("odd"))
        both = {made.column: {"$in": ordered[:2]}, made.second: {"$equals": odd}}
        expected = {k for k, v in made.values.items() if v in ordered[:2] and made.seconds[k] == odd}
        _hold(client, operation, rules, both, made, expected)
    if made.kind == "text" and "$limit" in rules.whole:
        _window(client, operation, rules, made)


def _hold(
    client: Client,
    operation: Operation,
    rules: Grammar,
    condition: Mapping[str, Any],
    made: Specimen,
    must: set[Any],
    may: set[Any] = frozenset(),  # type: ignore[assignment]  # never changed
) -> None:
    view = operation.view(operation.action.resource)
    assert view is not None, "a subject has one"
    for encoding, answer in asked(client, operation, rules, condition):
        keys = found(client, operation, view, answer)
        if len(set(keys)) != len(keys):
            raise Broken(f"each record once for {condition} ({encoding})", f"{keys}")
        ours = set(keys) & set(made.values)
        _compare(made, ours, must, may, f"{condition} as {encoding}")
        marked = (
            made.kind == "text"
            and set(condition) == {made.column}
            and set(condition[made.column]) & {"$equals", "$starts", "$in"}
        )
        if marked and set(keys) - set(made.values):
            raise Broken(
                f"nothing but what matches {condition} ({encoding})",
                f"also {sorted(map(str, set(keys) - set(made.values)))[:3]}",
            )


def _compare(made: Specimen, ours: set[Any], must: set[Any], may: set[Any], condition: str) -> None:
    if must - ours or ours - must - may:
        have = {made.values[key] for key in ours}
        want = {made.values[key] for key in must}
        raise Broken(f"{_shown(want)} for {condition}", _shown(have))


def _shown(values: set[Any]) -> str:
    return "records with " + (", ".join(sorted(repr(value) for value in values)) if values else "no value at all: none")


def _window(client: Client, operation: Operation, rules: Grammar, made: Specimen) -> None:
    view = operation.view(operation.action.resource)
    assert view is not None, "a subject has one"
    values = [value for value in made.values.values() if value is not None]
    condition = {made.column: {"$in": values}}
    for encoding, answer in asked(client, operation, rules, {**condition, "$limit": 2}):
        keys = found(client, operation, view, answer)
        if len(keys) != 2:
            raise Broken(f"2 records for $limit=2 ({encoding})", f"{len(keys)}")
        if "$offset" not in rules.whole:
            continue
        rest = dict(asked(client, operation, rules, {**condition, "$limit": 2, "$offset": 2}))[encoding]
        if set(keys) | set(found(client, operation, view, rest)) != {
            k for k, v in made.values.items() if v is not None
        }:
            raise Broken(f"the remaining record for $offset=2 ({encoding})", str(rest))
    if "$sortorder" in rules.whole:
        up = {
            e: found(client, operation, view, a)
            for e, a in asked(client, operation, rules, {**condition, "$sortorder": "asc"})
        }
        for encoding, answer in asked(client, operation, rules, {**condition, "$sortorder": "desc"}):
            if found(client, operation, view, answer) != up[encoding][::-1]:
                raise Broken(f"descending order to be the reverse of ascending ({encoding})", str(answer))
        for encoding, answer in asked(client, operation, rules, {**condition, "$sortorder": "desc", "$limit": 2}):
            if found(client, operation, view, answer) != up[encoding][::-1][:2]:
                raise Broken(f"the first two in descending order for $limit=2 ({encoding})", str(answer))


def _equality(client: Client, operation: Operation, made: Specimen) -> None:
    view = operation.view(operation.action.resource)
    assert view is not None, "a subject has one"
    key = client.scope.resource(operation).key
    names = {p.name for p in operation.parameters}
    holder = next((p.name for p in operation.parameters if made.column not in names and p.style == "form"), None)

    def ask(values: Mapping[str, Any]) -> set[Any]:
        given = {holder: dict(values)} if holder else dict(values)
        records = [r for page in pages(client, Sight(operation, view, "list"), given=given) for r in page.records(view)]
        for record in records:
            wrong = {
                name: record.get(name) for name, value in values.items() if name in record and record[name] != value
            }
            if wrong:
                raise Broken(f"only records with {dict(values)}", f"one with {wrong}")
        return {record.get(key) for record in records}

    for value in {str(value): value for value in made.values.values() if value is not None}.values():
        expected = {key for key, have in made.values.items() if have == value}
        _compare(made, ask({made.column: value}) & set(made.values), expected, set(), f"{made.column}={value}")
    if made.second and made.seconds and (made.second in names or holder):
        for one, value in made.values.items():
            if value is not None:
                both = {made.column: value, made.second: made.seconds[one]}
                expected = {k for k, v in made.values.items() if v == value and made.seconds[k] == made.seconds[one]}
                _compare(made, ask(both) & set(made.values), expected, set(), f"{both}")


PROMISE = Promise(
    "filters_match_exactly",
    "A filter finds every record that matches and nothing else; conditions add up; every encoding gives the same answer.",
    ("x-action", "x-vendor"),
    _subjects,
    _probe,
    sift,
)
