"""A sandbox in this process: its application on an event loop of its own, in a thread, and on a port once somebody asks for one."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server.app.root import RootApp, create_app
from mock_server.testing.calls import Journal

if TYPE_CHECKING:
    import uvicorn

    from mock_server.testing.world import World

T = TypeVar("T")


class Sandbox:
    """The sandbox of a process. Whatever is asked of it, by a client in here or over the port, happens on its one loop, one thing after the other.

    `vendors` are those to serve (all, if none is named); `options` are those of `mock_server.create_app`. Raises ContractError.
    """

    def __init__(self, vendors: Sequence[str] = (), **options: Any) -> None:
        app = create_app(vendors, **options)
        assert isinstance(app, RootApp), "create_app gives a RootApp"
        self.root = app
        self.journal = Journal(app)
        self.app: ASGIApp = self.journal.listening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mockingbill", daemon=True)
        self._thread.start()
        self._lock = threading.Lock()
        self._listening: tuple[str, uvicorn.Server, asyncio.Task[None]] | None = None
        self._worlds: set[str] = set()

    def run(self, work: Coroutine[Any, Any, T], seconds: float | None = None) -> T:
        """What comes of something that is done on the sandbox's loop. Raises TimeoutError where that takes longer, and it is done nevertheless."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    @property
    def url(self) -> str:
        """Where the sandbox listens: a free port of this machine, from the first time that this is asked."""
        with self._lock:
            if self._listening is None:
                self._listening = self.run(_listen(self.app))
            return self._listening[0]

    @contextmanager
    def world(self, name: str) -> Iterator[World]:
        """A world for as long as the context lasts; another of the same name that is open gets a number. Raises Refused for a name that is none."""
        from mock_server.testing.world import World

        with self._lock:
            number = next(n for n in itertools.count(1) if _numbered(name, n) not in self._worlds)
            chosen = _numbered(name, number)
            self._worlds.add(chosen)
        opened = World(self, chosen)
        try:
            opened.reset()
            yield opened
        finally:
            opened.close()
            self._worlds.discard(chosen)

    def close(self) -> None:
        """Stop: webhooks that are queued are still sent, connections end."""
        if not self._loop.is_running():
            return
        self.run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        if self._listening is not None:
            _, server, serving = self._listening
            server.should_exit = True
            await serving
        await _shut_down(self.root)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


async def _listen(app: ASGIApp) -> tuple[str, uvicorn.Server, asyncio.Task[None]]:
    import uvicorn

    from mock_server.app.serving import bind, configured

    listener = bind("127.0.0.1", 0)
    # Its logs are for whoever looks at a server; the loggers of a test session are the session's.
    server = uvicorn.Server(configured(app, lifespan="off", log_config=None))
    task = asyncio.get_running_loop().create_task(_serve(server, listener))
    while not server.started:
        if task.done():
            await task
        await asyncio.sleep(0)  # and no timer: a test may have stopped the clock of its process
    return f"http://127.0.0.1:{listener.getsockname()[1]}", server, task


async def _serve(server: uvicorn.Server, listener: Any) -> None:
    with listener:
        await server.serve(sockets=[listener])


async def _shut_down(app: ASGIApp) -> None:
    """Tell an application that it ends, as a server does."""
    steps: Iterator[Mapping[str, str]] = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> Message:
        return dict(next(steps))

    async def send(message: Message) -> None:
        return None

    scope: Scope = {"type": "lifespan"}
    told: tuple[Receive, Send] = (receive, send)
    await app(scope, *told)
