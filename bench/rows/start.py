"""From the start of the process to the first answers: all vendors in one of ours, against Prism with the smallest of the documents."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.machine import ROOT
from bench.peers import mockingbill, prism
from bench.processes import free_port, running
from bench.results import Figure, Ratio, Row, quotient
from bench.settings import Settings
from mock_server.app.index import known
from mock_server.contract import Contract, Fixtures, load, load_fixtures, vendors

TITLE = "Start"
OURS = "mockingbill, all vendors"


@dataclass(frozen=True)
class Probe:
    """A call that a fresh server answers with 2xx."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None


def measure(settings: Settings) -> Row:
    """Round by round, each server once; before that each once without counting, so that files and byte code are at hand."""
    smallest = min(vendors(), key=lambda name: len(load(name).bundle.path.read_bytes()) + _parts(name))
    theirs = f"Prism -v silent, {smallest}"
    probes = {name: _probe(load(name), load_fixtures(load(name))) for name in vendors()}
    servers = {
        OURS: (mockingbill(), [_below(name, probe) for name, probe in probes.items()]),
        theirs: (prism(ROOT / "openapi" / f"{smallest}.yaml"), [probes[smallest]]),
    }
    taken: dict[str, list[float]] = defaultdict(list)
    used: dict[str, list[float]] = defaultdict(list)
    for number in range(settings.rounds + 1):
        settings.say(f"start: round {number} of {settings.rounds}" if number else "start: once without counting")
        for name, (command, asked) in servers.items():
            seconds, cpu = _start(name, command(port := free_port()), port, settings.cores.server, asked)
            if number:
                taken[name].append(seconds)
                used[name].append(cpu)
    measure = f"start of all {len(probes)} vendors to an answer of each"
    ratios = (
        Ratio(measure, theirs, "time", quotient(taken[OURS], taken[theirs]), 0.35, "most"),
        Ratio(measure, theirs, "CPU time", quotient(used[OURS], used[theirs]), 0.35, "most"),
    )
    figures = [Figure("start to the first 2xx", name, "s", tuple(found)) for name, found in taken.items()]
    figures += [Figure("start to the first 2xx", name, "CPU s", tuple(found)) for name, found in used.items()]
    how = f"From the start of the process to a 2xx: of ours from every vendor, of Prism with {smallest}, the smallest document. One core each."
    return Row("start", TITLE, how, ratios, tuple(figures))


def _start(name: str, command: Sequence[str], port: int, core: int, probes: Sequence[Probe]) -> tuple[float, float]:
    with running(f"start of {name}", command, port, core) as server:
        for probe in probes:
            server.wait(probe.method, probe.path, probe.body, probe.headers)
        return time.perf_counter() - server.started, server.cpu_seconds()


def _parts(name: str) -> int:
    """Bytes of the files that a document is split into."""
    return sum(path.stat().st_size for path in (ROOT / "openapi" / name).glob("*.yaml"))


def _below(vendor: str, probe: Probe) -> Probe:
    return Probe(probe.method, f"/{vendor}{probe.path}", probe.headers, probe.body)


def _probe(contract: Contract, fixtures: Fixtures) -> Probe:
    """A call of the vendor that its fixtures can answer: a read where one is served, else its first operation with the document's first example."""
    headers = {"Authorization": f"Bearer {fixtures.of('Credential')[0].value['token']}"}
    values = known(contract, fixtures)
    served = contract.serves(inferred=False)
    for operation in sorted(
        served, key=lambda operation: operation.path.count("{")
    ):  # a key may name a record of another kind
        needed = {parameter.name: parameter.where for parameter in operation.parameters if parameter.required}
        if operation.method.upper() == "GET" and set(needed) <= set(values):
            return Probe("GET", _filled(operation.path, needed, values), headers)
    content = served[0].raw["requestBody"]["content"]["application/json"]
    return Probe(served[0].method.upper(), served[0].path, headers, next(iter(content["examples"].values()))["value"])


def _filled(path: str, needed: Mapping[str, str], values: Mapping[str, Any]) -> str:
    query = "&".join(f"{name}={values[name]}" for name, where in needed.items() if where == "query")
    for name in needed:
        path = path.replace(f"{{{name}}}", str(values[name]))
    return f"{path}?{query}" if query else path
