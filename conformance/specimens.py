"""A few records made to differ in one column, and which of them each condition must find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.client import Client
from conformance.finding import Broken, NotTested
from conformance.records import base_body, make, unique_fields
from conformance.scope import Scope
from mock_server.contract import Operation

Test = Callable[[Any, Any], bool]
Record = Mapping[str, Any]
Condition = Mapping[str, Mapping[str, Any]]
"""Operators and their operands, by column."""

OPERATORS: Mapping[str, Test] = {
    "$equals": lambda have, want: have == want,
    "$not_equals": lambda have, want: have != want,
    "$starts": lambda have, want: str(have).startswith(want),
    "$ends": lambda have, want: str(have).endswith(want),
    "$contains": lambda have, want: want in str(have),
    "$in": lambda have, want: have in want,
    "$not_in": lambda have, want: have not in want,
    "$is_null": lambda have, want: have is None,
    "$not_null": lambda have, want: have is not None,
    "$lt": lambda have, want: have < want,
    "$lte": lambda have, want: have <= want,
    "$gt": lambda have, want: have > want,
    "$gte": lambda have, want: have >= want,
}
"""The operators, as a column's value and an operand decide them. A null satisfies `$is_null` alone."""

_ON_TEXT_ONLY = frozenset({"$starts", "$ends", "$contains"})
_OPEN_ON_NULL = frozenset({"$not_equals", "$not_in"})


@dataclass(frozen=True)
class Specimen:
    """A few records made to differ in one column: their keys, their values (None for one without), and whether it orders."""

    column: str
    kind: str
    values: Mapping[Any, Any]
    second: str | None = None
    seconds: Mapping[Any, Any] | None = None


def columns(
    scope: Scope, operation: Operation, create: Operation | None, names: set[str], avoid: set[str]
) -> Iterator[tuple[str, str]]:
    """Columns that can be both set and seen, or seen where nothing sets any, with their kind: text, number, date, choice."""
    view = operation.view(operation.action.resource)
    shown = scope.shown(operation, view) if view else {}
    resource = scope.resource(operation)
    for name, schema in (scope.fields(create) if create else shown).items():
        if name not in shown or name not in names or name in avoid or name == resource.state:
            continue
        if create and schema.get("readOnly"):
            continue
        if any(key in schema for key in ("x-references", "pattern")):
            continue
        if schema.get("type") == "string" and schema.get("format") == "date":
            yield name, "date"
        elif schema.get("type") == "string" and len(schema.get("enum", ())) > 1:
            yield name, "choice"
        elif schema.get("type") == "string" and not any(key in schema for key in ("format", "enum")):
            yield name, "text"
        elif schema.get("type") in ("integer", "number") and "enum" not in schema and schema.get("maximum", 99) > 33:
            yield name, "number"


def specimen(client: Client, operation: Operation, column: str, kind: str, second: str | None = None) -> Specimen:
    """Make records that differ in a column, and in a second one; raises NotTested where the contract gives no way."""
    creates = client.scope.creates(operation.action.resource)
    if not creates:
        raise NotTested(f"no operation in scope creates a {operation.action.resource}")
    create = creates[0]
    fields = client.scope.fields(create)
    view = operation.view(operation.action.resource)
    shown = client.scope.shown(operation, view).get(column, {}) if view else {}
    mark = client.fresh.token()
    choices: dict[str, list[Any]] = {
        "text": [f"{mark} alpha one", f"{mark} beta two", f"gamma {mark} alpha one three"],
        "number": [2, 10, 33],
        "date": ["2027-03-09", "2027-11-02", "2028-01-31"],
        # a word that requests may write in two ways is filtered as answers write it
        "choice": [word for word in fields[column].get("enum", ()) if word in shown.get("enum", (word,))][:3],
    }
    values = choices[kind]
    if column not in client.scope.schemas.required(create.body.schema if create.body else {}):
        values = [*values, None]
    found: dict[Any, Any] = {}
    seconds: dict[Any, Any] = {}
    for number, value in enumerate(values):
        media, body = base_body(client, create)
        body = {**body, column: value}
        if value is None:
            del body[column]
        if second:
            body[second] = f"{mark} {'odd' if number % 2 else 'even'}"
        try:
            made = make(client, operation.action.resource, body=body, media=media, operation=create)
        except Broken:
            if value is None:
                continue  # what is not always needed may be needed with the rest of the body
            raise
        if value is None and made.record.get(column) is not None:
            continue  # the server fills in what a body leaves out
        found[made.key] = value
        seconds[made.key] = body.get(second) if second else None
    return Specimen(column, kind, found, second, seconds)


def conditions(specimen: Specimen, operators: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Each operator with an operand that divides the specimen."""
    have = [value for value in specimen.values.values() if value is not None]
    middle = sorted(have)[len(have) // 2]
    text = str(have[0])
    operands: dict[str, Any] = {
        "$starts": text[: text.rfind(" ") - 3],
        "$ends": text.rpartition(" ")[2],
        "$contains": text.partition(" ")[2].partition(" ")[0],
        "$in": have[:2],
        "$not_in": have[:2],
        "$is_null": True,
        "$not_null": True,
    }
    for operator in OPERATORS:
        if operator not in operators or (specimen.kind != "text" and operator in _ON_TEXT_ONLY):
            continue
        if specimen.kind == "choice" and operator not in ("$equals", "$not_equals", "$in", "$not_in"):
            continue
        yield operator, operands.get(operator, middle)
    if specimen.kind == "text":
        yield from ((operator, operand) for operator, operand in nearly(text) if operator in operators)


def nearly(text: str) -> Iterator[tuple[str, str]]:
    """Operands that only a careless comparison takes for a text: signs that a database reads as others, a space at the end, an accent."""
    yield "$contains", text[:-4].rpartition(" ")[2] + "_" + text[-3:]
    yield "$starts", f"{text[:3]}%"
    yield "$equals", f"{text} "
    yield "$equals", text.replace("a", "á")


def due(specimen: Specimen, operator: str, operand: Any) -> tuple[set[Any], set[Any]]:
    """The keys a condition must find, and those it may: a null is neither equal nor unequal to anything."""
    test = OPERATORS[operator]
    must, may = set(), set()
    for key, value in specimen.values.items():
        if value is None and operator in _OPEN_ON_NULL:
            may.add(key)
        elif (value is not None or operator in ("$is_null", "$not_null")) and test(value, operand):
            must.add(key)
    return must, may


def matches(record: Record, condition: Condition) -> bool | None:
    """Whether a record satisfies a condition; None where a contract leaves that open: in case, and in what is not shown or null."""
    verdicts = [
        _satisfies(record[column], operator, operand) if column in record else None
        for column, part in condition.items()
        for operator, operand in part.items()
    ]
    return False if False in verdicts else None if None in verdicts else True


def _satisfies(have: Any, operator: str, want: Any) -> bool | None:
    test = OPERATORS[operator]
    if have is None and operator in _OPEN_ON_NULL:
        return None
    if have is None or operator in ("$is_null", "$not_null"):
        return test(have, want) if operator in ("$is_null", "$not_null") else False
    try:
        exactly, folded = test(have, want), test(_folded(have), _folded(want))
    except TypeError:
        return None
    return exactly if exactly == folded else None


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return value.casefold() if isinstance(value, str) else value


def avoided(client: Client, operation: Operation) -> set[str]:
    """Columns no specimen should vary: those that must not repeat."""
    creates = client.scope.creates(operation.action.resource)
    return set(unique_fields(client, creates[0])) if creates else set()
