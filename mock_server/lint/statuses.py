"""Rules on statuses: whatever an operation's facts can lead to, it lists, so that no answer comes as a surprise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mock_server.contract import Contract, Operation, Parameter, follow
from mock_server.lint.finding import Finding
from mock_server.lint.subject import Subject

_HARMLESS = frozenset({"description", "example", "title", "deprecated", "default", "nullable", "externalDocs", "xml"})
"""Keys of a schema that no value can be at odds with."""


def complete(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """missing-status, unstated-status."""
    unstated: set[str] = set()
    for operation in contract.operations.values():
        causes: dict[int, list[str]] = {}
        for kind, cause in (
            *_of_body(subject, operation),
            *_of_caller(contract, operation),
            *_of_facts(contract, operation),
        ):
            status = operation.statuses.get(kind)
            if status is not None:
                causes.setdefault(status, []).append(cause)
            elif kind not in unstated:
                unstated.add(kind)
                message = f"no status is stated for {kind}: {operation.id}, where {cause}"
                yield subject.find("/x-vendor/statuses", "unstated-status", message)
        for status, cause in (*_of_media(operation), *_of_keys(contract, operation)):
            causes.setdefault(status, []).append(cause)
        for status in sorted(set(causes) - set(operation.responses)):
            message = f"{operation.id} does not list {status}: {', '.join(dict.fromkeys(causes[status]))}"
            yield subject.find(f"{operation.pointer}/responses", "missing-status", message)


def _of_body(subject: Subject, operation: Operation) -> Iterator[tuple[str, str]]:
    body = operation.body
    if body is None:
        return
    yield "malformed", "the body may be unreadable"
    for schema in body.content.values():
        (root, at), *inner = subject.below(schema, body.pointer)
        every = [(root, at), *inner]
        if any(_demanded(subject, node, pointer) for node, pointer in every):
            yield "missing", "a required property may be absent"
        if root.get("additionalProperties") is False or any(_can_be_wrong(node) for node, _ in inner):
            yield "invalid", "a property may be wrong"
        by = operation.action.by
        own = subject.properties(schema, body.pointer).get(by[1]) if by and by[0] == "body" else None
        if any("x-references" in node and (node, pointer) != own for node, pointer in inner):
            yield "dangling", "a property may name a record that does not exist"


def _demanded(subject: Subject, node: Mapping[str, Any], pointer: str) -> bool:
    properties = subject.properties(node, pointer)
    return any(not properties.get(name, ({}, ""))[0].get("readOnly") for name in node.get("required", ()))


def _can_be_wrong(node: Mapping[str, Any]) -> bool:
    return any(key not in _HARMLESS and not key.startswith("x-") for key in node)


def _of_caller(contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    if not operation.secured:
        return
    yield "unauthenticated", "the credential may be absent or unknown"
    credential = contract.resources.get("Credential")
    if credential is not None and "revoked" in credential.properties:
        yield "forbidden", "the credential may be revoked"


def _of_facts(contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    action = operation.action
    by = action.by
    if by and by[0] != "credential" and not action.many:
        yield "unknown", f"{'.'.join(by)} may name nothing"
    tenancy = contract.tenancy
    for parameter in operation.parameters:
        place = (parameter.where, parameter.name)
        if parameter.references and place != by and place != ("header", tenancy.name):
            yield "unknown", f"{'.'.join(place)} may name nothing"
        if _can_be_refused(parameter, contract):
            yield "parameter", f"{'.'.join(place)} may be wrong"
    if action.states:
        yield "state", "the record may be in another state"
    if any(_is_touched(contract, operation, group) for group in _unique(contract, operation)):
        yield "duplicate", "a unique value may be taken"


def _can_be_refused(parameter: Parameter, contract: Contract) -> bool:
    """A query can always be tangled (`a=1&a[b]=2`); elsewhere a plain text is always right, and no step of a path is empty."""
    if parameter.where == "query" or (parameter.required and parameter.where != "path"):
        return True
    schema = follow(contract.document, parameter.schema)
    held = {key for key in schema if key != "type" and (key, parameter.where, schema[key]) != ("minLength", "path", 1)}
    return schema.get("type") != "string" or _can_be_wrong({key: schema[key] for key in held})


def _unique(contract: Contract, operation: Operation) -> Iterator[tuple[str, ...]]:
    resource = contract.resources[operation.action.resource]
    if operation.action.verb == "create":
        yield (resource.key,)
    if operation.action.verb in ("create", "update"):
        yield from resource.unique


def _is_touched(contract: Contract, operation: Operation, group: tuple[str, ...]) -> bool:
    resource = contract.resources[operation.action.resource]
    sent = operation.body.properties - resource.read_only if operation.body else frozenset()
    by = operation.action.by
    own = {by[1]} if by and by[0] == "body" else set()
    return any(name in operation.action.fixed or (name in sent and name not in own) for name in group)


def _of_media(operation: Operation) -> Iterator[tuple[int, str]]:
    if operation.body is not None:
        yield 415, "the body may be of another media type"


def _of_keys(contract: Contract, operation: Operation) -> Iterator[tuple[int, str]]:
    rule = contract.idempotency
    if rule and any(p.where == "header" and p.name.lower() == rule.header.lower() for p in operation.parameters):
        yield rule.conflict, "the idempotency key may come with another body"
        yield rule.in_use, "the call with this idempotency key may still be running"
