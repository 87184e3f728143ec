"""The stock Schemathesis before a server of the catalogue, and before the right one, for comparison."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from conformance.target import serve
from mock_server import create_app
from mock_server.contract import load, load_fixtures
from mock_server.faulty import catalogue, faulty

Complaint = tuple[str, str]
"""A check of the tool's, and the operation that failed it."""


@dataclass(frozen=True)
class Bounds:
    """How much of the stock tool: its examples for each operation and phase (None: as many as it likes), and seconds for a run."""

    examples: int | None = None
    seconds: int = 300

    def __str__(self) -> str:
        most = "its own number of examples" if self.examples is None else f"{self.examples} examples an operation"
        return f"{most}, {self.seconds} s a run"


@dataclass(frozen=True)
class Seen:
    """What one run of the stock tool complained of, and whether it came to its end in time."""

    complaints: frozenset[Complaint]
    finished: bool


def look(fault: str | None, vendor: str, seed: int, bounds: Bounds) -> Seen:
    """What the stock tool says of a server with this fault; of the right one for None."""
    app: ASGIApp = create_app([vendor], inferred=True)
    if fault is not None:
        app = faulty(app, catalogue()[fault])
    contract = load(vendor)
    token = load_fixtures(contract).records["Credential"][0].value["token"]
    with serve(app) as url, tempfile.TemporaryDirectory() as folder:
        return _run(contract.document, f"{url}/{vendor}", token, seed, bounds, Path(folder))


def _run(document: Any, base: str, token: str, seed: int, bounds: Bounds, folder: Path) -> Seen:
    report, contract = folder / "report.ndjson", folder / "openapi.json"
    contract.write_text(json.dumps(document), encoding="utf-8")  # a server's own may be as wrong as its other answers
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(contract), "--url", base]
    command += ["--seed", str(seed), "--header", f"Authorization: Bearer {token}", "--no-color"]
    command += ["--generation-database", "none", "--report", "ndjson", "--report-ndjson-path", str(report)]
    if bounds.examples is not None:
        command += ["--max-examples", str(bounds.examples)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=bounds.seconds, check=False, cwd=folder
        )  # elsewhere: the checkout has a configuration of its own, and stock is without one
    except subprocess.TimeoutExpired:
        return Seen(frozenset(_complaints(report)), finished=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis could not run: {done.stderr[-300:] or done.stdout[-300:]}")
    return Seen(frozenset(_complaints(report)), finished=True)


def _complaints(report: Path) -> Iterator[Complaint]:
    """What failed, by the tool's own report; of a run that was cut short, what it had written."""
    for line in report.read_text(encoding="utf-8").splitlines() if report.exists() else ():
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            continue
        recorder = event.get("ScenarioFinished", {}).get("recorder", {})
        for checks in recorder.get("checks", {}).values():
            for check in checks:
                if check["status"] == "failure":
                    yield check["name"], check["failure_info"]["failure"]["operation"]
