"""Runs the real Prism: as a mock of a document, or as a judge between a client and an implementation."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

from serving import ROOT

PATIENCE = 60.0
"""Seconds to wait for an answer: at its first call Prism compiles an operation, which takes a while for a large one."""


class Taken(Exception):
    """Another process took the port in the meantime."""


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[tuple[str, str]]:
    """A Prism that listens, and what it said until then. It knows no port 0, so a free one is looked for first."""
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            with contextlib.suppress(Taken):
                yield stack.enter_context(_running(command))
                return
        raise AssertionError("three times another process took the free port first")


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[tuple[str, str]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    full = [*command, "--host", "127.0.0.1", "--port", str(port)]
    environment = {**os.environ, "NO_COLOR": "1", "FORCE_COLOR": "0"}
    with subprocess.Popen(
        full, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None, "it was asked for"
        said = ""
        try:
            for line in process.stdout:
                said += line
                if "Prism is listening on" in line:
                    break
            else:
                if "EADDRINUSE" in said:
                    raise Taken
                raise AssertionError(f"Prism did not start:\n{said}")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield f"http://127.0.0.1:{port}", re.sub(r"\x1b\[[0-9;]*m", "", said)
        finally:
            process.terminate()


@contextlib.contextmanager
def judge(command: str, document: Path, implementation: str) -> Iterator[str]:
    """A proxy that makes a 500 of every answer that breaks the document; broken requests are the implementation's to refuse."""
    with running([command, "proxy", str(document), implementation, "--errors", "--validate-request", "false"]) as (
        url,
        _,
    ):
        yield url
