"""What filters find among records that are there already, and may change meanwhile.

Values are taken from the records that a list shows. What a filter finds must match, by the values that its own answer shows; what matched before
and matches still must be found, where the answer holds all that was. Whether case matters, and in which order texts stand, is left open.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conformance.client import Answer, Client
from conformance.filters import Grammar, asked, found
from conformance.finding import Broken
from conformance.limits import READ_ONLY
from conformance.promise import Subject
from conformance.sights import at
from conformance.specimens import Condition, Record, columns, matches, nearly
from conformance.standing import standing, too_few
from mock_server.contract import Operation

Records = Mapping[Any, Record]
_ORDERED = ("$lt", "$lte", "$gt", "$gte")
_FULL = 100
"""How many records make an answer look cut off, where the contract has no pages."""


@dataclass(frozen=True)
class Column:
    """A column to filter by: its values that can be asked for, the rarest first, and how many records have the last."""

    name: str
    kind: str
    values: Sequence[Any]
    most: int

    @property
    def middle(self) -> Any:
        """The one in the middle of their order."""
        return sorted(self.values)[len(self.values) // 2]


def sift(subject: Subject, client: Client) -> None:
    """Ask for values of records that are there. Raises Broken, and NotTested where too few are there."""
    operation, rules = subject.operation, subject.detail["rules"]
    there: Records = standing(client, operation.action.resource)
    chosen = _chosen(client, operation, rules, there.values())
    if not chosen:
        raise too_few(len(there), "no column has two values that could be asked for")
    whole = False
    for condition in _conditions(chosen, rules, there.values()):
        for encoding, answer in _asked(client, operation, rules, condition):
            keys = _sound(client, operation, condition, encoding, answer)
            if not _cut(client, answer, len(keys)):
                whole = True
                there = _complete(client, operation, f"{condition} ({encoding})", condition, there, set(keys))
    if not whole:
        client.lacks("to the last record", f"{READ_ONLY}, and each answer may be but the first part of what matches")
    fine = [column for column in chosen if "$in" in rules.columns.get(column.name, ())]
    if fine:
        _window(client, operation, rules, max(fine, key=lambda column: len(column.values)))


def _chosen(client: Client, operation: Operation, rules: Grammar, records: Collection[Record]) -> list[Column]:
    """A column of each kind, and a second one of texts, if there is one that has a value more than once."""
    found = list(_columns(client, operation, rules, records))
    first = list({column.kind: column for column in reversed(found)}.values())
    texts = [column for column in found if column.kind == "text" and column not in first]
    return [*first, *sorted(texts, key=lambda column: column.most == 1)[:1]]


def _columns(client: Client, operation: Operation, rules: Grammar, records: Collection[Record]) -> Iterator[Column]:
    """The columns that have two values at least."""
    creates = client.scope.creates(operation.action.resource)
    names = set(rules.columns) | set(rules.plain)
    asked_by = {parameter.name: parameter.schema for parameter in operation.parameters}
    for name, kind in columns(client.scope, operation, creates[0] if creates else None, names, set()):
        had = Counter(record[name] for record in records if _fits(kind, record.get(name)))
        usable = [value for value in had if client.scope.schemas.fits(asked_by.get(name, {}), value)]
        if len(usable) > 1:
            values = sorted(usable, key=lambda value: (had[value], str(value)))
            yield Column(name, kind, values, had[values[-1]])


def _fits(kind: str, value: Any) -> bool:
    """Whether a value is one of a kind, and has one spelling in every encoding."""
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 10**15
    if kind == "date":
        return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None
    return isinstance(value, str) and (kind == "choice" or (2 < len(value) < 100 and _plain(value)))


def _plain(text: str) -> bool:
    return all(sign.isalnum() or sign in " .@-" for sign in text) and text == text.strip()


def _conditions(chosen: Sequence[Column], rules: Grammar, records: Collection[Record]) -> Iterator[Condition]:
    """What is asked: each column by each operator it has, or for its values; then two columns together, as a record has them and as none may."""
    for column in chosen:
        operators = rules.columns[column.name] if rules.columns else {"$equals": {}}
        for operator, operand in _operands(column):
            if operator in operators:
                yield {column.name: {operator: operand}}
        if column.kind in ("number", "date") and {"$gte", "$lte"} <= set(operators):
            yield {column.name: {"$gte": column.middle, "$lte": column.middle}}
    for one, other in pairwise(chosen):
        pairs = [
            (record[one.name], record[other.name])
            for record in records
            if record.get(one.name) in one.values and record.get(other.name) in other.values
        ]
        crossed = [(first, pairs[0][1]) for first, second in pairs if first != pairs[0][0] and second != pairs[0][1]]
        for first, second in [*pairs[:1], *crossed[:1]]:
            yield {one.name: {"$equals": first}, other.name: {"$equals": second}}


def _operands(column: Column) -> Iterator[tuple[str, Any]]:
    """Each operator with operands that divide the values of a column."""
    rare = column.values[0]
    for operator in ("$equals", "$not_equals"):
        yield from ((operator, value) for value in dict.fromkeys([*column.values[:2], column.values[-1]]))
    for operator in ("$in", "$not_in"):
        yield operator, list(column.values[:2])
    yield from (("$is_null", True), ("$not_null", True))
    if column.kind in ("number", "date"):
        yield from ((operator, column.middle) for operator in _ORDERED)
    if column.kind == "text":
        head, tail = rare[: len(rare) // 2 + 1].strip(), rare[len(rare) // 2 :].strip()
        yield from (
            (operator, part) for operator in ("$starts", "$ends", "$contains") for part in (head, tail) if len(part) > 1
        )
        yield from (nearly(rare) if len(rare) > 6 else ())


def _asked(client: Client, operation: Operation, rules: Grammar, condition: Condition) -> Iterator[tuple[str, Answer]]:
    """A condition in every encoding; where columns are parameters, or stand in one that is an object of them, in the query alone."""
    if rules.columns:
        yield from asked(client, operation, rules, condition)
        return
    given = {column: part["$equals"] for column, part in condition.items()}
    names = {parameter.name for parameter in operation.parameters}
    if set(given) <= names:
        yield "query", client.call(operation, given=given)
    elif holder := next((p.name for p in operation.parameters if p.style == "form" and p.where == "query"), None):
        yield "query", client.call(operation, given={holder: given})


def _sound(client: Client, operation: Operation, condition: Condition, encoding: str, answer: Answer) -> list[Any]:
    """The keys that an answer shows, each once, and none of a record that does not match by what is shown of it."""
    key, keys = client.scope.resource(operation).key, _keys(client, operation, answer)
    if len(set(map(repr, keys))) != len(keys):
        raise Broken(f"each record once for {condition} ({encoding})", f"{keys}")
    for record in answer.records(operation.view(operation.action.resource)):
        if matches(record, condition) is False:
            told = {column: record[column] for column in condition if column in record}
            raise Broken(f"nothing but what matches {condition} ({encoding})", f"{record.get(key)!r} with {told}")
    return keys


def _keys(client: Client, operation: Operation, answer: Answer) -> list[Any]:
    view = operation.view(operation.action.resource)
    assert view is not None, "a subject has one"
    return found(client, operation, view, answer)


def _cut(client: Client, answer: Answer, count: int) -> bool:
    """Whether an answer may be but the first part of what matches."""
    paging = client.scope.contract.pagination
    return count >= (paging.size if paging else _FULL) or bool(paging and paging.next and at(answer, paging.next))


def _complete(
    client: Client, operation: Operation, told: str, condition: Condition, there: Records, keys: Collection[Any]
) -> Records:
    """The records that are there still, where some are not found that matched before. Raises Broken where one of those matches now."""
    missed = [key for key, record in there.items() if key not in keys and matches(record, condition)]
    if not missed:
        return there
    now = standing(client, operation.action.resource)
    for key in missed:
        if key in now and matches(now[key], condition):
            shown = {column: now[key][column] for column in condition}
            raise Broken(f"{key!r} with {shown} for {told}", "it is not found")
    return {key: now[key] for key in there if key in now}


def _window(client: Client, operation: Operation, rules: Grammar, column: Column) -> None:
    """A part of what matches, and what comes after it; then both orders."""
    condition = {column.name: {"$in": list(column.values[:4])}}
    there = standing(client, operation.action.resource)
    due = {key: record for key, record in there.items() if matches(record, condition)}
    first = {**condition, "$limit": 2}
    for encoding, answer in asked(client, operation, rules, first) if "$limit" in rules.whole and len(due) > 2 else ():
        keys = _keys(client, operation, answer)
        if len(keys) != 2:
            raise Broken(f"2 records for {first} ({encoding})", f"{len(keys)}")
        if "$offset" in rules.whole:
            rest = dict(asked(client, operation, rules, {**first, "$offset": 2}))[encoding]
            again = set(keys) & set(_keys(client, operation, rest))
            if again and keys == _keys(client, operation, dict(asked(client, operation, rules, first))[encoding]):
                raise Broken(f"others than the first for $offset=2 ({encoding})", f"{sorted(map(str, again))} again")
    if "$sortorder" in rules.whole:
        _orders(client, operation, rules, condition, due)


def _orders(client: Client, operation: Operation, rules: Grammar, condition: Condition, due: Records) -> None:
    """Both orders, of records that none was made together with: those have no order that is stated."""
    created = client.scope.resource(operation).created or ""
    stamps = Counter(record.get(created) for record in due.values())
    told = {key for key, record in due.items() if record.get(created) and stamps[record[created]] == 1}
    up, down = (
        {
            encoding: [key for key in _keys(client, operation, answer) if key in told]
            for encoding, answer in asked(client, operation, rules, {**condition, "$sortorder": order})
        }
        for order in ("asc", "desc")
    )
    for encoding, keys in up.items():
        both = set(keys) & set(down[encoding])
        if [key for key in keys if key in both] != [key for key in down[encoding] if key in both][::-1]:
            raise Broken(
                f"descending order to be the reverse of ascending ({encoding})", f"{keys}, then {down[encoding]}"
            )
