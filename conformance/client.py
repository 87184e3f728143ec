"""Sends the calls of a contract to a target, keeps a transcript of them, and counts what came back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from conformance.answer import Answer, Ledger
from conformance.exchange import Exchange
from conformance.finding import Broken, NotTested, Withheld
from conformance.limits import changes
from conformance.link import Link
from conformance.scope import Scope
from conformance.sending import Sending
from conformance.target import WORLD_HEADER, Caller, Target
from conformance.traces import Traces
from conformance.values import Fresh, nothing, sample
from conformance.wire import as_text, encode, query_pairs
from mock_server.contract import Json, Operation, Parameter

__all__ = ["ABSENT", "Answer", "Client", "Ledger", "operation_examples"]

ABSENT: Any = object()


class Client:
    """Calls operations of a scope on a target. One per layer: what it makes stays in that layer's world."""

    def __init__(
        self,
        scope: Scope,
        target: Target,
        ledger: Ledger,
        *,
        seed: int = 1,
        layer: str = "",
        sending: Sending | None = None,
    ) -> None:
        self.scope = scope
        self.target = target
        self.ledger = ledger
        self.sending = sending or Sending(target.base_url, target.limits)
        self.seed = seed
        self.fresh = Fresh(f"{target.world}{layer[:1]}" if target.world else f"s{seed}{layer[:1]}", scope.schemas)
        self.transcript: list[Answer] = []
        self.lacking: dict[str, str] = {}
        self.populated: dict[tuple[str, str], list[Any]] = {}
        self.found: dict[str, Any] = {}
        self.traces = Traces(scope, target)
        self.world = f"{target.world}-{layer}" if layer and target.world else target.world
        self.link = Link(self.sending.trusted)

    def caller_for(self, operation: Operation) -> Caller:
        """Who should make a call that succeeds: a spare caller where it may use up the credential. Raises NotTested without one."""
        if operation.action.resource != "Credential" or not operation.secured:
            return self.caller
        if not self.target.spares:
            raise NotTested(f"{operation.id} may use up the only credential that is known")
        return self.target.spares[-1]

    @property
    def caller(self) -> Caller:
        """The default caller."""
        return self.target.caller

    def lacks(self, part: str, why: str) -> None:
        """Keep in mind that a part of what is being tested cannot be: it is told beside what comes of the rest."""
        self.lacking[part] = why

    def close(self) -> None:
        """Close the connections."""
        self.link.close()

    def call(
        self,
        operation: Operation,
        *,
        given: Mapping[str, Any] | None = None,
        body: Json = ABSENT,
        media: str | None = None,
        headers: Mapping[str, str] | None = None,
        caller: Caller | None = None,
        credentials: bool = True,
    ) -> Answer:
        """Call an operation. `given` holds parameters by name; the required rest is filled with what is known."""
        caller = caller or self.caller
        path, query, sent = self.parameters(operation, dict(given or {}), caller)
        if credentials and operation.secured:
            extra_query, extra = self.credentials(operation, caller.token)
            query, sent = query + extra_query, {**sent, **extra}
        content: bytes | None = None
        if body is not ABSENT and operation.body is not None:
            media = media or next(iter(operation.body.content))
            content, sent["Content-Type"] = encode(body, media), media
        elif body is not ABSENT:
            content, sent["Content-Type"] = encode(body, "application/json"), "application/json"
        answer = self.send(
            operation.method.upper(), path, query, {**caller.headers, **sent, **(headers or {})}, content, operation
        )
        self.traces.note(operation, answer.status, lambda: answer.body, body, caller, given or {})
        return answer

    def send(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]] | str = "",
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        operation: Operation | None = None,
    ) -> Answer:
        """Send one request as it is; wait and repeat where the target asks to slow down."""
        url = self.target.base_url + path
        encoded = query if isinstance(query, str) else urlencode(query)
        url += f"?{encoded}" if encoded else ""
        sent = {"Accept": "application/json", **(headers or {})}
        if self.world:
            sent[WORLD_HEADER] = self.world
        answer = self.exchange(method, url, sent, content, operation)
        self.transcript.append(answer)
        if operation is not None:
            self.ledger.note(operation.id, answer.status)
            self.ledger.note_fields(operation.id, answer.status, content, lambda: answer.body)
        if answer.status >= 500:
            raise Broken("no server error, whatever is sent", str(answer))
        return answer

    def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        operation: Operation | None = None,
        *,
        control: float = 0.0,
    ) -> Answer:
        """The call as it was made last: a target that asks to slow down is asked again. `control` is how long one of the control API may take."""
        began, at = 0.0, 0.0

        def attempt(seconds: float) -> httpx.Response:
            nonlocal began, at
            began, at = time.time(), time.perf_counter()
            return self.link.ask(method, url, headers, content, max(seconds, control))

        changing = changes(operation, method)
        try:
            reply = self.sending.deliver(attempt, f"{method} {url.partition('?')[0]}", changes=changing)
        except Withheld as withheld:
            if operation is not None and withheld.reply is not None:
                self.ledger.note(operation.id, withheld.reply.status_code)
            raise
        finally:
            if changing:
                self.sending.changed()
        took = time.perf_counter() - at
        if method == "GET" and reply.is_success and not control:
            self.sending.note(url, headers)
        status, answered, answer = reply.status_code, reply.headers, reply.content
        whole = Exchange(method, url, headers, content, status, answered, answer, began, took, control=control > 0)
        return Answer(operation, status, answered, answer, whole)

    def parameters(
        self, operation: Operation, given: dict[str, Any], caller: Caller
    ) -> tuple[str, list[tuple[str, str]], dict[str, str]]:
        """Path, query and headers of a call: what is given, and known values for the rest that is required."""
        path, query, headers = operation.path, [], {}
        for parameter in operation.parameters:
            if parameter.name in given:
                value = given.pop(parameter.name)
            elif parameter.required:
                value = self.known_value(parameter, operation, caller)
            else:
                continue
            if value is ABSENT:
                continue
            if parameter.where == "path":
                path = path.replace(f"{{{parameter.name}}}", quote(as_text(value), safe=""))
            elif parameter.where == "query":
                query += list(query_pairs(parameter, value))
            elif parameter.where == "header":
                headers[parameter.name] = as_text(value)
        for name, value in given.items():
            query.append((name, as_text(value)))
        return path, query, headers

    def known_value(self, parameter: Parameter, operation: Operation, caller: Caller) -> Any:
        """A value for a required parameter: the caller's tenant, a known record's key, or its example."""
        tenancy = self.scope.contract.tenancy
        if (parameter.where, parameter.name) == (tenancy.where, tenancy.name) and caller.tenant:
            return caller.tenant
        if parameter.references:
            records = caller.records(parameter.references)
            if records:
                return records[0][self.scope.contract.resources[parameter.references].key]
        if operation.action.by == (parameter.where, parameter.name):
            records = caller.records(operation.action.resource)
            resource = self.scope.resource(operation)
            if records:
                return records[0].get(resource.key)
        examples = operation_examples(self.scope, operation, parameter)
        if examples:
            return examples[0]
        return sample(self.scope.schemas, parameter.schema)

    def credentials(self, operation: Operation, token: str | None) -> tuple[list[tuple[str, str]], dict[str, str]]:
        """The query and headers that carry a token for an operation, as its security scheme asks."""
        if token is None:
            return [], {}
        document = self.scope.contract.document
        needs = operation.raw.get("security", document.get("security", []))
        schemes = document.get("components", {}).get("securitySchemes", {})
        for need in needs:
            for name in need:
                scheme = self.scope.schemas.follow(schemes[name])
                if scheme["type"] == "apiKey" and scheme["in"] == "query":
                    return [(scheme["name"], token)], {}
                if scheme["type"] == "apiKey":
                    return [], {"Cookie": f"{scheme['name']}={token}"} if scheme["in"] == "cookie" else {
                        scheme["name"]: token
                    }
        return [], {"Authorization": f"Bearer {token}"}

    def absent_key(self, schema: Mapping[str, Any], like: Any) -> Any:
        """A key of that type that names no record."""
        return nothing(self.scope.schemas, schema, like)


def operation_examples(scope: Scope, operation: Operation, parameter: Parameter) -> list[Any]:
    """The examples a document gives for a parameter."""
    node = scope.schemas.follow(parameter.schema)
    found = [node["example"]] if "example" in node else []
    for raw in operation.raw.get("parameters", []):
        item = scope.schemas.follow(raw)
        if (item.get("in"), item.get("name")) == (parameter.where, parameter.name):
            found += [item["example"]] if "example" in item else []
            found += [scope.schemas.follow(example).get("value") for example in item.get("examples", {}).values()]
    return found
