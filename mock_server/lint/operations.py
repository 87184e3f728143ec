"""Rules on operations: what each says of itself, and what its facts say of the resource."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mock_server.contract import Contract, Operation, Part, Resource, escape
from mock_server.contract.operations import VERBS
from mock_server.lint.finding import Finding
from mock_server.lint.subject import Subject, as_mapping
from mock_server.lint.validation import Unusable

_LOWER_CAMEL = re.compile(r"[a-z][a-zA-Z0-9]*")


def described(subject: Subject) -> Iterator[Finding]:
    """operation-id, summary, description, tag, provenance, action, default-response."""
    tags = subject.document.get("tags")
    declared = {as_mapping(tag).get("name") for tag in (tags if isinstance(tags, list) else ())}
    for part in subject.parts:
        if part.place != "operation" or "webhook" in part.within:
            continue
        name = part.node.get("operationId")
        if not isinstance(name, str) or not _LOWER_CAMEL.fullmatch(name):
            yield subject.find(part.pointer, "operation-id", f"the operationId is {name!r}, not in lower camel case")
        for key in ("summary", "description"):
            text = part.node.get(key)
            if not isinstance(text, str) or not text.strip():
                yield subject.find(part.pointer, key, f"{name} has no {key}")
        yield from _tag(subject, part, declared)
        if "x-provenance" not in part.node:
            yield subject.find(part.pointer, "provenance", f"{name} does not say how far it can be trusted")
        verbs = [verb for verb in VERBS if verb in as_mapping(part.node.get("x-action"))]
        if len(verbs) != 1:
            yield subject.find(
                part.pointer, "action", f"{name} does {' and '.join(verbs) or 'nothing'}: one of {', '.join(VERBS)}"
            )
        if "default" in as_mapping(part.node.get("responses")):
            pointer = f"{part.pointer}/responses/default"
            yield subject.find(
                pointer, "default-response", f"{name} has a default response: list the statuses one by one"
            )


def _tag(subject: Subject, part: Part, declared: set[object]) -> Iterator[Finding]:
    tags = part.node.get("tags")
    if not isinstance(tags, list) or len(tags) != 1:
        yield subject.find(part.pointer, "tag", f"{part.node.get('operationId')} needs one tag")
        return
    if tags[0] not in declared:
        yield subject.find(f"{part.pointer}/tags/0", "tag", f"the document declares no tag {tags[0]}")


def facts(subject: Subject, contract: Contract) -> Iterator[Finding]:
    """action-fact."""
    for operation in contract.operations.values():
        for key, message in _faults(subject, contract, operation):
            yield subject.find(f"{operation.pointer}/x-action/{key}", "action-fact", message)


def _false_moves(subject: Subject, operation: Operation, resource: Resource) -> Iterator[tuple[str, str]]:
    """Values that the body cannot have, and states that are none."""
    states = resource.properties.get(resource.state or "", {}).get("enum")
    body = operation.body
    fields = subject.properties(next(iter(body.content.values())), body.pointer) if body else {}
    for name, moves in operation.action.moves.items():
        for value, state in moves.items():
            place = f"moves/{escape(name)}/{escape(value)}"
            if resource.state is None or (states is not None and state not in states):
                yield place, f"{resource.name} has no state {state}"
            if operation.action.to and state not in operation.action.to:
                yield place, f"{state} is none of the states in `to`"
            if name in fields and value not in as_mapping(fields[name][0]).get("enum", (value,)):
                yield place, f"{name} is never {value}"


def _faults(subject: Subject, contract: Contract, operation: Operation) -> Iterator[tuple[str, str]]:
    action = operation.action
    resource = contract.resources[action.resource]
    state = resource.properties.get(resource.state or "", {})
    for key, states in (("from", action.states), ("to", action.to)):
        if states and resource.state is None:
            yield key, f"{resource.name} has no state"
        for index, value in enumerate(states):
            if resource.state and "enum" in state and value not in state["enum"]:
                yield f"{key}/{index}", f"{resource.state} is never {value}"
    yield from _false_moves(subject, operation, resource)
    for name, value in action.fixed.items():
        if name not in resource.properties:
            yield f"set/{name}", f"{resource.name} has no property {name}"
            continue
        try:
            for _, message in subject.validators.faults(resource.properties[name], value, "stored"):
                yield f"set/{name}", message
        except Unusable:
            continue  # said by schema-unusable
