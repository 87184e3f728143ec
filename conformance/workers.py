"""Processes that do the parts of a check side by side.

Threads of one process would be bound by the interpreter's lock, and their order would change the verdict. pytest-xdist divides one run of pytest;
a check is many, one or two for each vendor, that share the processes.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.parts import Part

_STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
Told = Callable[[Part, Mapping[str, Any]], None]


def available() -> int:
    """How many processes this machine runs at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class Worker:
    """One process, the part it is at, and how far that part's events have been read."""

    process: subprocess.Popen[str]
    output: Path
    part: Part | None = None
    folder: Path = Path()
    offset: int = 0

    def give(self, part: Part, folder: Path) -> None:
        """Let it do a part, in a folder of its own."""
        folder.mkdir()
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        self.part, self.folder, self.offset = part, folder, 0
        arguments = [*part.arguments(), f"--mockingbill-events={self.events}", f"--rootdir={folder}"]
        arguments += [f"--basetemp={folder / 'temporary'}", "-c", str(folder / "pytest.ini")]
        job = {"arguments": arguments, "events": str(self.events), "output": str(folder / "output.txt")}
        assert self.process.stdin is not None, "it was started with a pipe"
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(job) + "\n")
            self.process.stdin.flush()

    @property
    def events(self) -> Path:
        """Where its part tells what happens."""
        return self.folder / "events.jsonl"

    def listen(self, told: Told) -> None:
        """Take in what was told since the last time; the part is done with once its end is among that, or its process is gone."""
        if self.part is None:
            return
        gone = self.process.poll() is not None
        for event in self._news():
            self.part.take(event)
            told(self.part, event)
            if event["kind"] == "ended":
                gone = True
        if gone:
            if not self.part.result.finished:
                self.part.result.doubts.append(f"the run ended early: {self._last_words()}")
            self.part = None

    def _news(self) -> Iterator[dict[str, Any]]:
        if not self.events.exists():
            return
        with self.events.open("rb") as stream:
            stream.seek(self.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return
                self.offset += len(line)
                yield json.loads(line)

    def _last_words(self) -> str:
        said = [file.read_text(encoding="utf-8", errors="replace") for file in self._said() if file.exists()]
        return " / ".join("\n".join(said).strip().splitlines()[-5:])[:600]

    def _said(self) -> tuple[Path, Path]:
        return self.folder / "output.txt", self.output

    def stop(self) -> None:
        """End it and what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                self.process.kill()
        self.process.wait(timeout=10)
        if self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()


def hire(folder: Path) -> Worker:
    """Start a worker; a signal meant for this process does not reach it."""
    folder.mkdir()
    output = folder / "worker.txt"
    with output.open("wb") as stream:
        process = subprocess.Popen(  # our own interpreter, our own arguments
            [sys.executable, "-m", "conformance.worker"],
            stdin=subprocess.PIPE,
            stdout=stream,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(folder)},
        )
    return Worker(process, output)


def run_all(parts: Sequence[Part], workers: int, scratch: Path, told: Told) -> bool:
    """Do every part, the longest first, so many at a time, and tell what happens; whether it was stopped by hand."""
    waiting = sorted(parts, key=lambda part: -part.weight)
    crew: list[Worker] = []
    numbers = iter(range(10**6))
    try:
        while waiting or any(worker.part for worker in crew):
            while waiting and (idle := _idle(crew, workers, lambda: hire(scratch / f"worker-{next(numbers)}"))):
                idle.give(waiting.pop(0), scratch / f"part-{next(numbers)}")
            time.sleep(0.02)
            for worker in crew:
                worker.listen(told)
    except KeyboardInterrupt:
        for worker in crew:
            worker.listen(told)
        return True
    finally:
        with unstopped():
            for worker in crew:
                worker.stop()
    return False


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder for what the processes say, gone in the end however often it is stopped."""
    folder = Path(tempfile.mkdtemp(prefix="mockingbill-"))
    try:
        yield folder
    finally:
        with unstopped():
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def unstopped() -> Iterator[None]:
    """Put off being stopped by hand: a process that has just been started, or is just being ended, would be forgotten."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    meanwhile: list[int] = []
    before = {number: signal.getsignal(number) for number in _STOPS}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda which, frame: meanwhile.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if meanwhile:
        raise KeyboardInterrupt


def _idle(crew: list[Worker], most: int, hire: Callable[[], Worker]) -> Worker | None:
    """A worker with nothing to do, a new one where there may be more."""
    for worker in [worker for worker in crew if worker.part is None and worker.process.poll() is not None]:
        worker.stop()
        crew.remove(worker)
    for worker in crew:
        if worker.part is None:
            return worker
    if len(crew) < most:
        with unstopped():
            crew.append(hire())
        return crew[-1]
    return None
