"""One server of the catalogue held to promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from conformance.promise import Promise, all_promises
from conformance.run import Run
from conformance.settings import Settings
from conformance.target import serve
from mock_server import create_app
from mock_server.faulty import Fault, catalogue, faulty


@dataclass(frozen=True)
class Judged:
    """What came of one fault: by seed, the promises that it was seen to break; what the stock tool saw, where it was asked.

    `stock` are its complaints beyond those of the right server; `stock_cut` says that a run of it was not over in time.
    """

    fault: str
    vendor: str
    kind: str
    promise: str
    broken: dict[int, tuple[str, ...]] = field(default_factory=dict)
    stumbled: tuple[str, ...] = ()
    stock: tuple[tuple[str, str], ...] | None = None
    stock_cut: bool = False

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


Verdict = tuple[tuple[str, ...], tuple[str, ...]]
"""The promises that were broken, and what stumbled over what."""


def judge(name: str, seed: int, meant: bool) -> Verdict:
    """What a new server with this fault breaks, and what stumbled, be it a promise or the fault itself.

    Each promise, or the one that is meant alone, is asked until it is broken.
    """
    fault = catalogue()[name]
    promises = all_promises()
    return _judge(fault, [p for p in promises if p.name == fault.promise] if meant else promises, seed)


def _judge(fault: Fault, promises: Sequence[Promise], seed: int) -> Verdict:
    broken, stumbled = [], list[str]()
    server = faulty(create_app([fault.vendor], inferred=True), fault)

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        try:
            await server(scope, receive, send)
        except Exception as error:  # a fault that stumbles is seen by every promise, and says nothing of any
            line = f"the fault itself (seed {seed}): {type(error).__name__}: {error}"
            stumbled.extend([] if line in stumbled else [line])
            raise

    with serve(watched) as url:
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
