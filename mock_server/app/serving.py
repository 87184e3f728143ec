"""Runs the sandbox on uvicorn, on a socket that was bound first, so that a port in use is said before anything else."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server.app.root import RootApp, create_app
from mock_server.app.terminal import show_start

COLLECTIONS = (10_000, 50, 1_000)
"""Thresholds of the garbage collector. Records hold no cycles, and going through all of them is a pause of a second where there are a million."""
PATIENCE = 0.2
"""Seconds that calls under way have to end in, once the server is told to stop."""


class CannotListen(Exception):
    """The address cannot be listened on; the message says why."""


def bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError, TypeError, ValueError) as error:
        listener.close()
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise CannotListen(f"the port {port} is in use; choose another with --port (0 takes a free one).") from None
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise CannotListen(f"cannot listen on {host}:{port}: {reason}.") from None
    return listener


class _Stoppable:
    """Lets a call that is cancelled end quietly, once it has been answered: uvicorn cancels only when it stops."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            return


def configured(app: ASGIApp, *, verbose: bool = False, **options: Any) -> uvicorn.Config:
    """How uvicorn is to serve an application; `options` are its own."""
    return uvicorn.Config(
        _Stoppable(app),
        log_level="info" if verbose else "warning",
        access_log=verbose,
        server_header=False,
        date_header=False,  # the same requests are to give the same bytes
        ws="none",
        timeout_graceful_shutdown=PATIENCE,  # type: ignore[arg-type]  # a fraction will do
        **options,
    )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No garbage collection while the application is built: what is made then stays. What there is at `gc.freeze` is never looked at again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def run(
    names: Sequence[str],
    *,
    host: str,
    port: int,
    seed: int = 0,
    frozen: datetime | None = None,
    inferred: bool = False,
    open_control: bool = False,
    webhook_hosts: Collection[str] = (),
    verbose: bool = False,
    changed: Callable[[RootApp], ASGIApp] | None = None,
) -> None:
    """Serve until interrupted; what `changed` makes of the application, where that is given. Raises ContractError or CannotListen."""
    with bind(host, port) as listener, _undisturbed():
        app = create_app(
            names, seed=seed, frozen=frozen, inferred=inferred, open_control=open_control, webhook_hosts=webhook_hosts
        )
        assert isinstance(app, RootApp), "create_app gives a RootApp"
        bound = listener.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        config = configured(app if changed is None else changed(app), lifespan="on", verbose=verbose)
        show_start(app.engines, f"http://{shown}:{bound}")
        gc.freeze()
        gc.set_threshold(*COLLECTIONS)
        gc.enable()
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except KeyboardInterrupt:
            return
