"""The conformance suite: how long `mockingbill check` takes, and how many calls a second it makes beside stock `schemathesis run`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
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
)
SMOKE, DEFAULT = 20.0, 300.0
STOCK = "stock schemathesis run"


def measure(settings: Settings) -> Row:
    """A smoke run a round; a default run of all vendors once, for it takes minutes; the comparison in half of the rounds, in turn."""
    everyone = vendors()
    smoke, default = [], []
    own: list[tuple[float, int]] = []
    stock: list[tuple[float, int]] = []
    for number in range(settings.rounds):
        settings.say(f"suite: smoke run {number + 1} of {settings.rounds}")
        smoke.append(_check(everyone, "smoke")[0])
    settings.say("suite: default run of all vendors")
    default.append(_check(everyone, "default")[0])
    for number in range(max(1, settings.rounds // 2)):
        settings.say(f"suite: {VENDOR} against {STOCK}, {number + 1} of {max(1, settings.rounds // 2)}")
        own.append(_check((VENDOR,), "default"))
        stock.append(_stock())
    rates = {
        name: [calls / seconds for seconds, calls in found]
        for name, found in (("mockingbill check", own), (STOCK, stock))
    }
    ratios = (
        Ratio("smoke run of all vendors", f"{SMOKE:g} s", "time", tuple(value / SMOKE for value in smoke), 1.0, "most"),
        Ratio(
            "default run of all vendors",
            f"{DEFAULT:g} s",
            "time",
            tuple(value / DEFAULT for value in default),
            1.0,
            "most",
        ),
        Ratio(
            f"default run of {VENDOR}", STOCK, "calls a second", quotient(rates["mockingbill check"], rates[STOCK]), 1.5
        ),
    )
    figures = [
        Figure("smoke run of all vendors", "mockingbill check", "s", tuple(smoke)),
        Figure("default run of all vendors", "mockingbill check", "s", tuple(default)),
    ]
    for name, found in (("mockingbill check", own), (STOCK, stock)):
        figures.append(Figure(f"default run of {VENDOR}", name, "calls/s", tuple(rates[name])))
        figures.append(Figure(f"default run of {VENDOR}", name, "s", tuple(seconds for seconds, _ in found)))
        figures.append(Figure(f"default run of {VENDOR}", name, "calls", tuple(float(calls) for _, calls in found)))
    return Row("suite", TITLE, HOW, ratios, tuple(figures))


def _check(names: Sequence[str], profile: str) -> tuple[float, int]:
    target = "{root}" if len(names) > 1 else f"{{root}}/{names[0]}"
    return _timed(
        [sys.executable, "-m", "mock_server", "check", *names, "--target", target, "--profile", profile], (0,)
    )


def _stock() -> tuple[float, int]:
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


def _timed(command: Sequence[str], allowed: tuple[int, ...]) -> tuple[float, int]:
    """Seconds a command takes against a fresh server, and how many requests that got. `{root}` in the command is the server."""
    port = free_port()
    with running("counted", python("bench.servers.counted")(port), port, None) as server:
        server.wait("GET", "/_mock/health")
        before = server.ask("GET", "/counted").value["requests"]
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="mockingbill-bench-") as empty:
            filled = [part.replace("{root}", server.url) for part in command]
            done = subprocess.run(filled, cwd=empty, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - begun
        calls = int(server.ask("GET", "/counted").value["requests"]) - before
    if done.returncode not in allowed:
        said = (done.stdout + done.stderr).strip()[-1500:]
        raise CannotMeasure(f"{' '.join(command[2:])} ended with {done.returncode}, so its time means nothing: {said}")
    return seconds, calls
