"""Load: wrk on a core of its own, keep-alive, one thread. A run in which any answer was an error is no result."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import CannotMeasure
from bench.processes import Server

SCRIPT = Path(__file__).with_name("wrk.lua")
FOREVER = 900


@dataclass(frozen=True)
class Request:
    """A request to send; `{n}` in path or body becomes a fresh number each time, `{c}` one that goes round (see wrk.lua)."""

    method: str
    path: str
    body: str = ""


@dataclass(frozen=True)
class Load:
    """What came of a load: answers in so many seconds, latencies in microseconds, the server's CPU seconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    cpu: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    @property
    def cost(self) -> float:
        """The server's CPU time per request, in microseconds."""
        return self.cpu / self.requests * 1e6


def find_wrk() -> str:
    """The load tool, installed where that is possible. Raises CannotMeasure, saying what is missing."""
    found = shutil.which("wrk")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], capture_output=True, check=False)
        found = shutil.which("wrk")
    if found is None:
        raise CannotMeasure(
            "wrk, the load tool, is missing: install it (Debian: apt-get install wrk; macOS: brew install wrk)."
        )
    return found


def send(
    server: Server,
    requests: Sequence[Request],
    *,
    core: int,
    connections: int,
    headers: Mapping[str, str],
    seconds: float = 0,
    count: int = 0,
    cycle: int = 1,
    refused: bool = False,
) -> Load:
    """Send the requests in turn for so many seconds, or until so many answers came.

    Raises CannotMeasure where an answer was an error: any, or with `refused` one that HTTP does not know (a broken connection, no answer in time).
    """
    command = ["taskset", "--cpu-list", str(core), find_wrk(), "--threads", "1", "--connections", str(connections)]
    command += ["--timeout", "60s", "--script", str(SCRIPT)]
    media = {"Content-Type": "application/json"} if any(request.body for request in requests) else {}
    for name, value in {**headers, **media}.items():
        command += ["--header", f"{name}: {value}"]
    rest = [server.url, "--", str(count), uuid.uuid4().hex[:8], str(cycle)]
    for request in requests:
        rest += [request.method, request.path, request.body]
    for longer in (1, 5, 20):
        lasts = FOREVER if count else max(1, round(seconds * longer))
        before = server.cpu_seconds()
        said = _report([*command, "--duration", f"{lasts}s", *rest], server)
        cpu = server.cpu_seconds() - before
        if said["requests"]:  # none: an answer takes longer than that
            break
    if said["broken"] or (said["refused"] and not refused) or not said["requests"]:
        raise CannotMeasure(
            f"{server.name} gave {said['refused']} error answers and {said['broken']} broken connections"
            f" in {said['requests']} requests of {requests[0].method} {requests[0].path}: that is no result."
        )  # fmt: skip
    return Load(said["requests"], said["seconds"], said["p50"], said["p99"], cpu)


def _report(arguments: Sequence[str], server: Server) -> Mapping[str, Any]:
    """What wrk says at its end; it is interrupted when it has sent as many requests as it was told."""
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as wrk:
        assert wrk.stdout is not None
        lines = []
        for line in wrk.stdout:
            lines.append(line)
            if line.startswith("REACHED"):
                wrk.send_signal(signal.SIGINT)
    for line in lines:
        if line.startswith("BENCH "):
            said: Mapping[str, Any] = json.loads(line.removeprefix("BENCH "))
            return said
    raise CannotMeasure(f"wrk failed against {server.name}: {''.join(lines).strip()[-500:]}")
