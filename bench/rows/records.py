"""A million records against a thousand, each in a world and a process of its own: what a call costs there."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

from bench.machine import ROOT, CannotMeasure
from bench.results import Figure, Ratio, Row, quotient
from bench.settings import Settings

TITLE = "Many records"
SMALL = 1000
REACH = {
    "create": 1.5,
    "get": 1.5,
    "first page": 1.5,
    "deep page": 3.0,
    "unique check": 1.5,
    "filter on a unique field": 1.5,
    "filter on another field": 1.5,
}


def measure(settings: Settings) -> Row:
    """Both worlds stand at once; round by round, each operation in the one and then in the other."""
    how = (
        f"{settings.records:,} customers against {SMALL:,} in one world of the small document, in-process, CPU time of a call. The deep page is"
        f" number {min(5000, settings.records // 50):,} of fifty, against the last of the small world. The first search by a field, which makes its"
        " index, is not counted."
    )
    costs: dict[tuple[str, int], list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        worlds = {}
        for size in (SMALL, settings.records):
            settings.say(f"records: creating {size:,}")
            worlds[size] = stack.enter_context(_world(size, settings.cores.server))
        for number in range(settings.rounds):
            settings.say(f"records: round {number + 1} of {settings.rounds}")
            for operation in REACH:
                for size, process in worlds.items():
                    costs[operation, size].append(_ask(process, operation))
        held = _ask(worlds[settings.records], "memory")
    ratios = tuple(
        Ratio(
            operation,
            f"{SMALL:,} records",
            "CPU time",
            quotient(costs[operation, settings.records], costs[operation, SMALL]),
            reach,
            "most",
        )
        for operation, reach in REACH.items()
    )
    figures = tuple(
        Figure(operation, f"{size:,} records", "CPU µs", tuple(found)) for (operation, size), found in costs.items()
    )
    memory = Figure("memory", f"{settings.records:,} records", "bytes a record", (held,))
    return Row("records", TITLE, how, ratios, (*figures, memory))


@contextlib.contextmanager
def _world(size: int, core: int) -> Iterator[subprocess.Popen[str]]:
    command = ["taskset", "--cpu-list", str(core), sys.executable, "-m", "bench.servers.world", str(size)]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != "ready\n":
            raise CannotMeasure(f"the world of {size:,} records could not be made.")
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(process: subprocess.Popen[str], operation: str) -> float:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"{operation}\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise CannotMeasure(f"the world ended at {operation}; what it said is above.")
    return float(line)
