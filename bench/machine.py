"""The machine that measures: which core serves, which one sends, and what to write under a table."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("connexion", "uvicorn", "uvloop", "httptools", "starlette", "jsonschema_rs", "orjson", "schemathesis")


class CannotMeasure(Exception):
    """Something that the benchmarks need is missing; the message says what, and how to get it."""


@dataclass(frozen=True)
class Cores:
    """The server's core and the load's."""

    server: int
    load: int


def cores() -> Cores:
    """Two cores that share no hardware thread, where the machine has such. Raises CannotMeasure on one core."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise CannotMeasure("two cores are needed, one for the server and one for the load; this process may use one.")
    apart = [core for core in allowed[1:] if core not in _siblings(allowed[0])]
    return Cores(allowed[0], (apart or allowed[1:])[0])


def _siblings(core: int) -> set[int]:
    path = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    found: set[int] = set()
    for part in path.read_text().strip().split(",") if path.exists() else ():
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def processor() -> str:
    """The processor's name, as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def versions() -> Mapping[str, str]:
    """What is compared with what, by name and version."""
    found = {"Python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    return {**found, "node": _first_line("node", "--version").removeprefix("v")}


def commit() -> str:
    """The commit that was measured, with a plus sign where files differ from it."""
    name = _first_line("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    changed = _first_line("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no", "--", "mock_server")
    return f"{name}+" if changed else name


def _first_line(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except OSError:
        return ""
    return next(iter(done.stdout.splitlines()), "").strip()
