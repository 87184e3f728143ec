"""The one adapter around Schemathesis: every operation through its phases and checks, arranged so that a right server has no failure.

`schemathesis.engine` is not documented API: nothing else in the suite imports it, and the version is pinned.
"""

from __future__ import annotations

import contextlib
import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from schemathesis import hooks
from schemathesis.core.parameters import ParameterLocation
from schemathesis.engine import Status, events, from_schema
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

from conformance.client import ABSENT, FORM, Client
from conformance.finding import Broken, Finding, NotTested, Unreachable
from conformance.records import base_body, dependency, fill, make, resolve_path, unique_fields
from conformance.run import Outcome, Run
from conformance.schemas import Schemas, put
from conformance.sights import Made, upon
from conformance.target import WORLD_HEADER
from mock_server.contract import Json, Operation, Parameter

_SENTENCES = {
    "not_a_server_error": "No request makes the server fail.",
    "status_code_conformance": "Every answer has a documented status.",
    "content_type_conformance": "Every answer has a documented media type.",
    "response_headers_conformance": "Every answer carries the documented headers.",
    "response_schema_conformance": "Every answer's body is valid against its schema.",
    "negative_data_rejection": "A request that breaks its schema is refused.",
    "positive_data_acceptance": "A request that keeps its schema is accepted.",
    "missing_required_header": "A request without a required header is refused.",
    "unsupported_method": "A method that is not offered is answered with 405 and Allow.",
    "allow_header_conformance": "Allow names exactly the methods offered.",
    "use_after_free": "What was deleted is not found any more.",
    "ensure_resource_availability": "What was created is found at once.",
    "ignored_auth": "Credentials are checked.",
}
_METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE")
_LOCATIONS = {"path": ParameterLocation.PATH, "query": ParameterLocation.QUERY, "header": ParameterLocation.HEADER}
_COLUMNS = {"smoke": 1, "default": 2, "deep": 6}
_AMOUNTS = {"smoke": 0, "default": 25, "deep": 100}


@dataclass
class Hook:
    """Edits each generated call just before it is sent, so that server state cannot spoil it.

    What must not repeat is made fresh after generation (else Hypothesis replays a create that answered 201 and now answers
    409, and the stateful phase ends early, reporting success); valid references and ids name records that exist.
    """

    client: Client
    spare: dict[str, Made | None] = field(default_factory=dict)
    aim: Made | None = None
    linked: bool = False
    accepted: dict[str, bool] = field(default_factory=dict)

    def before_call(self, context: Any, case: Any, kwargs: dict[str, Any]) -> None:
        """Schemathesis' hook: the case is about to be sent."""
        operation = self._operation(case)
        if operation is None:
            return
        self.linked = _phase(case) == "stateful"
        self.aim = self._aimed(operation, case)
        if operation.action.resource == "Credential" and operation.secured and self.client.target.spares:
            _, authority = self.client.credentials(operation, self.client.target.spares[-1].token)
            case.headers.update({name: value for name, value in authority.items() if name in case.headers})
        for parameter in operation.parameters:
            self._parameter(case, operation, parameter)
        if operation.body is not None and isinstance(case.body, dict):
            case.body = self._body(operation, case.body)

    def after_call(self, context: Any, case: Any, response: Any) -> None:
        """Schemathesis' hook: the answer is here."""
        operation = self._operation(case)
        if operation is None or case.method.lower() != operation.method:
            return
        self.client.ledger.note(operation.id, response.status_code)

    def filter_failure(self, context: Any, failure: Any, case: Any, response: Any) -> bool:
        """Schemathesis' hook: whether a failure is one. Two checks know less than the contract says."""
        operation = self._operation(case)
        if isinstance(failure, EnsureResourceAvailability):
            sought = self.client.scope.contract.operations.get(_identifier(case))
            by = sought.action.by if sought else None
            return by is not None and by[0] == "path"
        if isinstance(failure, RejectedPositiveData) and operation is not None:
            if case.media_type == FORM and any(
                isinstance(value, dict | list) for value in dict(case.body or {}).values()
            ):
                return False  # a structure has no one spelling in a form, and this one is spelt wrong
            if (
                operation.action.states
                and _phase(case) == "stateful"
                and response.status_code == operation.statuses.get("state")
            ):
                return False  # a link may lead to a record that has moved on
            return not self._is_conditional(operation, case)
        return True

    def _is_conditional(self, operation: Operation, case: Any) -> bool:
        """Whether a refused request breaks a rule between fields, which no OpenAPI 3.0 schema states.

        It does where each of its fields is accepted for itself, in place of the same field of some named example; a structure that
        refers to records may also name some that do not go together.
        """
        examples = [(name, value) for name, media, value in self.client.scope.examples(operation) if media != FORM]
        if not examples or not isinstance(case.body, dict) or self._is_named(operation, case.body):
            return False
        fields, schemas = self.client.scope.fields(operation), self.client.scope.schemas
        deviations: list[tuple[str, Any]] = [(name, value) for name, value in case.body.items() if name in fields]
        deviations += [(name, ABSENT) for name in fields if name not in case.body]
        return all(
            any(self._accepts(operation, example, {name: value}) for example, _ in examples)
            or (isinstance(value, dict | list) and any(True for _ in schemas.references(fields[name], value)))
            for name, value in deviations
        )

    def _is_named(self, operation: Operation, body: Mapping[str, Any]) -> bool:
        """Whether a body is one of the named examples, but for what is made fresh."""
        fresh = unique_fields(self.client, operation)
        return any(
            isinstance(value, Mapping)
            and set(value) == set(body)
            and all(body[name] == item for name, item in value.items() if name not in fresh)
            for value in (
                fill(self.client, operation, item, self.client.caller)
                for _, _, item in self.client.scope.examples(operation)
            )
        )

    def _accepts(self, operation: Operation, example: str, change: Mapping[str, Any]) -> bool:
        place = f"{operation.id} {example} {change!r}"
        if place not in self.accepted:
            try:
                media, body = base_body(self.client, operation, example)
                body = {name: value for name, value in {**body, **change}.items() if value is not ABSENT}
                body = self._body(operation, body) if operation.action.verb == "create" else body
                made = self._made(operation.action.resource) if operation.action.by else None
                sent = upon(self.client, operation, made, body=body) if made else {"body": body}
                self.accepted[place] = self.client.call(operation, **sent, media=media).ok
            except (NotTested, Broken):
                self.accepted[place] = False
        return self.accepted[place]

    def _operation(self, case: Any) -> Operation | None:
        return self.client.scope.contract.operations.get(_identifier(case))

    def _aimed(self, operation: Operation, case: Any) -> Made | None:
        """The record a call should be about: made anew where the operation uses records up; None where links choose it."""
        by, resource = operation.action.by, operation.action.resource
        if by is None or by[0] == "credential" or _phase(case) == "stateful":
            return None
        if operation.action.verb == "delete" or operation.action.states:
            return self._made(resource)
        if resource not in self.spare:
            self.spare[resource] = self._made(resource)
        return self.spare[resource]

    def _made(self, resource: str) -> Made | None:
        """A new record; None where there is no way to make one."""
        try:
            return make(self.client, resource)
        except (NotTested, Broken):
            return None

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
            return None if self.linked or operation.action.many else self._reference(operation.action.resource)
        if parameter.references is None or (self.linked and self.client.scope.creates(parameter.references)):
            return None
        return self._reference(parameter.references)

    def _reference(self, resource: str) -> Any:
        known = self.client.caller.records(resource)
        if known:
            return known[0].get(self.client.scope.contract.resources[resource].key)
        if self.client.scope.creates(resource):
            try:
                return dependency(self.client, resource, self.client.caller)
            except (NotTested, Broken):
                return None
        return None

    def _body(self, operation: Operation, body: dict[str, Any]) -> Json:
        assert operation.body is not None, "the caller has looked"
        schemas = self.client.scope.schemas
        fields = self.client.scope.fields(operation)
        for name in unique_fields(self.client, operation):
            if (
                body.get(name) is not None
                and schemas.fits(fields[name], body[name])
                and "x-references" not in fields[name]
            ):
                body = {**body, name: self._unlike(fields[name], body[name])}
        for path, resource, schema in list(schemas.references(operation.body.schema, body)):
            value = resolve_path(body, path)
            key_name = self.client.scope.contract.resources[resource].key
            known = any(record.get(key_name) == value for record in self.client.caller.records(resource))
            aimed = operation.action.by == ("body", path[0]) and len(path) == 1
            if value is None or (known and not aimed) or not schemas.fits(schema, value):
                continue
            key = self.aim.key if aimed and self.aim else None if aimed else self._reference(resource)
            if key is not None:
                body = put(body, path, key)
        return body

    def _unlike(self, schema: Mapping[str, Any], value: Any) -> Any:
        """A value never used, as long as the generated one where that is longer: a boundary stays a boundary."""
        fresh = self.client.fresh.value(schema, value)
        if isinstance(value, str) and isinstance(fresh, str) and len(value) > len(fresh):
            longer = (fresh + value)[: len(value)]
            return longer if self.client.scope.schemas.fits(schema, longer) else fresh
        return fresh


def _identifier(case: Any) -> str:
    return str(case.operation.definition.raw.get("operationId"))


def _phase(case: Any) -> str:
    return str(case.meta.phase.name.value) if case.meta is not None else ""


@contextlib.contextmanager
def _installed(hook: Hook) -> Iterator[None]:
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


def execute(run: Run) -> list[Outcome]:
    """Every operation through the phases of the profile; an outcome for each operation."""
    logging.getLogger("schemathesis").setLevel(logging.CRITICAL)
    failures: list[_Failure] = []
    with run.client("responses") as client:
        config = schemathesis.Config.from_dict(configuration(run, client))
        schema = schemathesis.openapi.from_dict(document(run), config=config)
        with _installed(Hook(client)):
            for event in from_schema(schema).execute():
                if isinstance(event, events.ScenarioFinished):
                    failures += _failures(event)
                elif isinstance(event, events.NonFatalError):
                    _doubt(run, event)
                elif isinstance(event, events.FatalError):
                    run.doubts.append(f"responses: {event.exception}")
                elif isinstance(event, events.Interrupted):
                    raise KeyboardInterrupt
    return [run.record(outcome) for outcome in _outcomes(run, failures)]


def document(run: Run) -> dict[str, Any]:
    """The contract's document without the operations that do not count."""
    raw = copy.deepcopy(run.scope.contract.document)
    for operation in run.scope.unseen():
        del raw["paths"][operation.path][operation.method]
    _prune(run, raw)
    raw["paths"] = {
        path: item for path, item in raw["paths"].items() if {name.upper() for name in item} & {*_METHODS, "HEAD"}
    }
    return raw


def _prune(run: Run, raw: dict[str, Any]) -> None:
    """Leave out what only multiplies the cases: most columns of a filter, each like the next; forms beside JSON in a smoke run."""
    schemas, name = Schemas(raw), run.scope.contract.filter_parameter
    for operation in run.scope.operations:
        node = raw["paths"][operation.path][operation.method]
        content = schemas.follow(node.get("requestBody", {})).get("content", {})
        if operation.action.verb == "filter":
            parameters = [schemas.follow(parameter) for parameter in node.get("parameters", ())]
            found = [parameter.get("schema") for parameter in parameters if parameter.get("name") == name]
            found += [schemas.properties(media.get("schema", {})).get(name or "") for media in content.values()]
            for schema in [schemas.follow(schema) for schema in found if schema]:
                columns = [key for key in schema.get("properties", {}) if not key.startswith("$")]
                kept = set(columns[: _COLUMNS[run.settings.profile]])
                schema["properties"] = {k: v for k, v in schema["properties"].items() if k.startswith("$") or k in kept}
        if run.settings.profile == "smoke" and len(content) > 1:
            content.pop(FORM, None)


def configuration(run: Run, client: Client) -> dict[str, Any]:
    """Schemathesis' settings: repeatable (one worker, no cache, no database), every check on, the profile's phases and amounts."""
    amount = _AMOUNTS[run.settings.profile]
    unseen = {operation.method.upper() for operation in run.scope.unseen()}
    probed = [name for name in _METHODS if name not in unseen and not (unseen and name == "OPTIONS")]
    caller = run.target.caller
    headers = {**caller.headers, **({WORLD_HEADER: client.world} if client.world else {})}
    config: dict[str, Any] = {
        "base-url": run.target.base_url,
        "seed": run.settings.seed,
        "workers": 1,
        "continue-on-failure": True,
        "cache": {"enabled": False},
        "generation": {"max-examples": max(amount, 1), "database": "none", "allow-x00": False},
        "phases": {
            "coverage": {"unexpected-methods": probed},
            "fuzzing": {"enabled": amount > 0},
            "stateful": {"enabled": amount > 0},
        },
        "warnings": False,
    }
    if headers:
        config["headers"] = headers
    if caller.token is not None:
        schemes = run.scope.contract.document.get("components", {}).get("securitySchemes", {})
        authority = {
            name: _authority(run.scope.schemas.follow(scheme), caller.token) for name, scheme in schemes.items()
        }
        config["auth"] = {"openapi": {name: value for name, value in authority.items() if value}}
    return config


def _authority(scheme: Mapping[str, Any], token: str) -> dict[str, str] | None:
    if scheme["type"] == "apiKey":
        return {"api_key": token}
    if scheme["type"] == "http" and scheme.get("scheme", "").lower() == "bearer":
        return {"bearer": token}
    return None


@dataclass(frozen=True)
class _Failure:
    check: str
    operation: str
    title: str
    message: str
    status: int | None
    steps: tuple[str, ...]


def _failures(event: Any) -> Iterator[_Failure]:
    for case_id, nodes in event.recorder.checks.items():
        for node in nodes:
            if node.status is not Status.FAILURE or node.failure_info is None:
                continue
            failure, interaction = node.failure_info.failure, event.recorder.interactions.get(case_id)
            steps = tuple(step.curl for step in node.failure_info.steps) or (node.failure_info.code_sample,)
            answered = interaction.response.status_code if interaction and interaction.response else None
            yield _Failure(
                node.name, failure.operation or event.label or "", failure.title, failure.message, answered, steps
            )


def _doubt(run: Run, event: Any) -> None:
    message = f"{event.label}: {event.value}".strip()
    if "Network" in type(event.value).__name__ or "Connection" in type(event.value).__name__:
        raise Unreachable(f"{run.target.base_url} stopped answering: {event.value}")
    run.doubts.append(f"responses: {message[:300]}")


def _outcomes(run: Run, failures: list[_Failure]) -> Iterator[Outcome]:
    secrets = {
        caller.token: f"$TOKEN{n or ''}"
        for n, caller in enumerate((run.target.caller, *run.target.others))
        if caller.token
    }
    found: dict[str, dict[tuple[str, str], Finding]] = {}
    by_label = {operation.label: operation for operation in run.scope.operations}
    for failure in failures:
        operation = by_label.get(failure.operation) or next(iter(run.scope.operations))
        kept = found.setdefault(operation.id, {})
        if (failure.check, failure.title) in kept:
            continue
        requests = [_masked(step, secrets) for step in failure.steps]
        broken = Broken(
            _SENTENCES.get(failure.check, failure.check), _observed(failure), status=_due(operation, failure)
        )
        sentence = _SENTENCES.get(failure.check, failure.check)
        kept[failure.check, failure.title] = run.finding(
            "responses", failure.check, sentence, operation.id, operation, operation.pointer, broken, requests
        )
    for operation in run.scope.operations:
        findings = tuple(found.get(operation.id, {}).values())
        status: Any = "kept" if not findings else "apart" if all(finding.apart for finding in findings) else "broken"
        reason = "; ".join(f"{finding.promise}: {finding.observed}" for finding in findings)
        yield Outcome("responses", "responses", operation.id, status, reason, 1, findings)


def _due(operation: Operation, failure: _Failure) -> int | None:
    """The status whose footing a failure rests on: the one that came where it is documented, else the one that was due."""
    if failure.check in ("ignored_auth", "missing_required_header"):
        return operation.statuses.get("unauthenticated")
    if failure.status in operation.responses:
        return failure.status
    return operation.success.status if failure.status and 200 <= failure.status < 300 else None


def _observed(failure: _Failure) -> str:
    text = " ".join(failure.message.partition("Schema at")[0].split())
    return f"{failure.status or 'no answer'}: {failure.title}. {text}"[:600]


def _masked(step: str, secrets: Mapping[str, str]) -> str:
    for secret, variable in secrets.items():
        step = step.replace(secret, variable)
    return step.replace("[Filtered]", "$TOKEN")
