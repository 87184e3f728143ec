"""How a command ends that is stopped: by Ctrl-C, by a signal, or because its output has nowhere to go."""

from __future__ import annotations

import contextlib
import functools
import io
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import click

from mock_server.cli.arguments import stop

STOPPED = 130
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


class Commands(click.Group):
    """The commands. Stopped by hand, each ends with 130: 1 would say that something was judged."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; what a terminal cannot show is spelled out, and never the end of it."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            stop("stopped", STOPPED)


def stoppable(command: Callable[..., None]) -> Callable[..., None]:
    """Lets SIGTERM and a lost terminal stop a command as Ctrl-C does: what it started ends with it."""

    @functools.wraps(command)
    def called(*arguments: Any, **options: Any) -> None:
        with _as_by_hand():
            command(*arguments, **options)

    return called


@contextlib.contextmanager
def _as_by_hand() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is signal.SIG_DFL:  # under nohup a lost terminal is nothing
            signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt
