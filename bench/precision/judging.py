"""One right server held to its contract, by every layer of the suite: what it says against it, and what it could not test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from conformance import lifecycle, responses
from conformance.preflight import preflight
from conformance.promise import all_promises
from conformance.run import Run, rehearse
from conformance.settings import Profile, Settings

LAYERS = ("responses", "fuzzing", "lifecycle", "promises")


@dataclass(frozen=True)
class Right:
    """A right server: its vendor or document, how a new one is served, and how a run is to see it.

    `serve` gives the base URL of the API. `untested` is what no suite could test of it, as patterns of "promise subject: reason"; everything else
    must have been.
    """

    name: str
    vendor: str
    serve: Callable[[], AbstractContextManager[str]]
    control: str = ""
    world: str = ""
    inferred: bool = False
    target_file: Path | None = None
    untested: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judged:
    """What came of one right server with one seed: how many calls were made, and all that is not silence."""

    server: str
    seed: int
    calls: dict[str, int] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    untested: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def is_silent(self) -> bool:
        """Whether nothing was said against it, and nothing left out without a true reason."""
        return not (self.findings or self.doubts or self.unexpected)

    def as_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return {**asdict(self), "silent": self.is_silent}


def judge(right: Right, seed: int, profile: Profile = "default", layers: Sequence[str] = LAYERS) -> Judged:
    """Hold a new server to its contract with these layers."""
    calls: dict[str, int] = {}
    with right.serve() as url:
        settings = Settings(
            right.vendor,
            url,
            profile,
            seed,
            inferred=right.inferred,
            target_file=right.target_file,
            world=right.world,
            control=right.control,
        )
        run = Run.begin(settings)
        preflight(run)
        for layer in layers if profile != "smoke" else [layer for layer in layers if layer != "fuzzing"]:
            before = run.ledger.calls()
            _hold(run, layer)
            calls[layer] = run.ledger.calls() - before
    findings = tuple(f"{one.layer} {one.promise} {one.subject}: {one.observed}" for one in run.findings())
    untested = tuple(f"{o.promise} {o.subject}: {o.reason}" for o in run.outcomes if o.status == "not tested")
    doubts = (*run.doubts, *run.unreached()) if {"promises", "responses"} & set(layers) else tuple(run.doubts)
    unexpected = [f"not tested: {one}" for one in untested if not any(re.fullmatch(p, one) for p in right.untested)]
    return Judged(right.name, seed, calls, findings, doubts, untested, tuple(unexpected))


def _hold(run: Run, layer: str) -> None:
    if layer == "promises":
        rehearse(run, all_promises())
    elif layer == "lifecycle":
        for resource in lifecycle.resources(run.scope):
            lifecycle.execute(run, resource)
    else:
        responses.execute(run, "fuzzing" if layer == "fuzzing" else "responses")
