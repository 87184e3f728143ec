"""The mark by which whatever the suite makes is told at sight, and which fields of a record may carry it.

A sandbox that others use too can be swept of it afterwards: what carries the mark was made by the suite, what does not is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from conformance.values import MARK
from mock_server.contract import Json, Operation

if TYPE_CHECKING:
    from conformance.client import Client
    from conformance.schemas import Schema
    from conformance.scope import Scope

TELLING = (
    "description",
    "note",
    "notes",
    "comment",
    "memo",
    "name",
    "full_name",
    "display_name",
    "title",
    "label",
    "first_name",
    "last_name",
    "company",
    "reference",
    "email",
    "source",
)
"""Fields that hold words of a caller's own choice, those first that nothing depends on. Another text may have to be a currency or a country."""
_KEY = "mockingbill"


def is_marked(value: Json, run: str = "") -> bool:
    """Whether a value carries the mark, that of one run where it is named: a text that begins with it, or a free structure that holds one."""
    if isinstance(value, Mapping):
        return any(isinstance(item, str) and is_marked(item, run) for item in value.values())
    if not isinstance(value, str) or not value.startswith(MARK):
        return False
    return not run or value == MARK + run or value.startswith((f"{MARK}{run}-", f"{MARK}{run} "))


def marked_field(
    scope: Scope, resource: str, fields: Mapping[str, Schema], record: Mapping[str, Json], run: str = ""
) -> str:
    """The field in which a record itself carries the mark; empty where none does.

    What it refers to, what stands inside it with a shape of its own, and what only the server sets are not its own words.
    """
    foreign = scope.contract.resources[resource].references
    for name, value in record.items():
        schema = fields.get(name, {})
        own = name not in foreign and not any(key in schema for key in ("x-references", "enum", "x-view", "properties"))
        if own and not schema.get("readOnly") and is_marked(value, run):
            return name
    return ""


def mark(client: Client, operation: Operation, body: Json) -> Json:
    """A body that creates a record, with names and addresses of the suite's own: the first text of each kind, or one that is put in."""
    if operation.action.verb != "create" or not isinstance(body, Mapping):
        return body
    fields, found = client.scope.fields(operation), dict(body)
    kinds: set[bool] = set()
    for name in _places(client.scope, operation):
        value = found.get(name)
        if isinstance(value, str) and ("@" in value) not in kinds and not is_marked(value):
            fresh = client.fresh.marked(fields[name], value)
            if fresh is not None:
                found[name] = fresh
                kinds.add("@" in value)
    return found if any(map(is_marked, found.values())) else _put(client, operation, found)


def stamp(client: Client, operation: Operation, body: Json, known: Json = None, *, add: bool = False) -> Json:
    """A body that was made up, with the mark before a text that it has, or in one that is put in, where nothing in it carries it yet.

    `known` is what the record holds already; a text that does not fit its schema stays as it is, for that is what is tried.
    """
    if operation.action.verb not in ("create", "update") or not isinstance(body, Mapping):
        return body
    held = {**known, **body} if isinstance(known, Mapping) else body
    if any(map(is_marked, held.values())):
        return body
    fields, schemas = client.scope.fields(operation), client.scope.schemas
    for name in _places(client.scope, operation):
        value, schema = body.get(name), fields[name]
        if isinstance(value, str) and schemas.fits(schema, value):
            longest = int(schema.get("maxLength", len(client.fresh.mark) + len(value) + 1))
            text = f"{client.fresh.mark}{'-' if '@' in value else ' '}{value}"[:longest]
            if is_marked(text) and schemas.fits(schema, text):
                return {**body, name: text}
    return _put(client, operation, body) if add and operation.action.verb == "create" else body


def _places(scope: Scope, operation: Operation) -> Iterator[str]:
    """The texts of a body that may carry the mark; those that must not repeat come last."""
    fields = scope.fields(operation)
    unique = {name for group in scope.resource(operation).unique for name in group}
    for name in sorted((name for name in TELLING if name in fields), key=lambda name: name in unique):
        schema = fields[name]
        if schema.get("type") == "string" and not any(
            schema.get(key) for key in ("enum", "x-references", "readOnly", "writeOnly")
        ):
            yield name


def _put(client: Client, operation: Operation, body: Mapping[str, Json]) -> Json:
    """The body with the mark in a text that it lacks, or in a free structure; as it was where there is no room."""
    fields = client.scope.fields(operation)
    for name in _places(client.scope, operation):
        if name not in body and (fresh := client.fresh.marked(fields[name])) is not None:
            return {**body, name: fresh}
    for name, schema in fields.items():
        held = body.get(name, {})
        if not isinstance(held, Mapping) or schema.get("properties") or schema.get("readOnly"):
            continue
        grown = {**held, _KEY: client.fresh.mark}
        if schema.get("type") == "object" and client.scope.schemas.fits(schema, grown):
            return {**body, name: grown}
    return body
