"""The hot path: one vendor's operations, compiled at start, and what each request goes through.

Route, know the caller, read and validate, let the engine act, validate what goes back, send. Everything that a document can tell is worked out
in `CompiledOperation.__init__`; what is left per request is looking up and comparing. `app/stock` does the same by Connexion's own classes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.types import Receive, Scope, Send

from mock_server.app import bodies, texts
from mock_server.app.accept import acceptable
from mock_server.app.exchange import (
    Disconnected,
    base_url_of,
    headers_of,
    query_of,
    read_body,
    send_answer,
    world_of,
)
from mock_server.app.routing import Router, allow
from mock_server.app.schemas import Schemas
from mock_server.app.shapes import Fits, shape_of
from mock_server.app.violations import LARGE, first_violation, violations
from mock_server.contract import Kind, Operation, Parameter, Response, escape
from mock_server.engine import Engine
from mock_server.problems import Problem, Violation
from mock_server.vendor import NOTHING, Answer, Call, Input, Request
from mock_server.worlds import DEFAULT_WORLD

logger = logging.getLogger("mock_server")

Getter = Callable[[Request, Mapping[str, Any]], Any]
"""The value of a parameter in a request and its query as a tree; None where it is absent."""
_NO_QUERY: Mapping[str, Any] = {}


class VendorApp:
    """Serves one vendor."""

    def __init__(self, engine: Engine, router: Router[CompiledOperation]) -> None:
        self.engine = engine
        self.router = router

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, path: str, mount: str, world: str | None = None
    ) -> None:
        """Serve one request to the path below the mount, as it stood in the request line; every failure wears the vendor's envelope."""
        engine = self.engine
        headers = headers_of(scope)
        method = scope["method"]
        home, compiled = DEFAULT_WORLD, None
        try:
            home = world_of(world, headers)
            compiled, values = self._route(method, path)
            request = Request(
                method=method,
                path=path,
                base_url=base_url_of(scope, headers, mount),
                query=query_of(scope) if scope["query_string"] else (),
                headers=headers,
                world=home,
                path_values=values,
            )
            call = engine.receive(compiled.operation, request)
            if compiled.is_withheld:
                raise Problem(
                    "not-served",
                    f"{compiled.operation.id} is inferred; it is served when asked for: --include inferred.",
                )
            if body := await read_body(scope, receive, headers):  # once it is known that it is wanted
                call.request = request = Request(*request[:6], body, values)
                engine.resume(call)
            call.input = compiled.read(request)
            answer = engine.admit(call)
            if answer is not None:
                compiled.check(answer)
            else:
                if call.delay or call.wait:
                    await wait(engine, call)
                answer = engine.perform(call, compiled.check)
        except Problem as problem:
            answer = engine.refuse(problem, home, compiled.operation if compiled else None)
        except Disconnected:
            return
        except asyncio.CancelledError:
            stopping = Problem("stopping", "The sandbox is being stopped.", headers={"Connection": "close"})
            await send_answer(send, engine.refuse(stopping, home), head=method == "HEAD")
            raise
        except Exception:
            logger.exception("%s %s failed", method, scope["path"])
            answer = engine.refuse(Problem("internal", "The sandbox made a mistake; its log says more."), home)
        await send_answer(send, answer, head=method == "HEAD")

    def _route(self, method: str, path: str) -> tuple[CompiledOperation, Mapping[str, str]]:
        match = self.router.match(path)
        if match is None:
            raise Problem("no-path", "There is no such path.")
        methods, values = match
        compiled = methods.get(method)
        if compiled is None and method == "HEAD":
            compiled = methods.get("GET")
        if compiled is None:
            allowed = allow(methods)  # the document's: an inferred one that is not served says so itself
            raise Problem("no-method", f"This path allows {allowed}.", headers={"Allow": allowed})
        return compiled, values


async def wait(engine: Engine, call: Call) -> None:
    """Let a planned delay pass, and whatever else the call waits for; a server that stops meanwhile ends the call."""
    if not call.delay and not call.wait:
        return
    try:
        await asyncio.sleep(call.delay)
        if call.wait is not None:
            call.waited = await call.wait(call)
    except BaseException:
        engine.abandon(call)
        raise
    engine.resume(call)


class CompiledOperation:
    """One operation, ready: `read` makes an Input of a request, `check` holds an answer to the document."""

    def __init__(self, operation: Operation, schemas: Schemas, *, inferred: bool = True) -> None:
        self.operation = operation
        self.is_withheld = operation.provenance.level == "inferred" and not inferred
        self._schemas = schemas
        self._deref = schemas.deref
        self._offered = tuple(operation.success.content)
        self._takes_query = any(parameter.where == "query" for parameter in operation.parameters)
        self._parameters = [
            (parameter, self._getter(parameter), schemas.validator(parameter.schema, "request").is_valid)
            for parameter in operation.parameters
        ]
        body = operation.body
        self._bodies = (
            {media: schemas.validator(schema, "request") for media, schema in body.content.items()} if body else {}
        )
        self._responses = operation.responses
        self._shapes = {status: self._shape(response) for status, response in operation.responses.items()}

    def _shape(self, response: Response) -> Fits:
        """What says whether an answer's body is as the document has it."""
        if not response.content:
            return _is_nothing
        schema = _shown(response)
        return _is_anything if schema is None else shape_of(response, schema, self._schemas)

    def read(self, request: Request) -> Input:
        """The values of a request. Raises Problem with every violation, or `malformed`, `media-type`, `not-acceptable`."""
        accept = request.headers.get("accept")
        if accept and accept != "*/*" and accept not in self._offered:
            self._check_acceptable(accept)
        if not self._parameters and not self._bodies:
            return NOTHING
        nested = self._nested(request) if request.query and self._takes_query else _NO_QUERY
        found: list[Violation] = []
        values: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
        for parameter, value_in, is_valid in self._parameters:
            value = value_in(request, nested)
            if value is not None:
                if not is_valid(value):
                    found.extend(self._violations(parameter, value))
                values[parameter.where][parameter.name] = value
            elif parameter.required:
                found.append(Violation(parameter.where, f"/{escape(parameter.name)}", "required", "is required"))
        body = self._body(request.headers.get("content-type"), request.body, found) if self._bodies else None
        if found:
            raise Problem(kind_of(found), violations=tuple(found))
        return Input(values["path"], values["query"], values["header"], body)

    def _check_acceptable(self, accept: str) -> None:
        if self._offered and not any(acceptable(accept, media) for media in self._offered):
            raise Problem("not-acceptable", f"An answer can be: {', '.join(self._offered)}.")

    def check(self, answer: Answer) -> None:
        """Raise AssertionError for an answer that the document does not allow: a defect of ours, never of the caller."""
        fits = self._shapes.get(answer.status)
        if fits is None or not fits(answer.body):
            raise AssertionError(f"{self.operation.id} {answer.status}: {self._why_not(answer)}")

    def _why_not(self, answer: Answer) -> str:
        """Why the document does not allow an answer."""
        response = self._responses.get(answer.status)
        if response is None:
            return "the status is not documented"
        if not response.content:
            return "the document has no content here"
        first = next(iter(self._schemas.validator(_shown(response), "response").iter_errors(answer.body)))
        return f"/{'/'.join(map(str, first.instance_path))}: {first.message}"

    # Parameters -----------------------------------------------------------------------------------------------------

    def _getter(self, parameter: Parameter) -> Getter:
        """What takes a parameter out of a request."""
        name, schema, deref = parameter.name, self._deref(parameter.schema), self._deref
        is_text = schema.get("type") == "string"
        if parameter.where == "query":
            return self._query_getter(parameter, schema)
        if parameter.where == "path":
            if is_text:
                return lambda request, _: request.path_values.get(name)
            return lambda request, _: _cast(request.path_values.get(name), schema, deref)
        if parameter.where == "header":
            key = name.lower()
            if is_text:
                return lambda request, _: request.headers.get(key)
            return lambda request, _: _cast(request.headers.get(key), schema, deref)
        return lambda request, _: _cast(_cookie(request, name), schema, deref)

    def _query_getter(self, parameter: Parameter, schema: Mapping[str, Any]) -> Getter:
        name, deref = parameter.name, self._deref
        if schema.get("type") == "object" and parameter.style == "form" and parameter.explode:
            names = tuple(schema.get("properties", ()))
            return lambda _, nested: _cast({key: nested[key] for key in names if key in nested} or None, schema, deref)
        if schema.get("type") == "array" and not parameter.explode:
            return lambda _, nested: _cast(_split(nested.get(name)), schema, deref)
        return lambda _, nested: _cast(nested.get(name), schema, deref)

    def _nested(self, request: Request) -> Mapping[str, Any]:
        """The query as a tree."""
        try:
            return texts.nest(request.query)
        except texts.Tangled as error:
            raise Problem("parameter", f"The query string cannot be read: {error}.") from None

    def _violations(self, parameter: Parameter, value: Any) -> list[Violation]:
        validator = self._schemas.validator(parameter.schema, "request")
        return list(violations(validator, value, parameter.where, f"/{escape(parameter.name)}"))

    # Bodies ---------------------------------------------------------------------------------------------------------

    def _body(self, given: str | None, content: bytes, found: list[Violation]) -> Any:
        """The value of a body of the content type that is given; what is wrong with it goes to those found."""
        body = self.operation.body
        assert body is not None, "there are validators of it"
        if not content and not bodies.is_empty_form(given, body.content):
            if body.required:
                raise Problem("malformed", "A body is required.")
            return None
        media = given if given is not None and given in self._bodies else bodies.choose(given, body.content)
        value = bodies.decode(content, media, body.content[media], self._deref)
        validator = self._bodies[media]
        if validator.is_valid(value):
            return value
        if len(content) > LARGE:
            found.extend(first_violation(self._schemas.brief(body.content[media]), value, "body"))
        else:
            found.extend(violations(validator, value, "body"))
        return value


def _cast(value: Any, schema: Mapping[str, Any], deref: texts.Deref) -> Any:
    return None if value is None else texts.cast(value, schema, deref)


def _split(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


def kind_of(found: Sequence[Violation]) -> Kind:
    """The kind of problem that several violations together are: the gravest first."""
    body = [violation for violation in found if violation.where == "body"]
    if any(violation.pointer == "" and violation.rule == "type" for violation in body):
        return "malformed"
    if any(violation.rule == "required" for violation in body):
        return "missing"
    return "parameter" if len(body) < len(found) else "invalid"


def _shown(response: Response) -> Any:
    """The schema of a response's body: of several the one of JSON."""
    return response.content.get("application/json") or next(iter(response.content.values()))


def _is_nothing(body: Any) -> bool:
    return body is None


def _is_anything(body: Any) -> bool:
    return True


def _cookie(request: Request, name: str) -> str | None:
    for part in request.headers.get("cookie", "").split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None
