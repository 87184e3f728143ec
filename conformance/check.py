"""Holds an implementation to one or several contracts: what `mockingbill check` does.

Each vendor is divided into parts, done side by side by processes; what they tell is put together here.
"""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from conformance.aftermath import Aftermath
from conformance.baseline import Known, entry_for, marked
from conformance.causes import cause
from conformance.finding import Unreachable
from conformance.limits import UNSAID, Limits
from conformance.parts import Part, join, split
from conformance.report import BREAKS, CONFORMS, STOPPED, UNTOLD, Result, show_finding, summarise
from conformance.reports import Record, record
from conformance.run import Profile, Settings
from conformance.scope import Scope, read
from conformance.target import BadTarget, base_url, limits_of, reach
from conformance.workers import available, run_all
from mock_server.contract import ContractError

Knows = Callable[[str, Mapping[str, Any]], Known | None]
"""The entry of the baseline that knows a finding of a vendor."""


def check(
    vendors: Sequence[str],
    target: str,
    profile: Profile = "default",
    seed: int = 1,
    include_inferred: bool = False,
    report_dir: Path | None = None,
    target_file: Path | None = None,
    workers: int | None = None,
    control: str = "",
    limits: Limits = UNSAID,
    keep: bool = False,
    console: Console | None = None,
    aftermath: Aftermath | None = None,
) -> int:
    """Check an implementation; 0 conforms, 1 does not, 2 could not tell, 130 stopped by hand. What `examine` takes."""
    options: dict[str, Any] = {"include_inferred": include_inferred, "target_file": target_file, "workers": workers}
    options |= {
        "control": control,
        "limits": limits,
        "keep": keep,
        "console": console,
        "aftermath": aftermath or Aftermath(report_dir=report_dir),
    }
    return int(examine(vendors, target, profile, seed, **options)["code"])


def examine(
    vendors: Sequence[str],
    target: str,
    profile: Profile,
    seed: int,
    *,
    include_inferred: bool = False,
    target_file: Path | None = None,
    workers: int | None = None,
    control: str = "",
    limits: Limits = UNSAID,
    keep: bool = False,
    console: Console | None = None,
    aftermath: Aftermath | None = None,
) -> Record:
    """Check an implementation, and give the record of it.

    `vendors` are names or paths of documents. `target` is `module:factory`, or the base URL of the vendor's API: `{vendor}` in it is
    replaced, and where our own mock answers there, `/vendor` is appended. `workers` processes work at once, as many as there are cores by default.
    `control` is where its clock and its sink are, `{vendor}` in it replaced too; our own sandbox needs none. `limits` are what may be asked of it,
    before those of the target file. `keep` leaves what is made where it is. `aftermath` says what is known beforehand and what is written in the end.
    """
    console = console or Console(highlight=False)
    aftermath = aftermath or Aftermath()
    began, at = time.time(), time.monotonic()
    results = [Result(vendor) for vendor in vendors]
    code = UNTOLD
    try:
        known = aftermath.known()
        scopes = [Scope(read(vendor), include_inferred) for vendor in vendors]
        names = [scope.contract.name for scope in scopes]
        results = [Result(name) for name in names]
        if not names:
            raise BadTarget("no vendor is named")
        if len(names) > 1 and target.startswith("http") and "{vendor}" not in target:
            _must_be_ours(target, names)
        allowed = limits_of(target_file, limits)
        with reach(target) as url, tempfile.TemporaryDirectory(prefix="mockingbill-") as scratch:
            chosen = [
                Settings(
                    vendor=str(Path(vendor).resolve()) if vendor.endswith((".yaml", ".yml")) else vendor,
                    target=base_url(url, name, allowed),
                    profile=profile,
                    seed=seed,
                    inferred=include_inferred,
                    target_file=target_file.resolve() if target_file else None,
                    world=f"check-{uuid.uuid4().hex[:10]}",
                    shown_target=target,
                    control=control.replace("{vendor}", name),
                    limits=limits,
                    keep=keep,
                )
                for vendor, name in zip(vendors, names, strict=True)
            ]
            divided = [split(settings, scope) for settings, scope in zip(chosen, scopes, strict=True)]
            parts = [part for group in divided for part in group]
            many = min(workers or available(), len(parts))
            console.print(
                f"checking {', '.join(names)} at {target}: profile {profile}, seed {seed}, {many} at a time",
                soft_wrap=True,
            )
            teller = _Teller(console, divided, lambda vendor, one: entry_for(known, vendor, one, aftermath.day()))
            stopped = run_all(parts, many, Path(scratch), teller.tell)
            results = [join(scope, group) for scope, group in zip(scopes, divided, strict=True)]
            for settings, scope, result in zip(chosen, scopes, results, strict=True):
                aftermath.settle(settings, scope, result, known, again=not stopped)
        codes = {result.code for result in results}
        code = BREAKS if BREAKS in codes else UNTOLD if UNTOLD in codes else CONFORMS
        code = STOPPED if stopped else UNTOLD if any(result.gone for result in results) else code
    except (BadTarget, ContractError, Unreachable) as error:
        for result in results:
            result.doubts.append(str(error))
    except KeyboardInterrupt:
        code = STOPPED
    summarise(console, results, code)
    asked = {"target": target, "profile": profile, "seed": seed, "inferred": include_inferred, "control": control}
    asked |= {"limits": asdict(limits), "target_file": str(target_file.resolve()) if target_file else "", "keep": keep}
    told = record(results, asked, code, began, time.monotonic() - at)
    aftermath.tell(console, results, told)
    return told


def _must_be_ours(target: str, names: Sequence[str]) -> None:
    if base_url(target, names[0]) == target.rstrip("/"):
        raise BadTarget(
            f"{target} is one API: for several vendors write {{vendor}} in the URL, as in https://host/{{vendor}}"
        )


class _Teller:
    """Says on the terminal what happens while it happens; a class, for it knows how much of each vendor is still under way."""

    def __init__(self, console: Console, divided: Sequence[Sequence[Part]], knows: Knows) -> None:
        self.console = console
        self.knows = knows
        self.divided = divided
        self.ended: list[Part] = []
        self.shown: set[str] = set()

    def tell(self, part: Part, event: Mapping[str, Any]) -> None:
        """Findings as soon as they are found, each cause once, and each vendor when the last of it is tested."""
        for finding in event["findings"] if event["kind"] == "outcome" else ():
            name = cause(part.result.vendor, finding)
            if name not in self.shown:
                self.shown.add(name)
                entry = self.knows(part.result.vendor, finding)
                show_finding(self.console, part.result.vendor, marked(entry, finding))
        if event["kind"] == "note":
            self.console.print(Text(f"{part.result.vendor}: {', '.join(part.layers)}: {event['text']}"), soft_wrap=True)
        if event["kind"] != "ended":
            return
        self.ended.append(part)
        for group in self.divided:
            if part in group and all(one in self.ended for one in group):
                tested, planned = (sum(counts) for counts in zip(*map(_progress, group), strict=True))
                self.console.print(f"{part.result.vendor}: {tested} of {planned} tested")


def _progress(part: Part) -> tuple[int, int]:
    return len(part.result.outcomes), part.result.planned
