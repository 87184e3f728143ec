"""Processes side by side, for as many things at a time as there are cores; what they give comes in the order that was asked."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def each(function: Callable[..., T], given: Sequence[Iterable[object]], workers: int) -> Iterator[T]:
    """What a function gives for each of these arguments, in their order. Where the caller stops listening, its processes end at once."""
    if workers == 1:
        for arguments in given:
            yield function(*arguments)
        return
    # Spawned, not forked: a server of an earlier task may run in a thread of this process.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts)
    try:
        for future in [executor.submit(function, *arguments) for arguments in given]:
            yield future.result()
    except BaseException:
        for child in multiprocessing.active_children():
            child.terminate()
        raise
    finally:
        executor.shutdown(cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that asked; it ends the others."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
