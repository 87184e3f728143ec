"""The only place that knows Connexion: one Connexion API a vendor, whose operations are compiled once.

Connexion reads the document, builds its operations and resolves each operationId to the engine; `CompiledApi` takes these operations and serves
them without rebuilding anything per request.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import warnings
from typing import Any

import jsonschema_rs
import orjson

with warnings.catch_warnings():
    # Connexion imports Starlette's test client, which warns that its support of httpx will end. Nobody here can act on that.
    warnings.simplefilter("ignore")
    import connexion  # noqa: F401

from connexion.middleware.abstract import AbstractRoutingAPI, SpecMiddleware
from connexion.operations.abstract import AbstractOperation
from connexion.resolver import Resolution, Resolver
from connexion.spec import OpenAPISpecification, Specification
from starlette.types import Receive, Scope, Send

from mock_server.app.exchange import (
    Disconnected,
    headers_of,
    raw_path_of,
    read_body,
    request_of,
    send_answer,
    world_of,
)
from mock_server.app.operation import CompiledOperation, Schemas
from mock_server.app.routing import Router, allow
from mock_server.contract import ContractError, Operation
from mock_server.engine import DEFAULT_WORLD, Engine
from mock_server.problems import Problem
from mock_server.vendor import Answer, Request

logger = logging.getLogger("mock_server")


class EngineResolver(Resolver):
    """Binds every operationId to what the engine does for it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def resolve(self, operation: AbstractOperation) -> Resolution:
        """The operation's own function; Connexion asks several times."""
        identifier = operation.operation_id
        return Resolution(self._engine.contract.operations[identifier], identifier)  # type: ignore[no-untyped-call]


class CompiledApi(AbstractRoutingAPI[CompiledOperation]):
    """The operations of one document, compiled as Connexion hands them over."""

    def __init__(self, specification: Specification, *, engine: Engine, **options: Any) -> None:
        self._schemas = Schemas(engine.contract)
        self.entries: list[tuple[str, str, CompiledOperation]] = []
        super().__init__(specification, **options)

    def make_operation(self, operation: AbstractOperation) -> CompiledOperation:
        """Compile what the resolver found."""
        return CompiledOperation(operation.function, self._schemas)

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self, method: str, path: str, operation: CompiledOperation, name: str | None = None
    ) -> None:
        self.entries.append((method, path, operation))


class VendorApp(SpecMiddleware):
    """An ASGI application that serves one vendor: routes, identifies, validates, and leaves the rest to the engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.router: Router[CompiledOperation] = Router(())

    def add_api(self, specification: Specification, **options: Any) -> CompiledApi:
        """Take the document's operations; Connexion calls this while it builds its stack."""
        api = CompiledApi(specification, engine=self.engine, resolver=options["resolver"], base_path="")
        self.router = Router(api.entries)
        return api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Every failure wears the vendor's envelope."""
        if scope["type"] != "http":
            return
        headers = headers_of(scope)
        head = scope["method"] == "HEAD"
        world, compiled = DEFAULT_WORLD, None
        try:
            world = world_of(scope, headers)
            compiled, values = self._route(scope)
            request = request_of(scope, headers, values, world, b"")
            caller = self.engine.identify(compiled.operation, request)
            self._check_served(compiled.operation)
            if body := await read_body(scope, receive, headers):  # once it is known that it is wanted
                request = request._replace(body=body)
            answer = await self._serve(compiled, request, caller)
        except Problem as problem:
            answer = self.engine.refuse(problem, world, compiled.operation if compiled else None)
        except Disconnected:
            return
        except asyncio.CancelledError:
            stopping = Problem("stopping", "The sandbox is being stopped.", headers={"Connection": "close"})
            await send_answer(send, self.engine.refuse(stopping, world), head=head)
            raise
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            answer = self.engine.refuse(Problem("internal", "The sandbox made a mistake; its log says more."), world)
        await send_answer(send, answer, head=head)

    def _route(self, scope: Scope) -> tuple[CompiledOperation, dict[str, str]]:
        match = self.router.match(raw_path_of(scope))
        if match is None:
            raise Problem("no-path", "There is no such path.")
        method = "GET" if scope["method"] == "HEAD" and "HEAD" not in match.methods else scope["method"]
        compiled = match.methods.get(method)
        if compiled is None:
            allowed = allow(match.methods)  # the document's: an inferred one that is not served says so itself
            raise Problem("no-method", f"This path allows {allowed}.", headers={"Allow": allowed})
        return compiled, match.values

    def _check_served(self, operation: Operation) -> None:
        if operation.provenance.level == "inferred" and not self.engine.inferred:
            raise Problem("not-served", f"{operation.id} is inferred; it is served when asked for: --include inferred.")

    async def _serve(self, compiled: CompiledOperation, request: Request, caller: Any) -> Answer:
        given = compiled.read(request)
        admitted = self.engine.admit(compiled.operation, request, given, caller)
        if isinstance(admitted, Answer):
            compiled.check(admitted)
            return admitted
        if admitted.delay:
            try:
                await asyncio.sleep(admitted.delay)
            except BaseException:
                self.engine.abandon(admitted)
                raise
        return self.engine.perform(admitted, compiled.check)


class Document(OpenAPISpecification):
    """Connexion's specification of a contract: checked against its schema of OpenAPI by jsonschema-rs, in milliseconds.

    The stock check takes longer than everything else at start; `mockingbill lint` holds documents to openapi-spec-validator besides.
    """

    @classmethod
    def _validate_spec(cls, spec: Any) -> None:
        for error in _openapi().iter_errors(spec):
            pointer = "".join(f"/{step}" for step in error.instance_path)
            raise ContractError(f"{pointer} is not OpenAPI 3.0: {error.message}")


@functools.cache
def _openapi() -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft4Validator(OpenAPISpecification.openapi_schema)


def build(engine: Engine) -> VendorApp:
    """The Connexion application of an engine, its operations compiled. Raises ContractError for a document that is not OpenAPI."""
    document = orjson.loads(orjson.dumps(engine.contract.document))  # a copy: Connexion fills in defaults
    app = VendorApp(engine)
    app.add_api(Document(document), resolver=EngineResolver(engine))  # type: ignore[no-untyped-call]  # Connexion's
    return app
