"""The plain actions, one per verb of `x-action`: what create, retrieve, list, search, update and delete mean everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.contract import escape
from mock_server.problems import Problem, Violation
from mock_server.store import StoredRecord
from mock_server.vendor import Call, Page, Result


def writable(call: Call) -> dict[str, Any]:
    """The body's properties that the client may set, with what the operation fixes put over them.

    What the operation's body does not declare is ignored, even where the record has a property of that name.
    """
    body = call.body if isinstance(call.body, dict) else {}
    names = call.operation.writes(call.resource)
    values = body if names.issuperset(body) else {name: value for name, value in body.items() if name in names}
    fixed = call.operation.action.fixed
    return {**values, **fixed} if fixed else values


def check_references(call: Call) -> None:
    """Raise Problem `dangling` (a body) or `unknown` (a path) for every value that should name a record and does not."""
    if not call.operation.refers:
        return
    body = call.body if isinstance(call.body, Mapping) else {}
    facts = call.operation.body
    by = call.operation.action.by
    found = [
        Violation("body", f"/{escape(name)}", "dangling", f"names no {resource}")
        for name, resource in (facts.references if facts else {}).items()
        if body.get(name) is not None and by != ("body", name) and call.find(resource, body[name]) is None
    ]
    if found:
        raise Problem("dangling", violations=tuple(found))
    tenancy = (call.contract.tenancy.where, call.contract.tenancy.name)
    for parameter in call.operation.referring:
        value = call.input.at(parameter.where, parameter.name)
        if value is None or (parameter.where, parameter.name) == tenancy:
            continue
        assert parameter.references is not None, "it refers"
        if call.find(parameter.references, value) is None:
            violation = Violation(
                parameter.where, f"/{escape(parameter.name)}", "unknown", f"names no {parameter.references}"
            )
            raise Problem("unknown", f"There is no such {parameter.references}.", (violation,))


def create(call: Call) -> Result:
    """Store a new record of the body."""
    return call.create(call.operation.action.resource, writable(call))


def retrieve(call: Call) -> Result:
    """The record the call is about."""
    return call.require(call.operation.action.resource, call.key())


def list_records(call: Call) -> Result:
    """A page of the records, or all of them where the vendor has no pages."""
    resource = call.operation.action.resource
    pages = call.contract.pagination
    if pages is None or not any(parameter.name == pages.parameter for parameter in call.operation.parameters):
        return list(call.scan(resource))
    number = call.input.query.get(pages.parameter) or 1
    records = list(call.scan(resource, offset=(number - 1) * pages.size, limit=pages.size))
    return Page(records, number, pages.size, call.count(resource))


def search(call: Call) -> Result:
    """The records whose properties equal the query parameters of the same name; none given, none found."""
    where = {name: value for name, value in call.input.query.items() if name in call.resource.properties}
    return list(call.scan(call.operation.action.resource, where)) if where else []


def update(call: Call) -> Result:
    """Change what the body names, in a state that allows it."""
    record = call.require(call.operation.action.resource, call.key())
    check_state(call, record)
    return call.change(call.operation.action.resource, record, writable(call))


def delete(call: Call) -> Result:
    """Delete the record, or each of those that the call names; of many, unknown ones are left out."""
    resource, action = call.operation.action.resource, call.operation.action
    if not action.many:
        record = call.require(resource, call.key())
        check_state(call, record)
        call.remove(resource, record)
        return None if not call.operation.success.content else record
    keys = dict.fromkeys(call.key() or ())
    found = [record for record in (call.find(resource, key) for key in keys) if record is not None]
    return [call.remove(resource, record) for record in found]


def check_state(call: Call, record: StoredRecord) -> None:
    """Raise Problem `state` where the record is in none of the states that `x-action.from` lists."""
    states, field = call.operation.action.states, call.resource.state
    if states and field and record.get(field) not in states:
        raise Problem("state", f"The {call.resource.name} is {record.get(field)}; this needs {' or '.join(states)}.")


PLAIN: Mapping[str, Callable[[Call], Result]] = {
    "create": create,
    "retrieve": retrieve,
    "list": list_records,
    "search": search,
    "update": update,
    "delete": delete,
}
