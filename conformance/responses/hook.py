"""Edits each call that Schemathesis generated just before it is sent, so that server state cannot spoil it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from schemathesis import hooks
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.core.parameters import ParameterLocation
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from conformance.client import Client
from conformance.exchange import Exchange
from conformance.finding import Broken, Withheld
from conformance.marks import stamp
from conformance.responses import queries
from conformance.responses.filling import Filling
from conformance.responses.judging import Judge
from conformance.sights import Made, upon
from conformance.wire import FORM
from mock_server.contract import Json, Operation, Parameter

_LOCATIONS = {"path": ParameterLocation.PATH, "query": ParameterLocation.QUERY, "header": ParameterLocation.HEADER}


@dataclass
class Hook:
    """What must not repeat is made fresh after generation; valid references and ids name records that exist.

    Else Hypothesis replays a create that answered 201 and now answers 409, and the stateful phase ends early, reporting success.
    """

    client: Client
    filling: Filling
    judge: Judge
    spare: dict[str, Made | None] = field(default_factory=dict)
    aim: Made | None = None
    linked: bool = False
    operation: Operation | None = None
    withheld: dict[str, str] = field(default_factory=dict)
    missed: list[tuple[Operation, Broken, Exchange]] = field(default_factory=list)

    @classmethod
    def on(cls, client: Client) -> Hook:
        """A hook for the calls of one run."""
        filling = Filling(client)
        return cls(client, filling, Judge(client, filling))

    def before_call(self, context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        """Schemathesis' hook: the case is about to be sent."""
        self.operation = operation = self._operation(case)
        if operation is None:
            return
        try:
            self._prepare(operation, case)
        except Withheld as reason:
            self.withhold(str(reason))

    def withhold(self, reason: str) -> None:
        """A limit of the target kept an operation from being put to the test as it should be: nothing of it can be told any more."""
        if self.operation is not None:
            self.withheld.setdefault(self.operation.id, reason)

    def miss(self, broken: Broken, request: Any) -> None:
        """A request has no answer, while others have."""
        content = request.body.encode("utf-8", "replace") if isinstance(request.body, str) else request.body
        exchange = Exchange(request.method, request.url, dict(request.headers), content, 0, {}, b"", time.time())
        if self.operation is not None:
            self.missed.append((self.operation, broken, exchange))

    def _prepare(self, operation: Operation, case: Any) -> None:
        self.linked = _phase(case) == "stateful"
        self.aim = self._aimed(operation, case)
        if operation.action.resource == "Credential" and operation.secured and self.client.target.spares:
            _, authority = self.client.credentials(operation, self.client.target.spares[-1].token)
            case.headers.update({name: value for name, value in authority.items() if name in case.headers})
        for parameter in operation.parameters:
            self._parameter(case, operation, parameter)
        if operation.action.verb == "delete":
            self._spare_known(operation, case)
        if operation.body is not None and isinstance(case.body, dict):
            filled = self.filling.body(operation, case.body, self.aim)
            valid = case.meta is None or not case.meta.is_negative_at(ParameterLocation.BODY)
            case.body = stamp(self.client, operation, filled, self.aim.sent if self.aim else None, add=valid)

    def after_call(self, context: Any, case: Any, response: Any) -> None:
        """Schemathesis' hook: the answer is here."""
        operation = self._operation(case)
        if operation is None or case.method.lower() != operation.method:
            return
        if response.status_code < 400:
            self.filling.accepted(operation)
            self.judge.note(operation, case.body)
        ledger, body = self.client.ledger, response.request.body
        ledger.note(operation.id, response.status_code)
        sent = body.encode("utf-8", "replace") if isinstance(body, str) else body
        ledger.note_fields(operation.id, response.status_code, sent, lambda: _shown(response))
        given = {**(case.query or {}), **(case.path_parameters or {})}
        caller = self.client.caller
        self.client.traces.note(operation, response.status_code, lambda: _shown(response), case.body, caller, given)

    def filter_failure(self, context: Any, failure: Any, case: Any, response: Any) -> bool:
        """Schemathesis' hook: whether a failure is one. Three checks know less than the contract says."""
        operation = self._operation(case)
        if operation is not None and operation.id in self.withheld:
            return False
        if isinstance(failure, EnsureResourceAvailability):
            sought = self.client.scope.contract.operations.get(_identifier(case))
            by = sought.action.by if sought else None
            return by is not None and by[0] == "path"
        if isinstance(failure, AcceptedNegativeData) and operation is not None and _is_negative_in_query_alone(case):
            return not queries.is_valid(self.client.scope.schemas, operation, response.request.url)
        if isinstance(failure, RejectedPositiveData) and operation is not None:
            if case.media_type == FORM and any(
                value is None or isinstance(value, dict | list) for value in dict(case.body or {}).values()
            ):
                return False  # neither null nor a structure has one spelling in a form
            if (
                operation.action.states
                and _phase(case) == "stateful"
                and response.status_code == operation.statuses.get("state")
            ):
                return False  # a link may lead to a record that has moved on
            return not self._is_conditional(operation, case.body)
        return True

    def _is_conditional(self, operation: Operation, body: Any) -> bool:
        try:
            return self.judge.is_conditional(operation, body)
        except Withheld as reason:
            self.withhold(str(reason))
            return True

    def _operation(self, case: Any) -> Operation | None:
        return self.client.scope.contract.operations.get(_identifier(case))

    def _aimed(self, operation: Operation, case: Any) -> Made | None:
        """The record a call should be about: one for the operation alone where it uses records up; None where links choose it."""
        by, resource = operation.action.by, operation.action.resource
        if by is None or by[0] == "credential" or _phase(case) == "stateful":
            return None
        if operation.action.states or operation.action.verb == "delete":
            return self.filling.ready(operation)
        if resource not in self.spare:
            self.spare[resource] = self.filling.made(resource)
        return self.spare[resource]

    def _spare_known(self, operation: Operation, case: Any) -> None:
        """Turn a deletion away from the records that others refer to; a list may have linked to them."""
        by, resource = operation.action.by, operation.action.resource
        container = {"path": case.path_parameters, "query": case.query}.get(by[0]) if by else None
        if by is None or container is None or by[1] not in container:
            return
        key = self.client.scope.contract.resources[resource].key
        kept = {record.get(key) for record in self.client.caller.records(resource)}
        kept |= set(self.client.populated.get((f"dependency {resource}", self.client.caller.name), ()))
        text = json.dumps(container[by[1]])
        made = self.filling.made(resource) if any(json.dumps(one)[1:-1] in text for one in kept) else None
        if made is not None:
            container[by[1]] = upon(self.client, operation, made)["given"][by[1]]

    def _parameter(self, case: Any, operation: Operation, parameter: Parameter) -> None:
        container = {"path": case.path_parameters, "query": case.query, "header": case.headers}.get(parameter.where)
        if container is None or parameter.name not in container:
            return
        if case.meta is not None and case.meta.is_negative_at(_LOCATIONS[parameter.where]):
            return
        value = self._known(operation, parameter)
        chosen = "enum" in self.client.scope.schemas.follow(parameter.schema)
        if value is None and not chosen and parameter.where == "path" and container[parameter.name] in self._segments():
            value = self.client.fresh.token()  # the word is another path's own
        if value is not None:
            container[parameter.name] = value if parameter.where != "header" else str(value)

    def _segments(self) -> set[str]:
        return {
            segment
            for operation in self.client.scope.contract.operations.values()
            for segment in operation.path.split("/")
        }

    def _known(self, operation: Operation, parameter: Parameter) -> Any:
        """What the parameter should be instead; None to leave it."""
        contract, client = self.client.scope.contract, self.client
        rule = contract.idempotency
        if rule and parameter.where == "header" and parameter.name.lower() == rule.header.lower():
            return client.fresh.token()
        if (parameter.where, parameter.name) == (contract.tenancy.where, contract.tenancy.name):
            return client.caller.tenant or None
        if self.aim is not None:
            given = upon(client, operation, self.aim)["given"]
            if parameter.name in given:
                return given[parameter.name]
        if operation.action.by == (parameter.where, parameter.name):
            return None if self.linked or operation.action.many else self.filling.reference(operation.action.resource)
        if parameter.references is None or (self.linked and self.client.scope.creates(parameter.references)):
            return None
        return self.filling.reference(parameter.references)


def _shown(response: Any) -> Json:
    """The parsed body of an answer, which Schemathesis keeps for its checks; None where there is none."""
    try:
        return response.json() if response.content else None
    except (ValueError, LookupError, RecursionError):
        return None


def _identifier(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId"))


def _is_negative_in_query_alone(case: Any) -> bool:
    others = (ParameterLocation.BODY, ParameterLocation.PATH, ParameterLocation.HEADER, ParameterLocation.COOKIE)
    return case.meta is not None and not any(case.meta.is_negative_at(where) for where in others)


def _phase(case: Any) -> str:
    return str(case.meta.phase.name.value) if case.meta is not None else ""


@contextlib.contextmanager
def installed(hook: Hook) -> Iterator[None]:
    """The hook in Schemathesis' global registry (it takes `before_call` nowhere else), and out of it afterwards."""

    def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        hook.before_call(context, case, kwargs)

    def after_call(context: Any, case: Any, response: Any) -> None:
        hook.after_call(context, case, response)

    def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
        return hook.filter_failure(context, failure, case, response)

    for function in (before_call, after_call, filter_failure):
        hooks.GLOBAL_HOOK_DISPATCHER.register_hook_with_name(function, function.__name__)
    try:
        yield
    finally:
        for function in (before_call, after_call, filter_failure):
            hooks.unregister(function)
