"""One server of the catalogue held to promises, and put before the stock Schemathesis."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from conformance.promise import Promise
from conformance.run import Run, Settings
from conformance.target import serve
from mock_server import create_app
from mock_server.contract import load, load_fixtures
from mock_server.faulty import Fault, faulty

Verdict = Literal["caught", "kept", "stumbled"]
PATIENCE = 900
"""Seconds for one run of the stock Schemathesis."""


@dataclass(frozen=True)
class Judged:
    """What came of one fault: by seed, the promises that it was seen to break; whether the stock tool saw anything."""

    fault: str
    vendor: str
    kind: str
    promise: str
    broken: dict[int, tuple[str, ...]] = field(default_factory=dict)
    stumbled: tuple[str, ...] = ()
    stock: bool | None = None

    @property
    def is_caught(self) -> bool:
        """Whether the promise that is meant caught it on every seed."""
        return bool(self.broken) and all(self.promise in names for names in self.broken.values())

    def sign(self, promise: str) -> str:
        """What stands in the matrix: by the one that is meant, by another, by some seeds alone."""
        seen = sum(promise in names for names in self.broken.values())
        if promise == self.promise:
            return "X" if self.is_caught else "?" if seen else "!"
        return "x" if seen == len(self.broken) else "~" if seen else "."

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return {**asdict(self), "caught": self.is_caught}


def judge(fault: Fault, promises: Sequence[Promise], seed: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The promises that a new server with this fault breaks, and those that stumbled over it; each is asked until it is broken."""
    broken, stumbled = [], []
    with serve(faulty(create_app([fault.vendor], inferred=True), fault)) as url:
        settings = Settings(
            fault.vendor, f"{url}/{fault.vendor}", "default", seed, inferred=True, world=f"power-{seed}"
        )
        run = Run.begin(settings)
        with run.client("promises") as client:
            for promise in promises:
                try:
                    outcomes = (run.hold(promise, subject, client) for subject in promise.subjects(run.scope))
                    if any(outcome.status == "broken" for outcome in outcomes):
                        broken.append(promise.name)
                except Exception as error:  # a promise that stumbles is a finding about the suite
                    stumbled.append(f"{promise.name} (seed {seed}): {type(error).__name__}: {error}")
    return tuple(broken), tuple(stumbled)


def stock_finds(fault: Fault, seed: int) -> bool:
    """Whether the stock Schemathesis, with its defaults and a credential, finds anything wrong with such a server beyond what it finds anyway."""
    contract = load(fault.vendor)
    token = load_fixtures(contract).records["Credential"][0].value["token"]
    with serve(faulty(create_app([fault.vendor], inferred=True), fault)) as url:
        return bool(_complaints(f"{url}/{fault.vendor}", token, seed) - _usual(fault.vendor, token, seed))


_USUAL: dict[str, set[str]] = {}


def _usual(vendor: str, token: str, seed: int) -> set[str]:
    """What the stock tool says of the right server."""
    if vendor not in _USUAL:
        with serve(create_app([vendor], inferred=True)) as url:
            _USUAL[vendor] = _complaints(f"{url}/{vendor}", token, seed)
    return _USUAL[vendor]


def _complaints(base: str, token: str, seed: int) -> set[str]:
    """The complaints of one run, each by its title."""
    command = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        "run",
        f"{base}/openapi.json",
        "--url",
        base,
        "--seed",
        str(seed),
    ]
    command += ["--header", f"Authorization: Bearer {token}", "--no-color", "--generation-database", "none"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"schemathesis could not run: {done.stderr[-300:] or done.stdout[-300:]}")
    return {line.strip(" -❌") for line in done.stdout.splitlines() if line.startswith("- ") or "❌" in line}
