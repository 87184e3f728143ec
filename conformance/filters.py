"""What a contract lets a caller filter by, and how a filter is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.client import ABSENT, Answer, Client
from conformance.finding import Broken
from conformance.scope import Scope
from conformance.specimens import OPERATORS
from conformance.target import Caller
from conformance.wire import FORM
from mock_server.contract import Operation, View


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


def spelled(client: Client, schema: Any, value: Any) -> Any:
    """An operand as its schema wants it: as it is, or as text."""
    if schema and not client.scope.schemas.fits(schema, value):
        return [str(item) for item in value] if isinstance(value, list) else str(value)
    return value


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
