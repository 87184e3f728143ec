"""Serves operations by Connexion's stock classes: its routing, its operations, its validation of requests, and then our engine.

It is slow, as it reads the document again for each request, and only for what the compiled path does not understand.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable

from connexion.exceptions import ProblemException, UnsupportedMediaTypeProblem
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from mock_server.app import bodies
from mock_server.app.exchange import (
    Disconnected,
    headers_of,
    raw_path_of,
    read_body,
    request_of,
    send_bytes,
    world_of,
)
from mock_server.app.operation import Schemas
from mock_server.app.routing import allow
from mock_server.app.stock.paths import Path, normal, paths_of
from mock_server.app.stock.reading import KEY, Reading, produced
from mock_server.app.stock.stack import prepared, replay, stack
from mock_server.contract import Operation
from mock_server.engine import DEFAULT_WORLD, Engine
from mock_server.problems import Problem
from mock_server.vendor import Answer

logger = logging.getLogger("mock_server")


class Stock:
    """An ASGI application of some operations of a vendor, or of all."""

    def __init__(self, engine: Engine, identifiers: Iterable[str] | None = None) -> None:
        self._engine = engine
        operations = engine.contract.operations
        self._own = frozenset(operations if identifiers is None else identifiers)
        self._paths = paths_of(operations.values())
        self._schemas = Schemas(engine.contract)
        self._connexion = stack(engine.contract, [operations[each] for each in sorted(self._own)], self._perform)

    def takes(self, method: str, raw_path: str) -> bool:
        """Whether a request is for this application: for one of its operations, or for none on a path that has one."""
        path = self._find(raw_path)
        if path is None or self._own.isdisjoint(each.id for each in path.methods.values()):
            return False
        operation = path.at(method)
        return operation is None or operation.id in self._own

    def _find(self, raw_path: str) -> Path | None:
        wanted = normal(raw_path)
        return next((path for path in self._paths if path.pattern.match(wanted)), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Every failure wears the vendor's envelope."""
        if scope["type"] != "http":
            return
        world, operation = DEFAULT_WORLD, None
        try:
            headers = headers_of(scope)
            world = world_of(scope, headers)
            operation, values = self._route(scope)
            request = request_of(scope, headers, values, world, b"")
            caller = self._engine.identify(operation, request)
            if operation.provenance.level == "inferred" and not self._engine.inferred:
                raise Problem(
                    "not-served", f"{operation.id} is inferred; it is served when asked for: --include inferred."
                )
            body = await read_body(scope, receive, headers)
            reading = Reading(self._engine.contract, operation, self._schemas, request._replace(body=body), caller)
            await self._connexion(prepared(scope, reading), replay(body, receive), send)
            assert reading.answer is not None, "Connexion has called the handler"
            answer = reading.answer
        except Disconnected:
            return
        except asyncio.CancelledError:
            stopping = Problem("stopping", "The sandbox is being stopped.", headers={"Connection": "close"})
            await self._send(scope, send, operation, self._engine.refuse(stopping, world))
            raise
        except Exception as error:
            answer = self._engine.refuse(self._problem(error, scope, operation), world, operation)
        await self._send(scope, send, operation, answer)

    def _route(self, scope: Scope) -> tuple[Operation, dict[str, str]]:
        path = self._find(raw_path_of(scope))
        if path is None:
            raise Problem("no-path", "There is no such path.")
        operation = path.at(scope["method"])
        if operation is None:
            allowed = allow(path.methods)
            raise Problem("no-method", f"This path allows {allowed}.", headers={"Allow": allowed})
        return operation, path.values(raw_path_of(scope))

    async def _perform(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What Connexion calls with a request that it has validated: the engine does the rest."""
        reading: Reading = scope[KEY]
        admitted = self._engine.admit(reading.operation, reading.request, reading.input(), reading.caller)
        if isinstance(admitted, Answer):
            reading.check(admitted)
            reading.answer = admitted
            return
        try:
            await asyncio.sleep(admitted.delay)
        except BaseException:
            self._engine.abandon(admitted)
            raise
        reading.answer = self._engine.perform(admitted, reading.check)

    def _problem(self, error: Exception, scope: Scope, operation: Operation | None) -> Problem:
        """What went wrong, in no framework's words."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, UnsupportedMediaTypeProblem) and operation and operation.body:
            return Problem("media-type", f"The body must be one of: {', '.join(operation.body.content)}.")
        if isinstance(error, ProblemException) and error.status == 400:
            return Problem("malformed", str(error.detail))
        if isinstance(error, HTTPException) and error.status_code == 404:
            return Problem("no-path", "There is no such path.")
        logger.error("%s %s failed", scope["method"], scope["path"], exc_info=error)
        return Problem("internal", "The sandbox made a mistake; its log says more.")

    async def _send(self, scope: Scope, send: Send, operation: Operation | None, answer: Answer) -> None:
        media = produced(operation.responses.get(answer.status)) if operation else bodies.JSON
        if isinstance(answer.body, str) and not media.endswith("json"):
            textual = media.startswith("text/")
            content = answer.body.encode() if textual else answer.body.encode("latin-1")
            media = f"{media}; charset=utf-8" if textual else media
        else:
            content = b"" if answer.body is None else bodies.encode(answer.body)
        await send_bytes(send, answer.status, content, media, answer.headers, head=scope["method"] == "HEAD")
