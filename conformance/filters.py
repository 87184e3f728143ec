"""What a contract lets a caller filter by, and which of a few known records each condition must find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken, NotTested
from conformance.records import base_body, make, unique_fields
from conformance.scope import Scope
from conformance.target import Caller
from conformance.wire import FORM
from mock_server.contract import Operation, View

Test = Callable[[Any, Any], bool]

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
class Grammar:
    """What one operation filters by: operators and their operands' schemas by column, keys of the whole query, plain equality parameters."""

    columns: Mapping[str, Mapping[str, Any]]
    whole: frozenset[str]
    plain: frozenset[str]


def grammar(scope: Scope, operation: Operation) -> Grammar | None:
    """What an operation filters by; None where it does not."""
    view = operation.view(operation.action.resource)
    if view is None or not view.is_list:
        return None
    shown = scope.shown(operation, view)
    if operation.action.verb == "filter":
        return _nested(scope, operation, shown)
    if operation.action.verb not in ("list", "search"):
        return None
    plain = {
        p.name
        for p in operation.parameters
        if p.where == "query" and p.name in shown and p.name != scope.contract.tenancy.name
    }
    if operation.action.verb == "search":
        for parameter in operation.parameters:
            schema = scope.schemas.follow(parameter.schema)
            if (
                parameter.where == "query"
                and schema.get("type") == "object"
                and parameter.style == "form"
                and parameter.explode
            ):
                plain |= set(shown)
    return Grammar({}, frozenset(), frozenset(plain)) if plain else None


def _nested(scope: Scope, operation: Operation, shown: Mapping[str, Any]) -> Grammar | None:
    name = scope.contract.filter_parameter
    schemas = [p.schema for p in operation.parameters if p.name == name]
    if operation.body:
        schemas += [item for field, item in scope.fields(operation).items() if field == name]
    if not schemas:
        return None
    node = scope.schemas.follow(schemas[0])
    properties = scope.schemas.properties(node)
    extra = node.get("additionalProperties")
    columns = {column: item for column, item in properties.items() if not column.startswith("$")}
    if not columns:
        columns = dict.fromkeys(shown, scope.schemas.follow(extra) if isinstance(extra, dict) else {})
    operators = {
        column: {key: schema for key, schema in scope.schemas.properties(item).items() if key in OPERATORS}
        or {key: {} for key in OPERATORS}
        for column, item in columns.items()
    }
    return Grammar(operators, frozenset(key for key in properties if key.startswith("$")), frozenset())


@dataclass(frozen=True)
class Specimen:
    """A few records made to differ in one column: their keys, their values (None for one without), and whether it orders."""

    column: str
    kind: str
    values: Mapping[Any, Any]
    second: str | None = None
    seconds: Mapping[Any, Any] | None = None


def columns(
    scope: Scope, operation: Operation, create: Operation, names: set[str], avoid: set[str]
) -> Iterator[tuple[str, str]]:
    """Columns that can be both set and seen, with their kind: text, number, date, choice."""
    view = operation.view(operation.action.resource)
    shown = scope.shown(operation, view) if view else {}
    resource = scope.resource(operation)
    for name, schema in scope.fields(create).items():
        if name not in shown or name not in names or name in avoid or name == resource.state or schema.get("readOnly"):
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


def spelled(client: Client, schema: Any, value: Any) -> Any:
    """An operand as its schema wants it: as it is, or as text."""
    if schema and not client.scope.schemas.fits(schema, value):
        return [str(item) for item in value] if isinstance(value, list) else str(value)
    return value


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
        yield from ((operator, operand) for operator, operand in _nearly(text) if operator in operators)


def _nearly(text: str) -> Iterator[tuple[str, str]]:
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


def asked(
    client: Client, operation: Operation, rules: Grammar, condition: Mapping[str, Any]
) -> Iterator[tuple[str, Answer]]:
    """The same filter in every encoding the operation takes: query, JSON, form."""
    name = client.scope.contract.filter_parameter or "filter"
    condition = {
        column: {key: spelled(client, rules.columns[column].get(key), value) for key, value in part.items()}
        if isinstance(part, Mapping)
        else part
        for column, part in condition.items()
    }
    if any(p.where == "query" and p.name == name for p in operation.parameters):
        yield "query", client.call(operation, given={name: condition}, body=ABSENT)
    for media in operation.body.content if operation.body else ():
        yield ("form" if media == FORM else "JSON"), client.call(operation, body={name: condition}, media=media)


def sought(client: Client, resource: str, key: Any, caller: Caller) -> Iterator[tuple[Operation, list[Any]]]:
    """The records that each filter and each search finds by a key, as a caller sees them."""
    name, parameter = client.scope.contract.resources[resource].key, client.scope.contract.filter_parameter
    for operation in client.scope.acting("filter", "search", on=resource):
        rules, view = grammar(client.scope, operation), operation.view(resource)
        if rules is None or view is None or name not in {*rules.columns, *rules.plain}:
            continue
        given: dict[str, Any] = {name: key}
        if rules.columns:
            operand = spelled(client, rules.columns[name].get("$equals"), key)
            given = {parameter or "filter": {name: {"$equals": operand}}}
        elif name not in {p.name for p in operation.parameters}:
            given = {p.name: {name: key} for p in operation.parameters if p.style == "form" and p.where == "query"}
        if rules.columns and not any(p.name == parameter for p in operation.parameters):
            answer = client.call(operation, body=given, caller=caller)
        else:
            answer = client.call(operation, given=given, caller=caller)
        if answer.ok:
            yield operation, [record for record in answer.records(view) if record.get(name) == key]


def found(client: Client, operation: Operation, view: View, answer: Answer) -> list[Any]:
    """The keys an answer shows, in its order."""
    if not answer.ok:
        raise Broken(f"{operation.success.status} for a filter", str(answer))
    key = client.scope.resource(operation).key
    return [record.get(key) for record in answer.records(view)]


def avoided(client: Client, operation: Operation) -> set[str]:
    """Columns no specimen should vary: those that must not repeat."""
    creates = client.scope.creates(operation.action.resource)
    return set(unique_fields(client, creates[0])) if creates else set()
