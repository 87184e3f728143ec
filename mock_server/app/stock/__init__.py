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
from mock_server.app.compiled import wait
from mock_server.app.exchange import (
    Disconnected,
    base_url_of,
    headers_of,
    query_of,
    read_body,
    send_bytes,
    world_of,
)
from mock_server.app.routing import allow
from mock_server.app.schemas import Schemas
from mock_server.app.stock.paths import Path, normal, paths_of
from mock_server.app.stock.reading import KEY, Reading, produced
from mock_server.app.stock.stack import prepared, replay, stack
from mock_server.contract import Operation
from mock_server.engine import Engine
from mock_server.problems import Problem
from mock_server.vendor import Answer, Request
from mock_server.worlds import DEFAULT_WORLD

logger = logging.getLogger("mock_server")


class Stock:
    """An ASGI application of some operations of a vendor, or of all."""

    def __init__(self, engine: Engine, identifiers: Iterable[str] | None = None) -> None:
        self.engine = engine
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

    async def serve(
        self, scope: Scope, receive: Receive, send: Send, path: str, mount: str, world: str | None = None
    ) -> None:
        """Serve one request to the path below the mount, as `VendorApp.serve` does."""
        home, operation = DEFAULT_WORLD, None
        headers = headers_of(scope)
        try:
            home = world_of(world, headers)
            operation, values = self._route(scope["method"], path)
            base = base_url_of(scope, headers, mount)
            request = Request(scope["method"], path, base, query_of(scope), headers, home, b"", values)
            call = self.engine.receive(operation, request)
            if operation.provenance.level == "inferred" and not self.engine.inferred:
                raise Problem(
                    "not-served", f"{operation.id} is inferred; it is served when asked for: --include inferred."
                )
            body = await read_body(scope, receive, headers)
            call.request = request._replace(body=body)
            self.engine.resume(call)
            reading = Reading(call, self._schemas)
            await self._connexion(prepared(scope, path, reading), replay(body, receive), send)
            assert reading.answer is not None, "Connexion has called the handler"
            answer = reading.answer
        except Disconnected:
            return
        except asyncio.CancelledError:
            stopping = Problem("stopping", "The sandbox is being stopped.", headers={"Connection": "close"})
            await self._send(scope, send, operation, self.engine.refuse(stopping, home))
            raise
        except Exception as error:
            answer = self.engine.refuse(self._problem(error, scope, operation), home, operation)
        await self._send(scope, send, operation, answer)

    def _route(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]]:
        path = self._find(raw_path)
        if path is None:
            raise Problem("no-path", "There is no such path.")
        operation = path.at(method)
        if operation is None:
            allowed = allow(path.methods)
            raise Problem("no-method", f"This path allows {allowed}.", headers={"Allow": allowed})
        return operation, path.values(raw_path)

    async def _perform(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What Connexion calls with a request that it has validated: the engine does the rest."""
        reading: Reading = scope[KEY]
        call = reading.call
        call.input = reading.input()
        answer = self.engine.admit(call)
        if answer is not None:
            reading.check(answer)
        else:
            await wait(self.engine, call)
            answer = self.engine.perform(call, reading.check)
        reading.answer = answer

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
        await send_bytes(send, answer.status, content, media.encode(), answer.headers, head=scope["method"] == "HEAD")
