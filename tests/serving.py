"""Runs `mockingbill serve` as a person does, in a process of its own on a free port, for the tests that need a real server."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OWN = (sys.executable, "-m", "mock_server")


@dataclass(frozen=True)
class Server:
    """A running `mockingbill serve`."""

    process: subprocess.Popen[str]
    url: str

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def serving(*arguments: str, command: Sequence[str] = OWN, cwd: Path = ROOT) -> Iterator[Server]:
    """A server on a free port, until the block ends."""
    process = subprocess.Popen(
        [*command, "serve", "--port", "0", *arguments],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"},
    )
    assert process.stdout is not None and process.stderr is not None
    try:
        for line in process.stdout:
            if found := re.search(r"http://\S+:\d+", line):
                yield Server(process, found.group())
                break
        else:
            raise AssertionError(process.stderr.read())
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
