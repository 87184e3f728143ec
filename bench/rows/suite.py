"""The conformance suite: how long `mockingbill check` takes, and how many calls a second it makes beside stock `schemathesis run`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine import CannotMeasure
from bench.peers import python
from bench.processes import free_port, running
from bench.results import Figure, Ratio, Row, quotient
from bench.rows.subscriptionflow import VENDOR, credentials
from bench.settings import Settings
from mock_server.contract import vendors

TITLE = "Conformance suite"
HOW = (
    "Against our own server on the same two cores, nothing pinned. Calls are what the server counted, over the whole time of the command. A check"
    " must find the server conforming, or its time is no result; stock Schemathesis runs with its defaults and may find what it likes."
    " CPU time is that of the command and its processes, without the server's."
)
SMOKE, DEFAULT = 20.0, 300.0
STOCK = "stock schemathesis run"


@dataclass(frozen=True)
class Timed:
    """One run of a command: how long it took, the CPU time of its processes, and the calls that reached the server."""

    seconds: float
    cpu: float
    calls: int


def measure(settings: Settings) -> Row:
    """A smoke run a round; a default run of all vendors once, for it takes minutes; the comparison in half of the rounds, in turn."""
    everyone = vendors()
    smoke: list[Timed] = []
    default: list[Timed] = []
    own: list[Timed] = []
    stock: list[Timed] = []
    for number in range(settings.rounds):
        settings.say(f"suite: smoke run {number + 1} of {settings.rounds}")
        smoke.append(_check(everyone, "smoke"))
    settings.say("suite: default run of all vendors")
    default.append(_check(everyone, "default"))
    for number in range(max(1, settings.rounds // 2)):
        settings.say(f"suite: {VENDOR} against {STOCK}, {number + 1} of {max(1, settings.rounds // 2)}")
        own.append(_check((VENDOR,), "default"))
        stock.append(_stock())
    rates = {
        name: [one.calls / one.seconds for one in found] for name, found in (("mockingbill check", own), (STOCK, stock))
    }
    ratios = (
        Ratio(
            "smoke run of all vendors",
            f"{SMOKE:g} s",
            "time",
            tuple(one.seconds / SMOKE for one in smoke),
            1.0,
            "most",
        ),
        Ratio(
            "default run of all vendors",
            f"{DEFAULT:g} s",
            "time",
            tuple(one.seconds / DEFAULT for one in default),
            1.0,
            "most",
        ),
        Ratio(
            f"default run of {VENDOR}", STOCK, "calls a second", quotient(rates["mockingbill check"], rates[STOCK]), 1.5
        ),
    )
    figures: list[Figure] = []
    for what, name, found in (
        ("smoke run of all vendors", "mockingbill check", smoke),
        ("default run of all vendors", "mockingbill check", default),
        (f"default run of {VENDOR}", "mockingbill check", own),
        (f"default run of {VENDOR}", STOCK, stock),
    ):
        figures.append(Figure(what, name, "s", tuple(one.seconds for one in found)))
        figures.append(Figure(what, name, "s of CPU", tuple(one.cpu for one in found)))
        figures.append(Figure(what, name, "calls", tuple(float(one.calls) for one in found)))
        figures.append(Figure(what, name, "calls/s", tuple(one.calls / one.seconds for one in found)))
    return Row("suite", TITLE, HOW, ratios, tuple(figures))


def _check(names: Sequence[str], profile: str) -> Timed:
    target = "{root}" if len(names) > 1 else f"{{root}}/{names[0]}"
    return _timed(
        [sys.executable, "-m", "mock_server", "check", *names, "--target", target, "--profile", profile], (0,)
    )


def _stock() -> Timed:
    headers = [part for name, value in credentials().items() for part in ("--header", f"{name}: {value}")]
    document = f"{{root}}/{VENDOR}/openapi.json"
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        document,
        "--url",
        f"{{root}}/{VENDOR}",
        *headers,
    ]
    return _timed([*command, "--no-color"], (0, 1))


def _timed(command: Sequence[str], allowed: tuple[int, ...]) -> Timed:
    """What a command takes against a fresh server, and how many requests that got. `{root}` in the command is the server."""
    port = free_port()
    with running("counted", python("bench.servers.counted")(port), port, None) as server:
        server.wait("GET", "/_mock/health")
        before = server.ask("GET", "/counted").value["requests"]
        begun, spent = time.perf_counter(), _spent()
        with tempfile.TemporaryDirectory(prefix="mockingbill-bench-") as empty:
            filled = [part.replace("{root}", server.url) for part in command]
            done = subprocess.run(filled, cwd=empty, capture_output=True, text=True, check=False)
        seconds, cpu = time.perf_counter() - begun, _spent() - spent
        calls = int(server.ask("GET", "/counted").value["requests"]) - before
    if done.returncode not in allowed:
        said = (done.stdout + done.stderr).strip()[-1500:]
        raise CannotMeasure(f"{' '.join(command[2:])} ended with {done.returncode}, so its time means nothing: {said}")
    return Timed(seconds, cpu, calls)


def _spent() -> float:
    """CPU seconds of the processes that have ended; the server has not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
