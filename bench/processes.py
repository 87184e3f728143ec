"""Servers under test: started on one core, asked until they answer, their CPU time and memory read from the kernel, ended with their children."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench.machine import ROOT, CannotMeasure

TICK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PATIENCE = 60.0


@dataclass(frozen=True)
class Reply:
    """An answer: its status and its JSON value, None where it has none."""

    status: int
    value: Any


@dataclass(frozen=True)
class Server:
    """A process under test, and where it answers."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    started: float

    def cpu_seconds(self) -> float:
        """CPU time that the process and its children have used."""
        return sum(_cpu(pid) for pid in _tree(self.process.pid))

    def resident(self) -> float:
        """Resident memory of the process and its children, in MiB."""
        return sum(_resident(pid) for pid in _tree(self.process.pid)) / 2**20

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """One request on a connection of its own. Raises OSError."""
        return ask(self.url, method, path, body, headers)

    def wait(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Ask until the server answers 2xx. Raises CannotMeasure when it ends or is silent for a minute."""
        last = "no connection"
        while time.perf_counter() - self.started < PATIENCE:
            if self.process.poll() is not None:
                raise CannotMeasure(f"{self.name} ended with status {self.process.returncode}: {self._log()}")
            try:
                reply = self.ask(method, path, body, headers)
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)
                continue
            if 200 <= reply.status < 300:
                return reply
            last = f"{reply.status} {reply.value}"
            time.sleep(0.02)
        raise CannotMeasure(f"{self.name} did not answer {method} {path} with 2xx within {PATIENCE:g} s: {last}")

    def _log(self) -> str:
        return log_of(self.name).read_text(errors="replace")[-2000:].strip()


def log_of(name: str) -> Path:
    """Where a server's output goes."""
    folder = ROOT / ".cache" / "bench" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{''.join(sign if sign.isalnum() else '-' for sign in name)}.log"


def free_port() -> int:
    """A port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(name: str, command: Sequence[str], port: int, core: int | None) -> Iterator[Server]:
    """A server pinned to a core, or free where none is given, until the block ends."""
    environment = {**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"}
    environment.pop("NODE_ENV", None)  # `production` makes Prism fork a second process
    with log_of(name).open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [*(() if core is None else ("taskset", "--cpu-list", str(core))), *command],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
        try:
            yield Server(name, process, f"http://127.0.0.1:{port}", started)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and the session that it leads, which holds nothing else."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=10)


def ask(
    url: str, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, timeout: float = 30
) -> Reply:  # fmt: skip
    """One request; a body that is no text goes as JSON."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        return ask_on(connection, method, path, body, headers)
    finally:
        connection.close()


def ask_on(
    connection: http.client.HTTPConnection, method: str, path: str, body: Any, headers: Mapping[str, str] | None
) -> Reply:  # fmt: skip
    """One request on an open connection."""
    content = None if body is None else json.dumps(body).encode()
    sent = {**({"Content-Type": "application/json"} if content else {}), **(headers or {})}
    connection.request(method, path, content, sent)
    response = connection.getresponse()
    raw = response.read()
    try:
        return Reply(response.status, json.loads(raw) if raw else None)
    except ValueError:
        return Reply(response.status, raw.decode(errors="replace"))


def _tree(root: int) -> list[int]:
    """The process and everything it has started that is still there."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name, beginning with the state; none when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICK if fields else 0.0


def _resident(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[21]) * PAGE if fields else 0
