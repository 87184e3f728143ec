"""Right servers with a limit each: the miniature vendor behind something that is slow, counts calls, shows changes late, or goes away."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import count
from typing import Any

import acme_server
import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

Proceed = Callable[[], Awaitable[Response]]
Answering = Callable[[Request, Proceed], Awaitable[Response]]


async def answered(app: ASGIApp, scope: Scope, body: bytes) -> Response:
    """What an app answers to a request, as a whole."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(dict(scope), receive, send)
    content = b"".join(message.get("body", b"") for message in said[1:])
    response = Response(content, said[0]["status"])
    response.raw_headers = list(said[0]["headers"])
    return response


def whole(app: ASGIApp, respond: Callable[[Request, bytes], Awaitable[Response]]) -> ASGIApp:
    """A server that has read each request to its end before it responds; its start and its end are the app's."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        request = Request(scope, receive)
        response = await respond(request, await request.body())
        await response(scope, receive, send)

    return outer


def behind(answering: Answering, app: ASGIApp | None = None) -> ASGIApp:
    """The miniature vendor behind something that answers in its place, or lets it answer."""
    inner = app or acme_server.create_app()
    return whole(inner, lambda request, body: answering(request, lambda: answered(inner, request.scope, body)))


def too_many(after: str | None = None) -> Response:
    """A refusal for the number of calls, in the vendor's envelope."""
    return JSONResponse(
        {"error": {"code": "rate", "message": "Slow down."}}, 429, {} if after is None else {"Retry-After": after}
    )


def limited(every: int, app: ASGIApp | None = None) -> ASGIApp:
    """Refuses each so-manieth call."""
    calls = count(1)

    async def answering(request: Request, proceed: Proceed) -> Response:
        return too_many("0") if next(calls) % every == 0 else await proceed()

    return behind(answering, app)


def refusing(number: int, after: Callable[[], str | None]) -> ASGIApp:
    """Refuses one call."""
    calls = count(1)

    async def answering(request: Request, proceed: Proceed) -> Response:
        return too_many(after()) if next(calls) == number else await proceed()

    return behind(answering)


def exhausted(calls: int, app: ASGIApp | None = None, after: str | None = "0") -> ASGIApp:
    """Answers so many calls, and refuses all that come later."""
    left = iter(range(calls))

    async def answering(request: Request, proceed: Proceed) -> Response:
        return await proceed() if next(left, None) is not None else too_many(after)

    return behind(answering, app)


def soon() -> str:
    """A moment not a second ahead, as HTTP writes one."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)


def slow(seconds: float, only: str = "", app: ASGIApp | None = None) -> ASGIApp:
    """Answers one call after another, each after a while; where a method is named, calls of that alone."""
    turn = asyncio.Lock()

    async def answering(request: Request, proceed: Proceed) -> Response:
        if only and request.method != only:
            return await proceed()
        async with turn:
            await asyncio.sleep(seconds)
            return await proceed()

    return behind(answering, app)


def late(seconds: float) -> ASGIApp:
    """Shows a change after a while: what is read comes from a second server, to which each change is brought that much later."""
    main, copy = acme_server.create_app(), acme_server.create_app()
    underway: list[tuple[float, Scope, bytes]] = []

    async def respond(request: Request, body: bytes) -> Response:
        if request.method == "GET" or request.url.path.startswith("/filters"):
            while underway and underway[0][0] <= time.monotonic():
                await answered(copy, *underway.pop(0)[1:])
            return await answered(copy, request.scope, body)
        response = await answered(main, request.scope, body)
        underway.append((time.monotonic() + seconds, request.scope, body))
        return response

    return whole(main, respond)


class Counted:
    """Counts the calls that may change something."""

    def __init__(self, app: ASGIApp | None = None) -> None:
        self.changing: list[str] = []
        self.reading = 0
        self.app = behind(self._answer, app)

    async def _answer(self, request: Request, proceed: Proceed) -> Response:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.url.path == "/filters/customers":
            self.reading += 1
        else:
            self.changing.append(f"{request.method} {request.url.path}")
        return await proceed()


@contextlib.contextmanager
def mortal(how: str, calls: int, app: ASGIApp | None = None) -> Iterator[str]:
    """A server that goes away after so many calls: it refuses connections, is silent, or a proxy says that it is not there (503)."""
    left, over = iter(range(calls)), threading.Event()

    async def answering(request: Request, proceed: Proceed) -> Response:
        if next(left, None) is not None:
            return await proceed()
        if how == "503":
            return Response("no healthy upstream", 503)
        if how == "refused":
            server.should_exit = server.force_exit = True
        while not over.is_set():
            await asyncio.sleep(0.01)
        return Response("", 503)

    config = uvicorn.Config(behind(answering, app), host="127.0.0.1", port=0, log_level="critical", access_log=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not (server.started and server.servers):
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.should_exit = True
        thread.join(timeout=5)
